//! What CloudWatch refuses, and with which code.

use proptest::prelude::*;
use scaling_emulator::cloudwatch;
use scaling_emulator::{Region, Settings};
use serde_json::{Map, Value, json};

use crate::support::{START, code, done, emulator, query};

/// A structure with some members replaced; null takes one away.
fn with(base: &Value, changes: &Value) -> Value {
    let mut whole = base.clone();
    for (member, value) in changes.as_object().unwrap() {
        whole[member] = value.clone();
    }
    whole
}

#[tokio::test]
async fn put_metric_data_keeps_the_services_limits() {
    let emulator = emulator().await;
    let put = |datum: Value| json!({ "Namespace": "Shop", "MetricData": [datum] });
    let base = json!({ "MetricName": "A", "Value": 1.0 });
    let dimensions = |count: usize| {
        (0..count).map(|number| json!({ "Name": format!("d{number}"), "Value": "x" })).collect::<Vec<_>>()
    };
    done(&emulator, "PutMetricData", put(with(&base, &json!({ "Dimensions": dimensions(30) }))));
    let set = json!({ "SampleCount": 2.0, "Sum": 3.0, "Minimum": 1.0, "Maximum": 2.0 });
    for (changes, expected) in [
        (json!({ "Value": "NaN" }), "InvalidParameterValue"),
        (json!({ "Value": "Infinity" }), "InvalidParameterValue"),
        (json!({ "Value": 1e200 }), "InvalidParameterValue"),
        (json!({ "Value": null }), "MissingParameter"),
        (json!({ "MetricName": null }), "MissingParameter"),
        (json!({ "MetricName": "" }), "InvalidParameterValue"),
        (json!({ "Value": "many" }), "SerializationException"),
        (json!({ "Unit": "Bananas" }), "InvalidParameterValue"),
        (json!({ "StorageResolution": 30 }), "InvalidParameterValue"),
        (json!({ "Timestamp": START - 15 * 86_400 }), "InvalidParameterValue"),
        (json!({ "Timestamp": START + 3 * 3600 }), "InvalidParameterValue"),
        (json!({ "Dimensions": dimensions(31) }), "InvalidParameterValue"),
        (json!({ "Dimensions": [{ "Name": "", "Value": "x" }] }), "InvalidParameterValue"),
        (json!({ "Dimensions": [dimensions(1)[0], dimensions(1)[0]] }), "InvalidParameterValue"),
        (json!({ "StatisticValues": set }), "InvalidParameterCombination"),
        (
            json!({ "Value": null, "StatisticValues": with(&set, &json!({ "Sum": null })) }),
            "MissingParameter",
        ),
        (
            json!({ "Value": null, "StatisticValues": with(&set, &json!({ "Minimum": 5.0 })) }),
            "InvalidParameterValue",
        ),
        (json!({ "Value": null, "Values": [1.0, 2.0], "Counts": [1.0] }), "InvalidParameterValue"),
        (json!({ "Value": null, "Values": [1.0], "Counts": [0.0] }), "InvalidParameterValue"),
        (json!({ "Value": null, "Values": vec![1.0; 151] }), "InvalidParameterValue"),
    ] {
        assert_eq!(code(&emulator, "PutMetricData", put(with(&base, &changes))), expected, "{changes}");
    }
    let many = |count: usize| json!({ "Namespace": "Shop", "MetricData": vec![base.clone(); count] });
    done(&emulator, "PutMetricData", many(1000));
    assert_eq!(code(&emulator, "PutMetricData", many(1001)), "InvalidParameterValue");
    assert_eq!(code(&emulator, "PutMetricData", many(0)), "MissingParameter");
    assert_eq!(code(&emulator, "PutMetricData", json!({ "MetricData": [base] })), "MissingParameter");
    for reserved in ["AWS/EC2", "AWS/", ":AWS"] {
        let input = json!({ "Namespace": reserved, "MetricData": [base] });
        assert_eq!(code(&emulator, "PutMetricData", input), "InvalidParameterValue", "{reserved}");
    }
    done(&emulator, "PutMetricData", json!({ "Namespace": "AWSShop", "MetricData": [base] }));
}

#[tokio::test]
async fn one_faulty_datum_refuses_the_whole_call() {
    let emulator = emulator().await;
    let data = json!([{ "MetricName": "A", "Value": 1.0 }, { "MetricName": "B" }]);
    let input = json!({ "Namespace": "Shop", "MetricData": data });
    assert_eq!(code(&emulator, "PutMetricData", input), "MissingParameter");
    assert_eq!(done(&emulator, "ListMetrics", json!({ "Namespace": "Shop" }))["Metrics"], json!([]));
}

#[tokio::test]
async fn get_metric_data_keeps_the_services_limits() {
    let emulator = emulator().await;
    let one = query("m1", ("Shop", "A"), &[], "Sum");
    let base = json!({ "MetricDataQueries": [one], "StartTime": START, "EndTime": START + 600 });
    let queries = |count: usize| -> Vec<Value> {
        (0..count).map(|number| query(&format!("q{number}"), ("Shop", "A"), &[], "Sum")).collect()
    };
    done(&emulator, "GetMetricData", with(&base, &json!({ "MetricDataQueries": queries(500) })));
    let stat = |member: &str, value: Value| {
        let mut changed = one.clone();
        changed["MetricStat"][member] = value;
        json!({ "MetricDataQueries": [changed] })
    };
    let math = |text: &str| json!({ "MetricDataQueries": [one, { "Id": "e", "Expression": text }] });
    for (changes, expected) in [
        (json!({ "MetricDataQueries": queries(501) }), "ValidationError"),
        (json!({ "MetricDataQueries": [] }), "MissingParameter"),
        (json!({ "MetricDataQueries": [one, one] }), "ValidationError"),
        (json!({ "MetricDataQueries": [with(&one, &json!({ "Id": "M1" }))] }), "ValidationError"),
        (json!({ "MetricDataQueries": [with(&one, &json!({ "Id": null }))] }), "ValidationError"),
        (json!({ "MetricDataQueries": [with(&one, &json!({ "Expression": "1" }))] }), "ValidationError"),
        (
            json!({ "MetricDataQueries": [{ "Id": "a", "Expression": "b" }, { "Id": "b", "Expression": "a" }] }),
            "ValidationError",
        ),
        (stat("Period", json!(90)), "ValidationError"),
        (stat("Period", json!(0)), "ValidationError"),
        (stat("Period", json!(86_460)), "ValidationError"),
        (stat("Stat", json!("Mean")), "ValidationError"),
        (stat("Metric", json!({ "MetricName": "A" })), "ValidationError"),
        (stat("Unit", json!("Bananas")), "ValidationError"),
        (math("SEARCH('{AWS/EC2}', 'Average', 300)"), "ValidationError"),
        (math("m2 + 1"), "ValidationError"),
        (math("1 + 1"), "ValidationError"),
        (json!({ "StartTime": START + 600 }), "ValidationError"),
        (json!({ "StartTime": null }), "ValidationError"),
        (json!({ "StartTime": 1e300 }), "ValidationError"),
        (json!({ "StartTime": "soon" }), "SerializationException"),
        (json!({ "ScanBy": "Random" }), "ValidationError"),
        (json!({ "MaxDatapoints": 0 }), "ValidationError"),
        (json!({ "MaxDatapoints": 100_801 }), "ValidationError"),
        (json!({ "NextToken": "next" }), "InvalidNextToken"),
    ] {
        assert_eq!(code(&emulator, "GetMetricData", with(&base, &changes)), expected, "{changes}");
    }
}

#[tokio::test]
async fn get_metric_statistics_keeps_the_services_limits() {
    let emulator = emulator().await;
    let base = json!({
        "Namespace": "Shop", "MetricName": "A", "StartTime": START, "EndTime": START + 1440 * 60, "Period": 60,
        "Statistics": ["Sum"],
    });
    done(&emulator, "GetMetricStatistics", base.clone());
    let odd = |periods: i64| json!({ "StartTime": START + 17, "EndTime": START + 17 + periods * 60 });
    done(&emulator, "GetMetricStatistics", with(&base, &odd(1440)));
    for (changes, expected) in [
        (json!({ "EndTime": START + 1441 * 60 }), "InvalidParameterCombination"),
        (odd(1441), "InvalidParameterCombination"),
        (json!({ "EndTime": START }), "InvalidParameterValue"),
        (json!({ "Statistics": [] }), "MissingParameter"),
        (json!({ "ExtendedStatistics": ["p95"] }), "InvalidParameterCombination"),
        (json!({ "Statistics": ["p95"] }), "InvalidParameterValue"),
        (json!({ "Period": 45 }), "InvalidParameterValue"),
        (json!({ "Period": null }), "MissingParameter"),
        (json!({ "Namespace": null }), "MissingParameter"),
        (json!({ "Unit": "Bananas" }), "InvalidParameterValue"),
    ] {
        assert_eq!(code(&emulator, "GetMetricStatistics", with(&base, &changes)), expected, "{changes}");
    }
}

#[tokio::test]
async fn put_metric_alarm_keeps_the_services_limits() {
    let emulator = emulator().await;
    let base = json!({
        "AlarmName": "a", "Namespace": "Shop", "MetricName": "A", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 3, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    done(&emulator, "PutMetricAlarm", base.clone());
    let week = json!({ "Period": 3600, "EvaluationPeriods": 168 });
    done(&emulator, "PutMetricAlarm", with(&base, &week));
    let math = |metrics: Value| json!({ "MetricName": null, "Namespace": null, "Statistic": null, "Period": null, "Metrics": metrics });
    let one = query("m1", ("Shop", "A"), &[], "Sum");
    let other = with(&query("m2", ("Shop", "A"), &[], "Sum"), &json!({ "ReturnData": false }));
    let mut slower = other.clone();
    slower["MetricStat"]["Period"] = json!(300);
    done(&emulator, "PutMetricAlarm", with(&base, &math(json!([one, other]))));
    let arns = |count: usize| vec!["arn:aws:sns:us-east-1:123456789012:topic"; count];
    for changes in [
        json!({ "AlarmName": null }),
        json!({ "AlarmName": "" }),
        json!({ "AlarmName": "x".repeat(256) }),
        json!({ "EvaluationPeriods": 0 }),
        json!({ "EvaluationPeriods": null }),
        json!({ "EvaluationPeriods": 1441 }),
        json!({ "Period": 3600, "EvaluationPeriods": 169 }),
        json!({ "DatapointsToAlarm": 4 }),
        json!({ "DatapointsToAlarm": 0 }),
        json!({ "Period": 5 }),
        json!({ "Period": 90 }),
        json!({ "Period": null }),
        json!({ "Threshold": null }),
        json!({ "Threshold": "NaN" }),
        json!({ "ComparisonOperator": "LessThanLowerThreshold" }),
        json!({ "Statistic": null }),
        json!({ "Statistic": "p95" }),
        json!({ "ExtendedStatistic": "p95" }),
        json!({ "Statistic": null, "ExtendedStatistic": "tm190" }),
        json!({ "TreatMissingData": "guess" }),
        json!({ "EvaluateLowSampleCountPercentile": "guess" }),
        json!({ "AlarmActions": ["lambda"] }),
        json!({ "OKActions": arns(6) }),
        json!({ "MetricName": null }),
        json!({ "Metrics": [one] }),
        with(&math(json!([one])), &json!({ "Unit": "Count" })),
        math(json!([other])),
        math(json!([one, slower])),
        math(json!([{ "Id": "e", "Expression": "FILL(e, 0)" }])),
    ] {
        assert_eq!(code(&emulator, "PutMetricAlarm", with(&base, &changes)), "ValidationError", "{changes}");
    }
}

#[tokio::test]
async fn names_tags_and_kinds_of_history_have_their_bounds() {
    let emulator = emulator().await;
    let tags = |count: usize| -> Value {
        (0..count).map(|number| json!({ "Key": format!("k{number}"), "Value": "v" })).collect()
    };
    let metric = json!({
        "AlarmName": "a", "Namespace": "Shop", "MetricName": "A", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold", "Tags": tags(50),
    });
    done(&emulator, "PutMetricAlarm", metric.clone());
    let long = "n".repeat(256);
    let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a";
    for (operation, input, expected) in [
        ("PutMetricAlarm", with(&metric, &json!({ "AlarmName": long })), "ValidationError"),
        ("PutMetricAlarm", with(&metric, &json!({ "AlarmName": "b", "Tags": tags(51) })), "LimitExceeded"),
        ("PutCompositeAlarm", json!({ "AlarmName": long, "AlarmRule": "ALARM(a)" }), "ValidationError"),
        (
            "PutCompositeAlarm",
            json!({ "AlarmName": "b", "AlarmRule": "ALARM(a)", "Tags": tags(51) }),
            "LimitExceeded",
        ),
        (
            "TagResource",
            json!({ "ResourceARN": arn, "Tags": [{ "Key": "one-more", "Value": "v" }] }),
            "InvalidParameterValue",
        ),
        ("DescribeAlarmHistory", json!({ "HistoryItemType": "Odd" }), "ValidationError"),
    ] {
        assert_eq!(code(&emulator, operation, input), expected, "{operation}");
    }
    done(&emulator, "TagResource", json!({ "ResourceARN": arn, "Tags": tags(50) }));
    done(&emulator, "DescribeAlarmHistory", json!({ "HistoryItemType": "AlarmContributorAction" }));
    let of_metric =
        done(&emulator, "DescribeAlarmsForMetric", json!({ "Namespace": "Shop", "MetricName": "A" }));
    assert_eq!(of_metric.as_object().unwrap().keys().collect::<Vec<_>>(), ["MetricAlarms"]);
}

#[tokio::test]
async fn an_operation_that_there_is_not_is_an_invalid_action() {
    let emulator = emulator().await;
    assert_eq!(code(&emulator, "PutInsightRule", json!({})), "InvalidAction");
}

const OPERATIONS: [&str; 15] = [
    "DeleteAlarms",
    "DescribeAlarmHistory",
    "DescribeAlarms",
    "DescribeAlarmsForMetric",
    "DisableAlarmActions",
    "EnableAlarmActions",
    "GetMetricData",
    "GetMetricStatistics",
    "ListMetrics",
    "ListTagsForResource",
    "PutMetricAlarm",
    "PutMetricData",
    "SetAlarmState",
    "TagResource",
    "UntagResource",
];

fn any_member() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0_i64..400).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop::sample::select(vec![
            "A",
            "m1",
            "Sum",
            "p95",
            "NaN",
            "m1/0",
            "GreaterThanThreshold",
            "OK",
            "arn:a:b:c:d:e"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            members(inner).prop_map(Value::Object),
        ]
    })
}

fn members(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let names = vec![
        "AlarmName",
        "AlarmNames",
        "ComparisonOperator",
        "Dimensions",
        "EndTime",
        "EvaluationPeriods",
        "Expression",
        "Id",
        "MaxDatapoints",
        "MaxRecords",
        "Metric",
        "MetricData",
        "MetricDataQueries",
        "MetricName",
        "MetricStat",
        "Metrics",
        "Name",
        "Namespace",
        "NextToken",
        "Period",
        "StartTime",
        "Stat",
        "StateReason",
        "StateValue",
        "Statistic",
        "StatisticValues",
        "Statistics",
        "Tags",
        "Threshold",
        "Timestamp",
        "Value",
        "Values",
    ];
    let entry = (prop::sample::select(names).prop_map(str::to_owned), value);
    prop::collection::vec(entry, 0..10).prop_map(|entries| entries.into_iter().collect())
}

proptest! {
    #[test]
    fn any_input_is_answered_or_refused_as_the_callers_fault(
        operation in prop::sample::select(OPERATIONS.to_vec()),
        input in members(any_member()),
    ) {
        let mut region = Region::new(&Settings::default());
        if let Err(error) = cloudwatch::dispatch(&mut region, operation, Value::Object(input)) {
            prop_assert!(error.sender && error.status < 500, "{error}");
        }
        let _ = cloudwatch::evaluate_alarms(&mut region);
    }
}

#[tokio::test]
async fn descriptions_and_tags_of_alarms_have_their_lengths() {
    let emulator = emulator().await;
    let metric = json!({
        "AlarmName": "a", "Namespace": "Shop", "MetricName": "A", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
    });
    let composite = json!({ "AlarmName": "c", "AlarmRule": "TRUE" });
    for (operation, base) in [("PutMetricAlarm", &metric), ("PutCompositeAlarm", &composite)] {
        for changes in [
            json!({ "AlarmDescription": "a".repeat(1025) }),
            json!({ "Tags": [{ "Key": "", "Value": "v" }] }),
            json!({ "Tags": [{ "Key": "k".repeat(129), "Value": "v" }] }),
            json!({ "Tags": [{ "Key": "k", "Value": "v".repeat(257) }] }),
        ] {
            assert_eq!(code(&emulator, operation, with(base, &changes)), "ValidationError", "{operation}");
        }
        done(&emulator, operation, with(base, &json!({ "AlarmDescription": "a".repeat(1024) })));
    }
    let tags = json!([{ "Key": "k".repeat(129), "Value": "v" }]);
    let tag = json!({ "ResourceARN": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a", "Tags": tags });
    assert_eq!(code(&emulator, "TagResource", tag), "InvalidParameterValue");
}
