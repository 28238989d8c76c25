//! The time of an emulator, for functions that run beside one: `cargo lambda watch` against `scaling emulate`, whose
//! time may run faster than on the wall, or in steps.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::Uri;
use jiff::Timestamp;
use scaling_control::ports::Clock;
use serde::Deserialize;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Environment variable with the address that tells the time, such as `http://127.0.0.1:4566/_emulator/clock`.
pub const VARIABLE: &str = "SCALING_CLOCK";

/// An emulator on the same machine answers at once.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A clock that stands still until it is told to [`follow`](Self::follow): one invocation is one moment.
#[derive(Debug)]
pub struct FollowingClock {
    authority: String,
    path: String,
    now: Mutex<Timestamp>,
}

/// Why the time is not known.
#[derive(Debug, Error)]
pub enum ClockError {
    /// The variable holds no address.
    #[error(
        "{VARIABLE} is `{given}`; it takes an address such as http://127.0.0.1:4566/_emulator/clock, or nothing"
    )]
    Address {
        /// Its value.
        given: String,
    },
    /// Nothing answers.
    #[error("the clock at {authority} does not answer: {source}; start the emulator, or unset {VARIABLE}")]
    Unreachable {
        /// Host and port.
        authority: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What answers tells no time.
    #[error(
        "{authority} does not tell the time as `{{\"now\": ...}}`; name the emulator's clock in {VARIABLE}"
    )]
    NoTime {
        /// Host and port.
        authority: String,
    },
}

#[derive(Deserialize)]
struct Answer {
    now: Timestamp,
}

impl FollowingClock {
    /// A clock that follows the one at `address`. Asks nothing yet.
    ///
    /// # Errors
    /// [`ClockError::Address`].
    pub fn new(address: &str) -> Result<Self, ClockError> {
        let given = || ClockError::Address { given: address.to_owned() };
        let uri: Uri = address.parse().map_err(|_not_one| given())?;
        if uri.scheme_str() != Some("http") {
            return Err(given());
        }
        let authority = uri.authority().ok_or_else(given)?;
        let authority = match authority.port_u16() {
            Some(_) => authority.to_string(),
            None => format!("{authority}:80"),
        };
        Ok(Self { authority, path: uri.path().to_owned(), now: Mutex::new(Timestamp::UNIX_EPOCH) })
    }

    /// Brings it up to date.
    ///
    /// # Errors
    /// Nothing answers, or with something else than the time.
    pub async fn follow(&self) -> Result<(), ClockError> {
        let unreachable = |source| ClockError::Unreachable { authority: self.authority.clone(), source };
        let answer = tokio::time::timeout(TIMEOUT, self.ask())
            .await
            .map_err(|elapsed| unreachable(elapsed.into()))?
            .map_err(unreachable)?;
        let body = answer.split_once("\r\n\r\n").map(|(_head, body)| body);
        let answer: Option<Answer> = body.and_then(|body| serde_json::from_str(body).ok());
        let now = answer.ok_or_else(|| ClockError::NoTime { authority: self.authority.clone() })?.now;
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }

    /// HTTP/1.0: the answer ends with the connection.
    async fn ask(&self) -> std::io::Result<String> {
        let Self { authority, path, .. } = self;
        let mut socket = TcpStream::connect(authority).await?;
        socket.write_all(format!("GET {path} HTTP/1.0\r\nHost: {authority}\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

impl Clock for FollowingClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    async fn answering(body: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/clock", get(move || async move { body }));
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}/clock")
    }

    #[tokio::test]
    async fn the_time_is_the_other_clock_s_and_stands_still_between() {
        let clock = FollowingClock::new(&answering(r#"{"now": "2026-01-05T00:01:00Z"}"#).await).unwrap();
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.follow().await.unwrap();
        assert_eq!(clock.now().to_string(), "2026-01-05T00:01:00Z");
    }

    #[tokio::test]
    async fn an_answer_without_time_and_no_answer_say_what_to_do() {
        let clock = FollowingClock::new(&answering("hello").await).unwrap();
        assert!(matches!(clock.follow().await, Err(ClockError::NoTime { .. })));
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let error = FollowingClock::new(&format!("http://{closed}/")).unwrap().follow().await.unwrap_err();
        assert!(error.to_string().contains("start the emulator"), "{error}");
    }

    #[test]
    fn only_plain_http_addresses_are_taken() {
        for wrong in ["", "soon", "127.0.0.1:4566", "https://127.0.0.1/", "/_emulator/clock"] {
            assert!(matches!(FollowingClock::new(wrong), Err(ClockError::Address { .. })), "{wrong}");
        }
    }
}
