use serde_json::json;

use super::*;

/// A group as the console's data have it.
fn group() -> Value {
    let at: Vec<i64> = (0..10).map(|look| 1_772_438_400 + look * 60).collect();
    let each = |value: f64| vec![value; 10];
    json!({
        "name": "web", "at": "2026-03-02T08:09:00Z", "now": "2026-03-02T08:09:05Z", "control": "act", "mode": "hybrid",
        "trouble": null, "type": "m7i.xlarge", "replicas": {"serving": 4, "desired": 6, "arriving": 2},
        "bounds": {"min": 2, "max": 40}, "wanted": 13.37, "capacity": 16.0, "cost": 0.8064, "savings": -0.1,
        "target_load": 0.75,
        "totals": {"requests": 0.0, "cost": 12.3, "saved": 4.1, "since": "2026-02-28T08:09:05Z"},
        "readings": [
            {"trigger": "cpu_usage", "state": "fresh", "value": 0.72, "threshold": 0.8, "load": 0.9, "age": 61.0,
                "asks": true, "priority": true},
            {"trigger": "memory_usage", "state": "missing", "value": null, "threshold": 0.8, "load": null, "age": null,
                "asks": true, "priority": false},
            {"trigger": "request_count", "state": "unbound", "value": null, "threshold": 1000.0, "load": null,
                "age": null, "asks": false, "priority": false},
            {"trigger": "request_latency", "state": "fresh", "value": 0.3, "threshold": 0.25, "load": 1.2, "age": 61.0,
                "asks": false, "priority": false},
        ],
        "outlook": [
            {"change": "up", "from": "2026-03-02T08:09:05Z", "waits_for": ""},
            {"change": "down", "from": "2026-03-02T08:13:05Z", "waits_for": "cooldown after the last scale-down"},
            {"change": "retype", "from": null, "waits_for": "the change window is closed"},
        ],
        "marks": [
            {"id": "1", "at": "2026-03-02T08:03:00Z", "kind": "up", "change": "4 -> 6 replicas", "phase": "verified"},
            {"id": "2", "at": "2026-03-02T08:05:00Z", "kind": "retype", "change": "a -> b", "phase": "verified"},
        ],
        "series": {
            "at": at, "wanted": [null, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 13.0, 13.2, 13.37], "capacity": each(16.0),
            "cpu_usage": each(0.5), "memory_usage": each(0.2).iter().map(|_| Value::Null).collect::<Vec<_>>(),
            "request_count": Value::Array(vec![Value::Null; 10]), "request_latency": each(1.2),
            "serving": vec![4; 10], "desired": vec![6; 10], "cost": each(0.8), "fixed": each(1.0), "saved": each(4.1),
            "type": [0, 0, 0, 0, 0, 1, 1, 1, 1, 1], "types": ["m7i.large", "m7i.xlarge"],
        },
    })
}

#[test]
fn what_runs_and_what_it_has_come_to_is_told() {
    let expected = "\
web at 2026-03-02 08:09:00 UTC: control act, hybrid
  runs            4 x m7i.xlarge of 6 desired, 2 arriving; 2 to 40 allowed
  demand          13.4 vCPU; capacity 16.0 vCPU
  cost            0.81 USD an hour; -0.10 USD an hour saved against a fixed fleet
  to date         12.30 USD spent, 4.10 USD saved since 2026-02-28 08:09:05 UTC, 2 days
";
    assert_eq!(now(&group()), expected);
}

#[test]
fn loads_stand_in_their_band_and_what_is_not_bound_is_left_out() {
    let expected = "\
Load by trigger (▒ from the target of 75 % to the limit)
  cpu_usage         90 %  ██████████████████▒▒│  72 % of 80 %, 61 s old; asks, urgently
  memory_usage         -                 ▒▒▒▒▒│  - of 80 %, missing; asks
  request_latency  120 %  ████████████████████│████  300 ms of 250 ms, 61 s old; only reported
";
    assert_eq!(loads(&group()), expected);
}

#[test]
fn each_change_says_from_when_on_it_is_possible_and_what_it_waits_for() {
    let expected = "\
The next possible change
  more replicas   now, when the load asks for it
  fewer replicas  in 4 min (08:13:05): cooldown after the last scale-down
  another type    not by itself: the change window is closed
";
    assert_eq!(outlook(&group()), expected);
    let short = "▲ now\n▼ in 4 min (08:13:05): cooldown after the last scale-down\n\
        ◆ not by itself: the change window is closed";
    assert_eq!(outlook_in_short(&group()), short);
    assert_eq!(outlook_in_short(&json!({"outlook": null})), "");
}

#[test]
fn what_people_have_set_is_told_at_once_and_nothing_is_possible_meanwhile() {
    let pause = |until: Value| json!({"by": "ada", "reason": "migration", "until": until});
    let with = |pause: Value, switch: Value| {
        let mut group = group();
        group["pause"] = pause;
        group["in_force"] = json!(["paused by ada: migration"]);
        group["kill_switch"] = switch;
        group
    };
    let paused = with(pause(Value::Null), Value::Null);
    assert!(now(&paused).contains("\n  set             paused by ada: migration\n"), "{}", now(&paused));
    assert!(outlook(&paused).contains("more replicas   not by itself: paused\n"), "{}", outlook(&paused));
    let for_a_while = outlook(&with(pause(json!("2026-03-02T08:11:05Z")), Value::Null));
    assert!(for_a_while.contains("more replicas   in 2 min (08:11:05): paused\n"), "{for_a_while}");
    assert!(for_a_while.contains("fewer replicas  in 4 min (08:13:05): cooldown"), "{for_a_while}");
    assert!(for_a_while.contains("another type    not by itself: the change window"), "{for_a_while}");
    let stopped = with(Value::Null, json!({"by": "ada", "reason": "incident"}));
    assert!(now(&stopped).contains("kill switch on by ada: incident"), "{}", now(&stopped));
    assert_eq!(outlook_in_short(&stopped).matches("not by itself: the kill switch is on").count(), 3);
    assert_eq!(in_lines(&json!({"in_force": []})), "");
}

#[test]
fn rows_over_time_share_their_time_and_mark_types_and_operations() {
    let told = over_time(&group());
    let row = |name: &str| {
        let found = told.lines().find(|line| line.trim_start().starts_with(name));
        found.unwrap_or_else(|| panic!("no {name}: {told}")).to_owned()
    };
    let cells = |name: &str| row(name).chars().skip(18).take(WIDTH).collect::<String>();
    assert!(row("demand").ends_with("now 13.4 vCPU, row to 16.0 vCPU"), "{told}");
    assert!(cells("demand").starts_with(' ') && cells("demand").ends_with('▇'), "{told}");
    assert!(row("cpu_usage").ends_with("now 50 %, row to 100 %"), "{told}");
    assert!(row("request_latency").ends_with("row to 120 %"), "{told}");
    assert!(!told.contains("memory_usage"), "nothing was read of it: {told}");
    let half = "a".repeat(33) + &"b".repeat(27);
    assert_eq!(cells("type"), half);
    assert_eq!(cells("operations").trim_end(), format!("{}▲{}◆", " ".repeat(20), " ".repeat(12)));
    assert!(
        told.contains("\nTypes over time\n  b m7i.xlarge    from 2026-03-02 08:05 UTC for 4 min\n"),
        "{told}"
    );
    assert_eq!(over_time(&json!({"series": {"at": []}})), "");
}

#[test]
fn a_moment_shows_the_look_before_it_and_none_that_is_long_ago() {
    let told = at(&group(), "2026-03-02T08:04:30Z".parse().unwrap()).unwrap();
    let expected = "\
Seen at 2026-03-02 08:04 UTC
  ran             4 x m7i.large of 6 desired
  demand          8.0 vCPU; capacity 16.0 vCPU
  cost            0.80 USD an hour; 0.20 USD an hour saved against a fixed fleet
  to date         4.10 USD saved
  cpu_usage         50 %  ██████████     ▒▒▒▒▒│
  request_latency  120 %  ████████████████████│████
";
    assert_eq!(told, expected);
    let long_after = at(&group(), "2026-03-02T08:30:00Z".parse().unwrap()).unwrap();
    assert!(
        long_after.starts_with("Seen at 2026-03-02 08:09 UTC\n"),
        "of what is long ago a quarter of an hour has one look: {long_after}"
    );
    for far in ["2026-03-02T07:59:00Z", "2026-03-02T08:40:00Z"] {
        assert_eq!(at(&group(), far.parse().unwrap()), None, "{far}");
    }
}

#[test]
fn operations_and_decisions_are_listed_with_what_came_of_them() {
    let scaled = json!({"planned_at": "2026-03-02T08:03:00Z", "ended_at": "2026-03-02T08:04:15Z", "phase": "verified",
        "kind": {"kind": "scale", "from": 4, "to": 6}, "failure": null});
    let failed = json!({"planned_at": "2026-03-02T08:05:00Z", "ended_at": "2026-03-02T08:15:00Z", "phase": "rolled_back",
        "kind": {"kind": "retype", "from": "m7i.large", "to": "m7i.xlarge"}, "failure": "no capacity"});
    let expected = "\
Operations
  2026-03-02 08:05:00 UTC  m7i.large -> m7i.xlarge: rolled back after 10 min: no capacity
  2026-03-02 08:03:00 UTC  4 -> 6 replicas: verified after 75 s
";
    assert_eq!(operations(&[failed, scaled]), expected);
    let up = json!({"at": "2026-03-02T08:03:00Z", "action": {"kind": "scale", "from": 4, "to": 6},
        "explanation": "cpu_usage is at 112 % of its limit"});
    let hold = json!({"at": "2026-03-02T08:02:00Z", "action": {"kind": "hold"}, "explanation": "capacity fits the load"});
    let expected = "\
Decisions that differed from the one before
  2026-03-02 08:03:00 UTC  4 -> 6 replicas: cpu_usage is at 112 % of its limit
  2026-03-02 08:02:00 UTC  hold: capacity fits the load
";
    assert_eq!(decisions(&[up, hold]), expected);
}

#[test]
fn an_amount_that_rounds_to_nothing_has_no_sign() {
    for (amount, expected) in [(-0.001, "0.00 USD"), (-0.01, "-0.01 USD"), (2.0, "2.00 USD")] {
        assert_eq!(usd(amount), expected);
    }
}
