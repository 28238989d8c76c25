use crate::process::scaling;

/// Writes a configuration and validates it.
async fn validate(text: &str) -> crate::process::Ended {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scaling.json");
    std::fs::write(&file, text).unwrap();
    scaling(&["validate", "--config", file.to_str().unwrap()]).await
}

#[tokio::test]
async fn the_shipped_configurations_are_valid() {
    for (file, group) in [
        ("config/scaling.json", "service"),
        ("config/scaling.example.json", "kundli-calculation"),
        ("examples/local-process/scaling.json", "workers"),
    ] {
        let ended = scaling(&["validate", "--config", file]).await;
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.out.contains("valid") && ended.out.contains(group), "{ended:?}");
    }
}

#[tokio::test]
async fn an_environment_is_laid_over_the_file() {
    let ended = scaling(&["validate", "--environment", "development"]).await;
    assert!(ended.code == Some(0) && ended.out.contains("kundli-development"), "{ended:?}");
}

#[tokio::test]
async fn every_fault_is_told_with_rule_and_fix_and_the_exit_code_is_3() {
    let ended = validate(
        r#"{"mode": "both", "replicas": {"min_replicas": 0, "max_replicas": -1}, "trigers": {},
            "policy": {"triggers": ["cpu"]}}"#,
    )
    .await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(ended.out, "");
    for pointer in
        ["/mode", "/replicas/min_replicas", "/replicas/max_replicas", "/trigers", "/policy/triggers/0"]
    {
        assert!(ended.err.contains(pointer), "{pointer}: {}", ended.err);
        assert_eq!(ended.err.matches(&format!("{pointer} ")).count(), 1, "{pointer} once: {}", ended.err);
    }
    assert!(ended.err.contains("triggers") && ended.err.contains("cpu_usage"), "{}", ended.err);
}

#[tokio::test]
async fn faults_come_as_json_for_programs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scaling.json");
    std::fs::write(&file, r#"{"mode": "both"}"#).unwrap();
    let ended = scaling(&["validate", "--json", "--config", file.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let answer = ended.json();
    assert_eq!((&answer["valid"], &answer["faults"][0]["pointer"]), (&false.into(), &"/mode".into()));
}

#[tokio::test]
async fn kubernetes_is_refused_with_a_way_out() {
    let ended = validate(r#"{"groups": [{"name": "web", "platform": "kubernetes"}]}"#).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.err.contains("not available yet") && ended.err.contains("standalone"), "{}", ended.err);
}

#[tokio::test]
async fn what_is_no_json_is_a_fault_and_what_is_not_there_is_not() {
    assert_eq!(validate("{").await.code, Some(3));
    let missing = scaling(&["validate", "--config", "no/such/file.json"]).await;
    assert!(missing.code == Some(1) && missing.err.contains("scaling init"), "{missing:?}");
}

#[tokio::test]
async fn a_wrong_command_line_ends_with_2_and_every_command_explains_itself() {
    assert_eq!(scaling(&["validate", "--no-such-option"]).await.code, Some(2));
    assert_eq!(scaling(&["run", "--api", "0.0.0.0:8001"]).await.code, Some(2));
    let commands = [
        "demo",
        "run",
        "emulate",
        "init",
        "validate",
        "plan",
        "scale",
        "status",
        "pause",
        "resume",
        "override",
        "hold",
        "kill-switch",
        "completions",
        "config",
        "alarms",
        "doctor",
    ];
    for command in commands {
        let ended = scaling(&[command, "--help"]).await;
        assert!(ended.code == Some(0) && ended.out.contains("EXAMPLE"), "{command}: {ended:?}");
    }
    assert!(scaling(&["--help"]).await.out.contains("EXIT CODES"));
}

#[tokio::test]
async fn completions_are_written_for_every_usual_shell() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = scaling(&["completions", shell]).await;
        assert!(ended.code == Some(0) && ended.out.contains("emulate"), "{shell}: {}", ended.err);
    }
}
