use std::path::Path;

use serde_json::{Value, json};

use crate::process::{Ended, ended, program};
use crate::table::{self, Table};

fn write(folder: &Path, most: u64) {
    let config = json!({"mode": "horizontal", "group": "web", "replicas": {"max_replicas": most}});
    std::fs::write(folder.join("scaling.json"), config.to_string()).unwrap();
}

async fn config(folder: &Path, arguments: &[&str]) -> Ended {
    let mut command = program(folder, None);
    command.args(["config"]).args(arguments).env("USER", "ada");
    ended(command).await
}

async fn push(folder: &Path, more: &[&str]) -> Ended {
    config(folder, &[&["push", "--config", "scaling.json"], more].concat()).await
}

fn most(text: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap()["replicas"]["max_replicas"].clone()
}

#[tokio::test]
async fn a_configuration_is_pushed_compared_listed_and_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(folder, 5);
    assert!(push(folder, &[]).await.out.contains("Version 1 is active"));
    write(folder, 9);
    let differs = config(folder, &["diff", "--config", "scaling.json"]).await;
    assert_eq!(differs.code, Some(1), "{differs:?}");
    assert!(
        differs.out.contains("-    \"max_replicas\": 5") && differs.out.contains("+    \"max_replicas\": 9")
    );
    assert!(push(folder, &["--by", "grace"]).await.out.contains("Version 2 is active"));
    let same = config(folder, &["diff", "--config", "scaling.json"]).await;
    assert_eq!(same.code, Some(0), "{same:?}");

    let back = config(folder, &["rollback", "1"]).await;
    assert!(back.out.contains("Version 3 with the content of version 1"), "{back:?}");
    assert_eq!(most(&config(folder, &["pull"]).await.out), 5);
    assert_eq!(most(&config(folder, &["pull", "--version", "2"]).await.out), 9);
    let history = config(folder, &["history", "--json"]).await.json();
    let told: Vec<_> =
        history.as_array().unwrap().iter().map(|change| (&change["version"], &change["by"])).collect();
    assert_eq!(told, [(&json!(3), &json!("ada")), (&json!(2), &json!("grace")), (&json!(1), &json!("ada"))]);
    assert!(config(folder, &["history"]).await.out.contains("content of version 1"));
}

#[tokio::test]
async fn of_programs_that_are_pushed_it_is_said_what_running_them_depends_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let write = |apply: &str, timeout: u32| {
        let programs = json!({"describe": ["d"], "apply": [apply], "metrics": ["m"], "timeout": timeout});
        let group = json!({"name": "local", "platform": "standalone", "programs": programs});
        let config = json!({"mode": "horizontal", "groups": [group]});
        std::fs::write(folder.join("scaling.json"), config.to_string()).unwrap();
    };
    for (apply, timeout, is_told) in [("a", 10, true), ("a", 20, false), ("b", 20, true)] {
        write(apply, timeout);
        let pushed = push(folder, &[]).await;
        let told = pushed.out.contains("new programs for local: they are run only if the file");
        assert_eq!(told, is_told, "{apply} {timeout}: {pushed:?}");
    }
}

#[tokio::test]
async fn groups_that_another_version_leaves_out_are_named_before_it_is_active() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let write = |groups: Value| {
        let config = json!({"mode": "horizontal", "groups": groups});
        std::fs::write(folder.join("scaling.json"), config.to_string()).unwrap();
    };
    write(json!([{"name": "web"}]));
    push(folder, &[]).await;
    write(json!([{"name": "batch", "replicas": {"min_replicas": 5}}]));
    let pushed = push(folder, &[]).await;
    assert!(pushed.out.contains("/groups\n  no longer has web:"), "{pushed:?}");
    let back = config(folder, &["rollback", "1", "--dry-run"]).await;
    assert!(back.out.contains("no longer has batch:"), "{back:?}");
}

#[tokio::test]
async fn a_version_with_faults_never_becomes_active() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 5);
    push(folder.path(), &[]).await;
    std::fs::write(folder.path().join("scaling.json"), r#"{"mode": "both"}"#).unwrap();
    let refused = push(folder.path(), &[]).await;
    assert!(refused.code == Some(3) && refused.err.contains("/mode"), "{refused:?}");
    assert_eq!(most(&config(folder.path(), &["pull"]).await.out), 5);
}

#[tokio::test]
async fn a_push_on_another_version_than_expected_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 5);
    push(folder.path(), &[]).await;
    write(folder.path(), 6);
    let refused = push(folder.path(), &["--expected", "0"]).await;
    assert!(refused.code == Some(4) && refused.err.contains("version 1 is active"), "{refused:?}");
}

#[tokio::test]
async fn what_only_looks_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 5);
    assert!(push(folder.path(), &["--dry-run"]).await.out.contains("Nothing was pushed"));
    assert!(config(folder.path(), &["history"]).await.out.contains("Nothing has been pushed"));
    let nothing = config(folder.path(), &["pull"]).await;
    assert!(nothing.code == Some(1) && nothing.err.contains("scaling config push"), "{nothing:?}");
    assert!(!folder.path().join("scaling.db").exists());
}

#[tokio::test]
async fn a_version_that_never_was_is_told_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    let missing = config(folder.path(), &["rollback", "7"]).await;
    assert!(missing.code == Some(1) && missing.err.contains("version 7"), "{missing:?}");
}

/// The same commands against the table of deployed functions.
async fn on_table(folder: &Path, table: &Table, arguments: &[&str]) -> Ended {
    let mut command = program(folder, Some(&table.endpoint));
    command.args(["config"]).args(arguments).args(["--table", table::NAME]).env("USER", "ada");
    ended(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_on_a_table_are_pushed_compared_pulled_listed_and_rolled_back() {
    let (folder, table) = (tempfile::tempdir().unwrap(), Table::start());
    let folder = folder.path();
    let run = async |arguments: &[&str]| on_table(folder, &table, arguments).await;
    let push = ["push", "--config", "scaling.json"];
    write(folder, 5);
    assert!(run(&push).await.out.contains("Version 1 is active"));
    write(folder, 9);
    assert_eq!(run(&["diff", "--config", "scaling.json"]).await.code, Some(1));
    assert!(run(&push).await.out.contains("Version 2 is active"));

    // What has faults, or is based on another version, never becomes active.
    std::fs::write(
        folder.join("bad.json"),
        r#"{"mode": "both", "replicas": {"min_replicas": 7, "max_replicas": 2}}"#,
    )
    .unwrap();
    let refused = run(&["push", "--config", "bad.json"]).await;
    assert!(refused.code == Some(3) && refused.err.contains("/mode"), "{refused:?}");
    write(folder, 11);
    let late = run(&["push", "--config", "scaling.json", "--expected", "1"]).await;
    assert!(late.code == Some(4) && late.err.contains("version 2 is active"), "{late:?}");
    assert_eq!(most(&run(&["pull"]).await.out), 9);

    assert!(run(&["rollback", "1"]).await.out.contains("Version 3 with the content of version 1"));
    assert_eq!(most(&run(&["pull"]).await.out), 5);
    assert_eq!(most(&run(&["pull", "--version", "2"]).await.out), 9);
    let stored = table.aws(&["dynamodb", "scan", "--table-name", table::NAME, "--output", "text"]);
    assert_eq!(
        stored.matches(r#""checked":false,"what":"configured""#).count(),
        3,
        "each is in the audit: {stored}"
    );
    let missing = run(&["rollback", "9"]).await;
    assert!(missing.code == Some(1) && missing.err.contains("version 9"), "{missing:?}");
    let first = run(&["rollback", "0"]).await;
    assert!(first.code == Some(1) && first.err.contains("config push --config FILE"), "{first:?}");
    let history = run(&["history", "--json"]).await.json();
    let told: Vec<_> =
        history.as_array().unwrap().iter().map(|one| (&one["version"], &one["restored"])).collect();
    assert_eq!(told, [(&json!(3), &json!(1)), (&json!(2), &Value::Null), (&json!(1), &Value::Null)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_pushes_at_the_same_time_to_one_table_one_goes_through() {
    let (folder, table) = (tempfile::tempdir().unwrap(), Table::start());
    let folder = folder.path();
    write(folder, 5);
    on_table(folder, &table, &["push", "--config", "scaling.json"]).await;
    for number in 0..4 {
        let config = json!({"mode": "horizontal", "group": "web", "replicas": {"max_replicas": 20 + number}});
        std::fs::write(folder.join(format!("{number}.json")), config.to_string()).unwrap();
    }
    let names: Vec<String> = (0..4).map(|number| format!("{number}.json")).collect();
    let push = |name: &'_ str| {
        ["push".to_owned(), "--config".to_owned(), name.to_owned(), "--expected=1".to_owned()]
    };
    let arguments: Vec<Vec<String>> = names.iter().map(|name| push(name).to_vec()).collect();
    let borrowed: Vec<Vec<&str>> =
        arguments.iter().map(|one| one.iter().map(String::as_str).collect()).collect();
    let [first, second, third, fourth] = &borrowed[..] else { panic!("four") };
    let (a, b, c, d) = tokio::join!(
        on_table(folder, &table, first),
        on_table(folder, &table, second),
        on_table(folder, &table, third),
        on_table(folder, &table, fourth),
    );
    let all = [a, b, c, d];
    let through = all.iter().filter(|one| one.code == Some(0)).count();
    assert_eq!(through, 1, "{all:?}");
    assert!(all.iter().all(|one| matches!(one.code, Some(0 | 4))), "{all:?}");
    let history = on_table(folder, &table, &["history", "--json"]).await.json();
    assert_eq!(history.as_array().unwrap().len(), 2, "{history}");
}
