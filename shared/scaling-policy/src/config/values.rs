//! The numbers of the file format: each a type with its unit and range, so that reading, the JSON Schema and
//! the sentence in a fault agree.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::Value;

use super::fault::{Faults, Path};
use super::read::Read;

/// What a number may be.
struct Range {
    /// Least value.
    min: f64,
    /// Greatest value.
    max: f64,
    /// The least value itself is excluded.
    above: bool,
    /// Whole numbers only.
    whole: bool,
    /// What the number is, for the rule.
    what: &'static str,
    /// How to put a wrong one right.
    fix: &'static str,
    /// The same for one that is too large, where `fix` is only about one that is too small.
    less: Option<&'static str>,
}

impl Range {
    fn read(&self, value: &Value, at: &Path<'_>, faults: &mut Faults) -> Option<f64> {
        let read = value.as_f64().filter(|number| {
            number.is_finite()
                && *number <= self.max
                && if self.above { *number > self.min } else { *number >= self.min }
                && (!self.whole || number.fract() == 0.0)
        });
        if read.is_none() {
            let Self { what, min, max, .. } = self;
            let rule = if self.above {
                format!("must be {what} above {min} and at most {max}")
            } else {
                format!("must be {what} from {min} to {max}")
            };
            let is_larger = value.as_f64().is_some_and(|number| number > self.max);
            let fix = match self.less.filter(|_| is_larger) {
                Some(less) => less,
                None if value.is_string() => UNQUOTED,
                None => self.fix,
            };
            faults.error(at, Some(value), rule, fix);
        }
        // Minus zero is in range, and is zero.
        read.map(|number| number + 0.0)
    }

    fn schema(&self) -> Schema {
        let mut schema = json_schema!({ "type": if self.whole { "integer" } else { "number" } });
        let least = if self.above { "exclusiveMinimum" } else { "minimum" };
        schema.insert(least.to_owned(), number(self.min, self.whole));
        schema.insert("maximum".to_owned(), number(self.max, self.whole));
        schema
    }
}

/// What to do about a number in quotes.
pub(super) const UNQUOTED: &str = "write it without quotes";

/// A whole number is written without a fraction.
#[expect(clippy::cast_possible_truncation, reason = "the bounds of a range are small")]
fn number(value: f64, whole: bool) -> Value {
    if whole { Value::from(value as i64) } else { Value::from(value) }
}

/// From the number as JSON has it, once its range is checked.
trait Narrow {
    fn narrow(number: f64) -> Self;
}

impl Narrow for f64 {
    fn narrow(number: f64) -> Self {
        number
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "its range lies within the type")]
impl Narrow for u32 {
    fn narrow(number: f64) -> Self {
        number as Self
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "its range lies within the type")]
impl Narrow for u64 {
    fn narrow(number: f64) -> Self {
        number as Self
    }
}

macro_rules! numbers {
    (@less) => { None };
    (@less $less:literal) => { Some($less) };
    ($(
        $(#[$meta:meta])*
        $name:ident($inner:ty) = { $($range:tt)+ } $(too_large: $less:literal)?;
    )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub $inner);

        impl $name {
            const RANGE: Range = Range { $($range)+ less: numbers!(@less $($less)?) };
        }

        impl Read for $name {
            fn read(value: &Value, at: &Path<'_>, faults: &mut Faults) -> Option<Self> {
                Self::RANGE.read(value, at, faults).map(|number| Self(<$inner>::narrow(number)))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                Self::RANGE.schema()
            }
        }
    )+};
}

numbers! {
    /// A share: above 0, at most 1.
    Fraction(f64) = {
        min: 0.0, max: 1.0, above: true, whole: false,
        what: "a fraction of 1", fix: "write 0.8 for 80 %",
    };
    /// A share that is taken off: from 0, and never all.
    Discount(f64) = {
        min: 0.0, max: 0.99, above: false, whole: false,
        what: "a fraction of 1", fix: "write 0.28 for 28 % off",
    };
    /// vCPU of one replica.
    CpuBound(f64) = {
        min: 0.0, max: 4096.0, above: false, whole: false,
        what: "a number of vCPU", fix: "count in vCPU, such as 0.5 or 4",
    };
    /// MiB of one replica.
    MemoryBound(f64) = {
        min: 0.0, max: 67_108_864.0, above: false, whole: false,
        what: "a number of MiB", fix: "count in MiB, such as 512 or 8192",
    };
    /// Replicas of a group.
    ReplicaCount(u32) = {
        min: 1.0, max: 100_000.0, above: false, whole: true,
        what: "a whole number", fix: "write 1 or more: at 0 replicas nothing is left to measure, and there is \
            no trigger yet that would wake the group",
    } too_large: "write 100000 or less";
    /// Requests per minute and replica.
    RequestRate(f64) = {
        min: 0.0, max: 1e9, above: true, whole: false,
        what: "requests per minute and replica", fix: "write what one replica of the reference type can take",
    };
    /// A response time in seconds.
    Latency(f64) = {
        min: 0.0, max: 3600.0, above: true, whole: false,
        what: "seconds", fix: "write 0.25 for 250 ms",
    };
    /// A duration in whole seconds, zero allowed, at most 31 days.
    Seconds(u64) = {
        min: 0.0, max: 2_678_400.0, above: false, whole: true,
        what: "whole seconds", fix: "count in seconds, at most 31 days",
    };
    /// How long a window stays open in whole seconds, at most 7 days.
    WindowSeconds(u64) = {
        min: 0.0, max: 604_800.0, above: false, whole: true,
        what: "whole seconds", fix: "count in seconds, at most 7 days",
    };
    /// A duration in whole seconds, at least one, at most a day.
    Period(u64) = {
        min: 1.0, max: 86_400.0, above: false, whole: true,
        what: "whole seconds", fix: "count in seconds, such as 60",
    };
    /// A factor of growth.
    GrowthFactor(f64) = {
        min: 1.0, max: 100.0, above: false, whole: false,
        what: "a factor", fix: "write 1.5 to grow by half in one step",
    };
    /// US dollars per hour.
    Price(f64) = {
        min: 0.0, max: 1e6, above: true, whole: false,
        what: "US dollars per hour", fix: "write the price of one instance for one hour, such as 0.1008",
    };
    /// Spending in US dollars per hour.
    Spending(f64) = {
        min: 0.0, max: 1e9, above: false, whole: false,
        what: "US dollars per hour", fix: "write 0 to allow none, or leave it out for no limit",
    };
    /// A number of groups.
    GroupCount(u32) = {
        min: 0.0, max: 1e6, above: false, whole: true,
        what: "a whole number", fix: "write 0 to allow none, or leave it out for no limit",
    };
    /// A factor between a metric's unit and a trigger's.
    Scale(f64) = {
        min: 0.0, max: 1e12, above: true, whole: false,
        what: "a factor", fix: "write 0.01 where the metric is a percentage, 0.001 where it is milliseconds",
    };
}
