//! How the program ends when something went wrong: what it says, and the exit code that the help documents.

use std::io::Write;
use std::process::ExitCode;

use scaling::configuration::ConfigurationError;
use scaling::serve::ServeError;
use scaling_policy::config::{ConfigError, ConfigFault, Severity};
use scaling_policy::decision::counted;

/// Ended by Ctrl-C.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// The controller refused what was asked for: paused, kill switch, bounds, a running operation.
#[derive(Debug, thiserror::Error)]
#[error("refused: {0}")]
pub(crate) struct Refused(pub(crate) String);

/// Options that contradict each other in a way that the command line's grammar does not know.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Misused(pub(crate) &'static str);

/// The message has been written already; this is the exit code.
#[derive(Debug, thiserror::Error)]
#[error("ended with code {0}")]
pub(crate) struct Told(pub(crate) u8);

/// Writes the error and gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let code = code(error);
    if !error.is::<Interrupted>() && !error.is::<Told>() {
        let text = faults(error).unwrap_or_else(|| format!("scaling: {}", told(error)));
        // A reader that has gone away changes nothing about the exit code.
        let _ = writeln!(std::io::stderr(), "{text}");
    }
    ExitCode::from(code)
}

/// The error with its causes; those that an error before has told already are not told again.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = text + ": " + &cause;
        }
    }
    text
}

/// The documented exit codes.
fn code(error: &anyhow::Error) -> u8 {
    if let Some(Told(code)) = error.downcast_ref() {
        return *code;
    }
    if error.is::<Interrupted>() {
        return 130;
    }
    if error.is::<Refused>() {
        return 4;
    }
    if error.is::<Misused>() || matches!(error.downcast_ref(), Some(ServeError::Unprotected { .. })) {
        return 2;
    }
    let is_faulty = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<ConfigError>() || cause.downcast_ref().is_some_and(is_configuration)
    };
    if error.chain().any(is_faulty) { 3 } else { 1 }
}

/// A file that is too large is a faulty one; one that is not there is not.
fn is_configuration(error: &ConfigurationError) -> bool {
    !matches!(error, ConfigurationError::File { .. })
}

/// The faults of a configuration, a paragraph each.
fn faults(error: &anyhow::Error) -> Option<String> {
    let ConfigurationError::Faults { path, source } = error.downcast_ref()? else { return None };
    let of = |severity: Severity| source.faults.iter().filter(move |fault| fault.severity == severity);
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let errors = count(of(Severity::Error).count() + source.omitted);
    let warnings = count(of(Severity::Warning).count());
    let mut text = format!("{} has {}", path.display(), counted(errors, "fault", "faults"));
    if warnings > 0 {
        text = text + " and " + &counted(warnings, "warning", "warnings");
    }
    for fault in &source.faults {
        text.push_str("\n\n");
        text.push_str(&paragraph(fault));
    }
    if source.omitted > 0 {
        text = text + "\n\nand " + &source.omitted.to_string() + " more";
    }
    Some(text)
}

/// One finding: where and what, which rule, and how to put it right.
pub(crate) fn paragraph(fault: &ConfigFault) -> String {
    let value = if fault.value.is_empty() { String::new() } else { format!(" = {}", fault.value) };
    format!("{}: {}{value}\n  {}\n  fix: {}", fault.severity, fault.place(), fault.rule, fault.fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let missing = scaling::configuration::load("no/such/file.json".as_ref(), None);
        let text = told(&anyhow::Error::new(missing.unwrap_err()));
        assert_eq!(text.matches("os error 2").count(), 1, "{text}");
        let outer = anyhow::anyhow!("the disk is full").context("cannot write the report");
        assert_eq!(told(&outer), "cannot write the report: the disk is full");
    }

    #[test]
    fn exit_codes_are_the_documented_ones() {
        let faulty =
            scaling::configuration::parse("x.json".as_ref(), b"{", &scaling_policy::config::Layers::none());
        let missing = scaling::configuration::load("no/such/file.json".as_ref(), None);
        for (error, expected) in [
            (anyhow::anyhow!("a cloud call failed"), 1),
            (anyhow::Error::new(faulty.unwrap_err()), 3),
            (anyhow::Error::new(missing.unwrap_err()), 1),
            (anyhow::Error::new(Refused("paused".to_owned())).context("scale"), 4),
            (anyhow::Error::new(Interrupted), 130),
        ] {
            assert_eq!(code(&error), expected, "{error:#}");
        }
    }
}
