//! Forms of single members that do not read back by themselves.

use std::collections::BTreeMap;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::cloudwatch::metric;

/// A unit of metrics.
pub(crate) fn unit<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'static str>, D::Error> {
    Option::<String>::deserialize(from)?.as_deref().map(known).transpose()
}

/// A map by units of metrics.
pub(crate) fn units<'de, D, V>(from: D) -> Result<BTreeMap<&'static str, V>, D::Error>
where
    D: Deserializer<'de>,
    V: Deserialize<'de>,
{
    let by_name = BTreeMap::<String, V>::deserialize(from)?;
    by_name.into_iter().map(|(name, value)| Ok((known(&name)?, value))).collect()
}

fn known<E: Error>(name: &str) -> Result<&'static str, E> {
    metric::unit(name, "Unit").map_err(E::custom)
}

/// A map whose keys are no text, as a list of pairs.
pub(crate) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// Writes it.
    pub(crate) fn serialize<K, V, S>(map: &BTreeMap<K, V>, to: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        V: Serialize,
        S: Serializer,
    {
        to.collect_seq(map)
    }

    /// Reads it.
    pub(crate) fn deserialize<'de, K, V, D>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}
