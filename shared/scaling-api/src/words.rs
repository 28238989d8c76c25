//! What is wrong with the form of a body or a query, in words for people: the deserializer speaks of types that only this
//! program knows.

use serde_json::Value;

/// Most characters of a value that is shown.
const SHOWN: usize = 60;

/// A member of a body, or a parameter of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Of a body, which is an object.
    Member,
    /// Of a query.
    Parameter,
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Parameter => "parameter",
        }
    }
}

/// What is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The name that it is about; empty for the whole.
    pub(crate) name: String,
    /// A sentence.
    pub(crate) sentence: String,
}

/// What the deserializer complains of in `name`, where it stands at `given`.
pub(crate) fn fault(place: Place, name: &str, complaint: &str, given: Option<&Value>) -> Fault {
    let complaint = complaint.rsplit_once(" at line ").map_or(complaint, |(before, _)| before);
    let word = place.word();
    let of = |name: &str, sentence: String| Fault { name: name.to_owned(), sentence };
    if let Some(missing) = quoted_after(complaint, "missing field") {
        return of(missing, format!("the {word} {missing} is missing"));
    }
    if let Some(twice) = quoted_after(complaint, "duplicate field") {
        return of(twice, format!("{twice} is given twice"));
    }
    if let Some(unknown) = quoted_after(complaint, "unknown field") {
        let others = all_quoted(complaint).split_off(1);
        let known = match others.as_slice() {
            [] => format!("it takes no {word}s"),
            known => format!("it takes {}", known.join(", ")),
        };
        return of(unknown, format!("there is no {word} {unknown}; {known}"));
    }
    let subject = if name.is_empty() { "the body" } else { name };
    let given = given.map_or_else(String::new, |given| format!(", not {}", shown(given)));
    of(name, format!("{subject} must be {}{given}", wanted(place, complaint)))
}

/// What stands in back quotes behind a beginning.
fn quoted_after<'a>(complaint: &'a str, beginning: &str) -> Option<&'a str> {
    complaint.strip_prefix(beginning)?.split('`').nth(1)
}

fn all_quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// What the deserializer expected.
fn wanted(place: Place, complaint: &str) -> String {
    if HALF_CHARACTERS.iter().any(|beginning| complaint.starts_with(beginning)) {
        return "text without halves of characters such as \\ud800".to_owned();
    }
    // Where a number is wanted the body says which; what is left takes text.
    if complaint.starts_with("number out of range") {
        return "text".to_owned();
    }
    let Some((_, expected)) = complaint.rsplit_once(", expected ") else {
        // Numbers of a query, which are parsed as such; everything else that parses itself is a time.
        let is_number = place == Place::Parameter
            && ["digit", "number", "integer"].iter().any(|word| complaint.contains(word));
        return if is_number { "a whole number that is not too large" } else { TIME }.to_owned();
    };
    match expected {
        "u32" => "a whole number from 0 to 4294967295".to_owned(),
        "u64" | "usize" => "a whole number of 0 or more".to_owned(),
        "a string" => "text".to_owned(),
        "a boolean" => "true or false".to_owned(),
        _ if expected.starts_with('`') || expected.starts_with("one of `") => {
            all_quoted(expected).join(" or ")
        }
        _ if expected.starts_with("struct ") || expected.starts_with("a map") => "an object".to_owned(),
        _ => TIME.to_owned(),
    }
}

/// How complaints begin of escapes that name half of a pair of code units, or none at all.
const HALF_CHARACTERS: [&str; 3] =
    ["lone leading surrogate", "unexpected end of hex escape", "invalid unicode code point"];

const TIME: &str = "a time such as 2026-03-02T12:00:00Z";

fn shown(given: &Value) -> String {
    let text = given.to_string();
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain(['\u{2026}']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(name: &str, complaint: &str, given: &Value) -> String {
        fault(Place::Member, name, complaint, Some(given)).sentence
    }

    #[test]
    fn a_long_value_is_shown_in_part() {
        let said = said("min", "invalid type: string, expected u32", &json!("x".repeat(1000)));
        assert!(said.ends_with("xxx\u{2026}") && said.len() < 150, "{said}");
    }

    #[test]
    fn a_parameter_is_told_without_what_stands_there() {
        let told = fault(Place::Parameter, "limit", "invalid digit found in string", None);
        assert_eq!(told.sentence, "limit must be a whole number that is not too large");
    }
}
