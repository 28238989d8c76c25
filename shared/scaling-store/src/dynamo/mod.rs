//! The store on AWS: one DynamoDB table.
//!
//! Reads are consistent, listings are queries of one partition (see [`scaling_control::key`]), and expiry is checked on
//! read, because DynamoDB removes expired items late. An `append` of more than 25 records is several calls, each
//! with an answer of its own: when it fails, some may be written, and appending them again is harmless.
//!
//! # Layout
//! - `item`: records as items
//! - `conditional`: the write on a version, alone and in a transaction
//! - `batch`: calls with many items, and what they leave unprocessed
//! - `table`: creating the table
//! - `error`: DynamoDB's errors in the port's words

mod batch;
mod conditional;
mod error;
mod item;
mod table;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use scaling_control::PortError;
use scaling_control::key;
use scaling_control::ports::{Clock, Expected, NewRecord, Record, StateStore, SystemClock};
use tokio::sync::OnceCell;

use crate::expiry;
use conditional::ConditionalPut;
use error::port_error;
use item::{EXPIRES, PARTITION, SORT, item_of, key_of, number, record_of, text};

pub use table::{create_table, protect_table};

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Time of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
/// Time of a call with all its attempts; it ends before the lease does.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// Attempts of a call.
const MAX_ATTEMPTS: u32 = 4;

/// Items a query asks for at once, at most.
const MAX_PAGE: usize = 1000;

type Connecting = Pin<Box<dyn Future<Output = Result<Client, PortError>> + Send>>;
type Connect = Box<dyn Fn() -> Connecting + Send + Sync>;

/// A state store in a DynamoDB table with the keys `pk` and `sk`; [`create_table`] makes one.
pub struct DynamoStore {
    table: String,
    clock: Arc<dyn Clock>,
    connect: Connect,
    client: OnceCell<Client>,
}

impl DynamoStore {
    /// A store in `table`. `connect` makes the client at the first call and not before, so that a function whose
    /// event needs no state starts without one; after an error it is asked again. The store sets its own time-outs
    /// and attempts on the client.
    pub fn new<F, C>(table: impl Into<String>, connect: F) -> Self
    where
        F: Fn() -> C + Send + Sync + 'static,
        C: Future<Output = Result<Client, PortError>> + Send + 'static,
    {
        let connect: Connect = Box::new(move || Box::pin(connect()));
        Self { table: table.into(), clock: Arc::new(SystemClock), connect, client: OnceCell::new() }
    }

    /// The same store, with another clock to tell expiry by.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    async fn client(&self) -> Result<&Client, PortError> {
        self.client.get_or_try_init(|| async { (self.connect)().await.map(|client| limited(&client)) }).await
    }

    fn now(&self) -> i64 {
        expiry::seconds(self.clock.now())
    }
}

/// The client with the store's limits.
fn limited(client: &Client) -> Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let config = client.config().to_builder();
    let retries = RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS);
    Client::from_conf(config.timeout_config(timeouts).retry_config(retries).build())
}

#[async_trait]
impl StateStore for DynamoStore {
    async fn get(&self, key: &str) -> Result<Option<Record>, PortError> {
        const OPERATION: &str = "GetItem";
        key::check(OPERATION, key)?;
        let request = self.client().await?.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.set_key(Some(key_of(key))).send().await;
        let answer = answer.map_err(|error| port_error(OPERATION, &self.table, error))?;
        let now = self.now();
        answer.item.map_or(Ok(None), |item| record_of(OPERATION, &self.table, item, now))
    }

    async fn get_many(&self, keys: &[String]) -> Result<Vec<Record>, PortError> {
        const OPERATION: &str = "BatchGetItem";
        keys.iter().try_for_each(|key| key::check(OPERATION, key))?;
        let unique: HashSet<&String> = keys.iter().collect();
        if unique.is_empty() {
            return Ok(Vec::new());
        }
        let keys = unique.into_iter().map(|key| key_of(key)).collect();
        let items = batch::get(self.client().await?, &self.table, keys).await?;
        let now = self.now();
        let records = items.into_iter().map(|item| record_of(OPERATION, &self.table, item, now));
        records.filter_map(Result::transpose).collect()
    }

    async fn put_with(
        &self,
        record: NewRecord,
        expected: Expected,
        along: Vec<NewRecord>,
    ) -> Result<u64, PortError> {
        key::check_along("put", &record, &along)?;
        let put = ConditionalPut::of(record, expected, self.now())?;
        let client = self.client().await?;
        if along.is_empty() {
            put.alone(client, &self.table).await
        } else {
            put.with(client, &self.table, along).await
        }
    }

    async fn append(&self, records: Vec<NewRecord>) -> Result<(), PortError> {
        const OPERATION: &str = "BatchWriteItem";
        // Of one key the last record counts, and DynamoDB refuses a batch that names a key twice.
        let mut unique = HashMap::with_capacity(records.len());
        for record in records {
            unique.insert(record.key.clone(), item_of(OPERATION, record, 1)?);
        }
        if unique.is_empty() {
            return Ok(());
        }
        batch::put(self.client().await?, &self.table, unique.into_values().collect()).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<Record>, PortError> {
        const OPERATION: &str = "Query";
        key::check_prefix(OPERATION, prefix)?;
        // Every key of the prefix lies before or after such an `after`.
        let after = match after {
            Some(after) if after.starts_with(prefix) => Some(key_of(after)),
            Some(after) if after > prefix => return Ok(Vec::new()),
            _ => None,
        };
        let now = self.now();
        let request = self.query(prefix, now).await?;
        let (mut found, mut start) = (Vec::new(), after);
        while found.len() < limit {
            let page = i32::try_from((limit - found.len()).min(MAX_PAGE)).unwrap_or(i32::MAX);
            let request = request.clone().limit(page).set_exclusive_start_key(start);
            let answer = request.send().await.map_err(|error| port_error(OPERATION, &self.table, error))?;
            for item in answer.items.unwrap_or_default() {
                found.extend(record_of(OPERATION, &self.table, item, now)?);
            }
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn delete(&self, key: &str) -> Result<(), PortError> {
        const OPERATION: &str = "DeleteItem";
        key::check(OPERATION, key)?;
        let request = self.client().await?.delete_item().table_name(&self.table).set_key(Some(key_of(key)));
        request.send().await.map(drop).map_err(|error| port_error(OPERATION, &self.table, error))
    }
}

impl DynamoStore {
    /// The query of a prefix. Expired items are left out by DynamoDB already, so that they are not sent.
    async fn query(&self, prefix: &str, now: i64) -> Result<QueryFluentBuilder, PortError> {
        let (partition, rest) = key::split(prefix);
        let request = self.client().await?.query().table_name(&self.table).consistent_read(true);
        Ok(request
            .key_condition_expression("#pk = :pk AND begins_with(#sk, :sk)")
            .filter_expression("attribute_not_exists(#expires) OR #expires >= :now")
            .expression_attribute_names("#pk", PARTITION)
            .expression_attribute_names("#sk", SORT)
            .expression_attribute_names("#expires", EXPIRES)
            .expression_attribute_values(":pk", text(partition))
            .expression_attribute_values(":sk", text(rest))
            .expression_attribute_values(":now", number(now)))
    }
}

impl fmt::Debug for DynamoStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoStore").field("table", &self.table).finish_non_exhaustive()
    }
}

/// A client on an SDK configuration that the caller has already loaded.
pub fn client(config: &aws_types::SdkConfig) -> Client {
    Client::new(config)
}
