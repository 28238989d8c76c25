//! `scaling doctor`: what keeps the controller from working, and what to do about it.
//!
//! - [`checks`]: what is looked at, in the order in which one thing needs the other
//! - [`held`]: what people have set, or not set up
//! - [`past`]: what the metrics and operations of the last days show
//! - [`advice`]: what an error of a call means to somebody who has to mend it

mod advice;
mod checks;
mod held;
mod past;

use anyhow::Result;
use serde::Serialize;

use crate::arguments::DoctorArguments;
use crate::failure::Told;
use crate::output;

/// How one check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Good,
    Warning,
    Wrong,
    /// Another check has to come out well first, or it does not apply.
    Skipped,
}

impl Verdict {
    const fn mark(self) -> &'static str {
        match self {
            Self::Good => "ok     ",
            Self::Warning => "warning",
            Self::Wrong => "WRONG  ",
            Self::Skipped => "skipped",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    /// What.
    name: String,
    verdict: Verdict,
    /// What was seen.
    detail: String,
    /// What to do; empty where there is nothing to do.
    fix: String,
}

impl Check {
    fn good(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::of(Verdict::Good, name, detail, "")
    }

    fn skipped(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::of(Verdict::Skipped, name, detail, "")
    }

    fn of(
        verdict: Verdict,
        name: impl Into<String>,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { name: name.into(), verdict, detail: detail.into(), fix: fix.into() }
    }
}

/// Looks at everything, and ends with 1 where something is wrong.
pub(crate) async fn doctor(arguments: &DoctorArguments) -> Result<()> {
    let checks = checks::all(arguments).await;
    let wrong = checks.iter().filter(|check| check.verdict == Verdict::Wrong).count();
    let warnings = checks.iter().filter(|check| check.verdict == Verdict::Warning).count();
    if arguments.json {
        output::json(&serde_json::json!({"checks": checks, "wrong": wrong, "warnings": warnings}))?;
    } else {
        for check in &checks {
            output::line(format_args!("{}  {}: {}", check.verdict.mark(), check.name, check.detail))?;
            if !check.fix.is_empty() {
                output::line(format_args!("         fix: {}", check.fix))?;
            }
        }
        output::line(match (wrong, warnings) {
            (0, 0) => "\nNothing is wrong.".to_owned(),
            (wrong, warnings) => format!("\n{wrong} wrong, {warnings} to look at."),
        })?;
    }
    if wrong > 0 { Err(Told(1).into()) } else { Ok(()) }
}
