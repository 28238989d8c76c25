use axum::body::Body;
use http::Request;
use scaling_api::MAX_BODY_BYTES;
use serde_json::json;

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

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_is_waited_for_half_a_minute() {
    let stage = Stage::new();
    let silent = futures_util::stream::pending::<Result<axum::body::Bytes, std::io::Error>>();
    let begun = tokio::time::Instant::now();
    let reply = post(&stage, "/scale", Some("application/json"), Body::from_stream(silent)).await;
    let problem = reply.problem(400, "malformed-body");
    assert!(problem["detail"].as_str().unwrap().contains("within 30 s"), "{problem}");
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_with_the_place_in_its_text() {
    let stage = Stage::new();
    for (body, word) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("{\"replicas\": 3,}", "line 1"),
        ("replicas=3", "line 1"),
        ("{\"replicas\": NaN}", "line 1"),
        ("{\"replicas\": 3} {}", "line 1"),
    ] {
        let problem =
            post(&stage, "/scale", Some("application/json"), body).await.problem(400, "malformed-body");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{body}: {problem}");
    }
}

/// A body, where it is wrong, and what is said about it.
type Wrong = (&'static str, &'static str, &'static str);

const WHOLE: &str = "a whole number from 0 to 4294967295";
const MEMBERS: &str = "mode, replicas, instance_type, group, expires, dry_run, by";

const SENSELESS: [Wrong; 39] = [
    ("{\"by\": \"a \\\"{,\\\" b\", \"replicas\": \"3\"}", "/replicas", "replicas must be {whole}, not \"3\""),
    ("{\n  \"by\": \"ada\",\n  \"replicas\": -1\n}", "/replicas", "replicas must be {whole}, not -1"),
    ("null", "", "the body must be an object, not null"),
    ("3", "", "the body must be an object, not 3"),
    ("[3]", "", "the body must be an object, not a list"),
    ("[null, 3, null, null, null, false, null]", "", "the body must be an object, not a list"),
    ("{}", "", "give replicas, instance_type, or both"),
    ("{\"mode\": \"hybrid\"}", "", "give replicas, instance_type, or both"),
    (
        "{\"mode\": \"sideways\", \"replicas\": 3}",
        "/mode",
        "mode must be horizontal or vertical or hybrid, not \"sideways\"",
    ),
    ("{\"mode\": {}}", "/mode", "mode must be horizontal or vertical or hybrid, not {}"),
    ("{\"mode\": [1]}", "/mode", "mode must be horizontal or vertical or hybrid, not [1]"),
    (
        "{\"replicas\": 3, \"expires\": \"\"}",
        "/expires",
        "expires must be a time such as 2026-03-02T12:00:00Z, not \"\"",
    ),
    ("{\"mode\": \"vertical\", \"replicas\": 3}", "/mode", "vertical takes instance_type and no replicas"),
    (
        "{\"mode\": \"horizontal\", \"instance_type\": \"m7i.large\"}",
        "/mode",
        "horizontal takes replicas and no instance_type",
    ),
    ("{\"replicas\": -1}", "/replicas", "replicas must be {whole}, not -1"),
    ("{\"replicas\": 2.5}", "/replicas", "replicas must be {whole}, not 2.5"),
    ("{\"replicas\": \"3\"}", "/replicas", "replicas must be {whole}, not \"3\""),
    ("{\"replicas\": 5000000000}", "/replicas", "replicas must be {whole}, not 5000000000"),
    ("{\"replicas\": {\"min\": 3}}", "/replicas", "replicas must be {whole}, not {\"min\":3}"),
    ("{\"instance_type\": 3}", "/instance_type", "instance_type must be text, not 3"),
    (
        "{\"replicas\": 3, \"replica/s\": 3}",
        "/replica~1s",
        "there is no member replica/s; it takes {members}",
    ),
    ("{\"replicas\": 3, \"replicas\": 4}", "/replicas", "replicas is given twice"),
    ("{\"replicas\": 3, \"dry_run\": \"yes\"}", "/dry_run", "dry_run must be true or false, not \"yes\""),
    (
        "{\"replicas\": 3, \"expires\": \"soon\"}",
        "/expires",
        "expires must be a time such as 2026-03-02T12:00:00Z, not \"soon\"",
    ),
    (
        "{\"replicas\": 3, \"expires\": 5}",
        "/expires",
        "expires must be a time such as 2026-03-02T12:00:00Z, not 5",
    ),
    (
        "{\"replicas\": 3, \"expires\": \"2026-03-02T07:59:59Z\"}",
        "/expires",
        "expires must be in the future, not 2026-03-02T07:59:59Z",
    ),
    (
        "{\"replicas\": 3, \"expires\": \"2027-03-03T08:00:01Z\"}",
        "/expires",
        "expires must be within 366 days, so until 2027-03-03T08:00:00Z, not 2027-03-03T08:00:01Z",
    ),
    // Numbers that no type holds, and halves of characters: valid JSON that is no value.
    ("1e400", "", "the body must be an object"),
    ("\"\\ud800\"", "", "the body must be an object"),
    ("{\"replicas\": 1e400}", "/replicas", "replicas must be {whole}"),
    ("{\"replicas\": \"\\ud800\"}", "/replicas", "replicas must be {whole}"),
    ("{\"replicas\": 3, \"dry_run\": 1e999}", "/dry_run", "dry_run must be true or false"),
    ("{\"mode\": -1e400}", "/mode", "mode must be horizontal or vertical or hybrid"),
    (
        "{\"replicas\": 3, \"expires\": 1e400}",
        "/expires",
        "expires must be a time such as 2026-03-02T12:00:00Z",
    ),
    ("{\"group\": 1e400}", "/group", "group must be text"),
    (
        "{\"\\ud800\": 1}",
        "",
        "the body must be an object without halves of characters such as \\ud800 in its names",
    ),
    (
        "{\"replicas\": 3, \"a\\udc00\": 1}",
        "",
        "the body must be an object without halves of characters such as \\ud800 in its names",
    ),
    ("{\"group\": \"\\ud800\"}", "/group", "group must be text without halves of characters such as \\ud800"),
    (
        "{\"group\": \"\\ud800x\"}",
        "/group",
        "group must be text without halves of characters such as \\ud800",
    ),
];

#[tokio::test]
async fn a_scale_request_that_makes_no_sense_is_refused_with_the_member_and_a_sentence() {
    let stage = Stage::new();
    for (body, pointer, sentence) in SENSELESS {
        let sentence = sentence.replace("{whole}", WHOLE).replace("{members}", MEMBERS);
        let problem =
            post(&stage, "/scale", Some("application/json"), body).await.problem(422, "invalid-request");
        assert_eq!((&problem["pointer"], &problem["detail"]), (&pointer.into(), &sentence.into()), "{body}");
    }
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_parameter_that_makes_no_sense_is_told_by_its_name() {
    let stage = Stage::new();
    for (path, sentence) in [
        ("/operations?limit=many", "limit must be a whole number that is not too large"),
        ("/operations?limit=-1", "limit must be a whole number that is not too large"),
        ("/operations?limit=", "limit must be a whole number that is not too large"),
        ("/operations?limit=99999999999999999999999", "limit must be a whole number that is not too large"),
        ("/operations?limit=501", "limit must be from 1 to 500"),
        ("/operations?limt=5", "there is no parameter limt; it takes group, limit, before"),
        ("/operations?limit=5&limit=6", "limit is given twice"),
    ] {
        let problem = stage.get(path).await.problem(400, "bad-parameter");
        assert_eq!(problem["detail"], sentence, "{path}");
    }
}

#[tokio::test]
async fn a_write_takes_no_parameter_that_it_does_not_know() {
    let stage = Stage::new();
    for (method, path) in [
        ("POST", "/scale?dry_run=true"),
        ("PUT", "/kill-switch?dry_run=1"),
        ("DELETE", "/kill-switch?by=ada"),
        ("POST", "/groups/web/pause?reason=x"),
        ("POST", "/groups/web/resume?x"),
        ("PUT", "/groups/web/override?min_replicas=3"),
        ("DELETE", "/groups/web/override?&by=ada"),
        ("POST", "/groups/web/hold?for=1h"),
    ] {
        let body = json!({"group": "web", "replicas": 5, "reason": "load"});
        let problem = stage.call(method, path, &body).await.problem(400, "bad-parameter");
        assert!(
            problem["detail"].as_str().unwrap().starts_with("there is no parameter "),
            "{path}: {problem}"
        );
    }
    assert!(stage.platform.accepted.lock().unwrap().is_empty());
    assert_eq!(stage.get("/audit").await.ok()["entries"], json!([]));
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
    for parameters in [
        "charset=utf-8",
        "Charset=\"UTF-8\"",
        "profile=x; charset=utf-8",
        "",
        "charset=utf8",
        "charset=\"UTF8\"",
        "charset = utf-8",
    ] {
        let content_type = format!("Application/JSON; {parameters}");
        let reply = post(&stage, "/groups/web/pause", Some(&content_type), "{}").await;
        assert_eq!(reply.status.as_u16(), 200, "{content_type}");
    }
    let encoded = |encoding| [("content-encoding", encoding)];
    let problem = stage.post_with("/groups/web/pause", &encoded("gzip"), "{}").await;
    problem.problem(415, "unsupported-media-type");
    assert_eq!(stage.post_with("/groups/web/pause", &encoded("identity"), "{}").await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_body_in_another_encoding_than_utf_8_is_refused() {
    let stage = Stage::new();
    for path in WRITES {
        for parameters in [
            "charset=utf-16",
            "charset=\"UTF-16\"",
            "charset=iso-8859-1",
            "charset=utf-8; charset=utf-16",
            "charset=",
            "charset = latin1",
            "charset= latin1",
            "Charset =\"latin1\"",
        ] {
            let content_type = format!("application/json; {parameters}");
            let problem = post(&stage, path, Some(&content_type), "{}").await;
            let problem = problem.problem(415, "unsupported-media-type");
            assert!(problem["detail"].as_str().unwrap().contains("UTF-8"), "{content_type}: {problem}");
        }
    }
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
