use crate::process::{Running, http, program, repository};

fn emulator(arguments: &[&str]) -> Running {
    let mut command = program(&repository(), None);
    command.args(["emulate", "--listen", "127.0.0.1:0"]).args(arguments);
    Running::start(command)
}

#[tokio::test]
async fn it_says_where_it_listens_and_answers_there() {
    let mut running = emulator(&["--clock", "stepped"]);
    let address = running.addresses(1).await.remove(0);
    let (status, text) = http("GET", &format!("{address}/_emulator/health"), "").await;
    assert!(status == 200 && text.contains("\"ok\""), "{text}");
    let (status, _) = http("POST", &format!("{address}/_emulator/clock"), r#"{"advance": 60}"#).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn time_that_passes_by_itself_is_not_advanced_by_hand() {
    for clock in ["real", "accelerated"] {
        let mut running = emulator(&["--clock", clock]);
        let address = running.addresses(1).await.remove(0);
        let (status, _) = http("POST", &format!("{address}/_emulator/clock"), r#"{"advance": 60}"#).await;
        assert_eq!(status, 409, "{clock}");
    }
}

#[tokio::test]
async fn the_demo_s_group_can_be_had_ready_made() {
    let mut running = emulator(&["--demo-group"]);
    let address = running.addresses(1).await.remove(0);
    let (status, text) = http("GET", &format!("{address}/_emulator/groups/demo"), "").await;
    assert_eq!(status, 200, "{text}");
}

#[tokio::test]
async fn ctrl_c_ends_it_with_130_and_an_orderly_stop_with_0() {
    for (signal, code) in [("INT", 130), ("TERM", 0)] {
        let mut running = emulator(&[]);
        running.addresses(1).await;
        assert_eq!(running.signal(signal).await.code(), Some(code), "{signal}");
    }
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let mut first = emulator(&[]);
    let address = first.addresses(1).await.remove(0).replace("http://", "");
    let second = crate::process::scaling(&["emulate", "--listen", &address]).await;
    assert!(second.code == Some(1) && second.err.contains(&address), "{second:?}");
}

/// Lets time pass by so many seconds.
async fn advance(address: &str, seconds: u32) {
    let body = format!("{{\"advance\": {seconds}}}");
    assert_eq!(http("POST", &format!("{address}/_emulator/clock"), &body).await.0, 200);
}

async fn state(address: &str) -> String {
    let (status, text) = http("GET", &format!("{address}/_emulator/state"), "").await;
    assert_eq!(status, 200, "{text}");
    text
}

#[tokio::test]
async fn a_state_saved_by_one_process_lives_on_in_another_as_it_would_have_in_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json").to_str().unwrap().to_owned();
    let scenario = repository().join("shared/scaling-emulator/examples/scenario.json");
    let scenario = ["--clock", "stepped", "--scenario", scenario.to_str().unwrap()];
    let mut first = emulator(&scenario);
    let first_address = first.addresses(1).await.remove(0);
    advance(&first_address, 2000).await;
    std::fs::write(&file, state(&first_address).await).unwrap();

    let mut second = emulator(&["--clock", "stepped", "--seed", "7", "--state", &file]);
    let second_address = second.addresses(1).await.remove(0);
    assert_eq!(state(&second_address).await, state(&first_address).await);
    advance(&first_address, 3600).await;
    advance(&second_address, 3600).await;
    assert!(state(&second_address).await == state(&first_address).await, "the two have drifted apart");

    // The same without a file: one process tells the other.
    let (status, text) =
        http("PUT", &format!("{first_address}/_emulator/state"), &std::fs::read_to_string(&file).unwrap())
            .await;
    assert!(status == 200 && text.contains("2026-01-05T00:33:20Z"), "{text}");
}

#[tokio::test]
async fn a_state_is_written_at_the_end_where_that_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json").to_str().unwrap().to_owned();
    let mut first = emulator(&["--clock", "stepped", "--demo-group", "--save-state", &file]);
    first.addresses(1).await;
    assert_eq!(first.signal("TERM").await.code(), Some(0));
    let mut second = emulator(&["--clock", "stepped", "--state", &file]);
    let address = second.addresses(1).await.remove(0);
    assert_eq!(http("GET", &format!("{address}/_emulator/groups/demo"), "").await.0, 200);
}

#[tokio::test]
async fn what_is_no_state_is_refused_with_its_file_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json").to_str().unwrap().to_owned();
    std::fs::write(&file, r#"{"format": "scaling-emulator-state", "version": 999}"#).unwrap();
    let ended = crate::process::scaling(&["emulate", "--listen", "127.0.0.1:0", "--state", &file]).await;
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains(&file) && ended.err.contains("has version 999"), "{}", ended.err);
}
