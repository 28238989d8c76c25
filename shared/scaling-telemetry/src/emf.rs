//! The figures of one tick as CloudWatch embedded metric format: log lines from which CloudWatch makes metrics, without
//! a call. Every metric costs money each month, so that groups get metrics of their own only where they are listed;
//! the sums over all groups are always there.
//!
//! The totals (`..._total`) are what the tick added: their Sum over a span of time is the figure for that span.
//! The format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::BTreeSet;

use jiff::Timestamp;
use scaling_policy::config::GroupName;
use serde_json::{Map, Value, json};

use crate::metrics::{Figures, Recorded, names};
use crate::own_cost::USD_PER_CUSTOM_METRIC;

/// The namespace of the metrics where none is given.
pub const DEFAULT_NAMESPACE: &str = "ServiceScaling";

/// Metrics of a tick's line; a test counts them.
const OF_A_TICK: usize = 13;

/// Most metrics of a group's line.
const OF_A_GROUP: usize = 12;

/// What becomes a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedMetrics {
    /// CloudWatch namespace.
    pub namespace: String,
    /// Groups with metrics of their own.
    pub groups: BTreeSet<GroupName>,
}

impl Default for EmbeddedMetrics {
    fn default() -> Self {
        Self { namespace: DEFAULT_NAMESPACE.to_owned(), groups: BTreeSet::new() }
    }
}

/// One tick as a whole.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TickFigures {
    /// When it ended.
    pub ended: Timestamp,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Groups that the deadline left over.
    pub left_over: usize,
    /// Groups whose evaluation period had not passed.
    pub not_due: usize,
}

impl EmbeddedMetrics {
    /// The lines of one tick, without line ends: the sums over all groups, then each listed group that was evaluated.
    /// What `standing` groups, which were not due, cost and save has not changed since they were.
    pub fn lines(&self, tick: TickFigures, recorded: &[Recorded], standing: &[Recorded]) -> Vec<String> {
        let listed = recorded.iter().filter(|group| self.groups.contains(&group.group));
        std::iter::once(self.tick_line(tick, recorded, standing))
            .chain(listed.filter_map(|group| self.group_line(group)))
            .collect()
    }

    fn tick_line(&self, tick: TickFigures, recorded: &[Recorded], standing: &[Recorded]) -> String {
        let figures = || recorded.iter().filter_map(|group| group.figures.as_ref());
        let sum = |of: fn(&Figures) -> f64| figures().map(of).sum::<f64>();
        let at_present = |of: fn(&Figures) -> f64| {
            let standing = standing.iter().filter_map(|group| group.figures.as_ref());
            sum(of) + standing.map(of).sum::<f64>()
        };
        let ended = recorded.iter().flat_map(|group| &group.ended);
        let mut line = Line::default();
        line.metric(names::TICK_DURATION.name, "Seconds", Some(tick.seconds));
        line.metric(
            names::GROUPS.name,
            "Count",
            Some((recorded.len() + tick.left_over + tick.not_due) as f64),
        );
        line.metric(names::GROUPS_LEFT_OVER.name, "Count", Some(tick.left_over as f64));
        line.metric(
            names::EVALUATION_ERRORS_TOTAL.name,
            "Count",
            Some(recorded.iter().filter(|group| group.error.is_some()).count() as f64),
        );
        line.metric(names::OPERATIONS_TOTAL.name, "Count", Some(ended.count() as f64));
        line.metric(names::COST.name, "None", Some(at_present(|figures| figures.cost.0)));
        line.metric(names::SAVINGS.name, "None", Some(at_present(|figures| figures.savings.unwrap_or(0.0))));
        // The oldest of all readings that this tick has used: what an alarm asks for.
        let ages = figures().flat_map(|figures| figures.data_age.iter().filter_map(|(_, age)| *age));
        line.metric(names::DATA_AGE.name, "Seconds", ages.reduce(f64::max));
        let own = at_present(|figures| figures.own_cost) + self.metrics_cost(recorded, standing);
        line.metric(names::CONTROLLER_COST.name, "None", Some(own));
        line.values.insert("decisions".to_owned(), decisions(figures()));
        line.added(
            sum(|f| f.added.requests),
            sum(|f| f.added.cost),
            sum(|f| f.added.savings),
            sum(|f| f.added.excess),
        );
        line.finish(&self.namespace, tick.ended, None)
    }

    /// What these metrics cost in a month, in USD.
    fn metrics_cost(&self, recorded: &[Recorded], standing: &[Recorded]) -> f64 {
        let groups = recorded.iter().chain(standing);
        let listed = groups.filter(|group| self.groups.contains(&group.group)).count();
        (OF_A_TICK + listed * OF_A_GROUP) as f64 * USD_PER_CUSTOM_METRIC
    }

    fn group_line(&self, group: &Recorded) -> Option<String> {
        let figures = group.figures.as_ref()?;
        let mut line = Line::default();
        line.metric(names::CPU_USAGE.name, "Percent", figures.cpu_usage);
        line.metric(names::MEMORY_USAGE.name, "Percent", figures.memory_usage);
        line.metric(names::REQUEST_LATENCY.name, "Seconds", figures.request_latency);
        line.metric(names::REQUEST_COUNT.name, "Count", figures.request_count);
        line.metric(names::OPERATIONS_TOTAL.name, "Count", Some(group.ended.len() as f64));
        line.metric_list(
            names::OPERATION_DURATION.name,
            "Seconds",
            group.ended.iter().map(|end| end.seconds),
        );
        line.metric(names::COST.name, "None", Some(figures.cost.0));
        line.metric(names::SAVINGS.name, "None", figures.savings);
        let added = figures.added;
        line.added(added.requests, added.cost, added.savings, added.excess);
        // Properties without a metric are free, and CloudWatch Logs Insights can ask for them.
        for (state, count) in figures.replicas {
            line.values.insert(state.to_owned(), count.into());
        }
        line.values.insert("action".to_owned(), figures.action.into());
        line.values.insert("reason".to_owned(), figures.reason.into());
        line.values.insert("error".to_owned(), json!(group.error));
        Some(line.finish(&self.namespace, figures.at, Some(&group.group)))
    }
}

/// How many groups were decided on in which way, by `action: reason`. No metric, but CloudWatch Logs Insights can ask.
fn decisions<'a>(figures: impl Iterator<Item = &'a Figures>) -> Value {
    let mut counts = Map::new();
    for figures in figures {
        let count = counts.entry(format!("{}: {}", figures.action, figures.reason)).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap_or(0) + 1);
    }
    counts.into()
}

#[derive(Debug, Default)]
struct Line {
    definitions: Vec<Value>,
    values: Map<String, Value>,
}

impl Line {
    /// Adds a metric; one without a value is left out, as a zero would be a value.
    fn metric(&mut self, name: &str, unit: &str, value: Option<f64>) {
        self.metric_list(name, unit, value);
    }

    fn metric_list(&mut self, name: &str, unit: &str, values: impl IntoIterator<Item = f64>) {
        /// CloudWatch takes no more values for one metric in one line.
        const MOST_VALUES: usize = 100;
        // A sum of nothing is -0.0, which is no figure for people.
        let shown = values.into_iter().filter(|value| value.is_finite()).map(|value| value + 0.0);
        let mut values: Vec<f64> = shown.take(MOST_VALUES).collect();
        let value = match values.len() {
            0 => return,
            1 => json!(values.remove(0)),
            _ => json!(values),
        };
        self.definitions.push(json!({"Name": name, "Unit": unit}));
        self.values.insert(name.to_owned(), value);
    }

    fn added(&mut self, requests: f64, cost: f64, savings: f64, excess: f64) {
        self.metric(names::REQUESTS_TOTAL.name, "Count", Some(requests));
        self.metric(names::COST_TOTAL.name, "None", Some(cost));
        self.metric(names::SAVINGS_TOTAL.name, "None", Some(savings));
        self.metric(names::EXCESS_TOTAL.name, "None", Some(excess));
    }

    fn finish(mut self, namespace: &str, at: Timestamp, group: Option<&GroupName>) -> String {
        let dimensions = if group.is_some() { json!([["group"]]) } else { json!([[]]) };
        let directive =
            json!({"Namespace": namespace, "Dimensions": dimensions, "Metrics": self.definitions});
        self.values.insert(
            "_aws".to_owned(),
            json!({"Timestamp": at.as_millisecond(), "CloudWatchMetrics": [directive]}),
        );
        if let Some(group) = group {
            self.values.insert("group".to_owned(), group.as_str().into());
        }
        Value::Object(self.values).to_string()
    }
}
