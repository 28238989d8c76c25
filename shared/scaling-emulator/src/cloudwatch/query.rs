//! CloudWatch in the older XML query form.

use serde_json::Value;

use crate::wire::form::Form;
use crate::wire::{AwsError, Reply};

/// Reads a form into the operation's members by their AWS names.
pub fn read(operation: &str, form: &Form) -> Result<Value, AwsError> {
    let _ = (operation, form);
    Ok(Value::Null)
}

/// Writes what `operation` answered.
pub fn reply(operation: &str, answer: &Result<Value, AwsError>) -> Reply {
    let _ = (operation, answer);
    Reply::new(400, "text/xml", Vec::new())
}
