//! The table itself: creating it, and what AWS keeps safe about it.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, PointInTimeRecoverySpecification,
    ScalarAttributeType, TableDescription, TableStatus, TimeToLiveSpecification,
};
use scaling_control::PortError;

use super::error::{port_error, senseless};
use super::item::{EXPIRES, PARTITION, SORT};

/// How often a new table is looked at until it is active.
const POLL: Duration = Duration::from_millis(500);

/// Looks before giving up: two minutes. AWS takes some seconds.
const MAX_POLLS: u32 = 240;

/// Creates the store's table, billed by request, and waits until it is active. One that exists is taken as it is.
///
/// # Errors
/// `Invalid` when a table of that name exists with another key; otherwise as the platform answers.
pub async fn create_table(client: &Client, table: &str) -> Result<(), PortError> {
    const OPERATION: &str = "CreateTable";
    let mut request = client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for (name, role) in [(PARTITION, KeyType::Hash), (SORT, KeyType::Range)] {
        let invalid = |error| senseless(OPERATION, table, &format!("{error}"));
        let attribute = AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(ScalarAttributeType::S)
            .build()
            .map_err(invalid)?;
        let element =
            KeySchemaElement::builder().attribute_name(name).key_type(role).build().map_err(invalid)?;
        request = request.attribute_definitions(attribute).key_schema(element);
    }
    match request.send().await {
        Ok(_) => {}
        Err(error) if error.code() == Some("ResourceInUseException") => {}
        Err(error) => return Err(port_error(OPERATION, table, error)),
    }
    wait_until_active(client, table).await
}

/// Switches on what protects the table: expired records are removed (time to live) and any moment of the last
/// 35 days can be restored (point-in-time recovery). Encryption at rest is always on. Repeating it changes
/// nothing.
pub async fn protect_table(client: &Client, table: &str) -> Result<(), PortError> {
    const TTL: &str = "UpdateTimeToLive";
    const RECOVERY: &str = "UpdateContinuousBackups";
    let expiry = TimeToLiveSpecification::builder().attribute_name(EXPIRES).enabled(true).build();
    let expiry = expiry.map_err(|error| senseless(TTL, table, &error.to_string()))?;
    match client.update_time_to_live().table_name(table).time_to_live_specification(expiry).send().await {
        Ok(_) => {}
        // AWS answers a repetition with this.
        Err(error)
            if error.message().is_some_and(|message| message.contains("TimeToLive is already enabled")) => {}
        Err(error) => return Err(port_error(TTL, table, error)),
    }
    let recovery = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true).build();
    let recovery = recovery.map_err(|error| senseless(RECOVERY, table, &error.to_string()))?;
    let request = client.update_continuous_backups().table_name(table);
    let answer = request.point_in_time_recovery_specification(recovery).send().await;
    answer.map(drop).map_err(|error| port_error(RECOVERY, table, error))
}

async fn wait_until_active(client: &Client, table: &str) -> Result<(), PortError> {
    const OPERATION: &str = "DescribeTable";
    for _ in 0..MAX_POLLS {
        let answer = client.describe_table().table_name(table).send().await;
        let answer = answer.map_err(|error| port_error(OPERATION, table, error))?;
        let Some(description) = answer.table else {
            return Err(senseless(OPERATION, table, "an answer without a table"));
        };
        check_key(table, &description)?;
        if description.table_status == Some(TableStatus::Active) {
            return Ok(());
        }
        tokio::time::sleep(POLL).await;
    }
    Err(senseless(OPERATION, table, "it was not active after two minutes"))
}

fn check_key(table: &str, description: &TableDescription) -> Result<(), PortError> {
    let schema = description.key_schema();
    let found: Vec<_> = schema.iter().map(|element| (element.attribute_name(), element.key_type())).collect();
    if found == [(PARTITION, &KeyType::Hash), (SORT, &KeyType::Range)] {
        return Ok(());
    }
    let message = format!(
        "table {table} exists with another key ({}); the store needs pk and sk; name another table",
        found.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    );
    Err(PortError::Invalid { operation: "CreateTable", message })
}
