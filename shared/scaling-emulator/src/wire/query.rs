//! Replies of the query protocols: XML with the operation's result inside, and errors in the service's form.

use serde_json::Value;

use super::form::FormError;
use super::{AwsError, Reply, xml};

/// The flavours of query replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// AWS query: lists of `member`, a result element, metadata behind it. With the XML namespace.
    Query(&'static str),
    /// EC2: lists of `item`, members directly under the reply.
    Ec2,
}

/// EC2's XML namespace.
const EC2: &str = "http://ec2.amazonaws.com/doc/2016-11-15/";

/// Writes what `operation` answered.
pub fn reply(flavour: Flavour, operation: &str, request_id: &str, answer: &Result<Value, AwsError>) -> Reply {
    match answer {
        Ok(output) => Reply::new(200, "text/xml", success(flavour, operation, request_id, output)),
        Err(error) => Reply::new(error.status, "text/xml", failure(flavour, request_id, error)),
    }
    .with_header("x-amzn-requestid", request_id)
}

fn success(flavour: Flavour, operation: &str, request_id: &str, output: &Value) -> String {
    // An operation's name may hold anything that a caller sends; only known ones get here.
    match flavour {
        Flavour::Query(namespace) => format!(
            "<{operation}Response xmlns=\"{namespace}\"><{operation}Result>{}</{operation}Result>\
             <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>",
            xml::members(output, "member")
        ),
        Flavour::Ec2 => format!(
            "<{operation}Response xmlns=\"{EC2}\"><requestId>{request_id}</requestId>{}</{operation}Response>",
            xml::members(output, "item")
        ),
    }
}

fn failure(flavour: Flavour, request_id: &str, error: &AwsError) -> String {
    let (code, message) = (xml::escaped(&error.code), xml::escaped(&error.message));
    match flavour {
        Flavour::Query(namespace) => {
            let kind = if error.sender { "Sender" } else { "Receiver" };
            format!(
                "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        }
        Flavour::Ec2 => format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
             <RequestID>{request_id}</RequestID></Response>"
        ),
    }
}

/// A form that does not fit, in Auto Scaling's words.
impl From<FormError> for AwsError {
    fn from(error: FormError) -> Self {
        match error {
            FormError::Missing(member) => Self::validation(format!(
                "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
                uncapitalised(&member)
            )),
            FormError::Constraint { member, value, rule } => Self::validation(format!(
                "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: {rule}",
                uncapitalised(&member)
            )),
            FormError::Kind { member, value, wanted } => Self::new(
                "MalformedInput",
                format!("Invalid value at '{}': `{value}` is not {wanted}", uncapitalised(&member)),
            ),
            FormError::Invalid { member, message } => Self::new(
                "MalformedInput",
                format!("Invalid value at '{}': {message}", uncapitalised(&member)),
            ),
        }
    }
}

pub(crate) fn uncapitalised(name: &str) -> String {
    name.split('.')
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
        })
        .collect::<Vec<String>>()
        .join(".")
}
