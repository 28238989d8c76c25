//! What somebody should know of a configuration that takes the place of another.

use super::document::Config;
use super::fault::{ConfigFault, Severity};
use super::group::GroupConfig;

/// Longest list of names in a warning.
const NAMED: usize = 10;

/// All of it, as warnings.
pub fn replacing(before: &Config, after: &Config) -> Vec<ConfigFault> {
    left_out(before, after).into_iter().chain(new_programs(before, after)).collect()
}

/// That groups which are looked after now will not be: a document without `groups` is a whole configuration too.
fn left_out(before: &Config, after: &Config) -> Option<ConfigFault> {
    let lost = before.groups.iter().filter(|group| after.group(group.name.as_str()).is_none());
    let names = listed(&lost.map(|group| group.name.as_str()).collect::<Vec<_>>())?;
    Some(warning(
        "/groups",
        format!("no longer has {names}: nobody looks after what is left out"),
        "where that is not meant, put them in again, or go back with `scaling config rollback`",
    ))
}

/// That programs will not be run: who may write configurations would otherwise have any command run on the controller's machine.
fn new_programs(before: &Config, after: &Config) -> Option<ConfigFault> {
    let known = |group: &GroupConfig| before.group(group.name.as_str()).and_then(|old| old.programs.clone());
    let new = after.groups.iter().filter(|group| group.programs.is_some() && group.programs != known(group));
    let names = listed(&new.map(|group| group.name.as_str()).collect::<Vec<_>>())?;
    Some(warning(
        "/groups",
        format!(
            "names other programs for {names}: only those of the file that `scaling run` was started with are run"
        ),
        "put them into that file and start `scaling run` again",
    ))
}

/// The first names, and how many more; `None` without any.
fn listed(names: &[&str]) -> Option<String> {
    let more =
        names.len().checked_sub(NAMED + 1).map_or_else(String::new, |more| format!(" and {} more", more + 1));
    (!names.is_empty()).then(|| names[..names.len().min(NAMED)].join(", ") + &more)
}

fn warning(pointer: &str, rule: String, fix: &str) -> ConfigFault {
    ConfigFault {
        pointer: pointer.to_owned(),
        group: None,
        value: String::new(),
        rule,
        fix: fix.to_owned(),
        severity: Severity::Warning,
    }
}
