use axum::body::Body;
use http::Request;
use scaling_api::MAX_BODY_BYTES;

use crate::stage::Stage;

/// Writes that read a body.
const WRITES: [&str; 5] =
    ["/scale", "/config", "/groups/web/pause", "/groups/web/resume", "/groups/web/hold"];

async fn post(
    stage: &Stage,
    path: &str,
    content_type: Option<&str>,
    body: impl Into<Body>,
) -> crate::stage::Reply {
    let request = Request::post(path);
    let request = match content_type {
        Some(content_type) => request.header("content-type", content_type),
        None => request,
    };
    stage.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_scale_request_that_makes_no_sense_is_refused_with_a_reason() {
    let stage = Stage::new();
    for (body, status, name, word) in [
        ("", 400, "malformed-body", "EOF"),
        ("{", 400, "malformed-body", "EOF"),
        ("{\"replicas\": 3,}", 400, "malformed-body", "line 1"),
        ("replicas=3", 400, "malformed-body", "line 1"),
        ("{\"replicas\": NaN}", 400, "malformed-body", "line 1"),
        ("null", 422, "invalid-request", "null"),
        ("[3]", 422, "invalid-request", "list"),
        ("[null, 3, null, null, null, false, null]", 422, "invalid-request", "list"),
        ("{}", 422, "invalid-request", "replicas"),
        ("{\"mode\": \"hybrid\"}", 422, "invalid-request", "replicas"),
        ("{\"mode\": \"sideways\", \"replicas\": 3}", 422, "invalid-request", "sideways"),
        ("{\"mode\": \"vertical\", \"replicas\": 3}", 422, "invalid-request", "vertical"),
        (
            "{\"mode\": \"horizontal\", \"instance_type\": \"m7i.large\"}",
            422,
            "invalid-request",
            "horizontal",
        ),
        ("{\"replicas\": -1}", 422, "invalid-request", "-1"),
        ("{\"replicas\": 2.5}", 422, "invalid-request", "2.5"),
        ("{\"replicas\": \"3\"}", 422, "invalid-request", "\"3\""),
        ("{\"replicas\": 5000000000}", 422, "invalid-request", "5000000000"),
        ("{\"replicas\": 3, \"replica\": 3}", 422, "invalid-request", "replica"),
        ("{\"replicas\": 3, \"replicas\": 4}", 422, "invalid-request", "duplicate"),
        ("{\"replicas\": 3, \"dry_run\": \"yes\"}", 422, "invalid-request", "yes"),
        ("{\"replicas\": 3, \"expires\": \"soon\"}", 422, "invalid-request", "column 33"),
        ("{\"replicas\": 3, \"expires\": \"2026-03-02T07:59:59Z\"}", 422, "invalid-request", "future"),
    ] {
        let problem = post(&stage, "/scale", Some("application/json"), body).await.problem(status, name);
        assert!(problem["detail"].as_str().unwrap().contains(word), "{body}: {problem}");
    }
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_configuration_that_is_no_json_is_refused_with_its_faults() {
    let stage = Stage::new();
    for body in
        [&b"{"[..], b"", b"\xff\xfe", b"[]", b"{\"mode\": NaN}", b"null", b"{\"mode\": \"hybrid\"} {}"]
    {
        let problem = post(&stage, "/config", Some("application/json"), body)
            .await
            .problem(422, "invalid-configuration");
        assert_eq!(problem["faults"].as_array().unwrap().len(), 1, "{problem}");
    }
    assert!(stage.store.snapshot().is_empty());
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_refused() {
    let stage = Stage::new();
    let reply = post(&stage, "/scale", Some("application/json"), &b"{\"group\": \"\xff\"}"[..]).await;
    reply.problem(400, "malformed-body");
}

#[tokio::test]
async fn a_body_must_say_that_it_is_json() {
    let stage = Stage::new();
    for path in WRITES {
        for content_type in
            [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("json")]
        {
            post(&stage, path, content_type, "{}").await.problem(415, "unsupported-media-type");
        }
    }
    let reply = post(&stage, "/groups/web/pause", Some("Application/JSON; charset=utf-8"), "{}").await;
    assert_eq!(reply.status.as_u16(), 200);
}

#[tokio::test]
async fn a_body_over_one_mebibyte_is_refused_whether_or_not_it_says_so() {
    let stage = Stage::new();
    for path in WRITES {
        let body = " ".repeat(MAX_BODY_BYTES + 1);
        let announced = Request::post(path)
            .header("content-type", "application/json")
            .header("content-length", body.len())
            .body(Body::empty())
            .unwrap();
        stage.send(announced).await.problem(413, "body-too-large");
        post(&stage, path, Some("application/json"), body).await.problem(413, "body-too-large");
    }
}

#[tokio::test]
async fn a_body_of_just_one_mebibyte_is_read() {
    let stage = Stage::new();
    let body = format!("{{{}}}", " ".repeat(MAX_BODY_BYTES - 2));
    post(&stage, "/groups/web/pause", Some("application/json"), body).await.ok();
}

#[tokio::test]
async fn a_body_nested_without_end_is_refused() {
    let stage = Stage::new();
    let body = "[".repeat(100_000);
    for path in ["/scale", "/config"] {
        let status = post(&stage, path, Some("application/json"), body.clone()).await.status.as_u16();
        assert!(matches!(status, 400 | 422), "{path}: {status}");
    }
}

#[tokio::test]
async fn a_path_that_is_not_utf_8_is_refused() {
    Stage::new().get("/operations/%ff").await.problem(400, "bad-parameter");
}
