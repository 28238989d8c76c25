//! What has happened: by page, and where the process can keep connections open, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{Stream, unfold};
use http::{HeaderMap, HeaderName};
use scaling_telemetry::{Format, quality};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

use super::Query;
use crate::cursor;
use crate::events::{self, Numbered};
use crate::history::limit_of;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// The media type of server-sent events.
const STREAM: (&str, &str) = ("text", "event-stream");

/// Whether an Accept header asks for a stream: it wants one more than a page, or as much and by its name.
fn prefers_a_stream(accept: &str) -> bool {
    let (stream, page) = (quality(accept, STREAM), quality(accept, ("application", "json")));
    stream > page
        || (stream > 0.0 && stream >= page && accept.to_ascii_lowercase().contains("text/event-stream"))
}

/// Where a client that was cut off goes on.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A connection without events still says this often that it lives.
const ALIVE: Duration = Duration::from_secs(15);

/// A connection ends after this, and its client comes back with the last id it has seen: a token that was taken back is
/// looked at again then.
const LONGEST: Duration = Duration::from_secs(300);

/// Events that a stream reads at once.
const BATCH: usize = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub(super) struct EventsQuery {
    /// Only events of this group.
    group: Option<String>,
    /// Only events after this id: the `next` of the page before.
    #[cfg_attr(
        test,
        param(
            max_length = 128,
            pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z(-[!-.0-~]*)?$"
        )
    )]
    after: Option<String>,
    /// Most events of a page, 1 to 500. Default 50.
    #[cfg_attr(test, param(minimum = 1, maximum = 500))]
    limit: Option<usize>,
}

/// A page of events, oldest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct EventPage {
    /// The events. With `group` there may be fewer than `limit` although more follow.
    events: Vec<Numbered>,
    /// The `after` of the next page; null as long as there has never been an event.
    next: Option<String>,
    /// Whether more events can be read at once.
    more: bool,
}

#[cfg_attr(test, utoipa::path(
    get, path = "/events", tag = "history", params(EventsQuery),
    responses((status = 200, description = "Events, oldest first; as a stream where `Accept` asks for it and the \
        process keeps connections open", content((EventPage = "application/json"), (String = "text/event-stream")))),
))]
/// What has happened, in order
///
/// Decisions that differ from the one before, steps of operations, and writes, kept for seven days. A client asks for
/// page after page with the `next` of the last one; each event comes once. The process form also streams them
/// (`Accept: text/event-stream`), from `Last-Event-ID` or `after` on, otherwise from now on. A stream begins with the id
/// that it goes on from, without an event, and is ended after five minutes: whoever comes back with the last id misses
/// nothing, even without having seen an event.
pub(super) async fn events(
    State(state): State<ApiState>,
    headers: HeaderMap,
    Query(query): Query<EventsQuery>,
) -> Result<Response, Problem> {
    let limit = limit_of(query.limit)?;
    let resumed = headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
    let accept = super::accept(&headers);
    let streamed = accept.as_deref().is_some_and(prefers_a_stream);
    if let Some(id) = query.after.as_ref().or(resumed.as_ref()).filter(|id| !cursor::is_event(id)) {
        return Err(Problem::new(Kind::BadParameter, format!("{id:?} is no id of an event")));
    }
    if let Some(feed) = state.feed().filter(|_| streamed) {
        let new = feed.listen();
        let begin = resumed.or(query.after);
        let listener = Listener::new(state, new, begin, query.group);
        return Ok(Sse::new(listener.stream()).keep_alive(KeepAlive::new().interval(ALIVE)).into_response());
    }
    if !Format::Json.is_accepted(accept.as_deref()) {
        return Err(Problem::new(Kind::NotAcceptable, "events come as application/json here"));
    }
    let batch = events::after(state.store(), state.now(), query.after.as_deref(), limit).await?;
    let of_group =
        |event: &Numbered| query.group.as_ref().is_none_or(|group| event.event.group.as_ref() == Some(group));
    let events = batch.events.into_iter().filter(of_group).collect();
    Ok(Json(EventPage { events, next: batch.last, more: batch.more }).into_response())
}

/// One open connection.
struct Listener {
    state: ApiState,
    new: Receiver<Arc<Numbered>>,
    group: Option<String>,
    /// Everything up to here has been sent, or is of another group.
    last: String,
    /// The id that the client knows; none at the beginning.
    known: Option<String>,
    /// Read from the log, not sent yet.
    read: VecDeque<Numbered>,
    /// The log holds more that has not been sent.
    behind: bool,
    /// When the connection ends.
    end: Instant,
}

impl Listener {
    fn new(
        state: ApiState,
        new: Receiver<Arc<Numbered>>,
        begin: Option<String>,
        group: Option<String>,
    ) -> Self {
        let behind = begin.is_some();
        let last = begin.unwrap_or_else(|| state.now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
        let (known, read, end) = (None, VecDeque::new(), Instant::now() + LONGEST);
        Self { state, new, group, last, known, read, behind, end }
    }

    fn stream(self) -> impl Stream<Item = Result<sse::Event, Infallible>> {
        unfold(self, |mut listener| async move {
            let event = listener.next().await?;
            Some((Ok(event), listener))
        })
    }

    /// The next event; `None` ends the connection, and the client comes back with the last id it has seen. It is told the
    /// one that it begins with, and at the end one that events of other groups have moved on.
    async fn next(&mut self) -> Option<sse::Event> {
        if self.known.is_none() {
            return self.place();
        }
        loop {
            let event = match self.read.pop_front() {
                Some(event) => event,
                None if self.behind => {
                    self.read_on().await?;
                    continue;
                }
                None if Instant::now() >= self.end => return self.place(),
                None => match timeout_at(self.end, self.new.recv()).await {
                    Ok(Ok(event)) if event.id > self.last => Numbered::clone(&event),
                    Ok(Ok(_)) | Err(_) => continue,
                    Ok(Err(RecvError::Lagged(_))) => {
                        self.behind = true;
                        continue;
                    }
                    Ok(Err(RecvError::Closed)) => return None,
                },
            };
            self.last.clone_from(&event.id);
            if self.group.as_ref().is_none_or(|group| event.event.group.as_ref() == Some(group)) {
                self.known = Some(event.id.clone());
                let rendered = sse::Event::default().id(&event.id).event(event.event.kind.name());
                return rendered.json_data(&event).ok();
            }
        }
    }

    /// The id to go on from, without an event, where the client does not know it yet: it keeps such an id, too.
    fn place(&mut self) -> Option<sse::Event> {
        let is_news = self.known.as_ref() != Some(&self.last);
        self.known = Some(self.last.clone());
        is_news.then(|| sse::Event::default().id(&self.last))
    }

    async fn read_on(&mut self) -> Option<()> {
        let now = self.state.now();
        match events::after(self.state.store(), now, Some(&self.last), BATCH).await {
            Ok(batch) => {
                self.behind = batch.more;
                self.read.extend(batch.events);
                Some(())
            }
            Err(error) => {
                tracing::warn!(target: "scaling::integration", %error, "a stream of events was ended");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_sent_where_it_is_wanted_more_or_by_its_name() {
        for (accept, expected) in [
            ("text/event-stream", true),
            ("text/*", true),
            ("text/event-stream, application/json", true),
            ("text/event-stream, */*;q=0.1", true),
            ("*/*", false),
            ("application/json", false),
            ("application/json, text/event-stream;q=0", false),
            ("application/json;q=0.9, text/event-stream;q=0.8", false),
            ("text/event-stream;q=0.5, application/json", false),
            ("", false),
        ] {
            assert_eq!(prefers_a_stream(accept), expected, "{accept:?}");
        }
    }
}
