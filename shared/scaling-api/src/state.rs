//! What every handler works on.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use scaling_control::ControlLoop;
use scaling_control::ports::StateStore;
use scaling_policy::config::Config;
use scaling_telemetry::Metrics;
use tokio::sync::Mutex;

/// The loop and its figures. Cloning gives another handle on the same ones.
#[derive(Clone)]
pub struct ApiState {
    control: Arc<ControlLoop>,
    metrics: Metrics,
    /// Held while figures are brought up to date, so that requests at the same time cost one look at the platform.
    looking: Arc<Mutex<()>>,
}

impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState").finish_non_exhaustive()
    }
}

impl ApiState {
    /// Over a loop, with the figures that its ticks are recorded in.
    pub fn new(control: Arc<ControlLoop>, metrics: Metrics) -> Self {
        Self { control, metrics, looking: Arc::default() }
    }

    /// The loop.
    pub(crate) fn control(&self) -> &ControlLoop {
        &self.control
    }

    /// The state store.
    pub(crate) fn store(&self) -> &dyn StateStore {
        &*self.control.ports().store
    }

    /// Now, by the loop's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.control.ports().clock.now()
    }

    /// The figures as they stand.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The figures, after a look at the platform where no tick of this process has taken one lately (in a function
    /// that only answers requests, none ever does). When the look fails, they are shown as they stand.
    pub(crate) async fn fresh_metrics(&self, config: &Config) -> &Metrics {
        if self.is_fresh(config) {
            return &self.metrics;
        }
        let _alone = self.looking.lock().await;
        if !self.is_fresh(config) {
            match self.control.plan().await {
                Ok(report) => self.metrics.show(&report),
                Err(error) => {
                    tracing::warn!(target: "scaling::integration", %error, "the groups could not be looked at");
                }
            }
        }
        &self.metrics
    }

    /// Every group was observed within two of its periods.
    fn is_fresh(&self, config: &Config) -> bool {
        let now = self.now();
        config.groups.iter().all(|group| {
            self.metrics.figures(&group.name).is_some_and(|figures| {
                now.duration_since(figures.at).as_secs_f64() <= 2.0 * group.evaluation_period.as_secs_f64()
            })
        })
    }
}
