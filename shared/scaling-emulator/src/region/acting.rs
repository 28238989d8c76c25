//! Scaling policies as time passes: alarms set off simple and step policies, and the others follow their metrics.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Dynamic scaling for Amazon EC2 Auto Scaling": an alarm acts again for
//! every minute that it stays on; of several policies that want more, the largest wins; a group shrinks by target
//! tracking only when all of its policies that may shrink it agree.

use jiff::SignedDuration;

use super::Region;
use super::adjustment::{Breach, adjusted, stepped};
use super::following::Follower;
use super::group::Group;
use super::policy::ScalingPolicy;
use super::scaling::second;
use crate::cloudwatch::alarm::{Alarm, Comparison, StateValue, due};
use crate::cloudwatch::queries::Span;
use crate::wire::AwsError;

const MINUTE: i64 = 60;

/// Lets all policies act at the end of a minute, when alarms have been evaluated.
pub(crate) fn act(region: &mut Region) {
    run(region, set_off(region, None));
    let following = region.groups.values().filter(|group| !group.followers.is_empty() && !group.deleting);
    let names: Vec<String> = following.map(|group| group.name.clone()).collect();
    for name in names {
        follow(region, &name);
    }
}

/// Lets the policies of one alarm act, which a caller has put into another state.
pub(crate) fn act_on(region: &mut Region, alarm: &str) {
    run(region, set_off(region, Some(alarm)));
}

fn run(region: &mut Region, set_off: Vec<SetOff>) {
    for SetOff { alarm, group, policy, breach } in set_off {
        // A cooldown or a step that does not fit: nothing happens, as on AWS.
        let _nothing = execute(region, (&group, &policy), breach, &Trigger::Alarm(&alarm));
    }
}

/// A policy that an alarm sets off.
struct SetOff {
    alarm: String,
    group: String,
    policy: String,
    /// `None` where the alarm's metric has no point.
    breach: Option<Breach>,
}

/// What sets a policy off.
pub(crate) enum Trigger<'a> {
    /// An alarm by name.
    Alarm(&'a str),
    /// A caller, who may ask to honour the cooldown.
    User(bool),
}

/// Alarms that are on, or one of them, with the policies in their actions.
fn set_off(region: &Region, only: Option<&str>) -> Vec<SetOff> {
    let on = |alarm: &&Alarm| {
        alarm.state.value == StateValue::Alarm
            && alarm.configuration.actions_enabled
            && only.is_none_or(|only| only == alarm.name)
    };
    let mut found = Vec::new();
    for alarm in region.cloudwatch.alarms.by_name.values().filter(on) {
        for action in &alarm.configuration.alarm_actions {
            let Some((group, policy)) = policy_of(action) else { continue };
            // Those that follow a metric by themselves have alarms only to be looked at.
            let known = region.groups.get(group).filter(|group| !group.followers.contains_key(policy));
            if known.is_none() {
                continue;
            }
            let breach = due::latest(region, &alarm.configuration).map(|value| Breach {
                value,
                threshold: alarm.configuration.threshold,
                upward: matches!(
                    alarm.configuration.comparison,
                    Comparison::GreaterThanOrEqualToThreshold | Comparison::GreaterThanThreshold
                ),
            });
            let (alarm, group, policy) = (alarm.name.clone(), group.to_owned(), policy.to_owned());
            found.push(SetOff { alarm, group, policy, breach });
        }
    }
    found
}

/// Group and policy in a policy's ARN.
pub(crate) fn policy_of(arn: &str) -> Option<(&str, &str)> {
    arn.split_once(":autoScalingGroupName/")?.1.split_once(":policyName/")
}

/// Carries out a simple or step policy.
///
/// # Errors
/// `ScalingActivityInProgress` while a simple policy cools down; `ValidationError` where the policy cannot be carried out.
pub(crate) fn execute(
    region: &mut Region,
    (group, policy): (&str, &str),
    breach: Option<Breach>,
    trigger: &Trigger<'_>,
) -> Result<(), AwsError> {
    let now = region.now;
    let missing = || AwsError::validation(format!("No such policy: {policy}"));
    let group = region.groups.get_mut(group).ok_or_else(missing)?;
    let policy = group.policies.get(policy).cloned().ok_or_else(missing)?;
    let by_alarm = matches!(trigger, Trigger::Alarm(_));
    if by_alarm && (!policy.is_enabled() || group.is_suspended("AlarmNotification") || group.deleting) {
        return Ok(());
    }
    let bounds = (group.settings.min, group.settings.max);
    let wanted = match policy.policy_type.as_deref() {
        Some("StepScaling") => {
            let breach = breach.ok_or_else(|| {
                AwsError::validation(
                    "MetricValue and BreachThreshold are required for a step scaling policy.",
                )
            })?;
            stepped(&policy, breach, group.have(group.policy_warmup(&policy), now), bounds)
        }
        Some("SimpleScaling") => {
            let honours = !matches!(trigger, Trigger::User(false));
            if honours && cools_down(group, &policy, now) {
                return Err(AwsError::new(
                    "ScalingActivityInProgress",
                    "Scaling activity is in progress or in cooldown and blocks this action",
                ));
            }
            let kind = policy.adjustment_type.as_deref().unwrap_or_default();
            let amount = policy.scaling_adjustment.unwrap_or(0);
            let wanted = adjusted(kind, amount, policy.min_adjustment_magnitude, group.desired);
            Some(wanted.clamp(bounds.0, bounds.1))
        }
        _ => return Err(AwsError::validation("Only simple and step scaling policies can be executed.")),
    };
    let least = group.forecast_floor(now).min(group.desired);
    if let Some(wanted) = wanted.map(|wanted| wanted.max(least)) {
        let cause = match trigger {
            Trigger::Alarm(alarm) => format!("a monitor alarm {alarm} in state ALARM triggered policy"),
            Trigger::User(_) => "a user request executed policy".to_owned(),
        };
        change(group, wanted, &format!("At {} {cause} {}", second(now), policy.policy_name));
    }
    Ok(())
}

fn cools_down(group: &Group, policy: &ScalingPolicy, now: jiff::Timestamp) -> bool {
    let own = policy.cooldown.and_then(|cooldown| u32::try_from(cooldown).ok());
    let cooldown = SignedDuration::from_secs(i64::from(own.unwrap_or(group.settings.default_cooldown)));
    group.last_activity.is_some_and(|last| last + cooldown > now)
        || group.is_about_to_scale()
        || group.members.iter().any(|member| {
            member.state.is_pending() || (member.state.is_ending() && !member.state.leaves_warm_pool())
        })
}

fn change(group: &mut Group, wanted: u32, why: &str) {
    let before = group.desired;
    if wanted != before {
        group.cause = format!("{why} changing the desired capacity from {before} to {wanted}.  ");
        group.desired = wanted;
        group.trouble.next_try = None;
    }
}

/// What one policy that follows a metric wants.
struct Wish {
    policy: String,
    alarms: Vec<String>,
    wanted: Option<u32>,
    tracks: bool,
    may_shrink: bool,
}

fn follow(region: &mut Region, name: &str) {
    let Some(group) = region.groups.get_mut(name) else { return };
    let mut followers = std::mem::take(&mut group.followers);
    let mut wishes = Vec::new();
    for (policy, follower) in &mut followers {
        wishes.extend(wish(region, name, policy, follower));
    }
    let now = region.now;
    let Some(group) = region.groups.get_mut(name) else { return };
    group.followers = followers;
    if group.is_suspended("AlarmNotification") {
        return;
    }
    let (min, max) = (group.settings.min, group.settings.max);
    let capacity = |wish: &Wish| wish.wanted.map(|wanted| wanted.clamp(min, max));
    let triggered = |wish: &Wish, side: usize| {
        wish.alarms.get(side).map_or_else(
            || format!("At {} predictive scaling policy {}", second(now), wish.policy),
            |alarm| {
                format!(
                    "At {} a monitor alarm {alarm} in state ALARM triggered policy {}",
                    second(now),
                    wish.policy
                )
            },
        )
    };
    let most =
        wishes.iter().filter_map(|wish| Some((capacity(wish)?, wish))).max_by_key(|(wanted, _)| *wanted);
    if let Some((wanted, wish)) = most.filter(|(wanted, _)| *wanted > group.desired) {
        let why = triggered(wish, 0);
        change(group, wanted, &why);
        return;
    }
    let floor = group.forecast_floor(now);
    let shrinking = || wishes.iter().filter(|wish| wish.tracks && wish.may_shrink);
    let agreed =
        shrinking().map(capacity).collect::<Option<Vec<u32>>>().and_then(|all| all.into_iter().max());
    let agreed = agreed.map(|wanted| wanted.max(floor)).filter(|wanted| *wanted < group.desired);
    if let (Some(wanted), Some(wish)) = (agreed, shrinking().next()) {
        let why = triggered(wish, 1);
        change(group, wanted, &why);
    }
}

/// Shows a policy the newest minute of its metric, point by point: those of a high-resolution metric are several.
fn wish(region: &Region, group: &str, policy: &str, follower: &mut Follower) -> Option<Wish> {
    let group = region.groups.get(group)?;
    let settings = group.policies.get(policy)?;
    let delay = region.cloudwatch.metric_delay.as_secs();
    let end = (region.now.as_second() - delay).div_euclid(MINUTE) * MINUTE;
    let span = Span { from: end - MINUTE, to: end, aligned: true };
    let lines = follower.queries.read(region, span).ok();
    let line = lines.and_then(|lines| lines.into_iter().next());
    let points: Vec<f64> = line.map(|line| line.points.into_values().collect()).unwrap_or_default();
    let have = group.have(group.policy_warmup(settings), region.now);
    // An alarm acts when it goes on, and what the next points say takes nothing back: the most of a minute's wishes counts,
    // so that growing comes before shrinking.
    let mut wanted = None;
    for metric in points.iter().copied().map(Some).chain(points.is_empty().then_some(None)) {
        wanted = wanted.max(follower.observe(metric, have, region.now));
    }
    let tracking = settings.target_tracking_configuration.as_ref();
    settings.is_enabled().then(|| Wish {
        policy: policy.to_owned(),
        alarms: follower.alarms.clone(),
        wanted,
        tracks: follower.tracks(),
        may_shrink: tracking.is_some_and(|tracking| tracking.disable_scale_in != Some(true)),
    })
}
