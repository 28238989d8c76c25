//! Answers that end too early: half of the promised bytes, and then the end of the connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use hyper::body::{Body as HttpBody, Bytes, Frame, SizeHint};

use crate::wire::Reply;

/// A body that promises more than it gives.
struct Cut {
    part: Option<Bytes>,
    promised: u64,
    /// Whether the part has been waited for: the connection writes what it has when there is nothing more for a moment.
    written: bool,
}

impl HttpBody for Cut {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(part) = self.part.take() {
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        if !self.written {
            self.written = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(io::Error::other("the answer is cut off on demand"))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}

/// The first half of a reply, as if the connection had broken.
pub(crate) fn off(reply: Reply) -> Response {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    let promised = u64::try_from(reply.body.len()).unwrap_or(u64::MAX);
    let mut part = Bytes::from(reply.body);
    part.truncate(part.len() / 2);
    builder.body(Body::new(Cut { part: Some(part), promised, written: false })).unwrap_or_default()
}
