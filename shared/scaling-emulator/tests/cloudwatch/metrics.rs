//! Metrics: what is put is read back, and the fleet's follow from its load.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{START, call, code, done, emulator, minutes, points, points_of, put, query, serving};

const GROUP: [(&str, &str); 1] = [("AutoScalingGroupName", "web")];
const BALANCER: [(&str, &str); 1] = [("LoadBalancer", "app/web/0123456789abcdef")];
const TARGETS: [(&str, &str); 1] = [("TargetGroup", "targetgroup/web/0123456789abcdef")];

fn values(
    emulator: &scaling_emulator::Emulator,
    metric: (&str, &str),
    on: &[(&str, &str)],
    stat: &str,
) -> Vec<f64> {
    points(emulator, &query("m", metric, on, stat), 10).into_iter().map(|(_, value)| value).collect()
}

#[tokio::test]
async fn values_statistics_and_counts_add_up_within_a_minute() {
    let emulator = emulator().await;
    let data = json!([
        { "MetricName": "Size", "Value": 4.0, "Unit": "Count" },
        { "MetricName": "Size", "Values": [1.0, 2.0], "Counts": [3.0, 1.0], "Unit": "Count" },
        { "MetricName": "Size", "Unit": "Count",
          "StatisticValues": { "SampleCount": 2.0, "Sum": 18.0, "Minimum": 9.0, "Maximum": 9.0 } },
    ]);
    done(&emulator, "PutMetricData", json!({ "Namespace": "Shop", "MetricData": data }));
    for (stat, expected) in [
        ("SampleCount", 7.0),
        ("Sum", 27.0),
        ("Average", 27.0 / 7.0),
        ("Minimum", 1.0),
        ("Maximum", 9.0),
        ("p50", 2.0),
        ("p100", 9.0),
        ("TC(1:4)", 2.0),
        ("TS(1:)", 24.0),
        ("tm50", 4.0 / 3.5),
        ("PR(:2)", 400.0 / 7.0),
    ] {
        let got = points(&emulator, &query("m", ("Shop", "Size"), &[], stat), 1);
        assert_eq!(got, [(0, expected)], "{stat}");
    }
}

#[tokio::test]
async fn a_high_resolution_metric_is_read_by_the_second_and_a_regular_one_by_the_minute() {
    let emulator = emulator().await;
    for (name, resolution) in [("Fast", 1), ("Slow", 60)] {
        let datum = |second: i64| json!({ "MetricName": name, "Timestamp": START + second, "Value": 1.0, "StorageResolution": resolution });
        let data = json!({ "Namespace": "Shop", "MetricData": [datum(3), datum(14), datum(15)] });
        done(&emulator, "PutMetricData", data);
    }
    let seconds = |name: &str| {
        let mut query = query("m", ("Shop", name), &[], "SampleCount");
        query["MetricStat"]["Period"] = json!(10);
        let input = json!({ "MetricDataQueries": [query], "StartTime": START, "EndTime": START + 60 });
        let output = done(&emulator, "GetMetricData", input);
        let result = &output["MetricDataResults"][0];
        (result["Timestamps"].clone(), result["Values"].clone())
    };
    let start = START as f64;
    assert_eq!(seconds("Fast"), (json!([start + 10.0, start]), json!([2.0, 1.0])));
    assert_eq!(seconds("Slow"), (json!([start]), json!([3.0])));
}

#[tokio::test]
async fn pages_of_metric_data_join_to_the_whole_in_both_orders() {
    let emulator = emulator().await;
    for minute in 0..50 {
        put(&emulator, "A", -minute, minute as f64);
        if minute % 2 == 0 {
            put(&emulator, "B", -minute, 0.0);
        }
    }
    let queries: Vec<Value> = [("a", "A"), ("b", "B"), ("c", "C")]
        .iter()
        .map(|(id, name)| query(id, ("Shop", name), &[], "Sum"))
        .collect();
    for order in ["TimestampAscending", "TimestampDescending"] {
        for most in [1, 7, 25, 50, 74, 75, 76, 100_800] {
            let mut request = json!({
                "MetricDataQueries": queries, "StartTime": START - 3600, "EndTime": START + 60, "ScanBy": order,
                "MaxDatapoints": most,
            });
            let (mut joined, mut pages) = (vec![Vec::new(); 3], 0);
            loop {
                let output = done(&emulator, "GetMetricData", request.clone());
                pages += 1;
                let results = output["MetricDataResults"].as_array().unwrap();
                let held: Vec<Vec<(i64, f64)>> = results.iter().map(points_of).collect();
                assert!(held.iter().map(Vec::len).sum::<usize>() <= most);
                for (result, held) in results.iter().zip(held) {
                    let position = ["a", "b", "c"].iter().position(|id| result["Id"] == **id).unwrap();
                    joined[position].extend(held);
                }
                let partial = results.iter().filter(|result| result["StatusCode"] == "PartialData").count();
                let Some(token) = output.get("NextToken") else {
                    assert_eq!(partial, 0);
                    break;
                };
                assert!(partial <= 1);
                request["NextToken"] = token.clone();
            }
            assert_eq!(pages, 75_usize.div_ceil(most), "{order} {most}");
            let times = |step: usize| -> Vec<i64> {
                let ascending = (-49..=0).rev().step_by(step).collect::<Vec<i64>>();
                if order == "TimestampDescending" { ascending } else { ascending.into_iter().rev().collect() }
            };
            let got: Vec<Vec<i64>> =
                joined.iter().map(|points| points.iter().map(|(minute, _)| *minute).collect()).collect();
            assert_eq!(got, [times(1), times(2), vec![]], "{order} {most}");
        }
    }
}

#[tokio::test]
async fn a_point_put_between_two_pages_neither_repeats_nor_hides_others() {
    let emulator = emulator().await;
    for minute in 0..4 {
        put(&emulator, "A", minute, 1.0);
    }
    let mut request = json!({
        "MetricDataQueries": [query("a", ("Shop", "A"), &[], "Sum")], "StartTime": START - 600, "EndTime": START + 600,
        "MaxDatapoints": 2,
    });
    let first = done(&emulator, "GetMetricData", request.clone());
    put(&emulator, "A", 4, 1.0);
    request["NextToken"] = first["NextToken"].clone();
    let second = done(&emulator, "GetMetricData", request.clone());
    let all =
        [points_of(&first["MetricDataResults"][0]), points_of(&second["MetricDataResults"][0])].concat();
    assert_eq!(all, [(3, 1.0), (2, 1.0), (1, 1.0), (0, 1.0)]);
    request["EndTime"] = json!(START + 660);
    assert_eq!(code(&emulator, "GetMetricData", request), "InvalidNextToken");
}

#[tokio::test]
async fn expressions_are_worked_out_over_the_metrics_they_name() {
    let emulator = emulator().await;
    for (minute, errors, requests) in [(0, 1.0, 100.0), (1, 5.0, 200.0), (3, 4.0, 100.0)] {
        put(&emulator, "Errors", minute, errors);
        put(&emulator, "Requests", minute, requests);
    }
    let mut hidden =
        [query("e", ("Shop", "Errors"), &[], "Sum"), query("r", ("Shop", "Requests"), &[], "Sum")];
    for query in &mut hidden {
        query["ReturnData"] = json!(false);
    }
    let [errors, requests] = hidden;
    let output = done(
        &emulator,
        "GetMetricData",
        json!({
            "MetricDataQueries": [
                { "Id": "filled", "Expression": "FILL(share, 0)", "Label": "Share" },
                { "Id": "share", "Expression": "100 * e / r" }, errors, requests,
            ],
            "StartTime": START, "EndTime": START + 240, "ScanBy": "TimestampAscending",
        }),
    );
    let results = output["MetricDataResults"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    assert_eq!(results[0]["Label"], "Share");
    assert_eq!(points_of(&results[0]), [(0, 1.0), (1, 2.5), (2, 0.0), (3, 4.0)]);
    assert_eq!(points_of(&results[1]), [(0, 1.0), (1, 2.5), (3, 4.0)]);
}

#[tokio::test]
async fn cpu_of_a_group_has_one_sample_for_each_serving_instance() {
    let emulator = serving(60.0).await;
    minutes(&emulator, 10).await;
    let cpu = |stat| values(&emulator, ("AWS/EC2", "CPUUtilization"), &GROUP, stat);
    assert_eq!(cpu("SampleCount"), [3.0; 10]);
    let (low, mean, high) = (cpu("Minimum"), cpu("Average"), cpu("Maximum"));
    for minute in 0..10 {
        assert!(low[minute] <= mean[minute] && mean[minute] <= high[minute]);
        assert!((1.0..=100.0).contains(&mean[minute]), "{}", mean[minute]);
    }
    let mut five = query("m", ("AWS/EC2", "CPUUtilization"), &GROUP, "Average");
    five["MetricStat"]["Period"] = json!(300);
    let rolled = points(&emulator, &five, 10);
    assert_eq!(rolled.iter().map(|(minute, _)| *minute).collect::<Vec<_>>(), [0, 5]);
    assert!((rolled[0].1 - mean[..5].iter().sum::<f64>() / 5.0).abs() < 1e-9);
    let id = emulator.with_region(|region| region.group("web").unwrap().members[0].id.clone());
    let single = values(&emulator, ("AWS/EC2", "CPUUtilization"), &[("InstanceId", &id)], "Average");
    assert_eq!(single.len(), 10);
    assert!(single.iter().zip(low.iter().zip(&high)).all(|(one, (low, high))| low <= one && one <= high));
}

#[tokio::test]
async fn memory_is_published_as_the_agent_does() {
    let emulator = serving(60.0).await;
    minutes(&emulator, 3).await;
    let id = emulator.with_region(|region| region.group("web").unwrap().members[0].id.clone());
    let group = GROUP[0];
    for dimensions in
        [vec![group], vec![("InstanceId", id.as_str())], vec![group, ("InstanceId", id.as_str())]]
    {
        let memory = values(&emulator, ("CWAgent", "mem_used_percent"), &dimensions, "Average");
        assert_eq!(memory.len(), 3, "{dimensions:?}");
        assert!(memory.iter().all(|percent| (1.0..=100.0).contains(percent)));
    }
    let stranger = [("AutoScalingGroupName", "other"), ("InstanceId", id.as_str())];
    assert!(values(&emulator, ("CWAgent", "mem_used_percent"), &stranger, "Average").is_empty());
}

#[tokio::test]
async fn a_load_balancer_counts_requests_and_tells_response_times() {
    let emulator = serving(50.0).await;
    minutes(&emulator, 10).await;
    let of = |metric, on: &[(&str, &str)], stat| values(&emulator, ("AWS/ApplicationELB", metric), on, stat);
    let both = [BALANCER[0], TARGETS[0]];
    let requests = of("RequestCount", &BALANCER, "Sum");
    assert_eq!(requests, of("RequestCount", &both, "Sum"));
    let total: f64 = requests.iter().sum();
    let counted: f64 =
        emulator.with_region(|region| region.minutes("web").map(|minute| minute.requests).sum());
    assert_eq!(total, counted);
    assert!((29_000.0..31_000.0).contains(&total), "{total}");
    let each = of("RequestCountPerTarget", &TARGETS, "Sum");
    assert!(each.iter().zip(&requests).all(|(each, all)| (each * 3.0 - all).abs() < 1e-6));
    let times = ["p50", "p95", "p99"].map(|stat| of("TargetResponseTime", &both, stat));
    let [p50, p95, p99] = &times;
    assert!(p50.iter().zip(p95).zip(p99).all(|((p50, p95), p99)| p50 < p95 && p95 < p99));
    assert_eq!(p50.len(), 10);
    assert_eq!(of("TargetResponseTime", &both, "Average").len(), 10);
    assert_eq!(of("HealthyHostCount", &both, "Average"), [3.0; 10]);
}

#[tokio::test]
async fn without_traffic_there_are_hosts_but_no_requests_and_no_response_times() {
    let emulator = serving(0.0).await;
    minutes(&emulator, 3).await;
    let both = [BALANCER[0], TARGETS[0]];
    let of = |metric, stat| values(&emulator, ("AWS/ApplicationELB", metric), &both, stat);
    assert!(of("RequestCount", "Sum").is_empty());
    assert!(of("TargetResponseTime", "p95").is_empty());
    assert_eq!(of("HealthyHostCount", "Minimum"), [3.0; 3]);
    assert_eq!(values(&emulator, ("AWS/EC2", "CPUUtilization"), &GROUP, "SampleCount"), [3.0; 3]);
}

#[tokio::test]
async fn sizes_of_a_group_are_published_where_it_collects_them() {
    let emulator = serving(10.0).await;
    minutes(&emulator, 2).await;
    let of = |metric| values(&emulator, ("AWS/AutoScaling", metric), &GROUP, "Average");
    for (metric, expected) in [
        ("GroupDesiredCapacity", 3.0),
        ("GroupInServiceInstances", 3.0),
        ("GroupPendingInstances", 0.0),
        ("GroupTerminatingInstances", 0.0),
        ("GroupTotalInstances", 3.0),
    ] {
        assert_eq!(of(metric), [expected; 2], "{metric}");
    }
    assert!(values(&emulator, ("AWS/AutoScaling", "GroupNoSuchSize"), &GROUP, "Average").is_empty());
}

#[tokio::test]
async fn a_minute_is_published_when_it_is_complete_and_the_delay_has_passed() {
    let emulator = serving(10.0).await;
    let count = || values(&emulator, ("AWS/EC2", "CPUUtilization"), &GROUP, "Average").len();
    emulator.advance(Duration::from_secs(119)).await.unwrap();
    assert_eq!(count(), 1);
    emulator.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(count(), 2);
    emulator.with_region(|region| region.cloudwatch.metric_delay = jiff::SignedDuration::from_secs(90));
    assert_eq!(count(), 0);
    emulator.advance(Duration::from_secs(30)).await.unwrap();
    assert_eq!(count(), 1);
}

#[tokio::test]
async fn metrics_are_listed_by_namespace_name_and_dimensions_in_pages() {
    let emulator = serving(10.0).await;
    minutes(&emulator, 1).await;
    let listed = |input: Value| done(&emulator, "ListMetrics", input)["Metrics"].as_array().unwrap().len();
    // Processor, traffic in and out of the group; the same and three status checks of each of three instances.
    assert_eq!(listed(json!({ "Namespace": "AWS/EC2" })), 3 + 3 * 6);
    assert_eq!(listed(json!({ "Namespace": "AWS/EC2", "Dimensions": [{ "Name": "InstanceId" }] })), 3 * 6);
    assert_eq!(listed(json!({ "Namespace": "AWS/EC2", "MetricName": "CPUUtilization" })), 4);
    let group = json!([{ "Name": "AutoScalingGroupName", "Value": "web" }]);
    assert_eq!(listed(json!({ "MetricName": "CPUUtilization", "Dimensions": group })), 1);
    for batch in 0..2 {
        let data: Vec<Value> = (0..300)
            .map(|number| {
                let dimension = json!({ "Name": "Number", "Value": format!("{batch}-{number}") });
                json!({ "MetricName": "Many", "Dimensions": [dimension], "Value": 1.0 })
            })
            .collect();
        done(&emulator, "PutMetricData", json!({ "Namespace": "Shop", "MetricData": data }));
    }
    let first = done(&emulator, "ListMetrics", json!({ "Namespace": "Shop" }));
    assert_eq!(first["Metrics"].as_array().unwrap().len(), 500);
    let rest = json!({ "Namespace": "Shop", "NextToken": first["NextToken"] });
    assert_eq!(listed(rest), 100);
    assert_eq!(code(&emulator, "ListMetrics", json!({ "NextToken": "x" })), "InvalidParameterValue");
}

#[tokio::test]
async fn statistics_of_one_metric_are_told_apart_by_unit() {
    let emulator = emulator().await;
    let data = json!([
        { "MetricName": "Time", "Value": 2.0, "Unit": "Seconds" },
        { "MetricName": "Time", "Value": 900.0, "Unit": "Milliseconds" },
    ]);
    done(&emulator, "PutMetricData", json!({ "Namespace": "Shop", "MetricData": data }));
    let mut input = json!({
        "Namespace": "Shop", "MetricName": "Time", "StartTime": START, "EndTime": START + 60, "Period": 60,
        "Statistics": ["Average", "SampleCount"],
    });
    let output = done(&emulator, "GetMetricStatistics", input.clone());
    assert_eq!(
        output,
        json!({ "Label": "Time", "Datapoints": [
            { "Timestamp": START as f64, "Average": 900.0, "SampleCount": 1.0, "Unit": "Milliseconds" },
            { "Timestamp": START as f64, "Average": 2.0, "SampleCount": 1.0, "Unit": "Seconds" },
        ]})
    );
    input["Unit"] = json!("Seconds");
    input["Statistics"] = json!([]);
    input["ExtendedStatistics"] = json!(["p95"]);
    let output = done(&emulator, "GetMetricStatistics", input);
    assert_eq!(output["Datapoints"][0]["ExtendedStatistics"], json!({ "p95": 2.0 }));
}

#[tokio::test]
async fn a_start_too_long_ago_for_the_period_finds_nothing() {
    let emulator = emulator().await;
    put(&emulator, "A", 0, 1.0);
    minutes(&emulator, 200).await;
    let mut query = query("m", ("Shop", "A"), &[], "Sum");
    let found = |query: &Value| points(&emulator, query, 200).len();
    assert_eq!(found(&query), 1);
    query["MetricStat"]["Period"] = json!(10);
    assert_eq!(found(&query), 0);
    assert!(call(&emulator, "GetMetricData", json!({})).is_err());
}

#[tokio::test]
async fn labels_tell_of_what_they_stand_at() {
    let emulator = emulator().await;
    let on = json!([{ "Name": "Shelf", "Value": "top" }]);
    for (minute, value) in [(0, 4.0), (1, 1.0), (2, 2.5)] {
        let datum = json!({ "MetricName": "Size", "Timestamp": START + 60 * minute, "Value": value, "Dimensions": on });
        done(&emulator, "PutMetricData", json!({ "Namespace": "Shop", "MetricData": [datum] }));
    }
    let label = |name: &str, text: &str| {
        let mut query = query("m", ("Shop", name), &[("Shelf", "top")], "Sum");
        query["Label"] = json!(text);
        let input = json!({
            "MetricDataQueries": [query], "StartTime": START, "EndTime": START + 600,
            "LabelOptions": { "Timezone": "+0130" },
        });
        done(&emulator, "GetMetricData", input)["MetricDataResults"][0]["Label"].as_str().unwrap().to_owned()
    };
    for (text, expected) in [
        ("${MIN} ${MAX} ${AVG} ${SUM}", "1 4 2.5 7.5"),
        ("${FIRST} ${LAST} ${DATAPOINT_COUNT}", "4 2.5 3"),
        ("${FIRST_LAST_RANGE} ${MIN_MAX_RANGE}", "-1.5 3"),
        ("${LABEL} ${PROP('MetricName')} ${PROP('Namespace')}", "Size Size Shop"),
        ("${PROP('Dim.Shelf')} ${PROP('Period')} ${PROP('Stat')}", "top 60 Sum"),
        ("${PROP('Region')} ${PROP('AccountId')}", "us-east-1 123456789012"),
        ("${MIN_TIME}", "2026-01-05 01:31:00 UTC+01:30"),
        ("plain ${OTHER} ${PROP('Dim.None')} ${MAX", "plain ${OTHER} ${PROP('Dim.None')} ${MAX"),
    ] {
        assert_eq!(label("Size", text), expected, "{text}");
    }
    assert_eq!(label("None", "[max ${MAX}] ${DATAPOINT_COUNT}"), "[max --] 0");
    let input = json!({
        "MetricDataQueries": [query("m", ("Shop", "Size"), &[], "Sum")], "StartTime": START, "EndTime": START + 600,
        "LabelOptions": { "Timezone": "CET" },
    });
    assert_eq!(code(&emulator, "GetMetricData", input), "ValidationError");
}

#[tokio::test]
async fn a_statistic_set_has_no_percentiles_unless_its_samples_are_equal_or_one() {
    let emulator = emulator().await;
    let set = |name: &str, samples: f64, low: f64| {
        let statistics =
            json!({ "SampleCount": samples, "Sum": 5.0 * samples, "Minimum": low, "Maximum": 5.0 });
        let datum = json!({ "MetricName": name, "Timestamp": START, "StatisticValues": statistics });
        done(&emulator, "PutMetricData", json!({ "Namespace": "Shop", "MetricData": [datum] }));
        let input = json!({
            "Namespace": "Shop", "MetricName": name, "StartTime": START, "EndTime": START + 60, "Period": 60,
            "ExtendedStatistics": ["p50"],
        });
        done(&emulator, "GetMetricStatistics", input)["Datapoints"].clone()
    };
    assert_eq!(set("Some", 4.0, 1.0), json!([]));
    assert_eq!(set("One", 1.0, 5.0)[0]["ExtendedStatistics"]["p50"], 5.0);
    assert_eq!(set("Equal", 4.0, 5.0)[0]["ExtendedStatistics"]["p50"], 5.0);
}
