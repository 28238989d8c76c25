//! What somebody should know of a configuration that takes the place of another.

use std::collections::HashSet;

use super::document::Config;
use super::fault::{ConfigFault, Severity};
use super::group::{GroupConfig, GroupName, ProgramSet};

/// Longest list of names in a warning.
const NAMED: usize = 10;

/// That groups which are looked after now will not be: a document without `groups` is a whole configuration too.
pub fn left_out(before: &Config, after: &Config) -> Option<ConfigFault> {
    let lost = before.groups.iter().filter(|group| after.group(group.name.as_str()).is_none());
    let names = listed(&lost.map(|group| group.name.as_str()).collect::<Vec<_>>())?;
    Some(warning(
        "/groups",
        format!("no longer has {names}: nobody looks after what is left out"),
        "where that is not meant, put them in again, or go back with `scaling config rollback`",
    ))
}

/// That the programs of these groups are not run, as the process that would run them says: who may write configurations would
/// otherwise have any command run on its machine.
pub fn programs_not_run(groups: &[GroupName]) -> Option<ConfigFault> {
    let names = listed(&groups.iter().map(GroupName::as_str).collect::<Vec<_>>())?;
    Some(warning(
        "/groups",
        format!(
            "names programs for {names} that are not run: only those of the file that `scaling run` was started with are"
        ),
        "put them into that file and start `scaling run` again",
    ))
}

/// The same for somebody who cannot ask that process: of the argument lists that nothing stored has named before it is only
/// known what they depend on.
pub fn new_programs(before: Option<&Config>, after: &Config) -> Option<ConfigFault> {
    let known: HashSet<&Vec<String>> =
        before.into_iter().flat_map(|before| &before.groups).flat_map(|group| lists(group)).collect();
    let new = after.groups.iter().filter(|group| lists(group).any(|list| !known.contains(list)));
    let names = listed(&new.map(|group| group.name.as_str()).collect::<Vec<_>>())?;
    Some(warning(
        "/groups",
        format!(
            "names new programs for {names}: they are run only if the file that the controller starts with names them, too"
        ),
        "where it does not yet, put them into that file and start the controller again",
    ))
}

fn lists(group: &GroupConfig) -> impl Iterator<Item = &Vec<String>> {
    group.programs.iter().flat_map(ProgramSet::lists)
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
