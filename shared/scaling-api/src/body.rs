//! Reading the body of a write.

use axum::body::Body;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::problem::{Kind, Problem};
use crate::words::{self, Fault, Place};

/// The largest body that is read.
pub const MAX_BODY_BYTES: usize = 1 << 20;

/// Reads a body whole, up to the limit.
pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let too_large =
        || Problem::new(Kind::BodyTooLarge, format!("the body may have at most {MAX_BODY_BYTES} bytes"));
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(too_large());
    }
    match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes().to_vec()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(error) => Err(Problem::new(Kind::MalformedBody, format!("the body could not be read: {error}"))),
    }
}

/// Refuses a body that does not say it is JSON.
pub(crate) fn check_type(headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers.get(header::CONTENT_TYPE).and_then(|given| given.to_str().ok()).unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = match given {
        "" => "Content-Type must be application/json; the request has none".to_owned(),
        given => format!("Content-Type must be application/json, not {given:?}"),
    };
    Err(Problem::new(Kind::UnsupportedMediaType, detail))
}

/// Reads a JSON object of a form.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Problem::new(Kind::MalformedBody, format!("the body is not UTF-8: {error}")))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize::<_, T>(&mut deserializer);
    let parsed = match parsed {
        Ok(value) => deserializer.end().map(|()| value).map_err(|error| (String::new(), error)),
        Err(error) => {
            let segments: Vec<String> = error.path().iter().map(ToString::to_string).collect();
            Err((segments.join("/"), error.into_inner()))
        }
    };
    // The deserializer also takes a list for an object, member by member; nobody means that.
    let is_list = text.trim_start().starts_with('[');
    match parsed {
        Ok(value) if !is_list => Ok(value),
        _ if is_list && serde_json::from_str::<IgnoredAny>(text).is_ok() => {
            Err(Problem::invalid("", "the body must be an object, not a list"))
        }
        Ok(_) => Err(Problem::new(Kind::MalformedBody, "the body is no JSON object")),
        // Where the form is wrong, the deserializer may stop in the middle of a value and blame the text.
        Err((name, error)) if serde_json::from_str::<IgnoredAny>(text).is_ok() => {
            let body: Value = serde_json::from_str(text).unwrap_or_default();
            let given = if name.is_empty() { Some(&body) } else { body.get(&name) };
            let Fault { name, sentence } = words::fault(Place::Member, &name, &error.to_string(), given);
            Err(Problem::invalid(&name, sentence))
        }
        Err((_, error)) => Err(Problem::new(Kind::MalformedBody, error.to_string())),
    }
}

/// The reason that somebody gives, or that none was given.
pub(crate) fn reason(given: Option<String>) -> String {
    given.filter(|reason| !reason.trim().is_empty()).unwrap_or_else(|| "no reason given".to_owned())
}

/// Reads a JSON object of a form that may be left out.
pub(crate) fn parse_or_default<T: Default + DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    if bytes.is_empty() { Ok(T::default()) } else { parse(bytes) }
}
