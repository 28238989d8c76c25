//! What a failed request means to the SDK, which decides by it whether to try again.

use std::error::Error;

use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::retry::ErrorKind;

use super::connect::{NoCertificates, NotInTime};

/// Tells a time-out, a lost or refused connection and a fault of the caller apart.
pub(super) fn meaning(error: hyper_util::client::legacy::Error) -> ConnectorError {
    if cause::<NoCertificates>(&error).is_some() || cause::<rustls::Error>(&error).is_some() {
        // Whom one trusts does not change from one try to the next.
        return ConnectorError::user(error.into());
    }
    if cause::<NotInTime>(&error).is_some() {
        return ConnectorError::timeout(error.into());
    }
    let refused = error.is_connect();
    let lost = cause::<std::io::Error>(&error).is_some();
    let Some(protocol) = cause::<hyper::Error>(&error) else {
        return if refused || lost { ConnectorError::io(error.into()) } else { other(error, None) };
    };
    if protocol.is_timeout() {
        ConnectorError::timeout(error.into())
    } else if protocol.is_user() {
        ConnectorError::user(error.into())
    } else if refused || lost || protocol.is_closed() || protocol.is_canceled() {
        ConnectorError::io(error.into())
    } else {
        // The server hung up in the middle of its answer: the next try may get a whole one.
        let kind = protocol.is_incomplete_message().then_some(ErrorKind::TransientError);
        other(error, kind)
    }
}

fn other(error: hyper_util::client::legacy::Error, kind: Option<ErrorKind>) -> ConnectorError {
    ConnectorError::other(error.into(), kind)
}

fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    std::iter::successors(Some(error), |&error| below(error)).find_map(|error| error.downcast_ref())
}

/// The next cause. What an I/O error holds is not its source: its source is that one's source.
fn below<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<std::io::Error>() {
        Some(io) => io.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}
