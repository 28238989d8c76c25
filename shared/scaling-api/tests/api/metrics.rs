use crate::stage::Stage;

#[tokio::test]
async fn the_format_is_the_one_that_accept_asks_for() {
    let stage = Stage::new();
    stage.tick().await;
    let json = stage.get("/metrics").await;
    assert_eq!(json.ok()["groups"][0]["scaling_cpu_usage"], 60.0);
    for (accept, content_type) in [
        ("application/json", "application/json"),
        ("text/plain", "text/plain; version=0.0.4; charset=utf-8"),
        (
            "application/openmetrics-text; version=1.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
    ] {
        let reply = stage.get_as("/metrics", accept).await;
        assert_eq!((reply.status.as_u16(), reply.header("content-type")), (200, content_type), "{accept}");
        assert_eq!(reply.header("vary"), "accept");
    }
    let text = stage.get_as("/metrics", "text/plain").await.text;
    assert!(text.contains("scaling_cpu_usage{group=\"web\"} 60.0\n"), "{text}");
}

#[tokio::test]
async fn other_formats_are_not_acceptable() {
    let problem = Stage::new().get_as("/metrics", "text/html").await.problem(406, "not-acceptable");
    assert!(problem["detail"].as_str().unwrap().contains("openmetrics"), "{problem}");
}

#[tokio::test]
async fn a_process_that_ticks_answers_without_a_look_at_the_platform() {
    let stage = Stage::new();
    stage.tick().await;
    let described = *stage.platform.described.lock().unwrap();
    stage.get("/metrics").await.ok();
    assert_eq!(*stage.platform.described.lock().unwrap(), described);
}

#[tokio::test]
async fn a_process_that_does_not_tick_looks_once_for_requests_at_the_same_time() {
    let stage = Stage::new();
    let (one, other) = tokio::join!(stage.get("/metrics"), stage.get("/metrics"));
    for reply in [one, other] {
        assert_eq!(reply.ok()["groups"][0]["scaling_replicas"]["serving"], 4);
    }
    assert_eq!(*stage.platform.described.lock().unwrap(), 1);
    stage.clock.advance_seconds(121);
    stage.get("/metrics").await.ok();
    assert_eq!(*stage.platform.described.lock().unwrap(), 2);
}

#[tokio::test]
async fn a_platform_that_is_down_leaves_the_figures_as_they_are() {
    let stage = Stage::new();
    stage.tick().await;
    stage.clock.advance_seconds(600);
    *stage.platform.is_down.lock().unwrap() = true;
    assert_eq!(stage.get("/metrics").await.ok()["groups"][0]["at"], crate::stage::START);
}

#[tokio::test]
async fn a_group_that_is_not_there_does_not_make_every_request_look_again() {
    let stage = Stage::with_two_groups();
    stage.platform.groups.lock().unwrap().remove(&"batch".into());
    for _ in 0..3 {
        stage.get("/metrics").await.ok();
    }
    assert_eq!(*stage.platform.described.lock().unwrap(), 1);
}
