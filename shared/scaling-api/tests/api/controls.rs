//! Overrides, holds and the kill switch.

use scaling_control::ports::NewRecord;
use scaling_control::record::group_key;
use scaling_policy::operation::Step;
use scaling_policy::snapshot::RetypeSupport;
use serde_json::{Value, json};

use crate::stage::{Stage, config_of};

const UNTIL: &str = "2026-03-02T10:00:00Z";

#[tokio::test]
async fn an_override_holds_until_it_ends_and_says_who_and_why() {
    let stage = Stage::new();
    let body = json!({"min": 6, "max": 8, "until": UNTIL, "reason": "launch day", "by": "ada"});
    let answer = stage.call("PUT", "/groups/web/override", &body).await.ok();
    let expected = json!({
        "by": "ada", "reason": "launch day", "until": UNTIL, "min": 6, "max": 8, "instance_type": null,
    });
    assert_eq!(answer, json!({"group": "web", "override": expected, "note": null}));
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["override"], expected);
    stage.tick().await;
    assert_eq!(*stage.platform.accepted.lock().unwrap(), [Step::SetDesired { desired: 6 }]);
    let decisions = stage.get("/groups/web/decisions").await.ok();
    assert!(
        decisions.to_string().contains("override") || decisions.to_string().contains("bounds"),
        "{decisions}"
    );
    let ended = stage.call("DELETE", "/groups/web/override", &Value::Null).await;
    assert_eq!(ended.ok(), json!({"group": "web", "override": null, "note": null}));
    let audit = stage.get("/audit").await.ok();
    assert!(audit.to_string().contains("launch day"), "{audit}");
}

#[tokio::test]
async fn an_override_that_makes_no_sense_is_refused() {
    let mut source = config_of("web");
    source["resources"] = json!({"max_cpu": 4.0});
    let stage = Stage::with(&source);
    let other = |min: Value, max: Value| json!({"min": min, "max": max, "until": UNTIL, "reason": "r"});
    let until = |until: &str| json!({"min": 5, "until": until, "reason": "r"});
    for (body, pointer, part) in [
        (json!({"until": UNTIL, "reason": "r"}), "", "give min, max, instance_type"),
        (other(json!(0), json!(null)), "/min", "at least 1"),
        (other(json!(null), json!(0)), "/max", "at least 1"),
        (other(json!(0), json!(0)), "/min", "at least 1"),
        (other(json!(3), json!(2)), "/min", "not be more than max"),
        (other(json!(-1), json!(2)), "/min", "a whole number from 0"),
        (other(json!(1), json!(2.5)), "/max", "a whole number from 0"),
        (json!({"min": 5, "until": UNTIL}), "/reason", "the member reason is missing"),
        (json!({"min": 5, "until": UNTIL, "reason": " "}), "/reason", "say why"),
        (json!({"min": 5, "reason": "r"}), "/until", "the member until is missing"),
        (
            json!({"min": 5, "until": UNTIL, "reason": "r", "type": "m7i.large"}),
            "/type",
            "there is no member type",
        ),
        (until(crate::stage::START), "/until", "in the future"),
        (until("2020-01-01T00:00:00Z"), "/until", "in the future"),
        (until("2027-03-03T08:00:01Z"), "/until", "within 366 days"),
        (until("9999-12-30T00:00:00Z"), "/until", "within 366 days"),
        (until("tomorrow"), "/until", "a time such as"),
    ] {
        let reply = stage.call("PUT", "/groups/web/override", &body).await;
        let problem = reply.problem(422, "invalid-request");
        assert_eq!(problem["pointer"], pointer, "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(part), "{body}: {problem}");
    }
    for instance_type in ["z9.huge", "m7i.48xlarge", ""] {
        let body = json!({"instance_type": instance_type, "until": UNTIL, "reason": "r"});
        stage.call("PUT", "/groups/web/override", &body).await.problem(422, "out-of-bounds");
    }
    assert!(stage.store.snapshot().is_empty());
    let body = json!({"min": 5, "until": UNTIL, "reason": "r"});
    stage.call("PUT", "/groups/wbe/override", &body).await.problem(404, "not-found");
    stage.call("DELETE", "/groups/wbe/override", &json!({})).await.problem(404, "not-found");
    stage.post("/groups/wbe/hold", &json!({})).await.problem(404, "not-found");
}

#[tokio::test]
async fn an_override_takes_the_place_of_the_configuration_s_bounds_and_the_group_s_own_still_hold() {
    // The configuration allows 1 to 10, the group itself 1 to 20.
    for (min, max, desired) in
        [(Some(15), None, 15), (Some(900), None, 20), (None, Some(3), 3), (Some(7), Some(7), 7)]
    {
        let stage = Stage::new();
        let body = json!({"min": min, "max": max, "until": UNTIL, "reason": "r"});
        stage.call("PUT", "/groups/web/override", &body).await.ok();
        for _ in 0..5 {
            stage.tick().await;
            stage.clock.advance_seconds(60);
        }
        let now = stage.platform.groups.lock().unwrap()[&"web".into()].desired;
        assert_eq!(now, desired, "{body}");
    }
}

#[tokio::test]
async fn what_the_group_s_own_bounds_keep_from_an_override_is_told_with_it() {
    let stage = Stage::new();
    stage.platform.change("web", |group| (group.min, group.max) = (2, 20));
    let set = async |bounds: Value| {
        let mut body = json!({"until": UNTIL, "reason": "r"});
        body.as_object_mut().unwrap().extend(bounds.as_object().unwrap().clone());
        stage.call("PUT", "/groups/web/override", &body).await.ok()["note"].clone()
    };
    for (bounds, missed) in [(json!({"min": 21}), "min 21"), (json!({"max": 1}), "max 1")] {
        let note = set(bounds).await;
        let told = format!("{missed} is outside the group's own bounds, 2 to 20");
        assert!(note.as_str().is_some_and(|note| note.starts_with(&told)), "{note}");
    }
    for bounds in [json!({"min": 20}), json!({"max": 21}), json!({"max": 2})] {
        assert_eq!(set(bounds.clone()).await, Value::Null, "{bounds}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_override_waits_for_no_platform_that_does_not_answer() {
    let stage = Stage::new();
    *stage.platform.hangs.lock().unwrap() = true;
    let begin = tokio::time::Instant::now();
    let body = json!({"min": 900, "until": UNTIL, "reason": "r"});
    let answer = stage.call("PUT", "/groups/web/override", &body).await.ok();
    assert_eq!((&answer["override"]["min"], &answer["note"]), (&900.into(), &Value::Null));
    assert_eq!(begin.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn moments_are_bounded_wherever_one_is_taken() {
    let stage = Stage::new();
    let last = "2027-03-03T08:00:00Z";
    for (path, body) in [
        ("/groups/web/pause", json!({"until": last})),
        ("/groups/web/hold", json!({"until": last})),
        ("/scale", json!({"replicas": 4, "expires": last, "dry_run": true})),
    ] {
        let mut late = body.clone();
        let member = if path == "/scale" { "expires" } else { "until" };
        late[member] = "2027-03-03T08:00:01Z".into();
        let problem = stage.post(path, &late).await.problem(422, "invalid-request");
        assert_eq!(problem["pointer"], format!("/{member}"), "{path}");
        assert!(problem["detail"].as_str().unwrap().contains("within 366 days"), "{problem}");
        stage.post("/groups/web/resume", &json!({})).await.ok();
        stage.post(path, &body).await.ok();
        stage.post("/groups/web/resume", &json!({})).await.ok();
        stage.call("DELETE", "/groups/web/override", &Value::Null).await.ok();
    }
}

#[tokio::test]
async fn a_hold_keeps_what_the_group_has() {
    let stage = Stage::new();
    let answer = stage.post("/groups/web/hold", &json!({"by": "ada", "reason": "looking"})).await.ok();
    assert_eq!((&answer["override"]["min"], &answer["override"]["max"]), (&4.into(), &Value::Null));
    assert_eq!(answer["override"]["until"], "2026-03-02T08:30:00Z", "for the configuration's manual_hold");
    stage.post("/scale", &json!({"replicas": 3})).await.problem(422, "out-of-bounds");
    assert_eq!(stage.post("/scale", &json!({"replicas": 5})).await.status.as_u16(), 202);
    let until = stage.post("/groups/web/hold", &json!({"until": UNTIL})).await.ok();
    assert_eq!((&until["override"]["until"], &until["override"]["min"]), (&UNTIL.into(), &5.into()));
    stage
        .post("/groups/web/hold", &json!({"until": crate::stage::START}))
        .await
        .problem(422, "invalid-request");
}

#[tokio::test]
async fn a_hold_ends_no_override_that_sets_more_than_it() {
    let stage = Stage::new();
    let body = json!({"min": 2, "max": 9, "until": UNTIL, "reason": "launch day", "by": "ada"});
    stage.call("PUT", "/groups/web/override", &body).await.ok();
    let problem = stage.post("/groups/web/hold", &json!({})).await.problem(409, "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("launch day"), "{problem}");
    let groups = stage.get("/groups").await.ok();
    let group = &groups["groups"][0];
    assert_eq!(group["bounds"], json!({"min": 2, "max": 9}));
    assert!(group["in_force"][0].as_str().unwrap().contains("override by ada"), "{group}");
}

#[tokio::test]
async fn a_hold_ends_nothing_that_holds_for_longer() {
    let stage = Stage::new();
    let body = json!({"min": 3, "until": UNTIL, "reason": "launch day", "by": "ada"});
    stage.call("PUT", "/groups/web/override", &body).await.ok();
    let problem = stage.post("/groups/web/hold", &json!({})).await.problem(409, "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("launch day"), "{problem}");
    let longer = stage.post("/groups/web/hold", &json!({"until": "2026-03-02T11:00:00Z"})).await.ok();
    assert_eq!(longer["override"]["min"], 4);
}

#[tokio::test]
async fn words_that_are_too_long_to_be_repeated_are_refused() {
    let stage = Stage::new();
    let long = "x".repeat(1_001);
    for (path, member) in
        [("/groups/web/pause", "reason"), ("/groups/web/pause", "by"), ("/groups/web/hold", "reason")]
    {
        let problem = stage.post(path, &json!({member: long})).await.problem(422, "invalid-request");
        assert_eq!(problem["pointer"], format!("/{member}"), "{path}");
    }
}

/// They would be repeated in logs and on terminals.
#[tokio::test]
async fn words_with_line_breaks_and_escapes_are_refused() {
    let stage = Stage::new();
    for words in ["a\nsecond line", "red \u{1b}[31m", "bell\u{7}", "c1 \u{9b}2J"] {
        for member in ["reason", "by"] {
            let body = json!({member: words});
            let problem = stage.post("/groups/web/pause", &body).await.problem(422, "invalid-request");
            assert_eq!(problem["pointer"], format!("/{member}"), "{words:?}");
            assert!(problem["detail"].as_str().unwrap().contains("control character"), "{problem}");
        }
    }
}

#[tokio::test]
async fn a_type_that_the_image_does_not_run_on_is_no_override() {
    let stage = Stage::new();
    let body = |name: &str| json!({"instance_type": name, "until": UNTIL, "reason": "a try"});
    stage.call("PUT", "/groups/web/override", &body("m7g.xlarge")).await.problem(422, "out-of-bounds");
    stage.call("PUT", "/groups/web/override", &body("c7i.xlarge")).await.ok();
}

#[tokio::test]
async fn a_type_is_no_override_where_only_the_instances_tell_the_architecture() {
    let stage = Stage::new();
    stage.platform.change("web", |group| group.launch_type = None);
    let body = |name: &str| json!({"instance_type": name, "until": UNTIL, "reason": "a try"});
    stage.call("PUT", "/groups/web/override", &body("m7g.large")).await.problem(422, "out-of-bounds");
    stage.call("PUT", "/groups/web/override", &body("c7i.xlarge")).await.ok();
}

/// Whatever `POST /scale` refuses as a type, an override refuses in the same way: it would never come to be.
#[tokio::test]
async fn a_type_is_no_override_where_it_cannot_be_asked_for_either() {
    type Change = fn(&mut scaling_control::ports::GroupDescription);
    let unknown: Change = |group| group.launch_type = Some("z9.large".into());
    let unknown_instance: Change = |group| group.instances[0].instance_type = "z9.large".into();
    let weights: Change = |group| group.retype = RetypeSupport::CountOnly { why: "weights".to_owned() };
    let as_it_is: Change = |_| {};
    let mut source = config_of("web");
    source["region"] = "ap-south-1".into();
    source["ladder"] = json!({"families": ["m7i"]});
    for (change, name, status, problem) in [
        (unknown, "m7i.xlarge", 409, "count-only"),
        (unknown_instance, "m7i.xlarge", 409, "count-only"),
        (weights, "m7i.xlarge", 409, "count-only"),
        (weights, "z9.huge", 409, "count-only"),
        (as_it_is, "z9.huge", 422, "out-of-bounds"),
        (as_it_is, "m7g.xlarge", 422, "out-of-bounds"),
        (as_it_is, "m7i.48xlarge", 422, "out-of-bounds"),
        // No price is known of it in this region.
        (as_it_is, "c7a.2xlarge", 422, "out-of-bounds"),
        // Outside of the ladder, which binds only the controller's own choice.
        (as_it_is, "c6i.xlarge", 200, ""),
    ] {
        let stage = Stage::with(&source);
        stage.platform.change("web", change);
        let body = json!({"instance_type": name, "until": UNTIL, "reason": "a try"});
        let set = stage.call("PUT", "/groups/web/override", &body).await;
        let asked = stage.post("/scale", &json!({"instance_type": name, "dry_run": true})).await;
        if status == 200 {
            set.ok();
            asked.ok();
            stage.tick().await;
            assert_eq!(stage.platform.accepted.lock().unwrap().len(), 1, "{name}");
            continue;
        }
        let (set, asked) = (set.problem(status, problem), asked.problem(status, problem));
        assert_eq!(set["detail"], asked["detail"], "{name}");
        assert!(stage.store.snapshot().is_empty(), "{name}");
    }
}

#[tokio::test]
async fn what_was_learned_is_not_needed_for_an_override() {
    let stage = Stage::new();
    let body = json!({"learned": {"version": "of another program"}, "learned_at": "2026-03-02T07:59:00Z"});
    let record = NewRecord { key: group_key(&"web".into()), body: body.to_string(), expires: None };
    stage.store_directly(vec![record]).await;
    let body = json!({"instance_type": "c7i.xlarge", "until": UNTIL, "reason": "a try"});
    stage.call("PUT", "/groups/web/override", &body).await.ok();
}

#[tokio::test]
async fn what_has_run_out_is_neither_shown_nor_called_what_was_before() {
    let stage = Stage::new();
    let before = |by: &str| json!({"until": UNTIL, "reason": "r", "by": by});
    let body = json!({"min": 5, "until": UNTIL, "reason": "r"});
    stage.call("PUT", "/groups/web/override", &body).await.ok();
    stage.post("/groups/web/pause", &before("ada")).await.ok();
    stage.clock.advance_seconds(3 * 3600);
    let group = stage.get("/groups").await.ok()["groups"][0].clone();
    assert_eq!((&group["pause"], &group["override"]), (&Value::Null, &Value::Null), "{group}");
    let later = "2026-03-02T15:00:00Z";
    let body = json!({"min": 6, "until": later, "reason": "r"});
    stage.call("PUT", "/groups/web/override", &body).await.ok();
    stage.post("/groups/web/pause", &json!({"until": later})).await.ok();
    let audit = stage.get("/audit?limit=2").await.ok();
    for entry in audit["entries"].as_array().unwrap() {
        assert_eq!(entry["before"], Value::Null, "{entry}");
    }
}

#[tokio::test]
async fn who_ends_something_is_told_as_who_has_begun_it() {
    let stage = Stage::new();
    let body = json!({"min": 5, "until": UNTIL, "reason": "r", "by": "ada"});
    let named = json!({"by": "grace"});
    stage.call("PUT", "/groups/web/override", &body).await.ok();
    stage.call("DELETE", "/groups/web/override", &named).await.ok();
    stage.call("PUT", "/kill-switch", &json!({"by": "ada"})).await.ok();
    stage.call("DELETE", "/kill-switch", &named).await.ok();
    stage.post("/config?by=grace", &config_of("web")).await.ok();
    let audit = stage.get("/audit").await.ok();
    for what in ["override ended", "released", "configured"] {
        let mut entries = audit["entries"].as_array().unwrap().iter();
        let entry = entries.find(|entry| entry["what"] == what).unwrap_or_else(|| panic!("{what}: {audit}"));
        assert_eq!(entry["by"], "grace", "{entry}");
    }
    for path in ["/groups/web/override", "/kill-switch"] {
        stage.call("DELETE", path, &json!({"who": "grace"})).await.problem(422, "invalid-request");
    }
}

#[tokio::test]
async fn a_hold_needs_the_platform() {
    let stage = Stage::new();
    stage.platform.groups.lock().unwrap().clear();
    stage.post("/groups/web/hold", &json!({})).await.problem(404, "not-found");
    *stage.platform.is_down.lock().unwrap() = true;
    stage.post("/groups/web/hold", &json!({})).await.problem(503, "platform-unavailable");
}

#[tokio::test]
async fn the_kill_switch_stops_everything_until_it_is_released() {
    let stage = Stage::new();
    assert_eq!(stage.get("/kill-switch").await.ok(), json!({"kill_switch": null}));
    let thrown = json!({"by": "ada", "reason": "incident"});
    let answer = stage.call("PUT", "/kill-switch", &thrown).await.ok();
    assert_eq!(answer, json!({"kill_switch": thrown}));
    assert_eq!(stage.get("/kill-switch").await.ok(), answer);
    assert_eq!(stage.get("/groups").await.ok()["kill_switch"], thrown);
    stage.post("/scale", &json!({"replicas": 6})).await.problem(409, "kill-switch");
    stage.tick().await;
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
    stage.call("DELETE", "/kill-switch", &json!({})).await.ok();
    assert_eq!(stage.post("/scale", &json!({"replicas": 6})).await.status.as_u16(), 202);
    let audit = stage.get("/audit").await.ok();
    let done: Vec<&Value> = audit["entries"].as_array().unwrap().iter().map(|entry| &entry["what"]).collect();
    assert!(done.contains(&&json!("stopped")) && done.contains(&&json!("released")), "{audit}");
}
