//! What is wrong with a configuration: every fault with where it stands, what stands there, which rule it
//! breaks and how to put it right. Reading goes on after a fault, so that one attempt shows them all.

use std::fmt;

use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

use super::values::UNQUOTED;

/// One fault or warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigFault {
    /// Where, as a JSON pointer (RFC 6901) into the merged source; empty for the whole document.
    pub pointer: String,
    /// The name of the group in whose section that is: nobody counts to 417 in a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// What stands there, as JSON, shortened to [`ConfigFault::MAX_VALUE`] characters; empty where nothing does.
    pub value: String,
    /// The rule it breaks, as a sentence about the value: "must be ...".
    pub rule: String,
    /// What to do about it.
    pub fix: String,
    /// Whether the configuration can be used in spite of it.
    pub severity: Severity,
}

impl ConfigFault {
    /// How many characters of a value a fault shows.
    pub const MAX_VALUE: usize = 60;

    /// Where it is, for people: the pointer, and the group's name where it lies within one.
    pub fn place(&self) -> String {
        let pointer = if self.pointer.is_empty() { "(document)" } else { &self.pointer };
        match &self.group {
            Some(group) => format!("{pointer} ({group})"),
            None => pointer.to_owned(),
        }
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.place())?;
        if !self.value.is_empty() {
            write!(f, " = {}", self.value)?;
        }
        write!(f, ": {}; {}", self.rule, self.fix)
    }
}

/// Whether a configuration can be used in spite of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No: nothing of the configuration is used.
    Error,
    /// Yes, but somebody should look.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// A configuration that cannot be used, with everything that was found: its `Display` has one line for each.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
pub struct ConfigError {
    /// Errors and warnings in the order in which they were found; at least one is an error.
    pub faults: Vec<ConfigFault>,
    /// How many more there are than the [`ConfigError::MAX_FAULTS`] that are listed.
    pub omitted: usize,
}

impl ConfigError {
    /// How many findings are listed; the rest is counted.
    pub const MAX_FAULTS: usize = 1000;
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{fault}")?;
        }
        if self.omitted > 0 {
            write!(f, "\nand {} more", self.omitted)?;
        }
        Ok(())
    }
}

/// A place in the source. It lives on the stack while the source is walked and becomes text only in a fault.
#[derive(Clone, Copy)]
pub(super) enum Path<'a> {
    /// The document.
    Root,
    /// A member of an object.
    Key(&'a Path<'a>, &'a str),
    /// An element of an array.
    Index(&'a Path<'a>, usize),
}

impl Path<'_> {
    pub(super) fn key<'a>(&'a self, key: &'a str) -> Path<'a> {
        Path::Key(self, key)
    }

    pub(super) fn index(&self, index: usize) -> Path<'_> {
        Path::Index(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(parent, key) => write!(f, "{parent}/{}", key.replace('~', "~0").replace('/', "~1")),
            Self::Index(parent, index) => write!(f, "{parent}/{index}"),
        }
    }
}

/// Collects findings while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Faults {
    list: Vec<ConfigFault>,
    omitted: usize,
    errors: usize,
}

impl Faults {
    /// Adds an error.
    pub(super) fn error(
        &mut self,
        at: &dyn fmt::Display,
        value: Option<&Value>,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.errors += 1;
        self.push(at, value, rule.into(), fix.into(), Severity::Error);
    }

    /// Adds a warning.
    pub(super) fn warning(
        &mut self,
        at: &dyn fmt::Display,
        value: Option<&Value>,
        rule: impl Into<String>,
        fix: impl Into<String>,
    ) {
        self.push(at, value, rule.into(), fix.into(), Severity::Warning);
    }

    fn push(
        &mut self,
        at: &dyn fmt::Display,
        value: Option<&Value>,
        rule: String,
        fix: String,
        severity: Severity,
    ) {
        if self.list.len() >= ConfigError::MAX_FAULTS {
            self.omitted += 1;
            return;
        }
        let value = value.map(shortened).unwrap_or_default();
        let fault = ConfigFault { pointer: at.to_string(), group: None, value, rule, fix, severity };
        // A shared section is checked with every group it applies to, and is wrong only once.
        if !self.list.contains(&fault) {
            self.list.push(fault);
        }
    }

    /// Whether there is room for another finding; where not, nobody needs to look for its explanation.
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= ConfigError::MAX_FAULTS
    }

    /// Whether an error stands at `pointer`, at something that contains it or in something within it, so that
    /// what was read there says nothing.
    pub(super) fn touch(&self, pointer: &str) -> bool {
        self.list.iter().any(|fault| {
            fault.severity == Severity::Error
                && (contains(&fault.pointer, pointer) || contains(pointer, &fault.pointer))
        })
    }

    /// Names the environment variable behind each finding that stands where one wrote. Its text has no quotes to leave out:
    /// what is no JSON was taken for text.
    pub(super) fn name_variables(&mut self, variables: &[(String, String)]) {
        for fault in &mut self.list {
            if let Some((variable, _)) = variables.iter().find(|(_, pointer)| *pointer == fault.pointer) {
                if fault.fix == UNQUOTED {
                    "write a number".clone_into(&mut fault.fix);
                }
                fault.fix.push_str(" (set by the environment variable ");
                fault.fix.push_str(variable);
                fault.fix.push(')');
            }
        }
    }

    /// Names the group of each finding within a group's section of the document.
    pub(super) fn name_groups(&mut self, source: &Value) {
        for fault in &mut self.list {
            let index = fault.pointer.strip_prefix("/groups/").and_then(|rest| rest.split('/').next());
            let name = index.and_then(|index| source.pointer(&format!("/groups/{index}/name"))?.as_str());
            fault.group = name.map(|name| name.chars().take(ConfigFault::MAX_VALUE).collect());
        }
    }

    /// The warnings, or the error when there is one.
    pub(super) fn finish(self) -> Result<Vec<ConfigFault>, ConfigError> {
        if self.errors == 0 {
            Ok(self.list)
        } else {
            Err(ConfigError { faults: self.list, omitted: self.omitted })
        }
    }
}

/// Whether the place `inner` is `outer` or lies within it.
fn contains(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A value as JSON, cut to a length that fits a line.
fn shortened(value: &Value) -> String {
    const MAX: usize = ConfigFault::MAX_VALUE;
    // A container is cut by its kind and size: writing a large one out to keep 60 characters is waste.
    let text = match value {
        Value::Array(items) if items.len() > MAX => format!("[... {} elements]", items.len()),
        Value::Object(members) if members.len() > MAX => format!("{{... {} members}}", members.len()),
        _ => value.to_string(),
    };
    match text.char_indices().nth(MAX - 3) {
        Some((cut, _)) if text.chars().count() > MAX => format!("{}...", &text[..cut]),
        _ => text,
    }
}
