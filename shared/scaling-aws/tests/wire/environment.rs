//! The standard environment. A process cannot change its own variables safely, so each test runs this program
//! again with the variables it is about.

use std::env;
use std::process::Command;
use std::sync::Arc;

use scaling_aws::{AwsClients, AwsPlatform, AwsSettings, Surroundings};
use scaling_control::ports::GroupReader;

use crate::clients::{serve_once, settings};
use crate::script::group;
use crate::xml;

/// Variables that name nothing outside this machine, whatever the machine has.
const SEALED: [(&str, &str); 4] = [
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_CONFIG_FILE", "no-such-config"),
    ("AWS_SHARED_CREDENTIALS_FILE", "no-such-credentials"),
    ("AWS_REGION", "eu-central-1"),
];

pub(crate) const KEYS: [(&str, &str); 2] =
    [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")];

/// Runs the ignored test `name` of this file with these variables and returns what it printed.
pub(crate) fn run(name: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", &format!("environment::{name}")]);
    for (variable, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(variable);
    }
    command.envs(SEALED).envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

async fn describe(clients: AwsClients) -> String {
    match AwsPlatform::new(Arc::new(clients)).describe(&[group("web")]).await {
        Ok(groups) => format!("found {}", groups.len()),
        Err(error) => format!("{}: {error}", error.kind()),
    }
}

#[tokio::test]
#[ignore = "run by the tests below with their variables"]
async fn by_environment() {
    println!("{}", describe(AwsClients::from_environment()).await);
}

#[tokio::test]
#[ignore = "run by the tests below with their variables"]
async fn by_variables() {
    let settings = AwsSettings { surroundings: Surroundings::Variables, ..AwsSettings::default() };
    println!("{}", describe(AwsClients::new(settings)).await);
}

/// The standard environment, and the variables alone that a function has.
const BOTH: [&str; 2] = ["by_environment", "by_variables"];

#[tokio::test]
#[ignore = "run by the tests below with their variables"]
async fn by_setting() {
    let endpoint = env::var("ENDPOINT_SETTING").unwrap();
    let settings = AwsSettings { endpoint: Some(endpoint), ..AwsSettings::default() };
    println!("{}", describe(AwsClients::new(settings)).await);
}

#[tokio::test]
#[ignore = "run by the tests below with their variables"]
async fn by_full_settings() {
    let clients = AwsClients::new(settings(&env::var("ENDPOINT_SETTING").unwrap()));
    println!("{}", describe(clients).await);
}

#[test]
fn the_endpoint_comes_from_the_environment_for_all_services_or_for_one() {
    let all = ["AWS_ENDPOINT_URL", "UNUSED"];
    let one = ["AWS_ENDPOINT_URL_AUTO_SCALING", "AWS_ENDPOINT_URL"];
    for (by, variables) in BOTH.iter().flat_map(|by| [(by, all), (by, one)]) {
        let (address, serving) = serve_once(xml::groups([xml::group("web", "")]));
        let endpoints = [(variables[0], address.as_str()), (variables[1], "http://127.0.0.1:9")];
        let printed = run(by, &[&KEYS[..], &endpoints].concat());
        assert!(printed.contains("found 1"), "{by}: {printed}");
        serving.join().unwrap();
    }
}

#[test]
fn an_explicit_endpoint_wins_over_the_environment() {
    for name in ["by_setting", "by_full_settings"] {
        let (address, serving) = serve_once(xml::groups([xml::group("web", "")]));
        let elsewhere = "http://127.0.0.1:9";
        let endpoints = [
            ("ENDPOINT_SETTING", address.as_str()),
            ("AWS_ENDPOINT_URL", elsewhere),
            ("AWS_ENDPOINT_URL_AUTO_SCALING", elsewhere),
        ];
        let printed = run(name, &[&KEYS[..], &endpoints].concat());
        assert!(printed.contains("found 1"), "{printed}");
        serving.join().unwrap();
    }
}

#[test]
fn without_credentials_the_call_is_denied() {
    for by in BOTH {
        let printed = run(by, &[("AWS_ENDPOINT_URL", "http://127.0.0.1:9")]);
        assert!(printed.contains("denied: "), "{by}: {printed}");
        assert!(printed.contains("no usable credentials"), "{by}: {printed}");
    }
}

#[test]
fn without_a_region_the_call_is_invalid_and_says_what_is_missing() {
    for by in BOTH {
        let printed = run(by, &[&KEYS[..], &[("AWS_REGION", "")]].concat());
        assert!(printed.contains("invalid: "), "{by}: {printed}");
        assert!(printed.to_lowercase().contains("region"), "{by}: {printed}");
    }
}
