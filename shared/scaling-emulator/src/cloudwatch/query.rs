//! CloudWatch in the older XML query form.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::members::Seconds;
use super::operations;
use crate::wire::form::Form;
use crate::wire::json::is_time;
use crate::wire::query::{self, Flavour};
use crate::wire::{AwsError, Reply};

/// CloudWatch's XML namespace.
const NAMESPACE: &str = "http://monitoring.amazonaws.com/doc/2010-08-01/";

/// The one member that is a map rather than a structure.
const MAP: &str = "ExtendedStatistics";

/// Reads a form into the operation's members by their AWS names.
///
/// # Errors
/// `InvalidAction` for an unknown operation, `MalformedInput` for members of the wrong type.
pub fn read(operation: &str, form: &Form) -> Result<Value, AwsError> {
    operations::read(operation, form)
}

/// Writes what `operation` answered.
pub fn reply(operation: &str, answer: &Result<Value, AwsError>) -> Reply {
    let request_id = uuid::Uuid::new_v4().to_string();
    let answer = answer.as_ref().map(|output| in_xml("", output)).map_err(Clone::clone);
    query::reply(Flavour::Query(NAMESPACE), operation, &request_id, &answer)
}

/// Members with times as ISO 8601 text, and maps as lists of entries.
fn in_xml(name: &str, value: &Value) -> Value {
    match value {
        Value::Number(number) if is_time(name) => {
            let time = number.as_f64().and_then(|seconds| Seconds(seconds).timestamp());
            time.map_or(Value::Null, |time: Timestamp| Value::String(time.to_string()))
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| in_xml(name, item)).collect()),
        Value::Object(entries) if name == MAP => {
            // One `entry` element each; the writer names the items of a list itself.
            let entry = |(key, value): (&String, &Value)| json!({ "key": key, "value": value });
            json!({ "entry": entries.iter().map(entry).collect::<Vec<_>>() })
        }
        Value::Object(members) => {
            let converted = members.iter().map(|(name, value)| (name.clone(), in_xml(name, value)));
            Value::Object(converted.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}
