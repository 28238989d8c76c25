//! The table as metric families, for both text formats. Samples go from the table to the encoder one by one: the series of
//! ten thousand groups are hundreds of thousands.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabel, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use scaling_policy::trigger::PerTrigger;

use super::figures::{Added, Figures};
use super::histogram::Histogram;
use super::names::{self, Kind, Metric};
use super::table::{GroupTable, Table};

/// The table behind its lock: a scrape sees either all of a tick or nothing of it.
#[derive(Clone)]
pub(super) struct Shared(pub(super) Arc<Mutex<Table>>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl Collector for Shared {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        names::ALL.iter().try_for_each(|metric| family(&mut encoder, &table, metric))
    }
}

/// Takes the samples of a metric, each with the values of its labels. An error of its own ends them.
type Take<'t> = dyn FnMut(&[&str], Value<'_>) -> fmt::Result + 't;

enum Value<'a> {
    Number(f64),
    Distribution(&'a Histogram),
}

fn number(value: impl Into<f64>) -> Value<'static> {
    Value::Number(value.into())
}

/// Counts are far below what a double holds exactly.
fn count(value: u64) -> Value<'static> {
    Value::Number(value as f64)
}

/// Names and values of a sample's labels.
struct Labels<'a>(&'static [&'static str], &'a [&'a str]);

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        let Self(names, values) = self;
        names.iter().zip(*values).try_for_each(|(name, value)| (*name, *value).encode(encoder.encode_label()))
    }
}

/// Writes one metric; nothing where it has no sample.
fn family(encoder: &mut DescriptorEncoder<'_>, table: &Table, metric: &Metric) -> fmt::Result {
    let is_empty = samples(table, *metric, &mut |_, _| Err(fmt::Error)).is_ok();
    if is_empty {
        return Ok(());
    }
    let (kind, name) = match metric.kind {
        Kind::Gauge => (MetricType::Gauge, metric.name),
        // The encoders add the suffix themselves.
        Kind::Counter => (MetricType::Counter, metric.name.trim_end_matches("_total")),
        Kind::Histogram => (MetricType::Histogram, metric.name),
    };
    let mut family = encoder.encode_descriptor(name, metric.help, None, kind)?;
    samples(table, *metric, &mut |values, value| {
        let labels = Labels(metric.labels, values);
        sample(family.encode_family(&labels)?, metric.kind, &value)
    })
}

fn sample(mut encoder: MetricEncoder<'_>, kind: Kind, value: &Value<'_>) -> fmt::Result {
    match (kind, value) {
        (Kind::Gauge, Value::Number(value)) => encoder.encode_gauge(value),
        (Kind::Counter, Value::Number(value)) => encoder.encode_counter::<NoLabelSet, _, f64>(value, None),
        (Kind::Histogram, Value::Number(_)) => Ok(()),
        (_, Value::Distribution(histogram)) => {
            let (sum, count, buckets) = (histogram.sum(), histogram.count(), histogram.buckets());
            encoder.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)
        }
    }
}

fn samples(table: &Table, metric: Metric, take: &mut Take<'_>) -> fmt::Result {
    match metric {
        names::CPU_USAGE => newest(table, take, |figures| figures.cpu_usage),
        names::MEMORY_USAGE => newest(table, take, |figures| figures.memory_usage),
        names::REQUEST_LATENCY => newest(table, take, |figures| figures.request_latency),
        names::REQUEST_COUNT => newest(table, take, |figures| figures.request_count),
        names::COST => newest(table, take, |figures| Some(figures.cost.0)),
        names::SAVINGS => newest(table, take, |figures| figures.savings),
        names::INFO => each_newest(table, |group, figures| {
            take(&[group, figures.instance_type.as_str(), figures.mode, figures.control], number(1.0))
        }),
        names::THRESHOLD => by_trigger(table, take, |figures| &figures.thresholds),
        names::SERVING_VCPU => newest(table, take, |figures| Some(figures.serving_vcpu)),
        names::WANTED_VCPU => newest(table, take, |figures| figures.wanted_vcpu),
        names::LOAD => by_trigger(table, take, |figures| &figures.loads),
        names::DATA_AGE => by_trigger(table, take, |figures| &figures.data_age),
        names::REPLICAS => each_newest(table, |group, figures| {
            let states = figures.replicas.iter();
            states.copied().try_for_each(|(state, count)| take(&[group, state], number(count)))
        }),
        names::REQUESTS_TOTAL => totals(table, take, |totals| totals.requests),
        names::COST_TOTAL => totals(table, take, |totals| totals.cost),
        names::SAVINGS_TOTAL => totals(table, take, |totals| totals.savings),
        names::EXCESS_TOTAL => totals(table, take, |totals| totals.excess),
        names::OPERATIONS_TOTAL => pairs(table, take, |group| &group.operations),
        names::DECISIONS_TOTAL => pairs(table, take, |group| &group.decisions),
        names::EVALUATION_ERRORS_TOTAL => each_group(table, |name, group| {
            group.errors.iter().try_for_each(|(kind, errors)| take(&[name, kind], count(*errors)))
        }),
        names::OPERATION_DURATION => each_group(table, |name, group| {
            let mut durations = group.durations.iter();
            durations.try_for_each(|(kind, took)| take(&[name, kind], Value::Distribution(took)))
        }),
        _ => of_controller(table, metric, take),
    }
}

fn of_controller(table: &Table, metric: Metric, take: &mut Take<'_>) -> fmt::Result {
    match metric {
        names::TICK_DURATION => take(&[], Value::Distribution(&table.ticks)),
        names::CONTROLLER_COST => {
            let groups = table.groups.values().filter_map(|group| group.newest.as_ref());
            // A sum of nothing is -0.0, which is no figure for people.
            take(&[], number(groups.map(|figures| figures.own_cost).sum::<f64>() + 0.0))
        }
        names::CLOUD_CALLS_TOTAL => table.cloud.iter().try_for_each(|calls| {
            take(&[&calls.operation, "ok"], count(calls.succeeded))?;
            take(&[&calls.operation, "failed"], count(calls.failed))
        }),
        names::CLOUD_THROTTLES_TOTAL => {
            table.cloud.iter().try_for_each(|calls| take(&[&calls.operation], count(calls.throttled)))
        }
        names::UNKNOWN_ALARMS_TOTAL => take(&[], count(table.unknown_alarms)),
        names::PORT_CALLS_TOTAL => {
            table.calls.iter().try_for_each(|(labels, calls)| take(labels, count(*calls)))
        }
        names::PORT_CALL_DURATION => {
            let mut durations = table.call_durations.iter();
            durations.try_for_each(|(labels, took)| take(labels, Value::Distribution(took)))
        }
        _ => of_last_tick(table, metric, take),
    }
}

fn of_last_tick(table: &Table, metric: Metric, take: &mut Take<'_>) -> fmt::Result {
    let Some(tick) = table.last_tick else { return Ok(()) };
    match metric {
        names::GROUPS => take(&[], count(tick.groups as u64)),
        names::GROUPS_LEFT_OVER => take(&[], count(tick.left_over as u64)),
        names::LAST_TICK => take(&[], number(tick.ended.as_millisecond() as f64 / 1000.0)),
        names::CONFIG_VERSION => take(&[], count(tick.config_version)),
        _ => Ok(()),
    }
}

fn each_group(table: &Table, mut each: impl FnMut(&str, &GroupTable) -> fmt::Result) -> fmt::Result {
    table.groups.iter().try_for_each(|(name, group)| each(name.as_str(), group))
}

fn each_newest(table: &Table, mut each: impl FnMut(&str, &Figures) -> fmt::Result) -> fmt::Result {
    each_group(table, |name, group| group.newest.as_ref().map_or(Ok(()), |figures| each(name, figures)))
}

fn newest(table: &Table, take: &mut Take<'_>, of: impl Fn(&Figures) -> Option<f64>) -> fmt::Result {
    each_newest(table, |name, figures| of(figures).map_or(Ok(()), |value| take(&[name], number(value))))
}

fn by_trigger(
    table: &Table,
    take: &mut Take<'_>,
    of: impl Fn(&Figures) -> &PerTrigger<Option<f64>>,
) -> fmt::Result {
    each_newest(table, |name, figures| {
        let mut values = of(figures).iter();
        values.try_for_each(|(trigger, value)| {
            value.map_or(Ok(()), |value| take(&[name, trigger.name()], number(value)))
        })
    })
}

fn totals(table: &Table, take: &mut Take<'_>, of: impl Fn(&Added) -> f64) -> fmt::Result {
    // A group that was never observed has no totals rather than zeros.
    each_group(table, |name, group| group.at.map_or(Ok(()), |_| take(&[name], number(of(&group.totals)))))
}

fn pairs(
    table: &Table,
    take: &mut Take<'_>,
    of: impl Fn(&GroupTable) -> &BTreeMap<[&'static str; 2], u64>,
) -> fmt::Result {
    each_group(table, |name, group| {
        of(group).iter().try_for_each(|([one, other], counted)| take(&[name, one, other], count(*counted)))
    })
}
