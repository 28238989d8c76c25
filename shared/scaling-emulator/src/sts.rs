//! STS: who is calling.

use serde_json::{Value, json};

use crate::region::Region;
use crate::wire::AwsError;

/// XML namespace of the service.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// Carries out one operation.
pub fn dispatch(region: &Region, operation: &str) -> Result<Value, AwsError> {
    match operation {
        "GetCallerIdentity" => Ok(json!({
            "Arn": format!("arn:aws:iam::{}:user/emulator", region.account_id),
            "UserId": "AIDAEMULATOR",
            "Account": region.account_id,
        })),
        _ => Err(AwsError::new(
            "InvalidAction",
            format!("Could not find operation {operation} for version 2011-06-15"),
        )),
    }
}
