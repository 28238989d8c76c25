//! EC2 Auto Scaling.

use serde_json::Value;

use crate::region::Region;
use crate::wire::AwsError;
use crate::wire::form::Form;

/// XML namespace of the service.
pub const NAMESPACE: &str = "http://autoscaling.amazonaws.com/doc/2011-01-01/";

/// Carries out one operation.
pub fn dispatch(_region: &mut Region, operation: &str, _input: &Form) -> Result<Value, AwsError> {
    Err(AwsError::new(
        "InvalidAction",
        format!("Could not find operation {operation} for version 2011-01-01"),
    ))
}
