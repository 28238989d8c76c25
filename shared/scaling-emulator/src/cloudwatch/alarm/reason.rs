//! Why an alarm changed: in words and as JSON, as the service writes them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rule::Treatment;
use super::{Configuration, StateValue, Watch};

/// A time as events and reason data have it.
pub fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3f+0000").to_string()
}

/// What a verdict rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Start in seconds and value of the points that decided, oldest first.
    pub points: Vec<(i64, f64)>,
    /// How many of the points that should decide were missing.
    pub missing: usize,
    /// Start of the oldest period looked at, in seconds.
    pub from: i64,
    /// When it was looked at.
    pub now: Timestamp,
}

/// Why the state became `state` from `before`, for people.
pub fn sentence(
    configuration: &Configuration,
    evidence: &Evidence,
    (before, state): (StateValue, StateValue),
) -> String {
    if state == StateValue::InsufficientData {
        return format!(
            "Insufficient Data: {} {} unknown.",
            counted(evidence.missing),
            was(evidence.missing)
        );
    }
    let alarm = state == StateValue::Alarm;
    let told: Vec<String> = evidence
        .points
        .iter()
        .rev()
        .filter(|(_, value)| configuration.comparison.breaches(*value, configuration.threshold) == alarm)
        .map(|(start, value)| format!("{value:?} ({})", short(*start)))
        .collect();
    let treated = treated(configuration, evidence.missing);
    if told.is_empty() {
        let missing = evidence.missing;
        return format!(
            "Threshold Crossed: no datapoints were received for {missing} period{}{}.",
            plural(missing),
            treated.unwrap_or_default(),
        );
    }
    let first = state == StateValue::Ok && before == StateValue::InsufficientData;
    format!(
        "Threshold Crossed: {} [{}] {}{} {} the threshold ({:?}){}{}.",
        if first { counted(told.len()) } else { of_last(told.len(), configuration.evaluation_periods) },
        told.join(", "),
        was(told.len()),
        if alarm { "" } else { " not" },
        configuration.comparison.words(),
        configuration.threshold,
        treated.unwrap_or_default(),
        if first { String::new() } else { needed(configuration, alarm) },
    )
}

fn of_last(count: usize, evaluated: usize) -> String {
    format!("{count} out of the last {evaluated} datapoints")
}

/// What missing points counted as. `None` where none is missing, or where they count as nothing.
fn treated(configuration: &Configuration, missing: usize) -> Option<String> {
    let word = match configuration.treat_missing_data.unwrap_or_default() {
        Treatment::Breaching => "Breaching",
        Treatment::NotBreaching => "NonBreaching",
        Treatment::Missing | Treatment::Ignore => return None,
    };
    let missing_points = format!("{missing} missing datapoint{}", plural(missing));
    (missing > 0).then(|| format!(" and {missing_points} {} treated as [{word}]", was(missing)))
}

/// How many points the change takes: into an alarm as from OK, whatever came before.
fn needed(configuration: &Configuration, alarm: bool) -> String {
    let (needed, change) = if alarm {
        (configuration.needed(), "OK -> ALARM")
    } else {
        (configuration.evaluation_periods + 1 - configuration.needed(), "ALARM -> OK")
    };
    format!(" (minimum {} for {change} transition)", counted(needed))
}

fn short(start: i64) -> String {
    Timestamp::from_second(start)
        .map_or_else(|_| String::new(), |time| time.strftime("%d/%m/%y %H:%M:%S").to_string())
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn counted(count: usize) -> String {
    format!("{count} datapoint{}", plural(count))
}

fn was(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// The same as JSON.
pub fn data(configuration: &Configuration, evidence: &Evidence) -> String {
    let values: Vec<f64> = evidence.points.iter().map(|(_, value)| *value).collect();
    let evaluated: Vec<Value> = evidence
        .points
        .iter()
        .rev()
        .filter_map(|(start, value)| {
            let time = Timestamp::from_second(*start).ok()?;
            Some(json!({ "timestamp": written(time), "value": value }))
        })
        .collect();
    let mut data = json!({
        "version": "1.0",
        "queryDate": written(evidence.now),
        "period": configuration.watch.period(),
        "recentDatapoints": values,
        "threshold": configuration.threshold,
        "evaluatedDatapoints": evaluated,
    });
    if let Ok(from) = Timestamp::from_second(evidence.from) {
        data["startDate"] = Value::String(written(from));
    }
    if let Watch::Metric(stat) = &configuration.watch {
        data["statistic"] = Value::String(stat.statistic.to_string());
    }
    data.to_string()
}
