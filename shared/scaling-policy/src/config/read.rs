//! Reading a JSON value into the types of the file format without stopping at the first fault.
//!
//! Deserialising with serde would end there, so the file's types implement [`Read`] instead: a fault is noted,
//! the value counts as not given, and reading goes on. The macro `section!` writes that for a JSON object from
//! its one definition, which is also where the JSON Schema and the known keys come from.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::fault::{Faults, Path};
use super::group::{Absence, ControlLevel, Mode, Platform, ScaleDownRule, Statistic};
use crate::trigger::Trigger;

/// The key by which an editor finds the schema of a document; it means nothing here.
pub(super) const SCHEMA_KEY: &str = "$schema";

/// A type of the file format.
pub(super) trait Read: Sized + Clone {
    /// Reads `value`, or reports what is wrong with it.
    fn read(value: &Value, at: &Path<'_>, faults: &mut Faults) -> Option<Self>;

    /// What holds where a group gives `self` and the document gives `base`: sections are merged key by key,
    /// everything else is replaced.
    #[must_use]
    fn over(self, _base: &Self) -> Self {
        self
    }
}

/// Lays a group's value over the document's.
pub(super) fn over<T: Read>(own: Option<T>, base: Option<&T>) -> Option<T> {
    match (own, base) {
        (Some(own), Some(base)) => Some(own.over(base)),
        (own, base) => own.or_else(|| base.cloned()),
    }
}

/// Reads one member of an object; `null` counts as not given.
pub(super) fn member<T: Read>(
    members: &Map<String, Value>,
    key: &str,
    at: &Path<'_>,
    faults: &mut Faults,
) -> Option<T> {
    members.get(key).filter(|value| !value.is_null()).and_then(|value| T::read(value, &at.key(key), faults))
}

/// The object at this place, or a fault.
pub(super) fn object<'v>(
    value: &'v Value,
    at: &Path<'_>,
    faults: &mut Faults,
) -> Option<&'v Map<String, Value>> {
    let members = value.as_object();
    if members.is_none() {
        faults.error(at, Some(value), "must be an object", "write { \"key\": value }");
    }
    members
}

/// Reports the members that are none of `known`, each with the nearest known key.
pub(super) fn unknown_keys(
    members: &Map<String, Value>,
    known: &[&[&str]],
    at: &Path<'_>,
    faults: &mut Faults,
) {
    for (key, value) in members {
        let names_schema = key == SCHEMA_KEY && matches!(at, Path::Root);
        if names_schema || known.iter().any(|keys| keys.contains(&key.as_str())) {
            continue;
        }
        let fix = if faults.is_full() { String::new() } else { nearest_key(key, known) };
        faults.error(&at.key(key), Some(value), "is no known key here", fix);
    }
}

fn nearest_key(key: &str, known: &[&[&str]]) -> String {
    if let Some(pointer) = super::source::section_of(key) {
        return format!("it belongs at {pointer}");
    }
    match nearest(key, known.iter().flat_map(|keys| keys.iter().copied())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "take it out".to_owned(),
    }
}

/// The known word that a person most likely meant.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // The distance of a text of a megabyte to anything is not worth its computation.
    if word.len() > 64 {
        return None;
    }
    let word = word.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    // Half of a name is further from it than from others of its length, and is meant more often than those.
    let whole = || known.iter().copied().find(|candidate| word.len() > 2 && candidate.contains(&word));
    let near = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min()
        .map(|(_, candidate)| candidate);
    near.or_else(whole)
}

impl<T: Read> Read for Vec<T> {
    fn read(value: &Value, at: &Path<'_>, faults: &mut Faults) -> Option<Self> {
        let Some(elements) = value.as_array() else {
            faults.error(at, Some(value), "must be a list", "write [ ... ]");
            return None;
        };
        let read = elements.iter().enumerate().map(|(index, value)| T::read(value, &at.index(index), faults));
        Some(read.collect::<Vec<_>>().into_iter().flatten().collect())
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read(value: &Value, at: &Path<'_>, faults: &mut Faults) -> Option<Self> {
        let members = object(value, at, faults)?;
        Some(
            members.keys().filter_map(|key| Some((key.clone(), member(members, key, at, faults)?))).collect(),
        )
    }
}

impl Read for bool {
    fn read(value: &Value, at: &Path<'_>, faults: &mut Faults) -> Option<Self> {
        let read = value.as_bool();
        if read.is_none() {
            faults.error(at, Some(value), "must be true or false", "write true or false, without quotes");
        }
        read
    }
}

impl Read for String {
    fn read(value: &Value, at: &Path<'_>, faults: &mut Faults) -> Option<Self> {
        const MAX: usize = 1024;
        let fits = |text: &&str| {
            !text.trim().is_empty() && text.chars().count() <= MAX && !text.chars().any(char::is_control)
        };
        let read = value.as_str().filter(fits);
        if read.is_none() {
            let rule = format!("must be text of 1 to {MAX} characters without control characters");
            faults.error(at, Some(value), rule, "write it in quotes");
        }
        read.map(str::to_owned)
    }
}

/// One of a few words; their spelling is that of the type's own serde form.
fn word<T: DeserializeOwned>(value: &Value, words: &[&str], at: &Path<'_>, faults: &mut Faults) -> Option<T> {
    let read = value.as_str().and_then(|_| T::deserialize(value).ok());
    if read.is_none() {
        let fix = match value.as_str().and_then(|text| nearest(text, words.iter().copied())) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("write \"{}\"", words.first().copied().unwrap_or_default()),
        };
        faults.error(at, Some(value), format!("must be one of {}", words.join(", ")), fix);
    }
    read
}

macro_rules! words {
    ($($type:ty: [$($word:literal),+];)+) => {$(
        impl Read for $type {
            fn read(value: &Value, at: &Path<'_>, faults: &mut Faults) -> Option<Self> {
                word(value, &[$($word),+], at, faults)
            }
        }
    )+};
}

words! {
    Mode: ["horizontal", "vertical", "hybrid"];
    Platform: ["aws", "standalone", "kubernetes"];
    ControlLevel: ["observe", "up_only", "act"];
    ScaleDownRule: ["window", "threshold"];
    Absence: ["hold", "zero"];
    Statistic: ["Average", "Sum", "Minimum", "Maximum", "SampleCount", "p95", "p99"];
    Trigger: ["cpu_usage", "memory_usage", "request_count", "request_latency"];
}

/// Defines an object of the file format. Every key is optional; what stands after `=` is its default, for the
/// JSON Schema. A first entry `..` takes another section's keys in. `fields` are merged one by one with the document's section of the same name, `whole` replaces it.
macro_rules! section {
    (
        $(#[$meta:meta])*
        $merge:ident struct $name:ident {
            $( .. $(#[$flat_meta:meta])* $flat:ident: $flat_type:ty, )?
            $( $(#[$field_meta:meta])* $field:ident: $type:ty $(= $default:expr)?, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Default, serde::Serialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $( $(#[$flat_meta])* #[serde(flatten)] pub $flat: $flat_type, )?
            $(
                $(#[$field_meta])*
                $( #[schemars(extend("default" = $default))] )?
                #[serde(skip_serializing_if = "Option::is_none")]
                pub $field: Option<$type>,
            )+
        }

        impl $name {
            /// The keys it defines itself.
            pub(super) const KEYS: &[&str] = &[$( stringify!($field) ),+];

            fn read_members(
                members: &serde_json::Map<String, serde_json::Value>,
                at: &crate::config::fault::Path<'_>,
                faults: &mut crate::config::fault::Faults,
            ) -> Self {
                Self {
                    $( $flat: <$flat_type>::read_members(members, at, faults), )?
                    $( $field: crate::config::read::member(members, stringify!($field), at, faults), )+
                }
            }
        }

        impl crate::config::read::Read for $name {
            fn read(
                value: &serde_json::Value,
                at: &crate::config::fault::Path<'_>,
                faults: &mut crate::config::fault::Faults,
            ) -> Option<Self> {
                let members = crate::config::read::object(value, at, faults)?;
                let known = [$( <$flat_type>::KEYS, )? Self::KEYS];
                crate::config::read::unknown_keys(members, &known, at, faults);
                Some(Self::read_members(members, at, faults))
            }

            section!(@$merge { $($flat)? } $($field)+);
        }
    };
    (@whole { $($flat:ident)? } $($field:ident)+) => {};
    (@fields { $($flat:ident)? } $($field:ident)+) => {
        fn over(self, base: &Self) -> Self {
            Self {
                $( $flat: self.$flat.over(&base.$flat), )?
                $( $field: crate::config::read::over(self.$field, base.$field.as_ref()), )+
            }
        }
    };
}
pub(super) use section;
