//! Scaling policies: stored, shown, and set to act. What they do is [`crate::region::acting`]'s.

use serde::{Deserialize, Serialize};

use super::page::{Sizes, not_too_many, sorted};
use super::{check_stays, following_rules, group, group_mut};
use crate::cloudwatch::alarm::change;
use crate::cloudwatch::alarm::put::{PutMetricAlarm, put_metric_alarm};
use crate::cloudwatch::members::Double;
use crate::cloudwatch::queries::{MetricDataQuery, Queries};
use crate::region::acting::policy_of;
use crate::region::following::{Follower, customized, predefined};
use crate::region::policy::{PredictiveScaling, ScalingPolicy, TargetTracking};
use crate::region::{Group, Region, adjustment};
use crate::wire::AwsError;

/// Output of PutScalingPolicy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutOutput {
    /// ARN of the policy.
    #[serde(rename = "PolicyARN")]
    pub policy_arn: String,
    /// Alarms made for it.
    pub alarms: Vec<AlarmReference>,
}

/// An alarm of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AlarmReference {
    /// Its name.
    pub alarm_name: String,
    /// Its ARN.
    #[serde(rename = "AlarmARN")]
    pub alarm_arn: String,
}

/// Most policies of a group, and most steps of a policy.
const MOST: usize = 50;
const MOST_STEPS: usize = 20;

/// Stores a scaling policy. One that tracks a target is given its two alarms.
pub fn put(region: &mut Region, policy: &ScalingPolicy) -> Result<PutOutput, AwsError> {
    let mut policy = policy.clone();
    policy.policy_type.get_or_insert_with(|| "SimpleScaling".to_owned());
    check(&policy)?;
    policy.enabled.get_or_insert(true);
    let name = policy.auto_scaling_group_name.clone();
    let holder = group(region, &name)?;
    check_stays(holder)?;
    if !holder.policies.contains_key(&policy.policy_name) && holder.policies.len() >= MOST {
        return Err(AwsError::new(
            "LimitExceeded",
            format!("A group must not have more than {MOST} scaling policies."),
        ));
    }
    let arn = arn_of(holder, &policy.policy_name);
    let reads = match (&policy.target_tracking_configuration, &policy.predictive_scaling_configuration) {
        (Some(tracking), _) if policy.policy_type.as_deref() == Some("TargetTrackingScaling") => {
            Some(tracked(&name, tracking)?)
        }
        (_, Some(predictive)) if policy.policy_type.as_deref() == Some("PredictiveScaling") => {
            Some(forecast(&name, predictive)?)
        }
        _ => None,
    };
    following_rules::check(holder, &policy)?;
    let queries = reads.as_deref().map(|given| Queries::check(given, "Metrics")).transpose()?;
    forget(region, &name, &policy.policy_name);
    let follower = match (reads, queries) {
        (Some(reads), Some(queries)) => Some(follower(region, &policy, &arn, &reads, queries)?),
        _ => None,
    };
    let group = group_mut(region, &name)?;
    if let Some(follower) = follower {
        group.followers.insert(policy.policy_name.clone(), follower);
    }
    group.policies.insert(policy.policy_name.clone(), policy);
    Ok(PutOutput { alarms: alarms_of(region, &arn), policy_arn: arn })
}

fn follower(
    region: &mut Region,
    policy: &ScalingPolicy,
    arn: &str,
    reads: &[MetricDataQuery],
    queries: Queries,
) -> Result<Follower, AwsError> {
    if let Some(tracking) = &policy.target_tracking_configuration {
        let alarms = make_alarms(region, policy, arn, tracking, reads)?;
        return Ok(Follower::tracking(queries, alarms, tracking.target_value));
    }
    let missing = || AwsError::validation("PredictiveScalingConfiguration is required.");
    let predictive = policy.predictive_scaling_configuration.as_ref().ok_or_else(missing)?;
    let target = predictive.metric_specifications.first().map_or(50.0, |one| one.target_value);
    let group = group(region, &policy.auto_scaling_group_name)?;
    let mut follower = Follower::predictive(queries, target, predictive);
    follower.learn(region, group);
    Ok(follower)
}

/// Ends what was set up for a policy.
fn forget(region: &mut Region, group: &str, policy: &str) {
    let follower = region.groups.get_mut(group).and_then(|group| group.followers.remove(policy));
    change::remove(region, &follower.map(|follower| follower.alarms).unwrap_or_default());
}

/// Ends all policies of a group that is being deleted, and with them the alarms that have no other action (API Reference,
/// `DeleteAutoScalingGroup`).
pub(super) fn forget_all(region: &mut Region, group: &str) {
    let policies: Vec<String> =
        region.group(group).map(|group| group.policies.keys().cloned().collect()).unwrap_or_default();
    for policy in policies {
        forget(region, group, &policy);
    }
    change::drop_action(region, |action| policy_of(action).is_some_and(|(of, _)| of == group), true);
}

/// How the points of a metric are gathered.
const AGGREGATIONS: [&str; 3] = ["Minimum", "Maximum", "Average"];

fn check(policy: &ScalingPolicy) -> Result<(), AwsError> {
    let kind = policy.policy_type.as_deref().unwrap_or_default();
    let missing = match kind {
        "SimpleScaling" if policy.scaling_adjustment.is_none() => Some("ScalingAdjustment"),
        "SimpleScaling" | "StepScaling" if policy.adjustment_type.is_none() => Some("AdjustmentType"),
        "StepScaling" if policy.step_adjustments.is_empty() => Some("StepAdjustments"),
        "TargetTrackingScaling" if policy.target_tracking_configuration.is_none() => {
            Some("TargetTrackingConfiguration")
        }
        "PredictiveScaling" if policy.predictive_scaling_configuration.is_none() => {
            Some("PredictiveScalingConfiguration")
        }
        "SimpleScaling" | "StepScaling" | "TargetTrackingScaling" | "PredictiveScaling" => None,
        other => return Err(AwsError::validation(format!("Invalid PolicyType: {other}"))),
    };
    if let Some(member) = missing {
        return Err(AwsError::validation(format!("{member} is required for policy type {kind}.")));
    }
    if let Some(member) = foreign(policy, kind) {
        return Err(AwsError::validation(format!("{member} is not supported for policy type {kind}.")));
    }
    let percent = policy.adjustment_type.as_deref() == Some("PercentChangeInCapacity");
    if policy.min_adjustment_magnitude.is_some() && !percent {
        return Err(AwsError::validation(
            "MinAdjustmentMagnitude is only supported for the adjustment type PercentChangeInCapacity.",
        ));
    }
    if let Some(unknown) = policy.adjustment_type.as_deref().filter(|kind| !adjustment::KINDS.contains(kind))
    {
        return Err(AwsError::validation(format!("Invalid AdjustmentType: {unknown}")));
    }
    if policy.step_adjustments.len() > MOST_STEPS {
        return Err(AwsError::new(
            "LimitExceeded",
            format!("A policy must not have more than {MOST_STEPS} step adjustments."),
        ));
    }
    if let Some(unknown) =
        policy.metric_aggregation_type.as_deref().filter(|word| !AGGREGATIONS.contains(word))
    {
        return Err(AwsError::validation(format!("Invalid MetricAggregationType: {unknown}")));
    }
    check_amounts(policy)?;
    if policy.estimated_instance_warmup.is_some_and(|seconds| seconds < 0) {
        return Err(AwsError::validation("EstimatedInstanceWarmup must be at least 0 seconds."));
    }
    if policy.policy_name.is_empty() || policy.policy_name.len() > 255 {
        return Err(AwsError::validation("PolicyName must have 1 to 255 characters."));
    }
    check_steps(policy)
}

/// Refuses an exact capacity and a cooldown below 0: *API Reference*, PutScalingPolicy ("For exact capacity, you must specify a
/// non-negative value").
fn check_amounts(policy: &ScalingPolicy) -> Result<(), AwsError> {
    let exact = policy.adjustment_type.as_deref() == Some("ExactCapacity");
    let steps = policy.step_adjustments.iter().map(|step| step.scaling_adjustment);
    if exact && policy.scaling_adjustment.into_iter().chain(steps).any(|amount| amount < 0) {
        return Err(AwsError::validation(
            "ScalingAdjustment must be at least 0 for the adjustment type ExactCapacity.",
        ));
    }
    if policy.cooldown.is_some_and(|seconds| seconds < 0) {
        return Err(AwsError::validation("Cooldown must be at least 0 seconds."));
    }
    Ok(())
}

/// A member that is of another kind of policy.
fn foreign(policy: &ScalingPolicy, kind: &str) -> Option<&'static str> {
    let simple = kind == "SimpleScaling";
    let stepped = kind == "StepScaling";
    let members = [
        ("StepAdjustments", !policy.step_adjustments.is_empty(), stepped),
        ("ScalingAdjustment", policy.scaling_adjustment.is_some(), simple),
        ("Cooldown", policy.cooldown.is_some(), simple),
        ("AdjustmentType", policy.adjustment_type.is_some(), simple || stepped),
        (
            "TargetTrackingConfiguration",
            policy.target_tracking_configuration.is_some(),
            kind == "TargetTrackingScaling",
        ),
        (
            "PredictiveScalingConfiguration",
            policy.predictive_scaling_configuration.is_some(),
            kind == "PredictiveScaling",
        ),
    ];
    members.into_iter().find(|(_, given, belongs)| *given && !belongs).map(|(member, ..)| member)
}

/// Steps follow each other without gap or overlap, as the guide asks.
fn check_steps(policy: &ScalingPolicy) -> Result<(), AwsError> {
    // *API Reference*, StepAdjustment: "The upper and lower bound can't be null in the same step adjustment."
    if policy
        .step_adjustments
        .iter()
        .any(|step| step.metric_interval_lower_bound.is_none() && step.metric_interval_upper_bound.is_none())
    {
        return Err(AwsError::validation(
            "The upper and lower bound can't be null in the same step adjustment.",
        ));
    }
    let mut steps: Vec<(f64, f64)> = policy
        .step_adjustments
        .iter()
        .map(|step| {
            let lower = step.metric_interval_lower_bound.unwrap_or(f64::NEG_INFINITY);
            (lower, step.metric_interval_upper_bound.unwrap_or(f64::INFINITY))
        })
        .collect();
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    if steps.iter().any(|(lower, upper)| lower >= upper) {
        return Err(AwsError::validation(
            "The lower bound of a step adjustment must be below its upper bound.",
        ));
    }
    let apart = steps.windows(2).find(|pair| matches!(pair, [(_, end), (start, _)] if end != start));
    match apart {
        Some([(_, end), (start, _)]) if end > start => {
            Err(AwsError::validation("The step adjustments of a policy must not overlap."))
        }
        Some(_) => Err(AwsError::validation("The step adjustments of a policy must not leave a gap.")),
        None => Ok(()),
    }
}

fn tracked(group: &str, tracking: &TargetTracking) -> Result<Vec<MetricDataQuery>, AwsError> {
    if !(tracking.target_value.is_finite() && tracking.target_value > 0.0) {
        return Err(AwsError::validation("TargetValue must be a number above 0."));
    }
    match (&tracking.predefined_metric_specification, &tracking.customized_metric_specification) {
        (Some(metric), None) => predefined(group, metric),
        (None, Some(metric)) => customized(metric),
        _ => Err(AwsError::validation(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified.",
        )),
    }
}

fn forecast(group: &str, predictive: &PredictiveScaling) -> Result<Vec<MetricDataQuery>, AwsError> {
    let [metric] = predictive.metric_specifications.as_slice() else {
        return Err(AwsError::validation("Exactly one MetricSpecification must be specified."));
    };
    check_forecast(predictive)?;
    let name = metric
        .predefined_metric_pair_specification
        .as_ref()
        .or(metric.predefined_scaling_metric_specification.as_ref())
        .ok_or_else(|| AwsError::validation("This emulator forecasts predefined metrics only."))?;
    if !(metric.target_value.is_finite() && metric.target_value > 0.0) {
        return Err(AwsError::validation("TargetValue must be a number above 0."));
    }
    predefined(group, name)
}

/// Modes and bounds of a predictive policy: *Amazon EC2 Auto Scaling API Reference*, PredictiveScalingConfiguration.
fn check_forecast(predictive: &PredictiveScaling) -> Result<(), AwsError> {
    let behavior = predictive.max_capacity_breach_behavior.as_deref();
    for (member, word, known) in [
        ("Mode", predictive.mode.as_deref(), ["ForecastOnly", "ForecastAndScale"]),
        ("MaxCapacityBreachBehavior", behavior, ["HonorMaxCapacity", "IncreaseMaxCapacity"]),
    ] {
        if let Some(word) = word.filter(|word| !known.contains(word)) {
            return Err(AwsError::invalid_value(word, member));
        }
    }
    for (member, value, most) in [
        ("SchedulingBufferTime", predictive.scheduling_buffer_time, 3600),
        ("MaxCapacityBuffer", predictive.max_capacity_buffer, 100),
    ] {
        if value.is_some_and(|value| !(0..=most).contains(&value)) {
            return Err(AwsError::validation(format!("{member} must be from 0 to {most}.")));
        }
    }
    if predictive.max_capacity_buffer.is_some() != (behavior == Some("IncreaseMaxCapacity")) {
        return Err(AwsError::validation(
            "MaxCapacityBuffer is required where MaxCapacityBreachBehavior is IncreaseMaxCapacity, and must not be \
             specified otherwise.",
        ));
    }
    Ok(())
}

/// Points and share of the target of the two alarms, as target tracking has them.
const SIDES: [(&str, i64, f64, &str); 2] =
    [("AlarmHigh", 3, 1.0, "GreaterThanThreshold"), ("AlarmLow", 15, 0.9, "LessThanThreshold")];

fn make_alarms(
    region: &mut Region,
    policy: &ScalingPolicy,
    arn: &str,
    tracking: &TargetTracking,
    reads: &[MetricDataQuery],
) -> Result<Vec<String>, AwsError> {
    let sides = if tracking.disable_scale_in == Some(true) { &SIDES[..1] } else { &SIDES[..] };
    let mut names = Vec::new();
    for (side, points, share, comparison) in sides {
        let name = format!("TargetTracking-{}-{side}-{}", policy.auto_scaling_group_name, region.ids.uuid());
        let mut alarm = PutMetricAlarm {
            alarm_name: Some(name.clone()),
            alarm_description: Some(format!(
                "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {arn}."
            )),
            alarm_actions: vec![arn.to_owned()],
            evaluation_periods: Some(*points),
            threshold: Some(Double(tracking.target_value * share)),
            comparison_operator: Some((*comparison).to_owned()),
            ..PutMetricAlarm::default()
        };
        match reads {
            [MetricDataQuery { metric_stat: Some(stat), .. }] => {
                let metric = stat.metric.clone().unwrap_or_default();
                (alarm.namespace, alarm.metric_name) = (metric.namespace, metric.metric_name);
                (alarm.dimensions, alarm.period) = (metric.dimensions, stat.period);
                (alarm.statistic, alarm.unit) = (stat.stat.clone(), stat.unit.clone());
            }
            several => alarm.metrics = several.to_vec(),
        }
        put_metric_alarm(region, alarm)?;
        names.push(name);
    }
    Ok(names)
}

/// The alarms with a policy among their actions.
fn alarms_of(region: &Region, arn: &str) -> Vec<AlarmReference> {
    let alarms = region.cloudwatch.alarms.by_name.values();
    let sets_off =
        alarms.filter(|alarm| alarm.configuration.alarm_actions.iter().any(|action| action == arn));
    sets_off
        .map(|alarm| AlarmReference { alarm_name: alarm.name.clone(), alarm_arn: alarm.arn.clone() })
        .collect()
}

fn arn_of(group: &Group, policy: &str) -> String {
    arn(group, "scalingPolicy", &format!("policyName/{policy}"))
}

/// Input of DescribePolicies.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// One group; all when absent.
    pub auto_scaling_group_name: Option<String>,
    /// All when empty.
    pub policy_names: Vec<String>,
    /// All when empty.
    pub policy_types: Vec<String>,
    /// 50 by default, at most 100.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribePolicies.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeOutput {
    /// The page.
    pub scaling_policies: Vec<PolicyDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A policy as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyDescription {
    /// As it was stored.
    #[serde(flatten)]
    pub policy: ScalingPolicy,
    /// ARN.
    #[serde(rename = "PolicyARN")]
    pub policy_arn: String,
    /// Alarms that set it off.
    #[serde(rename = "Alarms")]
    pub alarms: Vec<AlarmReference>,
}

/// Describes scaling policies by group and name.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let size = Sizes(50, 100).choose(input.max_records)?;
    not_too_many(&input.policy_names, "policy names")?;
    let mut found = Vec::new();
    for group in selected(region, input.auto_scaling_group_name.as_deref())? {
        for policy in group.policies.values() {
            let listed =
                |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
            let by_name = listed(&input.policy_names, &policy.policy_name);
            if by_name && listed(&input.policy_types, policy.policy_type.as_deref().unwrap_or_default()) {
                let arn = arn_of(group, &policy.policy_name);
                let policy = with_defaults(policy.clone());
                found.push(PolicyDescription { policy, alarms: alarms_of(region, &arn), policy_arn: arn });
            }
        }
    }
    let key = |one: &PolicyDescription| {
        format!("{}\t{}", one.policy.auto_scaling_group_name, one.policy.policy_name)
    };
    found.sort_by_key(key);
    let page = sorted(found, key, input.next_token.as_deref(), size)?;
    Ok(DescribeOutput { scaling_policies: page.items, next_token: page.next_token })
}

/// A policy with what it does where it says nothing.
fn with_defaults(mut policy: ScalingPolicy) -> ScalingPolicy {
    policy.enabled.get_or_insert(true);
    if policy.policy_type.as_deref() == Some("StepScaling") {
        policy.metric_aggregation_type.get_or_insert_with(|| "Average".to_owned());
    }
    if let Some(tracking) = &mut policy.target_tracking_configuration {
        tracking.disable_scale_in.get_or_insert(false);
    }
    policy
}

/// Input of DeletePolicy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeleteInput {
    /// The group.
    pub auto_scaling_group_name: Option<String>,
    /// Name or ARN.
    pub policy_name: String,
}

/// Deletes a scaling policy with the alarms that were made for it.
pub fn delete(region: &mut Region, input: &DeleteInput) -> Result<(), AwsError> {
    let (group, name) = named(input.auto_scaling_group_name.as_deref(), &input.policy_name);
    let (group, name) = (group.to_owned(), name.to_owned());
    if group_mut(region, &group)?.policies.remove(&name).is_none() {
        return Err(AwsError::validation(format!("No such policy: {name}")));
    }
    forget(region, &group, &name);
    // The alarms themselves stay (API Reference, DeletePolicy).
    change::drop_action(region, |action| policy_of(action) == Some((&group, &name)), false);
    Ok(())
}

/// Group and name of a policy that is given by name or ARN.
pub(super) fn named<'a>(group: Option<&'a str>, policy: &'a str) -> (&'a str, &'a str) {
    policy_of(policy).unwrap_or((group.unwrap_or_default(), policy))
}

pub(super) fn selected<'a>(region: &'a Region, name: Option<&str>) -> Result<Vec<&'a Group>, AwsError> {
    match name {
        Some(name) => Ok(vec![group(region, name)?]),
        None => Ok(region.groups().collect()),
    }
}

/// ARN of something that belongs to a group, after the group's own.
pub(super) fn arn(group: &Group, kind: &str, name: &str) -> String {
    group.arn.replacen(":autoScalingGroup:", &format!(":{kind}:"), 1) + ":" + name
}
