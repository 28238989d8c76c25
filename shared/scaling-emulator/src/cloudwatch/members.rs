//! Members that the protocols write in different ways: times and fractions.

use std::fmt;

use jiff::Timestamp;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A time as the protocols carry it: seconds since the epoch, or ISO 8601 text in forms.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Seconds(pub f64);

impl Seconds {
    /// The time. `None` outside of the years that there are.
    pub fn timestamp(self) -> Option<Timestamp> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a cast saturates, and jiff refuses what is too far"
        )]
        let milliseconds = (self.0 * 1000.0).round() as i64;
        self.0.is_finite().then(|| Timestamp::from_millisecond(milliseconds).ok()).flatten()
    }

    /// Whole seconds, rounded down.
    pub fn whole(self) -> i64 {
        #[expect(clippy::cast_possible_truncation, reason = "a cast saturates; no period reaches that far")]
        let seconds = self.0.floor() as i64;
        seconds
    }
}

impl From<Timestamp> for Seconds {
    fn from(time: Timestamp) -> Self {
        Self(time.as_millisecond() as f64 / 1000.0)
    }
}

impl From<i64> for Seconds {
    fn from(seconds: i64) -> Self {
        Self(seconds as f64)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = deserializer.deserialize_any(NumberVisitor { expected: "a time", text: time_of })?;
        if number.is_finite() { Ok(Self(number)) } else { Err(de::Error::custom("a time must be finite")) }
    }
}

fn time_of(text: &str) -> Option<f64> {
    let read = text.parse::<Timestamp>().ok().or_else(|| {
        // Without an offset the services take UTC.
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    });
    read.map(|time| Seconds::from(time).0).or_else(|| text.parse().ok())
}

/// A fraction; not always finite, so that operations can refuse in their own words what is not.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Double(pub f64);

impl Serialize for Double {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_finite() {
            serializer.serialize_f64(self.0)
        } else {
            // JSON has no such numbers; AWS JSON writes them as words.
            serializer.serialize_str(if self.0.is_nan() {
                "NaN"
            } else if self.0 > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            })
        }
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = |text: &str| text.parse().ok();
        deserializer.deserialize_any(NumberVisitor { expected: "a number", text }).map(Self)
    }
}

struct NumberVisitor {
    expected: &'static str,
    text: fn(&str) -> Option<f64>,
}

impl Visitor<'_> for NumberVisitor {
    type Value = f64;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.expected)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<f64, E> {
        Ok(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<f64, E> {
        (self.text)(text.trim())
            .ok_or_else(|| de::Error::custom(format!("`{text}` is not {}", self.expected)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_read_as_seconds_and_as_text() {
        for value in [
            json!(1_767_571_200),
            json!(1_767_571_200.0),
            json!("2026-01-05T00:00:00Z"),
            json!("2026-01-05T00:00:00"),
            json!("2026-01-05T01:00:00+01:00"),
            json!("1767571200"),
        ] {
            assert_eq!(serde_json::from_value::<Seconds>(value).unwrap(), Seconds(1_767_571_200.0));
        }
        assert!(serde_json::from_value::<Seconds>(json!("yesterday")).is_err());
        assert!(serde_json::from_value::<Seconds>(json!("NaN")).is_err());
    }

    #[test]
    fn fractions_keep_what_is_not_finite() {
        for word in ["NaN", "Infinity", "-Infinity"] {
            let number: Double = serde_json::from_value(json!(word)).unwrap();
            assert!(!number.0.is_finite());
            assert_eq!(serde_json::to_value(number).unwrap(), json!(word));
        }
        assert_eq!(serde_json::from_value::<Double>(json!(3)).unwrap(), Double(3.0));
    }
}
