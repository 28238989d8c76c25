//! The whole state as a document: it says everything, and nothing else is read.

use scaling_emulator::{ClockMode, Emulator, Fault, GroupSetup, Schedule, Settings, StateError};
use serde_json::{Value, json};
use std::time::Duration;

use crate::client::{advance, control, emulator, form};
use crate::everything::everything;

fn document(emulator: &Emulator) -> String {
    String::from_utf8(emulator.write_state().unwrap()).unwrap()
}

#[tokio::test]
async fn what_happens_after_a_state_is_read_is_what_would_have_happened() {
    let first = everything().await;
    let second = Emulator::start(Settings { seed: 77, ..Settings::default() }).await.unwrap();
    let read = second.read_state(document(&first).as_bytes()).unwrap();
    assert_eq!(read, first.now());
    assert_eq!(document(&second), document(&first));
    for hours in 1..=3 {
        for emulator in [&first, &second] {
            emulator.advance(Duration::from_secs(3600)).await.unwrap();
            let (_, _) = form(emulator, "Action=DescribeAutoScalingGroups&Version=2011-01-01").await;
        }
        assert!(document(&first) == document(&second), "after {hours} h they are no longer the same");
    }
}

#[tokio::test]
async fn what_is_no_state_of_this_version_is_refused_and_changes_nothing() {
    let emulator = emulator(2).await;
    let before = document(&emulator);
    let newer = before.replacen("\"version\":1", "\"version\":2", 1);
    let damaged = before.replacen("\"desired\":2", "\"desired\":\"two\"", 1);
    assert!(newer != before && damaged != before);
    for (document, why) in [
        (String::new(), "not a state"),
        ("{}".to_owned(), "not a state"),
        (json!({ "format": "other", "version": 1 }).to_string(), "not a state"),
        (newer, "the state has version 2, and this emulator reads version 1"),
        (damaged, "the state cannot be read: invalid type: string \"two\", expected u32"),
    ] {
        let body = serde_json::from_str(&document).unwrap_or(Value::Null);
        let (status, answer) = control(&emulator, "PUT", "/_emulator/state", body).await;
        assert_eq!(status, 400, "{answer}");
        assert!(answer["error"].as_str().unwrap().contains(why), "{answer}");
    }
    assert_eq!(document(&emulator), before);
}

#[tokio::test]
async fn schedules_are_the_reader_s_own_and_keep_their_beat() {
    let every = |function: &str| Schedule {
        function: function.to_owned(),
        every: Duration::from_secs(600),
        payload: Value::Null,
    };
    let with = |schedules| Settings { schedules, ..Settings::default() };
    let first = Emulator::start(with(vec![every("a"), every("b")])).await.unwrap();
    first.advance(Duration::from_secs(400)).await.unwrap();
    let second = Emulator::start(with(vec![every("c"), every("b")])).await.unwrap();
    second.read_state(document(&first).as_bytes()).unwrap();
    let state: Value = serde_json::from_str(&document(&second)).unwrap();
    let due = |number: usize| state["state"]["schedules"][number]["next"].as_str().unwrap().to_owned();
    assert_eq!([due(0), due(1)], ["2026-01-05T00:16:40Z", "2026-01-05T00:10:00Z"]);
    assert_eq!(state["state"]["schedules"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_state_ahead_of_the_wall_is_refused_and_an_older_one_catches_up() {
    let stepped = emulator(2).await;
    advance(&stepped, 60).await;
    let of = |clock, start| Settings { clock, start, ..Settings::default() };
    let earlier = Emulator::start(of(ClockMode::Real, Settings::default().start)).await.unwrap();
    let error = earlier.read_state(document(&stepped).as_bytes()).unwrap_err();
    assert!(matches!(error, StateError::Ahead { .. }), "{error}");
    // Accelerated time is nobody's but the emulator's: it goes on from the state's.
    let fast = Emulator::start(of(ClockMode::Accelerated(1e-6), Settings::default().start)).await.unwrap();
    fast.read_state(document(&stepped).as_bytes()).unwrap();
    assert_eq!(fast.now().as_second(), stepped.now().as_second());
}

#[tokio::test]
async fn a_large_state_is_taken_over_the_wire() {
    let emulator = emulator(2).await;
    let padded = format!("{}{}", document(&emulator), " ".repeat(6 * 1024 * 1024));
    let request =
        http::Request::put(format!("{}/_emulator/state", emulator.endpoint())).body(padded).unwrap();
    let (status, answer) = crate::client::send(request).await;
    assert_eq!(status, 200, "{answer}");
}

/// Written when the version was raised last. It must go on being read: change the version with the form.
#[tokio::test]
async fn a_state_of_an_earlier_build_is_still_read() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec/state-1.json");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, document(&everything().await)).unwrap();
    }
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    emulator.read_state(&std::fs::read(&path).unwrap()).unwrap();
    emulator.advance(Duration::from_secs(3600)).await.unwrap();
    assert!(emulator.with_region(|region| region.groups().count()) >= 5);
    emulator.inject(Fault::PublishedRates).unwrap();
    emulator.with_region(|region| GroupSetup::new("new", "m7i.large", (1, 2, 1)).make(region)).unwrap();
}
