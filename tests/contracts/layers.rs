//! Which crate may know which. The order of [`LAYERS`] is the architecture: an import points only downwards.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::OnceLock;

use scaling_tests::project;
use serde_json::Value;

/// The project's crates from the ground up. Crates of one line don't know each other.
const LAYERS: &[&[&str]] = &[
    &["scaling-fleet"],
    &["scaling-peers", "scaling-policy"],
    &["scaling-control", "scaling-emulator", "scaling-report", "scaling-simulator"],
    &["scaling-aws", "scaling-store", "scaling-telemetry"],
    &["scaling-api", "scaling-console"],
    &["scaling"],
    &["alarm", "api", "schedule", "scaling-cli"],
    &["scaling-tests"],
];

/// What a crate's own tests may know beyond that.
const ONLY_IN_TESTS: &[(&str, &str)] = &[
    ("scaling-policy", "scaling-simulator"), // the loop that closed-loop tests steer
    ("scaling-control", "scaling-control"),  // its own fakes
    ("scaling-console", "scaling-api"),      // what the page changes things through
];

/// Crates that compute and do nothing else.
const PURE: &[&str] = &["scaling-fleet", "scaling-peers", "scaling-policy", "scaling-report"];

/// The resolved packages of this build.
struct Packages {
    /// Names by package id.
    names: BTreeMap<String, String>,
    /// Dependencies by package id: (package id, whether it is more than a test dependency).
    edges: BTreeMap<String, Vec<(String, bool)>>,
    members: BTreeSet<String>,
}

impl Packages {
    fn get() -> &'static Self {
        static PACKAGES: OnceLock<Packages> = OnceLock::new();
        PACKAGES.get_or_init(Self::read)
    }

    fn read() -> Self {
        let metadata = metadata();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let list = |value: &Value| value.as_array().unwrap().clone();
        let names = list(&metadata["packages"]);
        let nodes = list(&metadata["resolve"]["nodes"]);
        let edge = |dependency: &Value| {
            let in_production = list(&dependency["dep_kinds"]).iter().any(|kind| kind["kind"] != "dev");
            (text(&dependency["pkg"]), in_production)
        };
        Self {
            names: names.iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect(),
            edges: nodes
                .iter()
                .map(|node| (text(&node["id"]), list(&node["deps"]).iter().map(edge).collect()))
                .collect(),
            members: list(&metadata["workspace_members"]).iter().map(text).collect(),
        }
    }

    fn id(&self, name: &str) -> &str {
        let found = self.members.iter().find(|id| self.names[*id] == name);
        found.unwrap_or_else(|| panic!("{name} is no member of the workspace"))
    }

    fn name(&self, id: &str) -> &str {
        &self.names[id]
    }

    /// Everything that `name` is built on, at any depth; with what its own tests need besides, if `tests`.
    fn below(&self, name: &str, tests: bool) -> BTreeSet<&str> {
        let mut reached = BTreeSet::new();
        let first = self.edges[self.id(name)].iter();
        let mut open: Vec<&str> =
            first.filter(|(_, production)| tests || *production).map(|(id, _)| id.as_str()).collect();
        while let Some(id) = open.pop() {
            if reached.insert(id) {
                let deeper = self.edges[id].iter().filter(|(_, production)| *production);
                open.extend(deeper.map(|(id, _)| id.as_str()));
            }
        }
        reached.into_iter().map(|id| self.name(id)).collect()
    }
}

/// What cargo says about this build, without asking any registry.
pub(crate) fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let run = |arguments: &[&str]| {
        let output = Command::new(&cargo).args(arguments).current_dir(project::root()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let version = String::from_utf8(run(&["-vV"])).unwrap();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    let metadata = run(&["metadata", "--format-version", "1", "--offline", "--filter-platform", host]);
    serde_json::from_slice(&metadata).unwrap()
}

fn layer(name: &str) -> usize {
    let found = LAYERS.iter().position(|crates| crates.contains(&name));
    found
        .unwrap_or_else(|| panic!("{name} has no layer yet: give it one in this test and in ARCHITECTURE.md"))
}

#[test]
fn a_crate_knows_only_crates_of_lower_layers() {
    let packages = Packages::get();
    for member in &packages.members {
        let name = packages.name(member);
        for (id, production) in &packages.edges[member] {
            let other = packages.name(id);
            let allowed_in_tests = !production && ONLY_IN_TESTS.contains(&(name, other));
            if packages.members.contains(id) && !allowed_in_tests {
                assert!(layer(other) < layer(name), "{name} must not know {other}");
            }
        }
    }
}

#[test]
fn every_folder_is_named_like_its_crate() {
    for path in project::files(".", "Cargo.toml").unwrap() {
        let folder = path.trim_start_matches("./").trim_end_matches("/Cargo.toml").rsplit('/').next();
        let manifest = project::text(&path).unwrap();
        let name = manifest.lines().find_map(|line| line.strip_prefix("name = \"")).unwrap_or_default();
        let name = name.trim_end_matches('"');
        // The program's crate and the tests stand for themselves at the root.
        let expected =
            ["scaling-cli", "scaling-tests"].contains(&name).then(|| name.trim_start_matches("scaling-"));
        if path != "./Cargo.toml" && path != "Cargo.toml" {
            assert_eq!(folder, Some(expected.unwrap_or(name)), "{path}");
        }
    }
}

#[test]
fn pure_crates_are_built_on_no_runtime_no_cloud_and_no_web_server() {
    for name in PURE {
        for below in Packages::get().below(name, false) {
            let forbidden =
                ["tokio", "async-trait", "axum", "hyper", "http", "rusqlite", "reqwest"].contains(&below);
            assert!(!forbidden && !below.starts_with("aws-"), "{name} is built on {below}");
        }
    }
}

#[test]
fn pure_crates_name_no_clock_no_file_no_socket_and_nothing_asynchronous() {
    let forbidden = [
        "Timestamp::now",
        "Zoned::now",
        "SystemTime",
        "Instant::now",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "async fn",
        "rand::rng",
    ];
    for name in PURE {
        for path in project::files(&format!("shared/{name}/src"), ".rs").unwrap() {
            let source = project::text(&path).unwrap();
            let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
            for (line, word) in code.flat_map(|line| forbidden.map(|word| (line, word))) {
                assert!(!line.contains(word), "{path} names {word}: {line}");
            }
        }
    }
}

#[test]
fn the_emulator_knows_neither_an_adapter_nor_the_sdk() {
    for below in Packages::get().below("scaling-emulator", true) {
        let ours = below.starts_with("scaling");
        assert!(!ours || ["scaling-fleet", "scaling-peers"].contains(&below), "it knows {below}");
        assert!(!below.starts_with("aws-"), "it knows {below}");
    }
}

#[test]
fn only_program_and_tests_know_the_emulator() {
    let packages = Packages::get();
    for member in &packages.members {
        let name = packages.name(member);
        if !["scaling-cli", "scaling-tests", "scaling-emulator"].contains(&name) {
            assert!(!packages.below(name, true).contains("scaling-emulator"), "{name} knows the emulator");
        }
    }
}

#[test]
fn each_client_of_the_sdk_has_one_crate_that_knows_it() {
    let owners = [
        ("aws-sdk-autoscaling", "scaling-aws"),
        ("aws-sdk-cloudwatch", "scaling-aws"),
        ("aws-sdk-dynamodb", "scaling-store"),
        ("aws-sdk-secretsmanager", "scaling-aws"),
    ];
    let packages = Packages::get();
    for member in &packages.members {
        for (id, _) in &packages.edges[member] {
            let client = packages.name(id);
            if client.starts_with("aws-sdk-") {
                let name = packages.name(member);
                assert!(owners.contains(&(client, name)), "{name} knows {client}");
            }
        }
    }
}

#[test]
fn neither_the_ec2_client_nor_a_cryptography_built_from_c_is_in_the_build() {
    let packages = Packages::get();
    for name in packages.names.values() {
        let forbidden = ["aws-sdk-ec2", "aws-lc-rs", "aws-lc-sys", "openssl-sys"].contains(&name.as_str());
        assert!(!forbidden, "{name} is in the build");
    }
}
