//! Pauses, overrides, holds and the kill switch, from the command line.

use crate::process::{eventually, scaling};
use crate::run::{ask, controller};

#[tokio::test]
async fn what_a_person_sets_is_said_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, api, _) = controller(folder.path()).await;
    // A group is shown from its first decision on.
    eventually("the group's first decision", || async {
        (ask(folder.path(), &api, &["status", "demo"]).await.code == Some(0)).then_some(())
    })
    .await;
    for (arguments, said, shown) in [
        (vec!["pause", "--reason", "migration"], "demo is paused", "migration"),
        (vec!["resume"], "demo is controlled again", "act"),
        (vec!["pause", "--reason", "load test", "--for", "2h"], "demo is paused until 2", "load test"),
        (vec!["resume", "--group", "demo"], "demo is controlled again", "act"),
        (
            vec!["override", "--min", "3", "--for", "1d", "--reason", "launch day"],
            "demo is overridden until 2",
            "launch day",
        ),
        (vec!["override", "--end"], "bounds of its configuration again", "act"),
        (vec!["hold", "--for", "90m", "--reason", "looking"], "demo keeps at least", "looking"),
        (
            vec!["kill-switch", "on", "--reason", "incident"],
            "the kill switch is on: incident",
            "kill switch is on",
        ),
        (vec!["kill-switch"], "the kill switch is on: incident", "incident"),
        (vec!["kill-switch", "off"], "the kill switch is off", "looking"),
    ] {
        let ended = ask(folder.path(), &api, &arguments).await;
        assert!(ended.code == Some(0) && ended.out.contains(said), "{arguments:?}: {ended:?}");
        let status = ask(folder.path(), &api, &["status"]).await;
        assert!(status.out.contains(shown), "{arguments:?}: {status:?}");
        if shown != "act" {
            let one = ask(folder.path(), &api, &["status", "demo"]).await;
            let shown = shown.trim_end_matches(" is on");
            assert!(one.out.contains(shown), "{arguments:?}: {one:?}");
        }
    }
}

#[tokio::test]
async fn what_is_refused_while_the_kill_switch_is_on_ends_with_4() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, api, _) = controller(folder.path()).await;
    let thrown = ask(folder.path(), &api, &["kill-switch", "on", "--reason", "incident", "--json"]).await;
    assert_eq!(thrown.json()["kill_switch"]["reason"], "incident");
    let refused = ask(folder.path(), &api, &["scale", "--replicas", "12"]).await;
    assert!(refused.code == Some(4) && refused.err.contains("incident"), "{refused:?}");
}

#[tokio::test]
async fn a_wrong_command_line_ends_with_2() {
    for arguments in [
        vec!["override", "--for", "1h", "--reason", "r"],
        vec!["override", "--min", "3", "--reason", "r"],
        vec!["override", "--min", "3", "--for", "1h"],
        vec!["override", "--end", "--min", "3"],
        vec!["pause"],
        vec!["hold", "--for", "yesterday"],
        vec!["kill-switch", "maybe"],
    ] {
        let ended = scaling(&arguments).await;
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
    }
}
