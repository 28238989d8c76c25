//! What the functions are built of, and how.

use std::collections::BTreeSet;
use std::process::Command;

use scaling_tests::project;

const FUNCTIONS: [&str; 3] = ["alarm", "api", "schedule"];

/// What other programs need and a function does not: each makes it larger, and slower to start.
const ELSEWHERE: &[(&str, &str)] = &[
    ("rusqlite", "state lies in DynamoDB"),
    ("aws-config", "Lambda gives settings and credentials in variables"),
    ("h2", "nobody it calls needs HTTP/2"),
    ("aws-smithy-http-client", "it brings HTTP/2 and a trust store that is read too early"),
    ("governor", "the gateway limits the rate of requests"),
    ("clap", "it has no command line"),
    ("regex", "the logs' filter is a list of targets"),
    ("scaling-emulator", "nothing is emulated there"),
];

/// The lines of one table of a TOML file, comments apart.
fn table(text: &str, name: &str) -> BTreeSet<String> {
    let (_, rest) = text.split_once(&format!("[{name}]\n")).unwrap_or_else(|| panic!("no table {name}"));
    let lines = rest.lines().take_while(|line| !line.starts_with('['));
    let settings = lines.map(|line| line.split('#').next().unwrap_or_default().trim().to_owned());
    settings.filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_function_carries_nothing_that_only_other_programs_need() {
    for function in FUNCTIONS {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["tree", "--offline", "--package", function, "--edges", "normal", "--prefix", "none"]);
        let output = cargo.args(["--format", "{p}"]).current_dir(project::root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tree = String::from_utf8(output.stdout).unwrap();
        let carried: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(carried.contains("lambda_runtime"), "{carried:?}");
        for (package, why_not) in ELSEWHERE {
            assert!(!carried.contains(package), "{function} carries {package}, though {why_not}");
        }
    }
}

#[test]
fn a_build_by_sam_is_the_build_that_is_measured() {
    let manifest = project::text("Cargo.toml").unwrap();
    let config = project::text("functions/.cargo/config.toml").unwrap();
    let mut expected = table(&manifest, "profile.lambda");
    assert!(expected.remove("inherits = \"release\""));
    assert_eq!(table(&config, "profile.release"), expected);
    for client in ["aws-sdk-autoscaling", "aws-sdk-cloudwatch", "aws-sdk-dynamodb"] {
        let ours = table(&manifest, &format!("profile.lambda.package.{client}"));
        assert_eq!(table(&config, &format!("profile.release.package.{client}")), ours, "{client}");
    }
    // Where the manifest is silent, `cargo lambda` puts settings of its own over all others.
    assert!(table(&manifest, "profile.release").contains("lto = \"off\""));
}
