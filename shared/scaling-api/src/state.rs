//! What every handler works on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scaling_control::ports::StateStore;
use scaling_control::{ControlLoop, within};
use scaling_policy::config::Config;
use scaling_telemetry::Metrics;
use tokio::sync::Mutex;

use crate::access::Access;
use crate::events::Feed;

/// Longest time for a look at the platform on behalf of a request for figures: API Gateway gives an answer 29 s, and an
/// answer with the figures as they stand is worth more than none.
const LONGEST_LOOK: Duration = Duration::from_secs(10);

/// After a look that failed the figures are shown as they stand for so long: otherwise every request would wait for a platform
/// that does not answer, one after the other.
const LOOKS_APART: SignedDuration = SignedDuration::from_secs(30);

/// When requests had the platform looked at last.
#[derive(Debug, Default)]
struct Looked {
    /// With an answer.
    well: Option<Timestamp>,
    /// Without one.
    failed: Option<Timestamp>,
}

/// The loop and its figures. Cloning gives another handle on the same ones.
#[derive(Clone)]
pub struct ApiState {
    control: Arc<ControlLoop>,
    metrics: Metrics,
    /// When requests last had the figures brought up to date. Held meanwhile, so that requests at the same time cost
    /// one look at the platform.
    looked: Arc<Mutex<Looked>>,
    access: Access,
    /// Where connections may stay open.
    feed: Option<Arc<Feed>>,
    /// Since when the process should have been ticking; `None` in one that only answers.
    ticking_since: Option<Timestamp>,
}

impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState").finish_non_exhaustive()
    }
}

impl ApiState {
    /// Over a loop, with the figures that its ticks are recorded in.
    pub fn new(control: Arc<ControlLoop>, metrics: Metrics) -> Self {
        Self {
            control,
            metrics,
            looked: Arc::default(),
            access: Access::InFront,
            feed: None,
            ticking_since: None,
        }
    }

    /// What should be looked at in each group: what `GET /validation` says of them. Looks at the platform, and changes
    /// nothing.
    ///
    /// # Errors
    /// The platform or the store does not answer.
    pub async fn findings(&self) -> Result<Vec<crate::Finding>, scaling_control::PortError> {
        crate::routes::look(self).await
    }

    /// The same over an evaluation that was made: what it has read is not read again.
    ///
    /// # Errors
    /// As [`ApiState::findings`].
    pub async fn findings_over(
        &self,
        report: &scaling_control::TickReport,
    ) -> Result<Vec<crate::Finding>, scaling_control::PortError> {
        crate::routes::look_over(self, &report.outcomes.iter().collect::<Vec<_>>()).await
    }

    /// The same in a process that stays and ticks: connections may stay open, so that events are streamed, and a loop that has
    /// not come to its first tick in time is found out.
    #[must_use]
    pub fn streaming(self) -> Self {
        let feed = Feed::new(self.control.ports().clone());
        let ticking_since = Some(self.now());
        Self { feed: Some(feed), ticking_since, ..self }
    }

    /// The same with roles checked as `access` says.
    #[must_use]
    pub fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Who decides what a request may do.
    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// New events, where connections may stay open.
    pub(crate) fn feed(&self) -> Option<&Arc<Feed>> {
        self.feed.as_ref()
    }

    /// Since when ticks should have been made, where the process makes any.
    pub(crate) fn ticking_since(&self) -> Option<Timestamp> {
        self.ticking_since
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
        if self.is_recent(self.metrics.last_tick(), config) {
            return &self.metrics;
        }
        let mut looked = self.looked.lock().await;
        let has_failed = looked.failed.is_some_and(|at| self.now().duration_since(at) < LOOKS_APART);
        if self.is_recent(looked.well, config) || has_failed {
            return &self.metrics;
        }
        match within(LONGEST_LOOK, "the look at the groups", self.control.plan()).await {
            Ok(report) => {
                self.metrics.show(&report);
                *looked = Looked { well: Some(self.now()), failed: None };
            }
            Err(error) => {
                tracing::warn!(target: "scaling::integration", %error, "the groups could not be looked at");
                looked.failed = Some(self.now());
            }
        }
        &self.metrics
    }

    /// Within two periods, by the group with the longest.
    fn is_recent(&self, at: Option<Timestamp>, config: &Config) -> bool {
        let longest =
            config.groups.iter().map(|group| group.evaluation_period.as_secs_f64()).fold(0.0, f64::max);
        at.is_some_and(|at| self.now().duration_since(at).as_secs_f64() <= 2.0 * longest)
    }
}
