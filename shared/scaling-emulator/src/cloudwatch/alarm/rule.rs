//! What state follows from the points of an alarm's evaluation range.
//!
//! The range is longer than the N points that decide, so that gaps can be bridged by older points. Of the points that
//! exist, the newest N decide; only when fewer exist does the treatment of missing data matter. Source: "Configuring how
//! CloudWatch alarms treat missing data" in the CloudWatch user guide, with its tables and its section on premature
//! transitions.

use serde::{Deserialize, Serialize};

/// What missing points count as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Treatment {
    /// As unknown: without any point the state is not known.
    #[default]
    Missing,
    /// The state stays.
    Ignore,
    /// As outside of the threshold.
    Breaching,
    /// As within the threshold.
    NotBreaching,
}

impl Treatment {
    /// The treatment of that name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "missing" => Self::Missing,
            "ignore" => Self::Ignore,
            "breaching" => Self::Breaching,
            "notBreaching" => Self::NotBreaching,
            _ => return None,
        })
    }
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Within the threshold.
    Ok,
    /// Outside of it.
    Alarm,
    /// Not known.
    InsufficientData,
    /// The state stays.
    Keep,
}

/// How many points more than N the range holds: the guide's example takes 5 for N = 3.
const EXTRA: usize = 2;

/// Length of the range for N points.
pub fn range_length(evaluation_periods: usize) -> usize {
    evaluation_periods.saturating_add(EXTRA)
}

/// The verdict over a range, oldest first: whether each point breaches, `None` where it is missing. `evaluated` is N,
/// `needed` is M.
pub fn judge(range: &[Option<bool>], evaluated: usize, needed: usize, treatment: Treatment) -> Verdict {
    let existing: Vec<bool> = range.iter().flatten().copied().collect();
    let decided = |breaching: usize| if breaching >= needed { Verdict::Alarm } else { Verdict::Ok };
    if let Some(skipped) = existing.len().checked_sub(evaluated) {
        return decided(existing.iter().skip(skipped).filter(|breaches| **breaches).count());
    }
    let breaching = existing.iter().filter(|breaches| **breaches).count();
    let filled = evaluated - existing.len();
    match treatment {
        Treatment::Breaching => decided(breaching + filled),
        Treatment::NotBreaching => decided(breaching),
        Treatment::Missing | Treatment::Ignore => {
            let unknown =
                if treatment == Treatment::Ignore { Verdict::Keep } else { Verdict::InsufficientData };
            match existing.len() {
                0 => unknown,
                _ if breaching >= needed => Verdict::Alarm,
                known if known > breaching => Verdict::Ok,
                // Only breaching points, too few of them: an alarm once the oldest is M periods old, since nothing newer
                // speaks against it.
                _ if treatment == Treatment::Missing && age_of_oldest(range) >= needed => Verdict::Alarm,
                _ => unknown,
            }
        }
    }
}

/// Age in periods of the oldest point that exists; 1 is the newest place in the range.
fn age_of_oldest(range: &[Option<bool>]) -> usize {
    range.iter().position(Option::is_some).map_or(0, |position| range.len() - position)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `0` within the threshold, `X` outside, `-` missing; the newest is on the right.
    fn range(text: &str) -> Vec<Option<bool>> {
        text.split_whitespace()
            .map(|point| match point {
                "0" => Some(false),
                "X" => Some(true),
                _ => None,
            })
            .collect()
    }

    /// Verdicts in the order of the guide's columns: missing, ignore, breaching, notBreaching.
    fn verdicts(points: &str, evaluated: usize, needed: usize) -> [Verdict; 4] {
        [Treatment::Missing, Treatment::Ignore, Treatment::Breaching, Treatment::NotBreaching]
            .map(|treatment| judge(&range(points), evaluated, needed, treatment))
    }

    use Verdict::{Alarm, InsufficientData, Keep, Ok};

    /// docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html, first table: 3 of 3.
    #[test]
    fn three_of_three_follows_the_guides_table() {
        for (points, expected) in [
            ("0 - X - X", [Ok; 4]),
            ("0 - - - -", [Ok; 4]),
            ("- - - - -", [InsufficientData, Keep, Alarm, Ok]),
            ("0 X X - X", [Alarm; 4]),
            ("- - X - -", [Alarm, Keep, Alarm, Ok]),
        ] {
            assert_eq!(verdicts(points, 3, 3), expected, "{points}");
        }
    }

    /// The same page, second table: 2 of 3.
    #[test]
    fn two_of_three_follows_the_guides_table() {
        for (points, expected) in [
            ("0 - X - X", [Alarm; 4]),
            ("0 0 X 0 X", [Alarm; 4]),
            ("0 - X - -", [Ok, Ok, Alarm, Ok]),
            ("- - - - 0", [Ok, Ok, Alarm, Ok]),
            ("- - - X -", [Alarm, Keep, Alarm, Ok]),
        ] {
            assert_eq!(verdicts(points, 3, 2), expected, "{points}");
        }
    }

    /// The same page, on premature transitions; the state of the first two rows is in the page's older tables.
    #[test]
    fn a_single_breaching_point_waits_until_it_is_as_old_as_the_points_needed() {
        for (points, expected) in [
            ("- - - - X", [InsufficientData, Keep, Alarm, Ok]),
            ("- - - X -", [InsufficientData, Keep, Alarm, Ok]),
            ("- - X - -", [Alarm, Keep, Alarm, Ok]),
            ("X - - - -", [Alarm, Keep, Alarm, Ok]),
            ("- - X - 0", [Ok, Ok, Ok, Ok]),
        ] {
            assert_eq!(verdicts(points, 3, 3), expected, "{points}");
        }
    }

    #[test]
    fn the_range_of_three_is_five() {
        assert_eq!(range_length(3), 5);
    }

    proptest! {
        #[test]
        fn with_enough_points_the_treatment_does_not_matter(
            points in prop::collection::vec(prop::option::of(any::<bool>()), 1..12),
            needed in 1_usize..6,
        ) {
            let existing = points.iter().flatten().count();
            prop_assume!(existing > 0);
            let needed = needed.min(existing);
            let of = |treatment| judge(&points, existing, needed, treatment);
            let first = of(Treatment::Missing);
            prop_assert!(matches!(first, Ok | Alarm));
            for treatment in [Treatment::Ignore, Treatment::Breaching, Treatment::NotBreaching] {
                prop_assert_eq!(of(treatment), first);
            }
        }
    }
}
