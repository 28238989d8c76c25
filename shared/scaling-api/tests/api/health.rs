use crate::stage::Stage;

#[tokio::test]
async fn a_process_that_never_ticks_is_healthy_without_asking_anybody() {
    let stage = Stage::new();
    *stage.platform.is_down.lock().unwrap() = true;
    let health = stage.get("/health").await.ok();
    assert_eq!((&health["status"], &health["last_tick"]), (&"ok".into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn a_loop_that_has_never_come_to_a_tick_is_not_healthy_for_ever() {
    let stage = Stage::streaming();
    stage.clock.advance_seconds(180);
    stage.get("/health").await.ok();
    stage.clock.advance_seconds(1);
    let problem = stage.get("/health").await.problem(503, "not-ticking");
    assert!(problem["detail"].as_str().unwrap().contains("no tick has succeeded"), "{problem}");
}

#[tokio::test]
async fn a_loop_that_has_stopped_is_not_healthy() {
    let stage = Stage::new();
    stage.tick().await;
    assert_eq!(stage.get("/health").await.ok()["last_tick"], crate::stage::START);
    stage.clock.advance_seconds(180);
    stage.get("/health").await.ok();
    stage.clock.advance_seconds(1);
    let problem = stage.get("/health").await.problem(503, "not-ticking");
    assert!(problem["detail"].as_str().unwrap().contains("181 s"), "{problem}");
}
