use scaling_control::controls::alone;
use scaling_control::record::KillSwitch;
use scaling_policy::operation::Step;
use scaling_policy::snapshot::{ReplacementStatus, ReplacementView, RetypeSupport};
use serde_json::{Value, json};

use crate::stage::{Stage, config_of};

#[tokio::test]
async fn a_count_is_accepted_after_the_first_call_to_the_platform() {
    let stage = Stage::new();
    let reply = stage.post("/scale", &json!({"mode": "horizontal", "replicas": 6})).await;
    assert_eq!(reply.status.as_u16(), 202, "{reply:?}");
    let answer = reply.json();
    assert_eq!(
        reply.header("location"),
        format!("operations/{}", answer["operation"]["id"].as_str().unwrap())
    );
    assert_eq!(answer["operation"]["phase"], "accepted");
    assert_eq!(answer["decision"]["action"], json!({"kind": "scale", "from": 4, "to": 6}));
    assert_eq!(*stage.platform.accepted.lock().unwrap(), [Step::SetDesired { desired: 6 }]);
}

#[tokio::test]
async fn a_type_is_accepted() {
    let stage = Stage::new();
    let reply = stage.post("/scale", &json!({"mode": "vertical", "instance_type": "m7i.xlarge"})).await;
    assert_eq!(reply.status.as_u16(), 202, "{reply:?}");
    assert_eq!(
        *stage.platform.accepted.lock().unwrap(),
        [Step::StartReplacement { types: vec!["m7i.xlarge".into()] }]
    );
}

#[tokio::test]
async fn an_explicit_request_acts_in_every_control_level() {
    for control in ["observe", "up_only", "act"] {
        let stage = Stage::with(&json!({"mode": "hybrid", "group": "web", "control": control}));
        let reply = stage.post("/scale", &json!({"replicas": 3})).await;
        assert_eq!(reply.status.as_u16(), 202, "{control}: {reply:?}");
    }
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let stage = Stage::new();
    let before = stage.store.snapshot();
    let answer = stage.post("/scale", &json!({"replicas": 6, "dry_run": true})).await.ok();
    assert_eq!(answer["dry_run"], true);
    assert_eq!(answer["decision"]["action"], json!({"kind": "scale", "from": 4, "to": 6}));
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
    assert_eq!(stage.store.snapshot(), before);
}

#[tokio::test]
async fn what_is_already_so_needs_no_operation() {
    let stage = Stage::new();
    let answer = stage.post("/scale", &json!({"replicas": 4})).await.ok();
    assert_eq!((&answer["dry_run"], &answer["decision"]["action"]["kind"]), (&false.into(), &"hold".into()));
    assert_eq!(answer["decision"]["reason"], json!({"code": "already_so", "by": "api"}));
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_group_must_be_named_while_there_are_several() {
    let stage = Stage::with_two_groups();
    let problem = stage.post("/scale", &json!({"replicas": 6})).await.problem(422, "group-required");
    assert_eq!(problem["groups"], json!(["web", "batch"]));
    let reply = stage.post("/scale", &json!({"group": "batch", "replicas": 6})).await;
    assert_eq!(reply.json()["operation"]["group"], "batch", "{reply:?}");
}

#[tokio::test]
async fn an_unknown_group_is_not_found() {
    let stage = Stage::new();
    let problem =
        stage.post("/scale", &json!({"group": "wbe", "replicas": 6})).await.problem(404, "not-found");
    assert_eq!(problem["groups"], json!(["web"]));
}

#[tokio::test]
async fn a_group_that_the_platform_does_not_know_is_not_found() {
    let stage = Stage::new();
    stage.platform.groups.lock().unwrap().clear();
    stage.post("/scale", &json!({"replicas": 6})).await.problem(404, "not-found");
}

#[tokio::test]
async fn bounds_are_named_when_they_are_left() {
    let mut source = config_of("web");
    source["resources"] = json!({"max_cpu": 4.0});
    let stage = Stage::with(&source);
    for (body, bound) in [
        (json!({"replicas": 11}), "1 to 10"),
        (json!({"replicas": 0}), "1 to 10"),
        (json!({"replicas": 4_000_000_000_u32}), "1 to 10"),
        (json!({"instance_type": "m7i.48xlarge"}), "vCPU"),
        (json!({"instance_type": "z9.huge"}), "catalogue"),
    ] {
        let problem = stage.post("/scale", &body).await.problem(422, "out-of-bounds");
        assert!(problem["bounds"].as_str().unwrap().contains(bound), "{body}: {problem}");
    }
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_paused_group_is_left_alone() {
    let stage = Stage::new();
    stage.post("/groups/web/pause", &json!({"reason": "load test", "by": "ada"})).await.ok();
    let problem = stage.post("/scale", &json!({"replicas": 6})).await.problem(409, "paused");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("load test") && detail.contains("ada"), "{detail}");
    stage.post("/groups/web/resume", &json!({})).await.ok();
    assert_eq!(stage.post("/scale", &json!({"replicas": 6})).await.status.as_u16(), 202);
}

#[tokio::test]
async fn the_kill_switch_stops_every_request() {
    let stage = Stage::new();
    let switch = KillSwitch { by: "ada".to_owned(), reason: "incident".to_owned() };
    stage.control.set_kill_switch(Some(switch), alone).await.unwrap();
    let problem = stage.post("/scale", &json!({"replicas": 6})).await.problem(409, "kill-switch");
    assert!(problem["detail"].as_str().unwrap().contains("incident"), "{problem}");
}

#[tokio::test]
async fn a_second_type_waits_for_the_first() {
    let stage = Stage::new();
    assert_eq!(stage.post("/scale", &json!({"instance_type": "m7i.xlarge"})).await.status.as_u16(), 202);
    *stage.platform.replacement.lock().unwrap() = Some(ReplacementView {
        id: "refresh-1".to_owned(),
        status: ReplacementStatus::InProgress,
        percent_complete: 20,
        reason: None,
        target_type: Some("m7i.xlarge".into()),
        ended: None,
    });
    for body in [json!({"instance_type": "m7i.2xlarge"}), json!({"replicas": 3})] {
        stage.post("/scale", &body).await.problem(409, "operation-running");
    }
}

/// What runs when somebody asks: nothing, a change of count that is on its way, a type change.
#[derive(Debug, Clone, Copy)]
enum Running {
    Nothing,
    Up,
    Down,
    Retype,
}

/// What comes of a request: a status, and where it is refused, the type of problem.
type Cell = (u16, &'static str);

const TAKEN: Cell = (202, "");
const SO_ALREADY: Cell = (200, "");
const NOT_NOW: Cell = (409, "operation-running");
const BOUNDS: Cell = (422, "out-of-bounds");

async fn running(operation: Running) -> Stage {
    let stage = Stage::new();
    match operation {
        Running::Nothing => return stage,
        Running::Up | Running::Down => {
            let replicas = if matches!(operation, Running::Up) { 6 } else { 2 };
            assert_eq!(stage.post("/scale", &json!({"replicas": replicas})).await.status.as_u16(), 202);
            // The platform has taken it, and the machines are still those from before.
            let before = stage.platform.groups.lock().unwrap()[&"web".into()].instances[0].clone();
            stage.platform.change("web", |group| group.instances = vec![before; 4]);
        }
        Running::Retype => {
            let body = json!({"instance_type": "m7i.xlarge"});
            assert_eq!(stage.post("/scale", &body).await.status.as_u16(), 202);
            *stage.platform.replacement.lock().unwrap() = Some(ReplacementView {
                id: "refresh-1".to_owned(),
                status: ReplacementStatus::InProgress,
                percent_complete: 20,
                reason: None,
                target_type: Some("m7i.xlarge".into()),
                ended: None,
            });
        }
    }
    let operations = stage.get("/operations").await.ok();
    assert_eq!(operations["operations"][0]["phase"], "accepted", "{operations}");
    stage
}

#[tokio::test]
async fn what_runs_and_what_is_asked_for_say_together_what_comes_of_it() {
    use Running::{Down, Nothing, Retype, Up};
    // `same` is the capacity that is desired by then.
    let asked = |same: u32| {
        [
            json!({"replicas": 8}),
            json!({"replicas": 3}),
            json!({"replicas": same}),
            json!({"instance_type": "m7i.2xlarge"}),
            json!({"instance_type": "m7i.xlarge"}),
            json!({"instance_type": "m7i.large"}),
            json!({"replicas": 8, "instance_type": "m7i.2xlarge"}),
            json!({"replicas": 1, "instance_type": "m7i.2xlarge"}),
        ]
    };
    let free = [TAKEN, TAKEN, SO_ALREADY, TAKEN, TAKEN, SO_ALREADY, TAKEN, BOUNDS];
    let retype = [TAKEN, NOT_NOW, SO_ALREADY, NOT_NOW, NOT_NOW, NOT_NOW, NOT_NOW, NOT_NOW];
    for (operation, same, row) in [(Nothing, 4, free), (Up, 6, free), (Down, 2, free), (Retype, 4, retype)] {
        for (body, (status, problem)) in asked(same).iter().zip(row) {
            let dry_run = {
                let mut body = body.clone();
                body["dry_run"] = true.into();
                running(operation).await.post("/scale", &body).await
            };
            let reply = running(operation).await.post("/scale", body).await;
            assert_eq!(reply.status.as_u16(), status, "{operation:?} {body}: {reply:?}");
            if problem.is_empty() {
                // A dry run tells the same, and a count takes the place of one that is on its way.
                assert_eq!(dry_run.ok()["decision"]["action"], reply.json()["decision"]["action"], "{body}");
            } else {
                reply.problem(status, problem);
                dry_run.problem(status, problem);
            }
        }
    }
}

#[tokio::test]
async fn a_count_takes_the_place_of_one_that_is_still_on_its_way() {
    let stage = running(Running::Up).await;
    stage.clock.advance_seconds(1);
    assert_eq!(stage.post("/scale", &json!({"replicas": 3})).await.status.as_u16(), 202);
    let operations = stage.get("/operations").await.ok();
    let phases: Vec<_> =
        operations["operations"].as_array().unwrap().iter().map(|one| &one["phase"]).collect();
    assert_eq!(phases, ["accepted", "superseded"], "{operations}");
}

#[tokio::test]
async fn a_request_and_its_audit_are_one_write() {
    let stage = Stage::new();
    let body = json!({"replicas": 6, "by": "ada", "expires": "2026-03-02T12:00:00Z"});
    let answer = stage.post("/scale", &body).await.json();
    let audit = stage.get("/audit").await.ok();
    let entry = &audit["entries"][0];
    assert_eq!((&entry["what"], &entry["by"]), (&"scaled".into(), &"ada".into()), "{audit}");
    assert_eq!(entry["after"]["operation"], answer["operation"]["id"]);
    assert_eq!(entry["after"]["expires"], "2026-03-02T12:00:00Z");
    assert_eq!(entry["after"]["replicas"], 6);
    assert_eq!(audit["entries"].as_array().unwrap().len(), 1, "{audit}");
}

#[tokio::test]
async fn an_expiry_for_what_is_so_already_is_kept_and_audited_and_nothing_else_is() {
    let stage = Stage::new();
    stage.post("/scale", &json!({"replicas": 4})).await.ok();
    assert_eq!(stage.get("/audit").await.ok()["entries"], json!([]));
    let body = json!({"replicas": 4, "expires": "2026-03-02T12:00:00Z"});
    assert_eq!(stage.post("/scale", &body).await.ok()["operation"], Value::Null);
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["override"]["min"], 4);
    let audit = stage.get("/audit").await.ok();
    assert_eq!(audit["entries"].as_array().unwrap().len(), 1, "{audit}");
    let after = json!({
        "replicas": 4, "instance_type": null, "operation": null, "kind": null,
        "withdrawn": false, "expires": "2026-03-02T12:00:00Z",
    });
    assert_eq!(audit["entries"][0]["after"], after);
}

#[tokio::test]
async fn a_type_that_the_platform_cannot_change_is_refused() {
    let stage = Stage::new();
    let why = "the group uses weights".to_owned();
    stage.platform.change("web", |group| group.retype = RetypeSupport::CountOnly { why });
    let problem =
        stage.post("/scale", &json!({"instance_type": "m7i.xlarge"})).await.problem(409, "count-only");
    assert!(problem["detail"].as_str().unwrap().contains("weights"), "{problem}");
}

#[tokio::test]
async fn a_platform_that_is_down_is_not_the_client_s_fault() {
    let stage = Stage::new();
    *stage.platform.is_down.lock().unwrap() = true;
    let reply = stage.post("/scale", &json!({"replicas": 6})).await;
    reply.problem(503, "platform-unavailable");
    assert_eq!(reply.header("retry-after"), "5");
}

#[tokio::test]
async fn a_step_that_is_not_permitted_is_told_from_a_platform_that_is_down() {
    let stage = Stage::new();
    *stage.platform.refuses_steps.lock().unwrap() = true;
    let problem = stage.post("/scale", &json!({"replicas": 6})).await.problem(502, "platform-refused");
    assert!(problem["detail"].as_str().unwrap().contains("not authorized"), "{problem}");
}

#[tokio::test]
async fn what_is_asked_for_with_an_expiry_stays_until_then() {
    let stage = Stage::with(&config_of("web"));
    let expires = "2026-03-02T12:00:00Z";
    let reply = stage.post("/scale", &json!({"replicas": 9, "expires": expires, "by": "ada"})).await;
    assert_eq!(reply.status.as_u16(), 202, "{reply:?}");
    let group = stage.get("/groups").await.ok()["groups"][0].clone();
    assert_eq!(group["override"]["until"], expires, "{group}");
    assert_eq!((&group["override"]["min"], &group["override"]["max"]), (&9.into(), &9.into()));
    for _ in 0..200 {
        stage.clock.advance_seconds(60);
        stage.tick().await;
    }
    assert_eq!(*stage.platform.accepted.lock().unwrap(), [Step::SetDesired { desired: 9 }]);
}

#[tokio::test]
async fn a_dry_run_with_an_expiry_sets_nothing() {
    let stage = Stage::new();
    let body = json!({"replicas": 9, "expires": "2026-03-02T12:00:00Z", "dry_run": true});
    stage.post("/scale", &body).await.ok();
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["override"], Value::Null);
}

#[tokio::test]
async fn a_request_says_which_earlier_one_it_takes_the_place_of() {
    let stage = Stage::new();
    let first = json!({"replicas": 6, "by": "ada", "expires": "2026-03-02T13:00:00Z"});
    assert_eq!(stage.post("/scale", &first).await.json()["replaced"], Value::Null);
    stage.tick().await;
    let second = json!({"instance_type": "m7i.xlarge", "by": "bob", "expires": "2026-03-02T09:00:00Z"});
    let answer = stage.post("/scale", &second).await.json();
    assert_eq!(
        (&answer["replaced"]["by"], &answer["replaced"]["min"]),
        (&"ada".into(), &6.into()),
        "{answer}"
    );
}
