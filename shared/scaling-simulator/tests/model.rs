//! The simulated fleet against theory and against itself.

#![expect(clippy::unwrap_used, reason = "functions of a test crate outside its tests are still tests")]

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Exp1};
use rand_pcg::Pcg64;
use scaling_fleet::Mebibytes;
use scaling_fleet::latency::LatencyTable;
use scaling_fleet::load::{Load, WeekProfile};
use scaling_fleet::queueing::mean_wait;
use scaling_fleet::service::{QueueModel, ServiceModel};
use scaling_fleet::station::{Station, Work, serve};
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

/// Customers one by one, in service times: each goes to a group of servers, drawn in proportion to its size, and takes the
/// server there that is free first. Waits, and responses by group.
fn customers(groups: &[usize], offered: f64, count: u32) -> (f64, Vec<Vec<f64>>) {
    let mut random = Pcg64::seed_from_u64(11);
    let servers: usize = groups.iter().sum();
    let group_of: Vec<usize> =
        groups.iter().enumerate().flat_map(|(group, size)| std::iter::repeat_n(group, *size)).collect();
    let mut free_at: Vec<Vec<f64>> = groups.iter().map(|size| vec![0.0; *size]).collect();
    let mut responses = vec![Vec::new(); groups.len()];
    let (mut now, mut waited) = (0.0_f64, 0.0);
    for _ in 0..count {
        let gap: f64 = Exp1.sample(&mut random);
        now += gap / offered;
        let group = group_of[random.random_range(0..servers)];
        let free = &mut free_at[group];
        let first = (0..free.len()).min_by(|a, b| free[*a].total_cmp(&free[*b])).unwrap();
        let begins = now.max(free[first]);
        let service: f64 = Exp1.sample(&mut random);
        free[first] = begins + service;
        waited += begins - now;
        responses[group].push(free[first] - now);
    }
    (waited / f64::from(count), responses)
}

/// Median and 95th percentile.
fn quantiles(mut responses: Vec<f64>) -> [f64; 2] {
    responses.sort_by(f64::total_cmp);
    [50, 95].map(|percent| responses[responses.len() * percent / 100])
}

/// What the fleet's model says of instances with so many vCPU at a utilisation, in service times.
fn modelled(queue: QueueModel, instances: &[usize], utilisation: f64) -> [f64; 2] {
    let service = ServiceModel { queue, ..ServiceModel::demo() };
    let station = |vcpu: &usize| Station {
        servers: u32::try_from(*vcpu).unwrap(),
        memory: Mebibytes(65_536.0),
        count: 1,
    };
    let stations: Vec<Station> = instances.iter().map(station).collect();
    let vcpu: f64 = stations.iter().map(Station::vcpu).sum();
    let seconds = 15.0;
    let requests = utilisation * vcpu * seconds / service.service_seconds;
    let work = Work { requests, backlog: 0.0, seconds, memory_base: Mebibytes(1_500.0) };
    let served = serve(&service, &mut LatencyTable::new(), &stations, work);
    assert_eq!(served.backlog, 0.0);
    [served.latency_p50, served.latency_p95].map(|latency| latency.unwrap() / service.service_seconds)
}

fn near(simulated: f64, model: f64, what: &str) {
    assert!((simulated / model - 1.0).abs() < 0.02, "{what}: simulated {simulated}, modelled {model}");
}

#[test]
fn customers_at_instances_with_a_queue_each_are_served_within_two_percent_as_the_fleet_says() {
    let fleets: [(&[usize], f64); 4] = [(&[1], 0.5), (&[2; 3], 0.6), (&[4; 5], 0.7), (&[8; 3], 0.75)];
    for (instances, utilisation) in fleets {
        let what = format!("{instances:?} at {utilisation}");
        let vcpu: usize = instances.iter().sum();
        let (wait, responses) = customers(instances, utilisation * vcpu as f64, 2_000_000);
        // The fleet states quantiles only; the mean is that of the formula that they come from.
        let servers = u32::try_from(instances[0]).unwrap();
        near(wait, mean_wait(servers, utilisation * f64::from(servers)), &what);
        let [p50, p95] = modelled(QueueModel::Own, instances, utilisation);
        let simulated = quantiles(responses.concat());
        near(simulated[0], p50, &what);
        near(simulated[1], p95, &what);
    }
}

#[test]
fn customers_in_one_shared_queue_are_served_within_two_percent_as_the_fleet_says() {
    // The last one has more servers (76) than the table has curves for, and takes the one of 72.
    let fleets: [(&[usize], f64); 3] = [(&[2; 3], 0.7), (&[4; 5], 0.8), (&[4; 19], 0.9)];
    for (instances, utilisation) in fleets {
        let what = format!("{instances:?} at {utilisation}");
        let vcpu: usize = instances.iter().sum();
        let (_, responses) = customers(&[vcpu], utilisation * vcpu as f64, 1_000_000);
        let [p50, p95] = modelled(QueueModel::Shared, instances, utilisation);
        let simulated = quantiles(responses.concat());
        near(simulated[0], p50, &what);
        near(simulated[1], p95, &what);
    }
}

#[test]
fn of_instances_of_two_sizes_the_fleet_says_the_percentile_of_the_slower_ones_which_is_too_high_for_all() {
    let (instances, utilisation) = ([2, 2, 8], 0.75);
    let (_, responses) = customers(&instances, utilisation * 12.0, 1_000_000);
    let [_, p95] = modelled(QueueModel::Own, &instances, utilisation);
    near(quantiles(responses[..2].concat())[1], p95, "the instances with two vCPU");
    let all = quantiles(responses.concat())[1];
    assert!(all < p95, "simulated {all}, modelled {p95}");
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
fn replicas_that_warm_up_are_billed_and_take_no_load() {
    let play = |boot: u64, warm_up: u64| {
        let mut conditions = Conditions::product();
        let boot = Duration::from_secs(boot);
        conditions.boot = scaling_fleet::fleet::BootModel { shortest: boot, longest: boot };
        conditions.warm_up = Duration::from_secs(warm_up);
        let mut rates = vec![50.0; 120];
        rates.extend(vec![500.0; 120]);
        let load = Load::new(Timestamp::UNIX_EPOCH, Duration::from_secs(15), rates);
        let course = course(&load, conditions);
        [Contender::Usual(Rival::Hpa), Contender::Oracle].map(|contender| course.enter(contender).unwrap())
    };
    let ([none, oracle], [warm, warm_oracle]) = (play(120, 0), play(120, 240));
    assert!(warm.violation_minutes > none.violation_minutes + 3.0, "{none:?} {warm:?}");
    assert!(
        warm_oracle.cost_usd > oracle.cost_usd && warm_oracle.violation_minutes == 0.0,
        "{warm_oracle:?}"
    );
    // To who cannot tell the two apart, and to the bill, a warm-up is more of a boot.
    let [long, long_oracle] = play(360, 0);
    assert_eq!((warm.cost_usd, warm_oracle.cost_usd), (long.cost_usd, long_oracle.cost_usd));
}

#[test]
fn the_policy_sees_what_warms_up_apart_from_what_boots() {
    let warm_up = Duration::from_secs(60);
    let conditions = Conditions { warm_up, ..Conditions::product() };
    let load = Load::new(Timestamp::UNIX_EPOCH, Duration::from_secs(15), vec![50.0; 40]);
    let mut group = scaling_simulator::group::Group::new(&course(&load, conditions).world, 2);
    group.set_desired(3);
    let mut counts = Vec::new();
    for _ in 0..13 {
        group.advance(100.0);
        let cohort = &group.cohorts()[0];
        counts.push((cohort.serving, group.warming(cohort), cohort.pending()));
    }
    assert_eq!((counts[6], counts[7], counts[11], counts[12]), ((2, 0, 1), (2, 1, 1), (2, 1, 1), (3, 0, 0)));
}

#[test]
fn an_oracle_that_may_choose_the_type_is_no_dearer_than_any_policy_or_type() {
    let names = ["m7i.xlarge", "c7i.large", "c7i.xlarge", "r7i.xlarge"];
    let with = |names: &[&str]| {
        let types: Arc<[MachineType]> = names.iter().map(|name| MachineType::of(name).unwrap()).collect();
        Course::new(World::of_load("drawn", &week(1.0), Conditions::product(), types, 0))
    };
    let all = with(&names);
    let (oracle, hybrid) = (all.enter(Contender::Oracle).unwrap(), all.enter(Contender::Hybrid).unwrap());
    assert!(oracle.cost_usd < hybrid.cost_usd && oracle.violation_minutes == 0.0, "{oracle:?}");
    assert!(oracle.types.contains("c7i") && oracle.type_changes > 0, "{oracle:?}");
    // Against one type alone it is dearer by no more than the change to it.
    for name in names {
        let alone = with(&[name]).enter(Contender::Oracle).unwrap();
        assert!(oracle.cost_usd < alone.cost_usd * 1.01, "{name}: {alone:?}");
    }
}

#[test]
fn who_measures_with_noise_sees_the_same_load_otherwise_and_the_same_way_for_a_seed() {
    let play = |noise: f64| {
        let course = course(&week(0.5), Conditions { noise, ..Conditions::product() });
        [Contender::Hybrid, Contender::Oracle].map(|contender| course.enter(contender).unwrap())
    };
    let ([exact, oracle], [noisy, with_noise]) = (play(0.0), play(0.1));
    assert_eq!((&oracle, exact.requests), (&with_noise, noisy.requests));
    assert_ne!(exact, noisy);
    assert_eq!(play(0.1)[0], noisy);
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
