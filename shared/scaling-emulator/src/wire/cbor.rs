//! Smithy RPC v2 CBOR: reads what clients send (definite and indefinite lengths, times as tag 1) and writes replies
//! with every fraction as a 64-bit float and every time as tag 1 around one.
//!
//! The writer is our own because the CBOR library shortens floats where it can, and the protocol wants times as
//! 64-bit floats.

use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value};

use super::json::{exception, is_time};
use super::{AwsError, Reply};

const CONTENT_TYPE: &str = "application/cbor";

/// Deepest nesting read; the services' own inputs need six levels.
const MAX_DEPTH: usize = 32;

/// Tag of a time in seconds since the epoch.
const EPOCH_TIME: u64 = 1;

/// Reads the body of a request for `operation` into its members by their AWS names. An empty body is an input
/// without members.
///
/// # Errors
/// `SerializationException` when the body is not CBOR, or not a map with names as keys.
pub fn read(operation: &str, body: &[u8]) -> Result<Value, AwsError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let refused = |why: String| {
        AwsError::new(
            "SerializationException",
            format!("the body of {operation} is not readable CBOR: {why}"),
        )
    };
    let mut rest = body;
    let decoded: Cbor = ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH)
        .map_err(|error| refused(error.to_string()))?;
    if !rest.is_empty() {
        return Err(refused(format!("{} bytes follow the value", rest.len())));
    }
    match to_json(decoded) {
        Some(members @ Value::Object(_)) => Ok(members),
        Some(_) => Err(refused("the input must be a map".to_owned())),
        None => Err(refused("it holds a value that no member can have".to_owned())),
    }
}

/// Writes what `operation` answered.
pub fn reply(_operation: &str, answer: &Result<Value, AwsError>) -> Reply {
    match answer {
        Ok(output) => Reply::new(200, CONTENT_TYPE, encoded(output)),
        Err(error) => {
            let body = serde_json::json!({ "__type": exception(error), "message": error.message });
            super::json::with_query_error(Reply::new(error.status, CONTENT_TYPE, encoded(&body)), error)
        }
    }
    .with_header("smithy-protocol", "rpc-v2-cbor")
}

/// A value of the JSON model. `None` for what has no counterpart in it: keys that are not text, unknown tags.
fn to_json(value: Cbor) -> Option<Value> {
    Some(match value {
        Cbor::Null => Value::Null,
        Cbor::Bool(flag) => Value::Bool(flag),
        Cbor::Text(text) => Value::String(text),
        Cbor::Float(number) => float(number),
        Cbor::Integer(number) => {
            let number = i128::from(number);
            i64::try_from(number).map_or_else(
                |_| u64::try_from(number).map_or_else(|_| float(number as f64), Value::from),
                Value::from,
            )
        }
        Cbor::Array(items) => Value::Array(items.into_iter().map(to_json).collect::<Option<_>>()?),
        Cbor::Map(entries) => {
            let entry = |(key, value): (Cbor, Cbor)| Some((key.into_text().ok()?, to_json(value)?));
            Value::Object(entries.into_iter().map(entry).collect::<Option<_>>()?)
        }
        Cbor::Tag(EPOCH_TIME, inner) if matches!(*inner, Cbor::Integer(_) | Cbor::Float(_)) => {
            to_json(*inner)?
        }
        _ => return None,
    })
}

/// JSON has no infinite numbers; they become the words that AWS JSON has for them.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(
        || {
            let word = match number {
                _ if number.is_nan() => "NaN",
                _ if number > 0.0 => "Infinity",
                _ => "-Infinity",
            };
            Value::String(word.to_owned())
        },
        Value::Number,
    )
}

/// A value in CBOR.
pub(super) fn encoded(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut out, value, false);
    out
}

/// Major types of CBOR (RFC 8949, section 3.1), in the upper three bits.
mod major {
    pub(super) const UNSIGNED: u8 = 0 << 5;
    pub(super) const NEGATIVE: u8 = 1 << 5;
    pub(super) const TEXT: u8 = 3 << 5;
    pub(super) const ARRAY: u8 = 4 << 5;
    pub(super) const MAP: u8 = 5 << 5;
    pub(super) const TAG: u8 = 6 << 5;
}

fn encode(out: &mut Vec<u8>, value: &Value, time: bool) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(flag) => out.push(if *flag { 0xf5 } else { 0xf4 }),
        Value::String(text) => {
            head(out, major::TEXT, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Number(number) => encode_number(out, number, time),
        Value::Array(items) => {
            head(out, major::ARRAY, items.len() as u64);
            for item in items {
                encode(out, item, time);
            }
        }
        Value::Object(fields) => {
            let present = || fields.iter().filter(|(_, value)| !value.is_null());
            head(out, major::MAP, present().count() as u64);
            for (name, value) in present() {
                head(out, major::TEXT, name.len() as u64);
                out.extend_from_slice(name.as_bytes());
                encode(out, value, is_time(name));
            }
        }
    }
}

fn encode_number(out: &mut Vec<u8>, number: &Number, time: bool) {
    if time {
        head(out, major::TAG, EPOCH_TIME);
    }
    match (number.as_u64(), number.as_i64()) {
        (Some(unsigned), _) if !time => head(out, major::UNSIGNED, unsigned),
        (None, Some(signed)) if !time => head(out, major::NEGATIVE, signed.unsigned_abs() - 1),
        _ => {
            out.push(0xfb);
            out.extend_from_slice(&number.as_f64().unwrap_or_default().to_be_bytes());
        }
    }
}

/// A major type with its argument in the shortest form.
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    if let Ok(byte) = u8::try_from(argument) {
        match byte {
            0..24 => out.push(major | byte),
            _ => out.extend_from_slice(&[major | 0x18, byte]),
        }
    } else if let Ok(short) = u16::try_from(argument) {
        out.push(major | 0x19);
        out.extend_from_slice(&short.to_be_bytes());
    } else if let Ok(word) = u32::try_from(argument) {
        out.push(major | 0x1a);
        out.extend_from_slice(&word.to_be_bytes());
    } else {
        out.push(major | 0x1b);
        out.extend_from_slice(&argument.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_the_rust_sdk_sends() {
        // {_ "StartTime": 1(1767571200.5), "Namespace": "Shop", "Values": [_ 1.5], "Period": 60}
        let mut body = vec![0xbf];
        body.extend_from_slice(b"\x69StartTime\xc1\xfb");
        body.extend_from_slice(&1_767_571_200.5_f64.to_be_bytes());
        body.extend_from_slice(b"\x69Namespace\x64Shop\x66Values\x9f\xf9\x3e\x00\xff\x66Period\x18\x3c\xff");
        assert_eq!(
            read("X", &body).unwrap(),
            json!({ "StartTime": 1_767_571_200.5, "Namespace": "Shop", "Values": [1.5], "Period": 60 })
        );
        assert_eq!(read("X", b"").unwrap(), json!({}));
    }

    #[test]
    fn writes_times_as_tag_1_and_fractions_as_64_bit_floats() {
        let bytes = encoded(&json!({ "Timestamps": [2.0], "Values": [1.0], "n": 7, "gone": null }));
        let one = 1.0_f64.to_be_bytes();
        let two = 2.0_f64.to_be_bytes();
        let expected =
            [b"\xa3\x6aTimestamps\x81\xc1\xfb".as_slice(), &two, b"\x66Values\x81\xfb", &one, b"\x61n\x07"]
                .concat();
        assert_eq!(bytes, expected);
    }

    #[test]
    fn an_error_names_its_shape_in_the_body_and_its_query_code_in_the_header() {
        let reply = reply("X", &Err(AwsError::new("InvalidParameterValue", "no")));
        assert!(reply.headers.contains(&("x-amzn-query-error", "InvalidParameterValue;Sender".to_owned())));
        assert!(reply.headers.contains(&("smithy-protocol", "rpc-v2-cbor".to_owned())));
        let body = read("X", &reply.body).unwrap();
        assert_eq!(body["__type"], "com.amazonaws.cloudwatch#InvalidParameterValueException");
    }

    #[test]
    fn what_is_not_one_map_with_named_members_is_refused() {
        for body in [b"\x01".as_slice(), b"\xa1\x01\x02", b"\xa0\xa0", b"\xbf", b"\xa1\x61a\x41\x01"] {
            assert_eq!(read("X", body).unwrap_err().code, "SerializationException", "{body:x?}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            (-1e15..1e15).prop_map(Value::from),
            ".{0,40}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map("[A-Za-z]{1,9}", inner, 0..6)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// As a reader sees it: absent members are left out.
    fn without_nulls(value: Value) -> Value {
        match value {
            Value::Object(fields) => Value::Object(
                fields
                    .into_iter()
                    .filter(|(_, v)| !v.is_null())
                    .map(|(k, v)| (k, without_nulls(v)))
                    .collect(),
            ),
            Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
            other => other,
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = read("X", &body);
        }

        #[test]
        fn what_is_written_is_read_back(value in any_json()) {
            let wrapped = json!({ "m": value });
            prop_assert_eq!(read("X", &encoded(&wrapped)).unwrap(), without_nulls(wrapped));
        }
    }
}
