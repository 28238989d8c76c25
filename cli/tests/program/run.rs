use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::process::{Ended, Running, ended, eventually, http, http_with, program, scaling};

/// A controller with its emulator, and the addresses of REST interface and Prometheus.
pub(crate) async fn controller(folder: &Path) -> (Running, String, String) {
    controller_with(folder, &[]).await
}

/// The same with further arguments.
pub(crate) async fn controller_with(folder: &Path, more: &[&str]) -> (Running, String, String) {
    controller_of(program(folder, None), more).await
}

/// The same in an environment of its own.
pub(crate) async fn controller_of(command: Command, more: &[&str]) -> (Running, String, String) {
    controller_at("600", command, more).await
}

/// The same, so many times as fast as on the wall.
pub(crate) async fn controller_at(
    speed: &str,
    mut command: Command,
    more: &[&str],
) -> (Running, String, String) {
    let free = "127.0.0.1:0";
    command.args(["run", "--emulator", "--speed", speed, "--api", free, "--prometheus", free]).args(more);
    let mut running = Running::start(command);
    let mut addresses = running.addresses(2).await;
    let prometheus = addresses.pop().unwrap();
    (running, addresses.pop().unwrap(), prometheus)
}

/// The answer, which has to be JSON and no problem.
pub(crate) async fn get(url: &str) -> Value {
    let (status, text) = http("GET", url, "").await;
    assert_eq!(status, 200, "{url}: {text}");
    serde_json::from_str(&text).unwrap()
}

pub(crate) async fn ask(folder: &Path, api: &str, arguments: &[&str]) -> Ended {
    let mut command = program(folder, None);
    command.args(arguments).env("SCALING_API", api);
    ended(command).await
}

#[tokio::test]
async fn rest_prometheus_and_three_log_files_are_there_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut running, api, prometheus) = controller(folder.path()).await;
    assert_eq!(get(&format!("{api}/health")).await["status"], "ok");
    let names = [
        "scaling_cpu_usage{",
        "scaling_cost{",
        "scaling_request_latency{",
        "scaling_operation_duration_count{",
    ];
    eventually("readings and an operation", || async {
        let (status, text) = http("GET", &format!("{prometheus}/metrics"), "").await;
        assert_eq!(status, 200);
        names.iter().all(|name| text.contains(name)).then_some(())
    })
    .await;
    assert!(get(&format!("{api}/metrics")).await.to_string().contains("demo"));
    assert_eq!(running.signal("INT").await.code(), Some(130));
    for name in ["integration", "monitor", "validator"] {
        assert!(folder.path().join(format!("logs/scaling_{name}.log")).exists(), "{name}");
    }
    let decisions = std::fs::read_to_string(folder.path().join("logs/scaling_monitor.log")).unwrap();
    assert!(decisions.contains("demo") && decisions.contains("reason"), "{decisions}");
    assert!(!folder.path().join("scaling.db").exists(), "an emulator's state is not kept");
}

#[tokio::test]
async fn a_finding_is_logged_when_it_appears_and_when_it_goes_and_not_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let (mut running, api, _) = controller(folder.path()).await;
    let log =
        || std::fs::read_to_string(folder.path().join("logs/scaling_validator.log")).unwrap_or_default();
    let logged = async |news: &str| {
        eventually(news, || async {
            log().lines().any(|line| line.contains(news) && line.contains("elsewhere")).then_some(())
        })
        .await;
    };
    let url = format!("{api}/config");
    let before = get(&url).await;
    let mut with_another = before.clone();
    with_another["groups"].as_array_mut().unwrap().push(json!({"name": "elsewhere"}));
    assert_eq!(http("POST", &url, &with_another.to_string()).await.0, 200);
    logged("found: ").await;
    // Another look five minutes later by the emulator's clock, which runs 600 times as fast, finds the same.
    let decisions = || {
        let log = std::fs::read_to_string(folder.path().join("logs/scaling_monitor.log")).unwrap_or_default();
        log.lines().filter(|line| line.contains("reason")).count()
    };
    let seen = decisions();
    eventually("ten more ticks", || async { (decisions() >= seen + 10).then_some(()) }).await;
    assert_eq!(http("POST", &url, &before.to_string()).await.0, 200);
    logged("gone: ").await;
    running.signal("TERM").await;
    let text = log();
    let lines = text.lines().filter(|line| line.contains("elsewhere") && line.contains("not_found"));
    assert_eq!(lines.count(), 2, "{text}");
}

#[tokio::test]
async fn the_id_of_a_request_is_in_the_logs_beside_who_has_changed_what() {
    let folder = tempfile::tempdir().unwrap();
    let (mut running, api, _) = controller(folder.path()).await;
    let body = json!({"by": "ann", "reason": "incident"}).to_string();
    let url = format!("{api}/kill-switch");
    let (status, text) = http_with(("PUT", &url), "x-request-id", "request-of-ann", &body).await;
    assert_eq!(status, 200, "{text}");
    let url = format!("{api}/nothing-there");
    assert_eq!(http_with(("GET", &url), "x-request-id", "request-of-bob", "").await.0, 404);
    running.signal("TERM").await;
    let log =
        |name: &str| std::fs::read_to_string(folder.path().join(format!("logs/scaling_{name}.log"))).unwrap();
    assert!(log("integration").contains("request-of-ann") && log("integration").contains("request-of-bob"));
    let monitor = log("monitor");
    let line = monitor.lines().find(|line| line.contains("stopped by ann")).expect("the write is logged");
    assert!(line.contains("request-of-ann") && line.contains("incident"), "{line}");
}

#[tokio::test]
async fn an_orderly_stop_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let (mut running, _, _) = controller(folder.path()).await;
    assert_eq!(running.signal("TERM").await.code(), Some(0));
}

#[tokio::test]
async fn a_person_sees_the_groups_and_asks_for_a_count() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, api, _) = controller(folder.path()).await;
    let table = eventually("a status with figures", || async {
        let ended = ask(folder.path(), &api, &["status"]).await;
        (ended.code == Some(0) && ended.out.contains("m7i.xlarge")).then_some(ended.out)
    });
    let table = table.await;
    assert!(table.contains("demo") && table.contains("act"), "{table}");
    assert_eq!(ask(folder.path(), &api, &["status", "--json"]).await.json()["groups"][0]["name"], "demo");
    let dry = eventually("a moment when nothing else evaluates the group", || async {
        let ended = ask(folder.path(), &api, &["scale", "--replicas", "12", "--dry-run", "--json"]).await;
        (ended.code == Some(0)).then_some(ended)
    });
    assert_eq!(dry.await.json()["decision"]["action"]["to"], 12);
    let asked = eventually("a moment when nothing else changes the group", || async {
        let ended = ask(folder.path(), &api, &["scale", "--replicas", "12", "--json"]).await;
        (ended.code == Some(0)).then_some(ended)
    });
    let operation = asked.await.json()["operation"].clone();
    assert!(operation["id"].is_string(), "{operation}");
    let operations = get(&format!("{api}/operations")).await.to_string();
    assert!(operations.contains(operation["id"].as_str().unwrap()), "{operations}");
}

#[tokio::test]
async fn what_is_refused_ends_with_4_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, api, _) = controller(folder.path()).await;
    let outside = ask(folder.path(), &api, &["scale", "--replicas", "5000"]).await;
    assert!(outside.code == Some(4) && outside.err.contains("bounds"), "{outside:?}");
    let body = json!({"by": "ann", "reason": "maintenance"}).to_string();
    let paused = eventually("a pause", || async {
        let (status, text) = http("POST", &format!("{api}/groups/demo/pause"), &body).await;
        assert!(status < 300 || status == 409, "{status} {text}");
        (status < 300).then_some(())
    });
    paused.await;
    let refused = ask(folder.path(), &api, &["scale", "--replicas", "12"]).await;
    assert!(refused.code == Some(4) && refused.err.contains("maintenance"), "{refused:?}");
}

#[tokio::test]
async fn without_a_controller_the_error_says_how_to_start_one() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let api = format!("http://127.0.0.1:{port}");
    for command in [vec!["status", "--api", &api], vec!["scale", "--replicas", "3", "--api", &api]] {
        let ended = scaling(&command).await;
        assert!(ended.code == Some(1) && ended.err.contains("scaling run"), "{ended:?}");
    }
}

#[tokio::test]
async fn a_faulty_configuration_ends_with_3_before_anything_is_started() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("scaling.json"), r#"{"mode": "both"}"#).unwrap();
    let mut command = program(folder.path(), None);
    command.args(["run", "--config", "scaling.json"]);
    let ended = ended(command).await;
    assert!(ended.code == Some(3) && ended.err.contains("/mode"), "{ended:?}");
    assert!(!folder.path().join("scaling.db").exists() && !folder.path().join("logs").exists());
}
