//! One test for each script.

use scaling_emulator::signature::Credentials;
use scaling_emulator::{Emulator, Settings};
use scaling_tests::{environment, project};
use tokio::process::Command;

/// Runs a script against a fresh emulator; what it prints is the test's message where it fails.
async fn run(script: &str) {
    run_with(script, Settings::default()).await;
}

/// The same with other settings.
async fn run_with(script: &str, settings: Settings) {
    let emulator = Emulator::start(settings).await.unwrap();
    let folder = project::root().join("tests/clients");
    let output = Command::new(project::installed("python").unwrap())
        .arg("-B")
        .arg(folder.join(script))
        .env_clear()
        .envs(environment::client(&emulator.endpoint()))
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_made_from_a_template_listed_by_page_and_kept_within_their_bounds() {
    run("groups.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_that_were_put_and_those_of_a_group_come_back_by_period() {
    run("metrics.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_put_described_set_and_deleted() {
    run("alarms.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_refresh_replaces_every_instance_or_is_cancelled_or_rolled_back() {
    run("refreshes.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn activities_tags_policies_and_scheduled_actions_are_listed() {
    run("surroundings.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_hooks_standby_and_warm_pools_act() {
    run("acting.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_are_run_waited_for_and_ended_and_the_default_network_is_found() {
    run("loose.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_those_of_motos_server_but_where_the_documentation_decides_otherwise() {
    run("differential.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_types_and_the_caller_are_described() {
    run("machines.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_the_emulator_does_not_know_is_refused_in_the_service_s_words() {
    run("unknown.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_signed_beforehand_is_good_for_whoever_has_it_and_for_nothing_else() {
    let credentials = vec![Credentials { key: "test".to_owned(), secret: "test".to_owned() }];
    run_with("presigned.py", Settings { credentials, ..Settings::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_a_fleet_in_trouble_to_everybody() {
    run("page.py").await;
}
