//! The controller inside the caller's own process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scaling_aws::AwsSettings;
use scaling_control::TickReport;
use tokio::task::JoinHandle;
use tokio::time::Instant;

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
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let config_path = folder.path().join("scaling.json");
/// # let programs = r#"{"describe": ["false"], "apply": ["false"], "metrics": ["false"]}"#;
/// # let group = format!(r#"{{"group": "web", "platform": "standalone", "programs": {programs}}}"#);
/// # std::fs::write(&config_path, group)?;
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let running = scaling::Controller::new(config_path)?.start().await;
/// // The service's own work goes on here; the controller stops when `running` is dropped.
/// drop(running);
/// # Ok(())
/// # })
/// # }
/// ```
pub struct Controller {
    assembly: Assembly,
    pace: f64,
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
        Ok(Self::from_assembly(Assembly::new(loaded.config, AwsSettings::default(), &store)?))
    }

    /// A controller of parts that the caller has put together.
    pub fn from_assembly(assembly: Assembly) -> Self {
        Self { assembly, pace: 1.0 }
    }

    /// Evaluates so many times as often as on the wall, for a clock that runs so many times as fast: that of an
    /// accelerated emulator. Factors beyond a thousandth and a million are brought within them.
    #[must_use]
    pub fn at_pace(mut self, factor: f64) -> Self {
        self.pace = if factor.is_nan() { 1.0 } else { factor.clamp(1e-3, 1e6) };
        self
    }

    /// Starts evaluating in the caller's tokio runtime. It goes on until the handle is dropped.
    pub async fn start(self) -> Running {
        self.start_with(|_, _| {}).await
    }

    /// As [`Controller::start`], and hands each tick's report to `seen`, with how long the tick took on the wall. What
    /// takes longer is done elsewhere, with a clone of the report.
    #[expect(clippy::unused_async, reason = "it needs a runtime to spawn on, and being async says so")]
    pub async fn start_with(self, seen: impl FnMut(&Arc<TickReport>, Duration) + Send + 'static) -> Running {
        let assembly = self.assembly.clone();
        let task = run(self.assembly, self.pace, Box::new(seen));
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

/// Who is handed each tick's report, with how long the tick took.
type Seen = Box<dyn FnMut(&Arc<TickReport>, Duration) + Send>;

/// The evaluations as a task. Neither async nor generic, so that the loop and all that it calls is compiled once, with this crate,
/// and not with every program that starts a controller.
fn run(assembly: Assembly, pace: f64, seen: Seen) -> JoinHandle<()> {
    tokio::spawn(evaluate_for_ever(assembly, pace, seen))
}

async fn evaluate_for_ever(assembly: Assembly, pace: f64, mut seen: Seen) {
    let mut due = Instant::now();
    loop {
        tokio::time::sleep_until(due).await;
        let began = Instant::now();
        // Asked each time: a configuration that has been replaced may have another period.
        let period = shortest_period(&assembly);
        match assembly.control.tick(budget(period)).await {
            Ok(report) => {
                let report = Arc::new(report);
                seen(&report, began.elapsed());
                assembly.control.recall(&report, period).await;
            }
            Err(error) => tracing::error!(target: "scaling::integration", %error, "the tick failed"),
        }
        // A tick that took longer than its period is followed by the next one at once, and none is made up for.
        due = (due + period.div_f64(pace)).max(Instant::now());
    }
}

/// A tick of a process may take longer than its period, and the next one is late then. Where reading alone takes longer, a
/// budget of one period would leave every group over, tick after tick.
const LEAST_BUDGET: Duration = Duration::from_secs(30);

fn budget(period: Duration) -> Duration {
    period.max(LEAST_BUDGET)
}

fn shortest_period(assembly: &Assembly) -> Duration {
    let config = assembly.control.config();
    config.groups.iter().map(|group| group.evaluation_period).min().unwrap_or(Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_that_answer_slower_than_they_are_asked_leave_no_group_over_for_ever() {
        assert!(budget(Duration::from_secs(1)) >= Duration::from_secs(20));
        assert_eq!(budget(Duration::from_secs(300)), Duration::from_secs(300));
    }
}
