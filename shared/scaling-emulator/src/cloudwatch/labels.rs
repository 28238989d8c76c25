//! Labels that tell of what they stand at: `${MAX}`, `${PROP('MetricName')}` and their like.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::math::Points;
use super::queries::{Ask, Query, Stat};
use crate::region::Region;

/// What stands for a value where there are no points.
const NOTHING: &str = "--";

/// What the points of a result tell.
const OF_POINTS: [&str; 12] = [
    "AVG",
    "FIRST",
    "FIRST_LAST_RANGE",
    "FIRST_TIME",
    "LAST",
    "LAST_TIME",
    "MAX",
    "MAX_TIME",
    "MIN",
    "MIN_MAX_RANGE",
    "MIN_TIME",
    "SUM",
];

/// What the values of a label are taken from.
pub(super) struct Source<'a> {
    /// The region and account of everything.
    pub region: &'a Region,
    /// The query.
    pub query: &'a Query,
    /// What it found.
    pub points: &'a Points,
    /// How times are written.
    pub offset: Offset,
}

/// A label with its `${...}` filled in. What is not known stays as it is.
pub(super) fn filled(label: &str, source: &Source<'_>) -> String {
    let mut written = String::with_capacity(label.len());
    let mut rest = label;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else { break };
        written.push_str(before);
        match source.value(name) {
            Some(value) => written.push_str(&value),
            None => written.extend(["${", name, "}"]),
        }
        rest = behind;
    }
    written + rest
}

impl Source<'_> {
    fn value(&self, name: &str) -> Option<String> {
        if let Some(property) = property_of(name) {
            return self.property(property);
        }
        match name {
            "LABEL" => return Some(self.plain()),
            "DATAPOINT_COUNT" => return Some(self.points.len().to_string()),
            _ => {}
        }
        if !OF_POINTS.contains(&name) {
            return None;
        }
        let told = self.number(name).map(|number| number.to_string()).or_else(|| self.time(name));
        told.or_else(|| Some(NOTHING.to_owned()))
    }

    /// What a result is called that has no label of its own.
    fn plain(&self) -> String {
        self.stat().map_or_else(|| self.query.id.clone(), |stat| stat.key.name.clone())
    }

    fn stat(&self) -> Option<&Stat> {
        match &self.query.ask {
            Ask::Stat(stat) => Some(stat),
            Ask::Math(_) => None,
        }
    }

    fn property(&self, name: &str) -> Option<String> {
        match name {
            "AccountId" => return Some(self.region.account_id.clone()),
            "Region" => return Some(self.region.name.clone()),
            _ => {}
        }
        let stat = self.stat()?;
        Some(match name {
            "MetricName" => stat.key.name.clone(),
            "Namespace" => stat.key.namespace.clone(),
            "Period" => stat.period.to_string(),
            "Stat" => stat.statistic.to_string(),
            _ => stat.key.dimension(name.strip_prefix("Dim.")?)?.to_owned(),
        })
    }

    /// A number that the points tell; none without points, and where another name is meant.
    fn number(&self, name: &str) -> Option<f64> {
        let all = || self.points.values().copied();
        let (first, last) = (all().next()?, all().next_back()?);
        let (low, high) = (all().reduce(f64::min)?, all().reduce(f64::max)?);
        #[expect(clippy::cast_precision_loss, reason = "there are at most 100,800 points")]
        let count = self.points.len() as f64;
        Some(match name {
            "AVG" => all().sum::<f64>() / count,
            "SUM" => all().sum(),
            "MIN" => low,
            "MAX" => high,
            "FIRST" => first,
            "LAST" => last,
            "MIN_MAX_RANGE" => high - low,
            "FIRST_LAST_RANGE" => last - first,
            _ => return None,
        })
    }

    /// A time that the points tell, as [`Self::number`] does. Of equal values the oldest counts.
    fn time(&self, name: &str) -> Option<String> {
        let by_value = |a: &(&i64, &f64), b: &(&i64, &f64)| a.1.total_cmp(b.1);
        let (second, _) = match name {
            "FIRST_TIME" => self.points.first_key_value(),
            "LAST_TIME" => self.points.last_key_value(),
            "MIN_TIME" => self.points.iter().min_by(by_value),
            "MAX_TIME" => self.points.iter().rev().max_by(by_value),
            _ => None,
        }?;
        Timestamp::from_second(*second).ok().map(|time| self.written(time))
    }

    fn written(&self, time: Timestamp) -> String {
        let zone = if self.offset == Offset::UTC { "UTC".to_owned() } else { format!("UTC{}", self.offset) };
        format!("{} {zone}", self.offset.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S"))
    }
}

/// The name in `PROP('...')`.
fn property_of(name: &str) -> Option<&str> {
    name.strip_prefix("PROP('")?.strip_suffix("')")
}

/// The offset that `+0130` and its like mean.
pub(super) fn offset(text: &str) -> Option<Offset> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at_checked(2)?;
    let (hours, minutes) = (hours.parse::<i32>().ok()?, minutes.parse::<i32>().ok()?);
    if minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_have_a_sign_and_four_digits() {
        assert_eq!(offset("+0130").map(Offset::seconds), Some(5400));
        assert_eq!(offset("-0800").map(Offset::seconds), Some(-28_800));
        for refused in ["", "0130", "+130", "+01:30", "+0160", "+9900", "é"] {
            assert_eq!(offset(refused), None, "{refused}");
        }
    }
}
