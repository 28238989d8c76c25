//! Composite alarms: their state follows those of other alarms.

use std::collections::BTreeSet;

use scaling_emulator::Emulator;
use serde_json::{Value, json};

use crate::support::{call, code, done, emulator, minutes, put};

fn metric(emulator: &Emulator, name: &str, metric: &str) {
    done(
        emulator,
        "PutMetricAlarm",
        json!({
            "AlarmName": name, "Namespace": "Shop", "MetricName": metric, "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        }),
    );
}

fn composite(emulator: &Emulator, name: &str, rule: &str, changes: &Value) {
    let mut input = json!({ "AlarmName": name, "AlarmRule": rule });
    for (member, value) in changes.as_object().unwrap() {
        input[member] = value.clone();
    }
    done(emulator, "PutCompositeAlarm", input);
}

fn shown(emulator: &Emulator, name: &str) -> Value {
    let input = json!({ "AlarmNames": [name], "AlarmTypes": ["CompositeAlarm"] });
    done(emulator, "DescribeAlarms", input)["CompositeAlarms"][0].clone()
}

fn actions(emulator: &Emulator, name: &str) -> usize {
    let history = done(
        emulator,
        "DescribeAlarmHistory",
        json!({ "AlarmName": name, "HistoryItemType": "Action", "AlarmTypes": ["CompositeAlarm"] }),
    );
    history["AlarmHistoryItems"].as_array().unwrap().len()
}

#[tokio::test]
async fn it_follows_at_once_an_alarm_that_somebody_sets_though_time_stands_still() {
    let emulator = emulator().await;
    metric(&emulator, "a", "A");
    composite(&emulator, "any", "ALARM(a)", &json!({}));
    composite(&emulator, "above", "ALARM(any)", &json!({}));
    for state in ["ALARM", "OK", "ALARM"] {
        done(
            &emulator,
            "SetAlarmState",
            json!({ "AlarmName": "a", "StateValue": state, "StateReason": "test" }),
        );
        for name in ["any", "above"] {
            assert_eq!(shown(&emulator, name)["StateValue"], state, "{name}");
        }
    }
}

#[tokio::test]
async fn at_least_so_many_alarms_are_in_a_state() {
    let emulator = emulator().await;
    for name in ["a", "b", "c"] {
        metric(&emulator, name, &name.to_uppercase());
    }
    composite(&emulator, "two", "AT_LEAST(2, ALARM, (a, b, c))", &json!({}));
    composite(&emulator, "half", "AT_LEAST(50%, NOT OK, (a, b, c))", &json!({}));
    for (minute, over, expected) in [(0, &["A"][..], "OK"), (1, &["A", "C"], "ALARM"), (2, &[], "OK")] {
        for name in ["A", "B", "C"] {
            put(&emulator, name, minute, if over.contains(&name) { 9.0 } else { 1.0 });
        }
        minutes(&emulator, 1).await;
        for name in ["two", "half"] {
            assert_eq!(shown(&emulator, name)["StateValue"], expected, "{name} {over:?}");
        }
    }
    let known = json!({ "AlarmName": "x", "AlarmRule": "AT_LEAST(1, ALARM, (a, gone))" });
    assert_eq!(code(&emulator, "PutCompositeAlarm", known), "ValidationError", "its alarms must exist");
}

#[tokio::test]
async fn it_follows_its_alarms_and_tells_which_changed() {
    let emulator = emulator().await;
    metric(&emulator, "a", "A");
    metric(&emulator, "b", "B");
    composite(&emulator, "both", "ALARM(a) AND ALARM(\"b\")", &json!({}));
    composite(&emulator, "above", "OK(both)", &json!({}));
    assert_eq!(shown(&emulator, "both")["StateValue"], "INSUFFICIENT_DATA");
    put(&emulator, "A", 0, 9.0);
    minutes(&emulator, 1).await;
    assert_eq!(
        (&shown(&emulator, "both")["StateValue"], &shown(&emulator, "above")["StateValue"]),
        (&json!("OK"), &json!("ALARM"))
    );
    put(&emulator, "A", 1, 9.0);
    put(&emulator, "B", 1, 9.0);
    minutes(&emulator, 1).await;
    let both = shown(&emulator, "both");
    assert_eq!(both["StateValue"], "ALARM");
    assert!(
        both["StateReason"].as_str().unwrap().contains("transitioned to ALARM at Monday 05 January, 2026"),
        "{both}"
    );
    assert_eq!(shown(&emulator, "above")["StateValue"], "OK");
    let plain = done(&emulator, "DescribeAlarms", json!({}));
    assert_eq!(
        (plain["MetricAlarms"].as_array().unwrap().len(), plain["CompositeAlarms"].as_array().unwrap().len()),
        (2, 0)
    );
}

fn suppressed(emulator: &Emulator, wait: i64, extension: i64) {
    metric(emulator, "a", "A");
    metric(emulator, "quiet", "Q");
    let changes = json!({
        "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:topic"],
        "ActionsSuppressor": "quiet",
        "ActionsSuppressorWaitPeriod": wait,
        "ActionsSuppressorExtensionPeriod": extension,
    });
    composite(emulator, "loud", "ALARM(a)", &changes);
}

/// Lets minutes pass with these values of both metrics, and tells by what and how many actions came after each.
async fn passed(emulator: &Emulator, values: &[(f64, f64)]) -> Vec<(Value, usize)> {
    let mut seen = Vec::new();
    for (minute, (loud, quiet)) in (0..).zip(values) {
        put(emulator, "A", minute, *loud);
        put(emulator, "Q", minute, *quiet);
        minutes(emulator, 1).await;
        seen.push((shown(emulator, "loud")["ActionsSuppressedBy"].clone(), actions(emulator, "loud")));
    }
    seen
}

#[tokio::test]
async fn a_suppressor_keeps_its_actions_back_and_an_extension_after_it() {
    let emulator = emulator().await;
    suppressed(&emulator, 0, 120);
    let seen = passed(&emulator, &[(9.0, 9.0), (9.0, 1.0), (9.0, 1.0), (9.0, 1.0), (9.0, 1.0)]).await;
    let expected = [(json!("Alarm"), 0), (json!("ExtensionPeriod"), 0), (json!("ExtensionPeriod"), 0)];
    assert_eq!(seen[..3], expected);
    assert_eq!(seen[3], (Value::Null, 1), "it is still on when the extension is over");
    assert_eq!(seen[4].1, 1);
}

#[tokio::test]
async fn actions_wait_for_the_suppressor_to_go_off_too() {
    let emulator = emulator().await;
    suppressed(&emulator, 120, 0);
    let seen = passed(&emulator, &[(9.0, 1.0), (9.0, 1.0), (9.0, 1.0)]).await;
    assert_eq!(seen, [(json!("WaitPeriod"), 0), (json!("WaitPeriod"), 0), (Value::Null, 1)]);
}

#[tokio::test]
async fn actions_that_were_kept_back_are_dropped_when_the_alarm_goes_out() {
    let emulator = emulator().await;
    suppressed(&emulator, 120, 60);
    let seen = passed(&emulator, &[(9.0, 1.0), (9.0, 9.0), (1.0, 9.0), (1.0, 1.0), (1.0, 1.0)]).await;
    assert_eq!(seen[1], (json!("Alarm"), 0), "the suppressor went off in time");
    assert_eq!(seen[4], (Value::Null, 0));
}

#[tokio::test]
async fn rules_that_cannot_be_are_refused() {
    let emulator = emulator().await;
    metric(&emulator, "a", "A");
    composite(&emulator, "first", "ALARM(a)", &json!({}));
    composite(&emulator, "second", "ALARM(first)", &json!({}));
    for (name, rule) in
        [("c", "ALARM(none)"), ("c", "ALARM("), ("first", "ALARM(second)"), ("first", "ALARM(first)")]
    {
        assert_eq!(
            code(&emulator, "PutCompositeAlarm", json!({ "AlarmName": name, "AlarmRule": rule })),
            "ValidationError"
        );
    }
    assert!(call(&emulator, "PutCompositeAlarm", json!({ "AlarmName": "c" })).is_err());
    let alone = json!({ "AlarmName": "c", "AlarmRule": "ALARM(a)", "ActionsSuppressor": "a" });
    assert_eq!(code(&emulator, "PutCompositeAlarm", alone), "ValidationError");
}

fn listed(emulator: &Emulator, input: &Value) -> (Vec<String>, Vec<String>) {
    let list = done(emulator, "DescribeAlarms", input.clone());
    let names = |member: &str| {
        let alarms = list[member].as_array().unwrap();
        alarms.iter().map(|alarm| alarm["AlarmName"].as_str().unwrap().to_owned()).collect()
    };
    (names("MetricAlarms"), names("CompositeAlarms"))
}

async fn related() -> Emulator {
    let emulator = emulator().await;
    metric(&emulator, "a", "A");
    metric(&emulator, "b", "B");
    composite(&emulator, "both", "ALARM(a) AND ALARM(b)", &json!({}));
    composite(&emulator, "above", "ALARM(both) OR ALARM(a)", &json!({}));
    emulator
}

#[tokio::test]
async fn children_and_parents_of_an_alarm_are_found() {
    let emulator = related().await;
    let none: [&str; 0] = [];
    for (input, metrics, composites) in [
        (json!({ "ChildrenOfAlarmName": "both" }), &["a", "b"][..], &none[..]),
        (json!({ "ChildrenOfAlarmName": "above" }), &["a"], &["both"]),
        (json!({ "ChildrenOfAlarmName": "a" }), &none, &none),
        (json!({ "ParentsOfAlarmName": "a" }), &none, &["above", "both"]),
        (json!({ "ParentsOfAlarmName": "above" }), &none, &none),
    ] {
        let (found_metrics, found_composites) = listed(&emulator, &input);
        assert_eq!(
            (found_metrics.as_slice(), found_composites.as_slice()),
            (&owned(metrics)[..], &owned(composites)[..]),
            "{input}"
        );
    }
    let child = done(&emulator, "DescribeAlarms", json!({ "ChildrenOfAlarmName": "both" }));
    assert_eq!(
        members(&child["MetricAlarms"][0]),
        BTreeSet::from(["AlarmArn", "AlarmName", "StateUpdatedTimestamp", "StateValue"])
    );
    let parent = done(&emulator, "DescribeAlarms", json!({ "ParentsOfAlarmName": "a", "MaxRecords": 1 }));
    assert!(parent["NextToken"].is_string());
    assert_eq!(members(&parent["CompositeAlarms"][0]), BTreeSet::from(["AlarmArn", "AlarmName"]));
    for beside in [
        json!({ "ChildrenOfAlarmName": "both", "AlarmTypes": ["MetricAlarm"] }),
        json!({ "ParentsOfAlarmName": "a", "StateValue": "OK" }),
        json!({ "ParentsOfAlarmName": "a", "ChildrenOfAlarmName": "both" }),
    ] {
        assert_eq!(code(&emulator, "DescribeAlarms", beside), "ValidationError");
    }
}

fn members(alarm: &Value) -> BTreeSet<&str> {
    alarm.as_object().unwrap().keys().map(String::as_str).collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn an_alarm_that_a_composite_one_depends_on_is_not_deleted_nor_are_two_composite_ones() {
    let emulator = related().await;
    for names in [json!(["both"]), json!(["a"]), json!(["a", "above"]), json!(["above", "both"])] {
        assert_eq!(
            code(&emulator, "DeleteAlarms", json!({ "AlarmNames": names })),
            "ValidationError",
            "{names}"
        );
    }
    let error = call(&emulator, "DeleteAlarms", json!({ "AlarmNames": ["a", "b"] })).unwrap_err();
    assert_eq!(error.message, "Cannot delete a,b as there are composite alarm(s) depending on them.");
    done(&emulator, "DeleteAlarms", json!({ "AlarmNames": ["above"] }));
    done(&emulator, "DeleteAlarms", json!({ "AlarmNames": ["a", "b", "both", "none"] }));
    assert_eq!(listed(&emulator, &json!({})), (Vec::new(), Vec::new()));
}
