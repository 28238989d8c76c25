//! The wire protocols. A request is read into a [`Call`]; what the operation answers is written back in the
//! protocol that the request came in.

pub mod cbor;
pub mod compression;
pub mod form;
pub mod json;
pub mod query;
pub mod route;
pub mod unknown;
pub mod xml;

use std::borrow::Cow;

pub use route::{Call, Protocol, Service};

/// An error as the services give it: a code, a sentence, and an HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct AwsError {
    /// The service's code, such as `ValidationError`.
    pub code: Cow<'static, str>,
    /// The sentence for people.
    pub message: String,
    /// HTTP status.
    pub status: u16,
    /// Whether the caller is at fault, rather than the service.
    pub sender: bool,
}

impl AwsError {
    /// A fault of the caller with HTTP status 400.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), status: 400, sender: true }
    }

    /// `ValidationError`, the code of most of Auto Scaling's rules.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationError", message)
    }

    /// `ValidationError` for a word that a member cannot be.
    pub fn invalid_value(value: &str, member: &str) -> Self {
        Self::validation(format!("Invalid value '{value}' for {member}."))
    }

    /// The same error with another HTTP status; from 500 on it is the service's fault.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = status;
        self.sender = status < 500;
        self
    }
}

/// The names of all operations, each with its service as in a credential's scope.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of =
        |service: &'static str, names: Vec<&'static str>| names.into_iter().map(move |name| (service, name));
    of("autoscaling", crate::autoscaling::names())
        .chain(of("ec2", crate::ec2::names()))
        .chain(of("monitoring", crate::cloudwatch::operations::names()))
        .chain(of("sts", vec!["GetCallerIdentity"]))
}

/// What goes back over the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Header names and values.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply with a content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
