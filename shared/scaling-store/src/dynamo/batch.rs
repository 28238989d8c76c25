//! Calls with many items, of which DynamoDB may leave some unprocessed: when an answer would grow over its limit,
//! or when it is throttled. Those are asked for again, with growing pauses.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{KeysAndAttributes, PutRequest, WriteRequest};
use scaling_control::PortError;

use super::error::{port_error, senseless};
use super::item::Item;

/// DynamoDB's limit for BatchGetItem.
const MAX_GETS: usize = 100;

/// DynamoDB's limit for BatchWriteItem.
const MAX_WRITES: usize = 25;

/// The pause after the first answer that left something; doubled while nothing at all is processed.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Answers in a row that processed nothing, before giving up: pauses of up to 3.15 s together, inside the 10 s
/// that any call may take.
const MAX_IDLE_ANSWERS: u32 = 6;

/// Reads the items of the keys, consistently. Keys must be unique, as DynamoDB demands.
pub(super) async fn get(client: &Client, table: &str, keys: Vec<Item>) -> Result<Vec<Item>, PortError> {
    const OPERATION: &str = "BatchGetItem";
    let mut items = Vec::with_capacity(keys.len());
    for chunk in keys.chunks(MAX_GETS) {
        let (mut wanted, mut pauses) = (chunk.to_vec(), Pauses::new(OPERATION));
        while !wanted.is_empty() {
            let asked = wanted.len();
            let keys = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let keys = keys.map_err(|error| senseless(OPERATION, table, &error.to_string()))?;
            let answer = client.batch_get_item().request_items(table, keys).send().await;
            let mut answer = answer.map_err(|error| port_error(OPERATION, table, error))?;
            items.extend(
                answer.responses.as_mut().and_then(|tables| tables.remove(table)).unwrap_or_default(),
            );
            let left = answer.unprocessed_keys.as_mut().and_then(|tables| tables.remove(table));
            wanted = left.map(|left| left.keys).unwrap_or_default();
            pauses.pause(asked, wanted.len()).await?;
        }
    }
    Ok(items)
}

/// Writes the items, whatever was there. They must be unique by key, as DynamoDB demands.
pub(super) async fn put(client: &Client, table: &str, items: Vec<Item>) -> Result<(), PortError> {
    const OPERATION: &str = "BatchWriteItem";
    let requests = items.into_iter().map(|item| {
        let put = PutRequest::builder().set_item(Some(item)).build();
        put.map(|put| WriteRequest::builder().put_request(put).build())
            .map_err(|error| senseless(OPERATION, table, &error.to_string()))
    });
    let requests = requests.collect::<Result<Vec<_>, _>>()?;
    for chunk in requests.chunks(MAX_WRITES) {
        let (mut wanted, mut pauses) = (chunk.to_vec(), Pauses::new(OPERATION));
        while !wanted.is_empty() {
            let asked = wanted.len();
            let request = HashMap::from([(table.to_owned(), wanted)]);
            let answer = client.batch_write_item().set_request_items(Some(request)).send().await;
            let mut answer = answer.map_err(|error| port_error(OPERATION, table, error))?;
            let left = answer.unprocessed_items.as_mut().and_then(|tables| tables.remove(table));
            wanted = left.unwrap_or_default();
            pauses.pause(asked, wanted.len()).await?;
        }
    }
    Ok(())
}

/// Waits between the answers of one call.
struct Pauses {
    operation: &'static str,
    idle_answers: u32,
}

impl Pauses {
    const fn new(operation: &'static str) -> Self {
        Self { operation, idle_answers: 0 }
    }

    /// Waits when something is left. Gives up when nothing was processed too often in a row.
    async fn pause(&mut self, asked: usize, left: usize) -> Result<(), PortError> {
        if left == 0 {
            return Ok(());
        }
        self.idle_answers = if left < asked { 0 } else { self.idle_answers + 1 };
        if self.idle_answers > MAX_IDLE_ANSWERS {
            return Err(PortError::Throttled { operation: self.operation });
        }
        let pause = FIRST_PAUSE * 2_u32.pow(self.idle_answers.saturating_sub(1));
        tokio::time::sleep(spread(pause)).await;
        Ok(())
    }
}

/// Between half and the whole of it, so that callers that were refused together do not return together. The
/// randomness is that of a new UUID, which is here anyway.
fn spread(pause: Duration) -> Duration {
    let (_, random) = uuid::Uuid::new_v4().as_u64_pair();
    let share = (random % 1000) as f64 / 1000.0;
    pause.mul_f64(0.5 + share / 2.0)
}
