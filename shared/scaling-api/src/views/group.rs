//! A group with its state and its newest figures.

use std::collections::BTreeMap;

use jiff::Timestamp;
use scaling_control::record::GroupRecord;
use scaling_fleet::TypeName;
use scaling_policy::config::{ControlLevel, GroupConfig, Mode, Platform, ReplicaBounds};
use scaling_policy::decide::bounds::Bounds;
use scaling_policy::decide::in_force::in_force;
use scaling_policy::operation::{Override, Pause};
use scaling_policy::trigger::PerTrigger;
use scaling_telemetry::metrics::Figures;
use serde::Serialize;

use super::OperationView;

/// A group of the configuration.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Group))]
pub(crate) struct GroupView<'a> {
    /// Its name.
    name: &'a str,
    /// Where it runs.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Platform))]
    platform: Platform,
    /// How much is done to it.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::ControlLevel))]
    control: ControlLevel,
    /// What is changed of it.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Mode))]
    mode: Mode,
    /// Bounds of the configuration, and its first capacity.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::ReplicaBounds))]
    replicas: ReplicaBounds,
    /// Bounds that hold now, by configuration, calendar and override; the group's own may be narrower.
    bounds: CountBounds,
    /// What people have set that holds now, with author and reason: pause, override, calendar.
    in_force: Vec<String>,
    /// Desired capacity at the last evaluation.
    desired: Option<u32>,
    /// Launch type at the last evaluation.
    instance_type: Option<&'a str>,
    /// When it was taken over.
    taken_over: Option<Timestamp>,
    /// Set while it is paused.
    #[cfg_attr(test, schema(value_type = Option<crate::openapi::schemas::Pause>))]
    pause: Option<&'a Pause>,
    /// Other bounds or another type for a while.
    #[cfg_attr(test, schema(value_type = Option<crate::openapi::schemas::Override>))]
    r#override: Option<&'a Override>,
    /// Three operations failed in a row, so that it holds.
    breaker_open: bool,
    /// Operations that have not ended.
    running: Vec<OperationView<'a>>,
    /// Newest figures; null until it has been evaluated.
    figures: Option<FiguresView>,
}

/// Fewest and most replicas.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = CountBounds))]
struct CountBounds {
    /// Fewest.
    min: u32,
    /// Most.
    max: u32,
}

/// What the last evaluation saw and decided.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema), schema(as = Figures))]
struct FiguresView {
    /// When.
    at: Timestamp,
    /// Replicas by state.
    replicas: BTreeMap<&'static str, u32>,
    /// Load of each trigger: value over threshold.
    #[cfg_attr(test, schema(value_type = crate::openapi::schemas::Loads))]
    loads: PerTrigger<Option<f64>>,
    /// What runs costs.
    cost_usd_per_hour: f64,
    /// What a fixed fleet would cost more.
    savings_usd_per_hour: Option<f64>,
    /// What was decided, in a word.
    action: &'static str,
    /// Why, in a word.
    reason: &'static str,
}

/// Whether a pause has not run out.
pub(crate) fn is_in_force(pause: &Pause, now: Timestamp) -> bool {
    pause.until.is_none_or(|until| until > now)
}

impl<'a> GroupView<'a> {
    /// A group of the configuration with its record and its figures.
    pub(crate) fn new(
        config: &'a GroupConfig,
        record: &'a GroupRecord,
        figures: Option<&Figures>,
        now: Timestamp,
    ) -> Self {
        let state = &record.state;
        let (min, max) = Bounds::without_group(config, state, now);
        let running = [state.open_operation(), state.open_type_change()].into_iter().flatten();
        Self {
            name: config.name.as_str(),
            platform: config.platform,
            control: config.control,
            mode: config.mode,
            replicas: config.replicas,
            bounds: CountBounds { min, max },
            in_force: in_force(config, state, now),
            desired: state.known_desired,
            instance_type: state.known_type.as_ref().map(TypeName::as_str),
            taken_over: state.taken_over,
            pause: state.pause.as_ref().filter(|pause| is_in_force(pause, now)),
            r#override: state.temporary.as_ref().filter(|temporary| temporary.until > now),
            breaker_open: state.breaker.is_open(),
            running: running.map(|operation| OperationView::new(config.name.as_str(), operation)).collect(),
            figures: figures.map(FiguresView::new),
        }
    }
}

impl FiguresView {
    fn new(figures: &Figures) -> Self {
        Self {
            at: figures.at,
            replicas: figures.replicas.into_iter().collect(),
            loads: figures.loads,
            cost_usd_per_hour: figures.cost.0,
            savings_usd_per_hour: figures.savings,
            action: figures.action,
            reason: figures.reason,
        }
    }
}
