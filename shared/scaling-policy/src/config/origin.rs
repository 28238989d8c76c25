//! Where a setting of a group comes from: its own section, or the document's.

use std::fmt::Display;

use serde_json::Value;

use super::fault::Faults;

/// Finds the places of one group's settings in the merged source. It is asked only when there is something to
/// report, so that a good configuration pays nothing for its positions.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    source: &'a Value,
    group: Option<usize>,
    /// Whether what the group does not give is looked for in the document.
    falls_back: bool,
}

impl<'a> Origin<'a> {
    /// The document's own settings.
    pub(super) fn document(source: &'a Value) -> Self {
        Self { source, group: None, falls_back: true }
    }

    /// The settings of the group at `index` of the list.
    pub(super) fn group(source: &'a Value, index: usize) -> Self {
        Self { source, group: Some(index), falls_back: true }
    }

    /// The group's or the document's section alone, whichever gives the setting at `path`: where that is replaced as a whole,
    /// nothing within it comes from the other.
    pub(super) fn of_whole(self, path: &str) -> Self {
        match self.group.filter(|_| self.find(path).0 != format!("/{path}")) {
            Some(index) => Self { falls_back: false, ..Self::group(self.source, index) },
            None => Self::document(self.source),
        }
    }

    /// The pointer at which a setting stands, and the value there. `path` is relative, such as
    /// `replicas/min_replicas`; for one that is given nowhere, where it could be.
    pub(super) fn find(self, path: &str) -> (String, Option<&'a Value>) {
        let shared = format!("/{path}");
        let given = |pointer: &str| self.source.pointer(pointer).filter(|value| !value.is_null());
        if let Some(index) = self.group {
            let own = format!("/groups/{index}{shared}");
            let value = given(&own);
            if value.is_some() || !self.falls_back {
                return (own, value);
            }
        }
        let value = given(&shared);
        (shared, value)
    }

    /// Whether the setting is given, here or for all.
    pub(super) fn gives(self, path: &str) -> bool {
        self.find(path).1.is_some()
    }

    /// Whether what was read at all of `paths` can be relied on.
    pub(super) fn is_sound(self, paths: &[&str], faults: &Faults) -> bool {
        !paths.iter().any(|path| faults.touch(&self.find(path).0))
    }

    /// Whether nothing is wrong in a section, the group's or the document's: what is not given there may stand there under a
    /// wrong name, and is then not known to be left to its default.
    pub(super) fn is_flawless(self, section: &str, faults: &Faults) -> bool {
        let own = self.group.map(|index| format!("/groups/{index}/{section}"));
        let shared = self.falls_back.then(|| format!("/{section}"));
        !own.iter().chain(&shared).any(|pointer| faults.touch(pointer))
    }

    /// Whether a section has no keys but these, the group's and the document's. Any other may be a known one that was misspelt.
    pub(super) fn has_only(self, section: &str, keys: &[&str]) -> bool {
        let own = self.group.map(|index| format!("/groups/{index}/{section}"));
        let shared = self.falls_back.then(|| format!("/{section}"));
        let sections =
            own.iter().chain(&shared).filter_map(|pointer| self.source.pointer(pointer)?.as_object());
        sections.flat_map(|members| members.keys()).all(|key| keys.contains(&key.as_str()))
    }

    /// Reports an error at a setting.
    pub(super) fn error(
        self,
        path: &str,
        rule: impl Into<String>,
        fix: impl Into<String>,
        faults: &mut Faults,
    ) {
        let (pointer, value) = self.find(path);
        faults.error(&pointer, value, rule, fix);
    }

    /// Reports a warning at a setting.
    pub(super) fn warning(
        self,
        path: &str,
        rule: impl Into<String>,
        fix: impl Into<String>,
        faults: &mut Faults,
    ) {
        let (pointer, value) = self.find(path);
        faults.warning(&pointer, value, rule, fix);
    }

    /// Reports an error unless `low <= high`, at the lower of them that is given.
    pub(super) fn ordered<T: PartialOrd + Display>(
        self,
        (low_path, low): (&str, T),
        (high_path, high): (&str, T),
        faults: &mut Faults,
    ) {
        if low <= high || !self.is_sound(&[low_path, high_path], faults) {
            return;
        }
        let (low_key, high_key) = (last(low_path), last(high_path));
        if self.gives(low_path) {
            let rule = format!("must not be above {high_key} ({high}{})", self.note(high_path));
            self.error(low_path, rule, format!("lower {low_key} or raise {high_key}"), faults);
        } else {
            let rule = format!("must not be below {low_key} ({low}{})", self.note(low_path));
            self.error(high_path, rule, format!("raise {high_key} or give {low_key}"), faults);
        }
    }

    fn note(self, path: &str) -> &'static str {
        if self.gives(path) { "" } else { ", the default" }
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
