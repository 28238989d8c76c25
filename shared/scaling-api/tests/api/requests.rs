use axum::body::Body;
use http::Request;

use crate::stage::Stage;

#[tokio::test]
async fn every_answer_carries_the_id_of_its_request() {
    let stage = Stage::new();
    let with = |id: &str| Request::get("/health").header("x-request-id", id).body(Body::empty()).unwrap();
    assert_eq!(stage.send(with("abc-123")).await.header("x-request-id"), "abc-123");
    assert_ne!(stage.send(with("a b")).await.header("x-request-id"), "a b");
    let (one, other) = (stage.get("/health").await, stage.get("/health").await);
    assert_ne!(one.header("x-request-id"), other.header("x-request-id"));
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    let stage = Stage::new();
    for path in ["/", "/nothing", "/health/", "/groups/web", "/operations/a/b"] {
        let problem = stage.get(path).await.problem(404, "not-found");
        assert!(problem["detail"].as_str().unwrap().contains(path), "{problem}");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_take_is_answered_with_those_it_takes() {
    let stage = Stage::new();
    for (method, path, allow) in [
        ("POST", "/health", "GET,HEAD"),
        ("DELETE", "/config", "GET,HEAD,POST"),
        ("GET", "/scale", "POST"),
        ("PUT", "/groups/web/pause", "POST"),
        ("PATCH", "/metrics", "GET,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let reply = stage.send(request).await;
        reply.problem(405, "method-not-allowed");
        let mut allowed: Vec<&str> = reply.header("allow").split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn options_lists_the_methods_of_a_path() {
    let stage = Stage::new();
    for (path, allow) in
        [("/config", "GET,HEAD,POST"), ("/scale", "POST"), ("/events", "GET,HEAD"), ("/metrics", "GET,HEAD")]
    {
        let request = Request::options(path).header("origin", "http://elsewhere.example");
        let reply = stage.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((reply.status.as_u16(), reply.text.as_str()), (204, ""), "{path}");
        let mut allowed: Vec<&str> = reply.header("allow").split(',').map(str::trim).collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(","), allow, "{path}");
    }
    stage.send(Request::options("/nothing").body(Body::empty()).unwrap()).await.problem(404, "not-found");
}

#[tokio::test]
async fn the_interface_describes_itself() {
    let document = Stage::new().get("/openapi.json").await.ok();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert!(document["paths"]["/scale"]["post"]["responses"]["202"].is_object());
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let request = Request::head("/health").body(Body::empty()).unwrap();
    let reply = Stage::new().send(request).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (200, ""));
}

#[tokio::test]
async fn json_must_be_acceptable() {
    let stage = Stage::new();
    let endpoints = scaling_api::access::ENDPOINTS.iter().filter(|endpoint| !endpoint.is_write());
    let named = endpoints.map(|endpoint| endpoint.path.replace("{name}", "web"));
    for path in named.filter(|path| !path.contains('{')) {
        let path = path.as_str();
        stage.get_as(path, "text/csv").await.problem(406, "not-acceptable");
        assert_eq!(
            stage.get_as(path, "text/csv, application/json;q=0.1").await.status.as_u16(),
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_write() {
    let stage = Stage::new();
    let from = |origin: &str| {
        Request::post("/groups/web/pause")
            .header("host", "127.0.0.1:8001")
            .header("origin", origin)
            .body(Body::empty())
            .unwrap()
    };
    for origin in ["http://evil.example", "null", "http://127.0.0.1:3000"] {
        stage.send(from(origin)).await.problem(403, "cross-origin");
    }
    stage.send(from("http://127.0.0.1:8001")).await.ok();
}
