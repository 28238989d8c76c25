//! The table as metric families, for both text formats.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use scaling_policy::trigger::PerTrigger;

use super::figures::{Added, Figures};
use super::histogram::Histogram;
use super::names::{self, Kind, Metric};
use super::table::{CloudCalls, GroupTable, Table};

/// The table behind its lock: a scrape sees either all of a tick or nothing of it.
#[derive(Clone)]
pub(super) struct Shared(pub(super) Arc<Mutex<Table>>);

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl Collector for Shared {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut families = Families { encoder };
        for metric in names::ALL {
            families.write(metric, samples(&table, *metric))?;
        }
        Ok(())
    }
}

/// One value with the values of its metric's labels.
struct Sample<'a> {
    labels: Vec<&'a str>,
    value: Value<'a>,
}

enum Value<'a> {
    Number(f64),
    Distribution(&'a Histogram),
}

struct Families<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Families<'_> {
    fn write(&mut self, metric: &Metric, samples: Vec<Sample<'_>>) -> fmt::Result {
        if samples.is_empty() {
            return Ok(());
        }
        let (kind, name) = match metric.kind {
            Kind::Gauge => (MetricType::Gauge, metric.name),
            // The encoders add the suffix themselves.
            Kind::Counter => (MetricType::Counter, metric.name.trim_end_matches("_total")),
            Kind::Histogram => (MetricType::Histogram, metric.name),
        };
        let mut family = self.encoder.encode_descriptor(name, metric.help, None, kind)?;
        for sample in samples {
            let labels: Vec<(&str, &str)> = metric.labels.iter().copied().zip(sample.labels).collect();
            let mut encoder = family.encode_family(&labels)?;
            match (metric.kind, sample.value) {
                (Kind::Gauge, Value::Number(value)) => encoder.encode_gauge(&value)?,
                (Kind::Counter, Value::Number(value)) => {
                    encoder.encode_counter::<NoLabelSet, _, f64>(&value, None)?;
                }
                (_, Value::Number(_)) => {}
                (_, Value::Distribution(histogram)) => {
                    let buckets = histogram.buckets();
                    encoder.encode_histogram::<NoLabelSet>(
                        histogram.sum(),
                        histogram.count(),
                        &buckets,
                        None,
                    )?;
                }
            }
        }
        Ok(())
    }
}

fn samples(table: &Table, metric: Metric) -> Vec<Sample<'_>> {
    match metric {
        names::CPU_USAGE => newest(table, |figures| figures.cpu_usage),
        names::MEMORY_USAGE => newest(table, |figures| figures.memory_usage),
        names::REQUEST_LATENCY => newest(table, |figures| figures.request_latency),
        names::REQUEST_COUNT => newest(table, |figures| figures.request_count),
        names::COST => newest(table, |figures| Some(figures.cost.0)),
        names::SAVINGS => newest(table, |figures| figures.savings),
        names::INFO => of_groups(table, |group| {
            let figures = group.newest.as_ref();
            let info =
                figures.map(|figures| vec![figures.instance_type.as_str(), figures.mode, figures.control]);
            info.map(|labels| (labels, Value::Number(1.0))).into_iter().collect()
        }),
        names::THRESHOLD => by_trigger(table, |figures| &figures.thresholds),
        names::SERVING_VCPU => newest(table, |figures| Some(figures.serving_vcpu)),
        names::WANTED_VCPU => newest(table, |figures| Some(figures.wanted_vcpu)),
        names::LOAD => by_trigger(table, |figures| &figures.loads),
        names::DATA_AGE => by_trigger(table, |figures| &figures.data_age),
        names::REPLICAS => of_groups(table, |group| {
            let states = group.newest.iter().flat_map(|figures| figures.replicas);
            states.map(|(state, count)| (vec![state], Value::Number(f64::from(count)))).collect()
        }),
        names::REQUESTS_TOTAL => totals(table, |totals| totals.requests),
        names::COST_TOTAL => totals(table, |totals| totals.cost),
        names::SAVINGS_TOTAL => totals(table, |totals| totals.savings),
        names::EXCESS_TOTAL => totals(table, |totals| totals.excess),
        names::OPERATIONS_TOTAL => of_groups(table, |group| counts(&group.operations)),
        names::DECISIONS_TOTAL => of_groups(table, |group| counts(&group.decisions)),
        names::EVALUATION_ERRORS_TOTAL => of_groups(table, |group| {
            group.errors.iter().map(|(kind, count)| (vec![*kind], Value::Number(*count as f64))).collect()
        }),
        names::OPERATION_DURATION => of_groups(table, |group| {
            group
                .durations
                .iter()
                .map(|(kind, durations)| (vec![*kind], Value::Distribution(durations)))
                .collect()
        }),
        _ => of_controller(table, metric),
    }
}

fn of_controller<'a>(table: &'a Table, metric: Metric) -> Vec<Sample<'a>> {
    let number = |value: f64| vec![Sample { labels: Vec::new(), value: Value::Number(value) }];
    let tick = table.last_tick;
    match metric {
        names::GROUPS => tick.map_or(Vec::new(), |tick| number(tick.groups as f64)),
        names::GROUPS_LEFT_OVER => tick.map_or(Vec::new(), |tick| number(tick.left_over as f64)),
        names::LAST_TICK => {
            tick.map_or(Vec::new(), |tick| number(tick.ended.as_millisecond() as f64 / 1000.0))
        }
        names::CONFIG_VERSION => tick.map_or(Vec::new(), |tick| number(tick.config_version as f64)),
        names::TICK_DURATION => vec![Sample { labels: Vec::new(), value: Value::Distribution(&table.ticks) }],
        names::CONTROLLER_COST => {
            let groups = table.groups.values().filter_map(|group| group.newest.as_ref());
            number(groups.map(|figures| figures.own_cost).sum())
        }
        names::CLOUD_CALLS_TOTAL => {
            let outcomes = |calls: &'a CloudCalls| [("ok", calls.succeeded), ("failed", calls.failed)];
            let each = table.cloud.iter().flat_map(|calls| {
                outcomes(calls).map(|(outcome, count)| (vec![calls.operation.as_str(), outcome], count))
            });
            counted(each)
        }
        names::CLOUD_THROTTLES_TOTAL => {
            counted(table.cloud.iter().map(|calls| (vec![calls.operation.as_str()], calls.throttled)))
        }
        names::UNKNOWN_ALARMS_TOTAL => number(table.unknown_alarms as f64),
        names::PORT_CALLS_TOTAL => {
            let calls = counts(&table.calls).into_iter();
            calls.map(|(labels, value)| Sample { labels, value }).collect()
        }
        names::PORT_CALL_DURATION => {
            let durations = table.call_durations.iter();
            durations
                .map(|(labels, took)| Sample { labels: labels.to_vec(), value: Value::Distribution(took) })
                .collect()
        }
        _ => Vec::new(),
    }
}

fn counted<'a>(counts: impl Iterator<Item = (Vec<&'a str>, u64)>) -> Vec<Sample<'a>> {
    counts.map(|(labels, count)| Sample { labels, value: Value::Number(count as f64) }).collect()
}

type Labelled<'a> = (Vec<&'a str>, Value<'a>);

fn of_groups<'a>(table: &'a Table, of: impl Fn(&'a GroupTable) -> Vec<Labelled<'a>>) -> Vec<Sample<'a>> {
    let mut samples = Vec::new();
    for (name, group) in &table.groups {
        for (mut labels, value) in of(group) {
            labels.insert(0, name.as_str());
            samples.push(Sample { labels, value });
        }
    }
    samples
}

fn newest(table: &Table, of: impl Fn(&Figures) -> Option<f64>) -> Vec<Sample<'_>> {
    of_groups(table, |group| {
        let value = group.newest.as_ref().and_then(&of);
        value.map(|value| (Vec::new(), Value::Number(value))).into_iter().collect()
    })
}

fn by_trigger(table: &Table, of: impl Fn(&Figures) -> &PerTrigger<Option<f64>>) -> Vec<Sample<'_>> {
    of_groups(table, |group| {
        let Some(figures) = &group.newest else { return Vec::new() };
        let values = of(figures).iter();
        values.filter_map(|(trigger, value)| Some((vec![trigger.name()], Value::Number((*value)?)))).collect()
    })
}

fn totals(table: &Table, of: impl Fn(&Added) -> f64) -> Vec<Sample<'_>> {
    // A group that was never observed has no totals rather than zeros.
    of_groups(table, |group| {
        group.at.map(|_| (Vec::new(), Value::Number(of(&group.totals)))).into_iter().collect()
    })
}

fn counts<const N: usize>(
    counts: &std::collections::BTreeMap<[&'static str; N], u64>,
) -> Vec<Labelled<'static>> {
    counts.iter().map(|(labels, count)| (labels.to_vec(), Value::Number(*count as f64))).collect()
}
