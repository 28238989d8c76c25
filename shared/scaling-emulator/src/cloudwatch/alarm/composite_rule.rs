//! Rules of composite alarms: `ALARM`, `OK` and `INSUFFICIENT_DATA` of other alarms, joined by `AND`, `OR` and `NOT`.

use serde::{Deserialize, Serialize};

use super::StateValue;

/// Deepest nesting read.
const MAX_DEPTH: usize = 50;

/// Most alarms of one rule.
pub const MAX_CHILDREN: usize = 100;

/// A rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Rule {
    /// `TRUE` or `FALSE`.
    Constant(bool),
    /// An alarm, by name or ARN, is in a state.
    Is(StateValue, String),
    /// Not.
    Not(Box<Rule>),
    /// Both.
    And(Box<Rule>, Box<Rule>),
    /// One of both.
    Or(Box<Rule>, Box<Rule>),
}

impl Rule {
    /// Whether it holds, where `state` tells the states of alarms; one that does not exist is in none.
    pub fn holds(&self, state: &impl Fn(&str) -> Option<StateValue>) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::Is(wanted, alarm) => state(alarm) == Some(*wanted),
            Self::Not(rule) => !rule.holds(state),
            Self::And(left, right) => left.holds(state) && right.holds(state),
            Self::Or(left, right) => left.holds(state) || right.holds(state),
        }
    }

    /// The alarms that it names.
    pub fn children(&self) -> Vec<&str> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Is(_, alarm) => vec![alarm],
            Self::Not(rule) => rule.children(),
            Self::And(left, right) | Self::Or(left, right) => {
                let mut all = left.children();
                all.extend(right.children());
                all
            }
        }
    }
}

/// The name in an alarm's ARN, or the name itself.
pub fn name_of(alarm: &str) -> &str {
    match alarm.split_once(":alarm:") {
        Some((arn, name)) if arn.starts_with("arn:") => name,
        _ => alarm,
    }
}

/// Reads a rule.
///
/// # Errors
/// What cannot be read, for people.
pub fn parse(text: &str) -> Result<Rule, String> {
    let mut parser = Parser { rest: text, depth: 0 };
    let rule = parser.any()?;
    match parser.rest.trim() {
        "" if rule.children().len() > MAX_CHILDREN => Err(format!("more than {MAX_CHILDREN} alarms")),
        "" => Ok(rule),
        rest => Err(format!("unexpected '{rest}'")),
    }
}

struct Parser<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Rule, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("nested too deeply".to_owned());
        }
        let mut left = self.all()?;
        while self.word("OR") {
            left = Rule::Or(Box::new(left), Box::new(self.all()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn all(&mut self) -> Result<Rule, String> {
        let mut left = self.one()?;
        while self.word("AND") {
            left = Rule::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Rule, String> {
        let mut negated = false;
        while self.word("NOT") {
            negated = !negated;
        }
        let rule = self.term()?;
        Ok(if negated { Rule::Not(Box::new(rule)) } else { rule })
    }

    fn term(&mut self) -> Result<Rule, String> {
        if self.sign('(') {
            let inside = self.any()?;
            return if self.sign(')') { Ok(inside) } else { Err("a parenthesis is not closed".to_owned()) };
        }
        for (word, value) in [("TRUE", true), ("FALSE", false)] {
            if self.word(word) {
                return Ok(Rule::Constant(value));
            }
        }
        for state in [StateValue::Alarm, StateValue::Ok, StateValue::InsufficientData] {
            if self.word(state.name()) {
                if !self.sign('(') {
                    return Err(format!("{} needs an alarm in parentheses", state.name()));
                }
                return Ok(Rule::Is(state, self.alarm()?.to_owned()));
            }
        }
        Err(match self.rest.trim() {
            "" => "unexpected end".to_owned(),
            rest => format!("unexpected '{rest}'"),
        })
    }

    /// An alarm's name, quoted or not, with the parenthesis behind it.
    fn alarm(&mut self) -> Result<&'a str, String> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|c| *c == '"' || *c == '\'');
        let (name, after) = match quote {
            Some(quote) => rest.get(1..).and_then(|rest| rest.split_once(quote)),
            None => rest.find(')').and_then(|end| Some((rest.get(..end)?.trim(), rest.get(end..)?))),
        }
        .ok_or("an alarm's name is not closed")?;
        self.rest = after;
        if name.is_empty() || !self.sign(')') {
            return Err("an alarm's name is missing or not closed".to_owned());
        }
        Ok(name)
    }

    fn sign(&mut self, wanted: char) -> bool {
        let found = self.rest.trim_start().strip_prefix(wanted);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    /// A whole word, in capitals or not.
    fn word(&mut self, wanted: &str) -> bool {
        let rest = self.rest.trim_start();
        let (Some(start), Some(after)) = (rest.get(..wanted.len()), rest.get(wanted.len()..)) else {
            return false;
        };
        let ends = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if start.eq_ignore_ascii_case(wanted) && ends {
            self.rest = after;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(rule: &str) -> bool {
        parse(rule).unwrap().holds(&|name| match name {
            "on" | "with space" => Some(StateValue::Alarm),
            "off" => Some(StateValue::Ok),
            "new" => Some(StateValue::InsufficientData),
            _ => None,
        })
    }

    #[test]
    fn rules_hold_by_the_states_of_their_alarms() {
        for (rule, expected) in [
            ("ALARM(on)", true),
            ("ALARM(off) OR OK(off)", true),
            ("ALARM(on) AND NOT OK(off)", false),
            ("alarm(\"with space\") and INSUFFICIENT_DATA('new')", true),
            ("NOT (ALARM(on) OR TRUE)", false),
            ("ALARM(off) AND ALARM(off) OR ALARM(on)", true),
            ("ALARM(gone) OR OK(gone) OR INSUFFICIENT_DATA(gone)", false),
            ("FALSE", false),
        ] {
            assert_eq!(holds(rule), expected, "{rule}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for text in [
            "",
            "ALARM",
            "ALARM()",
            "ALARM(a",
            "ALARM(a) OK(b)",
            "AND TRUE",
            "(TRUE",
            "ALARMS(a)",
            "MAYBE(a)",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "(ALARM|OK|AND|OR|NOT|[()\"' aü]){0,60}", open in "[(]{0,300}") {
            let _ = parse(&text);
            let _ = parse(&open);
        }
    }
}
