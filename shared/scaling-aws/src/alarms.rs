//! The CloudWatch alarms that wake a group before the next tick: one for each trigger that asks for capacity and
//! whose limit is a fixed value of one metric, named `scaling/<group>/<trigger>`.
//!
//! An alarm is only a wake-up. It fires on one period at the limit, because the evaluation it starts looks at
//! everything anew, and one too many does no harm. The limit of `request_count` is per replica, so that no fixed
//! value of the group's metric stands for it; the schedule looks at it every period.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricAlarm, Statistic};
use scaling_control::PortError;
use scaling_policy::config::{self, GroupConfig, MetricBinding, Platform};
use scaling_policy::trigger::Trigger;

use crate::error::Call;
use crate::platform::AwsPlatform;

const DESCRIBE: Call = Call::cloudwatch("DescribeAlarms");
const PUT: Call = Call::cloudwatch("PutMetricAlarm");
const DELETE: Call = Call::cloudwatch("DeleteAlarms");

/// What every alarm of ours begins with.
pub const PREFIX: &str = "scaling/";

/// DeleteAlarms takes this many names.
const DELETED_AT_ONCE: usize = 100;

/// Most pages of alarms that are read; 100 alarms each.
const MOST_PAGES: usize = 200;

/// An alarm as it should be.
#[derive(Debug, Clone, PartialEq)]
pub struct WantedAlarm {
    /// Its name.
    pub name: String,
    /// The metric.
    pub binding: MetricBinding,
    /// Period in seconds.
    pub period_seconds: i32,
    /// Fires at this value of the metric or more.
    pub threshold: f64,
}

/// What becomes of one alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmChange {
    /// It is missing.
    Create,
    /// It is there and differs.
    Update,
    /// It is as it should be.
    Keep,
    /// Nothing wants it any more.
    Remove,
}

/// How far a synchronisation goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncScope {
    /// Says what it would do.
    DryRun,
    /// Does it, and removes what these groups no longer want.
    Groups,
    /// Also removes alarms of other groups whose action is this function: groups that were taken out of the
    /// configuration.
    Prune,
}

/// The alarms that a group should have.
pub fn wanted(group: &GroupConfig) -> Vec<WantedAlarm> {
    if group.platform != Platform::Aws {
        return Vec::new();
    }
    let fixed = [Trigger::CpuUsage, Trigger::MemoryUsage, Trigger::RequestLatency];
    let alarm = |trigger: Trigger| {
        let settings = &group.triggers[trigger];
        let binding = settings.binding.clone().filter(|binding| settings.asks && binding.scale > 0.0)?;
        Some(WantedAlarm {
            name: format!("{PREFIX}{}/{trigger}", group.name),
            threshold: settings.threshold / binding.scale,
            period_seconds: alarm_period(group.evaluation_period.as_secs()),
            binding,
        })
    };
    fixed.into_iter().filter_map(alarm).collect()
}

/// The period of an alarm: CloudWatch takes 10, 20 and 30 seconds and whole minutes, up to a day. The next longer one
/// stands for what it does not take.
fn alarm_period(seconds: u64) -> i32 {
    const LONGEST: u64 = 86_400;
    let period = match seconds {
        0..=30 => seconds.div_ceil(10).max(1) * 10,
        _ => seconds.div_ceil(60).saturating_mul(60).min(LONGEST),
    };
    i32::try_from(period).unwrap_or(i32::MAX)
}

impl AwsPlatform {
    /// Makes the alarms of `groups` what they should be, with the function `action` (its ARN) as their action, and
    /// says by name what became of each. A page of alarms is one call, a change one call, removals 100 a call.
    ///
    /// # Errors
    /// As the calls have them: the first, once everything else was tried, so that one alarm that cannot be made keeps no
    /// group from its own.
    pub async fn sync_alarms(
        &self,
        groups: &[Arc<GroupConfig>],
        action: &str,
        scope: SyncScope,
    ) -> Result<BTreeMap<String, AlarmChange>, PortError> {
        let client = self.clients().cloudwatch().await;
        let present = ours(client).await?;
        let wanted: Vec<WantedAlarm> = groups.iter().flat_map(|group| wanted(group)).collect();
        let (mut changes, mut failure) = (BTreeMap::new(), None);
        for alarm in &wanted {
            let change = match present.get(&alarm.name) {
                None => AlarmChange::Create,
                Some(found) if is_as_wanted(found, alarm, action) => AlarmChange::Keep,
                Some(_) => AlarmChange::Update,
            };
            if change != AlarmChange::Keep
                && scope != SyncScope::DryRun
                && let Err(error) = put(client, alarm, action).await
            {
                tracing::warn!(target: "scaling::integration", alarm = alarm.name, %error, "no alarm");
                failure.get_or_insert(error);
                continue;
            }
            changes.insert(alarm.name.clone(), change);
        }
        let surplus = surplus(&present, groups, &wanted, (action, scope));
        if scope != SyncScope::DryRun {
            for names in surplus.chunks(DELETED_AT_ONCE) {
                let call = client.delete_alarms().set_alarm_names(Some(names.to_vec())).send();
                call.await.map_err(|error| DELETE.error("the alarms", error))?;
            }
        }
        changes.extend(surplus.into_iter().map(|name| (name, AlarmChange::Remove)));
        failure.map_or(Ok(changes), Err)
    }

    /// Names of alarms that `groups` should have and the account has not.
    ///
    /// # Errors
    /// As the calls have them.
    pub async fn missing_alarms(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<String>, PortError> {
        let present = ours(self.clients().cloudwatch().await).await?;
        let wanted = groups.iter().flat_map(|group| wanted(group));
        Ok(wanted.map(|alarm| alarm.name).filter(|name| !present.contains_key(name)).collect())
    }
}

/// Alarms of ours that nothing wants.
fn surplus(
    present: &BTreeMap<String, MetricAlarm>,
    groups: &[Arc<GroupConfig>],
    wanted: &[WantedAlarm],
    (action, scope): (&str, SyncScope),
) -> Vec<String> {
    let wanted: HashSet<&str> = wanted.iter().map(|alarm| alarm.name.as_str()).collect();
    let names: HashSet<&str> = groups.iter().map(|group| group.name.as_str()).collect();
    let of_ours = |name: &str, alarm: &MetricAlarm| {
        let group = name.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('/')).map(|(group, _)| group);
        let known = group.is_some_and(|group| names.contains(group));
        known || (scope == SyncScope::Prune && alarm.alarm_actions().iter().any(|arn| arn == action))
    };
    let unwanted =
        present.iter().filter(|(name, alarm)| !wanted.contains(name.as_str()) && of_ours(name, alarm));
    unwanted.map(|(name, _)| name.clone()).collect()
}

/// Every alarm whose name begins as ours do.
async fn ours(client: &Client) -> Result<BTreeMap<String, MetricAlarm>, PortError> {
    let mut found = BTreeMap::new();
    let mut next: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let call = client.describe_alarms().alarm_name_prefix(PREFIX).max_records(100);
        let page = call.set_next_token(next).send().await;
        let page = page.map_err(|error| DESCRIBE.error("the alarms", error))?;
        let named = page
            .metric_alarms()
            .iter()
            .filter_map(|alarm| Some((alarm.alarm_name()?.to_owned(), alarm.clone())));
        found.extend(named);
        next = page.next_token().map(str::to_owned);
        if next.is_none() {
            return Ok(found);
        }
    }
    Err(DESCRIBE.malformed("the listing of alarms does not end"))
}

fn is_as_wanted(found: &MetricAlarm, wanted: &WantedAlarm, action: &str) -> bool {
    let binding = &wanted.binding;
    let mut dimensions: Vec<(&str, &str)> = (found.dimensions().iter())
        .filter_map(|dimension| Some((dimension.name()?, dimension.value()?)))
        .collect();
    let mut expected: Vec<(&str, &str)> =
        binding.dimensions.iter().map(|one| (one.name.as_str(), one.value.as_str())).collect();
    dimensions.sort_unstable();
    expected.sort_unstable();
    let statistic = found.extended_statistic().or(found.statistic().map(Statistic::as_str));
    found.namespace() == Some(binding.namespace.as_str())
        && found.metric_name() == Some(binding.metric.as_str())
        && dimensions == expected
        && statistic == Some(binding.statistic.name())
        && found.period() == Some(wanted.period_seconds)
        && found.threshold().is_some_and(|threshold| (threshold - wanted.threshold).abs() < 1e-9)
        && found.comparison_operator() == Some(&ComparisonOperator::GreaterThanOrEqualToThreshold)
        && found.evaluation_periods() == Some(1)
        && found.treat_missing_data() == Some("notBreaching")
        && found.actions_enabled() == Some(true)
        && found.alarm_actions() == [action]
}

async fn put(client: &Client, wanted: &WantedAlarm, action: &str) -> Result<(), PortError> {
    let binding = &wanted.binding;
    let dimension = |one: &config::Dimension| Dimension::builder().name(&one.name).value(&one.value).build();
    let call = client
        .put_metric_alarm()
        .alarm_name(&wanted.name)
        .alarm_description("Wakes the scaling controller; kept by `scaling alarms sync`")
        .namespace(&binding.namespace)
        .metric_name(&binding.metric)
        .set_dimensions(Some(binding.dimensions.iter().map(dimension).collect()))
        .period(wanted.period_seconds)
        .threshold(wanted.threshold)
        .comparison_operator(ComparisonOperator::GreaterThanOrEqualToThreshold)
        .evaluation_periods(1)
        .treat_missing_data("notBreaching")
        .actions_enabled(true)
        .alarm_actions(action);
    let name = binding.statistic.name();
    let call = if name.starts_with('p') {
        call.extended_statistic(name)
    } else {
        call.statistic(Statistic::from(name))
    };
    call.send().await.map_err(|error| PUT.error(&format!("alarm {}", wanted.name), error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_has_a_period_that_cloudwatch_takes() {
        for (seconds, period) in [
            (1, 10),
            (5, 10),
            (10, 10),
            (15, 20),
            (30, 30),
            (31, 60),
            (60, 60),
            (90, 120),
            (300, 300),
            (u64::MAX, 86_400),
        ] {
            assert_eq!(alarm_period(seconds), period, "{seconds}");
        }
    }
}
