//! `Idempotency-Key` on writes: the same key with the same request gets the first answer again, and the write happens
//! once.
//!
//! Only answers of writes that went through are kept, for a day: a refusal had no effect, and asking again after its
//! cause is gone should work. While the first request is still being answered, a second one is refused. Should the
//! process die in between, the key is free again after [`RESERVED_FOR`]; what the first request wrote is then written
//! again, and as every write states wanted values, that changes nothing.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use scaling_control::PortError;
use scaling_control::ports::{Expected, NewRecord};
use scaling_control::record::{from_json, to_json};
use serde::{Deserialize, Serialize};

use crate::Caller;
use crate::body;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// The header with the key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The header of an answer that was given before.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How long an answer is kept.
pub const KEPT_FOR: Duration = Duration::from_secs(86_400);

/// How long a key belongs to a request that has not been answered: longer than a function may run.
pub const RESERVED_FOR: Duration = Duration::from_secs(60);

/// Longest key.
const LONGEST_KEY: usize = 255;

/// Larger answers are not kept: DynamoDB takes 400 KB a record.
const LARGEST_ANSWER: usize = 256 << 10;

/// What is stored of a key.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// Of method, path and body.
    fingerprint: String,
    /// `None` while the request is being answered.
    answer: Option<Answer>,
}

/// A stored answer.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

/// Headers of an answer that belong to it rather than to the way it is sent.
const KEPT_HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// The layer around every write: refuses a body that is no JSON or too large, then keeps the promise of the key.
pub(crate) async fn around_writes(
    State(state): State<ApiState>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = body::read(&parts.headers, body).await?;
    if !bytes.is_empty() {
        body::check_type(&parts.headers)?;
    }
    let Some(key) = key_of(&parts.headers)? else {
        return Ok(next.run(Request::from_parts(parts, Body::from(bytes))).await);
    };
    let text = format!("{} {}\n", parts.method, parts.uri);
    // Each caller's own: one may not get, or be stopped by, what another has asked for with the same key.
    let caller = parts.extensions.get::<Caller>().map(|caller| format!("\n{}", caller.0)).unwrap_or_default();
    let kept = Kept { state, key: format!("idempotency/{}", hash(key.as_bytes(), caller.as_bytes())) };
    let fingerprint = hash(text.as_bytes(), &bytes);
    match kept.reserve(&fingerprint).await? {
        Reserved::Answered(answer) => Ok(answer.replay()),
        Reserved::Free(version) => {
            let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
            Ok(kept.settle(version, fingerprint, response).await)
        }
    }
}

fn key_of(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut all = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(given) = all.next() else { return Ok(None) };
    if all.any(|other| other != given) {
        return Err(Problem::new(Kind::BadParameter, "send one Idempotency-Key; the request has several"));
    }
    let key = given.to_str().unwrap_or_default();
    let is_visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if key.is_empty() || key.len() > LONGEST_KEY || !is_visible {
        let detail = format!("Idempotency-Key must have 1 to {LONGEST_KEY} visible ASCII characters");
        return Err(Problem::new(Kind::BadParameter, detail));
    }
    Ok(Some(key))
}

/// One key in the store.
struct Kept {
    state: ApiState,
    key: String,
}

enum Reserved {
    /// The request is ours to answer; the version is that of the reservation.
    Free(u64),
    /// It was answered before.
    Answered(Answer),
}

impl Kept {
    async fn reserve(&self, fingerprint: &str) -> Result<Reserved, Problem> {
        let entry = Entry { fingerprint: fingerprint.to_owned(), answer: None };
        match self.put(&entry, Expected::Absent, RESERVED_FOR).await {
            Ok(version) => return Ok(Reserved::Free(version)),
            Err(PortError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        let stored = self.state.store().get(&self.key).await?;
        let entry = stored.map(|stored| from_json::<Entry>(&self.key, &stored.body)).transpose()?;
        match entry {
            Some(entry) if entry.fingerprint != fingerprint => Err(Problem::new(
                Kind::KeyReused,
                "this Idempotency-Key came with another method, path or body before; use a new one",
            )),
            Some(Entry { answer: Some(answer), .. }) => Ok(Reserved::Answered(answer)),
            // Unanswered, or gone since the write was refused: somebody is at it.
            _ => Err(Problem::new(Kind::InProgress, "the first request with this key is not answered yet")
                .retry_after(1)),
        }
    }

    /// Keeps the answer of a write that went through, and frees the key otherwise. The write is done: trouble here is
    /// logged, not answered.
    async fn settle(&self, version: u64, fingerprint: String, response: Response) -> Response {
        if !response.status().is_success() {
            self.free().await;
            return response;
        }
        let (parts, body) = response.into_parts();
        let bytes = match body.collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) => {
                let detail = format!("the answer could not be written: {error}");
                return Problem::new(Kind::Internal, detail).into_response();
            }
        };
        if bytes.len() > LARGEST_ANSWER {
            self.free().await;
        } else {
            let answer = Answer {
                status: parts.status.as_u16(),
                headers: kept_headers(&parts.headers),
                body: String::from_utf8_lossy(&bytes).into_owned(),
            };
            let entry = Entry { fingerprint, answer: Some(answer) };
            if let Err(error) = self.put(&entry, Expected::Version(version), KEPT_FOR).await {
                tracing::warn!(target: "scaling::integration", %error, "the answer of an idempotent request is lost");
            }
        }
        Response::from_parts(parts, Body::from(bytes))
    }

    async fn put(&self, entry: &Entry, expected: Expected, keep: Duration) -> Result<u64, PortError> {
        let record = NewRecord {
            key: self.key.clone(),
            body: to_json("keep an answer", entry)?,
            expires: Some(self.state.now() + keep),
        };
        self.state.store().put(record, expected).await
    }

    async fn free(&self) {
        if let Err(error) = self.state.store().delete(&self.key).await {
            tracing::warn!(target: "scaling::integration", %error, "an idempotency key could not be freed");
        }
    }
}

fn kept_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |name: &HeaderName| Some((name.to_string(), headers.get(name)?.to_str().ok()?.to_owned()));
    KEPT_HEADERS.iter().filter_map(text).collect()
}

impl Answer {
    fn replay(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
        response
    }
}

/// FNV-1a over both parts, 128 bits: the same in every version and on every machine, and long enough that two requests
/// of one client do not meet by chance.
pub(crate) fn hash(one: &[u8], other: &[u8]) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash =
        one.iter().chain(other).fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of the reference implementation.
    #[test]
    fn the_hash_is_fnv_1a_of_128_bits() {
        assert_eq!(hash(b"", b""), "6c62272e07bb014262b821756295c58d");
        assert_eq!(hash(b"a", b""), "d228cb696f1a8caf78912b704e4a8964");
        assert_eq!(hash(b"foo", b"bar"), "343e1662793c64bf6f0d3597ba446f18");
    }
}
