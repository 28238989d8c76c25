//! Alarms as time passes: reads what each watches, applies the rule, and carries out what a change sets off.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::composite;
use super::history::{History, Item, Kind};
use super::reason::{self, Evidence};
use super::rule::{self, Verdict};
use super::suppression::{self, Course};
use super::{Alarm, Alarms, Configuration, State, StateValue, Watch, event};
use crate::cloudwatch::math::Points;
use crate::cloudwatch::queries::{Span, Stat};
use crate::cloudwatch::series::{self, Window};
use crate::cloudwatch::statistic::{Bucket, Statistic};
use crate::lambda::Invocation;
use crate::region::Region;

/// Alarms with periods of a minute or more are evaluated every minute, others every 10 seconds.
fn slot_length(period: i64) -> i64 {
    if period >= 60 { 60 } else { 10 }
}

/// Evaluates the alarms that are due at `region.now`. Called after every step of time; returns the functions that
/// alarm actions invoke, in order, those of `SetAlarmState` before.
pub fn evaluate_alarms(region: &mut Region) -> Vec<Invocation> {
    let mut invocations = std::mem::take(&mut region.cloudwatch.pending);
    let now = region.now;
    // Taken out while they are read, because they are changed and the region is not.
    let mut alarms = std::mem::take(&mut region.cloudwatch.alarms);
    let Alarms { by_name, history, .. } = &mut alarms;
    for alarm in by_name.values_mut().filter(|alarm| !alarm.configuration.is_composite()) {
        let slot = now.as_second().div_euclid(slot_length(alarm.configuration.watch.period()));
        if alarm.evaluated.replace(slot) == Some(slot) {
            continue;
        }
        if let Some(state) = evaluated(region, alarm) {
            let (items, invoked) = changed(region, alarm, state);
            for item in items {
                history.push(item);
            }
            invocations.extend(invoked);
        }
    }
    invocations.extend(evaluate_composites(region, &mut alarms));
    region.cloudwatch.alarms = alarms;
    invocations
}

/// Lets composite alarms follow one that somebody has put into a state, at once: time may stand still, or that state be over
/// with the next step.
pub(super) fn follow(region: &mut Region) {
    let mut alarms = std::mem::take(&mut region.cloudwatch.alarms);
    let invocations = evaluate_composites(region, &mut alarms);
    region.cloudwatch.alarms = alarms;
    region.cloudwatch.pending.extend(invocations);
}

/// Lets composite alarms follow those that they watch.
fn evaluate_composites(region: &Region, alarms: &mut Alarms) -> Vec<Invocation> {
    let mut invocations = Vec::new();
    for _ in 0..composite::levels() {
        let due = composite::due(alarms, region.now);
        if due.is_empty() {
            break;
        }
        for (name, state) in due {
            let Some(alarm) = alarms.by_name.get(&name) else { continue };
            let begun = suppression::begun(alarms, alarm, state.value, region.now);
            let Some(alarm) = alarms.by_name.get_mut(&name) else { continue };
            // Actions that were kept back are not made up for by those of the way back.
            let dropped = alarm.suppression.take().is_some();
            alarm.suppression = begun.filter(|_| !dropped);
            let previous = put_into(alarm, state);
            let kept_back = dropped || alarm.suppression.is_some();
            alarms.history.push(state_update(alarm, &previous));
            if !kept_back {
                invocations.extend(act(region, &mut alarms.history, alarm, &previous));
            }
        }
    }
    let names: Vec<String> =
        alarms.by_name.values().filter(|one| one.suppression.is_some()).map(|one| one.name.clone()).collect();
    for name in names {
        let course = alarms.by_name.get(&name).and_then(|one| suppression::course(alarms, one, region.now));
        let Some(alarm) = alarms.by_name.get_mut(&name) else { continue };
        alarm.suppression = match course {
            Some(Course::On(suppression)) => Some(suppression),
            Some(Course::Over(previous)) => {
                invocations.extend(act(region, &mut alarms.history, alarm, &previous));
                None
            }
            None => None,
        };
    }
    invocations
}

/// Carries the actions of a change out.
fn act(region: &Region, history: &mut History, alarm: &Alarm, previous: &State) -> Vec<Invocation> {
    let (items, invocations) = actions(region, alarm, previous);
    for item in items {
        history.push(item);
    }
    invocations
}

/// The alarm's new state, if it changes.
fn evaluated(region: &Region, alarm: &Alarm) -> Option<State> {
    let configuration = &alarm.configuration;
    let period = configuration.watch.period();
    let evaluated = configuration.evaluation_periods;
    let length = rule::range_length(evaluated);
    let slot = slot_length(period);
    let to = region.now.as_second().div_euclid(slot) * slot;
    let from = to - i64::try_from(length).ok()?.checked_mul(period)?;
    if too_few_samples(region, configuration, to) {
        return None;
    }
    let points = points(region, &configuration.watch, from, to)?;
    let starts = (0..).map(|number| from + number * period).take_while(|start| *start < to);
    let breaches = |value: &f64| configuration.comparison.breaches(*value, configuration.threshold);
    let range: Vec<Option<bool>> = starts.map(|start| points.get(&start).map(breaches)).collect();
    let treatment = configuration.treat_missing_data.unwrap_or_default();
    let value = match rule::judge(&range, evaluated, configuration.needed(), treatment) {
        Verdict::Keep => return None,
        Verdict::Ok => StateValue::Ok,
        Verdict::Alarm => StateValue::Alarm,
        Verdict::InsufficientData => StateValue::InsufficientData,
    };
    if value == alarm.state.value {
        return None;
    }
    let skipped = points.len().saturating_sub(evaluated);
    let evidence = Evidence {
        missing: evaluated.saturating_sub(points.len()),
        points: points.into_iter().skip(skipped).collect(),
        from: to - i64::try_from(evaluated).ok()?.checked_mul(period)?,
        now: region.now,
    };
    Some(State {
        value,
        reason: reason::sentence(configuration, &evidence, (alarm.state.value, value)),
        reason_data: Some(reason::data(configuration, &evidence)),
        updated: region.now,
    })
}

/// The newest point of what an alarm watches, within the time that it looks at.
pub(crate) fn latest(region: &Region, configuration: &Configuration) -> Option<f64> {
    let period = configuration.watch.period();
    let length = i64::try_from(rule::range_length(configuration.evaluation_periods)).ok()?;
    let slot = slot_length(period);
    let to = region.now.as_second().div_euclid(slot) * slot;
    let points = points(region, &configuration.watch, to - length.checked_mul(period)?, to)?;
    points.last_key_value().map(|(_, value)| *value)
}

/// What the alarm watches, by period. `None` when an expression comes to no metric.
fn points(region: &Region, watch: &Watch, from: i64, to: i64) -> Option<Points> {
    match watch {
        Watch::Composite(_) => None,
        Watch::Metric(stat) => Some(stat.points(region, from, to)),
        Watch::Math { queries, .. } => {
            let lines = queries.read(region, Span { from, to, aligned: false }).ok()?;
            lines.into_iter().next().map(|line| line.points)
        }
    }
}

/// Whether a percentile rests on too few samples to be looked at, where the alarm asks for that.
fn too_few_samples(region: &Region, configuration: &Configuration, to: i64) -> bool {
    let Watch::Metric(Stat { key, period, statistic: Statistic::Percentile(share), unit }) =
        &configuration.watch
    else {
        return false;
    };
    if configuration.low_sample_percentile.as_deref() != Some("ignore") {
        return false;
    }
    let rarer = if *share >= 0.5 { 1.0 - share } else { *share };
    let from =
        to - i64::try_from(configuration.evaluation_periods).unwrap_or(i64::MAX).saturating_mul(*period);
    let window = Window { from, to, period: *period, unit: *unit };
    let samples: f64 = series::read(region, key, window).values().map(Bucket::samples).sum();
    samples * rarer < 10.0
}

/// Puts an alarm into a new state. Returns what goes into the history, and the functions to invoke.
pub(super) fn changed(region: &Region, alarm: &mut Alarm, state: State) -> (Vec<Item>, Vec<Invocation>) {
    let previous = put_into(alarm, state);
    let (acted, invocations) = actions(region, alarm, &previous);
    let mut items = vec![state_update(alarm, &previous)];
    items.extend(acted);
    (items, invocations)
}

/// Puts an alarm into a new state. Returns the one before.
fn put_into(alarm: &mut Alarm, state: State) -> State {
    let previous = std::mem::replace(&mut alarm.state, state);
    if previous.value == StateValue::Alarm && alarm.state.value != StateValue::Alarm {
        alarm.calmed = Some(alarm.state.updated);
    }
    tracing::debug!(
        alarm = alarm.name,
        state = alarm.state.value.name(),
        reason = alarm.state.reason,
        "alarm changed"
    );
    previous
}

/// What the actions of a change write into the history, and the functions that they invoke.
fn actions(region: &Region, alarm: &Alarm, previous: &State) -> (Vec<Item>, Vec<Invocation>) {
    let (mut items, mut invocations) = (Vec::new(), Vec::new());
    if alarm.configuration.actions_enabled && previous.value != alarm.state.value {
        for action in alarm.configuration.actions(alarm.state.value) {
            invocations.extend(event::invocation(region, alarm, previous, action));
            items.push(action_taken(alarm, action, region.now));
        }
    }
    (items, invocations)
}

fn state_update(alarm: &Alarm, previous: &State) -> Item {
    let told = |state: &State| {
        json!({
            "stateValue": state.value,
            "stateReason": state.reason,
            "stateReasonData": state.reason_data.as_deref().and_then(|data| serde_json::from_str::<Value>(data).ok()),
        })
    };
    Item {
        alarm: alarm.name.clone(),
        composite: alarm.configuration.is_composite(),
        time: alarm.state.updated,
        kind: Kind::StateUpdate,
        summary: format!("Alarm updated from {} to {}", previous.value.name(), alarm.state.value.name()),
        data: json!({ "version": "1.0", "oldState": told(previous), "newState": told(&alarm.state) })
            .to_string(),
    }
}

fn action_taken(alarm: &Alarm, action: &str, now: Timestamp) -> Item {
    Item {
        alarm: alarm.name.clone(),
        composite: alarm.configuration.is_composite(),
        time: now,
        kind: Kind::Action,
        summary: format!("Successfully executed action {action}"),
        data: json!({
            "actionState": "Succeeded",
            "notificationResource": action,
            "stateUpdateTimestamp": alarm.state.updated.as_millisecond(),
        })
        .to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Comparison;

    #[test]
    fn comparisons_are_strict_where_their_names_are() {
        for (comparison, below, at, above) in [
            (Comparison::GreaterThanOrEqualToThreshold, false, true, true),
            (Comparison::GreaterThanThreshold, false, false, true),
            (Comparison::LessThanThreshold, true, false, false),
            (Comparison::LessThanOrEqualToThreshold, true, true, false),
        ] {
            assert_eq!([4.0, 5.0, 6.0].map(|value| comparison.breaches(value, 5.0)), [below, at, above]);
        }
    }
}
