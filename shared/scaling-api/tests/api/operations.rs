use serde_json::{Value, json};

use crate::stage::Stage;

/// Asks for these counts, two days apart each, and returns the ids.
async fn history(stage: &Stage, counts: &[u32]) -> Vec<String> {
    let mut ids = Vec::new();
    for count in counts {
        let answer = stage.post("/scale", &json!({"group": "web", "replicas": count})).await;
        assert_eq!(answer.status.as_u16(), 202, "{answer:?}");
        ids.push(answer.json()["operation"]["id"].as_str().unwrap().to_owned());
        stage.clock.advance_seconds(2 * 86_400);
    }
    ids
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| operation["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn operations_are_listed_newest_first() {
    let stage = Stage::new();
    let asked = history(&stage, &[5, 6, 7]).await;
    let answer = stage.get("/operations").await.ok();
    assert_eq!(ids(&answer), [&asked[2], &asked[1], &asked[0]]);
    assert_eq!(answer["next"], Value::Null);
    let newest = &answer["operations"][0];
    assert_eq!((&newest["group"], &newest["action"]), (&"web".into(), &"up".into()), "{newest}");
    assert_eq!(newest["explanation"], "requested by api");
}

#[tokio::test]
async fn pages_join_without_gap_or_repetition() {
    let stage = Stage::new();
    let asked = history(&stage, &[5, 6, 7, 8, 9]).await;
    let (mut seen, mut path) = (Vec::new(), "/operations?limit=2".to_owned());
    loop {
        let answer = stage.get(&path).await.ok();
        seen.extend(ids(&answer).into_iter().map(str::to_owned));
        let Some(next) = answer["next"].as_str() else { break };
        path = format!("/operations?limit=2&before={next}");
    }
    seen.reverse();
    assert_eq!(seen, asked);
}

#[tokio::test]
async fn operations_of_one_instant_are_listed_newest_first_too() {
    let stage = Stage::new();
    let mut asked = Vec::new();
    for count in (0..40).map(|number| 5 + number % 2) {
        let answer = stage.post("/scale", &json!({"replicas": count})).await;
        assert_eq!(answer.status.as_u16(), 202, "{answer:?}");
        asked.push(answer.json()["operation"]["id"].as_str().unwrap().to_owned());
    }
    asked.reverse();
    assert_eq!(ids(&stage.get("/operations").await.ok()), asked);
}

#[tokio::test]
async fn nothing_follows_a_page_that_is_just_full() {
    let stage = Stage::with_two_groups();
    history(&stage, &[5, 6, 7]).await;
    for (limit, last) in [(2, false), (3, true), (4, true)] {
        for list in ["operations?", "operations?group=web&", "groups/web/decisions?", "audit?"] {
            let page = stage.get(&format!("/{list}limit={limit}")).await.ok();
            assert_eq!(page["next"].is_null(), last, "{list}limit={limit}: {page}");
        }
        let next = stage.get("/groups?limit=2").await.ok()["next"].clone();
        assert_eq!(next, Value::Null);
    }
}

#[tokio::test]
async fn a_list_can_be_that_of_one_group() {
    let stage = Stage::with_two_groups();
    let asked = history(&stage, &[5]).await;
    assert_eq!(ids(&stage.get("/operations?group=web").await.ok()), [&asked[0]]);
    assert_eq!(ids(&stage.get("/operations?group=batch").await.ok()), Vec::<&str>::new());
}

#[tokio::test]
async fn one_operation_is_found_by_the_location_of_its_request() {
    let stage = Stage::new();
    let asked = stage.post("/scale", &json!({"replicas": 6})).await;
    let found = stage.get(&format!("/{}", asked.header("location"))).await.ok();
    assert_eq!(found["id"], asked.json()["operation"]["id"]);
    assert_eq!(found["kind"], json!({"kind": "scale", "from": 4, "to": 6}));
}

#[tokio::test]
async fn an_operation_is_followed_to_its_end() {
    let stage = Stage::new();
    let asked = stage.post("/scale", &json!({"replicas": 6})).await;
    stage.clock.advance_seconds(60);
    stage.tick().await;
    let found = stage.get(&format!("/{}", asked.header("location"))).await.ok();
    assert_eq!(found["phase"], "verified", "{found}");
}

#[tokio::test]
async fn an_unknown_operation_is_not_found() {
    Stage::new().get("/operations/none").await.problem(404, "not-found");
}

#[tokio::test]
async fn pages_have_limits() {
    let stage = Stage::new();
    for query in ["limit=0", "limit=501", "limit=-1", "limit=many", "page=2"] {
        stage.get(&format!("/operations?{query}")).await.problem(400, "bad-parameter");
        stage.get(&format!("/groups/web/decisions?{query}")).await.problem(400, "bad-parameter");
    }
}

#[tokio::test]
async fn a_long_history_comes_page_by_page_whole_and_in_order() {
    let stage = Stage::new();
    let template = stage.post("/scale", &json!({"replicas": 6})).await.json()["operation"]["id"].clone();
    let stored = stage.store.snapshot().into_iter().find(|record| record.key.starts_with("operation/all/"));
    let body = stored.unwrap().body;
    let mut asked = Vec::new();
    // Busy days, and quiet weeks between them.
    for (day, count) in [(0_i64, 70), (1, 1300), (20, 3), (60, 120)] {
        let mut records = Vec::new();
        for number in 0..count {
            let at: jiff::Timestamp = crate::stage::START.parse().unwrap();
            let at =
                at - jiff::SignedDuration::from_hours(24 * day) - jiff::SignedDuration::from_secs(number);
            let id = format!("{}-{number:08}", at.strftime("%Y%m%dT%H%M%S"));
            let body = body.replace(template.as_str().unwrap(), &id);
            asked.push(id.clone());
            let key = format!("operation/all/{id}");
            records.push(scaling_control::ports::NewRecord { key, body, expires: None });
        }
        stage.store_directly(records).await;
    }
    asked.push(template.as_str().unwrap().to_owned());
    asked.sort();
    let (mut seen, mut path) = (Vec::new(), "/operations?limit=333".to_owned());
    loop {
        let answer = stage.get(&path).await.ok();
        seen.extend(ids(&answer).into_iter().map(str::to_owned));
        let Some(next) = answer["next"].as_str() else { break };
        path = format!("/operations?limit=333&before={next}");
    }
    seen.reverse();
    assert_eq!(seen.len(), asked.len());
    assert_eq!(seen, asked);
    assert_eq!(stage.get("/operations?before=20200101").await.ok()["operations"], json!([]));
    assert_eq!(ids(&stage.get("/operations?before=20990101&limit=1").await.ok()), [asked.last().unwrap()]);
    for no_cursor in ["0", "zzz", "-1"] {
        stage.get(&format!("/operations?before={no_cursor}")).await.problem(400, "bad-parameter");
    }
}
