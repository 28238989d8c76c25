//! What EC2 and Auto Scaling tell of a fleet beside its processors: traffic, status checks, collected sizes.

use scaling_emulator::autoscaling::dispatch;
use scaling_emulator::wire::form::Form;
use scaling_emulator::{Emulator, Fault, GroupSetup, Settings, Workload};
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;
use serde_json::json;

use crate::support::{done, minutes};

async fn fleet() -> Emulator {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    emulator.with_region(|region| GroupSetup::new("web", "m7i.large", (1, 10, 2)).make(region)).unwrap();
    let load = Load::constant(emulator.now(), 30.0);
    emulator.set_workload("web", Workload::new(load, ServiceModel::demo()));
    emulator
}

fn call(emulator: &Emulator, operation: &str, members: &str) {
    let form = Form::parse(format!("AutoScalingGroupName=web&{members}").as_bytes());
    emulator.with_region(|region| dispatch(region, operation, &form)).unwrap();
}

/// Values of a metric, minute by minute.
fn values(
    emulator: &Emulator,
    namespace: &str,
    metric: &str,
    dimension: (&str, &str),
    stat: &str,
) -> Vec<f64> {
    let query = json!({
        "StartTime": 1_767_571_200, "EndTime": 1_767_571_200 + 7200, "ScanBy": "TimestampAscending",
        "MetricDataQueries": [{ "Id": "m", "MetricStat": { "Period": 60, "Stat": stat, "Metric": {
            "Namespace": namespace, "MetricName": metric,
            "Dimensions": [{ "Name": dimension.0, "Value": dimension.1 }],
        } } }],
    });
    let told = done(emulator, "GetMetricData", query);
    let values = told["MetricDataResults"][0]["Values"].as_array().unwrap();
    values.iter().map(|value| value.as_f64().unwrap()).collect()
}

fn first(emulator: &Emulator) -> String {
    emulator.with_region(|region| region.group("web").unwrap().members[0].id.clone())
}

#[tokio::test]
async fn traffic_follows_the_requests_and_a_policy_may_track_it() {
    let emulator = fleet().await;
    minutes(&emulator, 5).await;
    let of_group = values(&emulator, "AWS/EC2", "NetworkIn", ("AutoScalingGroupName", "web"), "Average");
    // 30 requests a second of 2 kB on two instances.
    assert!(
        of_group.len() == 5 && of_group.iter().all(|bytes| (1.6e6..2.0e6).contains(bytes)),
        "{of_group:?}"
    );
    let out = values(&emulator, "AWS/EC2", "NetworkOut", ("InstanceId", &first(&emulator)), "Sum");
    assert!(out.iter().zip(&of_group).all(|(out, of_group)| (out / of_group - 5.0).abs() < 1e-9), "{out:?}");
    let config = "TargetTrackingConfiguration";
    let tracked = format!(
        "PolicyName=p&PolicyType=TargetTrackingScaling&{config}.TargetValue=900000\
         &{config}.PredefinedMetricSpecification.PredefinedMetricType=ASGAverageNetworkIn"
    );
    call(&emulator, "PutScalingPolicy", &tracked);
    minutes(&emulator, 15).await;
    assert!(emulator.with_region(|region| region.group("web").unwrap().desired) > 2);
}

#[tokio::test]
async fn status_checks_fail_from_a_crash_on() {
    let emulator = fleet().await;
    let id = first(&emulator);
    call(&emulator, "SuspendProcesses", "ScalingProcesses.member.1=HealthCheck");
    minutes(&emulator, 2).await;
    emulator.inject(Fault::InstanceCrash { instance_id: id.clone() }).unwrap();
    minutes(&emulator, 2).await;
    let checks = |metric: &str| values(&emulator, "AWS/EC2", metric, ("InstanceId", &id), "Maximum");
    assert_eq!(checks("StatusCheckFailed"), [0.0, 0.0, 1.0, 1.0]);
    assert_eq!(checks("StatusCheckFailed_System"), [0.0; 4]);
}

#[tokio::test]
async fn every_size_of_a_warm_pool_has_points() {
    let emulator = fleet().await;
    let size = |metric: &str| {
        let group = ("AutoScalingGroupName", "web");
        values(&emulator, "AWS/AutoScaling", metric, group, "Average").last().copied()
    };
    let has = || size("GroupInServiceInstances").unwrap();
    let pool = |warm: f64, pending: f64| {
        [
            ("WarmPoolMinSize", 2.0),
            ("WarmPoolDesiredCapacity", 2.0),
            ("WarmPoolWarmedCapacity", warm),
            ("WarmPoolPendingCapacity", pending),
            ("WarmPoolTerminatingCapacity", 0.0),
            ("WarmPoolTotalCapacity", 2.0),
            ("GroupAndWarmPoolDesiredCapacity", has() + 2.0),
            ("GroupAndWarmPoolTotalCapacity", has() + 2.0),
            ("GroupTotalInstances", has()),
        ]
    };
    call(&emulator, "PutWarmPool", "MinSize=2&MaxGroupPreparedCapacity=2");
    for (passed, warm, pending) in [(1, 0.0, 2.0), (5, 2.0, 0.0)] {
        minutes(&emulator, passed).await;
        for (metric, expected) in pool(warm, pending) {
            assert_eq!(size(metric), Some(expected), "{metric} after {passed} min");
        }
    }
    call(&emulator, "DeleteWarmPool", "ForceDelete=true");
    emulator.advance(std::time::Duration::from_secs(45)).await.unwrap();
    minutes(&emulator, 1).await;
    assert_eq!([size("WarmPoolDesiredCapacity"), size("WarmPoolMinSize")], [Some(0.0); 2]);
}

#[tokio::test]
async fn sizes_are_collected_while_they_are_enabled_and_stay_when_they_are_not() {
    let emulator = fleet().await;
    let sizes = |emulator: &Emulator| {
        let group = ("AutoScalingGroupName", "web");
        values(emulator, "AWS/AutoScaling", "GroupDesiredCapacity", group, "Average").len()
    };
    minutes(&emulator, 3).await;
    assert_eq!(sizes(&emulator), 3, "a group that is made for a test collects from the start");
    let one = "Metrics.member.1=GroupDesiredCapacity&Granularity=1Minute";
    call(&emulator, "DisableMetricsCollection", one);
    minutes(&emulator, 3).await;
    assert_eq!(sizes(&emulator), 3, "what was collected stays");
    call(&emulator, "EnableMetricsCollection", one);
    minutes(&emulator, 2).await;
    assert_eq!(sizes(&emulator), 5, "from when it was enabled again");
    call(&emulator, "EnableMetricsCollection", "Metrics.member.1=WarmPoolMinSize&Granularity=1Minute");
}
