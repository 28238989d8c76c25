//! AWS JSON 1.0, and what it shares with the CBOR protocol: which members are times, and how errors are named.

use serde_json::{Map, Value};

use super::{AwsError, Reply};

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// CloudWatch's members that hold times. Both protocols carry them as seconds since the epoch, XML as text.
const TIMES: [&str; 9] = [
    "AlarmConfigurationUpdatedTimestamp",
    "EndDate",
    "EndTime",
    "StartDate",
    "StartTime",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "Timestamp",
    "Timestamps",
];

/// Error codes of the query protocol whose exception has another name.
const EXCEPTIONS: [(&str, &str); 7] = [
    ("InternalServiceError", "InternalServiceFault"),
    ("InvalidFormat", "InvalidFormatFault"),
    ("InvalidParameterCombination", "InvalidParameterCombinationException"),
    ("InvalidParameterInput", "DashboardInvalidInputError"),
    ("InvalidParameterValue", "InvalidParameterValueException"),
    ("LimitExceeded", "LimitExceededFault"),
    ("MissingParameter", "MissingRequiredParameterException"),
];

/// Whether the member of that name holds a time, or a list of them.
pub(crate) fn is_time(member: &str) -> bool {
    TIMES.binary_search(&member).is_ok()
}

/// The code of an operation that is not there. What answers then stands before the service, and knows no codes of it.
const NO_SUCH_OPERATION: &str = "InvalidAction";

/// The name of the exception, as `__type` carries it.
pub(crate) fn exception(error: &AwsError) -> String {
    if error.code == NO_SUCH_OPERATION {
        return super::unknown::EXCEPTION.to_owned();
    }
    let known = EXCEPTIONS.iter().find(|(code, _)| *code == error.code);
    format!("com.amazonaws.cloudwatch#{}", known.map_or(error.code.as_ref(), |(_, exception)| *exception))
}

/// The reply with the header that tells clients of the newer protocols the code of the query protocol, where there is one.
pub(crate) fn with_query_error(reply: Reply, error: &AwsError) -> Reply {
    if error.code == NO_SUCH_OPERATION {
        return reply;
    }
    let kind = if error.sender { "Sender" } else { "Receiver" };
    reply.with_header("x-amzn-query-error", format!("{};{kind}", error.code))
}

/// Reads the body of a request for `operation` into its members by their AWS names. An empty body is an input
/// without members.
///
/// # Errors
/// `SerializationException` when the body is not a JSON object.
pub fn read(operation: &str, body: &[u8]) -> Result<Value, AwsError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    let refused = |why: String| {
        AwsError::new(
            "SerializationException",
            format!("the body of {operation} is not readable JSON: {why}"),
        )
    };
    match serde_json::from_slice(body) {
        Ok(members @ Value::Object(_)) => Ok(members),
        Ok(_) => Err(refused("the input must be an object".to_owned())),
        Err(error) => Err(refused(error.to_string())),
    }
}

/// Writes what `operation` answered.
pub fn reply(_operation: &str, answer: &Result<Value, AwsError>) -> Reply {
    match answer {
        Ok(output) => Reply::new(200, CONTENT_TYPE, output.to_string()),
        Err(error) => {
            let body = serde_json::json!({ "__type": exception(error), "message": error.message });
            with_query_error(Reply::new(error.status, CONTENT_TYPE, body.to_string()), error)
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_of_times_is_in_order() {
        assert!(TIMES.is_sorted());
    }

    #[test]
    fn an_error_names_its_exception_in_the_body_and_its_query_code_in_the_header() {
        let reply = reply("X", &Err(AwsError::new("MissingParameter", "no")));
        assert!(reply.headers.contains(&("x-amzn-query-error", "MissingParameter;Sender".to_owned())));
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        let expected = "com.amazonaws.cloudwatch#MissingRequiredParameterException";
        assert_eq!(body, json!({ "__type": expected, "message": "no" }));
    }

    #[test]
    fn an_operation_that_is_not_there_is_no_error_of_the_service() {
        let reply = reply("X", &Err(AwsError::new("InvalidAction", "no")));
        assert!(!reply.headers.iter().any(|(name, _)| *name == "x-amzn-query-error"));
        let body: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(body["__type"], "com.amazon.coral.service#UnknownOperationException");
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for body in [b"[]".as_slice(), b"{\"a\":NaN}", b"\xff", b"{"] {
            assert_eq!(read("X", body).unwrap_err().code, "SerializationException");
        }
        assert_eq!(read("X", b" ").unwrap(), json!({}));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read("X", &body);
        }
    }
}
