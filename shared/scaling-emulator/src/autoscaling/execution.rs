//! Carrying out a policy by hand, and looking at what predictive scaling forecasts.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::policies::named;
use super::{check_stays, group};
use crate::region::acting::{Trigger, execute};
use crate::region::adjustment::Breach;
use crate::region::policy::PredictiveMetric;
use crate::region::{Group, Region};
use crate::wire::AwsError;

/// Input of ExecutePolicy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecuteInput {
    /// The group; may be left out where the policy is given by its ARN.
    pub auto_scaling_group_name: Option<String>,
    /// Name or ARN.
    pub policy_name: String,
    /// Whether to refuse while the group cools down.
    pub honor_cooldown: Option<bool>,
    /// The value that a step policy is shown,
    pub metric_value: Option<f64>,
    /// and the threshold that it breaches.
    pub breach_threshold: Option<f64>,
}

/// Carries out a simple or step policy.
pub fn execute_policy(region: &mut Region, input: &ExecuteInput) -> Result<(), AwsError> {
    let target = named(input.auto_scaling_group_name.as_deref(), &input.policy_name);
    check_stays(group(region, target.0)?)?;
    let breach = input.metric_value.zip(input.breach_threshold).map(|(value, threshold)| Breach {
        value,
        threshold,
        upward: value >= threshold,
    });
    execute(region, target, breach, &Trigger::User(input.honor_cooldown == Some(true)))
}

/// Input of GetPredictiveScalingForecast.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForecastInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The policy.
    pub policy_name: String,
    /// First hour, at most a year ago.
    pub start_time: Timestamp,
    /// The hour before which it ends.
    pub end_time: Timestamp,
}

/// Output of GetPredictiveScalingForecast.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForecastOutput {
    /// Load by metric.
    pub load_forecast: Vec<LoadForecast>,
    /// Capacity.
    pub capacity_forecast: Series,
    /// When it was made.
    pub update_time: Timestamp,
}

/// Load of one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct LoadForecast {
    pub timestamps: Vec<Timestamp>,
    pub values: Vec<f64>,
    pub metric_specification: Option<PredictiveMetric>,
}

/// Values by hour.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Series {
    pub timestamps: Vec<Timestamp>,
    pub values: Vec<f64>,
}

/// Longest span of a forecast, how far back it may begin, and how far ahead there is one: *API Reference*,
/// GetPredictiveScalingForecast, by which a later end is accepted though nothing is forecast there.
const LONGEST: SignedDuration = SignedDuration::from_hours(30 * 24);
const EARLIEST: SignedDuration = SignedDuration::from_hours(366 * 24);
const AHEAD: SignedDuration = SignedDuration::from_hours(48);

/// Tells what a predictive policy forecasts, hour by hour: nothing before it has seen a day. The load knows no bounds of the
/// group, the capacity does.
pub fn forecast(region: &mut Region, input: &ForecastInput) -> Result<ForecastOutput, AwsError> {
    let group: &Group = group(region, &input.auto_scaling_group_name)?;
    let follower = group.followers.get(&input.policy_name);
    let policy = group.policies.get(&input.policy_name);
    let (Some(follower), Some(policy)) = (follower.filter(|follower| !follower.tracks()), policy) else {
        return Err(AwsError::validation(format!(
            "No such predictive scaling policy: {}",
            input.policy_name
        )));
    };
    let length = input.end_time.duration_since(input.start_time);
    if length < SignedDuration::ZERO || length > LONGEST {
        return Err(AwsError::validation("The time range of a forecast must be from 0 to 30 days."));
    }
    if input.start_time < region.now - EARLIEST {
        return Err(AwsError::validation("StartTime must be at most one year before the current time."));
    }
    let first = input.start_time.as_second().div_euclid(3600) * 3600;
    let end = input.end_time.min(region.now + AHEAD).as_second();
    let hours = (0..).map(|hour| first + hour * 3600).take_while(|second| *second < end);
    let (mut timestamps, mut values, mut load) = (Vec::new(), Vec::new(), Vec::new());
    for hour in hours {
        let Ok(at) = Timestamp::from_second(hour) else { break };
        let Some((expected, wanted)) = follower.forecast(at) else { continue };
        timestamps.push(at);
        load.push(expected);
        values.push(f64::from(wanted.clamp(group.settings.min, group.settings.max)));
    }
    let specification = policy.predictive_scaling_configuration.as_ref();
    let specification = specification.and_then(|one| one.metric_specifications.first()).cloned();
    Ok(ForecastOutput {
        load_forecast: vec![LoadForecast {
            timestamps: timestamps.clone(),
            values: load,
            metric_specification: specification,
        }],
        capacity_forecast: Series { timestamps, values },
        update_time: region.now,
    })
}
