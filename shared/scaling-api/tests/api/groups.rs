use serde_json::{Value, json};

use crate::stage::Stage;

#[tokio::test]
async fn groups_are_listed_with_state_and_figures() {
    let stage = Stage::with_two_groups();
    stage.tick().await;
    let answer = stage.get("/groups").await.ok();
    assert_eq!(answer["config_version"], 0);
    let names: Vec<&Value> =
        answer["groups"].as_array().unwrap().iter().map(|group| &group["name"]).collect();
    assert_eq!(names, ["web", "batch"]);
    let web = &answer["groups"][0];
    assert_eq!((&web["desired"], &web["instance_type"]), (&4.into(), &"m7i.large".into()), "{web}");
    assert_eq!(web["control"], "act");
    assert_eq!(web["figures"]["replicas"]["serving"], 4);
    assert_eq!((&web["pause"], &web["running"]), (&Value::Null, &json!([])));
}

#[tokio::test]
async fn a_group_that_was_never_seen_is_listed_without_state() {
    let stage = Stage::new();
    *stage.platform.is_down.lock().unwrap() = true;
    let answer = stage.get("/groups").await.ok();
    assert_eq!(
        (&answer["groups"][0]["desired"], &answer["groups"][0]["figures"]),
        (&Value::Null, &Value::Null)
    );
}

#[tokio::test(start_paused = true)]
async fn figures_are_not_waited_for_without_end_and_not_by_every_request() {
    let stage = Stage::new();
    *stage.platform.hangs.lock().unwrap() = true;
    let begun = tokio::time::Instant::now();
    let several = futures_util::future::join_all((0..5).map(|_| stage.get("/groups"))).await;
    assert!(several.iter().all(|reply| reply.status == 200));
    assert_eq!(begun.elapsed().as_secs(), 10);
    assert_eq!(*stage.platform.described.lock().unwrap(), 1);
    *stage.platform.hangs.lock().unwrap() = false;
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["figures"], Value::Null);
    stage.clock.advance_seconds(30);
    assert_eq!(stage.get("/groups").await.ok()["groups"][0]["figures"]["replicas"]["serving"], 4);
}

#[tokio::test]
async fn a_running_operation_is_shown_with_its_group() {
    let stage = Stage::new();
    let asked = stage.post("/scale", &json!({"instance_type": "m7i.xlarge"})).await.json();
    let answer = stage.get("/groups").await.ok();
    assert_eq!(answer["groups"][0]["running"][0]["id"], asked["operation"]["id"], "{answer}");
}

#[tokio::test]
async fn decisions_are_listed_newest_first_and_explain_themselves() {
    let stage = Stage::new();
    stage.tick().await;
    stage.clock.advance_seconds(2 * 86_400);
    stage.post("/scale", &json!({"replicas": 6})).await;
    let answer = stage.get("/groups/web/decisions").await.ok();
    let decisions = answer["decisions"].as_array().unwrap();
    assert!(decisions.len() >= 2, "{answer}");
    assert_eq!(decisions[0]["reason"]["code"], "requested");
    assert_eq!(decisions[0]["explanation"], "requested by api");
    let times: Vec<&str> = decisions.iter().map(|decision| decision["at"].as_str().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
}

#[tokio::test]
async fn decisions_of_a_group_are_not_those_of_another() {
    let stage = Stage::with_two_groups();
    stage.post("/scale", &json!({"group": "batch", "replicas": 6})).await;
    assert_eq!(stage.get("/groups/web/decisions").await.ok()["decisions"], json!([]));
    assert_eq!(stage.get("/groups/batch/decisions").await.ok()["decisions"][0]["group"], "batch");
}

#[tokio::test]
async fn decisions_of_an_unknown_group_are_not_found() {
    let problem = Stage::new().get("/groups/wbe/decisions").await.problem(404, "not-found");
    assert_eq!(problem["groups"], json!(["web"]));
}

#[tokio::test]
async fn a_group_s_name_may_hold_what_urls_must_escape() {
    let stage = Stage::with(&crate::stage::config_of("team a/web"));
    stage.post("/scale", &json!({"replicas": 6})).await;
    let answer = stage.get("/groups/team%20a%2Fweb/decisions").await.ok();
    assert_eq!(answer["decisions"][0]["group"], "team a/web");
}

#[tokio::test]
async fn groups_come_by_page() {
    let stage = Stage::with_two_groups();
    let first = stage.get("/groups?limit=1").await.ok();
    assert_eq!((&first["groups"][0]["name"], &first["next"]), (&"web".into(), &"web".into()));
    let second = stage.get("/groups?limit=1&after=web").await.ok();
    assert_eq!((&second["groups"][0]["name"], &second["next"]), (&"batch".into(), &Value::Null));
    assert_eq!(stage.get("/groups?after=batch").await.ok()["groups"], json!([]));
    stage.get("/groups?after=nobody").await.problem(404, "not-found");
    for query in ["limit=0", "limit=501", "page=2"] {
        stage.get(&format!("/groups?{query}")).await.problem(400, "bad-parameter");
    }
}
