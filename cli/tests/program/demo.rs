use crate::process::{ended, program};

/// A day of it, because the week is for a release build.
#[tokio::test]
async fn a_day_of_the_demo_holds_the_target_for_less_and_counts_every_call() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = program(folder.path(), None);
    command.args(["demo", "--json", "--days", "1", "--seed", "2"]);
    let ended = ended(command).await;
    // It ends with an error where its SDK's calls are not those of the emulator's request log.
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let answer = ended.json();
    let number = |pointer: &str| answer.pointer(pointer).and_then(serde_json::Value::as_f64).unwrap();
    assert!(number("/requests") > 1_000_000.0, "{answer}");
    assert!(number("/requests_over_share") <= 0.005, "{answer}");
    assert_eq!(
        number("/requests"),
        number("/target_tracking/requests"),
        "both face the same arrivals: {answer}"
    );
    assert!(number("/cost_usd") < number("/target_tracking/cost_usd"), "{answer}");
    assert!(answer["not_verified"] == 0 && number("/operations") >= 1.0, "{answer}");
    // One description and one metric call a minute at the least.
    for call in ["DescribeAutoScalingGroups", "GetMetricData"] {
        assert!(number(&format!("/sdk_calls/{call}")) >= 1440.0, "{call}: {answer}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing behind");
}
