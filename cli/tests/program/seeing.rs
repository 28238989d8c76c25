//! What the controller shows: a decision explained, the groups again and again, the console, and the report.

use http::Response;
use http_body_util::Full;
use hyper::body::Bytes;

use crate::process::{Ended, Running, ended, eventually, http, program};
use crate::run::{ask, controller, get};
use crate::server::serve;
use crate::stage::{GROUP, emulator_with_past};

#[tokio::test]
async fn a_decision_is_explained_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, api, _) = controller(folder.path()).await;
    let explained = eventually("a decision", || async {
        let told = ask(folder.path(), &api, &["explain", "demo"]).await;
        (told.code == Some(0)).then_some(told)
    });
    let told: Ended = explained.await;
    for part in ["demo at ", "decided", "seen", "wanted", "costs", "done"] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    for part in [
        "to date",
        "Load by trigger",
        "The next possible change",
        "saved to date",
        "Types over time",
        "Operations",
    ] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let same = ask(folder.path(), &api, &["status", "demo"]).await;
    assert!(same.code == Some(0) && same.out.contains("The next possible change"), "{same:?}");
    let now = get(&format!("{api}/health")).await["now"].as_str().unwrap().to_owned();
    let then = ask(folder.path(), &api, &["explain", "demo", "--at", &now]).await;
    assert!(then.out.contains("Seen at ") && !then.out.contains("The next possible change"), "{then:?}");
    let early = ask(folder.path(), &api, &["explain", "demo", "--at", "2020-01-01T00:00:00Z"]).await;
    assert!(early.code == Some(1) && early.err.contains("90 days"), "{early:?}");
    let json = ask(folder.path(), &api, &["explain", "demo", "--json"]).await.json();
    assert_eq!(json["decision"]["group"], "demo");
    assert_eq!(json["group"]["outlook"][0]["change"], "up");
    let unknown = ask(folder.path(), &api, &["explain", "web"]).await;
    assert!(unknown.code == Some(1) && unknown.err.contains("no group"), "{unknown:?}");
}

#[tokio::test]
async fn the_groups_are_shown_with_what_they_have_come_to_and_what_is_possible_next() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, api, _) = controller(folder.path()).await;
    let told = eventually("a tick", || async {
        let told = ask(folder.path(), &api, &["status"]).await;
        (told.code == Some(0) && told.out.contains(" vCPU")).then_some(told)
    })
    .await;
    for part in ["1 group,", "an hour saved", "USD/h", "to date", "▲ ", "▼ "] {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let json = ask(folder.path(), &api, &["status", "--json"]).await.json();
    let group = &json["groups"][0];
    assert!(group["totals"]["cost"].as_f64().is_some() && group["outlook"][0]["change"] == "up", "{group}");
}

/// A controller without groups whose `/health` answers with this.
async fn with_health(status: u16, health: &'static str) -> String {
    serve(move |request| async move {
        let (status, body) = match request.uri().path() {
            "/groups" => (200, r#"{"groups": [], "next": null, "kill_switch": null}"#),
            "/health" => (status, health),
            _ => (404, "{}"),
        };
        Response::builder().status(status).body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
    })
    .await
}

#[tokio::test]
async fn that_nobody_evaluates_the_groups_is_said_only_where_the_controller_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let late = r#"{"type": "urn:scaling:problem:not-ticking", "detail": "no tick since noon"}"#;
    let busy = r#"{"type": "urn:scaling:problem:too-many-requests", "detail": "share used up"}"#;
    for (status, health, expected) in [
        (503, late, "The groups are not evaluated: no tick since noon"),
        (429, busy, "Whether the groups are evaluated could not be asked: share used up"),
        (
            403,
            r#"{"message": "Forbidden"}"#,
            "Whether the groups are evaluated could not be asked: Forbidden",
        ),
        (502, "<html>", "Whether the groups are evaluated could not be asked: no explanation (502"),
    ] {
        let api = with_health(status, health).await;
        let told = ask(folder.path(), &api, &["status"]).await;
        assert!(told.code == Some(0) && told.out.contains(expected), "{status}: {told:?}");
    }
}

#[tokio::test]
async fn a_watch_goes_on_until_it_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, api, _) = controller(folder.path()).await;
    let mut command = program(folder.path(), None);
    command.args(["status", "--watch", "0.2"]).env("SCALING_API", &api);
    let mut watch = Running::start(command);
    for _ in 0..3 {
        watch.line_with("demo").await;
    }
    assert!(watch.signal("INT").await.success());
}

#[tokio::test]
async fn the_console_is_where_the_interface_is() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, api, _) = controller(folder.path()).await;
    let (status, page) = http("GET", &format!("{api}/"), "").await;
    assert!(status == 200 && page.contains("<title>Service scaling</title>"), "{status} {page}");
    let seen = eventually("the group", || async {
        let (_, fleet) = http("GET", &format!("{api}/console/data/fleet"), "").await;
        fleet.contains("\"demo\"").then_some(fleet)
    });
    assert!(seen.await.contains("m7i"));
}

#[tokio::test]
async fn a_group_that_is_only_observed_is_told_what_it_would_have_cost() {
    // Twelve hours of two machines that are hardly used.
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator_with_past(4.0, 720).await);
    let config = serde_json::json!({
        "mode": "horizontal", "control": "observe", "groups": [{"name": GROUP}],
        "policy": {"triggers": ["cpu_usage"], "priority_triggers": ["cpu_usage"]},
        "replicas": {"min_replicas": 1, "max_replicas": 10, "target_replicas": 2},
    });
    std::fs::write(folder.path().join("scaling.json"), config.to_string()).unwrap();
    let report = async |more: &[&str]| {
        let mut command = program(folder.path(), Some(&emulator.endpoint()));
        let config: &[&str] = if more.contains(&"--config") { &[] } else { &["--config", "scaling.json"] };
        command.args(["report", GROUP, "--days", "1"]).args(config).args(more);
        ended(command).await
    };
    let told = report(&[]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    for part in
        ["# web: what ran", "USD less", "| minutes over a limit | 0 | 0 |", "us-east-1", "all on demand"]
    {
        assert!(told.out.contains(part), "{part}: {}", told.out);
    }
    let paid = |told: &Ended| {
        let line = told.out.lines().find(|line| line.starts_with("| cost |")).unwrap().to_owned();
        line.split(" | ").nth(1).unwrap().trim_end_matches(" USD").parse::<f64>().unwrap()
    };
    let mut planned = config.clone();
    planned["discount"] = 0.25.into();
    std::fs::write(folder.path().join("planned.json"), planned.to_string()).unwrap();
    let with_plan = report(&["--config", "planned.json"]).await;
    assert!((paid(&with_plan) - paid(&told) * 0.75).abs() < 0.02, "{with_plan:?}");
    assert!(with_plan.out.contains("Less 25 % for a savings plan"), "{with_plan:?}");
    let overruled = report(&["--config", "planned.json", "--discount", "0"]).await;
    assert!((paid(&overruled) - paid(&told)).abs() < 0.02, "{overruled:?}");
    let discounted = report(&["--discount", "0.5", "--format", "html", "--output", "web.html"]).await;
    assert_eq!(discounted.code, Some(0), "{discounted:?}");
    let page = std::fs::read_to_string(folder.path().join("web.html")).unwrap();
    assert!(page.contains("Less 50 %") && page.matches("<svg").count() == 3, "{page}");
    let unknown = ended({
        let mut command = program(folder.path(), Some(&emulator.endpoint()));
        command.args(["report", "other", "--config", "scaling.json"]);
        command
    });
    assert!(unknown.await.err.contains("no group"));
}
