//! The layers of a configuration: the file, an environment's own file over it, environment variables over both.
//!
//! A later layer's objects are merged into an earlier one's, member by member; anything else replaces what was
//! there, and `null` removes it (JSON Merge Patch, RFC 7396). The one addition: elements of `groups` are matched
//! by their `name`, so that an environment can change one group without repeating the others.
//!
//! An environment variable `SCALING__<KEY>__<KEY>...` sets the value at that pointer, each `<KEY>` in lower case:
//! `SCALING__REPLICAS__MAX_REPLICAS=12` is `/replicas/max_replicas`, `SCALING__GROUPS__0__CONTROL=act` is the
//! first group's `control`. The value is read as JSON where it is JSON, otherwise as text; an empty one counts
//! as not set. `SCALING_GROUP=web` is short for `SCALING__GROUP=web`. Other variables are not looked at.

use serde_json::{Map, Value};

use super::fault::{Faults, Path};
use super::text;

/// How environment variables that belong to the configuration begin.
pub const VARIABLE_PREFIX: &str = "SCALING__";
/// The environment variable that names the group of a configuration without `groups`.
pub const GROUP_VARIABLE: &str = "SCALING_GROUP";

/// What is laid over the configuration file. The caller reads files and variables; nothing here does.
#[derive(Debug, Clone, Default)]
pub struct Layers<'a> {
    file: Option<&'a [u8]>,
    variables: Vec<(String, String)>,
}

impl<'a> Layers<'a> {
    /// Nothing over the file.
    pub fn none() -> Self {
        Self::default()
    }

    /// Lays the bytes of an environment's own file over the base file.
    #[must_use]
    pub fn with_file(mut self, bytes: &'a [u8]) -> Self {
        self.file = Some(bytes);
        self
    }

    /// Lays environment variables over the files; those that are none of the configuration's are skipped, so
    /// that the whole environment can be passed.
    #[must_use]
    pub fn with_variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.variables.extend(variables.into_iter().filter(|(name, value)| {
            !value.is_empty() && (name.starts_with(VARIABLE_PREFIX) || name == GROUP_VARIABLE)
        }));
        // The environment has no order; with one, a clash has the same outcome each time.
        self.variables.sort();
        self
    }

    /// The environment variables that it lays over the files.
    pub(super) fn variables(&self) -> &[(String, String)] {
        &self.variables
    }

    /// Merges all layers, and returns which variable wrote at which pointer.
    pub(super) fn merge(&self, base: &[u8], faults: &mut Faults) -> Option<(Value, Vec<(String, String)>)> {
        let base = text::parse(base, faults);
        let overlay = match self.file {
            Some(bytes) => text::parse(bytes, faults).map(Some),
            None => Some(None),
        };
        let (mut merged, overlay) = (base?, overlay?);
        if let Some(overlay) = overlay {
            merge_root(&mut merged, overlay);
        }
        let mut written = Vec::new();
        for (name, value) in &self.variables {
            if let Some(pointer) = set_variable(&mut merged, name, value, faults) {
                written.push((name.clone(), pointer));
            }
        }
        Some((merged, written))
    }
}

fn merge_root(base: &mut Value, overlay: Value) {
    let Value::Object(base_members) = &mut *base else { return };
    let Value::Object(mut overlay) = overlay else {
        // Only the reader says what a document must be; it must not miss this one behind a good base.
        *base = overlay;
        return;
    };
    let groups = overlay.remove("groups");
    merge_members(base_members, overlay);
    match (base_members.get_mut("groups"), groups) {
        (_, None) => {}
        (Some(Value::Array(base)), Some(Value::Array(overlay))) => merge_groups(base, overlay),
        (_, Some(Value::Null)) => {
            base_members.remove("groups");
        }
        (_, Some(overlay)) => {
            base_members.insert("groups".to_owned(), overlay);
        }
    }
}

fn merge_groups(base: &mut Vec<Value>, overlay: Vec<Value>) {
    // Only the base's own groups are matched: two of one name in the overlay stay two, and are reported.
    let known = base.len();
    for group in overlay {
        let name = group.get("name").and_then(Value::as_str);
        let same = base[..known]
            .iter()
            .position(|candidate| name.is_some() && candidate.get("name").and_then(Value::as_str) == name);
        match same {
            Some(index) => merge_value(&mut base[index], group),
            None => base.push(group),
        }
    }
}

fn merge_value(base: &mut Value, overlay: Value) {
    match (&mut *base, overlay) {
        (Value::Object(base), Value::Object(overlay)) => merge_members(base, overlay),
        (_, overlay) => *base = overlay,
    }
}

fn merge_members(base: &mut Map<String, Value>, overlay: Map<String, Value>) {
    for (key, value) in overlay {
        if value.is_null() {
            base.remove(&key);
            continue;
        }
        // Where there was nothing, a null inside removes nothing, but must not stay either: so it is a merge too.
        merge_value(base.entry(key).or_insert_with(|| Value::Object(Map::new())), value);
    }
}

/// Writes one variable's value and returns its pointer.
fn set_variable(root: &mut Value, name: &str, text: &str, faults: &mut Faults) -> Option<String> {
    let keys = name.strip_prefix(VARIABLE_PREFIX).unwrap_or("GROUP").to_lowercase();
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    let mut place = root;
    let mut pointer = String::new();
    for key in keys.split("__") {
        let at = Path::Root;
        pointer = format!("{pointer}{}", at.key(key));
        place = match place {
            Value::Array(elements) => {
                let length = elements.len();
                let Some(element) = key.parse::<usize>().ok().and_then(|index| elements.get_mut(index))
                else {
                    let rule = format!("is no element: the environment variable {name} names `{key}`");
                    let fix = match length {
                        0 => "give the list in the file".to_owned(),
                        _ => format!("use a number from 0 to {}", length - 1),
                    };
                    faults.error(&pointer, Some(&value), rule, fix);
                    return None;
                };
                element
            }
            other => member(other, key),
        };
    }
    *place = value;
    Some(pointer)
}

/// The member of an object; a value that is none becomes an object, as in a merge.
fn member<'v>(value: &'v mut Value, key: &str) -> &'v mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    &mut value[key]
}
