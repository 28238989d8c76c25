//! What the documents name exists: files behind links, tests behind invariants, targets, commands, settings.

use std::collections::BTreeSet;
use std::path::Path;

use scaling_tests::project;
use serde_json::Value;

const PAPERS: &[&str] = &["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];

/// (Text, target) of the Markdown links of a paper.
fn links(text: &str) -> Vec<(String, String)> {
    let parts: Vec<&str> = text.split("](").collect();
    let pairs = parts.windows(2);
    let link = |pair: &[&str]| {
        let label = pair[0].rsplit('[').next()?.to_owned();
        let target = pair[1].split(')').next()?.to_owned();
        Some((label, target))
    };
    pairs.filter_map(link).collect()
}

/// Targets that the Makefile has.
fn targets() -> BTreeSet<String> {
    let makefile = project::text("Makefile").unwrap();
    let phony = makefile.lines().filter_map(|line| line.strip_prefix(".PHONY: ").map(str::to_owned));
    phony.collect()
}

/// Words that follow `before` in code of a paper: between backticks, or in a fenced block.
fn words_after(text: &str, before: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        let pieces = line.split('`').enumerate();
        let code = pieces.filter(|(index, _)| fenced || index % 2 == 1).map(|(_, piece)| piece);
        for piece in code {
            let mut commands = piece.split(&['|', ';', '&', '#'][..]).map(str::trim);
            let word = commands.find_map(|command| command.strip_prefix(before)?.split_whitespace().next());
            words.extend(word.map(str::to_owned));
        }
    }
    words
}

#[test]
fn every_link_to_a_file_leads_somewhere() {
    for paper in PAPERS {
        for (label, target) in links(&project::text(paper).unwrap()) {
            let path = target.split('#').next().unwrap_or_default();
            let elsewhere = target.starts_with("http") || path.is_empty();
            assert!(elsewhere || project::root().join(path).exists(), "{paper}: [{label}]({target})");
            assert!(!Path::new(path).is_absolute(), "{paper}: [{label}]({target})");
        }
    }
}

#[test]
fn each_invariant_of_the_architecture_is_linked_to_a_test_that_exists() {
    let architecture = project::text("ARCHITECTURE.md").unwrap();
    let section = architecture.split("## Invariants").nth(1).unwrap().split("\n## ").next().unwrap();
    let invariants: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(invariants.len(), 8, "{invariants:#?}");
    for invariant in invariants {
        let tests = links(invariant);
        assert!(!tests.is_empty(), "no test is linked: {invariant}");
        for (label, target) in tests {
            let source = project::text(&target).unwrap();
            let test = label.trim_matches('`');
            assert!(source.contains(&format!("fn {test}(")), "{target} has no test {test}");
        }
    }
}

#[test]
fn every_make_target_that_a_paper_names_exists() {
    let targets = targets();
    assert!(targets.contains("test"), "{targets:?}");
    for paper in PAPERS {
        for word in words_after(&project::text(paper).unwrap(), "make ") {
            assert!(targets.contains(&word), "{paper}: make {word}");
        }
    }
}

#[test]
fn every_subcommand_that_a_paper_names_exists() {
    let arguments = project::text("cli/src/arguments.rs").unwrap();
    let list = arguments.split("enum Command {").nth(1).unwrap().split("\n}").next().unwrap();
    for paper in PAPERS {
        let text = project::text(paper).unwrap();
        let named =
            words_after(&text, "scaling ").into_iter().chain(words_after(&text, "cargo run --release -- "));
        for word in named.filter(|word| word.chars().all(char::is_alphabetic)) {
            let variant = format!("    {}{}", word[..1].to_uppercase(), &word[1..]);
            assert!(list.lines().any(|line| line.starts_with(&variant)), "{paper}: scaling {word}");
        }
    }
}

#[test]
fn the_configuration_reference_names_every_key() {
    let schema: Value = serde_json::from_str(&project::text("config/config.schema.json").unwrap()).unwrap();
    let readme = project::text("README.md").unwrap();
    let definitions = schema["$defs"].as_object().unwrap().values();
    for definition in std::iter::once(&schema).chain(definitions) {
        for key in definition["properties"].as_object().into_iter().flat_map(|all| all.keys()) {
            assert!(readme.contains(&format!("`{key}`")), "the README does not name the key {key}");
        }
    }
}

#[test]
fn no_paper_names_a_place_of_one_machine() {
    for paper in PAPERS {
        for place in ["/work/", "/home/", "/root/", "/tmp/", "/Users/"] {
            assert!(!project::text(paper).unwrap().contains(place), "{paper} names {place}");
        }
    }
}
