//! Rules of composite alarms: `ALARM`, `OK` and `INSUFFICIENT_DATA` of other alarms, joined by `AND`, `OR` and `NOT`, and
//! `AT_LEAST(n or p%, STATE or NOT STATE, (alarm, ...))`, whose form the CDK's `AtLeastOptions` writes as well.

use serde::{Deserialize, Serialize};

use super::StateValue;

/// Deepest nesting read.
const MAX_DEPTH: usize = 50;

/// Most alarms of one rule.
pub const MAX_CHILDREN: usize = 100;

/// How many of some alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Least {
    /// So many.
    Count(usize),
    /// So many of a hundred.
    Percent(usize),
}

impl Least {
    fn is_met(self, by: usize, of: usize) -> bool {
        match self {
            Self::Count(count) => by >= count,
            Self::Percent(percent) => by * 100 >= percent * of,
        }
    }
}

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
    /// At least so many of some alarms, by name or ARN, are in a state, or are not.
    AtLeast {
        /// How many.
        least: Least,
        /// The state.
        state: StateValue,
        /// Whether it is the one that they are not in.
        not: bool,
        /// The alarms.
        alarms: Vec<String>,
    },
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
            Self::AtLeast { least, state: wanted, not, alarms } => {
                let counts = |alarm: &&String| (state(alarm) == Some(*wanted)) != *not;
                least.is_met(alarms.iter().filter(counts).count(), alarms.len())
            }
        }
    }

    /// The alarms that it names.
    pub fn children(&self) -> Vec<&str> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Is(_, alarm) => vec![alarm],
            Self::AtLeast { alarms, .. } => alarms.iter().map(String::as_str).collect(),
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

const UNCLOSED: &str = "an alarm's name is missing or not closed";

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
        if self.word("AT_LEAST") {
            return self.at_least();
        }
        if let Some(state) = self.state() {
            if !self.sign('(') {
                return Err(format!("{} needs an alarm in parentheses", state.name()));
            }
            let alarm = self.alarm()?.to_owned();
            return if self.sign(')') { Ok(Rule::Is(state, alarm)) } else { Err(UNCLOSED.to_owned()) };
        }
        Err(match self.rest.trim() {
            "" => "unexpected end".to_owned(),
            rest => format!("unexpected '{rest}'"),
        })
    }

    fn state(&mut self) -> Option<StateValue> {
        let states = [StateValue::Alarm, StateValue::Ok, StateValue::InsufficientData];
        states.into_iter().find(|state| self.word(state.name()))
    }

    /// What is behind `AT_LEAST`.
    fn at_least(&mut self) -> Result<Rule, String> {
        const FORM: &str = "AT_LEAST needs a number or a percentage, a state and a list of alarms";
        let sign = |parser: &mut Self, wanted| if parser.sign(wanted) { Ok(()) } else { Err(FORM) };
        sign(self, '(')?;
        let least = self.least().ok_or(FORM)?;
        sign(self, ',')?;
        let not = self.word("NOT");
        let state = self.state().ok_or(FORM)?;
        sign(self, ',')?;
        sign(self, '(')?;
        let mut alarms = vec![self.alarm()?.to_owned()];
        while self.sign(',') {
            alarms.push(self.alarm()?.to_owned());
        }
        sign(self, ')')?;
        sign(self, ')')?;
        match least {
            Least::Count(count) if !(1..=alarms.len()).contains(&count) => {
                Err(format!("AT_LEAST must have a number from 1 to that of its alarms, {}", alarms.len()))
            }
            Least::Percent(percent) if !(1..=100).contains(&percent) => {
                Err("AT_LEAST must have a percentage from 1 to 100".to_owned())
            }
            least => Ok(Rule::AtLeast { least, state, not, alarms }),
        }
    }

    fn least(&mut self) -> Option<Least> {
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(end)?;
        self.rest = after;
        let number = number.parse().ok()?;
        Some(if self.sign('%') { Least::Percent(number) } else { Least::Count(number) })
    }

    /// An alarm's name, quoted or not.
    fn alarm(&mut self) -> Result<&'a str, String> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|c| *c == '"' || *c == '\'');
        let (name, after) = match quote {
            Some(quote) => rest.get(1..).and_then(|rest| rest.split_once(quote)),
            None => rest.find([')', ',']).and_then(|end| Some((rest.get(..end)?.trim(), rest.get(end..)?))),
        }
        .ok_or("an alarm's name is not closed")?;
        self.rest = after;
        if name.is_empty() { Err(UNCLOSED.to_owned()) } else { Ok(name) }
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
            ("AT_LEAST(1, ALARM, (on, off, new))", true),
            ("AT_LEAST(2, ALARM, (on, off, new))", false),
            ("AT_LEAST(2, NOT ALARM, (on, \"off\", new))", true),
            ("AT_LEAST(66%, NOT ALARM, (on, off, new))", true),
            ("AT_LEAST(67%, NOT ALARM, (on, off, new))", false),
            ("at_least(100%, ok, (off)) AND NOT AT_LEAST(1, INSUFFICIENT_DATA, (on, 'with space'))", true),
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
            "AT_LEAST(0, ALARM, (a))",
            "AT_LEAST(2, ALARM, (a))",
            "AT_LEAST(101%, ALARM, (a))",
            "AT_LEAST(1, ALARM, ())",
            "AT_LEAST(1, ALARM, a)",
            "AT_LEAST(1, MAYBE, (a))",
            "AT_LEAST(, ALARM, (a))",
            "AT_LEAST(1, ALARM, (a)",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "(ALARM|OK|AND|OR|NOT|AT_LEAST|[()\"' aü,%1]){0,60}", open in "[(]{0,300}") {
            let _ = parse(&text);
            let _ = parse(&open);
        }
    }
}
