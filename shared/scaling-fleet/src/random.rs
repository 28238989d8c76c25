//! The place of a random number generator in its stream, as text: `#[serde(with = "scaling_fleet::random")]`. Its numbers
//! have more digits than most readers of JSON keep.

use rand_pcg::Pcg64;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Writes it.
///
/// # Errors
/// Those of the writer.
pub fn serialize<S: Serializer>(random: &Pcg64, to: S) -> Result<S::Ok, S::Error> {
    serde_json::to_string(random).map_err(S::Error::custom)?.serialize(to)
}

/// Reads it.
///
/// # Errors
/// It is no text, or not what [`serialize`] writes.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Pcg64, D::Error> {
    serde_json::from_str(&String::deserialize(from)?).map_err(D::Error::custom)
}
