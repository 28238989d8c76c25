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

/// Why the state became `state`, for people.
pub fn sentence(configuration: &Configuration, evidence: &Evidence, state: StateValue) -> String {
    let evaluated = configuration.evaluation_periods;
    if state == StateValue::InsufficientData {
        return format!(
            "Insufficient Data: {} {} unknown.",
            counted(evidence.missing),
            was(evidence.missing)
        );
    }
    if evidence.points.is_empty() {
        let word = match configuration.treat_missing_data.unwrap_or_default() {
            Treatment::Breaching => "Breaching",
            Treatment::NotBreaching => "NonBreaching",
            Treatment::Missing | Treatment::Ignore => "Missing",
        };
        let missing = evidence.missing;
        return format!(
            "Threshold Crossed: no datapoints were received for {missing} period{} and {missing} missing \
             datapoint{} treated as [{word}].",
            plural(missing),
            if missing == 1 { " was" } else { "s were" },
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
    let needed = if alarm { configuration.needed() } else { evaluated + 1 - configuration.needed() };
    format!(
        "Threshold Crossed: {} out of the last {evaluated} datapoints [{}] {}{} {} the threshold ({:?}) (minimum {} for \
         {} transition).",
        told.len(),
        told.join(", "),
        was(told.len()),
        if alarm { "" } else { " not" },
        configuration.comparison.words(),
        configuration.threshold,
        counted(needed),
        if alarm { "OK -> ALARM" } else { "ALARM -> OK" },
    )
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
