//! The user guide: its worked examples are decided as they stand, its reference is that of the schema, and its links
//! lead somewhere.

#![expect(clippy::unwrap_used, reason = "a guide that cannot be read fails its test")]

mod examples;
mod reference;

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn guide() -> PathBuf {
    root().join("docs/guide/src")
}

fn chapter(name: &str) -> String {
    std::fs::read_to_string(guide().join(name)).unwrap()
}

#[test]
fn worked_examples_are_decided_as_they_stand() {
    let examples = examples::in_text(&chapter("decisions.md"));
    assert!(examples.len() >= 8, "{}", examples.len());
    let wrong: Vec<String> = examples
        .iter()
        .filter_map(|example| {
            let (expected, decided) = (example["decides"].as_str().unwrap(), examples::decide(example));
            (expected != decided).then(|| format!("{example}\n  says   {expected}\n  decides {decided}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// `UPDATE_GOLDEN=1` writes it.
#[test]
fn the_configuration_reference_is_that_of_the_schema() {
    let schema = std::fs::read_to_string(root().join("config/config.schema.json")).unwrap();
    let expected = reference::of(&serde_json::from_str(&schema).unwrap());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(guide().join("configuration.md"), &expected).unwrap();
    }
    assert_eq!(chapter("configuration.md"), expected);
}

#[test]
fn every_chapter_is_listed_and_every_link_leads_somewhere() {
    let summary = chapter("SUMMARY.md");
    for entry in std::fs::read_dir(guide()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // The others are pictures.
        if std::path::Path::new(&name).extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        assert!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "{name} is not in the summary"
        );
        for target in chapter(&name).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(is_in_the_book(&name, target), "{name} links to {target}, which the built book has not");
        }
    }
}

/// Whether a link of a chapter leads to another site, or to a file of the book and, if it names one, to a heading of it. What
/// lies beside the folder of the book is not built into it.
fn is_in_the_book(from: &str, target: &str) -> bool {
    if target.starts_with("http") {
        return true;
    }
    let (file, heading) = target.split_once('#').map_or((target, None), |(file, at)| (file, Some(at)));
    let file = if file.is_empty() { from } else { file };
    let plain = Path::new(file).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let has =
        |heading: &str| chapter(file).lines().any(|line| line.starts_with('#') && slug(line) == heading);
    plain && guide().join(file).is_file() && heading.is_none_or(has)
}

/// A heading as mdBook names it in an address.
fn slug(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[test]
fn a_link_out_of_the_book_is_told_from_one_within() {
    for (target, expected) in [
        ("https://example.com/x", true),
        ("cost.md", true),
        ("cost.md#spot-instances", true),
        ("#spot-instances", true),
        ("cost.md#no-such-heading", false),
        ("../../../template.yaml", false),
        ("../src/cost.md", false),
        ("/etc/hosts", false),
        ("none.md", false),
    ] {
        assert_eq!(is_in_the_book("cost.md", target), expected, "{target}");
    }
}
