//! Learning from the metrics' history: on take-over, and after a loss.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use scaling_control::fakes::FakePlatform;
use scaling_control::ports::{MetricQuery, MetricReader, MetricSeries, StateStore};
use scaling_control::record::{GroupRecord, from_json, group_key};
use scaling_control::{ControlLoop, PortError};
use scaling_policy::config::Statistic;
use scaling_policy::trigger::Trigger;

use crate::world::World;

const BUDGET: Duration = Duration::from_secs(50);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// What the platform says now, and before that a load with a daily peak, on four replicas that two samples each tell of.
struct Remembering {
    now: FakePlatform,
    began: Timestamp,
    silent: AtomicBool,
    empty: AtomicBool,
    asked: AtomicUsize,
    from: Mutex<Option<Timestamp>>,
}

#[async_trait]
impl MetricReader for Remembering {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        if queries.iter().all(|query| query.to.duration_since(query.from) < DAY / 2) {
            return self.now.read(queries).await;
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        if self.silent.load(Ordering::SeqCst) {
            return Err(PortError::Throttled { operation: "GetMetricData" });
        }
        *self.from.lock().unwrap() = queries.first().map(|query| query.from);
        Ok(queries.iter().map(|query| self.past(query)).collect())
    }
}

impl Remembering {
    fn past(&self, query: &MetricQuery) -> MetricSeries {
        let (mut points, mut at) = (Vec::new(), query.from);
        while at < query.to && !self.empty.load(Ordering::SeqCst) {
            let minute = at.as_second().rem_euclid(86_400) as f64 / 60.0;
            let wave = 0.5 - 0.3 * (minute / 1440.0 * std::f64::consts::TAU).cos();
            let value = match (query.trigger, query.binding.statistic) {
                (_, Statistic::SampleCount) => 8.0,
                (Trigger::CpuUsage, _) => wave / query.binding.scale,
                _ => 0.4 / query.binding.scale,
            };
            points.push((at, value));
            at += SignedDuration::from_mins(1);
        }
        MetricSeries { points, ..MetricSeries::default() }
    }
}

fn world() -> (World, Arc<Remembering>) {
    let mut world = World::new();
    let reader = Arc::new(Remembering {
        now: world.platform.clone(),
        began: world.ports.clock.now(),
        silent: AtomicBool::new(false),
        empty: AtomicBool::new(false),
        asked: AtomicUsize::new(0),
        from: Mutex::default(),
    });
    world.ports.metrics = reader.clone();
    (world, reader)
}

async fn minute(world: &World, control: &ControlLoop) {
    let report = world.minute(control).await;
    control.recall(&report, BUDGET).await;
}

async fn stored(world: &World) -> GroupRecord {
    let key = group_key(&"web".into());
    from_json(&key, &world.store.get(&key).await.unwrap().unwrap().body).unwrap()
}

#[tokio::test]
async fn a_group_that_is_taken_over_is_known_from_its_last_fortnight() {
    let (world, reader) = world();
    let control = world.control();
    minute(&world, &control).await;
    assert_eq!(reader.from.lock().unwrap().unwrap(), reader.began + SignedDuration::from_mins(1) - DAY * 14);
    let learned = stored(&world).await.learned;
    assert_eq!(learned.recalled, Some(world.ports.clock.now()));
    // Four replicas of 4 vCPU at the daily peak of 80 % want more than they are; now, at 56 %, they do not.
    let peak = learned.recent.peak();
    assert!(peak > 16.0, "{peak}");
}

#[tokio::test]
async fn the_past_is_read_once_and_what_follows_is_learned_on_top_of_it() {
    let (world, reader) = world();
    let control = world.control();
    for _ in 0..20 {
        minute(&world, &control).await;
    }
    assert_eq!(reader.asked.load(Ordering::SeqCst), 1);
    // Another process goes on from the record.
    let other = world.control();
    minute(&world, &other).await;
    assert_eq!(reader.asked.load(Ordering::SeqCst), 1);
    assert!(stored(&world).await.learned.recent.peak() > 16.0);
}

#[tokio::test]
async fn a_lost_record_is_learned_anew_from_the_metrics() {
    let (world, reader) = world();
    minute(&world, &world.control()).await;
    world.store.delete(&group_key(&"web".into())).await.unwrap();
    minute(&world, &world.control()).await;
    assert_eq!(reader.asked.load(Ordering::SeqCst), 2);
    assert!(stored(&world).await.learned.recent.peak() > 16.0);
}

#[tokio::test]
async fn a_past_that_cannot_be_read_is_asked_for_again_after_an_hour() {
    let (world, reader) = world();
    reader.silent.store(true, Ordering::SeqCst);
    let control = world.control();
    for _ in 0..59 {
        minute(&world, &control).await;
    }
    assert_eq!(reader.asked.load(Ordering::SeqCst), 1);
    reader.silent.store(false, Ordering::SeqCst);
    minute(&world, &control).await;
    minute(&world, &control).await;
    assert_eq!(reader.asked.load(Ordering::SeqCst), 2);
    assert!(stored(&world).await.learned.recalled.is_some());
}

#[tokio::test]
async fn without_a_past_what_was_seen_since_stays() {
    let (world, reader) = world();
    reader.empty.store(true, Ordering::SeqCst);
    let control = world.control();
    world.minutes(&control, 10).await;
    let report = world.minute(&control).await;
    let before = report.outcomes[0].evaluation().unwrap().learned.clone();
    control.recall(&report, BUDGET).await;
    let after = stored(&world).await.learned;
    assert_eq!(after.recalled, Some(world.ports.clock.now()));
    assert_eq!((after.recent.peak(), after.boot), (before.recent.peak(), before.boot));
}
