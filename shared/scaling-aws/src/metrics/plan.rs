//! Which queries are one and the same, and which go into one call.
//!
//! A call has one start and one end for all its queries. Queries whose windows differ a little (other periods,
//! other windows of the same minutes) share a call over the union of their windows, and each keeps the points of
//! its own; this costs nothing, as CloudWatch bills by metric. Windows that would make the union long (a history
//! that is read again beside the last few minutes) go into calls of their own.

use std::collections::HashMap;

use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::ports::MetricQuery;
use scaling_policy::config::Dimension;

use crate::error::Call;

pub(super) const GET: Call = Call::cloudwatch("GetMetricData");

/// Queries that one call may hold.
pub(super) const QUERIES_PER_CALL: usize = 500;

/// Longest union of different windows, in seconds: up to three hours back every period is kept by CloudWatch.
const LONGEST_UNION: i64 = 3 * 3600;

/// A time span in whole seconds since the epoch, start included, end not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Window {
    /// The whole periods inside the span: both ends go down to a period.
    fn of_whole_periods(from: Timestamp, to: Timestamp, period: i64) -> Self {
        let down = |moment: Timestamp| moment.as_second() - moment.as_second().rem_euclid(period);
        Self { from: down(from), to: down(to) }
    }

    const fn is_empty(self) -> bool {
        self.to <= self.from
    }

    const fn length(self) -> i64 {
        self.to - self.from
    }

    /// The union with `other`, widened to multiples of `step`, so that no query's periods are shifted.
    fn union(self, other: Self, step: i64) -> Self {
        let (from, to) = (self.from.min(other.from), self.to.max(other.to));
        Self { from: from - from.rem_euclid(step), to: to + (-to).rem_euclid(step) }
    }
}

/// One series to be read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Lookup {
    pub(super) namespace: String,
    pub(super) metric: String,
    pub(super) dimensions: Vec<Dimension>,
    pub(super) statistic: &'static str,
    pub(super) period: u32,
    pub(super) window: Window,
}

impl Lookup {
    fn of(query: &MetricQuery) -> Result<Self, PortError> {
        if query.period_seconds == 0 || i32::try_from(query.period_seconds).is_err() {
            return Err(PortError::Invalid {
                operation: GET.operation,
                message: format!("a period of {} s for group {}", query.period_seconds, query.group.name),
            });
        }
        let binding = &query.binding;
        Ok(Self {
            namespace: binding.namespace.clone(),
            metric: binding.metric.clone(),
            dimensions: binding.dimensions.clone(),
            statistic: binding.statistic.name(),
            period: query.period_seconds,
            window: Window::of_whole_periods(query.from, query.to, i64::from(query.period_seconds)),
        })
    }

    /// Whether the period that starts at `second` lies inside this lookup's own window.
    pub(super) fn covers(&self, second: i64) -> bool {
        second >= self.window.from && second + i64::from(self.period) <= self.window.to
    }
}

/// The lookups of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) window: Window,
    /// Places in [`Plan::lookups`].
    pub(super) members: Vec<usize>,
    step: i64,
}

impl Batch {
    fn of(place: usize, lookup: &Lookup) -> Self {
        Self { window: lookup.window, members: vec![place], step: i64::from(lookup.period) }
    }

    /// Takes the lookup in, if it fits.
    fn take(&mut self, place: usize, lookup: &Lookup) -> bool {
        let step = common_multiple(self.step, i64::from(lookup.period));
        let window = self.window.union(lookup.window, step);
        let fits = self.members.len() < QUERIES_PER_CALL
            && (window == self.window && window == lookup.window || window.length() <= LONGEST_UNION);
        if fits {
            self.members.push(place);
            (self.window, self.step) = (window, step);
        }
        fits
    }
}

/// What to ask, and which answer belongs to which query.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) lookups: Vec<Lookup>,
    /// For each query its lookup; `None` where its span holds no whole period.
    pub(super) of_query: Vec<Option<usize>>,
}

impl Plan {
    /// Finds the distinct lookups among the queries.
    ///
    /// # Errors
    /// `Invalid` for a period of zero.
    pub(crate) fn of(queries: &[MetricQuery]) -> Result<Self, PortError> {
        let mut lookups = Vec::new();
        let mut known: HashMap<Lookup, usize> = HashMap::new();
        let mut of_query = Vec::with_capacity(queries.len());
        for query in queries {
            let lookup = Lookup::of(query)?;
            if lookup.window.is_empty() {
                of_query.push(None);
                continue;
            }
            let place = *known.entry(lookup).or_insert_with_key(|lookup| {
                lookups.push(lookup.clone());
                lookups.len() - 1
            });
            of_query.push(Some(place));
        }
        Ok(Self { lookups, of_query })
    }

    /// Whether nothing needs to be asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.lookups.is_empty()
    }

    /// The lookups in calls, those of like windows together.
    pub(super) fn batches(&self) -> Vec<Batch> {
        let mut places: Vec<usize> = (0..self.lookups.len()).collect();
        places.sort_by_key(|place| (self.lookups[*place].window, *place));
        let mut batches: Vec<Batch> = Vec::new();
        for place in places {
            let lookup = &self.lookups[place];
            let taken = batches.last_mut().is_some_and(|batch| batch.take(place, lookup));
            if !taken {
                batches.push(Batch::of(place, lookup));
            }
        }
        batches
    }
}

fn common_multiple(a: i64, b: i64) -> i64 {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    (a / divisor).saturating_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(period: u32, from: i64, to: i64) -> Lookup {
        Lookup {
            namespace: "AWS/EC2".to_owned(),
            metric: "CPUUtilization".to_owned(),
            dimensions: Vec::new(),
            statistic: "Average",
            period,
            window: Window { from, to },
        }
    }

    fn plan(lookups: Vec<Lookup>) -> Plan {
        Plan { lookups, of_query: Vec::new() }
    }

    #[test]
    fn windows_that_differ_a_little_share_a_call_that_starts_on_every_period() {
        let batches = plan(vec![lookup(60, 660, 960), lookup(300, 600, 900)]).batches();
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].window, Window { from: 600, to: 1200 });
    }

    #[test]
    fn a_history_has_a_call_of_its_own() {
        let day = 86_400;
        let batches = plan(vec![
            lookup(60, 14 * day - 300, 14 * day),
            lookup(60, 0, 14 * day),
            lookup(60, 0, 14 * day),
        ])
        .batches();
        assert_eq!(
            batches.iter().map(|batch| batch.members.clone()).collect::<Vec<_>>(),
            [vec![1, 2], vec![0]]
        );
    }

    #[test]
    fn periods_without_a_short_common_multiple_are_kept_apart() {
        let batches = plan(vec![lookup(86_400, 0, 86_400), lookup(60, 0, 60)]).batches();
        assert_eq!(batches.len(), 2);
    }

    #[test]
    fn a_span_without_a_whole_period_is_empty() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert!(Window::of_whole_periods(at(61), at(119), 60).is_empty());
        assert_eq!(Window::of_whole_periods(at(119), at(185), 60), Window { from: 60, to: 180 });
    }
}
