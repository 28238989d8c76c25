//! The simulated fleet against theory and against itself.

#![expect(clippy::unwrap_used, reason = "functions of a test crate outside its tests are still tests")]

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::SeedableRng;
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64;
use scaling_fleet::load::{Load, WeekProfile};
use scaling_fleet::queueing::mean_wait;
use scaling_fleet::service::QueueModel;
use scaling_simulator::competition::{Contender, Course};
use scaling_simulator::rivals::Rival;
use scaling_simulator::world::MachineType;
use scaling_simulator::{Conditions, World};

fn course(load: &Load, conditions: Conditions) -> Course {
    let types: Arc<[MachineType]> = Arc::from([MachineType::of("m7i.xlarge").unwrap()]);
    Course::new(World::of_load("drawn", load, conditions, types, 0))
}

fn week(days: f64) -> Load {
    let start = Timestamp::from_second(1_767_571_200).unwrap();
    WeekProfile { mean_rate: 600.0, seed: 3 }.draw(start).truncated(Duration::from_secs_f64(days * 86_400.0))
}

/// Mean wait of customers one by one, in service times: each takes the server that is free first.
fn simulated_wait(servers: usize, offered: f64, customers: u32) -> f64 {
    let mut random = Pcg64::seed_from_u64(11);
    let mut free_at = vec![0.0_f64; servers];
    let (mut now, mut waited) = (0.0_f64, 0.0);
    for _ in 0..customers {
        let gap: f64 = Exp1.sample(&mut random);
        now += gap / offered;
        let first = (0..servers).min_by(|a, b| free_at[*a].total_cmp(&free_at[*b])).unwrap();
        let begins = now.max(free_at[first]);
        waited += begins - now;
        let service: f64 = Exp1.sample(&mut random);
        free_at[first] = begins + service;
    }
    waited / f64::from(customers)
}

#[test]
fn waiting_times_are_those_of_the_theory_within_two_percent() {
    for (servers, utilisation) in [(1, 0.5), (2, 0.7), (4, 0.7), (8, 0.75)] {
        let offered = utilisation * f64::from(servers);
        let (simulated, theory) =
            (simulated_wait(servers as usize, offered, 2_000_000), mean_wait(servers, offered));
        assert!(
            (simulated / theory - 1.0).abs() < 0.02,
            "{servers} servers at {utilisation}: {simulated} is not {theory}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let play = |seed: u64| {
        let course = course(&week(0.5), Conditions { seed, ..Conditions::product() });
        course.enter(Contender::Hybrid).unwrap()
    };
    assert_eq!(play(5), play(5));
    assert_ne!(play(5), play(6));
}

#[test]
fn everybody_faces_the_same_arrivals() {
    let course = course(&week(0.25), Conditions::product());
    let requests =
        [Contender::Hybrid, Contender::Usual(Rival::Hpa), Contender::Oracle, Contender::NoiseBlind]
            .map(|contender| course.enter(contender).unwrap().requests);
    assert!(requests.iter().all(|count| *count == requests[0]), "{requests:?}");
}

#[test]
fn the_oracle_misses_nothing_and_nobody_who_misses_nothing_is_cheaper() {
    for queue in [QueueModel::Own, QueueModel::Shared] {
        let course = course(&week(1.0), Conditions::product().with_queue(queue));
        let oracle = course.enter(Contender::Oracle).unwrap();
        assert_eq!(oracle.violation_requests_share, 0.0, "{queue:?}");
        for rival in [Rival::Fixed, Rival::Hpa, Rival::TargetTracking] {
            for one in course.sweep(rival).iter().filter(|one| one.violation_minutes == 0.0) {
                assert!(one.cost_usd > oracle.cost_usd, "{queue:?} {rival}: {one:?}");
            }
        }
    }
}

#[test]
fn the_oracle_keeps_a_replica_through_a_gap_shorter_than_a_boot_and_ends_it_for_a_longer_one() {
    // A minute of high load, a gap, a minute of high load: 4 replicas against 2.
    let cost = |gap: usize| {
        let mut rates = vec![50.0; 20];
        rates.extend(vec![250.0; 4]);
        rates.extend(vec![50.0; gap]);
        rates.extend(vec![250.0; 4]);
        rates.extend(vec![50.0; 400 - gap]);
        let load = Load::new(Timestamp::UNIX_EPOCH, Duration::from_secs(15), rates);
        course(&load, Conditions::product()).enter(Contender::Oracle).unwrap().instance_hours
    };
    // Each interval of a gap under 120 s is paid for; a longer gap costs a boot, however long it is.
    assert!(cost(2) < cost(4) && cost(4) < cost(7));
    assert!((cost(20) - cost(60)).abs() < 1e-9 && cost(20) >= cost(7));
}

#[test]
fn replicas_serve_after_their_boot_and_are_billed_from_their_launch() {
    let step = |boot: u64| {
        let boot = Duration::from_secs(boot);
        let mut conditions = Conditions::product();
        conditions.boot = scaling_fleet::fleet::BootModel { shortest: boot, longest: boot };
        let mut rates = vec![50.0; 120];
        rates.extend(vec![500.0; 120]);
        let load = Load::new(Timestamp::UNIX_EPOCH, Duration::from_secs(15), rates);
        course(&load, conditions).enter(Contender::Usual(Rival::Hpa)).unwrap()
    };
    let (quick, slow) = (step(30), step(240));
    assert!(slow.violation_minutes > quick.violation_minutes + 3.0, "{quick:?} {slow:?}");
}

#[test]
fn a_fixed_fleet_of_the_peak_changes_nothing_and_misses_nothing() {
    let fixed = course(&week(1.0), Conditions::product()).enter(Contender::Usual(Rival::Fixed)).unwrap();
    assert_eq!((fixed.violation_minutes, fixed.type_changes), (0.0, 0));
    assert!(fixed.operations <= 1);
}

#[test]
fn lost_and_late_metrics_don_t_make_the_policy_lose_the_target() {
    let mut conditions = Conditions::product();
    conditions.missing = 0.05;
    conditions.feed.delay = 120;
    let figures = course(&week(3.0), conditions).enter(Contender::Hybrid).unwrap();
    assert!(figures.violation_requests_share <= 0.01, "{figures:?}");
}
