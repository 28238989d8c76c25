//! The instance types that there are, as the README tells them.

use std::collections::BTreeSet;

use scaling_fleet::Catalogue;

/// The letters that have many families.
const LETTERS: [&str; 3] = ["c", "m", "r"];

#[test]
fn the_readme_tells_exactly_which_families_there_are() {
    let catalogue = Catalogue::embedded();
    let families: BTreeSet<&'static str> = catalogue.iter().map(|kind| kind.name.family()).collect();
    let behind = |letter: &'static str| -> BTreeSet<&'static str> {
        families.iter().filter_map(|family| family.strip_prefix(letter)).collect()
    };
    let shared: Vec<&str> =
        behind("c").into_iter().filter(|rest| LETTERS.iter().all(|one| behind(one).contains(rest))).collect();
    let is_shared = |family: &str| family.get(1..).is_some_and(|rest| shared.contains(&rest));
    let others: Vec<&str> = families
        .iter()
        .copied()
        .filter(|family| !(LETTERS.contains(&&family[..1]) && is_shared(family)))
        .collect();
    let listed = |names: &[&str]| names.join(", ");
    let sentence = format!(
        "c, m and r followed by any of {}; and the families {}; no size of bare metal.",
        listed(&shared),
        listed(&others)
    );
    let readme = include_str!("../../README.md");
    let words: Vec<&str> = readme.split_whitespace().collect();
    assert!(words.join(" ").contains(&sentence), "the README does not say: {sentence}");
    assert!(catalogue.iter().all(|kind| !kind.name.as_str().contains("metal")));
}
