//! What is looked at, in the order in which one thing needs the other: configuration, endpoint and clock, state,
//! groups, permissions, metrics, and how the groups do.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scaling::{Assembly, StoreChoice};
use scaling_api::ApiState;
use scaling_aws::diagnose::MOST_SKEW;
use scaling_aws::{AwsPlatform, AwsSettings};
use scaling_control::ports::{DESCRIBED_AT_ONCE, Expected, MetricSeries, NewRecord, Unread};
use scaling_control::{PortError, Ports, RefusedConfig};
use scaling_policy::config::{Config, ControlLevel, GroupConfig, GroupName, Platform, Severity};
use scaling_policy::operation::Step;
use scaling_policy::snapshot::ForeignController;
use scaling_telemetry::Metrics;
use serde::Deserialize;

use super::advice::{advice, chain};
use super::{Check, Verdict, held, past};
use crate::arguments::DoctorArguments;
use crate::commands::run::existing_store;

/// A group that was not evaluated for so long is not looked after, in seconds; what was learned is stored every quarter
/// of an hour.
const FORGOTTEN_SECONDS: f64 = 1800.0;

/// A key that no record has.
const NO_RECORD: &str = "doctor/check";

/// Looks at everything.
pub(super) async fn all(arguments: &DoctorArguments) -> Vec<Check> {
    let mut checks = Vec::new();
    let Some(config) = configuration(arguments, &mut checks) else { return checks };
    let place = existing_store(&arguments.state);
    if place == StoreChoice::Memory {
        let detail = format!("{} does not exist yet", arguments.state.state.display());
        let fix = "`scaling run` makes it; name another with --state, or a table with --table";
        checks.push(Check::of(Verdict::Warning, "state", detail, fix));
    }
    let assembly = match Assembly::new(config, AwsSettings::default(), &place) {
        Ok(assembly) => assembly,
        Err(error) => {
            let fix = "name another file with --state, or a table with --table";
            checks.push(Check::of(Verdict::Wrong, "state", error.to_string(), fix));
            return checks;
        }
    };
    let ports = assembly.control.ports().clone();
    if place != StoreChoice::Memory {
        state(&ports, &mut checks).await;
    }
    // The active version, which may be another than the file's.
    let file = assembly.control.config();
    let config = assembly.control.refresh().await.unwrap_or_else(|_| Arc::clone(&file));
    match assembly.control.refused_config() {
        Some(refused) => checks.push(refused_version(&refused)),
        None => version(&file, &config, arguments, &mut checks),
    }
    held::controls(&assembly.control, &config, &mut checks).await;
    let aws: Vec<Arc<GroupConfig>> =
        config.groups.iter().filter(|group| group.platform == Platform::Aws).cloned().collect();
    let reached = aws.is_empty() || {
        let platform = AwsPlatform::new(Arc::clone(&assembly.clients));
        endpoint(&platform, &mut checks).await
    };
    if !reached {
        checks.push(Check::skipped("groups", "AWS cannot be reached"));
        return checks;
    }
    let mut foreign = Foreign::new();
    if !aws.is_empty() {
        foreign = permissions(&ports, &aws, &mut checks).await;
        writing(&ports, &aws, arguments.try_write, &mut checks).await;
        if matches!(place, StoreChoice::Table(_)) {
            held::alarms(&AwsPlatform::new(Arc::clone(&assembly.clients)), &aws, &mut checks).await;
        }
    }
    groups(&assembly, &config, foreign, &mut checks).await;
    checks
}

fn configuration(arguments: &DoctorArguments, checks: &mut Vec<Check>) -> Option<Config> {
    let name = "configuration";
    let source = &arguments.source;
    match scaling::configuration::load(&source.config, source.environment.as_deref()) {
        Ok(loaded) => {
            let groups = loaded.config.groups.len();
            checks.push(Check::good(name, format!("{} is valid, groups: {groups}", source.config.display())));
            for warning in &loaded.warnings {
                let detail = format!("{} {}", warning.place(), warning.rule);
                checks.push(Check::of(Verdict::Warning, name, detail, &warning.fix));
            }
            Some(loaded.config)
        }
        Err(error) => {
            let fix = "`scaling validate` shows every fault with its fix; `scaling init` writes a new one";
            checks.push(Check::of(Verdict::Wrong, name, error.to_string(), fix));
            None
        }
    }
}

/// A stored version that is not in force, because this program does not take it.
fn refused_version(refused: &RefusedConfig) -> Check {
    let detail = format!(
        "version {} is stored and refused, so that another is in force: {}",
        refused.version.0, refused.error
    );
    Check::of(
        Verdict::Wrong,
        "configuration",
        detail,
        "push one without these faults with `scaling config push`, or go back with `scaling config rollback`",
    )
}

/// Whether the file or a stored version is what holds.
fn version(file: &Config, active: &Config, arguments: &DoctorArguments, checks: &mut Vec<Check>) {
    if active.version.0 == 0 {
        return;
    }
    let (name, number, path) = ("configuration", active.version.0, arguments.source.config.display());
    checks.push(if active.source() == file.source() {
        Check::good(name, format!("version {number} of the store is active, and as {path}"))
    } else {
        let detail = format!("version {number} of the store is active, and {path} is another");
        Check::of(
            Verdict::Warning,
            name,
            detail,
            "see `scaling config diff`; `scaling config push` makes the file active",
        )
    });
}

/// Reading, and a write that cannot go through because it expects a version that no record has.
async fn state(ports: &Ports, checks: &mut Vec<Check>) {
    let name = "state";
    if let Err(error) = ports.store.get(NO_RECORD).await {
        checks.push(failed(name, &error));
        return;
    }
    let record = NewRecord { key: NO_RECORD.to_owned(), body: "{}".to_owned(), expires: None };
    checks.push(match ports.store.put(record, Expected::Version(u64::from(u32::MAX))).await {
        Ok(_) | Err(PortError::Conflict { .. }) => Check::good(name, "can be read and written"),
        Err(error) => failed(name, &error),
    });
}

/// Whether CloudWatch answers, and what time it has. `false` where nothing further can be asked.
async fn endpoint(platform: &AwsPlatform, checks: &mut Vec<Check>) -> bool {
    match platform.clock_skew().await {
        Err(error) => {
            checks.push(failed("endpoint", &error));
            false
        }
        Ok(skew) => {
            checks.push(Check::good("endpoint", "CloudWatch answers"));
            checks.push(clock(skew));
            true
        }
    }
}

fn clock(skew: Option<SignedDuration>) -> Check {
    let Some(skew) = skew else {
        return Check::skipped("clock", "the service does not say what time it has");
    };
    let seconds = skew.as_secs();
    let side = if seconds < 0 { "behind" } else { "ahead of" };
    let detail = format!("{} s {side} the service's", seconds.abs());
    if skew.abs() >= MOST_SKEW {
        let fix = "set the clock (NTP): signatures older or newer than 5 minutes are refused";
        return Check::of(Verdict::Wrong, "clock", detail, fix);
    }
    let verdict = if seconds.abs() > 60 { Verdict::Warning } else { Verdict::Good };
    let fix = if verdict == Verdict::Warning { "set the clock (NTP)" } else { "" };
    Check::of(verdict, "clock", detail, fix)
}

/// Who else acts on each group.
type Foreign = BTreeMap<GroupName, Vec<ForeignController>>;

/// Every reading call that the loop makes of Auto Scaling, for the first group that is there: the service refuses some of them
/// for one that is not, whatever the permissions. Returns who else acts on the groups, as far as that can be read.
async fn permissions(ports: &Ports, all: &[Arc<GroupConfig>], checks: &mut Vec<Check>) -> Foreign {
    let now = ports.clock.now();
    let since = now - SignedDuration::from_secs(60);
    let page = &all[..all.len().min(DESCRIBED_AT_ONCE)];
    let described = ports.groups.describe(page).await;
    let there = described.as_ref().ok().and_then(|described| {
        page.iter().find(|group| described.iter().any(|found| found.name == group.name))
    });
    let why_not = match &described {
        Err(_) => "the groups could not be read".to_owned(),
        // Further ones may be there; they are not looked for.
        Ok(_) if page.len() < all.len() => format!("none of the first {DESCRIBED_AT_ONCE} groups is there"),
        Ok(_) => "none of the groups is there".to_owned(),
    };
    let (foreign, looked) = match ports.groups.foreign_controllers(all).await {
        Ok(found) => (found, Ok(())),
        Err(error) => (Foreign::new(), Err(error)),
    };
    let (mut replacement, mut failures) = (None, None);
    if let Some(group) = there {
        replacement = Some(ports.groups.replacement(group).await.map(drop));
        failures = Some(ports.groups.launch_failures(group, since).await.map(drop));
    }
    let queries = there.or(page.first()).map(|group| scaling_control::observe::queries(group, now));
    let metrics = ports.metrics.read(&queries.unwrap_or_default()).await.and_then(all_read);
    let calls = [
        ("read groups", Some(described.map(drop))),
        ("read instance refreshes", replacement),
        ("read scaling activities", failures),
        ("read scaling policies and scheduled actions", Some(looked)),
        ("read metrics", Some(metrics)),
    ];
    for (what, answer) in calls {
        let name = format!("permission to {what}");
        checks.push(match answer {
            Some(Ok(())) => Check::good("permission", what),
            Some(Err(error)) => failed(name, &error),
            None => Check::skipped(name, &why_not),
        });
    }
    foreign
}

/// What kept a series from being read, where something did.
fn all_read(series: Vec<MetricSeries>) -> Result<(), PortError> {
    let failed = series.into_iter().find_map(|series| match series.unread {
        Some(Unread::Failed(error)) => Some(error.for_another()),
        Some(Unread::Late(_)) | None => None,
    });
    failed.map_or(Ok(()), Err)
}

/// Whether changing the groups is permitted: only tried when asked to, with the capacity that each has.
async fn writing(ports: &Ports, groups: &[Arc<GroupConfig>], tried: bool, checks: &mut Vec<Check>) {
    let name = "permission to change capacity";
    let acting: Vec<_> =
        groups.iter().filter(|group| group.control != ControlLevel::Observe).cloned().collect();
    if acting.is_empty() {
        checks.push(Check::skipped(name, "every group is only observed"));
        return;
    }
    if !tried {
        checks.push(Check::skipped(name, "--try-write asks each group for the capacity that it has"));
        return;
    }
    let described = match ports.groups.describe(&acting).await {
        Ok(described) => described,
        Err(error) => return checks.push(failed(name, &error)),
    };
    for group in &acting {
        let Some(found) = described.iter().find(|found| found.name == group.name) else { continue };
        let step = Step::SetDesired { desired: found.desired };
        checks.push(match ports.writer.apply(group, &step).await {
            Ok(_) => Check::good(name, group.name.to_string()),
            Err(error) => failed(format!("{name} of {}", group.name), &error),
        });
    }
}

/// What `GET /validation` says of the groups.
async fn groups(assembly: &Assembly, config: &Config, foreign: Foreign, checks: &mut Vec<Check>) {
    let state = ApiState::new(Arc::clone(&assembly.control), Metrics::new());
    let looked = async {
        let mut planned = assembly.control.plan().await?;
        // The loop looks once an hour, and whoever asks the doctor has often just removed, or made, the other controller.
        planned.know_others(foreign);
        Ok((state.findings_over(&planned).await?, planned))
    };
    let (found, planned) = match looked.await {
        Ok(looked) => looked,
        Err(error) => return checks.push(failed("groups", &error)),
    };
    for group in &config.groups {
        let name = format!("group {}", group.name);
        let of_group = found.iter().filter(|finding| finding.group == group.name.as_str());
        let before = checks.len();
        checks.extend(of_group.map(|finding| {
            let verdict = match finding.severity {
                Severity::Error => Verdict::Wrong,
                Severity::Warning => Verdict::Warning,
            };
            Check::of(verdict, &name, &finding.detail, finding.fix)
        }));
        if checks.len() == before {
            checks.push(Check::good(&name, "nothing to say of it"));
        }
    }
    past::of_metrics(assembly, &planned, checks).await;
    past::of_operations(assembly, checks).await;
    evaluated(assembly, config, checks).await;
}

/// When a group's record was last stored; whatever else it holds may be of another version.
#[derive(Deserialize)]
struct LastStored {
    learned_at: Option<Timestamp>,
}

/// Whether anybody evaluates the groups.
async fn evaluated(assembly: &Assembly, config: &Config, checks: &mut Vec<Check>) {
    use scaling_control::record::{from_json, group_key};
    let name = "evaluations";
    let keys: Vec<String> = config.groups.iter().map(|group| group_key(&group.name)).collect();
    let Ok(records) = assembly.control.ports().store.get_many(&keys).await else { return };
    let now = assembly.control.ports().clock.now();
    let newest = records
        .iter()
        .filter_map(|stored| from_json::<LastStored>(&stored.key, &stored.body).ok()?.learned_at)
        .max();
    checks.push(match newest {
        None => Check::of(
            Verdict::Warning,
            name,
            "no group has been evaluated yet with this state",
            "start `scaling run`, or look whether the schedule is enabled; --state or --table may name another state",
        ),
        Some(at) if now.duration_since(at).as_secs_f64() > FORGOTTEN_SECONDS => Check::of(
            Verdict::Wrong,
            name,
            format!("nothing was stored since {at}"),
            "look at the schedule, the schedule function's errors and its reserved concurrency",
        ),
        Some(at) => Check::good(name, format!("last stored {at}")),
    });
}

pub(super) fn failed(name: impl Into<String>, error: &PortError) -> Check {
    Check::of(Verdict::Wrong, name, chain(error), advice(error))
}
