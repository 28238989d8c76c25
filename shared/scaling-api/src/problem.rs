//! Refusals and failures as RFC 9457 problem details. One table says every type, title and status.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use scaling_control::{Obstacle, PortError, Refusal};
use scaling_policy::config::{ConfigError, ConfigFault};
use scaling_policy::decision::counted;
use serde_json::{Map, Value, json};

/// The media type of every refusal.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The start of every `type`; the rest is [`Kind::name`].
pub const TYPE_PREFIX: &str = "urn:scaling:problem:";

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $status:ident, $title:literal;)*) => {
        /// What kind of problem it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The last part of the `type`. It never changes.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// The title; the same for every problem of the kind.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }

            /// The status.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status,)* }
            }
        }
    };
}

kinds! {
    /// The body is no JSON, or it ended early, or it is not UTF-8.
    MalformedBody = "malformed-body", BAD_REQUEST, "The body is not JSON";
    /// A query parameter or a header makes no sense.
    BadParameter = "bad-parameter", BAD_REQUEST, "A parameter is not valid";
    /// No token, or one that is not known.
    Unauthorized = "unauthorized", UNAUTHORIZED, "The request needs a token";
    /// The token's role does not cover it; `needed` says which one does.
    Forbidden = "forbidden", FORBIDDEN, "The token's role does not allow it";
    /// A page of another origin tried to write.
    CrossOrigin = "cross-origin", FORBIDDEN, "Writes from pages of another origin are refused";
    /// No such path, group, operation.
    NotFound = "not-found", NOT_FOUND, "There is nothing of that name";
    /// The path knows other methods; `Allow` lists them.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED, "The path does not take this method";
    /// `Accept` asks for something that cannot be written.
    NotAcceptable = "not-acceptable", NOT_ACCEPTABLE, "No acceptable format";
    /// The group is paused by a person.
    Paused = "paused", CONFLICT, "The group is paused";
    /// No change is asked for while it is on.
    KillSwitch = "kill-switch", CONFLICT, "The kill switch is on";
    /// The type is being changed already.
    OperationRunning = "operation-running", CONFLICT, "An operation is running";
    /// The platform cannot change the type of this group.
    CountOnly = "count-only", CONFLICT, "The type of the group cannot be changed";
    /// Another writer was quicker, or the request would end an override that is in force.
    Conflict = "conflict", CONFLICT, "Another change stands in the way";
    /// The first request with this idempotency key is still being answered.
    InProgress = "request-in-progress", CONFLICT, "A request with this idempotency key is in progress";
    /// `If-Match` names another version than the one in force.
    VersionMismatch = "version-mismatch", PRECONDITION_FAILED, "The configuration has another version";
    /// More than [`crate::MAX_BODY_BYTES`].
    BodyTooLarge = "body-too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// `Host` names no loopback address although the server listens on one: a page may have been given a name that
    /// leads here.
    WrongHost = "wrong-host", MISDIRECTED_REQUEST, "The request names another host";
    /// The body's type is not `application/json`, its encoding is not UTF-8, or it is compressed.
    UnsupportedMediaType = "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body must be JSON";
    /// The body is JSON of the wrong form; `pointer` says where.
    InvalidRequest = "invalid-request", UNPROCESSABLE_ENTITY, "The request is not valid";
    /// More than one group, and none is named; `groups` lists them.
    GroupRequired = "group-required", UNPROCESSABLE_ENTITY, "The request must name a group";
    /// More or less than the bounds allow; `bounds` says what they are.
    OutOfBounds = "out-of-bounds", UNPROCESSABLE_ENTITY, "The request is outside the bounds";
    /// The configuration has faults; `faults` lists them all.
    InvalidConfiguration = "invalid-configuration", UNPROCESSABLE_ENTITY, "The configuration has faults";
    /// The idempotency key was used for another request.
    KeyReused = "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The idempotency key belongs to another request";
    /// The configuration asks for `If-Match` with every change.
    IfMatchRequired = "if-match-required", PRECONDITION_REQUIRED, "The change must carry If-Match";
    /// The client has used up its share; `Retry-After` says when to go on.
    TooManyRequests = "too-many-requests", TOO_MANY_REQUESTS, "Too many requests";
    /// A fault of this program.
    Internal = "internal", INTERNAL_SERVER_ERROR, "An internal error";
    /// Platform or store refused the call.
    PlatformRefused = "platform-refused", BAD_GATEWAY, "The platform refused the call";
    /// Platform or store did not answer in time; try again.
    PlatformUnavailable = "platform-unavailable", SERVICE_UNAVAILABLE, "The platform does not answer";
    /// The loop has not run for longer than it should.
    NotTicking = "not-ticking", SERVICE_UNAVAILABLE, "The control loop does not run";
}

/// A problem on its way out. The last layer writes it, with the id of the request as its `instance`.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    kind: Kind,
    detail: String,
    members: Map<String, Value>,
    retry_after_seconds: Option<u32>,
}

impl Problem {
    /// A problem with a sentence about this very case.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), members: Map::new(), retry_after_seconds: None }
    }

    /// A body with a member that cannot be: which one is told as a JSON pointer; the empty one is the whole body.
    pub(crate) fn invalid(member: &str, detail: impl Into<String>) -> Self {
        let escaped = member.replace('~', "~0").replace('/', "~1");
        let pointer = if member.is_empty() { String::new() } else { format!("/{escaped}") };
        Self::new(Kind::InvalidRequest, detail).with("pointer", pointer)
    }

    /// Adds a member of its own.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// Every fault of a configuration.
    pub fn invalid_configuration(error: &ConfigError) -> Self {
        let found = u32::try_from(error.faults.len() + error.omitted).unwrap_or(u32::MAX);
        let detail = counted(found, "finding", "findings") + "; nothing was changed";
        Self::new(Kind::InvalidConfiguration, detail).with("faults", faults(&error.faults))
    }

    fn obstacle(cause: Obstacle, sentence: String) -> Self {
        match cause {
            Obstacle::Paused => Self::new(Kind::Paused, sentence),
            Obstacle::KillSwitch => Self::new(Kind::KillSwitch, sentence),
            Obstacle::Overridden => Self::new(Kind::Conflict, sentence),
            Obstacle::Running => Self::new(Kind::OperationRunning, sentence),
            Obstacle::CountOnly => Self::new(Kind::CountOnly, sentence),
            Obstacle::Busy => Self::new(Kind::Conflict, sentence).retry_after(RETRY_SECONDS),
        }
    }

    /// Its kind.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The response, with the id of the request that it answers.
    pub(crate) fn render(self, instance: &str) -> Response {
        let status = self.kind.status();
        let mut members = self.members;
        members.insert("type".to_owned(), format!("{TYPE_PREFIX}{}", self.kind.name()).into());
        members.insert("title".to_owned(), self.kind.title().into());
        members.insert("status".to_owned(), status.as_u16().into());
        members.insert("detail".to_owned(), self.detail.into());
        members.insert("instance".to_owned(), instance.into());
        let body = Value::Object(members).to_string();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Findings as members of a problem or an answer.
pub(crate) fn faults(faults: &[ConfigFault]) -> Value {
    json!(faults)
}

impl IntoResponse for Problem {
    /// A response that carries the problem for the last layer.
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        if self.kind == Kind::Unauthorized {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        let kind = match &error {
            PortError::NotFound { .. } => Kind::NotFound,
            PortError::Throttled { .. } | PortError::Unavailable { .. } => Kind::PlatformUnavailable,
            PortError::Denied { .. } | PortError::Invalid { .. } => Kind::PlatformRefused,
            PortError::Conflict { .. } => Kind::Conflict,
        };
        let problem = Self::new(kind, error.to_string());
        if error.is_retryable() { problem.retry_after(RETRY_SECONDS) } else { problem }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::UnknownGroup { .. } => Self::new(Kind::NotFound, sentence),
            Refusal::Conflict { cause, .. } => Self::obstacle(cause, sentence),
            Refusal::OutOfBounds { bounds, .. } => {
                Self::new(Kind::OutOfBounds, sentence).with("bounds", bounds)
            }
            Refusal::Port(error) => error.into(),
        }
    }
}

/// After a throttled or conflicting call: long enough for the retries of others to be over.
const RETRY_SECONDS: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract with clients. A name here is never changed, only added to.
    #[test]
    fn types_and_statuses_are_fixed() {
        let golden = "\
malformed-body 400
bad-parameter 400
unauthorized 401
forbidden 403
cross-origin 403
not-found 404
method-not-allowed 405
not-acceptable 406
paused 409
kill-switch 409
operation-running 409
count-only 409
conflict 409
request-in-progress 409
version-mismatch 412
body-too-large 413
wrong-host 421
unsupported-media-type 415
invalid-request 422
group-required 422
out-of-bounds 422
invalid-configuration 422
idempotency-key-reused 422
if-match-required 428
too-many-requests 429
internal 500
platform-refused 502
platform-unavailable 503
not-ticking 503";
        let kinds: Vec<String> =
            Kind::ALL.iter().map(|kind| format!("{} {}", kind.name(), kind.status().as_u16())).collect();
        assert_eq!(kinds, golden.lines().collect::<Vec<_>>());
    }

    #[test]
    fn errors_of_the_ports_say_who_has_to_act() {
        let unavailable =
            || PortError::Unavailable { operation: "get", message: "no route".to_owned(), source: None };
        let message = || "why".to_owned();
        for (error, kind, retry) in [
            (PortError::NotFound { what: "group web".to_owned() }, Kind::NotFound, None),
            (PortError::Throttled { operation: "describe" }, Kind::PlatformUnavailable, Some(5)),
            (unavailable(), Kind::PlatformUnavailable, Some(5)),
            (PortError::Denied { operation: "apply", message: message() }, Kind::PlatformRefused, None),
            (PortError::Invalid { operation: "apply", message: message() }, Kind::PlatformRefused, None),
            (PortError::Conflict { operation: "put", message: message() }, Kind::Conflict, Some(5)),
        ] {
            let text = error.to_string();
            let problem = Problem::from(error);
            assert_eq!((problem.kind, problem.retry_after_seconds), (kind, retry), "{text}");
            assert_eq!(problem.detail, text);
        }
    }
}
