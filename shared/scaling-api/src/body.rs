//! Reading the body of a write.

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Value, json};

use crate::problem::{Kind, Problem};
use crate::words::{self, Fault, Place};

/// The largest body that is read.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// How long a body may take to arrive: a client that announces one and never sends it would be waited for otherwise.
const LONGEST: Duration = Duration::from_secs(30);

/// Reads a body whole, up to the limit, within [`LONGEST`].
pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let too_large =
        || Problem::new(Kind::BodyTooLarge, format!("the body may have at most {MAX_BODY_BYTES} bytes"));
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    let Ok(read) = tokio::time::timeout(LONGEST, Limited::new(body, MAX_BODY_BYTES).collect()).await else {
        let detail = format!("the body did not arrive within {} s", LONGEST.as_secs());
        return Err(Problem::new(Kind::MalformedBody, detail));
    };
    match read {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Problem::new(Kind::MalformedBody, format!("the body could not be read: {error}"))),
    }
}

/// Refuses a body that does not say it is JSON, that says it is in another encoding than UTF-8, or that is compressed.
pub(crate) fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|given| given.to_str().ok());
    if let Some(encoding) = encoding.filter(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        let detail = format!("send the body as it is, without Content-Encoding {encoding:?}");
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    let given = headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    let mut said = parts.filter_map(charset);
    if is_json && said.all(is_utf_8) {
        return Ok(());
    }
    let detail = match given {
        given if is_json => format!("JSON is sent in UTF-8; the request says {given:?}"),
        "" => "Content-Type must be application/json; the request has none".to_owned(),
        given => format!("Content-Type must be application/json, not {given:?}"),
    };
    Err(Problem::new(Kind::UnsupportedMediaType, detail))
}

/// The encoding, where a parameter of a media type says it.
fn charset(parameter: &str) -> Option<&str> {
    let (name, value) = parameter.split_once('=')?;
    // Blanks around the sign are against the grammar, and another encoding must not hide behind them.
    name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
}

/// `utf8` is in no registry, and clients send it all the same.
fn is_utf_8(encoding: &str) -> bool {
    ["utf-8", "utf8"].iter().any(|name| encoding.eq_ignore_ascii_case(name))
}

/// Reads a JSON object of a form.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Problem::new(Kind::MalformedBody, format!("the body is not UTF-8: {error}")))?;
    let parsed = serde_json::from_str(text);
    // The deserializer also takes a list for an object, member by member; nobody means that.
    let is_list = text.trim_start().starts_with('[');
    match parsed {
        Ok(value) if !is_list => Ok(value),
        _ if is_list && serde_json::from_str::<IgnoredAny>(text).is_ok() => {
            Err(Problem::invalid("", "the body must be an object, not a list"))
        }
        Ok(_) => Err(Problem::new(Kind::MalformedBody, "the body is no JSON object")),
        // Where the form is wrong, the deserializer may stop in the middle of a value and blame the text.
        Err(error) if serde_json::from_str::<IgnoredAny>(text).is_ok() => Err(wrong_form::<T>(text, &error)),
        Err(error) => Err(Problem::new(Kind::MalformedBody, error.to_string())),
    }
}

/// What is wrong with a body that is JSON, of another form.
fn wrong_form<T: DeserializeOwned>(text: &str, error: &serde_json::Error) -> Problem {
    // JSON has numbers, and halves of characters, that are no value: there is nothing to show of them.
    let body: Option<Value> = serde_json::from_str(text).ok();
    let (name, is_in_name) = member_before(text, error.line(), error.column());
    if is_in_name {
        let sentence = "the body must be an object without halves of characters such as \\ud800 in its names";
        return Problem::invalid("", sentence);
    }
    let given = if name.is_empty() { body.as_ref() } else { body.as_ref().and_then(|body| body.get(&name)) };
    let is_no_text = given.is_some_and(|given| !given.is_string());
    let complaint = match complaint_of_text::<T>(&name) {
        Some(complaint) if error.is_syntax() => complaint,
        Some(complaint) if is_no_text && complaint.starts_with("unknown variant") => complaint,
        _ => error.to_string(),
    };
    let Fault { name, sentence } = words::fault(Place::Member, &name, &complaint, given);
    Problem::invalid(&name, sentence)
}

/// What the deserializer would complain of, were the member, or the whole, an empty text. It says what there should be, where
/// of a list or an object that stands for one of several names, of a number that no type holds and of half a character it
/// only says that it cannot read them. `None` where a text would be taken.
fn complaint_of_text<T: DeserializeOwned>(name: &str) -> Option<String> {
    let text = if name.is_empty() { Value::from("") } else { json!({name: ""}) };
    let complaint = serde_json::from_str::<T>(&text.to_string()).err()?.to_string();
    (!complaint.starts_with("missing field")).then_some(complaint)
}

/// The last member of an object that has begun before a place in its text, which is where reading stopped; empty before
/// the first. And whether it stopped within a member's name, which only an escape can cause in a text that is JSON. Finding it
/// in the text costs a function less than following the way through every type.
fn member_before(text: &str, line: usize, column: usize) -> (String, bool) {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let read = text.get(..before + column).unwrap_or(text);
    let (mut depth, mut wants_name, mut string, mut escaped) = (0_usize, false, None, false);
    let (mut member, mut is_unreadable) = (String::new(), false);
    for (at, byte) in read.bytes().enumerate() {
        match (string, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some((start, is_name)), b'"') => {
                string = None;
                if is_name {
                    let name = read.get(start..=at).and_then(|name| serde_json::from_str(name).ok());
                    is_unreadable = name.is_none();
                    member = name.unwrap_or_default();
                }
            }
            (None, b'"') => {
                string = Some((at, depth == 1 && wants_name));
                wants_name = false;
            }
            (None, b'{') => {
                depth += 1;
                wants_name = depth == 1;
            }
            (None, b'[') => depth += 1,
            (None, b'}' | b']') => depth = depth.saturating_sub(1),
            (None, b',') => wants_name = depth == 1,
            _ => {}
        }
    }
    (member, is_unreadable || string.is_some_and(|(_, is_name)| is_name))
}

/// Longest reason, and longest name of whoever asks, in characters: they are repeated in every decision, log line and
/// status while they hold.
pub(crate) const LONGEST_WORDS: usize = 1_000;

/// The reason that somebody gives, or that none was given.
pub(crate) fn reason(given: Option<String>) -> Result<String, Problem> {
    let given = given.filter(|reason| !reason.trim().is_empty());
    short("reason", given.unwrap_or_else(|| "no reason given".to_owned()))
}

/// Words that may be repeated: not too long, and without line breaks or other control characters, by which they could pass for
/// another line of a log or steer the terminal of whoever reads them.
pub(crate) fn short(member: &str, words: String) -> Result<String, Problem> {
    let sentence = match words.chars().find(|character| character.is_control()) {
        Some(control) => {
            format!("{member} must not have control characters such as {control:?}; leave it out")
        }
        None if words.chars().count() > LONGEST_WORDS => {
            format!("{member} must not be longer than {LONGEST_WORDS} characters")
        }
        None => return Ok(words),
    };
    Err(Problem::invalid(member, sentence))
}

/// Reads a JSON object of a form that may be left out.
pub(crate) fn parse_or_default<T: Default + DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() { Ok(T::default()) } else { parse(bytes) }
}
