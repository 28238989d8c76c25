//! A fleet in simulated time: boot, service, overload, memory and money.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::fleet::{BootModel, Fleet, Interval, Machine};
use scaling_fleet::queueing::response_quantile;
use scaling_fleet::service::{MemoryModel, QueueModel, ServiceModel};
use scaling_fleet::{Mebibytes, TypeName, UsdPerHour, Vcpu};

const START: Timestamp = Timestamp::UNIX_EPOCH;

fn machine(name: &str, vcpu: f64, memory: f64) -> Machine {
    Machine {
        instance_type: TypeName::new(name),
        vcpu: Vcpu(vcpu),
        memory: Mebibytes(memory),
        price: UsdPerHour(0.36),
    }
}

fn small() -> Machine {
    machine("small", 2.0, 4_096.0)
}

/// 50 ms a request, 512 MiB and 100 for each busy vCPU, given up after 10 s.
fn service(queue: QueueModel) -> ServiceModel {
    ServiceModel {
        service_seconds: 0.05,
        queue,
        memory: MemoryModel { base: vec![(Duration::ZERO, Mebibytes(512.0))], per_busy_vcpu: 100.0 },
        timeout_seconds: 10.0,
    }
}

fn fleet(count: u32) -> Fleet {
    let mut fleet = Fleet::new(service(QueueModel::Own), BootModel::default(), START, 1);
    for _ in 0..count {
        fleet.adopt(small());
    }
    fleet
}

/// Advances by whole steps and returns them.
fn run(fleet: &mut Fleet, seconds: i64, rate: f64) -> Vec<Interval> {
    let until = fleet.now() + SignedDuration::from_secs(seconds);
    let mut intervals = Vec::new();
    fleet.advance(until, rate, |_, interval| intervals.push(interval));
    intervals
}

fn sum(intervals: &[Interval], of: impl Fn(&Interval) -> f64) -> f64 {
    intervals.iter().map(of).sum()
}

fn near(actual: f64, expected: f64, share: f64) {
    assert!((actual - expected).abs() <= share * expected.abs(), "{actual} is not {expected} within {share}");
}

#[test]
fn two_fleets_of_the_same_seed_and_calls_are_the_same() {
    let play = || {
        let mut fleet = fleet(3);
        let mut all = run(&mut fleet, 300, 80.0);
        fleet.launch(small());
        all.extend(run(&mut fleet, 600, 140.0));
        all
    };
    assert_eq!(play(), play());
}

#[test]
fn fleets_that_launch_differently_face_the_same_arrivals() {
    let (mut one, mut other) = (fleet(3), fleet(3));
    other.launch(small());
    other.launch(machine("large", 8.0, 16_384.0));
    let requests = |fleet: &mut Fleet| -> Vec<f64> {
        run(fleet, 900, 90.0).iter().map(|interval| interval.requests).collect()
    };
    assert_eq!(requests(&mut one), requests(&mut other));
}

#[test]
fn arrivals_are_random_around_the_rate() {
    let intervals = run(&mut fleet(10), 36_000, 90.0);
    let mean = sum(&intervals, |interval| interval.requests) / intervals.len() as f64;
    near(mean, 1_350.0, 0.01);
    // Poisson: the variance is the mean.
    let variance = sum(&intervals, |interval| (interval.requests - mean).powi(2)) / intervals.len() as f64;
    near(variance, 1_350.0, 0.15);
}

#[test]
fn a_step_is_never_longer_than_the_longest() {
    for (seconds, expected) in [(15, 1), (16, 2), (60, 4), (61, 5)] {
        assert_eq!(run(&mut fleet(1), seconds, 1.0).len(), expected, "{seconds} s");
    }
}

#[test]
fn an_instance_serves_after_its_boot_and_not_before() {
    let mut fleet = fleet(1);
    for _ in 0..50 {
        fleet.launch(small());
    }
    let boots: Vec<f64> = fleet.instances()[1..]
        .iter()
        .map(|instance| instance.serves_from.duration_since(instance.launched).as_secs_f64())
        .collect();
    assert!(boots.iter().all(|boot| (90.0..=130.0).contains(boot)), "{boots:?}");
    assert!(boots.iter().any(|boot| *boot < 100.0) && boots.iter().any(|boot| *boot > 120.0), "{boots:?}");
    assert_eq!(run(&mut fleet, 90, 1.0).iter().map(|interval| interval.serving).max(), Some(1));
    assert_eq!(run(&mut fleet, 60, 1.0).last().unwrap().serving, 51);
}

#[test]
fn utilisation_is_work_over_capacity() {
    // 100 requests a second keep 5 vCPU busy, of 8.
    let intervals = run(&mut fleet(4), 3_600, 100.0);
    let mean = sum(&intervals, |interval| interval.cpu.unwrap()) / intervals.len() as f64;
    near(mean, 5.0 / 8.0, 0.01);
}

#[test]
fn response_times_are_those_of_the_stations() {
    // Own queues: each replica is one station of two servers. Shared: one station of eight.
    for (queue, servers) in [(QueueModel::Own, 2), (QueueModel::Shared, 8)] {
        let mut fleet = Fleet::new(service(queue), BootModel::default(), START, 1);
        for _ in 0..4 {
            fleet.adopt(small());
        }
        for interval in run(&mut fleet, 600, 100.0) {
            let offered = interval.cpu.unwrap() * f64::from(servers);
            let quantile = |q: f64| 0.05 * response_quantile(servers, offered, q);
            near(interval.latency_p95.unwrap(), quantile(0.95), 1e-6);
            near(interval.latency_p50.unwrap(), quantile(0.5), 1e-6);
        }
    }
}

#[test]
fn the_slowest_kind_of_replica_sets_the_quantile_of_a_mixed_fleet() {
    let mut mixed = fleet(2);
    mixed.adopt(machine("large", 8.0, 16_384.0));
    for interval in run(&mut mixed, 300, 120.0) {
        let offered = interval.cpu.unwrap() * 2.0;
        near(interval.latency_p95.unwrap(), 0.05 * response_quantile(2, offered, 0.95), 1e-6);
    }
}

#[test]
fn work_beyond_capacity_waits_and_is_worked_off() {
    // 4 vCPU serve 80 a second. For a minute there are 100.
    let mut fleet = fleet(2);
    let over = run(&mut fleet, 60, 100.0);
    assert!(over.iter().all(|interval| interval.cpu == Some(1.0)));
    let waits: Vec<f64> = over.iter().map(|interval| interval.latency_p95.unwrap()).collect();
    assert!(waits.is_sorted(), "{waits:?}");
    // 1,200 requests wait at the end; that is 60 s of work for 4 vCPU, 15 s each, of which 10 s are kept.
    let given_up = sum(&over, |interval| interval.timed_out);
    near(given_up, 1_200.0 - 800.0, 0.25);
    let calm = run(&mut fleet, 120, 20.0);
    // 15 s have 60 vCPU seconds: 40 for what waited, 15 for what comes.
    near(calm[0].cpu.unwrap(), 55.0 / 60.0, 0.1);
    assert!(calm.last().unwrap().cpu.unwrap() < 0.4);
    assert!(calm.last().unwrap().latency_p95.unwrap() < 0.25);
}

#[test]
fn nothing_is_lost_or_invented() {
    // Requests that arrived = done + given up + waiting; with the backlog worked off at the end, all are accounted for.
    let mut fleet = fleet(2);
    let mut all = run(&mut fleet, 300, 110.0);
    all.extend(run(&mut fleet, 300, 10.0));
    let done: f64 = sum(&all, |interval| interval.cpu.unwrap() * interval.serving_vcpu * 15.0 / 0.05);
    let arrived = sum(&all, |interval| interval.requests);
    near(done + sum(&all, |interval| interval.timed_out), arrived, 1e-6);
}

#[test]
fn a_request_waits_no_longer_than_the_time_out() {
    let intervals = run(&mut fleet(1), 600, 400.0);
    assert!(intervals.iter().all(|interval| interval.latency_p95.unwrap() <= 10.0));
    assert!(intervals.iter().skip(1).all(|interval| interval.timed_out > 0.0 && interval.is_over(60.0)));
}

#[test]
fn without_replicas_every_request_is_given_up() {
    let intervals = run(&mut fleet(0), 60, 10.0);
    let (requests, timed_out) =
        (sum(&intervals, |interval| interval.requests), sum(&intervals, |interval| interval.timed_out));
    near(timed_out, requests, 1e-9);
    assert!(intervals.iter().all(|interval| interval.cpu.is_none() && interval.is_over(1.0)));
}

#[test]
fn without_requests_there_is_no_response_time() {
    let interval = run(&mut fleet(2), 15, 0.0).remove(0);
    assert_eq!((interval.latency_p95, interval.latency_p50, interval.cpu), (None, None, Some(0.0)));
    assert!(!interval.is_over(0.0));
}

#[test]
fn an_instance_is_paid_from_launch_to_end_booting_included() {
    let mut fleet = fleet(0);
    let number = fleet.launch(small());
    let intervals = run(&mut fleet, 60, 0.0);
    assert!(intervals.iter().all(|interval| interval.serving == 0));
    near(sum(&intervals, |interval| interval.cost_usd), 0.36 / 60.0, 1e-9);
    near(sum(&intervals, |interval| interval.instance_hours), 1.0 / 60.0, 1e-9);
    assert!(fleet.terminate(number).is_some() && fleet.terminate(number).is_none());
    assert_eq!(sum(&run(&mut fleet, 60, 0.0), |interval| interval.cost_usd), 0.0);
}

#[test]
fn an_instance_in_standby_is_paid_and_does_not_serve() {
    let mut fleet = fleet(2);
    let number = fleet.instances()[0].number;
    assert!(fleet.set_out_of_service(number, true));
    let intervals = run(&mut fleet, 60, 10.0);
    assert!(intervals.iter().all(|interval| interval.serving == 1));
    near(sum(&intervals, |interval| interval.cost_usd), 2.0 * 0.36 / 60.0, 1e-9);
    fleet.set_out_of_service(number, false);
    assert_eq!(run(&mut fleet, 15, 10.0)[0].serving, 2);
}

#[test]
fn memory_is_the_base_and_what_grows_with_the_work() {
    // 2 vCPU at 50 %: 512 + 100 of 4,096 MiB.
    let mut fleet = fleet(1);
    for interval in run(&mut fleet, 600, 20.0) {
        let expected = (512.0 + 200.0 * interval.cpu.unwrap()) / 4_096.0;
        near(interval.memory.unwrap(), expected, 1e-9);
    }
}

#[test]
fn a_replica_without_free_memory_swaps_and_slows_down() {
    let mut fleet = fleet(4);
    let calm = run(&mut fleet, 60, 60.0).pop().unwrap();
    fleet.service_mut().memory.base = vec![(Duration::ZERO, Mebibytes(5_000.0))];
    let swapping = run(&mut fleet, 60, 60.0).pop().unwrap();
    assert_eq!(swapping.memory, Some(1.0));
    // Three vCPU of work on eight that do the work of 2.4.
    assert!(calm.cpu.unwrap() < 0.5 && swapping.cpu == Some(1.0));
    assert!(swapping.latency_p95.unwrap() > 5.0 * calm.latency_p95.unwrap());
}
