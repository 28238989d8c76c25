//! The guide's chapter on the emulator: its lines run as they stand, and it leaves out no path and no fault.

use std::fmt::Write as _;

use scaling_emulator::{Emulator, Fault, Settings};
use scaling_tests::{environment, project};
use tokio::process::Command;

fn chapter() -> String {
    project::text("docs/guide/src/emulator.md").unwrap()
}

/// The blocks of code in a language.
fn blocks(chapter: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let block = |rest: &str| rest.split("\n```").next().unwrap().to_owned();
    chapter.split(fence.as_str()).skip(1).map(block).collect()
}

/// The lines of shell, with whatever continues them; without those that start an emulator, which the test does.
fn script(chapter: &str) -> String {
    // An answer that is no success ends the script, and says where.
    let mut script = "set -Eeuo pipefail\ntrap 'echo \"failed: $BASH_COMMAND\" >&2' ERR\n\
        curl() { command curl --fail-with-body --silent --show-error \"$@\" || return; echo; }\n"
        .to_owned();
    for block in blocks(chapter, "sh") {
        for line in block
            .lines()
            .filter(|line| !["scaling emulate", "export "].iter().any(|start| line.starts_with(start)))
        {
            writeln!(script, "{line}").unwrap();
        }
    }
    script
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_does_what_it_says() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [scenario] = blocks(&chapter(), "json").try_into().unwrap();
    std::fs::write(folder.path().join("scenario.json"), scenario).unwrap();
    let programs = project::installed("aws").unwrap().canonicalize().unwrap();
    let programs = programs.parent().unwrap().display().to_string();
    let output = Command::new("bash")
        .arg("-c")
        .arg(script(&chapter()))
        .current_dir(&folder)
        .env_clear()
        .envs(environment::client(&emulator.endpoint()))
        .env("PATH", format!("{programs}:{}", std::env::var("PATH").unwrap()))
        .env("E", emulator.endpoint())
        .output()
        .await
        .unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{wrong}");
    // What the chapter says that they do.
    for part in
        ["Datapoints", "\"zones_down\":[]", "EC2 Spot Instance Interruption Warning", "\"name\":\"before\""]
    {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
}

#[test]
fn no_path_is_left_out() {
    let (chapter, source) = (chapter(), project::text("shared/scaling-emulator/src/control.rs").unwrap());
    let lines: Vec<&str> = chapter.lines().filter(|line| line.contains("curl ")).collect();
    let source: String = source.split_whitespace().collect();
    let routes: Vec<&str> = source.split(".route(\"").skip(1).collect();
    assert!(routes.len() >= 13, "{routes:?}");
    for route in routes.iter().filter(|route| route.starts_with("/_emulator/")) {
        let (path, methods) = route.split_once('"').unwrap();
        let path = path.split('{').next().unwrap();
        for (method, sign) in [("get(", ""), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE")] {
            let has = |line: &&&str| {
                let is_plain = ["--json", "-X", "-T"].iter().all(|option| !line.contains(option));
                line.contains(path)
                    && match sign {
                        "" => is_plain,
                        "POST" => line.contains("--json") || line.contains("-X POST"),
                        "PUT" => line.contains("-T ") || line.contains("-X PUT"),
                        other => line.contains(&format!("-X {other}")),
                    }
            };
            let is_there = methods.split(".route(").next().unwrap().contains(method);
            assert!(!is_there || lines.iter().any(|line| has(&line)), "{method}{path} is not in the chapter");
        }
    }
}

#[test]
fn no_fault_is_left_out() {
    let error = serde_json::from_str::<Fault>(r#"{"kind": "none"}"#).unwrap_err().to_string();
    let kinds: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(kinds.len() >= 15, "{error}");
    let chapter = chapter();
    for kind in kinds {
        let is_shown = [format!("\"kind\": \"{kind}\""), format!("\\\"kind\\\": \\\"{kind}\\\"")];
        assert!(
            is_shown.iter().any(|shown| chapter.contains(shown.as_str())),
            "{kind} is not in the chapter"
        );
    }
}
