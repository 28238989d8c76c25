//! Change windows: cron expressions as in crontab, in a time zone, across its clock changes.

use std::time::Duration;

use jiff::Timestamp;
use scaling_policy::config::{ChangeWindow, GroupConfig, WindowError};

const HOUR: u64 = 3600;

fn window(cron: &str, seconds: u64, zone: &str) -> ChangeWindow {
    ChangeWindow::new(cron, Duration::from_secs(seconds), zone)
        .unwrap_or_else(|error| panic!("{cron}: {error}"))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Seconds for which the window is open between two moments, by asking at each minute.
fn open_minutes(window: &ChangeWindow, from: &str, to: &str) -> usize {
    let (from, to) = (at(from).as_second(), at(to).as_second());
    let moments = (from..to).step_by(60).map(|second| Timestamp::from_second(second).unwrap_or_default());
    moments.filter(|moment| window.is_open(*moment)).count()
}

#[test]
fn it_is_open_from_the_firing_until_the_duration_has_passed() {
    let window = window("30 2 * * *", HOUR, "UTC");
    for (moment, open) in [
        ("2026-03-10T02:29:59.999Z", false),
        ("2026-03-10T02:30:00Z", true),
        ("2026-03-10T03:29:59.999Z", true),
        ("2026-03-10T03:30:00Z", false),
    ] {
        assert_eq!(window.is_open(at(moment)), open, "{moment}");
    }
}

#[test]
fn it_may_reach_past_midnight_and_over_days() {
    let night = window("0 22 * * 5", 4 * HOUR, "UTC");
    assert!(night.is_open(at("2026-03-14T01:59:00Z")), "Friday's window ends on Saturday");
    assert!(!night.is_open(at("2026-03-15T01:00:00Z")));
    let week = window("0 0 1 * *", 7 * 24 * HOUR, "UTC");
    assert!(week.is_open(at("2026-03-07T23:59:59Z")));
    assert!(!week.is_open(at("2026-03-08T00:00:00Z")));
}

#[test]
fn the_time_zone_counts() {
    let window = window("0 2 * * *", HOUR, "Asia/Kolkata");
    assert!(window.is_open(at("2026-03-09T20:30:00Z")));
    assert!(!window.is_open(at("2026-03-10T02:30:00Z")));
}

#[test]
fn weekdays_are_crontabs() {
    // 2026-03-08 is a Sunday.
    let open_days = |field: &str| {
        let window = window(&format!("0 12 * * {field}"), 60, "UTC");
        (8..15)
            .filter(|day| window.is_open(at(&format!("2026-03-{day:02}T12:00:00Z"))))
            .map(|day| day - 8)
            .collect()
    };
    for (field, days) in [
        ("0", vec![0]),
        ("7", vec![0]),
        ("1-5", vec![1, 2, 3, 4, 5]),
        ("mon-FRI", vec![1, 2, 3, 4, 5]),
        ("sat-sun", vec![0, 6]),
        ("5-7", vec![0, 5, 6]),
        ("*/2", vec![0, 2, 4, 6]),
        ("1-5/2,sun", vec![0, 1, 3, 5]),
        ("*", vec![0, 1, 2, 3, 4, 5, 6]),
    ] {
        let found: Vec<u32> = open_days(field);
        assert_eq!(found, days, "{field}");
    }
}

#[test]
fn a_time_that_the_clock_skips_fires_when_it_would_have_been() {
    // Berlin skips 02:00 to 03:00 on 2026-03-29: 02:30 is at 01:30 UTC, when clocks there show 03:30.
    let window = window("30 2 * * *", HOUR, "Europe/Berlin");
    assert!(!window.is_open(at("2026-03-29T01:29:00Z")));
    assert!(window.is_open(at("2026-03-29T01:30:00Z")));
    assert_eq!(open_minutes(&window, "2026-03-29T00:00:00Z", "2026-03-30T00:00:00Z"), 60);
}

#[test]
fn a_time_that_comes_twice_fires_the_first_time() {
    // Berlin repeats 02:00 to 03:00 on 2026-10-25: 02:30 is at 00:30 and at 01:30 UTC.
    let window = window("30 2 * * *", HOUR, "Europe/Berlin");
    assert!(window.is_open(at("2026-10-25T00:30:00Z")));
    assert!(!window.is_open(at("2026-10-25T01:30:00Z")));
    assert_eq!(open_minutes(&window, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), 60);
}

#[test]
fn every_hour_means_every_hour_that_passes() {
    let window = window("0 * * * *", 600, "Europe/Berlin");
    for (from, to) in [
        ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"),
        ("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"),
        ("2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z"),
    ] {
        assert_eq!(open_minutes(&window, from, to), 24 * 10, "{from}");
    }
}

#[test]
fn a_duration_is_time_that_passes_whatever_the_clock_shows() {
    // The window of the night in which Berlin's clock goes back by an hour is as long as any other.
    let window = window("0 1 * * *", 4 * HOUR, "Europe/Berlin");
    assert_eq!(open_minutes(&window, "2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), 240);
    assert_eq!(open_minutes(&window, "2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), 240);
}

#[test]
fn a_day_that_a_month_does_not_have_never_fires_in_it() {
    let window = window("0 0 31 * *", 24 * HOUR, "UTC");
    assert!(window.is_open(at("2026-03-31T12:00:00Z")));
    assert_eq!(open_minutes(&window, "2026-04-02T00:00:00Z", "2026-05-30T00:00:00Z"), 0);
}

#[test]
fn what_cannot_be_a_window_is_refused() {
    let refused = |cron: &str| ChangeWindow::new(cron, Duration::from_secs(60), "UTC").is_err();
    for cron in [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "* * * * fri-mon",
        "* * * * funday",
        "*/0 * * * *",
        "* * * * */0",
        "a b c d e",
        "0 2 1 * 1",
        "-1 * * * *",
        "* * L * *",
        "? * * * *",
        "@daily",
        "5-3 * * * *",
        "* * * * 1-",
    ] {
        assert!(refused(cron), "{cron}");
    }
    let two_days = ChangeWindow::new("0 2 1 * 1", Duration::from_secs(60), "UTC");
    assert!(two_days.is_err_and(|error| error.to_string().contains("day of month or the day of week at *")));
    let long = ChangeWindow::new("0 0 * * *", ChangeWindow::MAX_DURATION + Duration::from_secs(1), "UTC");
    assert_eq!(long.err(), Some(WindowError::Duration));
    let zone = ChangeWindow::new("0 0 * * *", Duration::from_secs(60), "Mars/Olympus");
    assert_eq!(zone.err(), Some(WindowError::TimeZone));
}

#[test]
fn the_ends_of_time_are_closed_and_nothing_breaks_there() {
    let window = window("0 0 * * *", 24 * HOUR, "Europe/Berlin");
    assert!(!window.is_open(Timestamp::MIN));
    assert!(window.is_open(Timestamp::MAX));
}

#[test]
fn a_group_without_a_window_may_change_always() {
    let mut group = GroupConfig::with_defaults("web");
    assert!(group.change_window_open(at("2026-03-10T12:00:00Z")));
    group.change_window = Some(window("0 2 * * *", HOUR, "UTC"));
    assert!(!group.change_window_open(at("2026-03-10T12:00:00Z")));
}

#[test]
fn a_window_survives_storing() -> serde_json::Result<()> {
    let window = window("0 2 * * mon", HOUR, "Europe/Berlin");
    let text = serde_json::to_string(&window)?;
    assert_eq!(text, r#"{"cron":"0 2 * * mon","duration_seconds":3600,"time_zone":"Europe/Berlin"}"#);
    assert_eq!(serde_json::from_str::<ChangeWindow>(&text)?, window);
    assert!(serde_json::from_str::<ChangeWindow>(&text.replace("Berlin", "Bern")).is_err());
    Ok(())
}
