//! Ports, store and loop put together. Nothing is connected, opened on the network or looked up before its first use.

use std::path::PathBuf;
use std::sync::Arc;

use scaling_api::EventLog;
use scaling_aws::{AwsClients, AwsPlatform, AwsSettings};
use scaling_control::ports::{Clock, StateStore, SystemClock};
use scaling_control::{ControlLoop, PortError, Ports};
use scaling_policy::config::Config;
use scaling_store::DynamoStore;
use scaling_telemetry::Metrics;
use scaling_telemetry::counted::count;
use scaling_telemetry::metrics::CloudCalls;
use thiserror::Error;

use crate::platforms::Platforms;

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreChoice {
    /// A file (SQLite).
    File(PathBuf),
    /// Nothing outlives the process (SQLite in memory): the demo and dry runs.
    Memory,
    /// A DynamoDB table, by name.
    Table(String),
}

/// Why the parts could not be put together.
#[derive(Debug, Error)]
pub enum AssemblyError {
    /// The state store cannot be opened.
    #[error("the state store cannot be opened: {0}")]
    Store(#[source] PortError),
    /// This program was built without SQLite.
    #[error(
        "this program was built without SQLite, so that it cannot keep state in {0}; name a DynamoDB table in \
         SCALING_TABLE, or build it with the feature `sqlite`"
    )]
    NoSqlite(String),
    /// Neither table nor file is named.
    #[error("no place for the state: set SCALING_TABLE to a DynamoDB table, or SCALING_STATE to a file")]
    NoStore,
}

impl StoreChoice {
    /// Reads `SCALING_TABLE` and `SCALING_STATE`; the table wins.
    ///
    /// # Errors
    /// [`AssemblyError::NoStore`] when neither is set.
    pub fn from_environment() -> Result<Self, AssemblyError> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        match (set("SCALING_TABLE"), set("SCALING_STATE")) {
            (Some(table), _) => Ok(Self::Table(table)),
            (None, Some(file)) => Ok(Self::File(file.into())),
            (None, None) => Err(AssemblyError::NoStore),
        }
    }
}

/// The parts of a running controller.
#[derive(Clone)]
pub struct Assembly {
    /// The loop.
    pub control: Arc<ControlLoop>,
    /// The SDK's clients with their counter.
    pub clients: Arc<AwsClients>,
}

impl Assembly {
    /// Puts a controller of `config` together.
    ///
    /// # Errors
    /// Where the state file cannot be opened.
    pub fn new(config: Config, aws: AwsSettings, store: &StoreChoice) -> Result<Self, AssemblyError> {
        Self::with_clock(config, aws, store, Arc::new(SystemClock))
    }

    /// The same with another clock: virtual time.
    ///
    /// # Errors
    /// As [`Assembly::new`].
    pub fn with_clock(
        config: Config,
        aws: AwsSettings,
        store: &StoreChoice,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, AssemblyError> {
        let region = aws.region.clone().or_else(environment_region);
        let aws = AwsSettings { region: aws.region.or_else(|| config.region.clone()), ..aws };
        let clients = Arc::new(AwsClients::new(aws));
        let on_aws = AwsPlatform::new(Arc::clone(&clients));
        #[cfg(feature = "programs")]
        let platforms = Platforms::new(on_aws, crate::standalone::AllowedPrograms::of(&config.groups));
        #[cfg(not(feature = "programs"))]
        let platforms = Platforms::new(on_aws);
        let platforms = Arc::new(platforms);
        let ports = Ports {
            groups: platforms.clone(),
            writer: platforms.clone(),
            metrics: platforms,
            store: Arc::new(EventLog::new(open(store, &clients, &clock)?, Arc::clone(&clock))),
            clock,
        };
        Ok(Self { control: Arc::new(ControlLoop::new(ports, config).in_region(region)), clients })
    }

    /// The same controller with every call of its ports counted, timed and logged in `metrics`.
    #[must_use]
    pub fn counted(self, metrics: &Metrics) -> Self {
        let counter = self.clients.counter().clone();
        metrics.watch_cloud(move || {
            let calls = counter.tallies().into_iter();
            calls
                .map(|(operation, tally)| CloudCalls {
                    operation,
                    succeeded: tally.succeeded,
                    failed: tally.failed,
                    throttled: tally.throttled,
                })
                .collect()
        });
        let ports = count(self.control.ports().clone(), metrics);
        let config = Config::clone(&self.control.config());
        let control = ControlLoop::new(ports, config).in_region(self.control.region().map(str::to_owned));
        Self { control: Arc::new(control), ..self }
    }
}

/// The region of the process's environment, where it says one; a Lambda's always does. A profile's is not looked up: that
/// takes files that a start-up does not read.
fn environment_region() -> Option<String> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"))
}

fn open(
    choice: &StoreChoice,
    clients: &Arc<AwsClients>,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn StateStore>, AssemblyError> {
    match choice {
        StoreChoice::Table(table) => {
            let clients = Arc::clone(clients);
            let connect = move || {
                let clients = Arc::clone(&clients);
                async move { Ok(scaling_store::dynamo::client(clients.sdk_config().await)) }
            };
            Ok(Arc::new(DynamoStore::new(table.clone(), connect).with_clock(Arc::clone(clock))))
        }
        #[cfg(feature = "sqlite")]
        StoreChoice::File(path) => {
            let settings = scaling_store::sqlite::Settings { clock: Arc::clone(clock), ..Default::default() };
            let store =
                scaling_store::SqliteStore::open_with(path, settings).map_err(AssemblyError::Store)?;
            Ok(Arc::new(store))
        }
        #[cfg(feature = "sqlite")]
        StoreChoice::Memory => {
            let settings = scaling_store::sqlite::Settings { clock: Arc::clone(clock), ..Default::default() };
            let store =
                scaling_store::SqliteStore::open_in_memory_with(settings).map_err(AssemblyError::Store)?;
            Ok(Arc::new(store))
        }
        #[cfg(not(feature = "sqlite"))]
        StoreChoice::File(path) => Err(AssemblyError::NoSqlite(path.display().to_string())),
        #[cfg(not(feature = "sqlite"))]
        StoreChoice::Memory => Err(AssemblyError::NoSqlite("memory".to_owned())),
    }
}
