use scaling_policy::snapshot::{ForeignController, RetypeSupport};
use serde_json::{Value, json};

use crate::stage::{Stage, config_of};

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
async fn a_group_that_is_not_there_is_an_error() {
    let stage = Stage::new();
    stage.platform.groups.lock().unwrap().clear();
    assert_eq!(codes(&stage.get("/validation").await.ok()), ["not_found"]);
}

#[tokio::test]
async fn a_platform_that_is_down_is_told_beside_what_is_known_without_it() {
    let stage = Stage::with(&config_of("web"));
    *stage.platform.is_down.lock().unwrap() = true;
    let answer = stage.get("/validation").await.ok();
    assert_eq!(answer["valid"], false);
    assert!(answer["platform_error"].as_str().unwrap().contains("no route"), "{answer}");
}
