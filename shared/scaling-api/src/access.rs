//! Who may call what: one table of all endpoints, which the check of roles, the OpenAPI document and the tests read.

use axum::Extension;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;
use serde::{Deserialize, Serialize};

use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// What somebody may do. Each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    Read,
    /// Change groups: capacity, type, pauses.
    Operate,
    /// Change what controls them, and see who has changed what.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Operate, Self::Admin];

    /// The role in token files and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }
}

/// Who decides whether a request may do what it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// A layer in front: IAM at the gateway, or the machine's own users on a loopback address.
    #[default]
    InFront,
    /// The router, by the [`Grant`] that a layer in front puts into the request's extensions; a request without one is
    /// refused.
    ByGrant,
}

/// The role that a request has been granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant(pub Role);

/// One endpoint.
#[derive(Debug, Clone, Copy)]
pub struct Endpoint {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: &'static str,
    /// As the router has it, with `{name}` for parameters.
    pub path: &'static str,
    /// The least role that may call it; `None` is anybody.
    pub role: Option<Role>,
    /// The problems that are its own, beside those of [`Endpoint::problems`].
    own: &'static [&'static [Kind]],
}

/// What reading or writing records can come to.
const STORE: &[Kind] = &[Kind::PlatformRefused, Kind::PlatformUnavailable];

/// What any write can come to.
const WRITE: &[Kind] = &[
    Kind::BadParameter,
    Kind::CrossOrigin,
    Kind::InProgress,
    Kind::BodyTooLarge,
    Kind::UnsupportedMediaType,
    Kind::KeyReused,
    Kind::Conflict,
];

/// What a body of the wrong form can come to.
const BODY: &[Kind] = &[Kind::MalformedBody, Kind::InvalidRequest];

/// What a parameter can come to.
const PARAMETER: &[Kind] = &[Kind::BadParameter];

/// What a name in the path can come to.
const NAMED: &[Kind] = &[Kind::BadParameter, Kind::NotFound];

/// What stands in the way of a change.
const OBSTACLES: &[Kind] = &[
    Kind::Paused,
    Kind::KillSwitch,
    Kind::OperationRunning,
    Kind::CountOnly,
    Kind::GroupRequired,
    Kind::OutOfBounds,
    Kind::NotFound,
];

/// What a change of the configuration can come to.
const CONFIGURATION: &[Kind] = &[Kind::VersionMismatch, Kind::IfMatchRequired, Kind::InvalidConfiguration];

const fn get(path: &'static str, own: &'static [&'static [Kind]]) -> Endpoint {
    Endpoint { method: "GET", path, role: Some(Role::Read), own }
}

const fn operate(method: &'static str, path: &'static str, own: &'static [&'static [Kind]]) -> Endpoint {
    Endpoint { method, path, role: Some(Role::Operate), own }
}

/// Every endpoint. HEAD is answered wherever GET is, and OPTIONS everywhere.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint { role: None, ..get("/health", &[&[Kind::NotTicking]]) },
    get("/openapi.json", &[]),
    get("/metrics", &[STORE]),
    get("/config", &[STORE]),
    Endpoint { role: Some(Role::Admin), ..operate("POST", "/config", &[STORE, WRITE, CONFIGURATION]) },
    get("/config/schema", &[]),
    get("/validation", &[STORE]),
    get("/groups", &[STORE, NAMED]),
    get("/groups/{name}/decisions", &[STORE, NAMED]),
    operate("POST", "/groups/{name}/pause", &[STORE, WRITE, BODY, NAMED]),
    operate("POST", "/groups/{name}/resume", &[STORE, WRITE, BODY, NAMED]),
    operate(
        "PUT",
        "/groups/{name}/override",
        &[STORE, WRITE, BODY, NAMED, &[Kind::OutOfBounds, Kind::CountOnly]],
    ),
    operate("DELETE", "/groups/{name}/override", &[STORE, WRITE, BODY, NAMED]),
    operate("POST", "/groups/{name}/hold", &[STORE, WRITE, BODY, NAMED]),
    get("/kill-switch", &[STORE]),
    operate("PUT", "/kill-switch", &[STORE, WRITE, BODY]),
    operate("DELETE", "/kill-switch", &[STORE, WRITE, BODY]),
    operate("POST", "/scale", &[STORE, WRITE, BODY, OBSTACLES]),
    get("/operations", &[STORE, PARAMETER]),
    get("/operations/{id}", &[STORE, NAMED]),
    get("/events", &[STORE, PARAMETER]),
    Endpoint { role: Some(Role::Admin), ..get("/audit", &[STORE, PARAMETER]) },
];

impl Endpoint {
    /// The endpoint of this method and path, as the router has matched it.
    pub fn find(method: &Method, path: &str) -> Option<&'static Self> {
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        ENDPOINTS.iter().find(|endpoint| endpoint.path == path && *method == endpoint.method)
    }

    /// Whether it changes anything.
    pub fn is_write(&self) -> bool {
        self.method != "GET"
    }

    /// Every problem that it may answer with, each once, in the order of [`Kind::ALL`].
    pub fn problems(&self) -> Vec<Kind> {
        const ANY: &[Kind] = &[Kind::NotAcceptable, Kind::WrongHost, Kind::TooManyRequests, Kind::Internal];
        const GUARDED: &[Kind] = &[Kind::Unauthorized, Kind::Forbidden];
        let guarded = if self.role.is_some() { GUARDED } else { &[] };
        let all: Vec<Kind> = self.own.iter().copied().flatten().chain(ANY).chain(guarded).copied().collect();
        Kind::ALL.iter().copied().filter(|kind| all.contains(kind)).collect()
    }
}

/// The layer around every route: refuses what the request's role does not cover.
pub(crate) async fn check_role(
    State(state): State<ApiState>,
    path: MatchedPath,
    grant: Option<Extension<Grant>>,
    request: Request,
    next: Next,
) -> Response {
    let granted = grant.map(|Extension(Grant(role))| role);
    match refused(state.access(), request.method(), path.as_str(), granted) {
        Some(problem) => problem.into_response(),
        None => next.run(request).await,
    }
}

fn refused(access: Access, method: &Method, path: &str, granted: Option<Role>) -> Option<Problem> {
    if access == Access::InFront {
        return None;
    }
    // A method that the path does not take is answered as such, once it is known who asks.
    let needed = Endpoint::find(method, path).map_or(Some(Role::Read), |endpoint| endpoint.role)?;
    match granted {
        None => Some(Problem::new(Kind::Unauthorized, "send a token as `Authorization: Bearer TOKEN`")),
        Some(role) if role < needed => {
            let (has, needs) = (role.name(), needed.name());
            let detail = format!("{method} {path} needs the role {needs}; the token has {has}");
            Some(Problem::new(Kind::Forbidden, detail).with("role", has).with("needed", needs))
        }
        Some(_) => None,
    }
}
