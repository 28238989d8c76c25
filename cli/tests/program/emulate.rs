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
