//! The controller inside the caller's own process.

use std::path::Path;
use std::time::Duration;

use scaling_aws::AwsSettings;
use scaling_control::TickReport;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::assembly::{Assembly, AssemblyError, StoreChoice};
use crate::configuration::{self, ConfigurationError};

/// Why a controller could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// No usable configuration.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The parts could not be put together.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
}

/// A controller that has not been started.
///
/// ```no_run
/// # async fn embed() -> Result<(), scaling::ControllerError> {
/// let running = scaling::Controller::new("config/scaling.json")?.start().await;
/// // The service's own work goes on here; the controller stops when `running` is dropped.
/// # drop(running);
/// # Ok(())
/// # }
/// ```
pub struct Controller {
    assembly: Assembly,
}

impl Controller {
    /// A controller of the configuration at `path`, with its state beside it in `scaling.db` and AWS's standard
    /// environment.
    ///
    /// # Errors
    /// Faults of the configuration, all at once; a state file that cannot be opened.
    pub fn new(path: impl AsRef<Path>) -> Result<Self, ControllerError> {
        let path = path.as_ref();
        let loaded = configuration::load(path, None)?;
        for warning in &loaded.warnings {
            tracing::warn!(target: "scaling::validator", %warning, "configuration");
        }
        let store = StoreChoice::File(path.with_file_name("scaling.db"));
        Ok(Self { assembly: Assembly::new(loaded.config, AwsSettings::default(), &store)? })
    }

    /// A controller of parts that the caller has put together.
    pub fn from_assembly(assembly: Assembly) -> Self {
        Self { assembly }
    }

    /// Starts evaluating in the caller's tokio runtime. It goes on until the handle is dropped.
    #[expect(clippy::unused_async, reason = "it needs a runtime to spawn on, and being async says so")]
    pub async fn start(self) -> Running {
        let assembly = self.assembly.clone();
        let task = tokio::spawn(evaluate_for_ever(self.assembly, |_| {}));
        Running { assembly, task }
    }

    /// As [`Controller::start`], and hands each tick's report to `seen`.
    #[expect(clippy::unused_async, reason = "it needs a runtime to spawn on, and being async says so")]
    pub async fn start_with(self, seen: impl FnMut(&TickReport) + Send + 'static) -> Running {
        let assembly = self.assembly.clone();
        let task = tokio::spawn(evaluate_for_ever(self.assembly, seen));
        Running { assembly, task }
    }
}

/// A running controller; it stops when this is dropped.
pub struct Running {
    assembly: Assembly,
    task: JoinHandle<()>,
}

impl Running {
    /// Its parts.
    pub fn assembly(&self) -> &Assembly {
        &self.assembly
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A step that is cut off here is continued by the next controller: that is what the record is for.
        self.task.abort();
    }
}

async fn evaluate_for_ever(assembly: Assembly, mut seen: impl FnMut(&TickReport) + Send) {
    let mut interval = tokio::time::interval(shortest_period(&assembly));
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let budget = shortest_period(&assembly);
        match assembly.control.tick(budget).await {
            Ok(report) => seen(&report),
            Err(error) => tracing::error!(target: "scaling::integration", %error, "the tick failed"),
        }
    }
}

fn shortest_period(assembly: &Assembly) -> Duration {
    let config = assembly.control.config();
    config.groups.iter().map(|group| group.evaluation_period).min().unwrap_or(Duration::from_secs(60))
}
