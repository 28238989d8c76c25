//! What happens around every request: its id, its span, who asks, and the writing of problems.

use std::panic::AssertUnwindSafe;

use axum::Extension;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use tracing::Instrument;

use crate::body::short;
use crate::problem::{Kind, Problem};

/// The header with the request's id, in requests and responses.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken over from a client.
const LONGEST_ID: usize = 128;

/// Who asks, as far as the layer in front knows: the IAM principal, the token's name. Whoever serves the router puts
/// it into the request's extensions; a request without one is by `api`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub String);

/// Who a write is by: the layer in front knows best, then the request's own word, which nobody has checked.
pub(crate) fn author(caller: Option<Extension<Caller>>, named: Option<String>) -> Result<String, Problem> {
    let known = caller.map(|Extension(Caller(name))| name);
    let name = known.or(named).filter(|name| !name.trim().is_empty());
    short("by", name.unwrap_or_else(|| "api".to_owned()))
}

/// The outermost layer.
pub(crate) async fn around(mut request: Request, next: Next) -> Response {
    let id = id_of(request.headers());
    if let Ok(value) = HeaderValue::from_str(&id) {
        request.headers_mut().insert(REQUEST_ID, value);
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!(target: "scaling::integration", "request", id, %method, path);
    let refused = refused(&request);
    async {
        let response = match refused {
            Some(problem) => axum::response::IntoResponse::into_response(problem),
            None => AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| broken()),
        };
        let response = finish(response, &id);
        let status = response.status().as_u16();
        if response.status().is_server_error() {
            tracing::warn!(target: "scaling::integration", status, "request failed");
        } else {
            tracing::info!(target: "scaling::integration", status, "request answered");
        }
        response
    }
    .instrument(span)
    .await
}

/// The answer where a handler has panicked. What it said is in the logs, and no business of the client's.
fn broken() -> Response {
    let detail = "a fault of this program; the logs say more under the id of the request";
    axum::response::IntoResponse::into_response(Problem::new(Kind::Internal, detail))
}

/// The client's id where it is a plain word, otherwise a new one.
fn id_of(headers: &HeaderMap) -> String {
    let is_sane = |id: &&str| {
        (1..=LONGEST_ID).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'='))
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(is_sane);
    given.map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

/// A browser sends `Origin` with every write. One that is not ours is a page somewhere that tries its luck with a
/// controller on the visitor's own machine.
fn refused(request: &Request) -> Option<Problem> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return None;
    }
    let origin = request.headers().get(header::ORIGIN)?;
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, rest)| rest);
    let same = authority.is_some() && authority == host;
    (!same).then(|| Problem::new(Kind::CrossOrigin, "the request's Origin is not this host"))
}

/// Writes the problem that a response carries, and adds the id.
fn finish(mut response: Response, id: &str) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        tracing::debug!(target: "scaling::integration", ?problem, "refused");
        let kept = [header::ALLOW, header::WWW_AUTHENTICATE]
            .map(|name| response.headers_mut().remove(&name).map(|value| (name, value)));
        response = problem.render(id);
        response.headers_mut().extend(kept.into_iter().flatten());
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_id_is_kept_and_any_other_replaced() {
        let with =
            |id: &str| HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_bytes(id.as_bytes()).unwrap())]);
        assert_eq!(id_of(&with("a-B_c.9")), "a-B_c.9");
        assert_eq!(id_of(&with("JKJaXmPLvHcESHA=")), "JKJaXmPLvHcESHA=", "as API Gateway makes them");
        let longest = "x".repeat(LONGEST_ID);
        assert_eq!(id_of(&with(&longest)), longest);
        for bad in ["", "a b", "a\u{e4}", "<script>", "a/b", &"x".repeat(LONGEST_ID + 1)] {
            let id = id_of(&with(bad));
            assert!(id != bad && uuid::Uuid::parse_str(&id).is_ok(), "{bad}: {id}");
        }
        assert_ne!(id_of(&HeaderMap::new()), id_of(&HeaderMap::new()));
    }
}
