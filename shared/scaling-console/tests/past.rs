//! The past, after a restart.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

#[expect(dead_code, reason = "the browser uses the rest of it")]
mod stage;

use serde_json::Value;
use stage::Stage;

/// A series of the group, with the seconds of its looks.
fn series(group: &Value, name: &str) -> Vec<(i64, f64)> {
    let at = group["series"]["at"].as_array().unwrap().iter().map(|at| at.as_i64().unwrap());
    at.zip(group["series"][name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap_or(-1.0)))
        .collect()
}

#[tokio::test]
async fn a_restart_forgets_neither_the_charts_nor_the_money_nor_the_operations() {
    let mut stage = Stage::new(2);
    for _ in 0..200 {
        stage.tick().await;
    }
    let before = stage.group("web").await;
    stage.restart(0).await;
    let after = stage.group("web").await;
    assert_eq!(after["totals"], before["totals"]);
    assert_eq!(after["marks"], before["marks"]);
    assert!(before["marks"].as_array().unwrap().len() > 1, "{}", before["marks"]);
    let (old, new) = (series(&before, "wanted"), series(&after, "wanted"));
    // One look for each quarter of an hour, as it was.
    assert_eq!(new.len(), 14);
    assert!(new.iter().all(|look| old.contains(look)), "{new:?}");
    let highest = |looks: &[(i64, f64)]| looks.iter().map(|(_, wanted)| *wanted).fold(0.0, f64::max);
    assert!((highest(&old) - highest(&new)).abs() < 1e-9);
}

#[tokio::test]
async fn what_was_seen_since_the_restart_stays_and_goes_on_from_before() {
    let mut stage = Stage::new(1);
    for _ in 0..120 {
        stage.tick().await;
    }
    let before = stage.group("web").await;
    stage.restart(30).await;
    let after = stage.group("web").await;
    let cost = |group: &Value| group["totals"]["cost"].as_f64().unwrap();
    assert!(cost(&after) > cost(&before));
    assert_eq!(after["totals"]["since"], before["totals"]["since"]);
    let looks = series(&after, "saved");
    assert_eq!(looks.len(), 8 + 30 + 1, "a look that ends a quarter is one of the next");
    assert!(looks.windows(2).all(|pair| pair[0].0 < pair[1].0), "{looks:?}");
    let saved = after["totals"]["saved"].as_f64().unwrap();
    assert!((looks.last().unwrap().1 - saved).abs() < 0.01, "the line ends at the total");
    stage.restart(0).await;
    assert!(
        (cost(&stage.group("web").await) - cost(&after)).abs() < 1e-6,
        "a second restart counts nothing twice"
    );
}

#[tokio::test]
async fn an_hour_is_one_record_that_is_written_again_only_when_it_has_changed() {
    let mut stage = Stage::new(1);
    let mut records = Vec::new();
    for _ in 0..240 {
        stage.tick().await;
        records = stage.kept("web").await;
    }
    assert_eq!(records.len(), 5, "four hours and a minute");
    assert!(records.iter().all(|record| record.body.len() < 2_000 && record.expires.is_some()));
    // The store counts each writing of an appended record anew, so that the third hour shows who wrote it last.
    let body: Value = serde_json::from_str(&records[2].body).unwrap();
    assert_eq!(body["looks"].as_array().unwrap().len(), 4);
}
