//! How the page is served.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream::{Stream, unfold};
use serde_json::{Value, json};

use crate::Console;
use crate::assets::{self, Asset};

/// The page runs its own scripts only, talks to its own server only, and cannot be framed.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A connection without news still says this often that it lives.
const ALIVE: Duration = Duration::from_secs(15);

/// Whether a path is part of the page itself, which says nothing about the groups and needs no token.
pub fn is_page(path: &str) -> bool {
    assets::ALL.iter().any(|asset| asset.path == path)
}

pub(crate) fn router(console: Console) -> Router {
    let data = Router::new()
        .route("/console/data/fleet", get(fleet))
        .route("/console/data/groups/{name}", get(group))
        .route("/console/data/status", get(status))
        .route("/console/data/news", get(news))
        .with_state(console);
    assets::ALL.iter().fold(data, |router, asset| router.route(asset.path, get(|| async { page(asset) })))
}

fn page(asset: &Asset) -> Response {
    // The program may be another one tomorrow; asking costs nothing on loopback.
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (headers, asset.text).into_response()
}

const NO_STORE: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

async fn fleet(State(console): State<Console>) -> (impl axum::response::IntoResponseParts, Json<Value>) {
    (NO_STORE, Json(console.fleet()))
}

async fn group(State(console): State<Console>, Path(name): Path<String>) -> Response {
    if let Some(group) = console.group(&name) {
        return (NO_STORE, Json(group)).into_response();
    }
    let detail = format!("no group {name:?} has been evaluated yet");
    (StatusCode::NOT_FOUND, NO_STORE, Json(json!({"title": "not found", "detail": detail}))).into_response()
}

async fn status(State(console): State<Console>) -> (impl axum::response::IntoResponseParts, Json<Value>) {
    (NO_STORE, Json(console.status()))
}

/// Says that there is something new, as often as there is; the page then reads what it shows.
async fn news(State(console): State<Console>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut receiver = console.news();
    receiver.mark_changed();
    let stream = unfold(receiver, |mut receiver| async move {
        receiver.changed().await.ok()?;
        let count = *receiver.borrow_and_update();
        Some((Ok(Event::default().event("tick").data(count.to_string())), receiver))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_no_token_and_its_data_do() {
        for (path, expected) in [
            ("/", true),
            ("/console/app.js", true),
            ("/console/data/fleet", false),
            ("/console/data/news", false),
            ("/console/", false),
            ("/groups", false),
        ] {
            assert_eq!(is_page(path), expected, "{path}");
        }
    }

    #[test]
    fn the_page_is_light() {
        assert!(assets::weight() < 120_000, "{}", assets::weight());
    }
}
