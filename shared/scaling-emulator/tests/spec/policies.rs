//! Scaling policies that act: simple, step, target tracking, predictive.

use std::time::Duration;

use scaling_emulator::cloudwatch::alarm::StateValue;
use scaling_emulator::region::LifecycleState::InService;
use scaling_emulator::{Emulator, Workload};
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;
use serde_json::json;

use crate::call::{call, causes, is_refused, refused};
use crate::client::{advance, emulator, ids, web};

fn load(emulator: &Emulator, rate: f64) {
    let load = Load::constant(emulator.now(), rate);
    emulator.set_workload("web", Workload::new(load, ServiceModel::demo()));
}

fn desired(emulator: &Emulator) -> u32 {
    web(emulator, |group| group.desired)
}

const TRACK: &str = "PolicyName=cpu&PolicyType=TargetTrackingScaling&EstimatedInstanceWarmup=60\
    &TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType=ASGAverageCPUUtilization\
    &TargetTrackingConfiguration.TargetValue=50";

/// An alarm on CPU with a policy as its action.
fn alarm(emulator: &Emulator, policy: &str, comparison: &str, threshold: f64) {
    let input = json!({
        "AlarmName": format!("cpu-{comparison}"),
        "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization",
        "Dimensions": [{ "Name": "AutoScalingGroupName", "Value": "web" }],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 2,
        "Threshold": threshold,
        "ComparisonOperator": comparison,
        "AlarmActions": [policy],
    });
    emulator
        .with_region(|region| scaling_emulator::cloudwatch::dispatch(region, "PutMetricAlarm", input))
        .unwrap();
}

fn put(emulator: &Emulator, members: &str) -> String {
    let made = call(emulator, "PutScalingPolicy", members);
    made["PolicyARN"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn target_tracking_grows_after_three_minutes_over_the_target() {
    let emulator = emulator(2).await;
    put(&emulator, TRACK);
    // 55 requests a second of 50 ms each on 4 vCPU: about 69 %, for which 2.75 instances are right.
    load(&emulator, 55.0);
    advance(&emulator, 120).await;
    assert_eq!(desired(&emulator), 2);
    advance(&emulator, 60).await;
    assert_eq!(desired(&emulator), 3);
    advance(&emulator, 600).await;
    assert_eq!(
        (desired(&emulator), ids(&emulator, InService).len()),
        (3, 3),
        "what boots is not ordered twice"
    );
    let cause = &causes(&emulator, 1)[0];
    assert!(cause.contains("a monitor alarm TargetTracking-web-AlarmHigh-"), "{cause}");
    assert!(cause.contains("triggered policy cpu changing the desired capacity from 2 to 3"), "{cause}");
}

#[tokio::test]
async fn target_tracking_shrinks_after_fifteen_minutes_well_below_the_target() {
    let emulator = emulator(6).await;
    put(&emulator, TRACK);
    load(&emulator, 40.0);
    advance(&emulator, 14 * 60).await;
    assert_eq!(desired(&emulator), 6);
    advance(&emulator, 5 * 60).await;
    assert!((2..=3).contains(&desired(&emulator)), "{}", desired(&emulator));
    assert!(causes(&emulator, 1)[0].contains("AlarmLow"), "{}", causes(&emulator, 1)[0]);
}

#[tokio::test]
async fn its_two_alarms_are_made_shown_and_deleted_with_it() {
    let emulator = emulator(2).await;
    let arn = put(&emulator, TRACK);
    let shown = call(&emulator, "DescribePolicies", "");
    assert_eq!(shown["ScalingPolicies"][0]["Alarms"].as_array().unwrap().len(), 2);
    assert_eq!(shown["ScalingPolicies"][0]["PolicyARN"], json!(arn));
    load(&emulator, 60.0);
    advance(&emulator, 300).await;
    let states = emulator.with_region(|region| {
        let alarms = region.cloudwatch.alarms.by_name.values();
        alarms.map(|alarm| (alarm.state.value, alarm.configuration.threshold)).collect::<Vec<_>>()
    });
    assert_eq!(states, [(StateValue::Alarm, 50.0), (StateValue::Ok, 45.0)]);
    call(&emulator, "DeletePolicy", "PolicyName=cpu");
    assert!(emulator.with_region(|region| region.cloudwatch.alarms.by_name.is_empty()));
}

#[tokio::test]
async fn a_policy_that_must_not_shrink_has_one_alarm_and_does_not() {
    let emulator = emulator(6).await;
    put(&emulator, &format!("{TRACK}&TargetTrackingConfiguration.DisableScaleIn=true"));
    load(&emulator, 10.0);
    advance(&emulator, 3600).await;
    assert_eq!(desired(&emulator), 6);
    assert_eq!(emulator.with_region(|region| region.cloudwatch.alarms.by_name.len()), 1);
}

#[tokio::test]
async fn of_two_policies_the_larger_wins_and_both_must_agree_to_shrink() {
    let emulator = emulator(6).await;
    put(&emulator, TRACK);
    let requests = "PolicyName=requests&PolicyType=TargetTrackingScaling&EstimatedInstanceWarmup=60\
        &TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType=ALBRequestCountPerTarget\
        &TargetTrackingConfiguration.PredefinedMetricSpecification.ResourceLabel=\
        app/web/0123456789abcdef/targetgroup/web/0123456789abcdef&TargetTrackingConfiguration.TargetValue=400";
    put(&emulator, requests);
    // 40 a second over 6 are 400 a minute each, which is what the second policy wants.
    load(&emulator, 40.0);
    advance(&emulator, 3600).await;
    assert!((6..=7).contains(&desired(&emulator)), "{}", desired(&emulator));
    call(&emulator, "DeletePolicy", "PolicyName=requests");
    advance(&emulator, 1800).await;
    assert!(desired(&emulator) < 4, "{}", desired(&emulator));
}

#[tokio::test]
async fn suspended_notifications_and_disabled_policies_do_not_act() {
    for suspended in [true, false] {
        let emulator = emulator(2).await;
        if suspended {
            put(&emulator, TRACK);
            call(&emulator, "SuspendProcesses", "ScalingProcesses.member.1=AlarmNotification");
        } else {
            put(&emulator, &format!("{TRACK}&Enabled=false"));
        }
        load(&emulator, 100.0);
        advance(&emulator, 900).await;
        assert_eq!(desired(&emulator), 2);
    }
}

#[tokio::test]
async fn a_step_policy_acts_on_its_alarm_by_how_far_it_is_breached() {
    let emulator = emulator(2).await;
    let arn = put(
        &emulator,
        "PolicyName=out&PolicyType=StepScaling&AdjustmentType=ChangeInCapacity&EstimatedInstanceWarmup=300\
         &StepAdjustments.member.1.MetricIntervalLowerBound=0&StepAdjustments.member.1.MetricIntervalUpperBound=20\
         &StepAdjustments.member.1.ScalingAdjustment=1\
         &StepAdjustments.member.2.MetricIntervalLowerBound=20&StepAdjustments.member.2.ScalingAdjustment=3",
    );
    alarm(&emulator, &arn, "GreaterThanThreshold", 50.0);
    advance(&emulator, 300).await;
    // About 75 %: the second step. What warms up is not ordered again while the alarm stays on.
    load(&emulator, 60.0);
    advance(&emulator, 240).await;
    assert_eq!(desired(&emulator), 5);
    let cause = &causes(&emulator, 1)[0];
    assert!(cause.contains("alarm cpu-GreaterThanThreshold in state ALARM triggered policy out"), "{cause}");
}

#[tokio::test]
async fn a_simple_policy_waits_for_its_cooldown() {
    let emulator = emulator(2).await;
    let arn =
        put(&emulator, "PolicyName=one&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1&Cooldown=600");
    alarm(&emulator, &arn, "GreaterThanThreshold", 20.0);
    load(&emulator, 150.0);
    advance(&emulator, 180).await;
    assert_eq!(desired(&emulator), 3);
    advance(&emulator, 600).await;
    assert_eq!(desired(&emulator), 3, "the boot and ten minutes after it have not passed");
    advance(&emulator, 240).await;
    assert_eq!(desired(&emulator), 4);
}

#[tokio::test]
async fn an_alarm_that_is_put_on_by_hand_sets_its_policy_off_at_once() {
    let emulator = emulator(2).await;
    let arn = put(&emulator, "PolicyName=two&AdjustmentType=ChangeInCapacity&ScalingAdjustment=2");
    alarm(&emulator, &arn, "GreaterThanThreshold", 20.0);
    let on = json!({ "AlarmName": "cpu-GreaterThanThreshold", "StateValue": "ALARM", "StateReason": "test" });
    emulator
        .with_region(|region| scaling_emulator::cloudwatch::dispatch(region, "SetAlarmState", on))
        .unwrap();
    assert_eq!(desired(&emulator), 4);
}

#[tokio::test]
async fn a_policy_is_carried_out_by_hand() {
    let emulator = emulator(2).await;
    put(&emulator, "PolicyName=more&AdjustmentType=PercentChangeInCapacity&ScalingAdjustment=100");
    call(&emulator, "ExecutePolicy", "PolicyName=more");
    assert_eq!(desired(&emulator), 4);
    advance(&emulator, 15).await;
    assert!(causes(&emulator, 1)[0].contains("a user request executed policy more"));
    let (code, _) = refused(&emulator, "ExecutePolicy", "PolicyName=more&HonorCooldown=true");
    assert_eq!(code, "ScalingActivityInProgress");
    assert!(refused(&emulator, "ExecutePolicy", "PolicyName=none").1.contains("No such policy: none"));
}

#[tokio::test]
async fn predictive_scaling_forecasts_and_raises_capacity_ahead_of_the_hour() {
    let emulator = emulator(1).await;
    let predictive = "PolicyName=ahead&PolicyType=PredictiveScaling\
        &PredictiveScalingConfiguration.MetricSpecifications.member.1.TargetValue=50\
        &PredictiveScalingConfiguration.MetricSpecifications.member.1\
        .PredefinedMetricPairSpecification.PredefinedMetricType=ASGCPUUtilization";
    put(&emulator, predictive);
    call(&emulator, "SetDesiredCapacity", "DesiredCapacity=4");
    // Days whose second hour is busy: about 60 % of four.
    let rates = (0..96).map(|half| if matches!(half % 48, 2 | 3) { 100.0 } else { 1.0 }).collect();
    let load = Load::new(emulator.now(), Duration::from_secs(1800), rates);
    emulator.set_workload("web", Workload::new(load, ServiceModel::demo()));
    advance(&emulator, 24 * 3600).await;
    call(&emulator, "SetDesiredCapacity", "DesiredCapacity=1");
    let hours = "StartTime=2026-01-06T00:00:00Z&EndTime=2026-01-06T03:00:00Z&PolicyName=ahead";
    let forecast = call(&emulator, "GetPredictiveScalingForecast", hours);
    let values: Vec<f64> = serde_json::from_value(forecast["CapacityForecast"]["Values"].clone()).unwrap();
    assert!(values[1] > values[0] && values[1] > values[2], "{values:?}");
    advance(&emulator, 1800).await;
    assert_eq!(desired(&emulator), 1, "a forecast alone changes nothing");
    let scaling = "PolicyName=ahead&PredictiveScalingConfiguration.Mode=ForecastAndScale";
    put(&emulator, &predictive.replace("PolicyName=ahead", scaling));
    assert_eq!(
        call(&emulator, "GetPredictiveScalingForecast", hours)["CapacityForecast"]["Values"],
        json!(values)
    );
    advance(&emulator, 1800 - 360).await;
    assert_eq!(f64::from(desired(&emulator)), values[0]);
    advance(&emulator, 120).await;
    assert_eq!(f64::from(desired(&emulator)), values[1], "five minutes ahead of the hour");
}

#[tokio::test]
async fn what_a_policy_lacks_is_named() {
    let emulator = emulator(2).await;
    for (members, part) in [
        ("PolicyName=p&PolicyType=Odd", "Invalid PolicyType: Odd"),
        ("PolicyName=p&ScalingAdjustment=1", "AdjustmentType is required"),
        ("PolicyName=p&AdjustmentType=Odd&ScalingAdjustment=1", "Invalid AdjustmentType: Odd"),
        (
            "PolicyName=p&PolicyType=StepScaling&AdjustmentType=ChangeInCapacity",
            "StepAdjustments is required",
        ),
        (
            "PolicyName=p&PolicyType=StepScaling&AdjustmentType=ChangeInCapacity\
             &StepAdjustments.member.1.MetricIntervalUpperBound=5&StepAdjustments.member.1.ScalingAdjustment=1\
             &StepAdjustments.member.2.MetricIntervalLowerBound=6&StepAdjustments.member.2.ScalingAdjustment=1",
            "must not leave a gap",
        ),
        (
            "PolicyName=p&PolicyType=StepScaling&AdjustmentType=ChangeInCapacity\
             &StepAdjustments.member.1.ScalingAdjustment=1",
            "upper and lower bound can't be null in the same step adjustment",
        ),
        (
            "PolicyName=p&PolicyType=TargetTrackingScaling&TargetTrackingConfiguration.TargetValue=50\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.MetricName=m\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Namespace=n\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Statistic=Average\
             &TargetTrackingConfiguration.CustomizedMetricSpecification.Period=20",
            "must be 10, 30 or 60 seconds",
        ),
        (
            "PolicyName=p&PolicyType=TargetTrackingScaling&TargetTrackingConfiguration.TargetValue=50",
            "Exactly one of PredefinedMetricSpecification",
        ),
        (
            "PolicyName=p&PolicyType=TargetTrackingScaling&TargetTrackingConfiguration.TargetValue=50\
             &TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType=ALBRequestCountPerTarget",
            "resource label",
        ),
    ] {
        is_refused(&emulator, "PutScalingPolicy", members, part);
    }
}

/// A policy that tracks a metric of one's own with points every so many seconds, at 50.
fn track(emulator: &Emulator, period: i64) {
    let metric = "TargetTrackingConfiguration.CustomizedMetricSpecification";
    let members = format!(
        "PolicyName=jobs&PolicyType=TargetTrackingScaling&EstimatedInstanceWarmup=0\
         &TargetTrackingConfiguration.TargetValue=50&{metric}.MetricName=Jobs&{metric}.Namespace=Own\
         &{metric}.Statistic=Average&{metric}.Period={period}"
    );
    put(emulator, &members);
}

/// A minute with these values of the metric, one every ten seconds.
async fn minute_of(emulator: &Emulator, values: [f64; 6]) {
    let start = emulator.now();
    let point = |(second, value): (i64, f64)| {
        json!({
            "MetricName": "Jobs",
            "StorageResolution": 1,
            "Timestamp": (start + jiff::SignedDuration::from_secs(second)).as_second(),
            "Value": value,
        })
    };
    let points: Vec<_> = (0..60).step_by(10).zip(values).map(point).collect();
    let input = json!({ "Namespace": "Own", "MetricData": points });
    advance(emulator, 59).await;
    emulator
        .with_region(|region| scaling_emulator::cloudwatch::dispatch(region, "PutMetricData", input))
        .unwrap();
    advance(emulator, 1).await;
}

#[tokio::test]
async fn a_tracked_high_resolution_metric_has_alarms_of_its_period_and_three_of_its_points_suffice() {
    for (period, grows) in [(10, true), (30, false), (60, false)] {
        let emulator = emulator(2).await;
        track(&emulator, period);
        let periods = emulator.with_region(|region| {
            let alarms = region.cloudwatch.alarms.by_name.values();
            alarms.map(|alarm| alarm.configuration.watch.period()).collect::<Vec<_>>()
        });
        assert_eq!(periods, [period, period]);
        let shown = call(&emulator, "DescribePolicies", "")["ScalingPolicies"][0].clone();
        let specification = &shown["TargetTrackingConfiguration"]["CustomizedMetricSpecification"];
        assert_eq!(specification["Period"], json!(period));
        advance(&emulator, 60).await;
        minute_of(&emulator, [100.0; 6]).await;
        assert_eq!(desired(&emulator) > 2, grows, "one minute of points every {period} s");
    }
}

#[tokio::test]
async fn points_that_follow_in_the_same_minute_take_nothing_back_that_three_points_over_the_target_asked_for()
{
    for last in [[100.0; 3], [60.0; 3], [100.0, 100.0, 40.0], [40.0; 3], [0.0; 3]] {
        let emulator = emulator(2).await;
        track(&emulator, 10);
        advance(&emulator, 60).await;
        let [fourth, fifth, sixth] = last;
        minute_of(&emulator, [100.0, 100.0, 100.0, fourth, fifth, sixth]).await;
        assert_eq!(desired(&emulator), 4, "{last:?}");
    }
}

#[tokio::test]
async fn growing_comes_before_shrinking_where_a_minute_asks_for_both() {
    let emulator = emulator(2).await;
    track(&emulator, 10);
    advance(&emulator, 60).await;
    for values in [[10.0; 6], [10.0; 6], [10.0, 10.0, 10.0, 100.0, 100.0, 100.0]] {
        assert_eq!(desired(&emulator), 2);
        minute_of(&emulator, values).await;
    }
    assert_eq!(desired(&emulator), 4);
}

#[tokio::test]
async fn an_alarm_loses_the_action_of_a_policy_that_goes_and_goes_with_the_group_if_it_has_no_other() {
    let emulator = emulator(1).await;
    let step = |name: &str| format!("PolicyName={name}&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1");
    let (one, other) = (put(&emulator, &step("one")), put(&emulator, &step("other")));
    alarm(&emulator, &one, "GreaterThanThreshold", 70.0);
    alarm(&emulator, &other, "LessThanThreshold", 20.0);
    let actions = || {
        let named = |name: &str| {
            let alarms = emulator.with_region(|region| {
                let input = json!({ "AlarmNames": [name] });
                scaling_emulator::cloudwatch::dispatch(region, "DescribeAlarms", input).unwrap()
            });
            alarms["MetricAlarms"].as_array().unwrap().first().map(|alarm| alarm["AlarmActions"].clone())
        };
        ["cpu-GreaterThanThreshold", "cpu-LessThanThreshold"].map(named)
    };
    call(&emulator, "DeletePolicy", "PolicyName=one");
    assert_eq!(actions(), [Some(json!([])), Some(json!([other]))]);
    call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    assert_eq!(actions(), [Some(json!([])), None], "one that has lost its action before is nobody's");
}
