//! From bytes to a JSON value: size, encoding and syntax, each with a place, and no member written twice.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::fault::{Faults, Path};

/// The largest configuration that is parsed, in bytes. A thousand groups with every section overridden fit.
pub const MAX_BYTES: usize = 1 << 20;

/// Parses one layer, or reports why it cannot be.
pub(super) fn parse(bytes: &[u8], faults: &mut Faults) -> Option<Value> {
    if bytes.len() > MAX_BYTES {
        let rule = format!("must be at most {MAX_BYTES} bytes, and is {}", bytes.len());
        faults.error(&Path::Root, None, rule, "check that this is the configuration; nothing of it was read");
        return None;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let rule = format!("must be UTF-8, and is not from byte {}", error.valid_up_to());
            faults.error(&Path::Root, None, rule, "save the file as UTF-8");
            return None;
        }
    };
    // Editors on Windows put one there, and JSON does not allow it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let found = RefCell::new(Vec::new());
    let mut reader = serde_json::Deserializer::from_str(text);
    let parsed = Node { at: Path::Root, twice: &found }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    for pointer in found.into_inner() {
        faults.error(&pointer, None, "is written more than once in its object", "keep one of them");
    }
    match parsed {
        Ok(value) => Some(value),
        Err(error) => {
            faults.error(&Path::Root, None, syntax_rule(text, &error), syntax_fix(text, &error));
            None
        }
    }
}

fn syntax_rule(text: &str, error: &serde_json::Error) -> String {
    if text.trim().is_empty() {
        return "must be a JSON object, and is empty".to_owned();
    }
    format!("must be JSON: {error}")
}

fn syntax_fix(text: &str, error: &serde_json::Error) -> String {
    let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    if ["NaN", "Infinity", "nan", "inf"].iter().any(|word| line.contains(word)) {
        return "JSON has no NaN and no infinity: write a number, or leave the key out".to_owned();
    }
    if text.trim().is_empty() {
        return "write {} to use every default".to_owned();
    }
    format!("correct line {}, column {}", error.line(), error.column())
}

/// Builds a [`Value`] and notes the members that are written twice; plain serde would keep the last silently.
struct Node<'a> {
    at: Path<'a>,
    twice: &'a RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(element) =
            elements.next_element_seed(Node { at: self.at.index(array.len()), twice: self.twice })?
        {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let at = self.at.key(&key);
            let value = members.next_value_seed(Node { at, twice: self.twice })?;
            if object.contains_key(&key) {
                let mut twice = self.twice.try_borrow_mut().map_err(A::Error::custom)?;
                twice.push(at.to_string());
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
