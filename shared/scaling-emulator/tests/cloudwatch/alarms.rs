//! Alarms: their state follows what they watch, and their changes are told and acted on.

use scaling_emulator::Emulator;
use scaling_emulator::cloudwatch;
use scaling_emulator::lambda::Invocation;
use serde_json::{Value, json};

use crate::support::{START, code, done, emulator, minutes, put, query, serving};

const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:topic";
const FUNCTION: &str = "arn:aws:lambda:us-east-1:123456789012:function:scale:live";

/// An alarm on the sum of `Shop` `A` above 5 in 2 of 3 minutes, with changes.
fn alarm(emulator: &Emulator, name: &str, changes: &Value) {
    let mut input = json!({
        "AlarmName": name, "Namespace": "Shop", "MetricName": "A", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 3, "DatapointsToAlarm": 2, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    for (member, value) in changes.as_object().unwrap() {
        input[member] = value.clone();
    }
    done(emulator, "PutMetricAlarm", input);
}

fn shown(emulator: &Emulator, name: &str) -> Value {
    done(emulator, "DescribeAlarms", json!({ "AlarmNames": [name] }))["MetricAlarms"][0].clone()
}

fn state(emulator: &Emulator, name: &str) -> String {
    shown(emulator, name)["StateValue"].as_str().unwrap().to_owned()
}

/// Puts one value a minute and lets each minute pass; the state after each.
async fn states(emulator: &Emulator, name: &str, first: i64, values: &[f64]) -> Vec<String> {
    let mut states = Vec::new();
    for (minute, value) in (first..).zip(values) {
        if !value.is_nan() {
            put(emulator, "A", minute, *value);
        }
        minutes(emulator, 1).await;
        states.push(state(emulator, name));
    }
    states
}

/// A minute without a value.
const GAP: f64 = f64::NAN;

#[tokio::test]
async fn the_state_follows_m_of_n_minutes() {
    let emulator = emulator().await;
    alarm(&emulator, "a", &json!({}));
    assert_eq!(state(&emulator, "a"), "INSUFFICIENT_DATA");
    let states = states(&emulator, "a", 0, &[1.0, 9.0, 1.0, 9.0, 9.0, 1.0, 1.0]).await;
    assert_eq!(states, ["OK", "OK", "OK", "ALARM", "ALARM", "ALARM", "OK"]);
}

#[tokio::test]
async fn missing_minutes_count_as_the_alarm_says() {
    for (treatment, expected) in [
        ("missing", ["OK", "OK", "OK", "OK", "OK", "INSUFFICIENT_DATA"]),
        ("ignore", ["OK"; 6]),
        ("notBreaching", ["OK"; 6]),
        // Older points bridge two minutes; one more is outvoted, from then on there are enough to breach.
        ("breaching", ["OK", "OK", "OK", "OK", "ALARM", "ALARM"]),
    ] {
        let emulator = emulator().await;
        alarm(&emulator, "a", &json!({ "TreatMissingData": treatment }));
        put(&emulator, "A", -2, 1.0);
        put(&emulator, "A", -1, 1.0);
        let states = states(&emulator, "a", 0, &[1.0, GAP, GAP, GAP, GAP, GAP]).await;
        assert_eq!(states, expected, "{treatment}");
    }
}

#[tokio::test]
async fn a_change_is_told_with_its_reason_and_kept_in_the_history() {
    let emulator = emulator().await;
    alarm(&emulator, "a", &json!({ "OKActions": [TOPIC], "AlarmActions": [TOPIC, FUNCTION] }));
    states(&emulator, "a", 0, &[1.0, 9.0, 8.0]).await;
    let alarm = shown(&emulator, "a");
    assert_eq!(
        alarm["StateReason"],
        "Threshold Crossed: 2 out of the last 3 datapoints [8.0 (05/01/26 00:02:00), 9.0 (05/01/26 00:01:00)] were \
         greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."
    );
    assert_eq!(alarm["StateUpdatedTimestamp"], (START + 180) as f64);
    let data: Value = serde_json::from_str(alarm["StateReasonData"].as_str().unwrap()).unwrap();
    assert_eq!(data["recentDatapoints"], json!([1.0, 9.0, 8.0]));
    assert_eq!(data["startDate"], "2026-01-05T00:00:00.000+0000");
    assert_eq!((&data["statistic"], &data["threshold"]), (&json!("Sum"), &json!(5.0)));
    let history = |input: Value| done(&emulator, "DescribeAlarmHistory", input);
    let all = history(json!({ "AlarmName": "a", "ScanBy": "TimestampAscending" }));
    let summaries: Vec<&str> = all["AlarmHistoryItems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["HistorySummary"].as_str().unwrap())
        .collect();
    assert_eq!(
        summaries,
        [
            "Alarm \"a\" created".to_owned(),
            "Alarm updated from INSUFFICIENT_DATA to OK".to_owned(),
            format!("Successfully executed action {TOPIC}"),
            "Alarm updated from OK to ALARM".to_owned(),
            format!("Successfully executed action {TOPIC}"),
            format!("Successfully executed action {FUNCTION}"),
        ]
    );
    let page = history(json!({ "HistoryItemType": "StateUpdate", "MaxRecords": 1 }));
    assert_eq!(page["AlarmHistoryItems"][0]["HistorySummary"], "Alarm updated from OK to ALARM");
    assert!(page["NextToken"].is_string());
}

#[tokio::test]
async fn the_event_has_the_form_of_direct_lambda_actions() {
    let emulator = emulator().await;
    let dimensions = json!([{ "Name": "Shelf", "Value": "7" }]);
    let changes = json!({ "AlarmDescription": "Too much", "AlarmActions": [FUNCTION], "Dimensions": dimensions, "Unit": "Count" });
    alarm(&emulator, "a", &changes);
    let reason = json!({ "AlarmName": "a", "StateValue": "ALARM", "StateReason": "test" });
    let set = |input: Value| {
        emulator.with_region(|region| {
            cloudwatch::dispatch(region, "SetAlarmState", input).unwrap();
            cloudwatch::take_invocations(region)
        })
    };
    let invocations = set(reason.clone());
    assert_eq!(set(reason), []);
    let [Invocation { function, payload }] = invocations.try_into().unwrap();
    assert_eq!(function, "scale");
    let id = payload["alarmData"]["configuration"]["metrics"][0]["id"].clone();
    assert_eq!(id.as_str().unwrap().len(), 36);
    let expected = json!({
        "source": "aws.cloudwatch",
        "alarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a",
        "accountId": "123456789012",
        "time": "2026-01-05T00:00:00.000+0000",
        "region": "us-east-1",
        "alarmData": {
            "alarmName": "a",
            "state": { "value": "ALARM", "reason": "test", "timestamp": "2026-01-05T00:00:00.000+0000" },
            "previousState": {
                "value": "INSUFFICIENT_DATA",
                "reason": "Unchecked: Initial alarm creation",
                "timestamp": "2026-01-05T00:00:00.000+0000",
            },
            "configuration": {
                "description": "Too much",
                "metrics": [{
                    "id": id,
                    "metricStat": {
                        "metric": { "namespace": "Shop", "name": "A", "dimensions": { "Shelf": "7" } },
                        "period": 60,
                        "stat": "Sum",
                        "unit": "Count",
                    },
                    "returnData": true,
                }],
            },
        },
    });
    assert_eq!(payload, expected);
}

#[tokio::test]
async fn a_set_state_lasts_until_the_next_evaluation() {
    let emulator = emulator().await;
    alarm(&emulator, "a", &json!({}));
    states(&emulator, "a", 0, &[1.0]).await;
    let set =
        json!({ "AlarmName": "a", "StateValue": "ALARM", "StateReason": "test", "StateReasonData": "{}" });
    done(&emulator, "SetAlarmState", set.clone());
    assert_eq!(state(&emulator, "a"), "ALARM");
    minutes(&emulator, 1).await;
    assert_eq!(state(&emulator, "a"), "OK");
    let changed = |member: &str, value: &str| {
        let mut input = set.clone();
        input[member] = json!(value);
        code(&emulator, "SetAlarmState", input)
    };
    assert_eq!(changed("AlarmName", "b"), "ResourceNotFound");
    assert_eq!(changed("StateValue", "ALARMED"), "ValidationError");
    assert_eq!(changed("StateReasonData", "{"), "InvalidFormat");
    assert_eq!(changed("StateReason", &"x".repeat(1024)), "ValidationError");
    assert_eq!(changed("StateReasonData", &format!("\"{}\"", "x".repeat(3999))), "ValidationError");
    let many: Vec<String> = (0..101).map(|number| format!("a{number}")).collect();
    assert_eq!(code(&emulator, "DescribeAlarms", json!({ "AlarmNames": many })), "ValidationError");
}

#[tokio::test]
async fn switched_off_actions_change_the_state_and_set_off_nothing() {
    let emulator = emulator().await;
    alarm(&emulator, "a", &json!({ "AlarmActions": [FUNCTION], "EvaluationPeriods": 2 }));
    let set = || {
        emulator.with_region(|region| {
            for state in ["OK", "ALARM"] {
                let input = json!({ "AlarmName": "a", "StateValue": state, "StateReason": "test" });
                cloudwatch::dispatch(region, "SetAlarmState", input).unwrap();
            }
            cloudwatch::take_invocations(region).len()
        })
    };
    done(&emulator, "DisableAlarmActions", json!({ "AlarmNames": ["a", "unknown"] }));
    assert_eq!((set(), shown(&emulator, "a")["ActionsEnabled"].clone()), (0, json!(false)));
    done(&emulator, "EnableAlarmActions", json!({ "AlarmNames": ["a"] }));
    assert_eq!((set(), shown(&emulator, "a")["ActionsEnabled"].clone()), (1, json!(true)));
}

#[tokio::test]
async fn an_alarm_on_the_fleet_follows_its_load() {
    let emulator = serving(20.0).await;
    let dimensions = json!([{ "Name": "AutoScalingGroupName", "Value": "web" }]);
    alarm(
        &emulator,
        "busy",
        &json!({
            "Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": dimensions, "Statistic": "Average",
            "Threshold": 0.1, "EvaluationPeriods": 3, "DatapointsToAlarm": 3,
        }),
    );
    minutes(&emulator, 2).await;
    assert_eq!(state(&emulator, "busy"), "INSUFFICIENT_DATA");
    minutes(&emulator, 1).await;
    assert_eq!(state(&emulator, "busy"), "ALARM");
}

#[tokio::test]
async fn an_alarm_on_an_expression_watches_the_query_that_returns_data() {
    let emulator = emulator().await;
    let part = |id: &str, name: &str| {
        let mut part = query(id, ("Shop", name), &[], "Sum");
        part["ReturnData"] = json!(false);
        part
    };
    let metrics = json!([
        { "Id": "share", "Expression": "100 * e / r", "Label": "Share" }, part("e", "Errors"), part("r", "Requests"),
    ]);
    let input = json!({
        "AlarmName": "share", "Metrics": metrics, "EvaluationPeriods": 1, "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
        "AlarmActions": [FUNCTION],
    });
    done(&emulator, "PutMetricAlarm", input);
    for (minute, errors, expected) in [(0, 4.0, "OK"), (1, 5.0, "ALARM")] {
        put(&emulator, "Errors", minute, errors);
        put(&emulator, "Requests", minute, 100.0);
        minutes(&emulator, 1).await;
        assert_eq!(state(&emulator, "share"), expected);
    }
    let alarm = shown(&emulator, "share");
    assert_eq!(alarm["Metrics"], metrics);
    assert!(alarm.get("MetricName").is_none());
}

#[tokio::test]
async fn a_high_resolution_alarm_does_not_wait_for_the_minute() {
    let emulator = emulator().await;
    alarm(&emulator, "fast", &json!({ "Period": 10, "EvaluationPeriods": 1, "DatapointsToAlarm": 1 }));
    let datum = json!({ "MetricName": "A", "Timestamp": START + 12, "Value": 9.0, "StorageResolution": 1 });
    done(&emulator, "PutMetricData", json!({ "Namespace": "Shop", "MetricData": [datum] }));
    emulator.advance(std::time::Duration::from_secs(30)).await.unwrap();
    assert_eq!(state(&emulator, "fast"), "ALARM");
}

#[tokio::test]
async fn a_percentile_of_few_samples_changes_nothing_where_the_alarm_asks_for_that() {
    let emulator = emulator().await;
    for (name, low) in [("patient", "ignore"), ("eager", "evaluate")] {
        let changes = json!({
            "Statistic": null, "ExtendedStatistic": "p90", "EvaluateLowSampleCountPercentile": low,
            "EvaluationPeriods": 1, "DatapointsToAlarm": 1,
        });
        alarm(&emulator, name, &changes);
    }
    let put_samples = |minute: i64, count: f64| {
        let datum = json!({ "MetricName": "A", "Timestamp": START + 60 * minute, "Values": [9.0], "Counts": [count] });
        done(&emulator, "PutMetricData", json!({ "Namespace": "Shop", "MetricData": [datum] }));
    };
    put_samples(0, 99.0);
    minutes(&emulator, 1).await;
    assert_eq!([state(&emulator, "patient"), state(&emulator, "eager")], ["INSUFFICIENT_DATA", "ALARM"]);
    put_samples(1, 101.0);
    minutes(&emulator, 1).await;
    assert_eq!(state(&emulator, "patient"), "ALARM");
}

#[tokio::test]
async fn alarms_are_found_by_name_prefix_state_and_action_in_pages() {
    let emulator = emulator().await;
    for number in 0..60 {
        let actions = if number == 7 { json!([FUNCTION]) } else { json!([]) };
        alarm(&emulator, &format!("scaling/g{number:02}/cpu"), &json!({ "AlarmActions": actions }));
    }
    alarm(&emulator, "other", &json!({ "Namespace": "Elsewhere" }));
    let names = |input: Value| -> Vec<String> {
        let output = done(&emulator, "DescribeAlarms", input);
        let alarms = output["MetricAlarms"].as_array().unwrap();
        alarms.iter().map(|alarm| alarm["AlarmName"].as_str().unwrap().to_owned()).collect()
    };
    let first = done(&emulator, "DescribeAlarms", json!({}));
    assert_eq!(first["MetricAlarms"].as_array().unwrap().len(), 50);
    assert_eq!(names(json!({ "NextToken": first["NextToken"] })).len(), 11);
    assert_eq!(names(json!({ "AlarmNamePrefix": "scaling/g1", "MaxRecords": 100 })).len(), 10);
    assert_eq!(names(json!({ "ActionPrefix": "arn:aws:lambda" })), ["scaling/g07/cpu"]);
    assert_eq!(names(json!({ "AlarmTypes": ["CompositeAlarm"] })), Vec::<String>::new());
    let set = json!({ "AlarmName": "other", "StateValue": "OK", "StateReason": "test" });
    done(&emulator, "SetAlarmState", set);
    assert_eq!(names(json!({ "StateValue": "OK" })), ["other"]);
    let on_metric =
        done(&emulator, "DescribeAlarmsForMetric", json!({ "Namespace": "Elsewhere", "MetricName": "A" }));
    assert_eq!(on_metric["MetricAlarms"][0]["AlarmName"], "other");
    for input in [json!({ "MaxRecords": 101 }), json!({ "AlarmNames": ["a"], "AlarmNamePrefix": "a" })] {
        assert_eq!(code(&emulator, "DescribeAlarms", input), "ValidationError");
    }
    done(&emulator, "DeleteAlarms", json!({ "AlarmNames": ["other", "unknown"] }));
    assert_eq!(names(json!({ "AlarmNames": ["other"] })), Vec::<String>::new());
}

#[tokio::test]
async fn putting_an_alarm_again_keeps_its_state_and_its_tags() {
    let emulator = emulator().await;
    let tags = json!([{ "Key": "team", "Value": "shop" }]);
    alarm(&emulator, "a", &json!({ "Tags": tags }));
    states(&emulator, "a", 0, &[1.0]).await;
    alarm(&emulator, "a", &json!({ "Threshold": 0.5, "Tags": [{ "Key": "late", "Value": "x" }] }));
    assert_eq!(state(&emulator, "a"), "OK");
    let arn = shown(&emulator, "a")["AlarmArn"].clone();
    let listed = || done(&emulator, "ListTagsForResource", json!({ "ResourceARN": arn }))["Tags"].clone();
    assert_eq!(listed(), tags);
    done(
        &emulator,
        "TagResource",
        json!({ "ResourceARN": arn, "Tags": [{ "Key": "env", "Value": "test" }] }),
    );
    done(&emulator, "UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["team"] }));
    assert_eq!(listed(), json!([{ "Key": "env", "Value": "test" }]));
    assert_eq!(
        code(&emulator, "ListTagsForResource", json!({ "ResourceARN": "arn:x" })),
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn the_history_of_a_configuration_tells_the_whole_alarm() {
    let emulator = emulator().await;
    for changes in [json!({}), json!({ "Threshold": 7.0 })] {
        let mut input = json!({
            "AlarmName": "told", "Namespace": "Shop", "MetricName": "A", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
            "Dimensions": [{ "Name": "Shop", "Value": "one" }], "OKActions": [TOPIC],
        });
        for (member, value) in changes.as_object().unwrap() {
            input[member] = value.clone();
        }
        done(&emulator, "PutMetricAlarm", input);
    }
    done(&emulator, "PutCompositeAlarm", json!({ "AlarmName": "over", "AlarmRule": "ALARM(told)" }));
    let told = |name: &str| -> Vec<Value> {
        let input = json!({
            "AlarmName": name, "HistoryItemType": "ConfigurationUpdate", "ScanBy": "TimestampAscending",
        });
        let items = done(&emulator, "DescribeAlarmHistory", input)["AlarmHistoryItems"].clone();
        let data = |item: &Value| serde_json::from_str(item["HistoryData"].as_str().unwrap()).unwrap();
        items.as_array().unwrap().iter().map(data).collect()
    };
    let over = told("over");
    assert_eq!(
        (&over[0]["type"], &over[0]["createdAlarm"]["alarmRule"]),
        (&json!("Create"), &json!("ALARM(told)"))
    );
    done(&emulator, "DeleteAlarms", json!({ "AlarmNames": ["over"] }));
    done(&emulator, "DeleteAlarms", json!({ "AlarmNames": ["told"] }));
    let expected =
        [("Create", "createdAlarm", 5.0), ("Update", "updatedAlarm", 7.0), ("Delete", "deletedAlarm", 7.0)];
    for (data, (kind, member, threshold)) in told("told").iter().zip(expected) {
        assert_eq!((&data["version"], &data["type"]), (&json!("1.0"), &json!(kind)));
        let alarm = &data[member];
        assert_eq!((&alarm["alarmName"], &alarm["threshold"]), (&json!("told"), &json!(threshold)), "{data}");
        assert_eq!(alarm["dimensions"], json!([{ "name": "Shop", "value": "one" }]));
        assert_eq!(alarm["okActions"], json!([TOPIC]));
    }
    assert_eq!(told("told").len(), 3);
}

fn reason(emulator: &Emulator, name: &str) -> String {
    shown(emulator, name)["StateReason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_reason_of_a_first_ok_names_no_transition_and_later_ones_do() {
    let emulator = emulator().await;
    alarm(&emulator, "a", &json!({}));
    states(&emulator, "a", 0, &[1.0]).await;
    let first =
        "Threshold Crossed: 1 datapoint [1.0 (05/01/26 00:00:00)] was not greater than the threshold (5.0).";
    assert_eq!(reason(&emulator, "a"), first);
    states(&emulator, "a", 1, &[9.0, 9.0]).await;
    assert!(reason(&emulator, "a").ends_with("(minimum 2 datapoints for OK -> ALARM transition)."));
    states(&emulator, "a", 3, &[1.0, 1.0]).await;
    assert!(reason(&emulator, "a").ends_with("(minimum 2 datapoints for ALARM -> OK transition)."));
    let raised = emulator_with_breach().await;
    assert!(reason(&raised, "a").ends_with("(minimum 2 datapoints for OK -> ALARM transition)."));
}

/// An emulator whose alarm `a` went from no data to `ALARM` by two values.
async fn emulator_with_breach() -> Emulator {
    let emulator = emulator().await;
    put(&emulator, "A", -1, 9.0);
    put(&emulator, "A", 0, 9.0);
    alarm(&emulator, "a", &json!({}));
    minutes(&emulator, 1).await;
    emulator
}

#[tokio::test]
async fn the_reason_tells_missing_minutes_that_counted() {
    let all_missing = |count: usize, word: &str| {
        format!(
            "Threshold Crossed: no datapoints were received for {count} periods and {count} missing datapoints were treated \
             as [{word}]."
        )
    };
    for (treatment, values, needed, expected) in [
        ("breaching", vec![GAP], 2, all_missing(3, "Breaching")),
        ("notBreaching", vec![GAP], 2, all_missing(3, "NonBreaching")),
        // What is left of the data lies within the threshold and bears nothing.
        ("breaching", vec![1.0, 1.0, 1.0, GAP, GAP, GAP, GAP], 2, all_missing(2, "Breaching")),
    ] {
        let emulator = emulator().await;
        alarm(&emulator, "a", &json!({ "TreatMissingData": treatment, "DatapointsToAlarm": needed }));
        states(&emulator, "a", 0, &values).await;
        assert_eq!(reason(&emulator, "a"), expected, "{treatment} {values:?}");
    }
}

#[tokio::test]
async fn the_reason_tells_the_missing_minutes_beside_those_that_decided() {
    for (treatment, value, expected) in [
        (
            "breaching",
            9.0,
            "Threshold Crossed: 1 out of the last 3 datapoints [9.0 (04/01/26 23:59:00)] was greater than the threshold \
             (5.0) and 2 missing datapoints were treated as [Breaching] (minimum 3 datapoints for OK -> ALARM transition).",
        ),
        (
            "notBreaching",
            1.0,
            "Threshold Crossed: 1 datapoint [1.0 (04/01/26 23:59:00)] was not greater than the threshold (5.0) and 2 \
             missing datapoints were treated as [NonBreaching].",
        ),
    ] {
        let emulator = emulator().await;
        put(&emulator, "A", -1, value);
        alarm(&emulator, "a", &json!({ "TreatMissingData": treatment, "DatapointsToAlarm": 3 }));
        minutes(&emulator, 1).await;
        assert_eq!(reason(&emulator, "a"), expected, "{treatment}");
    }
}
