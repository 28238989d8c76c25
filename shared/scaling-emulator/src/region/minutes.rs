//! What a group was like, minute by minute: the source of every metric of the fleet.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long minutes are kept: as long as CloudWatch keeps one-minute points.
const KEPT: SignedDuration = SignedDuration::from_hours(15 * 24);

/// Samples of one quantity within a minute, one a serving instance.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Samples {
    /// How many.
    pub count: u32,
    /// Their sum.
    pub sum: f64,
    /// The smallest; 0 without samples.
    pub min: f64,
    /// The largest; 0 without samples.
    pub max: f64,
}

impl Samples {
    /// Adds one.
    pub fn add(&mut self, sample: f64) {
        self.min = if self.count == 0 { sample } else { self.min.min(sample) };
        self.max = if self.count == 0 { sample } else { self.max.max(sample) };
        self.sum += sample;
        self.count += 1;
    }

    /// Their mean; `None` without samples.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}

/// Response times of a minute's requests, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Latency {
    /// Sum over the requests.
    pub sum: f64,
    /// The fastest, estimated as the 1st percentile.
    pub min: f64,
    /// The slowest, estimated as the 99.9th percentile.
    pub max: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
}

/// How many instances a group had at a minute's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sizes {
    /// Asked for.
    pub desired: u32,
    /// Least allowed.
    pub min: u32,
    /// Most allowed.
    pub max: u32,
    /// Serving.
    pub in_service: u32,
    /// Booting.
    pub pending: u32,
    /// In standby.
    pub standby: u32,
    /// In the warm pool.
    pub warm: u32,
    /// Ending.
    pub terminating: u32,
    /// All of them.
    pub total: u32,
    /// Capacity that serves: as many as instances unless the group has weights.
    pub in_service_capacity: u32,
    /// Capacity that boots.
    pub pending_capacity: u32,
    /// Capacity in standby.
    pub standby_capacity: u32,
    /// Capacity that ends.
    pub terminating_capacity: u32,
    /// What the warm pool should have.
    pub warm_desired: u32,
    /// On its way into the warm pool.
    pub warm_pending: u32,
    /// Ending in the warm pool.
    pub warm_terminating: u32,
    /// Least of the warm pool.
    #[serde(default)]
    pub warm_min: u32,
}

impl Sizes {
    fn numbers(self) -> Vec<u32> {
        vec![
            self.desired,
            self.min,
            self.max,
            self.in_service,
            self.pending,
            self.standby,
            self.warm,
            self.terminating,
            self.total,
            self.in_service_capacity,
            self.pending_capacity,
            self.standby_capacity,
            self.terminating_capacity,
            self.warm_desired,
            self.warm_pending,
            self.warm_terminating,
            self.warm_min,
        ]
    }

    /// Older states have fewer numbers: what they do not tell was not there.
    fn from_numbers(numbers: &[u32]) -> Self {
        let mut numbers = numbers.iter().copied();
        let mut next = || numbers.next().unwrap_or(0);
        // In the order in which they are written.
        Self {
            desired: next(),
            min: next(),
            max: next(),
            in_service: next(),
            pending: next(),
            standby: next(),
            warm: next(),
            terminating: next(),
            total: next(),
            in_service_capacity: next(),
            pending_capacity: next(),
            standby_capacity: next(),
            terminating_capacity: next(),
            warm_desired: next(),
            warm_pending: next(),
            warm_terminating: next(),
            warm_min: next(),
        }
    }
}

/// One complete minute of one group.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct MinuteRecord {
    /// When it began.
    pub start: Timestamp,
    /// Requests that arrived.
    pub requests: f64,
    /// Requests given up after the service's time-out.
    pub timed_out: f64,
    /// Response times; `None` without requests.
    pub latency: Option<Latency>,
    /// CPU utilisation of the serving instances, 0 to 1, one sample each.
    pub cpu: Samples,
    /// Memory utilisation of the serving instances, 0 to 1, one sample each.
    pub memory: Samples,
    /// Mean CPU utilisation over the minute, 0 to 1, before differences between instances.
    pub busy: f64,
    /// Mean memory utilisation over the minute, 0 to 1.
    pub filled: f64,
    /// Instances.
    pub sizes: Sizes,
}

/// Minutes in order. Equal neighbours are stored once, so that an idle group costs nothing.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Minutes {
    runs: VecDeque<Run>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
struct Run {
    first: MinuteRecord,
    count: u32,
}

/// A run as a kept state has it: without names, which would be most of it. Start, how many, requests, timed out, latency,
/// CPU, memory, busy, filled, sizes.
type Written = (
    Timestamp,
    u32,
    f64,
    f64,
    Option<[f64; 7]>,
    (u32, f64, f64, f64),
    (u32, f64, f64, f64),
    f64,
    f64,
    Vec<u32>,
);

impl From<Run> for Written {
    fn from(Run { first, count }: Run) -> Self {
        let samples = |of: Samples| (of.count, of.sum, of.min, of.max);
        let MinuteRecord { start, requests, timed_out, latency, cpu, memory, busy, filled, sizes } = first;
        let latency = latency.map(|of| [of.sum, of.min, of.max, of.p50, of.p90, of.p95, of.p99]);
        let (cpu, memory) = (samples(cpu), samples(memory));
        (start, count, requests, timed_out, latency, cpu, memory, busy, filled, sizes.numbers())
    }
}

impl From<Written> for Run {
    fn from(written: Written) -> Self {
        let (start, count, requests, timed_out, latency, cpu, memory, busy, filled, sizes) = written;
        let samples = |(count, sum, min, max)| Samples { count, sum, min, max };
        let latency =
            latency.map(|[sum, min, max, p50, p90, p95, p99]| Latency { sum, min, max, p50, p90, p95, p99 });
        let (cpu, memory, sizes) = (samples(cpu), samples(memory), Sizes::from_numbers(&sizes));
        let first = MinuteRecord { start, requests, timed_out, latency, cpu, memory, busy, filled, sizes };
        Self { first, count }
    }
}

const MINUTE: SignedDuration = SignedDuration::from_secs(60);

impl Run {
    fn end(&self) -> Timestamp {
        self.first.start + MINUTE * i32::try_from(self.count).unwrap_or(i32::MAX)
    }

    /// Its minutes from the `first` on, counted from 0.
    fn iter_from(&self, first: u32) -> impl Iterator<Item = MinuteRecord> + '_ {
        (first..self.count).map(|offset| MinuteRecord {
            start: self.first.start + MINUTE * i32::try_from(offset).unwrap_or(i32::MAX),
            ..self.first
        })
    }

    /// The number of its first minute that begins at or after `from`.
    fn offset(&self, from: Timestamp) -> u32 {
        let seconds = from.duration_since(self.first.start).as_secs_f64().max(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturating is right here"
        )]
        let minutes = (seconds / 60.0).ceil() as u32;
        minutes
    }
}

impl Minutes {
    /// Adds the next minute and forgets what is older than 15 days.
    pub fn push(&mut self, record: MinuteRecord) {
        match self.runs.back_mut() {
            Some(run)
                if MinuteRecord { start: run.first.start, ..record } == run.first
                    && run.end() == record.start =>
            {
                run.count += 1;
            }
            _ => self.runs.push_back(Run { first: record, count: 1 }),
        }
        while self.runs.front().is_some_and(|run| run.end() + KEPT < record.start) {
            self.runs.pop_front();
        }
    }

    /// All minutes, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = MinuteRecord> + '_ {
        self.runs.iter().flat_map(|run| run.iter_from(0))
    }

    /// The minutes that begin in `[from, to)`, oldest first. Does not walk over the older ones.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = MinuteRecord> + '_ {
        let first = self.runs.partition_point(|run| run.end() <= from);
        self.runs
            .range(first..)
            .flat_map(move |run| run.iter_from(run.offset(from)))
            .take_while(move |record| record.start < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: i64, requests: f64) -> MinuteRecord {
        MinuteRecord { start: at(number), requests, ..MinuteRecord::default() }
    }

    fn at(number: i64) -> Timestamp {
        Timestamp::from_second(number * 60).unwrap()
    }

    #[test]
    fn equal_minutes_are_stored_once_and_read_back_one_by_one() {
        let mut minutes = Minutes::default();
        let all: Vec<MinuteRecord> = [0.0, 0.0, 0.0, 5.0, 0.0, 0.0]
            .iter()
            .zip(0..)
            .map(|(requests, n)| minute(n, *requests))
            .collect();
        for record in &all {
            minutes.push(*record);
        }
        assert_eq!(minutes.runs.len(), 3);
        assert_eq!(minutes.iter().collect::<Vec<_>>(), all);
        assert_eq!(minutes.between(at(1), at(5)).collect::<Vec<_>>(), all[1..5]);
    }

    #[test]
    fn sizes_are_read_as_they_were_written_and_shorter_ones_too() {
        let numbers: Vec<u32> = (1..=17).collect();
        assert_eq!(Sizes::from_numbers(&numbers).numbers(), numbers);
        let older = Sizes::from_numbers(&numbers[..13]);
        assert_eq!((older.terminating_capacity, older.warm_desired), (13, 0));
    }

    #[test]
    fn minutes_older_than_fifteen_days_are_forgotten() {
        let mut minutes = Minutes::default();
        let days = 20;
        for number in 0..days * 1440 {
            minutes.push(minute(number, number as f64));
        }
        assert!(minutes.runs.len() <= 15 * 1440 + 2, "{}", minutes.runs.len());
    }
}
