use std::time::Duration;

use scaling_control::ports::{NewRecord, Purchase, Quota};
use scaling_control::record::{GroupRecord, decision_record, from_json, group_key, to_json};
use scaling_policy::decision::Decision;
use scaling_policy::operation::{LaunchFailure, LaunchFailureKind};
use scaling_policy::snapshot::{ForeignController, RetypeSupport};
use scaling_policy::trigger::Trigger;
use serde_json::{Value, json};

use crate::stage::{START, Stage, config_of};

fn codes(answer: &Value) -> Vec<&str> {
    answer["groups"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_group_with_data_and_nobody_else_on_it_is_valid() {
    let source =
        json!({"mode": "hybrid", "group": "web", "control": "act", "policy": {"triggers": ["cpu_usage"]}});
    let stage = Stage::with(&source);
    stage.tick().await;
    let answer = stage.get("/validation").await.ok();
    assert_eq!(answer["valid"], true, "{answer}");
    assert_eq!((&answer["config_version"], &answer["platform_error"]), (&0.into(), &Value::Null));
}

#[tokio::test]
async fn warnings_of_the_configuration_are_told() {
    let answer = Stage::with(&json!({"mode": "hybrid"})).get("/validation").await.ok();
    assert_eq!(answer["configuration"][0]["pointer"], "/group", "{answer}");
}

#[tokio::test]
async fn what_the_platform_shows_is_told() {
    let stage = Stage::new();
    let name = "cpu-50".to_owned();
    *stage.platform.foreign.lock().unwrap() = vec![ForeignController::ScalingPolicy { name }];
    stage.platform.change("web", |group| {
        group.retype = RetypeSupport::CountOnly { why: "the group uses weights".to_owned() };
        group.suspended.launch = true;
        (group.min, group.max) = (12, 20);
    });
    let answer = stage.get("/validation").await.ok();
    for code in ["foreign_controller", "count_only", "suspended", "bounds_apart"] {
        assert!(codes(&answer).contains(&code), "{code}: {answer}");
    }
    assert_eq!(answer["valid"], false);
}

#[tokio::test]
async fn another_controller_is_told_at_once_though_the_loop_has_just_looked_and_found_none() {
    let stage = Stage::new();
    stage.tick().await;
    assert!(!codes(&stage.get("/validation").await.ok()).contains(&"foreign_controller"));
    let policy = ForeignController::ScalingPolicy { name: "cpu50".to_owned() };
    *stage.platform.foreign.lock().unwrap() = vec![policy];
    assert_eq!(finding(&stage, "foreign_controller").await["severity"], "warning");
    stage.platform.foreign.lock().unwrap().clear();
    assert!(!codes(&stage.get("/validation").await.ok()).contains(&"foreign_controller"));
}

#[tokio::test]
async fn where_the_loop_does_not_know_yet_of_another_controller_that_is_said() {
    let stage = Stage::new();
    stage.tick().await;
    let policy = ForeignController::ScalingPolicy { name: "cpu50".to_owned() };
    *stage.platform.foreign.lock().unwrap() = vec![policy.clone()];
    let detail = async || finding(&stage, "foreign_controller").await["detail"].as_str().unwrap().to_owned();
    let found = detail().await;
    assert!(found.contains("by 09:00 UTC") && !found.contains("so we only observe"), "{found}");
    // The same process looks again with its next tick.
    stage.clock.advance_seconds(60);
    stage.tick().await;
    assert!(detail().await.ends_with("acts on the group, so we only observe"));
    stage.platform.foreign.lock().unwrap().clear();
    let gone = detail().await;
    assert!(gone.contains("no longer") && gone.contains("by 09:01 UTC"), "{gone}");
    stage.clock.advance_seconds(60);
    stage.tick().await;
    assert!(!codes(&stage.get("/validation").await.ok()).contains(&"foreign_controller"));
}

#[tokio::test]
async fn a_loop_whose_look_is_overdue_has_it_with_its_next_evaluation() {
    let stage = Stage::new();
    stage.tick().await;
    *stage.platform.foreign.lock().unwrap() = vec![ForeignController::Tag { key: "k".to_owned() }];
    stage.clock.advance_seconds(4000);
    let found = finding(&stage, "foreign_controller").await;
    assert!(found["detail"].as_str().unwrap().contains("with its next evaluation"), "{found}");
}

#[tokio::test(start_paused = true)]
async fn a_slow_look_for_others_is_waited_for_and_made_once() {
    let stage = Stage::new();
    stage.tick().await;
    stage.clock.advance_seconds(3600);
    *stage.platform.foreign.lock().unwrap() = vec![ForeignController::Tag { key: "k".to_owned() }];
    *stage.platform.look_takes.lock().unwrap() = Duration::from_secs(9);
    let before = *stage.platform.looks.lock().unwrap();
    finding(&stage, "foreign_controller").await;
    assert_eq!(*stage.platform.looks.lock().unwrap() - before, 1);
    *stage.platform.look_takes.lock().unwrap() = Duration::from_secs(3600);
    let begin = tokio::time::Instant::now();
    let answer = stage.get("/validation").await.ok();
    assert_eq!((begin.elapsed().as_secs(), &answer["platform_error"]), (12, &Value::Null), "{answer}");
}

#[tokio::test]
async fn of_a_group_that_was_never_looked_at_the_answer_s_own_look_counts() {
    let stage = Stage::new();
    *stage.platform.cpu.lock().unwrap() = Some(98.0);
    let found = finding(&stage, "target_missed").await;
    assert!(!found["fix"].as_str().unwrap().contains("before it is known"), "{found}");
}

#[tokio::test]
async fn a_metric_that_never_came_is_an_error_after_a_quarter_of_an_hour() {
    let stage = Stage::new();
    *stage.platform.cpu.lock().unwrap() = None;
    stage.tick().await;
    stage.clock.advance_seconds(899);
    assert!(!codes(&stage.get("/validation").await.ok()).contains(&"no_data"));
    stage.clock.advance_seconds(1);
    let answer = stage.get("/validation").await.ok();
    assert!(codes(&answer).contains(&"no_data"), "{answer}");
    assert_eq!(answer["valid"], false);
}

#[tokio::test]
async fn metrics_that_may_not_be_read_are_not_called_metrics_without_data() {
    let stage = Stage::new();
    *stage.platform.hides_metrics.lock().unwrap() = true;
    stage.tick().await;
    stage.clock.advance_seconds(900);
    let answer = stage.get("/validation").await.ok();
    let told = finding(&stage, "metrics_unreadable").await;
    assert_eq!(told["severity"], "error");
    assert!(told["detail"].as_str().unwrap().contains("not authorized"), "{told}");
    assert!(!codes(&answer).iter().any(|code| ["no_data", "no_reading"].contains(code)), "{answer}");
}

#[tokio::test]
async fn metrics_that_could_not_be_read_are_told_of_their_own_group_and_trigger() {
    let stage = Stage::with_two_groups();
    *stage.platform.fails_metrics.lock().unwrap() = Some("batch".into());
    stage.tick().await;
    stage.clock.advance_seconds(900);
    let answer = stage.get("/validation").await.ok();
    assert_eq!(codes(&answer).iter().filter(|code| **code == "metrics_unreadable").count(), 1, "{answer}");
    let told = finding(&stage, "metrics_unreadable").await;
    assert_eq!(told["group"], "batch");
    assert!(told["detail"].as_str().unwrap().starts_with("cpu_usage could not be read: "), "{told}");
    let no_data: Vec<&str> = answer["groups"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|finding| finding["code"] == "no_data" && finding["group"] == "batch")
        .map(|finding| finding["detail"].as_str().unwrap())
        .collect();
    assert!(no_data.iter().all(|detail| detail.starts_with("memory_usage")), "{no_data:?}");
}

#[tokio::test(start_paused = true)]
async fn metrics_that_take_longer_than_an_answer_waits_are_not_called_unreadable() {
    let stage = Stage::with(&json!({"mode": "hybrid", "group": "web", "control": "act",
        "policy": {"triggers": ["cpu_usage"]}}));
    stage.tick().await;
    // Memory has no data, which is no error yet, and not known to be one where nothing is read.
    for (takes, is_late) in [(6, false), (30, true)] {
        *stage.platform.metrics_take.lock().unwrap() = Duration::from_secs(takes);
        let answer = stage.get("/validation").await.ok();
        assert_eq!(answer["valid"], true, "{takes} s: {answer}");
        assert_eq!(codes(&answer).contains(&"metrics_late"), is_late, "{takes} s: {answer}");
        assert!(!codes(&answer).contains(&"no_data"), "{takes} s: {answer}");
        stage.clock.advance_seconds(900);
    }
    assert_eq!(finding(&stage, "metrics_late").await["severity"], "warning");
}

#[tokio::test]
async fn a_group_that_is_not_there_is_an_error() {
    let stage = Stage::new();
    stage.platform.groups.lock().unwrap().clear();
    assert_eq!(codes(&stage.get("/validation").await.ok()), ["not_found"]);
}

#[tokio::test]
async fn groups_come_in_the_configuration_s_order_though_one_cannot_be_evaluated() {
    let stage = Stage::with_two_groups();
    stage.platform.change("web", |group| group.suspended.launch = true);
    stage.platform.groups.lock().unwrap().remove(&"batch".into());
    let answer = stage.get("/validation").await.ok();
    let mut groups: Vec<&Value> =
        answer["groups"].as_array().unwrap().iter().map(|finding| &finding["group"]).collect();
    groups.dedup();
    assert_eq!(groups, ["web", "batch"], "{answer}");
}

#[tokio::test]
async fn a_platform_that_is_down_is_told_beside_what_is_known_without_it() {
    let stage = Stage::with(&config_of("web"));
    *stage.platform.is_down.lock().unwrap() = true;
    let answer = stage.get("/validation").await.ok();
    assert_eq!(answer["valid"], false);
    assert!(answer["platform_error"].as_str().unwrap().contains("no route"), "{answer}");
}

/// The finding of this code, which has to be there and say what to do.
async fn finding(stage: &Stage, code: &str) -> Value {
    let answer = stage.get("/validation").await.ok();
    let found = answer["groups"].as_array().unwrap().iter().find(|finding| finding["code"] == code);
    let found = found.unwrap_or_else(|| panic!("no {code}: {answer}")).clone();
    assert!(!found["fix"].as_str().unwrap().is_empty() && !found["detail"].as_str().unwrap().is_empty());
    found
}

#[tokio::test]
async fn every_finding_says_what_it_is_about_how_bad_it_is_and_what_to_do() {
    let stage = Stage::new();
    *stage.platform.foreign.lock().unwrap() = vec![ForeignController::Tag { key: "k".to_owned() }];
    stage.platform.change("web", |group| (group.min, group.max) = (12, 20));
    for (code, area, severity) in [
        ("bounds_apart", "resource", "error"),
        ("foreign_controller", "performance", "warning"),
        ("unbound", "performance", "warning"),
        ("warm_up_unset", "performance", "warning"),
    ] {
        let found = finding(&stage, code).await;
        assert_eq!((&found["area"], &found["severity"]), (&area.into(), &severity.into()), "{found}");
    }
}

#[tokio::test]
async fn a_group_is_held_against_catalogue_bounds_and_use() {
    let mut source = config_of("web");
    source["replicas"] = json!({"min_replicas": 4, "max_replicas": 10});
    let stage = Stage::with(&source);
    *stage.platform.cpu.lock().unwrap() = Some(4.0);
    stage.platform.change("web", |group| group.max = 8);
    assert_eq!(finding(&stage, "min_above_use").await["area"], "resource");
    assert!(finding(&stage, "group_max_lower").await["detail"].as_str().unwrap().contains('8'));
    stage.platform.change("web", |group| {
        group.launch_type = Some("z9.huge".into());
        group.instances.iter_mut().for_each(|instance| instance.instance_type = "z9.huge".into());
    });
    assert!(finding(&stage, "type_unknown").await["detail"].as_str().unwrap().contains("z9.huge"));
}

#[tokio::test]
async fn a_reserve_is_told_only_where_the_load_is_known() {
    let mut source = config_of("web");
    source["replicas"] = json!({"min_replicas": 4, "max_replicas": 10});
    source["load_balancer"] = json!("app/web/1a2b");
    let stage = Stage::with(&source);
    // No requests are no load, but nobody knows what else is.
    *stage.platform.cpu.lock().unwrap() = None;
    let answer = stage.get("/validation").await.ok();
    assert!(!codes(&answer).contains(&"min_above_use"), "{answer}");
    *stage.platform.cpu.lock().unwrap() = Some(4.0);
    finding(&stage, "min_above_use").await;
}

#[tokio::test]
async fn a_group_without_the_tag_that_the_permissions_ask_for_is_told_once_it_is_to_be_changed() {
    let mut source = config_of("web");
    source["control"] = json!("observe");
    let observed = Stage::with(&source);
    let stage = Stage::with(&config_of("web"));
    for stage in [&observed, &stage] {
        stage.platform.change("web", |group| group.missing_tag = Some("scaling:managed=true".to_owned()));
    }
    assert!(!codes(&observed.get("/validation").await.ok()).contains(&"tag_missing"));
    let found = finding(&stage, "tag_missing").await;
    assert!(found["detail"].as_str().unwrap().contains("scaling:managed=true"), "{found}");
}

#[tokio::test]
async fn of_the_type_of_a_group_that_has_no_replica_yet_nothing_is_said() {
    let mut source = config_of("web");
    source["resources"] = json!({"min_cpu": 2});
    let stage = Stage::with(&source);
    stage.platform.change("web", |group| {
        group.launch_type = None;
        group.instances.clear();
        (group.min, group.desired) = (0, 0);
    });
    let answer = stage.get("/validation").await.ok();
    for code in ["type_unknown", "type_outside_bounds", "count_only"] {
        assert!(!codes(&answer).contains(&code), "{code}: {answer}");
    }
}

#[tokio::test]
async fn spot_instances_without_a_known_price_are_told() {
    let half = Purchase { on_demand_base: 0, on_demand_percent_above_base: 50 };
    let mut source = config_of("web");
    let stage = Stage::with(&source);
    assert!(!codes(&stage.get("/validation").await.ok()).contains(&"no_spot_price"));
    stage.platform.change("web", |group| group.purchase = half);
    let found = finding(&stage, "no_spot_price").await;
    assert!(found["detail"].as_str().unwrap().starts_with("50 % of the group"), "{found}");
    source["spot_prices"] = json!({"m7i.large": 0.04});
    let stage = Stage::with(&source);
    stage.platform.change("web", |group| group.purchase = half);
    assert!(!codes(&stage.get("/validation").await.ok()).contains(&"no_spot_price"));
}

#[tokio::test]
async fn the_account_s_quota_is_held_against_the_most_replicas_beside_all_else_that_runs() {
    let stage = Stage::new();
    // Ten replicas of 2 vCPU may be asked for, of which four run.
    let quota =
        |limit_vcpu, used_vcpu| Quota { class: "Standard/OnDemand".to_owned(), limit_vcpu, used_vcpu };
    let is_short = async |quota: Option<Quota>| {
        *stage.platform.quota.lock().unwrap() = quota;
        codes(&stage.get("/validation").await.ok()).contains(&"quota_below_max")
    };
    assert!(!is_short(None).await);
    assert!(!is_short(Some(quota(20.0, 8.0))).await);
    assert!(!is_short(Some(quota(64.0, 52.0))).await);
    assert!(is_short(Some(quota(19.0, 8.0))).await);
    assert!(is_short(Some(quota(64.0, 53.0))).await);
    let found = finding(&stage, "quota_below_max").await;
    let detail = found["detail"].as_str().unwrap();
    assert!(
        detail.contains("10 replicas of m7i.large need 20 vCPU") && detail.contains("45 run elsewhere"),
        "{detail}"
    );
}

#[tokio::test]
async fn why_nothing_launches_is_told_by_its_cause() {
    for (kind, code, severity) in [
        (LaunchFailureKind::Quota, "quota", "error"),
        (LaunchFailureKind::Template, "template", "error"),
        (LaunchFailureKind::Capacity, "no_capacity", "warning"),
        (LaunchFailureKind::Other, "launch_failed", "warning"),
    ] {
        let stage = Stage::new();
        stage.platform.change("web", |group| group.desired = 6);
        let failure = LaunchFailure {
            at: START.parse().unwrap(),
            kind,
            instance_type: None,
            message: "vCPU limit exceeded".to_owned(),
            overcome: false,
        };
        *stage.platform.failures.lock().unwrap() = vec![failure];
        stage.tick().await;
        let found = finding(&stage, code).await;
        assert_eq!(found["severity"], severity);
        assert!(found["detail"].as_str().unwrap().contains("vCPU limit"), "{found}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_only_explains_takes_no_other_finding_with_it_when_it_does_not_come() {
    let stage = Stage::new();
    *stage.platform.cpu.lock().unwrap() = Some(98.0);
    *stage.platform.hides_quotas.lock().unwrap() = true;
    let begin = tokio::time::Instant::now();
    let answer = stage.get("/validation").await.ok();
    assert_eq!(answer["platform_error"], Value::Null, "{answer}");
    assert!(codes(&answer).contains(&"target_missed"), "{answer}");
    assert_eq!(begin.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn what_only_explains_is_waited_for_once_whatever_the_number_of_groups() {
    let names: Vec<String> = (0..30).map(|number| format!("group-{number}")).collect();
    let groups: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    let mut source = config_of("web");
    source.as_object_mut().unwrap().remove("group");
    source["groups"] = groups.into();
    let stage = Stage::with(&source);
    for name in &names {
        stage.platform.change(name, |group| group.desired = 6);
    }
    *stage.platform.hides_activities.lock().unwrap() = true;
    let begin = tokio::time::Instant::now();
    let answer = stage.get("/validation").await.ok();
    assert_eq!(answer["platform_error"], Value::Null, "{answer}");
    assert_eq!(begin.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn activities_that_do_not_come_take_no_finding_with_them() {
    let stage = Stage::new();
    *stage.platform.cpu.lock().unwrap() = Some(98.0);
    stage.tick().await;
    // The second tick misses what the first has asked for.
    stage.platform.change("web", |group| group.instances.truncate(4));
    stage.clock.advance_seconds(60);
    stage.tick().await;
    *stage.platform.hides_activities.lock().unwrap() = true;
    let begin = tokio::time::Instant::now();
    let answer = stage.get("/validation").await.ok();
    assert_eq!(answer["platform_error"], Value::Null, "{answer}");
    assert!(codes(&answer).contains(&"target_missed"), "{answer}");
    // Half of the plan's 14 s for the operation, and what explains why replicas are missing.
    assert!((7..=12).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_target_that_is_missed_is_an_error_once_no_more_may_be_added() {
    let stage = Stage::new();
    *stage.platform.cpu.lock().unwrap() = Some(98.0);
    assert_eq!(finding(&stage, "target_missed").await["severity"], "warning");
    let mut source = config_of("web");
    source["mode"] = "horizontal".into();
    source["replicas"] = json!({"min_replicas": 1, "max_replicas": 4});
    let stage = Stage::with(&source);
    *stage.platform.cpu.lock().unwrap() = Some(98.0);
    let found = finding(&stage, "target_missed").await;
    assert!(
        found["severity"] == "error" && found["fix"].as_str().unwrap().contains("max_replicas"),
        "{found}"
    );
}

#[tokio::test]
async fn of_a_target_that_is_missed_only_triggers_that_ask_are_told_and_what_keeps_them_from_it() {
    let mut source = config_of("web");
    source["policy"] = json!({"triggers": ["memory_usage"]});
    let stage = Stage::with(&source);
    *stage.platform.cpu.lock().unwrap() = Some(98.0);
    assert!(!codes(&stage.get("/validation").await.ok()).contains(&"target_missed"));
    let stage = Stage::new();
    *stage.platform.cpu.lock().unwrap() = Some(98.0);
    stage.post("/groups/web/pause", &json!({"reason": "release"})).await.ok();
    let found = finding(&stage, "target_missed").await;
    assert!(found["fix"].as_str().unwrap().contains("paused"), "{found}");
}

#[tokio::test]
async fn of_a_target_that_is_missed_no_steps_are_promised_where_none_will_come() {
    for (what, word) in [
        ("kill switch", "kill switch"),
        ("breaker", "resume the group"),
        ("suspended", "resume them"),
        ("foreign", "`coexist`"),
    ] {
        let stage = Stage::new();
        *stage.platform.cpu.lock().unwrap() = Some(98.0);
        match what {
            "kill switch" => drop(stage.call("PUT", "/kill-switch", &json!({})).await.ok()),
            "breaker" => {
                let mut record = GroupRecord::default();
                record.state.breaker.failures = 3;
                let body = to_json("test", &record).unwrap();
                let record = NewRecord { key: group_key(&"web".into()), body, expires: None };
                stage.store_directly(vec![record]).await;
            }
            "suspended" => stage.platform.change("web", |group| group.suspended.launch = true),
            _ => {
                let name = "cpu-50".to_owned();
                *stage.platform.foreign.lock().unwrap() = vec![ForeignController::ScalingPolicy { name }];
            }
        }
        let found = finding(&stage, "target_missed").await;
        let fix = found["fix"].as_str().unwrap();
        assert!(fix.starts_with("no change is asked for ") && fix.contains(word), "{what}: {found}");
    }
}

#[tokio::test]
async fn a_limit_on_response_times_that_nothing_holds_is_told() {
    let listed = |triggers: &[&str]| {
        let mut source = config_of("web");
        source["policy"] = json!({"triggers": triggers});
        source
    };
    let with = |mut source: Value, key: &str, value: Value| {
        source[key] = value;
        source
    };
    let (balancer, limit) = (json!("app/web/1a2b"), json!({"latency_threshold": 0.25}));
    let (cpu, both) = (listed(&["cpu_usage"]), listed(&["cpu_usage", "request_latency"]));
    for (source, expected) in [
        (cpu.clone(), false),
        (with(cpu.clone(), "load_balancer", balancer.clone()), true),
        (with(cpu, "triggers", limit.clone()), true),
        (with(with(both, "load_balancer", balancer), "triggers", limit), false),
    ] {
        let answer = Stage::with(&source).get("/validation").await.ok();
        assert_eq!(codes(&answer).contains(&"latency_not_held"), expected, "{source} {answer}");
    }
    let source = json!({"mode": "hybrid", "group": "web", "control": "act",
        "policy": {"triggers": ["cpu_usage"]}, "triggers": {"latency_threshold": 0.25}});
    let found = finding(&Stage::with(&source), "latency_not_held").await;
    assert!(found["detail"].as_str().unwrap().contains("250 ms"), "{found}");
}

#[tokio::test]
async fn a_count_that_swings_is_told() {
    let stage = Stage::new();
    for turn in 0..8 {
        stage.post("/scale", &json!({"replicas": if turn % 2 == 0 { 6 } else { 4 }})).await;
        stage.clock.advance_seconds(60);
        stage.tick().await;
    }
    assert!(finding(&stage, "thrash").await["detail"].as_str().unwrap().contains("times"));
}

#[tokio::test]
async fn of_a_long_history_the_newest_is_looked_at() {
    let stage = Stage::new();
    stage.tick().await;
    let record = stage.store.snapshot().into_iter().find(|record| record.key.starts_with("decision/web/"));
    let record = record.unwrap();
    let mut decision: Decision = from_json(&record.key, &record.body).unwrap();
    stage.clock.advance_seconds(15 * 86_400);
    // Two days of one trigger, minute by minute; then both in turn.
    decision.driver = Some(Trigger::CpuUsage);
    let mut records = Vec::new();
    for _ in 0..2880 {
        decision.at += std::time::Duration::from_secs(60);
        records.push(decision_record(&decision).unwrap());
    }
    for turn in 0..26 {
        decision.driver = Some(if turn % 2 == 0 { Trigger::CpuUsage } else { Trigger::MemoryUsage });
        decision.at += std::time::Duration::from_secs(43_000);
        records.push(decision_record(&decision).unwrap());
    }
    stage.control.ports().store.append(records).await.unwrap();
    let answer = stage.get("/validation").await.ok();
    let told = answer.to_string();
    assert!(told.contains("request_count (threshold 1000) set none of the last 1000"), "{answer}");
    assert!(!told.contains("memory_usage (threshold"), "{answer}");
}

#[tokio::test]
async fn types_that_cannot_be_changed_are_told_where_they_would_be() {
    for (mode, is_told) in [("hybrid", true), ("vertical", true), ("horizontal", false)] {
        let mut source = config_of("web");
        source["mode"] = json!(mode);
        let stage = Stage::with(&source);
        let why = "type changes are switched off".to_owned();
        stage.platform.change("web", |group| group.retype = RetypeSupport::CountOnly { why: why.clone() });
        let answer = stage.get("/validation").await.ok();
        assert_eq!(answer.to_string().contains("count_only"), is_told, "{mode}: {answer}");
        assert_eq!(answer.to_string().contains("AllowTypeChanges"), is_told, "{mode}: {answer}");
    }
}

#[tokio::test]
async fn a_trigger_that_never_counted_is_told_after_a_fortnight() {
    let stage = Stage::new();
    stage.tick().await;
    let record = stage.store.snapshot().into_iter().find(|record| record.key.starts_with("decision/web/"));
    let record = record.unwrap();
    let mut decision: Decision = from_json(&record.key, &record.body).unwrap();
    stage.clock.advance_seconds(15 * 86_400);
    decision.driver = Some(Trigger::CpuUsage);
    let mut records = Vec::new();
    for _ in 0..26 {
        decision.at += std::time::Duration::from_secs(43_200);
        records.push(decision_record(&decision).unwrap());
    }
    stage.control.ports().store.append(records).await.unwrap();
    let found = finding(&stage, "never_fires").await;
    assert!(found["detail"].as_str().unwrap().starts_with("memory_usage"), "{found}");
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_does_not_answer_is_told_while_the_asker_still_waits() {
    let stage = Stage::new();
    *stage.platform.hangs.lock().unwrap() = true;
    let begin = tokio::time::Instant::now();
    let answer = stage.get("/validation").await.ok();
    assert_eq!(begin.elapsed().as_secs(), 20);
    assert_eq!(answer["valid"], false);
    let error = answer["platform_error"].as_str().unwrap();
    assert!(error.contains("no answer within 20 s"), "{error}");
}
