//! Composite alarms: their state follows those of other alarms.

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

#[tokio::test]
async fn a_suppressor_keeps_its_actions_back() {
    let emulator = emulator().await;
    metric(&emulator, "a", "A");
    metric(&emulator, "quiet", "Q");
    let actions_of =
        json!({ "AlarmActions": ["arn:aws:sns:us-east-1:123456789012:topic"], "ActionsSuppressor": "quiet" });
    composite(&emulator, "loud", "ALARM(a)", &actions_of);
    for (minute, quiet, expected) in [(0, 9.0, 0), (5, 1.0, 1)] {
        put(&emulator, "Q", minute, quiet);
        put(&emulator, "A", minute, 9.0);
        minutes(&emulator, 1).await;
        assert_eq!(
            (&shown(&emulator, "loud")["StateValue"], actions(&emulator, "loud")),
            (&json!("ALARM"), expected)
        );
        minutes(&emulator, 4).await;
        assert_eq!(shown(&emulator, "loud")["StateValue"], "OK");
    }
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
}
