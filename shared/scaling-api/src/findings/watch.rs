//! Findings as log lines under `scaling::validator`: written when they appear, change or go away, and not again with every
//! evaluation. A figure that moves within a sentence is no change.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scaling_control::{GroupOutcome, Outcome, TickReport};
use scaling_policy::config::{Config, ConfigVersion, GroupName, Severity};
use tokio::sync::Mutex;

use super::Finding;
use crate::routes::look_over;
use crate::state::ApiState;

/// How often a group is looked over: some findings need calls beyond those of an evaluation.
const EVERY: SignedDuration = SignedDuration::from_mins(5);

/// The code of what was found in a group that could not be looked at, which says nothing of its other findings.
const UNREADABLE: &str = "unreadable";

/// Looks over the evaluations of one process. Cloning gives another handle on the same memory.
#[derive(Debug, Clone)]
pub struct FindingsWatch {
    state: ApiState,
    known: Arc<Mutex<Known>>,
}

#[derive(Debug, Default)]
struct Known {
    version: Option<ConfigVersion>,
    looked: HashMap<GroupName, Timestamp>,
    lines: Vec<Line>,
}

/// A finding as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    /// The group; a JSON pointer into the configuration.
    place: String,
    code: &'static str,
    severity: Severity,
    text: String,
}

/// The code of findings about the configuration itself.
const CONFIGURATION: &str = "configuration";

impl Line {
    fn of(finding: &Finding) -> Self {
        let Finding { group, code, severity, detail, fix, .. } = finding;
        Self { place: group.clone(), code, severity: *severity, text: format!("{detail}; {fix}") }
    }

    fn is_about_the_same_as(&self, other: &Self) -> bool {
        (&self.place, self.code) == (&other.place, other.code)
    }

    /// The same, but for figures.
    fn says_what(&self, other: &Self) -> bool {
        let words = |line: &Self| line.text.replace(|letter: char| letter.is_ascii_digit(), "");
        self.is_about_the_same_as(other) && self.severity == other.severity && words(self) == words(other)
    }
}

/// What is new of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    Found,
    Changed,
    Gone,
}

impl FindingsWatch {
    /// One that has seen nothing yet.
    pub fn new(state: ApiState) -> Self {
        Self { state, known: Arc::default() }
    }

    /// Looks at the configuration in force, where that is another than before.
    pub async fn look_at_configuration(&self) {
        self.configuration(&mut *self.known.lock().await);
    }

    /// Looks over what was evaluated, where that is due. While an earlier look is still under way it does nothing.
    pub async fn look(&self, report: &TickReport) {
        let Ok(mut known) = self.known.try_lock() else { return };
        self.configuration(&mut known);
        let now = self.state.now();
        let config = self.state.control().config();
        let configured: BTreeSet<&str> = config.groups.iter().map(|group| group.name.as_str()).collect();
        known.looked.retain(|name, _| configured.contains(name.as_str()));
        let is_due = |outcome: &&GroupOutcome| {
            known.looked.get(&outcome.config.name).is_none_or(|looked| now >= *looked + EVERY)
        };
        let due: Vec<&GroupOutcome> = report.outcomes.iter().filter(is_due).collect();
        if due.is_empty() {
            return;
        }
        known.looked.extend(due.iter().map(|outcome| (outcome.config.name.clone(), now)));
        match look_over(&self.state, &due).await {
            Ok(found) => {
                let lines = of_groups(&known.lines, &found, &due, &configured);
                known.take(lines, |line| line.code != CONFIGURATION);
            }
            Err(error) => {
                tracing::warn!(target: "scaling::integration", %error, "the groups could not be looked over");
            }
        }
    }

    fn configuration(&self, known: &mut Known) {
        let config = self.state.control().config();
        if known.version == Some(config.version) {
            return;
        }
        known.version = Some(config.version);
        let faults = match Config::from_source(config.source().clone()) {
            Ok(loaded) => loaded.warnings,
            Err(error) => error.faults,
        };
        let line = |fault: &scaling_policy::config::ConfigFault| Line {
            place: fault.place(),
            code: CONFIGURATION,
            severity: fault.severity,
            text: format!("{}; {}", fault.rule, fault.fix),
        };
        known.take(faults.iter().map(line).collect(), |line| line.code == CONFIGURATION);
    }
}

impl Known {
    /// Writes what is new among the lines of a kind, and remembers them.
    fn take(&mut self, found: Vec<Line>, of_kind: impl Fn(&Line) -> bool) {
        let (before, mut others): (Vec<Line>, Vec<Line>) =
            self.lines.drain(..).partition(|line| of_kind(line));
        for (news, line) in news(&before, &found) {
            write(news, line);
        }
        others.extend(found);
        self.lines = others;
    }
}

/// The lines of all groups of the configuration. What was known of a group that was not looked at now, or could not be, is
/// still held to be so.
fn of_groups(
    known: &[Line],
    found: &[Finding],
    looked_at: &[&GroupOutcome],
    configured: &BTreeSet<&str>,
) -> Vec<Line> {
    let outcome = |place: &str| looked_at.iter().find(|outcome| outcome.config.name.as_str() == place);
    let still_holds = |line: &&Line| match outcome(&line.place).map(|outcome| &outcome.result) {
        None => configured.contains(line.place.as_str()),
        Some(Outcome::Busy | Outcome::Failed(_)) => line.code != UNREADABLE,
        Some(Outcome::Decided(_) | Outcome::NotFound) => false,
    };
    let kept = known.iter().filter(|line| line.code != CONFIGURATION).filter(still_holds);
    kept.cloned().chain(found.iter().map(Line::of)).collect()
}

fn news<'a>(before: &'a [Line], now: &'a [Line]) -> Vec<(News, &'a Line)> {
    let missing_in = |lines: &[Line], line: &Line| !lines.iter().any(|other| other.says_what(line));
    let appeared: Vec<&Line> = now.iter().filter(|line| missing_in(before, line)).collect();
    let vanished: Vec<&Line> = before.iter().filter(|line| missing_in(now, line)).collect();
    let among = |lines: &[&Line], line: &Line| lines.iter().any(|other| other.is_about_the_same_as(line));
    let new =
        appeared.iter().map(|line| (if among(&vanished, line) { News::Changed } else { News::Found }, *line));
    let gone = vanished.iter().filter(|line| !among(&appeared, line)).map(|line| (News::Gone, *line));
    new.chain(gone).collect()
}

fn write(news: News, line: &Line) {
    let Line { place, code, severity, text } = line;
    match news {
        News::Found => {
            tracing::warn!(target: "scaling::validator", place, code, %severity, "found: {text}");
        }
        News::Changed => {
            tracing::warn!(target: "scaling::validator", place, code, %severity, "changed: {text}");
        }
        News::Gone => {
            tracing::info!(target: "scaling::validator", place, code, %severity, "gone: {text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(place: &str, severity: Severity, text: &str) -> Line {
        Line { place: place.to_owned(), code: "target_missed", severity, text: text.to_owned() }
    }

    fn told<'a>(before: &'a [Line], now: &'a [Line]) -> Vec<(News, &'a str)> {
        news(before, now).into_iter().map(|(news, line)| (news, line.text.as_str())).collect()
    }

    #[test]
    fn a_finding_is_told_when_it_appears_and_when_it_goes_and_not_in_between() {
        let high = [line("web", Severity::Warning, "cpu_usage is at 112 %")];
        assert_eq!(told(&[], &high), [(News::Found, "cpu_usage is at 112 %")]);
        assert_eq!(told(&high, &high), []);
        assert_eq!(told(&high, &[]), [(News::Gone, "cpu_usage is at 112 %")]);
    }

    #[test]
    fn a_figure_that_moves_is_no_change() {
        let [one, other] = ["at 112 %", "at 97 %"].map(|text| [line("web", Severity::Warning, text)]);
        assert_eq!(told(&one, &other), []);
    }

    #[test]
    fn a_worse_severity_and_other_words_are_a_change_and_another_group_is_another_finding() {
        let before = [line("web", Severity::Warning, "cpu_usage is high")];
        let worse = [line("web", Severity::Error, "cpu_usage is high, and no more may be added")];
        assert_eq!(told(&before, &worse), [(News::Changed, "cpu_usage is high, and no more may be added")]);
        let other = [before[0].clone(), line("api", Severity::Warning, "cpu_usage is high")];
        assert_eq!(told(&before, &other), [(News::Found, "cpu_usage is high")]);
    }

    #[test]
    fn of_two_findings_of_a_kind_one_may_go_alone() {
        let [one, other] =
            ["a policy acts", "a schedule acts"].map(|text| line("web", Severity::Warning, text));
        assert_eq!(told(&[one.clone(), other], &[one]), [(News::Gone, "a schedule acts")]);
    }
}
