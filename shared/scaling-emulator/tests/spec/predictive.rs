//! Predictive scaling: what it forecasts, for when, and how long before.

use std::time::Duration;

use scaling_emulator::{Emulator, Workload};
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;
use serde_json::Value;

use crate::call::{call, is_refused};
use crate::client::{advance, emulator, web};

const POLICY: &str = "PolicyName=ahead&PolicyType=PredictiveScaling\
    &PredictiveScalingConfiguration.MetricSpecifications.member.1.TargetValue=50\
    &PredictiveScalingConfiguration.MetricSpecifications.member.1\
    .PredefinedMetricPairSpecification.PredefinedMetricType=ASGCPUUtilization\
    &PredictiveScalingConfiguration.Mode=ForecastAndScale";

/// Four instances whose load is `busy` a second in the second hour of each of four days, and 1 else.
async fn daily(busy: f64) -> Emulator {
    let emulator = emulator(4).await;
    let rates = (0..192).map(|half| if matches!(half % 48, 2 | 3) { busy } else { 1.0 }).collect();
    let load = Load::new(emulator.now(), Duration::from_secs(1800), rates);
    emulator.set_workload("web", Workload::new(load, ServiceModel::demo()));
    emulator
}

/// Capacity and load of the hours from `start` to before `end`.
fn forecast(emulator: &Emulator, start: &str, end: &str) -> (Vec<f64>, Vec<f64>) {
    let hours = format!("StartTime=2026-01-{start}:00:00Z&EndTime=2026-01-{end}:00:00Z&PolicyName=ahead");
    let shown = call(emulator, "GetPredictiveScalingForecast", &hours);
    let values = |value: &Value| serde_json::from_value(value["Values"].clone()).unwrap();
    (values(&shown["CapacityForecast"]), values(&shown["LoadForecast"][0]))
}

#[tokio::test]
async fn the_end_is_exclusive_a_day_is_needed_and_two_days_ahead_are_forecast() {
    let emulator = daily(100.0).await;
    call(&emulator, "PutScalingPolicy", POLICY);
    assert_eq!(forecast(&emulator, "06T00", "06T02"), (Vec::new(), Vec::new()), "a day of data is needed");
    advance(&emulator, 25 * 3600).await;
    for (start, end, count) in [
        ("06T00", "06T02", 2),
        ("06T02", "06T02", 0),
        ("08T00", "08T01", 1),
        ("08T00", "08T02", 1),
        ("08T01", "09T00", 0),
    ] {
        assert_eq!(forecast(&emulator, start, end).0.len(), count, "{start} to {end}");
    }
    let long_ago = "PolicyName=ahead&StartTime=2024-12-01T00:00:00Z&EndTime=2024-12-02T00:00:00Z";
    is_refused(&emulator, "GetPredictiveScalingForecast", long_ago, "at most one year before");
}

#[tokio::test]
async fn the_load_is_what_it_is_and_only_the_capacity_keeps_to_the_group_s_sizes() {
    let emulator = daily(1_000.0).await;
    call(&emulator, "UpdateAutoScalingGroup", "MaxSize=4");
    call(&emulator, "PutScalingPolicy", POLICY);
    advance(&emulator, 25 * 3600).await;
    let (capacity, load) = forecast(&emulator, "06T01", "06T02");
    assert_eq!(capacity, [4.0]);
    assert!((380.0..=400.0).contains(&load[0]), "four instances near 100 %: {load:?}");
}

#[tokio::test]
async fn capacity_is_there_before_its_hour_by_the_scheduling_buffer_time() {
    for (buffer, minutes) in [("", 5), ("&PredictiveScalingConfiguration.SchedulingBufferTime=1800", 30)] {
        let emulator = daily(100.0).await;
        call(&emulator, "PutScalingPolicy", &format!("{POLICY}{buffer}"));
        advance(&emulator, 24 * 3600).await;
        call(&emulator, "SetDesiredCapacity", "DesiredCapacity=1");
        let values = forecast(&emulator, "06T00", "06T02").0;
        advance(&emulator, (60 - minutes - 1) * 60).await;
        let desired = || web(&emulator, |group| f64::from(group.desired));
        assert_eq!(desired(), values[0], "{buffer}");
        advance(&emulator, 120).await;
        assert_eq!(desired(), values[1], "{buffer}");
        assert!(values[1] > values[0], "{values:?}");
    }
}

const TRACK: &str = "PolicyName=cpu&PolicyType=TargetTrackingScaling&EstimatedInstanceWarmup=60\
    &TargetTrackingConfiguration.TargetValue=50&TargetTrackingConfiguration.PredefinedMetricSpecification\
    .PredefinedMetricType=ASGAverageCPUUtilization";

/// Busy for eight hours of each of three days, and nearly idle else.
#[tokio::test]
async fn of_a_forecast_and_a_tracked_metric_the_larger_capacity_counts() {
    let emulator = emulator(1).await;
    call(&emulator, "UpdateAutoScalingGroup", "MaxSize=20");
    let rates = (0..72).map(|hour| if hour % 24 / 8 == 1 { 200.0 } else { 10.0 }).collect();
    let load = Load::new(emulator.now(), Duration::from_secs(3600), rates);
    emulator.set_workload("web", Workload::new(load, ServiceModel::demo()));
    call(&emulator, "PutScalingPolicy", TRACK);
    call(&emulator, "PutScalingPolicy", POLICY);
    advance(&emulator, 48 * 3600).await;
    let hours = forecast(&emulator, "07T00", "07T23").0;
    for hour in hours {
        for _ in 0..54 {
            advance(&emulator, 60).await;
            let desired = web(&emulator, |group| f64::from(group.desired));
            assert!(desired >= hour, "{desired} at {}, and {hour} are forecast", emulator.now());
        }
        advance(&emulator, 6 * 60).await;
    }
}
