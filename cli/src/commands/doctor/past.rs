//! What the metrics and operations of the last days show: memory that rises by itself, limits that are met too often,
//! operations that failed.

use jiff::{SignedDuration, Timestamp};
use scaling::Assembly;
use scaling_control::ports::StateStore;
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

/// Operations that are read at once, and how many such reads are made at most: a large account has very many a day.
const OPERATIONS: usize = 1000;
const MOST_READS: usize = 20;

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

/// What the last day's operations came to.
#[derive(Debug, Default)]
struct LastDay {
    operations: usize,
    bad: usize,
    /// The last of the bad ones: its group and its cause.
    newest: Option<(String, String)>,
    /// There are more operations than were read.
    is_cut: bool,
}

impl LastDay {
    fn add(&mut self, record: OperationRecord) {
        self.operations += 1;
        if matches!(record.operation.phase, Phase::Failed | Phase::RolledBack) {
            self.bad += 1;
            let cause = record.operation.failure.unwrap_or_else(|| "no cause was told".to_owned());
            self.newest = Some((record.group.to_string(), cause));
        }
    }
}

/// Operations of the last day that the platform refused, or that came to nothing.
pub(super) async fn of_operations(assembly: &Assembly, checks: &mut Vec<Check>) {
    let name = "operations";
    let ports = assembly.control.ports();
    let since = ports.clock.now() - SignedDuration::from_hours(24);
    let day = match last_day(ports.store.as_ref(), since).await {
        Ok(day) => day,
        Err(error) => return checks.push(failed(name, &error)),
    };
    let of = if day.is_cut { "the first " } else { "" };
    let operations = day.operations;
    checks.push(match day.newest {
        None => Check::good(name, format!("none of {of}{operations} in the last day failed")),
        Some((group, cause)) => Check::of(
            Verdict::Warning,
            name,
            format!(
                "{} of {of}{operations} in the last day failed, the newest of {group}: {cause}",
                day.bad
            ),
            "the cause is the platform's answer: capacity, quota, launch template or a permission; see the group's \
             scaling activities",
        ),
    });
}

/// Reads on until there are no more, so that the newest is the newest.
async fn last_day(store: &dyn StateStore, since: Timestamp) -> Result<LastDay, PortError> {
    let mut day = LastDay::default();
    let mut after = operation_key(&since.strftime("%Y%m%dT%H%M%S").to_string());
    for _ in 0..MOST_READS {
        let records = store.list(OPERATIONS_PREFIX, Some(&after), OPERATIONS).await?;
        for stored in &records {
            if let Ok(record) = from_json::<OperationRecord>(&stored.key, &stored.body) {
                day.add(record);
            }
        }
        match records.last() {
            Some(last) if records.len() == OPERATIONS => after.clone_from(&last.key),
            _ => return Ok(day),
        }
    }
    day.is_cut = true;
    Ok(day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use scaling_control::ports::NewRecord;
    use scaling_fleet::{Mebibytes, UsdPerHour, Vcpu};
    use scaling_policy::config::{Config, ConfigVersion, Layers};
    use scaling_policy::decision::Reason;
    use scaling_policy::operation::{Operation, OperationId, OperationKind, Zones};
    use scaling_policy::snapshot::{RetypeSupport, TypeOffer};
    use scaling_report::{GroupLimits, Past};

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
            limits: GroupLimits { min: 1, max: 10, retype: RetypeSupport::Supported },
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

    fn ended(minute: i64, since: Timestamp, phase: Phase, failure: Option<&str>) -> NewRecord {
        let planned_at = since + SignedDuration::from_secs(minute * 60);
        let id = format!("{}-{minute}", planned_at.strftime("%Y%m%dT%H%M%S"));
        let operation = Operation {
            id: OperationId(id.clone()),
            kind: OperationKind::Scale { from: 2, to: 3 },
            phase,
            reason: Reason::WithinTarget,
            config_version: ConfigVersion(1),
            planned_at,
            valid_for: Duration::from_secs(60),
            accepted_at: None,
            ended_at: Some(planned_at),
            platform_id: None,
            attempts: 0,
            not_before: None,
            conflicting_since: None,
            unread_since: None,
            failure: failure.map(ToOwned::to_owned),
            before: None,
            zones: Zones::default(),
        };
        let record = OperationRecord { group: "web".into(), operation };
        NewRecord { key: operation_key(&id), body: serde_json::to_string(&record).unwrap(), expires: None }
    }

    #[tokio::test]
    async fn of_more_operations_than_are_read_at_once_the_newest_failure_is_still_told() {
        let store = scaling_store::SqliteStore::open_in_memory().unwrap();
        let since = "2026-03-02T00:00:00Z".parse::<Timestamp>().unwrap();
        let mut records: Vec<NewRecord> =
            (0..1300).map(|minute| ended(minute, since, Phase::Verified, None)).collect();
        records[10] = ended(10, since, Phase::Failed, Some("no capacity"));
        records[1299] = ended(1299, since, Phase::RolledBack, Some("quota"));
        store.append(records).await.unwrap();
        let day = last_day(&store, since).await.unwrap();
        assert_eq!((day.operations, day.bad, day.is_cut), (1300, 2, false));
        assert_eq!(day.newest, Some(("web".to_owned(), "quota".to_owned())));
    }
}
