//! The queueing formulas against other ways to the same figures: sums, integrals and a simulation of customers.

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use scaling_fleet::queueing::{erlang_c, mean_wait, response_exceeds, response_quantile, usable_utilisation};

fn near(actual: f64, expected: f64, share: f64) {
    let off = (actual - expected).abs();
    assert!(off <= share * expected.abs().max(1e-12), "{actual} is not {expected} within {share}");
}

/// Erlang C as textbooks print it, with factorials.
fn erlang_c_by_sum(servers: u32, offered: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 0.0;
    for k in 0..servers {
        sum += term;
        term *= offered / f64::from(k + 1);
    }
    let all_busy = term / (1.0 - offered / f64::from(servers));
    all_busy / (sum + all_busy)
}

/// P(response > time): integrate over the service time of those that wait.
fn exceeds_by_integral(servers: u32, offered: f64, time: f64) -> f64 {
    const STEPS: u32 = 20_000;
    let wait = erlang_c_by_sum(servers, offered);
    let rate = f64::from(servers) - offered;
    let step = time / f64::from(STEPS);
    let over = (0..STEPS).map(|i| {
        let service = (f64::from(i) + 0.5) * step;
        (-service).exp() * wait * (-rate * (time - service)).exp() * step
    });
    over.sum::<f64>() + (-time).exp()
}

#[test]
fn the_probability_of_waiting_is_that_of_the_sums() {
    for servers in [1, 2, 3, 4, 8, 16, 64] {
        for utilisation in [0.05, 0.3, 0.6, 0.8, 0.95, 0.99] {
            let offered = utilisation * f64::from(servers);
            near(erlang_c(servers, offered), erlang_c_by_sum(servers, offered), 1e-9);
        }
    }
}

#[test]
fn published_values_are_met() {
    // Kleinrock's M/M/1 and the usual call-centre table values of Erlang C.
    for (servers, offered, expected) in
        [(1, 0.5, 0.5), (2, 1.0, 1.0 / 3.0), (3, 2.0, 4.0 / 9.0), (5, 4.0, 0.5541)]
    {
        near(erlang_c(servers, offered), expected, 1e-4);
    }
    for (servers, offered, expected) in [(1, 0.8, 4.0), (2, 1.5, 1.285_714_3), (4, 3.0, 0.509_433_96)] {
        near(mean_wait(servers, offered), expected, 1e-6);
    }
}

#[test]
fn the_response_time_is_waiting_and_service_together() {
    for servers in [1, 2, 4, 8] {
        for utilisation in [0.2, 0.5, 0.75, 0.9] {
            for time in [0.5, 1.0, 3.0, 5.0] {
                let offered = utilisation * f64::from(servers);
                let expected = exceeds_by_integral(servers, offered, time);
                near(response_exceeds(servers, offered, time), expected, 1e-5);
            }
        }
    }
}

#[test]
fn the_limit_where_the_general_form_divides_by_zero_is_smooth() {
    // Offered load one below the number of servers.
    for servers in [2, 4, 8] {
        let offered = f64::from(servers) - 1.0;
        for time in [0.5, 2.0, 5.0] {
            let beside = response_exceeds(servers, offered + 1e-6, time);
            near(response_exceeds(servers, offered, time), beside, 1e-5);
        }
    }
}

/// Customers one after the other at the first server that gets free; their mean wait and 95th percentile.
fn simulate(servers: usize, offered: f64, customers: u32) -> (f64, f64) {
    let mut random = Pcg64::seed_from_u64(7);
    let mut exponential = |rate: f64| -(1.0 - random.random::<f64>()).ln() / rate;
    let mut free = vec![0.0_f64; servers];
    let (mut now, mut waited) = (0.0, 0.0);
    let mut responses = Vec::new();
    for _ in 0..customers {
        now += exponential(offered);
        let first = (1..servers).fold(0, |first, next| if free[next] < free[first] { next } else { first });
        let begins = free[first].max(now);
        free[first] = begins + exponential(1.0);
        waited += begins - now;
        responses.push(free[first] - now);
    }
    responses.sort_by(f64::total_cmp);
    (waited / f64::from(customers), responses[responses.len() * 95 / 100])
}

#[test]
fn simulated_customers_wait_as_long_as_the_formulas_say() {
    for (servers, utilisation) in [(1, 0.5), (2, 0.7), (4, 0.8), (8, 0.85)] {
        let offered = utilisation * f64::from(servers);
        let (wait, p95) = simulate(servers as usize, offered, 400_000);
        near(wait, mean_wait(servers, offered), 0.05);
        near(p95, response_quantile(servers, offered, 0.95), 0.03);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn more_load_never_answers_sooner_and_more_servers_never_later(
        servers in 1..64_u32,
        utilisation in 0.0..0.98_f64,
        more in 0.001..0.02_f64,
        quantile in 0.1..0.999_f64,
    ) {
        let offered = utilisation * f64::from(servers);
        let at = |servers: u32, offered: f64| response_quantile(servers, offered, quantile);
        prop_assert!(at(servers, (utilisation + more) * f64::from(servers)) >= at(servers, offered) - 1e-6);
        prop_assert!(at(servers + 1, offered) <= at(servers, offered) + 1e-6);
    }

    #[test]
    fn the_quantile_is_what_that_share_stays_under(
        servers in 1..64_u32,
        utilisation in 0.0..0.99_f64,
        quantile in 0.1..0.999_f64,
    ) {
        let offered = utilisation * f64::from(servers);
        let time = response_quantile(servers, offered, quantile);
        prop_assert!((response_exceeds(servers, offered, time) - (1.0 - quantile)).abs() < 1e-6);
    }

    #[test]
    fn the_usable_utilisation_just_holds_the_target(
        servers in 1..64_u32,
        quantile in 0.5..0.99_f64,
        slack in 1.05..4.0_f64,
    ) {
        let target = response_quantile(servers, 0.0, quantile) * slack;
        let usable = usable_utilisation(servers, quantile, target);
        prop_assert!((0.0..1.0).contains(&usable));
        let offered = |utilisation: f64| utilisation * f64::from(servers);
        prop_assert!(response_exceeds(servers, offered(usable), target) <= 1.0 - quantile + 1e-6);
        prop_assert!(response_exceeds(servers, offered(usable + 1e-3), target) > 1.0 - quantile);
    }
}
