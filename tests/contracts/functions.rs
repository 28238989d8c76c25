//! What the functions are built of, and how.

use std::collections::{BTreeMap, BTreeSet};
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

/// The settings of each crate that a profile says something else about, by its name.
fn packages(text: &str, profile: &str) -> BTreeMap<String, BTreeSet<String>> {
    let start = format!("[{profile}.package.");
    let named = text.lines().filter_map(|line| line.strip_prefix(&start)?.strip_suffix(']'));
    named.map(|name| (name.to_owned(), table(text, &format!("{profile}.package.{name}")))).collect()
}

/// The crates that are linked into any of these functions.
fn carried(functions: &[&str]) -> BTreeSet<String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = cargo
        .args(functions.iter().flat_map(|name| ["--package", name]))
        .current_dir(project::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    tree.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn a_function_carries_nothing_that_only_other_programs_need() {
    for function in FUNCTIONS {
        let carried = carried(&[function]);
        assert!(carried.contains("lambda_runtime"), "{carried:?}");
        for (package, why_not) in ELSEWHERE {
            assert!(!carried.contains(*package), "{function} carries {package}, though {why_not}");
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
    assert_eq!(packages(&config, "profile.release"), packages(&manifest, "profile.lambda"));
    // Where the manifest is silent, `cargo lambda` puts settings of its own over all others.
    assert!(table(&manifest, "profile.release").contains("lto = \"off\""));
}

/// What `release` says of a single crate holds for the profile that inherits it, too, and above all that this one says of
/// every crate.
#[test]
fn what_the_other_programs_say_of_single_crates_is_taken_back_for_the_functions() {
    let manifest = project::text("Cargo.toml").unwrap();
    let functions = table(&manifest, "profile.lambda");
    let carried = carried(&FUNCTIONS);
    let differs = |settings: &BTreeSet<String>| !settings.is_subset(&functions);
    let other = packages(&manifest, "profile.release").into_iter().filter(|(_, settings)| differs(settings));
    let other: BTreeSet<String> = other.map(|(name, _)| name).filter(|name| carried.contains(name)).collect();
    let back = packages(&manifest, "profile.lambda");
    for (name, settings) in &back {
        assert!(!differs(settings), "{name}: {settings:?}");
    }
    let back: BTreeSet<String> = back.into_keys().filter(|name| carried.contains(name)).collect();
    assert_eq!(back, other);
}
