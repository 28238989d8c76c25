//! The write on a version: one PutItem, or, where other records go along, one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use scaling_control::PortError;
use scaling_control::ports::{Expected, NewRecord};

use super::error::{port_error, senseless};
use super::item::{EXPIRES, Item, PARTITION, VERSION, WRITER, item_of, number, text};

const PUT: &str = "PutItem";
const TRANSACT: &str = "TransactWriteItems";

/// An item that is written where a condition holds.
pub(super) struct ConditionalPut {
    item: Item,
    version: u64,
    writer: String,
    condition: &'static str,
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
}

impl ConditionalPut {
    /// Of a record that is expected to be as said at `now`, in seconds since 1970.
    ///
    /// # Errors
    /// `Invalid` for a record that is too large; `Conflict` for a version that no record can have.
    pub(super) fn of(record: NewRecord, expected: Expected, now: i64) -> Result<Self, PortError> {
        let (condition, present) = match expected {
            Expected::Absent => ("attribute_not_exists(#pk) OR #expires < :now", None),
            Expected::Version(version) => (
                "#version = :version AND (attribute_not_exists(#expires) OR #expires >= :now)",
                Some(version),
            ),
        };
        let Some(version) = present.unwrap_or(0).checked_add(1) else {
            let message = format!("{} never had version {present:?}", record.key);
            return Err(PortError::Conflict { operation: PUT, message });
        };
        let writer = uuid::Uuid::new_v4().to_string();
        let mut item = item_of(PUT, record, version)?;
        item.insert(WRITER.to_owned(), text(&writer));
        let mut names = HashMap::from([("#expires".to_owned(), EXPIRES.to_owned())]);
        let mut values = HashMap::from([(":now".to_owned(), number(now))]);
        // A name or value that the condition does not use would be refused.
        match present {
            None => drop(names.insert("#pk".to_owned(), PARTITION.to_owned())),
            Some(present) => {
                names.insert("#version".to_owned(), VERSION.to_owned());
                values.insert(":version".to_owned(), number(present));
            }
        }
        Ok(Self { item, version, writer, condition, names, values })
    }

    /// Writes it, and returns its version.
    pub(super) async fn alone(self, client: &Client, table: &str) -> Result<u64, PortError> {
        let request = client
            .put_item()
            .table_name(table)
            .set_item(Some(self.item))
            .condition_expression(self.condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values(Some(self.values));
        match request.send().await {
            Ok(_) => Ok(self.version),
            Err(error) if is_own_write(&error, &self.writer) => Ok(self.version),
            Err(error) => Err(port_error(PUT, table, error)),
        }
    }

    /// Writes it together with records that are new, all or none, and returns its version. A repetition of the call by
    /// the SDK carries the same token, by which DynamoDB knows it for ten minutes.
    pub(super) async fn with(
        self,
        client: &Client,
        table: &str,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        let put = Put::builder()
            .table_name(table)
            .set_item(Some(self.item))
            .condition_expression(self.condition)
            .set_expression_attribute_names(Some(self.names))
            .set_expression_attribute_values(Some(self.values));
        let mut puts = vec![put.build()];
        for record in along {
            let item = item_of(TRANSACT, record, 1)?;
            puts.push(Put::builder().table_name(table).set_item(Some(item)).build());
        }
        let mut actions = Vec::with_capacity(puts.len());
        for put in puts {
            let put = put.map_err(|error| senseless(TRANSACT, table, &error.to_string()))?;
            actions.push(TransactWriteItem::builder().put(put).build());
        }
        match client.transact_write_items().set_transact_items(Some(actions)).send().await {
            Ok(_) => Ok(self.version),
            Err(error) => Err(cancelled(table, error)),
        }
    }
}

/// When an answer is lost on the way, the SDK repeats the call, and the repetition meets what the call itself wrote: that
/// is a success.
fn is_own_write(error: &SdkError<PutItemError>, writer: &str) -> bool {
    let Some(PutItemError::ConditionalCheckFailedException(failure)) = error.as_service_error() else {
        return false;
    };
    failure.item().is_some_and(|found| found.get(WRITER) == Some(&text(writer)))
}

/// A transaction is cancelled for the reason of one of its actions; what counts is the strongest of them.
fn cancelled(table: &str, error: SdkError<TransactWriteItemsError>) -> PortError {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return port_error(TRANSACT, table, error);
    };
    let codes: Vec<&str> =
        cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
    let has = |code: &str| codes.contains(&code);
    let message = || format!("table {table}: {}", error.message().unwrap_or("the transaction was cancelled"));
    if has("ConditionalCheckFailed") || has("TransactionConflict") {
        return PortError::Conflict { operation: TRANSACT, message: message() };
    }
    if has("ProvisionedThroughputExceeded") || has("ThrottlingError") {
        return PortError::Throttled { operation: TRANSACT };
    }
    if has("ValidationError") || has("ItemCollectionSizeLimitExceeded") {
        return PortError::Invalid { operation: TRANSACT, message: message() };
    }
    port_error(TRANSACT, table, error)
}
