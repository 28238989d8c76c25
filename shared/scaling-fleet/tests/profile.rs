//! The shipped week: what a policy will meet in it.

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::load::{Load, WeekProfile};
use scaling_fleet::service::ServiceModel;

fn week(seed: u64) -> Load {
    WeekProfile { mean_rate: 300.0, seed }.draw(Timestamp::UNIX_EPOCH)
}

fn rates(load: &Load, days: std::ops::Range<i64>) -> Vec<f64> {
    (days.start * 1440..days.end * 1440)
        .map(|minute| load.rate(Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)))
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn the_mean_is_about_what_was_asked_for_and_no_rate_is_negative() {
    for seed in 1..=10 {
        let load = week(seed);
        assert!((0.85..1.1).contains(&(load.mean() / 300.0)), "seed {seed}: {}", load.mean());
        assert!(rates(&load, 0..7).iter().all(|rate| *rate >= 0.0));
    }
}

#[test]
fn the_weekend_is_quieter_than_the_working_days() {
    for seed in 1..=10 {
        let load = week(seed);
        let ratio = mean(&rates(&load, 5..7)) / mean(&rates(&load, 0..5));
        assert!((0.5..0.7).contains(&ratio), "seed {seed}: {ratio}");
    }
}

#[test]
fn a_minute_differs_from_the_next_by_a_few_percent() {
    for seed in 1..=10 {
        let rates = rates(&week(seed), 0..7);
        let changes: Vec<f64> = rates.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
        let mean = mean(&changes.iter().map(|change| change.abs()).collect::<Vec<f64>>());
        assert!((0.02..0.06).contains(&mean), "seed {seed}: {mean}");
        // Noise of five percent, and bursts that rise within five minutes: no rise that nobody could see coming.
        assert!(changes.iter().all(|change| *change < 0.4), "seed {seed}");
    }
}

#[test]
fn a_longer_look_than_the_week_sees_its_last_rate() {
    let load = week(1);
    let after = load.rate(load.end() + SignedDuration::from_hours(5));
    assert_eq!(after, load.rate(load.end()));
}

#[test]
fn the_demo_service_outgrows_eight_gib_at_its_limit_in_the_course_of_day_four() {
    let memory = ServiceModel::demo().memory;
    let base = |hours: u64| memory.base_at(std::time::Duration::from_secs(hours * 3600)).0;
    let limit = 0.8 * 8_192.0;
    assert!(base(3 * 24) + 4.0 * 150.0 < limit && base(4 * 24) + 4.0 * 150.0 > limit);
}
