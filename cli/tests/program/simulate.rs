//! `scaling simulate`: what it reads, what it refuses, and what it writes.

use std::path::Path;

use crate::process::{Ended, ended, program};

/// A day in hours of a load that rises and falls, with `change` done to its rows.
fn trace(folder: &Path, change: impl FnOnce(&mut Vec<String>)) {
    let mut rows: Vec<String> = (0..24_u32)
        .map(|hour| format!("{},{}", hour * 3600, 1000 + 100 * (12 - hour.abs_diff(12))))
        .collect();
    change(&mut rows);
    std::fs::write(folder.join("load.csv"), format!("timestamp,value\n{}\n", rows.join("\n"))).unwrap();
}

async fn simulate(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = program(folder, None);
    command.args(["simulate", "--trace", "load.csv"]).args(arguments);
    ended(command).await
}

#[tokio::test]
async fn the_results_name_every_measure_and_what_was_repaired() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), |rows| rows.swap(3, 4));
    let ended =
        simulate(folder.path(), &["--policies", "hybrid,hpa-vpa,oracle", "--json", "--report", "out"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let answer = ended.json();
    let results = answer["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for measure in [
        "trace",
        "policy",
        "cost_usd",
        "instance_hours",
        "violation_minutes",
        "violation_requests_share",
        "under_accuracy",
        "over_accuracy",
        "under_timeshare",
        "over_timeshare",
        "instability",
        "operations_a_day",
        "reversals_a_day",
        "type_changes",
        "recovery_minutes",
        "slack",
    ] {
        assert!(results.iter().all(|one| !one[measure].is_null()), "{measure}: {answer}");
    }
    assert!(answer["simulated_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{answer}");
    assert!(answer["held"].is_null() && ended.err.contains("out/report.html"), "{}", ended.err);
    assert_eq!(answer["traces"][0]["repairs"][0], "rows were out of order and have been sorted");
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(page.contains("rows were out of order") && page.contains("<svg") && !page.contains("src="));
    for plot in ["cost-by-trace", "changes-by-trace"] {
        let svg = std::fs::read_to_string(folder.path().join(format!("out/{plot}.svg"))).unwrap();
        assert!(page.contains(&svg) && svg.contains("hybrid") && svg.contains("load"), "{plot}");
    }
    let table = std::fs::read_to_string(folder.path().join("out/results.csv")).unwrap();
    assert_eq!(table.lines().count(), 4);
}

#[tokio::test]
async fn with_types_the_oracle_chooses_too_and_the_results_name_what_was_run_on() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), |_| ());
    let types = ["--types", "r7i.xlarge, c7i.large", "--policies", "hybrid, oracle,hybrid"];
    let ended = simulate(folder.path(), &[&types[..], &["--json"]].concat()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let answer = ended.json();
    let results = answer["results"].as_array().unwrap();
    let cost = |index: usize| results[index]["cost_usd"].as_f64().unwrap();
    assert!(results.len() == 2 && cost(1) < cost(0), "{answer}");
    assert!(results[1]["types"].as_str().unwrap().contains("c7i.large"), "{answer}");
    assert!(answer["conditions"].as_str().unwrap().contains("r7i.xlarge, c7i.large; everybody begins"));
}

#[tokio::test]
async fn only_who_took_part_is_drawn_and_what_was_asked_for_has_its_plot() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), |_| ());
    let asked = ["--policies", "oracle", "--delays", "--report", "out"];
    let ended = simulate(folder.path(), &asked).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(!page.contains("serving (") && !page.contains("all settings"));
    assert!(ended.out.contains("the report is in out/report.html"), "{}", ended.out);
    assert!(page.contains("15 s, at once") && folder.path().join("out/cost-of-delay.svg").is_file());
    assert!(folder.path().join("out/violations-load.svg").is_file());
}

#[tokio::test]
async fn without_the_oracle_the_report_has_its_plot_in_usd() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), |_| ());
    let ended = simulate(folder.path(), &["--policies", "hybrid,hpa", "--report", "out"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let svg = std::fs::read_to_string(folder.path().join("out/violations-load.svg")).unwrap();
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    assert!(svg.contains("cost, USD") && page.contains(&svg) && page.contains("oracle took no part"));
    assert!(!page.contains("aimed at"));
}

#[tokio::test]
async fn what_is_left_out_is_told() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), |_| ());
    let rows: Vec<String> = (0..58).map(|minute| format!("{},{minute}", minute * 60)).collect();
    std::fs::write(folder.path().join("brief.csv"), format!("timestamp,value\n{}\n", rows.join("\n")))
        .unwrap();
    let both = simulate(folder.path(), &["brief.csv", "--policies", "oracle"]).await;
    assert!(both.out.contains("not counted among the traces held: brief"), "{}{}", both.out, both.err);
    let mut command = program(folder.path(), None);
    command.args(["simulate", "--trace", "brief.csv", "--policies", "oracle", "--type-cases"]);
    let brief = ended(command).await;
    assert!(brief.out.contains("--type-cases shows nothing"), "{}{}", brief.out, brief.err);
}

#[tokio::test]
async fn nobody_to_take_part_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), |_| ());
    let ended = simulate(folder.path(), &["--policies", ""]).await;
    assert!(ended.code != Some(0) && ended.err.contains("--policies names nobody"), "{}", ended.err);
}

#[tokio::test]
async fn a_load_that_nobody_can_hold_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), |_| ());
    let ended = simulate(folder.path(), &["--policies", "oracle", "--scale", "20"]).await;
    assert_ne!(ended.code, Some(0));
    assert!(ended.err.contains("raise --max"), "{}", ended.err);
}

#[tokio::test]
async fn a_trace_that_makes_no_sense_is_refused_with_its_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    for (value, expected) in [("-1", "line 6: `-1`"), ("NaN", "line 6: `NaN`"), ("1e99", "line 6: `1e99`")] {
        trace(folder.path(), |rows| rows[4] = format!("14400,{value}"));
        let ended = simulate(folder.path(), &[]).await;
        assert_ne!(ended.code, Some(0));
        assert!(ended.err.contains(expected) && ended.err.contains("load.csv"), "{}", ended.err);
    }
}

#[tokio::test]
async fn a_trace_to_be_held_out_has_to_be_one_of_the_traces() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), |_| ());
    let ended = simulate(folder.path(), &["--policies", "oracle", "--held-out", "lod"]).await;
    assert_ne!(ended.code, Some(0));
    assert!(ended.err.contains("`lod`") && ended.err.contains("load"), "{}", ended.err);
}

#[tokio::test]
async fn the_shipped_profile_needs_no_file_and_says_whose_ranking_it_has() {
    let folder = tempfile::tempdir().unwrap();
    trace(folder.path(), |_| ());
    let ended =
        simulate(folder.path(), &["--policies", "fixed,oracle", "--profile", "1", "--report", "out"]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let page = std::fs::read_to_string(folder.path().join("out/report.html")).unwrap();
    let told = ended.out.lines().find(|line| line.contains("The shipped profile ranks"));
    assert!(page.contains(told.unwrap_or_else(|| panic!("{}", ended.out))));
}
