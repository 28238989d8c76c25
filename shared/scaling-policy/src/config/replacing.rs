//! What somebody should know of a configuration that takes the place of another.

use super::document::Config;
use super::fault::{ConfigFault, Severity};

/// Longest list of names in a warning.
const NAMED: usize = 10;

/// That groups which are looked after now will not be: a document without `groups` is a whole configuration too.
pub fn left_out(before: &Config, after: &Config) -> Option<ConfigFault> {
    let lost = before.groups.iter().filter(|group| after.group(group.name.as_str()).is_none());
    let lost: Vec<&str> = lost.map(|group| group.name.as_str()).collect();
    let more = if lost.len() > NAMED { format!(" and {} more", lost.len() - NAMED) } else { String::new() };
    let names = lost.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    (!lost.is_empty()).then(|| ConfigFault {
        pointer: "/groups".to_owned(),
        group: None,
        value: String::new(),
        rule: format!("no longer has {names}{more}: nobody looks after what is left out"),
        fix: "where that is not meant, put them in again, or go back with `scaling config rollback`"
            .to_owned(),
        severity: Severity::Warning,
    })
}
