//! What the metrics and operations of the last days show: memory that rises by itself, limits that are met too often,
//! operations that failed.

use jiff::SignedDuration;
use scaling::Assembly;
use scaling_control::record::{OPERATIONS_PREFIX, OperationRecord, from_json, operation_key};
use scaling_control::{Evaluation, GroupOutcome, PortError, TickReport};
use scaling_policy::config::{GroupConfig, Platform};
use scaling_policy::operation::Phase;
use scaling_policy::trigger::Trigger;
use scaling_report::History;
use scaling_report::trend::{self, FEWEST};

use super::checks::failed;
use super::{Check, Verdict};
use crate::commands::report::history;

/// How far back metrics are looked at. CloudWatch keeps minutes for 15 days.
const DAYS: u16 = 14;

/// Groups whose metrics are looked at: each is thousands of points.
const MOST_GROUPS: usize = 20;

/// A limit that is met in this share of the time is no exception any more.
const OFTEN: f64 = 0.05;

/// Operations that are looked at.
const OPERATIONS: usize = 1000;

/// Looks at the groups' last fortnight, or at what there is of it.
pub(super) async fn of_metrics(assembly: &Assembly, planned: &TickReport, checks: &mut Vec<Check>) {
    let on_aws = planned.outcomes.iter().filter(|outcome| outcome.config.platform == Platform::Aws);
    let known: Vec<(&GroupOutcome, &Evaluation)> =
        on_aws.filter_map(|outcome| Some((outcome, outcome.evaluation()?))).collect();
    let now = assembly.control.ports().clock.now();
    for (outcome, evaluation) in known.iter().take(MOST_GROUPS) {
        let config = &outcome.config;
        match history(assembly, config, evaluation, DAYS, now).await {
            Ok(history) => {
                checks.push(memory(config, &history));
                checks.extend(limits(config, &history));
            }
            Err(error) => match error.downcast::<PortError>() {
                Ok(error) => checks.push(failed(format!("past of {}", config.name), &error)),
                Err(error) => {
                    checks.push(Check::skipped(format!("past of {}", config.name), error.to_string()));
                }
            },
        }
    }
    if let Some(more) = known.len().checked_sub(MOST_GROUPS + 1) {
        let detail =
            format!("only the first {MOST_GROUPS} groups were looked at; {} more were not", more + 1);
        checks.push(Check::skipped("past", detail));
    }
}

/// Memory at the same load, over time.
fn memory(config: &GroupConfig, history: &History) -> Check {
    let name = format!("memory of {}", config.name);
    if config.triggers[Trigger::MemoryUsage].binding.is_none() {
        return Check::skipped(name, "memory_usage is bound to no metric, so that a leak would not be seen");
    }
    let periods = history.known().filter(|(past, _)| past.memory.is_some()).count();
    if periods < FEWEST {
        let detail =
            format!("{periods} periods with memory and CPU are too few; {FEWEST} tell whether it leaks");
        return Check::skipped(name, detail);
    }
    let days =
        f64::from(u32::try_from(periods).unwrap_or(u32::MAX)) * history.period.as_secs_f64() / 86_400.0;
    match trend::rise(history, config.triggers[Trigger::MemoryUsage].threshold) {
        None => Check::good(name, format!("does not rise by itself ({days:.1} days looked at)")),
        Some(rise) => Check::of(
            Verdict::Warning,
            name,
            format!(
                "rises by {:.1} % of a replica's a day at the same load, and is at its limit in {:.0} days \
                 ({days:.1} days looked at)",
                rise.share_a_day * 100.0,
                rise.days_left
            ),
            "a leak, or a cache without a limit: mend the service, or have replicas replaced before (the group's \
             maximum instance lifetime); more of them do not help",
        ),
    }
}

/// How often a resource was at its limit or over it.
fn limits<'a>(config: &'a GroupConfig, history: &'a History) -> impl Iterator<Item = Check> + 'a {
    [Trigger::CpuUsage, Trigger::MemoryUsage].into_iter().filter_map(|trigger| {
        let read = |past: &scaling_report::Past| match trigger {
            Trigger::MemoryUsage => past.memory,
            _ => past.cpu,
        };
        let values: Vec<f64> = history.points.iter().filter_map(read).collect();
        let threshold = config.triggers[trigger].threshold;
        let over = values.iter().filter(|value| **value >= threshold).count();
        let share = f64::from(u32::try_from(over).ok()?) / f64::from(u32::try_from(values.len()).ok()?.max(1));
        (share > OFTEN).then(|| {
            Check::of(
                Verdict::Warning,
                format!("{trigger} of {}", config.name),
                format!(
                    "was at its limit of {:.0} % or over it in {:.0} % of the time that was looked at",
                    threshold * 100.0,
                    share * 100.0
                ),
                "see with `scaling explain` what kept more from being added: control level, bounds, cooldown; list the \
                 trigger in `policy.triggers`",
            )
        })
    })
}

/// Operations of the last day that the platform refused, or that came to nothing.
pub(super) async fn of_operations(assembly: &Assembly, checks: &mut Vec<Check>) {
    let name = "operations";
    let ports = assembly.control.ports();
    let since = ports.clock.now() - SignedDuration::from_hours(24);
    let after = operation_key(&since.strftime("%Y%m%dT%H%M%S").to_string());
    let records = match ports.store.list(OPERATIONS_PREFIX, Some(&after), OPERATIONS).await {
        Ok(records) => records,
        Err(error) => return checks.push(failed(name, &error)),
    };
    let operations =
        records.iter().filter_map(|stored| from_json::<OperationRecord>(&stored.key, &stored.body).ok());
    let bad: Vec<OperationRecord> = operations
        .filter(|record| matches!(record.operation.phase, Phase::Failed | Phase::RolledBack))
        .collect();
    checks.push(match bad.last() {
        None => Check::good(name, format!("none of {} in the last day failed", records.len())),
        Some(newest) => Check::of(
            Verdict::Warning,
            name,
            format!(
                "{} of {} in the last day failed, the newest of {}: {}",
                bad.len(),
                records.len(),
                newest.group,
                newest.operation.failure.as_deref().unwrap_or("no cause was told")
            ),
            "the cause is the platform's answer: capacity, quota, launch template or a permission; see the group's \
             scaling activities",
        ),
    });
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use scaling_fleet::{Mebibytes, UsdPerHour, Vcpu};
    use scaling_policy::config::{Config, Layers};
    use scaling_policy::snapshot::TypeOffer;
    use scaling_report::Past;

    use super::*;

    /// A day of minutes.
    fn history(memory: impl Fn(f64) -> Option<f64>, cpu: f64) -> History {
        let point = |minute: i32| Past {
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(i64::from(minute)),
            cpu: Some(cpu),
            memory: memory(f64::from(minute) / 1440.0),
            requests: None,
            latency: None,
            replicas: 2.0,
        };
        let offer = TypeOffer {
            name: "m7i.large".into(),
            vcpu: Vcpu(2.0),
            memory: Mebibytes(8192.0),
            price: UsdPerHour(0.1),
        };
        History {
            period: Duration::from_secs(60),
            offer,
            points: (0..1440).map(point).collect(),
            replicas_known: true,
        }
    }

    fn group() -> std::sync::Arc<GroupConfig> {
        let source =
            br#"{"mode": "hybrid", "group": "web", "policy": {"triggers": ["cpu_usage", "memory_usage"]}}"#;
        Config::parse(source, &Layers::none()).unwrap().config.groups.remove(0)
    }

    #[test]
    fn memory_that_rises_at_the_same_load_is_a_warning_with_the_days_that_are_left() {
        let check = memory(&group(), &history(|day| Some(0.4 + 0.1 * day), 0.3));
        assert_eq!(check.verdict, Verdict::Warning);
        assert!(check.detail.contains("rises by 10.0 %") && check.detail.contains("in 3 days"), "{check:?}");
        assert_eq!(memory(&group(), &history(|_| Some(0.4), 0.3)).verdict, Verdict::Good);
    }

    #[test]
    fn too_little_of_the_past_is_said_to_be_too_little() {
        let short = history(|day| (day < 0.25).then_some(0.4 + day), 0.3);
        let check = memory(&group(), &short);
        assert!(check.verdict == Verdict::Skipped && check.detail.starts_with("360 periods"), "{check:?}");
    }

    #[test]
    fn a_limit_that_is_met_often_is_told_and_one_that_is_met_rarely_is_not() {
        let group = group();
        let of = |share: f64| {
            let found: Vec<Check> =
                limits(&group, &history(|day| Some(if day < share { 0.9 } else { 0.5 }), 0.3)).collect();
            found.into_iter().map(|check| check.name).collect::<Vec<_>>()
        };
        assert_eq!(of(0.1), ["memory_usage of web"]);
        assert_eq!(of(0.04), Vec::<String>::new());
    }
}
