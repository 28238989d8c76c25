//! Statistics over a part of a period's samples: trimmed mean, count and sum, winsorized mean, percentile rank.
//!
//! Source: *Amazon CloudWatch User Guide*, "CloudWatch statistics definitions": `tm90` and `TM(:90%)` are the same, `IQM` is
//! `TM(25%:75%)`; a lower boundary is exclusive, an upper one inclusive; a percentile rank has absolute boundaries only.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::statistic::Bucket;

/// What is made of the samples between the boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Their mean.
    Mean,
    /// How many they are.
    Count,
    /// Their sum.
    Sum,
    /// The mean of all, those outside counted as the boundary.
    Winsorized,
    /// Their share of all, in percent.
    Rank,
}

impl Kind {
    const TABLE: [(&'static str, Self); 5] = [
        ("tm", Self::Mean),
        ("tc", Self::Count),
        ("ts", Self::Sum),
        ("wm", Self::Winsorized),
        ("pr", Self::Rank),
    ];
}

/// Where the part begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Bound {
    /// Nowhere.
    Open,
    /// At a value.
    Value(f64),
    /// Behind this share of the samples, 0 to 1.
    Share(f64),
}

/// A statistic over a part of the samples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Trimmed {
    kind: Kind,
    lower: Bound,
    upper: Bound,
}

/// The mean of the middle half.
const INTERQUARTILE: Trimmed =
    Trimmed { kind: Kind::Mean, lower: Bound::Share(0.25), upper: Bound::Share(0.75) };

impl Trimmed {
    /// The statistic of that name, such as `tm99`, `TS(80%:)`, `PR(:300)` or `IQM`. `None` for any other.
    pub fn named(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("iqm") {
            return Some(INTERQUARTILE);
        }
        let (start, rest) = name.split_at_checked(2)?;
        let (_, kind) = *Kind::TABLE.iter().find(|(known, _)| start.eq_ignore_ascii_case(known))?;
        let (lower, upper) = match rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
            Some(range) => {
                let (lower, upper) = range.split_once(':')?;
                (bound(lower)?, bound(upper)?)
            }
            None => (Bound::Open, Bound::Share(percent(rest)?)),
        };
        Some(Self { kind, lower, upper }).filter(Self::makes_sense)
    }

    fn makes_sense(&self) -> bool {
        match (self.lower, self.upper) {
            (Bound::Value(low), Bound::Value(high)) => low < high,
            (Bound::Share(low), Bound::Share(high)) => self.kind != Kind::Rank && low < high,
            (Bound::Share(_), Bound::Open) | (Bound::Open, Bound::Share(_)) => self.kind != Kind::Rank,
            (Bound::Value(_), Bound::Open) | (Bound::Open, Bound::Value(_)) => true,
            (Bound::Open, Bound::Open)
            | (Bound::Share(_), Bound::Value(_))
            | (Bound::Value(_), Bound::Share(_)) => false,
        }
    }

    /// The statistic of a period; `None` where its samples do not tell, or where none is left.
    pub fn of(&self, bucket: &Bucket) -> Option<f64> {
        let (low_count, low_sum, low) = cut(bucket, self.lower, (0.0, 0.0))?;
        let all = bucket.all()?;
        let (high_count, high_sum, high) = cut(bucket, self.upper, all)?;
        let (count, sum) = ((high_count - low_count).max(0.0), high_sum - low_sum);
        match self.kind {
            Kind::Count => Some(count),
            Kind::Sum => Some(sum),
            Kind::Mean => (count > 0.0).then(|| sum / count),
            Kind::Rank => Some(100.0 * count / all.0),
            Kind::Winsorized => Some((low_count * low + sum + (all.0 - high_count) * high) / all.0),
        }
    }
}

/// Count and sum of the samples up to a boundary, and the value that it lies at; `open` where there is none.
fn cut(bucket: &Bucket, bound: Bound, open: (f64, f64)) -> Option<(f64, f64, f64)> {
    match bound {
        Bound::Open => Some((open.0, open.1, 0.0)),
        Bound::Value(value) => {
            let (count, sum) = bucket.up_to(value)?;
            Some((count, sum, value))
        }
        Bound::Share(share) => bucket.first(share),
    }
}

fn bound(text: &str) -> Option<Bound> {
    match text.strip_suffix('%') {
        _ if text.is_empty() => Some(Bound::Open),
        Some(text) => percent(text).map(Bound::Share),
        None => text.parse::<f64>().ok().filter(|value| value.is_finite()).map(Bound::Value),
    }
}

fn percent(text: &str) -> Option<f64> {
    let percent = text.parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent))?;
    Some(percent / 100.0)
}

impl fmt::Display for Bound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => Ok(()),
            Self::Value(value) => write!(formatter, "{value}"),
            Self::Share(share) => write!(formatter, "{}%", (share * 1e4).round() / 100.0),
        }
    }
}

impl fmt::Display for Trimmed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Kind::TABLE.iter().find(|(_, kind)| *kind == self.kind).map_or("", |(name, _)| name);
        match (self.lower, self.upper) {
            _ if *self == INTERQUARTILE => formatter.write_str("IQM"),
            (Bound::Open, Bound::Share(share)) => {
                write!(formatter, "{name}{}", (share * 1e4).round() / 100.0)
            }
            (lower, upper) => write!(formatter, "{}({lower}:{upper})", name.to_uppercase()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::statistic::Curve;
    use super::*;

    fn one_to_ten() -> Bucket {
        let mut bucket = Bucket::default();
        for value in 1..=10 {
            bucket.absorb(&Bucket::of_value(f64::from(value), 1.0));
        }
        bucket
    }

    fn of(bucket: &Bucket, name: &str) -> Option<f64> {
        Trimmed::named(name).unwrap().of(bucket)
    }

    #[test]
    fn a_part_lies_above_its_lower_and_up_to_its_upper_boundary() {
        let bucket = one_to_ten();
        for (name, expected) in [
            ("tm90", 5.0),
            ("TM(:90%)", 5.0),
            ("TM(10%:90%)", 5.5),
            ("TM(2:4)", 3.5),
            ("TM(8:)", 9.5),
            ("IQM", 5.5),
            ("tc90", 9.0),
            ("TC(2:4)", 2.0),
            ("ts50", 15.0),
            ("TS(80%:)", 19.0),
            ("wm90", 5.4),
            ("WM(2:4)", 3.5),
            ("PR(:3)", 30.0),
            ("PR(3:7)", 40.0),
            ("PR(9.5:)", 10.0),
        ] {
            let value = of(&bucket, name).unwrap();
            assert!((value - expected).abs() < 1e-9, "{name} is {value}");
        }
        assert_eq!(of(&bucket, "TM(20:30)"), None);
        assert_eq!(of(&bucket, "TC(20:30)"), Some(0.0));
    }

    #[test]
    fn equal_samples_are_their_own_mean_however_they_are_trimmed() {
        let bucket = Bucket::of_value(5.0, 8.0);
        for name in ["IQM", "tm10", "TM(10%:20%)", "wm50"] {
            assert!((of(&bucket, name).unwrap() - 5.0).abs() < 1e-9, "{name}");
        }
    }

    #[test]
    fn samples_known_by_their_statistics_only_have_no_part() {
        assert_eq!(of(&Bucket::of_statistics(3.0, 9.0, 1.0, 7.0), "tm90"), None);
        assert_eq!(of(&Bucket::of_value(-1.0, 1.0), "tm90"), None);
        assert_eq!(of(&Bucket::default(), "tm90"), None);
    }

    #[test]
    fn quantiles_give_a_part_by_straight_lines_between_them() {
        let quantiles = vec![(0.0, 0.0), (0.5, 1.0), (1.0, 3.0)];
        let bucket = Bucket::of_curve(Curve { samples: 100.0, quantiles }, 125.0);
        for (name, expected) in [("tc50", 50.0), ("tm50", 0.5), ("PR(:2)", 75.0), ("TM(50%:)", 2.0)] {
            let value = of(&bucket, name).unwrap();
            assert!((value - expected).abs() < 1e-6, "{name} is {value}");
        }
    }

    #[test]
    fn names_are_read_and_written() {
        for name in
            ["tm90", "tc99.9", "ts50", "wm98", "TM(10%:90%)", "TM(150:1000)", "TS(80%:)", "PR(:300)", "IQM"]
        {
            assert_eq!(Trimmed::named(name).unwrap().to_string(), name);
        }
        for (name, written) in
            [("TM90", "tm90"), ("iqm", "IQM"), ("TM(25%:75%)", "IQM"), ("TM(:90%)", "tm90")]
        {
            assert_eq!(Trimmed::named(name).unwrap().to_string(), written);
        }
        for name in
            ["tm", "TM()", "TM(:)", "TM(90%:10%)", "TM(1:10%)", "PR(1%:2%)", "pr90", "tm101", "xx90", "é"]
        {
            assert_eq!(Trimmed::named(name), None, "{name}");
        }
    }
}
