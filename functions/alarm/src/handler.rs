//! From alarms to an evaluation of their groups.

use scaling::lambda::Function;
use scaling::lambda::failure::Failure;
use scaling::lambda::notices::Notice;
use scaling_policy::config::{Config, GroupName};
use serde::Serialize;

use crate::event::Alarm;

/// What an invocation answers; CloudWatch ignores it, a person reads it, and EventBridge gets it.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    evaluated: usize,
    changed: usize,
    failed: usize,
    unknown_alarms: Vec<String>,
    notices: Vec<Notice>,
}

/// Evaluates the groups that the alarms name. What the alarms say of states, values and times is not looked at: late,
/// repeated and INSUFFICIENT_DATA events are wake-ups like any other.
///
/// # Errors
/// When the evaluation failed as a whole: Lambda tries an asynchronous event again.
pub(crate) async fn handle(function: &Function, alarms: &[Alarm]) -> Result<Summary, Failure> {
    function.follow_clock().await?;
    // A configuration that was replaced over the REST interface may know other groups and alarms.
    let config = function.control().refresh().await?;
    let mut groups = Vec::new();
    let mut unknown_alarms = Vec::new();
    for alarm in alarms {
        let found = groups_of(&config, alarm);
        if found.is_empty() {
            function.tell_unknown_alarm(&alarm.name);
            unknown_alarms.push(alarm.name.clone());
        }
        groups.extend(found);
    }
    groups.sort();
    groups.dedup();
    if groups.is_empty() {
        return Ok(Summary { unknown_alarms, ..Summary::default() });
    }
    let report = function.control().evaluate(&groups).await?;
    let notices = function.tell(&report);
    let (evaluated, failed) = (report.outcomes.len(), report.failed());
    if failed == evaluated && failed > 0 {
        let why = format!("none of the {failed} groups of these alarms could be evaluated");
        return Err(Failure::new("NoGroupEvaluated", why));
    }
    Ok(Summary { evaluated, changed: report.changed(), failed, unknown_alarms, notices })
}

/// By the alarm's name, else by `groups[].alarms`, else by the dimension of its metrics.
fn groups_of(config: &Config, alarm: &Alarm) -> Vec<GroupName> {
    if let Some(group) = config.group_of_alarm(&alarm.name) {
        return vec![group.name.clone()];
    }
    alarm.groups.iter().filter_map(|name| config.group(name)).map(|group| group.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use jiff::Timestamp;
    use scaling_control::fakes::{FakePlatform, MemoryStore, SteppedClock};
    use scaling_control::{ControlLoop, Ports};
    use scaling_policy::config::Layers;

    use super::*;

    fn function() -> (Function, FakePlatform) {
        let clock = Arc::new(SteppedClock::at(Timestamp::UNIX_EPOCH + Duration::from_secs(86_400)));
        let platform = FakePlatform::new("web", "m7i.large", 2, clock.clone());
        platform.group().busy_vcpu = Some(3.9);
        let ports = Ports {
            groups: Arc::new(platform.clone()),
            writer: Arc::new(platform.clone()),
            metrics: Arc::new(platform.clone()),
            store: Arc::new(MemoryStore::new(clock.clone())),
            clock,
        };
        let source = br#"{"mode": "horizontal", "control": "act", "groups": [{"name": "web", "alarms": ["p95-high"]}]}"#;
        let config = Config::parse(source, &Layers::none()).unwrap().config;
        (Function::new(Arc::new(ControlLoop::new(ports, config))), platform)
    }

    fn alarm(name: &str, groups: &[&str]) -> Alarm {
        Alarm { name: name.to_owned(), groups: groups.iter().map(|group| (*group).to_owned()).collect() }
    }

    #[tokio::test]
    async fn a_group_is_found_by_name_by_list_and_by_dimension() {
        for found in [alarm("scaling/web/cpu_usage", &[]), alarm("p95-high", &[]), alarm("other", &["web"])] {
            let (function, platform) = function();
            let summary = handle(&function, std::slice::from_ref(&found)).await.unwrap();
            assert_eq!((summary.evaluated, summary.changed), (1, 1), "{found:?}");
            assert!(platform.group().desired > 2);
        }
    }

    #[tokio::test]
    async fn an_unknown_alarm_is_named_and_wakes_nobody() {
        let (function, platform) = function();
        let summary = handle(&function, &[alarm("billing", &["elsewhere"])]).await.unwrap();
        assert_eq!(summary.unknown_alarms, ["billing"]);
        assert!(platform.group().calls.is_empty());
    }

    #[tokio::test]
    async fn insufficient_data_and_an_event_hours_old_decide_on_the_metrics_of_now() {
        let insufficient = serde_json::json!({"alarmData": {"alarmName": "scaling/web/cpu_usage",
            "state": {"value": "INSUFFICIENT_DATA"}}});
        let hours_old = serde_json::json!({"time": "1970-01-01T00:00:00Z", "detail": {
            "alarmName": "scaling/web/cpu_usage", "state": {"value": "ALARM", "timestamp": "1970-01-01T00:00:00Z"}}});
        for event in [insufficient, hours_old] {
            let alarms = crate::event::alarms(&event).unwrap();
            // The load is high now, whatever the event says of then.
            let (function, platform) = function();
            assert_eq!(handle(&function, &alarms).await.unwrap().changed, 1, "{event}");
            assert!(platform.group().desired > 2);
            // And nothing is known now: nothing is taken away, whatever the event says.
            let (function, platform) = self::function();
            platform.group().busy_vcpu = None;
            assert_eq!(handle(&function, &alarms).await.unwrap().changed, 0, "{event}");
            assert_eq!(platform.group().desired, 2);
        }
    }

    #[tokio::test]
    async fn the_same_alarm_twice_in_one_event_is_one_evaluation() {
        let (function, _) = function();
        let twice = [alarm("p95-high", &[]), alarm("scaling/web/cpu_usage", &[])];
        assert_eq!(handle(&function, &twice).await.unwrap().evaluated, 1);
    }
}
