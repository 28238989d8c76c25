//! Which programs may be run.
//!
//! A configuration also comes over the REST interface and from the store. Whoever may write one decides over groups, and
//! is not by that a user of this machine: programs are run only where the configuration that the process was started
//! with has the same argument lists.

use std::collections::HashSet;
use std::sync::Arc;

use scaling_control::PortError;
use scaling_policy::config::{GroupConfig, GroupName, ProgramSet};

/// The argument lists of the configuration that the process was started with.
#[derive(Debug, Clone, Default)]
pub struct AllowedPrograms(Arc<HashSet<Vec<String>>>);

impl AllowedPrograms {
    /// Those of these groups.
    pub fn of(groups: &[Arc<GroupConfig>]) -> Self {
        let sets = groups.iter().filter_map(|group| group.programs.as_ref());
        Self(Arc::new(sets.flat_map(ProgramSet::lists).cloned().collect()))
    }

    /// The programs of a group, if all of them may be run.
    ///
    /// # Errors
    /// A group without programs, or with others than were there at the start.
    pub(super) fn of_group<'a>(
        &self,
        group: &'a GroupConfig,
        operation: &'static str,
    ) -> Result<&'a ProgramSet, PortError> {
        let name = &group.name;
        let Some(programs) = &group.programs else {
            let message =
                format!("group {name} names no programs; add `programs` to it in the configuration");
            return Err(PortError::Invalid { operation, message });
        };
        match self.refused(programs) {
            None => Ok(programs),
            Some(list) => Err(PortError::Invalid {
                operation,
                message: format!(
                    "group {name} names a program that the configuration file of this process does not: {list:?}. A \
                     configuration that came later brings no new command; put it into the file and start anew"
                ),
            }),
        }
    }

    /// Those of the groups that name a program which may not be run.
    pub(super) fn refused_of(&self, groups: &[Arc<GroupConfig>]) -> Vec<GroupName> {
        let is_refused = |group: &&Arc<GroupConfig>| {
            group.programs.as_ref().is_some_and(|programs| self.refused(programs).is_some())
        };
        groups.iter().filter(is_refused).map(|group| group.name.clone()).collect()
    }

    fn refused<'a>(&self, programs: &'a ProgramSet) -> Option<&'a Vec<String>> {
        programs.lists().into_iter().find(|list| !self.0.contains(*list))
    }
}

#[cfg(test)]
mod tests {
    use scaling_policy::config::{Config, Layers};

    use super::*;

    fn config(apply: &str) -> Config {
        let file = format!(
            r#"{{"mode": "horizontal", "groups": [{{"name": "pool", "platform": "standalone", "programs":
                {{"describe": ["pool", "describe"], "apply": ["pool", "{apply}"], "metrics": ["pool", "metrics"]}}}}]}}"#
        );
        Config::parse(file.as_bytes(), &Layers::none()).unwrap().config
    }

    #[test]
    fn only_programs_that_were_there_at_the_start_are_run() {
        let started = config("apply");
        let allowed = AllowedPrograms::of(&started.groups);
        assert!(allowed.of_group(&started.groups[0], "apply").is_ok());
        let later = config("something-else");
        let refusal = allowed.of_group(&later.groups[0], "describe").unwrap_err().to_string();
        assert!(refusal.contains("something-else") && refusal.contains("start anew"), "{refusal}");
        let refusal = AllowedPrograms::default().of_group(&started.groups[0], "describe");
        assert!(refusal.is_err(), "a process that was started without programs runs none");
    }

    #[test]
    fn what_is_refused_goes_by_the_argument_lists_alone() {
        let started = config("apply");
        let allowed = AllowedPrograms::of(&started.groups);
        let mut group = GroupConfig::clone(&started.groups[0]);
        group.name = GroupName::new("renamed");
        if let Some(programs) = &mut group.programs {
            programs.timeout += std::time::Duration::from_secs(5);
        }
        assert_eq!(allowed.refused_of(&[Arc::new(group)]), []);
        assert_eq!(allowed.refused_of(&config("other").groups), ["pool".into()]);
        let without = GroupConfig::with_defaults("web");
        assert_eq!(AllowedPrograms::default().refused_of(&[Arc::new(without)]), []);
    }
}
