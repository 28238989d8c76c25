//! Target tracking against the worked examples of AWS's documentation and support pages.

use scaling_peers::target_tracking::{Minute, Settings, TargetTracking};

fn policy() -> TargetTracking {
    TargetTracking::new(Settings { target: 0.5, min: 1, max: 20 })
}

fn minute(metric: f64, in_service: u32, pending: u32) -> Minute {
    Minute { metric: Some(metric), in_service, pending }
}

/// What follows after `minutes` like this one.
fn after(minutes: u32, each: Minute) -> Option<u32> {
    let mut policy = policy();
    (0..minutes).map(|_| policy.observe(each)).last().flatten()
}

/// *AWS Copilot CLI* documentation, page "Services": "CPUUtilization > 70.00 for 3 datapoints within 3 minutes" and
/// "CPUUtilization < 63.00 for 15 datapoints within 15 minutes".
#[test]
fn the_alarms_that_the_documentation_of_copilot_prints_go_off_over_70_after_3_points_and_under_63_after_15() {
    let first = |metric: f64| {
        let mut policy = TargetTracking::new(Settings { target: 70.0, min: 1, max: 20 });
        (1..=60).find_map(|point| policy.observe(minute(metric, 10, 0)).map(|wanted| (point, wanted)))
    };
    assert_eq!([first(70.0), first(70.1)], [None, Some((3, 11))]);
    assert_eq!([first(63.0), first(62.9)], [None, Some((15, 9))]);
}

#[test]
fn scales_out_after_three_points_over_the_target() {
    for (points, expected) in [(1, None), (2, None), (3, Some(6)), (4, Some(6))] {
        assert_eq!(after(points, minute(0.75, 4, 0)), expected, "{points} points");
    }
}

#[test]
fn scales_in_after_fifteen_points_under_nine_tenths_of_the_target() {
    for (points, expected) in [(14, None), (15, Some(2)), (16, Some(2))] {
        assert_eq!(after(points, minute(0.25, 4, 0)), expected, "{points} points");
    }
}

#[test]
fn does_nothing_between_nine_tenths_of_the_target_and_the_target() {
    for metric in [0.45, 0.46, 0.5] {
        assert_eq!(after(60, minute(metric, 10, 0)), None, "{metric}");
    }
}

#[test]
fn rounds_fractions_towards_more_capacity() {
    // "If 1.5 instances are to be added, two are; if 1.5 are to be removed, one is."
    for (metric, in_service, expected) in
        [(0.75, 3, Some(5)), (0.5 * 2.5 / 4.0, 4, Some(3)), (0.51, 4, Some(5))]
    {
        assert_eq!(after(15, minute(metric, in_service, 0)), expected, "{metric} on {in_service}");
    }
}

#[test]
fn breaches_in_a_row_order_the_same_instance_once() {
    // AWS re:Post, "slow down asg target tracking scale out": four instances, one more, then two more in all.
    let mut policy = policy();
    let mut observe = |metric, pending| policy.observe(minute(metric, 4, pending));
    assert_eq!([observe(0.6, 0), observe(0.6, 0), observe(0.6, 0)], [None, None, Some(5)]);
    assert_eq!(observe(0.6, 1), None, "the fifth is on its way");
    assert_eq!(observe(0.7, 1), Some(6), "the metric has risen to two more");
    assert_eq!(observe(0.7, 2), None);
}

#[test]
fn removes_nothing_while_an_instance_is_on_its_way() {
    assert_eq!(after(30, minute(0.1, 4, 1)), None);
}

#[test]
fn a_minute_without_a_point_scales_nothing_and_starts_both_alarms_anew() {
    let mut policy = policy();
    for _ in 0..2 {
        policy.observe(minute(0.9, 4, 0));
    }
    assert_eq!(policy.observe(Minute { metric: None, in_service: 4, pending: 0 }), None);
    assert_eq!(policy.observe(minute(0.9, 4, 0)), None);
    assert_eq!(policy.observe(minute(0.9, 4, 0)), None);
    assert_eq!(policy.observe(minute(0.9, 4, 0)), Some(8));
}

#[test]
fn a_point_within_the_band_starts_the_count_anew() {
    let mut policy = policy();
    for _ in 0..14 {
        assert_eq!(policy.observe(minute(0.2, 4, 0)), None);
    }
    assert_eq!(policy.observe(minute(0.48, 4, 0)), None);
    assert_eq!(policy.observe(minute(0.2, 4, 0)), None);
}

#[test]
fn never_leaves_the_bounds() {
    for (metric, in_service, expected) in
        [(1.0, 15, Some(20)), (1.0, 20, None), (0.0, 5, Some(1)), (0.0, 1, None)]
    {
        assert_eq!(after(15, minute(metric, in_service, 0)), expected, "{metric} on {in_service}");
    }
}
