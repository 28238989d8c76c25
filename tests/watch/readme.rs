//! The README's section on functions: what it tells to type is typed here, line by line, with other ports and folders.

use std::ffi::OsString;
use std::time::Duration;

use jiff::Timestamp;
use scaling_emulator::{ClockMode, Emulator, Schedule, Settings};
use scaling_tests::{environment, project};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::functions::{Functions, clean, free_port, here};

/// Where the README has the emulator and the functions.
const EMULATOR: &str = "http://127.0.0.1:4566";
const FUNCTIONS: &str = "http://127.0.0.1:9000";

/// The README's first terminal. It is the one that is not typed here: the same emulator runs in this process.
const FIRST: &str = "make setup\ncargo run -- emulate --clock accelerated --speed 10 \\\n    \
    --lambda-endpoint http://127.0.0.1:9000 --schedule schedule\n";

/// A shell that stops at the first line that fails, as a person would. An answer that asks for patience (another evaluation
/// holds the group at that moment) is no failure: the line is typed again.
const TYPED: &str = "set -euo pipefail\n\
    curl() { command curl --silent --show-error --fail-with-body --retry 5 --retry-all-errors \"$@\"; }\n";

/// The commands of the section's terminals, without their first line, which is the comment that names them.
fn terminals() -> [String; 3] {
    let readme = project::text("README.md").unwrap();
    let (_, rest) = readme.split_once("\n## Functions on your machine\n").unwrap();
    let section = rest.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n# Terminal ").skip(1);
    let typed = blocks.map(|block| block.split("```").next().unwrap().split_once('\n').unwrap().1.to_owned());
    let typed: Vec<String> = typed.collect();
    typed.try_into().unwrap()
}

/// The text with another word in the place of one that has to be there.
fn put(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in\n{text}");
    text.replace(from, to)
}

/// What every client here gets, without what the README sets itself.
fn surroundings() -> Vec<(&'static str, OsString)> {
    let set = [
        "AWS_ENDPOINT_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ];
    environment::client("").into_iter().filter(|(name, _)| !set.contains(name)).collect()
}

fn emulator_of_the_first_terminal(functions: u16) -> Settings {
    Settings {
        clock: ClockMode::Accelerated(10.0),
        start: Timestamp::from_second(Timestamp::now().as_second() / 60 * 60).unwrap(),
        lambda_endpoint: Some(format!("http://127.0.0.1:{functions}")),
        schedules: vec![Schedule {
            function: "schedule".to_owned(),
            every: Duration::from_secs(60),
            payload: Value::Null,
        }],
        ..Settings::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_s_lines_as_they_stand_lead_to_a_group_that_has_grown_and_an_operation_that_says_why() {
    let [first, second, third] = terminals();
    assert_eq!(first, FIRST);
    let (folder, port) = (tempfile::tempdir().unwrap(), free_port().await);
    let emulator = Emulator::start(emulator_of_the_first_terminal(port)).await.unwrap();

    let second = put(&second, EMULATOR, &emulator.endpoint());
    let state = folder.path().join("scaling.db");
    let second = put(&second, "SCALING_STATE=scaling.db", &format!("SCALING_STATE={}", state.display()));
    let watch = format!("exec cargo lambda watch {}", here(port).join(" "));
    let second = put(&second, "cargo lambda watch", &watch);
    let mut shell = Command::new("bash");
    clean(&mut shell);
    shell.arg("-c").arg(format!("{TYPED}{second}")).envs(surroundings());
    let functions = Functions::run(shell, port, folder.path()).await;

    let third = put(&third, EMULATOR, &emulator.endpoint());
    let third = put(&third, FUNCTIONS, &format!("http://127.0.0.1:{port}"));
    let mut shell = Command::new("bash");
    shell.arg("-c").arg(format!("{TYPED}{third}")).env_clear().envs(surroundings());
    let typed = shell.current_dir(project::root()).output().await.unwrap();
    let shown = String::from_utf8_lossy(&typed.stdout);
    let errors = String::from_utf8_lossy(&typed.stderr);
    assert!(typed.status.success(), "{shown}\n{errors}\n{}", functions.log());

    let desired = emulator.with_region(|region| region.group("web").unwrap().desired);
    assert!(desired > 2, "{desired}: {shown}\n{}", functions.log());
    let (status, answer) = functions.api("GET", "/operations?group=web", None).await;
    assert_eq!(status, 200, "{answer}");
    let operation = &answer["operations"][0];
    assert_eq!(operation["group"], json!("web"), "{answer}");
    assert!(operation["explanation"].as_str().is_some_and(|why| !why.is_empty()), "{answer}");
}
