//! The fleet behind the groups: load, metrics by the minute, totals, and time.

use std::collections::BTreeSet;
use std::time::Duration;

use scaling_emulator::region::LifecycleState::InService;
use scaling_emulator::{
    ClockMode, Emulator, EmulatorError, Fault, GroupSetup, MinuteRecord, Region, Settings, Workload,
};
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;

use crate::client::{advance, emulator, emulator_with, ids, set, web};

fn load(emulator: &Emulator, rate: f64) {
    let load = Load::constant(emulator.now(), rate);
    emulator.set_workload("web", Workload::new(load, ServiceModel::demo()));
}

fn minutes(emulator: &Emulator) -> Vec<MinuteRecord> {
    emulator.with_region(|region| region.minutes("web").collect())
}

#[tokio::test]
async fn a_minute_tells_requests_latency_utilisation_and_sizes() {
    let emulator = emulator(4).await;
    load(&emulator, 100.0);
    advance(&emulator, 300).await;
    let minutes = minutes(&emulator);
    assert_eq!(minutes.len(), 5);
    for minute in minutes {
        let latency = minute.latency.unwrap();
        // 100 requests a second of 50 ms each on 8 vCPU.
        assert!((5_500.0..6_500.0).contains(&minute.requests), "{minute:?}");
        assert!((0.55..0.7).contains(&minute.busy), "{minute:?}");
        assert_eq!((minute.cpu.count, minute.sizes.in_service, minute.sizes.total), (4, 4, 4));
        assert!(minute.cpu.min <= minute.busy && minute.busy <= minute.cpu.max, "{minute:?}");
        assert!(latency.p50 < latency.p95 && latency.p95 < latency.p99 && latency.p99 < latency.max);
        assert!((0.05..0.2).contains(&(latency.sum / minute.requests)), "{latency:?}");
    }
}

#[tokio::test]
async fn an_instance_has_points_for_the_minutes_it_served_in() {
    let emulator = emulator(1).await;
    load(&emulator, 10.0);
    set(&emulator, 2).unwrap();
    advance(&emulator, 600).await;
    let points = |id: &str| {
        let from = Settings::default().start;
        emulator.with_region(|region| region.instance_minutes(id, from, region.now).count())
    };
    let serving = ids(&emulator, InService);
    let late = points(&serving[1]);
    assert_eq!(points(&serving[0]), 10);
    assert!((7..=9).contains(&late), "{late}");
    set(&emulator, 1).unwrap();
    advance(&emulator, 600).await;
    assert_eq!(points(&serving[0]), 10, "an ended instance keeps its points and gets no more");
}

#[tokio::test]
async fn totals_count_requests_cost_and_time_over_the_target() {
    let emulator = emulator(2).await;
    load(&emulator, 10.0);
    advance(&emulator, 3600).await;
    let calm = emulator.group_history("web").unwrap();
    assert_eq!((calm.intervals, calm.seconds, calm.requests_over), (240, 3600.0, 0.0));
    assert!((calm.instance_hours - 2.0).abs() < 1e-9);
    assert!(calm.cost_usd > 0.1 && calm.cost_usd < 0.5, "{calm:?}");
    load(&emulator, 1000.0);
    advance(&emulator, 3600).await;
    let overload = emulator.group_history("web").unwrap();
    assert_eq!(overload.intervals_over, 240, "totals start anew with a workload");
    assert!(overload.timed_out > 0.0);
}

#[tokio::test]
async fn lost_metrics_leave_a_gap() {
    let emulator = emulator(1).await;
    advance(&emulator, 120).await;
    emulator.inject(Fault::LostMetrics { group: "web".to_owned() }).unwrap();
    advance(&emulator, 120).await;
    emulator.clear_faults();
    advance(&emulator, 120).await;
    let start = Settings::default().start;
    let offsets: Vec<i64> =
        minutes(&emulator).iter().map(|minute| minute.start.as_second() - start.as_second()).collect();
    assert_eq!(offsets, [0, 60, 240, 300]);
}

#[tokio::test]
async fn the_same_seed_and_calls_give_the_same_history() {
    let run = async |seed: u64| {
        let emulator = emulator_with(Settings { seed, ..Settings::default() }, 2).await;
        let mut workload = Workload::new(Load::constant(emulator.now(), 100.0), ServiceModel::demo());
        workload.seed = seed;
        emulator.set_workload("web", workload);
        set(&emulator, 5).unwrap();
        advance(&emulator, 900).await;
        let names = web(&emulator, |group| group.members.iter().map(|m| m.id.clone()).collect::<Vec<_>>());
        (names, minutes(&emulator), emulator.group_history("web").unwrap())
    };
    assert_eq!(run(1).await, run(1).await);
    assert_ne!(run(1).await, run(2).await);
}

#[tokio::test]
async fn how_time_is_cut_does_not_change_the_history() {
    let run = async |step: u64| {
        let emulator = emulator(2).await;
        load(&emulator, 100.0);
        set(&emulator, 4).unwrap();
        for _ in 0..900 / step {
            advance(&emulator, step).await;
        }
        minutes(&emulator)
    };
    assert_eq!(run(15).await, run(60).await);
    assert_eq!(run(60).await, run(900).await);
}

#[tokio::test]
async fn a_workload_may_come_before_its_group() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    load(&emulator, 10.0);
    emulator.with_region(|region| GroupSetup::new("web", "m7i.large", (1, 2, 1)).make(region)).unwrap();
    advance(&emulator, 60).await;
    assert!(minutes(&emulator)[0].requests > 0.0);
}

#[test]
fn ten_thousand_idle_groups_are_made_with_distinct_instances() {
    let mut region = Region::new(&Settings::default());
    for number in 0..10_000 {
        GroupSetup::new(&format!("group-{number}"), "m7i.large", (1, 4, 1)).make(&mut region).unwrap();
    }
    let instances: BTreeSet<&String> =
        region.groups().flat_map(|group| group.members.iter().map(|member| &member.id)).collect();
    assert_eq!(instances.len(), 10_000);
}

#[tokio::test]
async fn only_a_stepped_clock_can_be_advanced() {
    let settings = Settings { clock: ClockMode::Real, ..Settings::default() };
    let emulator = Emulator::start(settings).await.unwrap();
    let error = emulator.advance(Duration::from_secs(1)).await.unwrap_err();
    assert!(matches!(error, EmulatorError::Clock { .. }), "{error}");
    let settings = Settings { clock: ClockMode::Accelerated(0.0), ..Settings::default() };
    assert!(matches!(Emulator::start(settings).await, Err(EmulatorError::Setting { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accelerated_clock_runs_by_itself() {
    let settings = Settings { clock: ClockMode::Accelerated(10_000.0), ..Settings::default() };
    let emulator = emulator_with(settings, 1).await;
    set(&emulator, 2).unwrap();
    while ids(&emulator, InService).len() < 2 {
        tokio::task::yield_now().await;
    }
    assert!(emulator.now() > Settings::default().start);
}

#[tokio::test]
async fn an_address_in_use_is_refused_with_its_name() {
    let first = Emulator::start(Settings::default()).await.unwrap();
    let listen = first.endpoint().trim_start_matches("http://").parse().unwrap();
    let error = Emulator::start(Settings { listen, ..Settings::default() }).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {listen}"));
}
