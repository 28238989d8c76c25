//! The calendar: other bounds on the count at certain times.

#![expect(clippy::unwrap_used, reason = "functions of a test crate outside its tests are still tests")]

use jiff::Timestamp;
use scaling_policy::config::{Config, ConfigError, GroupConfig, Layers, Severity};
use serde_json::{Value, json};

fn parse(calendar: &Value) -> Result<GroupConfig, ConfigError> {
    let source = json!({
        "mode": "horizontal",
        "replicas": {"min_replicas": 2, "max_replicas": 20, "target_replicas": 4},
        "calendar": calendar
    });
    let loaded = Config::parse(source.to_string().as_bytes(), &Layers::none())?;
    Ok(GroupConfig::clone(&loaded.config.groups[0]))
}

fn bounds(config: &GroupConfig, at: &str) -> (u32, u32) {
    let at: Timestamp = at.parse().unwrap();
    let bounds = config.replicas_at(at);
    (bounds.min, bounds.max)
}

#[test]
fn its_bounds_hold_while_it_is_open_and_the_configured_ones_otherwise() {
    let config = parse(&json!([{
        "name": "morning peak", "cron": "0 7 * * 1-5", "duration": 7200, "time_zone": "Europe/Berlin",
        "min_replicas": 8
    }]))
    .unwrap();
    // 2026-03-09 is a Monday, and Berlin is an hour ahead.
    for (at, expected) in [
        ("2026-03-09T05:59:59Z", (2, 20)),
        ("2026-03-09T06:00:00Z", (8, 20)),
        ("2026-03-09T07:59:59Z", (8, 20)),
        ("2026-03-09T08:00:00Z", (2, 20)),
        ("2026-03-08T06:30:00Z", (2, 20)),
    ] {
        assert_eq!(bounds(&config, at), expected, "{at}");
    }
    let open: Vec<&str> = (config.open_calendar("2026-03-09T06:30:00Z".parse().unwrap()))
        .map(|entry| entry.name.as_str())
        .collect();
    assert_eq!(open, ["morning peak"]);
}

#[test]
fn of_several_that_are_open_the_highest_minimum_and_the_lowest_maximum_hold_and_the_minimum_wins() {
    let entry = |hour: u32, min: Option<u32>, max: Option<u32>| {
        let cron = format!("0 {hour} * * *");
        let mut entry = json!({"cron": cron, "duration": 3600});
        for (key, bound) in [("min_replicas", min), ("max_replicas", max)] {
            if let Some(bound) = bound {
                entry[key] = json!(bound);
            }
        }
        entry
    };
    let config = parse(&json!([
        entry(6, Some(5), None),
        entry(6, Some(8), Some(15)),
        entry(6, None, Some(12)),
        entry(9, None, Some(3)),
        entry(9, Some(6), None),
    ]))
    .unwrap();
    assert_eq!(bounds(&config, "2026-03-09T06:30:00Z"), (8, 12));
    assert_eq!(bounds(&config, "2026-03-09T09:30:00Z"), (6, 6));
}

#[test]
fn a_group_may_have_its_own() {
    let source = json!({
        "calendar": [{"cron": "0 6 * * *", "duration": 60, "min_replicas": 3}],
        "groups": [{"name": "a"}, {"name": "b", "calendar": [{"cron": "0 6 * * *", "duration": 60, "min_replicas": 5}]}]
    });
    let config = Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap().config;
    let min = |index: usize| bounds(&config.groups[index], "2026-03-09T06:00:30Z").0;
    assert_eq!((min(0), min(1)), (3, 5));
}

#[test]
fn its_faults_name_the_entry_and_the_fix() {
    let cases = [
        (json!([{"cron": "0 6 * * *", "min_replicas": 3}]), "/calendar/0", "duration"),
        (json!([{"duration": 60, "min_replicas": 3}]), "/calendar/0", "cron"),
        (json!([{"cron": "0 6 * * *", "duration": 60}]), "/calendar/0", "min_replicas"),
        (
            json!([{"cron": "0 6 * * *", "duration": 60, "min_replicas": 3}, {"cron": "x", "duration": 60, "min_replicas": 3}]),
            "/calendar/1/cron",
            "five fields",
        ),
        (
            json!([{"cron": "0 6 * * *", "duration": 60, "min_replicas": 21}]),
            "/calendar/0/min_replicas",
            "within",
        ),
        (
            json!([{"cron": "0 6 * * *", "duration": 60, "min_replicas": 9, "max_replicas": 2}]),
            "/calendar/0/min_replicas",
            "lower `min_replicas` or raise `max_replicas`",
        ),
        (
            json!([{"cron": "0 6 * * *", "duration": 60, "max_replicas": 1}]),
            "/calendar/0/max_replicas",
            "within",
        ),
        (
            json!([{"cron": "0 6 * * *", "duration": 60, "min_replicas": 3, "time_zone": "Berlin"}]),
            "/calendar/0/time_zone",
            "Europe/Berlin",
        ),
        (
            json!([{"cron": "0 6 * * *", "duration": 60, "min_replica": 3}]),
            "/calendar/0/min_replica",
            "min_replicas",
        ),
        (json!({"cron": "0 6 * * *"}), "/calendar", "list"),
    ];
    for (calendar, pointer, word) in cases {
        let error = parse(&calendar).unwrap_err();
        let found = error
            .faults
            .iter()
            .any(|fault| fault.pointer == pointer && (fault.fix.contains(word) || fault.rule.contains(word)));
        assert!(found, "{calendar}: {error}");
    }
}

#[test]
fn a_fault_in_an_entry_hides_no_other_and_nothing_is_called_missing_beside_it() {
    let places = |calendar: &Value| -> Vec<String> {
        let error = parse(calendar).unwrap_err();
        let errors = error.faults.iter().filter(|fault| fault.severity == Severity::Error);
        errors.map(|fault| fault.pointer.clone()).collect()
    };
    let bad = json!([{
        "cron": "0 25 * * *", "duration": 8_640_000, "time_zone": "Europe/Berln", "min_replicas": 14, "max_replicas": 12,
    }]);
    let mut found = places(&bad);
    found.sort();
    assert_eq!(
        found,
        ["/calendar/0/cron", "/calendar/0/duration", "/calendar/0/min_replicas", "/calendar/0/time_zone"]
    );
    let misspelt = json!([{"cron": "0 6 * * *", "duraton": 60, "min_replicas": 3}]);
    assert_eq!(places(&misspelt), ["/calendar/0/duraton"]);
    let misspelt_bound = json!([{"cron": "0 6 * * *", "duration": 60, "min_replcas": 1, "max_replicas": 1}]);
    assert_eq!(places(&misspelt_bound), ["/calendar/0/min_replcas"]);
    // A wrong value is no wrong name, and what is no entry takes no place from those after it.
    let wrong = json!([{"duration": -1, "min_replicas": 3}, "x", {"cron": "0 99 * * *", "duration": 60, "min_replicas": 3}]);
    assert_eq!(places(&wrong), ["/calendar/0/duration", "/calendar/1", "/calendar/0", "/calendar/2/cron"]);
}

#[test]
fn a_bound_that_an_entry_leaves_out_is_compared_only_where_it_is_known() {
    let entry = |bounds: Value| {
        let mut entry = json!({"cron": "0 6 * * *", "duration": 60});
        entry.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
        entry
    };
    for (source, expected) in [
        (
            json!({"replicas": {"max_replicas": "x"}, "calendar": [entry(json!({"min_replicas": 50}))]}),
            vec!["/replicas/max_replicas"],
        ),
        (
            json!({"replicas": {"max_replica": 100}, "calendar": [entry(json!({"min_replicas": 50}))]}),
            vec!["/replicas/max_replica"],
        ),
        (
            json!({"replicas": {"min_replicas": 10, "max_replicas": 5, "target_replicas": 5}, "calendar": [entry(json!({}))]}),
            vec!["/replicas/min_replicas", "/calendar/0"],
        ),
        // The group's own list takes the place of the document's, entry by entry and key by key.
        (
            json!({
                "calendar": [entry(json!({"max_replicas": "x"}))],
                "groups": [{"name": "a", "calendar": [entry(json!({"min_replicas": 50}))]}],
            }),
            vec!["/calendar/0/max_replicas", "/groups/0/calendar/0/min_replicas"],
        ),
        // What is wrong with an entry for one group is no reason to leave another group's unread.
        (
            json!({
                "calendar": [entry(json!({})), entry(json!({"min_replicas": 9}))],
                "groups": [{"name": "a"}, {"name": "b", "replicas": {"max_replicas": 5, "target_replicas": 2}}],
            }),
            vec!["/calendar/0", "/calendar/1/min_replicas"],
        ),
    ] {
        let error = Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap_err();
        let errors = error.faults.iter().filter(|fault| fault.severity == Severity::Error);
        let places: Vec<&str> = errors.map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, expected, "{source}: {error}");
    }
}
