//! What a request has to pass before it reaches a route: the right host, the client's share, a token.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use scaling_api::problem::{Kind, Problem};
use scaling_api::{Caller, Grant};

use super::connections::Peer;
use super::rate::Limiter;
use super::tokens::Tokens;

/// The one path of the interface that needs no token.
const HEALTH: &str = "/health";

/// Whether a path says nothing that only those may know who bring a token.
fn is_open(path: &str) -> bool {
    path == HEALTH || scaling_console::is_page(path)
}

/// What is checked.
pub(super) struct Guard {
    /// Only requests that name a loopback host are answered.
    pub(super) loopback: bool,
    /// Each client's share.
    pub(super) limiter: Option<Limiter>,
    /// Who may come in; without tokens anybody who reaches the address.
    pub(super) tokens: Option<Arc<Tokens>>,
}

impl Guard {
    /// Puts itself around routes.
    pub(super) fn around(self, routes: Router) -> Router {
        routes.layer(middleware::from_fn_with_state(Arc::new(self), pass))
    }

    fn check(&self, request: &mut Request) -> Result<(), Problem> {
        if self.loopback {
            check_host(request.headers(), request.uri())?;
        }
        let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.ip());
        if let (Some(limiter), Some(peer)) = (&self.limiter, peer) {
            limiter.count(peer).map_err(|wait| {
                let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
                let detail = "this address has made more requests than its share";
                Problem::new(Kind::TooManyRequests, detail).retry_after(seconds)
            })?;
        }
        match &self.tokens {
            Some(tokens) if !is_open(request.uri().path()) => admit(tokens, request),
            _ => Ok(()),
        }
    }
}

async fn pass(State(guard): State<Arc<Guard>>, mut request: Request, next: Next) -> Response {
    match guard.check(&mut request) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            tracing::warn!(target: "scaling::integration", refused = problem.kind().name(), "refused at the door");
            problem.into_response()
        }
    }
}

/// Finds out whose token the request brings. The header goes no further.
fn admit(tokens: &Tokens, request: &mut Request) -> Result<(), Problem> {
    let brought = request.headers_mut().remove(header::AUTHORIZATION);
    let refused = |detail: &str| Err(Problem::new(Kind::Unauthorized, detail));
    let Some(brought) = brought else { return refused("send a token as `Authorization: Bearer TOKEN`") };
    let Some(token) = bearer(&brought) else {
        return refused("Authorization must be `Bearer` and a token");
    };
    let Some(bearer) = tokens.bearer(token) else { return refused("the token is not known") };
    request.extensions_mut().insert(Caller(bearer.name));
    request.extensions_mut().insert(Grant(bearer.role));
    Ok(())
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Refuses a host that a stranger may have given to this address: a page in a browser on this machine could otherwise
/// reach it under a name of its own (DNS rebinding).
fn check_host(headers: &HeaderMap, uri: &Uri) -> Result<(), Problem> {
    let host = headers.get(header::HOST).map(|host| host.to_str().unwrap_or_default());
    match host.or(uri.authority().map(Authority::as_str)) {
        Some(host) if !is_loopback_host(host) => {
            let detail = "this address answers only to localhost and loopback addresses as its Host";
            Err(Problem::new(Kind::WrongHost, detail))
        }
        _ => Ok(()),
    }
}

/// Whether a Host header names this machine by a name that no stranger can give to an address of theirs.
fn is_loopback_host(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return address.ip().is_loopback();
    }
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().or_else(|_| bare.parse()).is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_hosts_are_answered() {
        for (host, expected) in [
            ("localhost", true),
            ("LocalHost:8001", true),
            ("127.0.0.1:8001", true),
            ("127.0.0.1", true),
            ("[::1]:8001", true),
            ("[::1]", true),
            ("rebound.example:8001", false),
            ("localhost.example", false),
            ("192.0.2.1:8001", false),
            ("", false),
        ] {
            assert_eq!(is_loopback_host(host), expected, "{host}");
        }
    }

    #[test]
    fn a_token_comes_as_bearer() {
        for (value, expected) in [
            ("Bearer abc", Some("abc")),
            ("bearer  abc ", Some("abc")),
            ("Basic abc", None),
            ("Bearer", None),
            ("abc", None),
        ] {
            assert_eq!(bearer(&HeaderValue::from_static(value)), expected, "{value}");
        }
    }
}
