use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::stage::Stage;

fn kinds(answer: &Value) -> Vec<&str> {
    answer["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn decisions_operations_and_writes_are_told_in_order() {
    let stage = Stage::new();
    stage.post("/scale", &json!({"replicas": 6, "by": "ada"})).await;
    stage.clock.advance_seconds(60);
    stage.tick().await;
    stage.clock.advance_seconds(3);
    let answer = stage.get("/events").await.ok();
    assert_eq!(kinds(&answer)[..3], ["write", "decision", "operation"], "{answer}");
    let events = answer["events"].as_array().unwrap();
    assert_eq!((&events[2]["what"], &events[2]["group"]), (&"accepted".into(), &"web".into()));
    assert!(events[2]["href"].as_str().unwrap().starts_with("/operations/"), "{answer}");
    assert_eq!(events[0]["summary"], "scaled by ada");
    let ended = events.iter().any(|event| event["what"] == "verified");
    assert!(ended, "{answer}");
    let ids: Vec<&str> = events.iter().map(|event| event["id"].as_str().unwrap()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
}

#[tokio::test]
async fn pages_join_and_the_last_one_is_where_to_go_on_from() {
    let stage = Stage::new();
    for count in [5, 6, 7] {
        stage.post("/scale", &json!({"replicas": count})).await;
        stage.clock.advance_seconds(60);
    }
    let all = stage.get("/events?limit=500").await.ok();
    let (mut seen, mut path) = (Vec::new(), "/events?limit=2".to_owned());
    loop {
        let page = stage.get(&path).await.ok();
        seen.extend(page["events"].as_array().unwrap().clone());
        path = format!("/events?limit=2&after={}", page["next"].as_str().unwrap());
        if page["more"] == false {
            break;
        }
    }
    assert_eq!(json!(seen), all["events"]);
    assert_eq!(stage.get(&path).await.ok()["events"], json!([]));
    stage.post("/scale", &json!({"replicas": 8})).await;
    stage.clock.advance_seconds(3);
    assert!(!stage.get(&path).await.ok()["events"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn no_more_follows_a_page_that_is_just_full() {
    let stage = Stage::new();
    for _ in 0..3 {
        stage.post("/groups/web/pause", &json!({})).await.ok();
        stage.clock.advance_seconds(3);
    }
    for (limit, more) in [(2, true), (3, false), (4, false)] {
        let page = stage.get(&format!("/events?limit={limit}")).await.ok();
        assert_eq!(page["more"], more, "{limit}");
        assert!(page["next"].is_string());
    }
    // What is not told yet does not follow.
    stage.post("/groups/web/pause", &json!({})).await.ok();
    assert_eq!(stage.get("/events?limit=3").await.ok()["more"], false);
}

#[tokio::test]
async fn what_was_written_this_moment_is_told_once_its_order_is_certain() {
    let stage = Stage::new();
    stage.post("/groups/web/pause", &json!({})).await.ok();
    let answer = stage.get("/events").await.ok();
    assert_eq!(
        (&answer["events"], &answer["next"], &answer["more"]),
        (&json!([]), &Value::Null, &false.into())
    );
    stage.clock.advance_seconds(2);
    assert_eq!(kinds(&stage.get("/events").await.ok()), ["write"]);
}

#[tokio::test]
async fn events_can_be_those_of_one_group() {
    let stage = Stage::with_two_groups();
    stage.post("/groups/batch/pause", &json!({})).await.ok();
    stage.clock.advance_seconds(3);
    assert_eq!(kinds(&stage.get("/events?group=batch").await.ok()), ["write"]);
    assert_eq!(stage.get("/events?group=web").await.ok()["events"], json!([]));
}

#[tokio::test]
async fn a_parameter_that_makes_no_sense_is_refused() {
    let stage = Stage::new();
    let long = format!("after={}", "x".repeat(65));
    for query in
        ["after=", "after=zzz", "after=-1", "after=a/b", "after=%00", &long, "limit=0", "limit=501", "from=x"]
    {
        stage.get(&format!("/events?{query}")).await.problem(400, "bad-parameter");
    }
}

#[tokio::test]
async fn a_stream_is_refused_where_connections_do_not_stay_open() {
    Stage::new().get_as("/events", "text/event-stream").await.problem(406, "not-acceptable");
    let both = Stage::new().get_as("/events", "text/event-stream, application/json").await;
    assert_eq!(both.header("content-type"), "application/json");
}

/// Opens the stream of events and returns it behind its first frame, and the id that this frame gives.
async fn open(stage: &Stage, path: &str, last: Option<&str>) -> (Body, String) {
    let mut request = Request::get(path).header("accept", "text/event-stream");
    if let Some(id) = last {
        request = request.header("last-event-id", id);
    }
    let response = stage.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let first = frame(&mut body).await;
    // An id alone: who listens remembers it, and is told of nothing.
    let id = first
        .strip_prefix("id: ")
        .and_then(|rest| rest.strip_suffix("\n\n"))
        .unwrap_or_else(|| panic!("{first}"));
    (body, id.to_owned())
}

async fn frame(body: &mut Body) -> String {
    let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
    String::from_utf8(frame.to_vec()).unwrap()
}

#[tokio::test]
async fn a_stream_goes_on_from_the_last_id_that_was_seen() {
    let stage = Stage::streaming();
    stage.post("/groups/web/pause", &json!({})).await.ok();
    stage.clock.advance_seconds(3);
    let first = stage.get("/events").await.ok()["next"].as_str().unwrap().to_owned();
    stage.post("/groups/web/resume", &json!({})).await.ok();
    stage.clock.advance_seconds(3);
    for (header, path) in
        [(Some(first.as_str()), "/events".to_owned()), (None, format!("/events?after={first}"))]
    {
        let (mut body, id) = open(&stage, &path, header).await;
        assert_eq!(id, first);
        let text = frame(&mut body).await;
        assert!(text.contains("event: write") && text.contains("resumed by api"), "{text}");
        assert!(text.contains("id: 2026-03-02T08:00:03.000Z"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_tells_what_happens_while_it_is_open() {
    let stage = Stage::streaming();
    let (mut body, _) = open(&stage, "/events", None).await;
    stage.clock.advance_seconds(1);
    stage.post("/groups/web/pause", &json!({"by": "ada"})).await.ok();
    stage.clock.advance_seconds(3);
    let text = frame(&mut body).await;
    assert!(text.contains("paused by ada"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn who_was_cut_off_before_the_first_event_misses_nothing() {
    let stage = Stage::streaming();
    let (body, id) = open(&stage, "/events", None).await;
    drop(body);
    stage.clock.advance_seconds(60);
    stage.post("/groups/web/pause", &json!({"by": "ada"})).await.ok();
    stage.clock.advance_seconds(60);
    let (mut body, again) = open(&stage, "/events", Some(&id)).await;
    assert_eq!(again, id);
    let text = frame(&mut body).await;
    assert!(text.contains("paused by ada"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_tells_where_to_go_on_though_all_events_were_another_group_s() {
    let stage = Stage::streaming();
    stage.post("/groups/web/pause", &json!({})).await.ok();
    stage.clock.advance_seconds(3);
    let after = "2026-03-02T07:00:00.000Z";
    let (mut body, id) = open(&stage, "/events?group=other", Some(after)).await;
    assert_eq!(id, after);
    let mut text = frame(&mut body).await;
    while text.starts_with(':') {
        text = frame(&mut body).await;
    }
    let next = stage.get("/events").await.ok()["next"].clone();
    assert_eq!(text, format!("id: {}\n\n", next.as_str().unwrap()));
    assert!(body.frame().await.is_none());
}
