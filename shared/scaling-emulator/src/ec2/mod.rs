//! The part of EC2 that setting up a group needs.

use serde_json::Value;

use crate::region::Region;
use crate::wire::AwsError;
use crate::wire::form::Form;

/// Carries out one operation.
pub fn dispatch(_region: &mut Region, operation: &str, _input: &Form) -> Result<Value, AwsError> {
    Err(AwsError::new("InvalidAction", format!("The action {operation} is not valid for this web service.")))
}
