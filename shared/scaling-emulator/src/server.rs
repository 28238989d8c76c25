//! One HTTP handler for all services: read, carry out, write.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use http::{HeaderMap, Method, Uri};
use jiff::Timestamp;
use serde_json::Value;

use crate::emulator::Shared;
use crate::faults::Effect;
use crate::region::Region;
use crate::signature::{self, Scope, Signed};
use crate::wire::query::Flavour;
use crate::wire::{AwsError, Call, Protocol, Reply, Service, cbor, compression, json, query, route, unknown};
use crate::{autoscaling, clock, cloudwatch, control, cut, ec2, page, sts};

/// Largest request body: CloudWatch takes 1 MB, nothing else needs as much.
const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// No answer in any protocol: a CBOR break with nothing to end, and no UTF-8, so neither JSON nor XML.
const UNREADABLE: &[u8] = b"\xff\xfe<<{{ this is no answer";

/// The whole server.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    control::routes().fallback(handle).layer(DefaultBodyLimit::max(LARGEST_BODY)).with_state(shared)
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // A browser signs nothing; S3's client asks for the same when it lists buckets.
    let signed = headers.contains_key(http::header::AUTHORIZATION);
    let looks = method == Method::GET || method == Method::HEAD;
    if looks && uri.path() == "/" && uri.query().is_none() && !signed {
        return page::html();
    }
    let call = match understood(&uri, &headers, body.clone()) {
        Ok(call) => call,
        Err(reply) => return response(*reply),
    };
    let known = &shared.settings.credentials;
    if !known.is_empty() {
        let signed = Signed { method: &method, uri: &uri, headers: &headers, body: &body };
        let region = &shared.settings.region;
        let scope = Scope { service: call.service, name: call.service.scope_name(), region };
        if let Err(error) = signature::check(&signed, known, &scope, Timestamp::now()) {
            return response(write(&call, &Err(error)));
        }
    }
    answered(&shared, &call).await
}

/// Answers one request from a region directly, without a socket, time or faults. `None` when it means no service or cannot
/// be read at all.
pub fn answer(region: &mut Region, uri: &Uri, headers: &HeaderMap, body: Bytes) -> Option<Reply> {
    let call = understood(uri, headers, body).ok()?;
    let answer = carry_out(region, &call);
    Some(write(&call, &answer))
}

/// The call that a request means.
fn understood(uri: &Uri, headers: &HeaderMap, body: Bytes) -> Result<Call, Box<Reply>> {
    let body = compression::expanded(headers, body, LARGEST_BODY)
        .ok_or_else(|| Box::new(Reply::new(400, "text/plain", "the body cannot be expanded\n")))?;
    route::route(uri.path(), uri.query(), headers, body.clone())
        .ok_or_else(|| Box::new(unknown::reply(uri.path(), uri.query(), headers, &body)))
}

/// Carries out one call, with what faults do to it.
async fn answered(shared: &Arc<Shared>, call: &Call) -> Response {
    let effects = {
        let mut state = shared.state();
        let name = call.name();
        state.requests.count(&name);
        let now = state.region.now;
        state.faults.effects(call, &name, now)
    };
    for effect in &effects {
        if let Effect::Delay(milliseconds) = effect {
            tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
        }
    }
    let failure = effects.iter().find_map(|effect| match effect {
        Effect::Error(error) => Some(error.clone()),
        _ => None,
    });
    let answer = match failure {
        Some(error) => Err(error),
        None => served(shared, call),
    };
    let mut reply = write(call, &answer);
    if effects.contains(&Effect::Malformed) {
        reply.body = UNREADABLE.to_vec();
    }
    tracing::debug!(operation = call.operation, status = reply.status, "answered");
    if effects.contains(&Effect::Truncated) {
        return cut::off(reply);
    }
    response(reply)
}

/// Carries out one call, and what it sets off beside it: the actions of an alarm put into another state.
fn served(shared: &Arc<Shared>, call: &Call) -> Result<Value, AwsError> {
    let (answer, invocations) = {
        let region = &mut shared.state().region;
        (carry_out(region, call), cloudwatch::take_invocations(region))
    };
    for invocation in invocations {
        let shared = Arc::clone(shared);
        tokio::spawn(async move { clock::invoke(&shared, &invocation).await });
    }
    answer
}

/// Carries out one call.
pub(crate) fn carry_out(region: &mut Region, call: &Call) -> Result<Value, AwsError> {
    let operation = call.operation.as_str();
    match (&call.protocol, call.service) {
        (Protocol::Json(body), _) => cloudwatch::dispatch(region, operation, json::read(operation, body)?),
        (Protocol::Cbor(body), _) => cloudwatch::dispatch(region, operation, cbor::read(operation, body)?),
        (Protocol::Query(form), Service::CloudWatch) => {
            cloudwatch::dispatch(region, operation, cloudwatch::query::read(operation, form)?)
        }
        (Protocol::Query(form), Service::AutoScaling) => autoscaling::dispatch(region, operation, form),
        (Protocol::Query(form), Service::Ec2) => ec2::dispatch(region, operation, form),
        (Protocol::Query(_), Service::Sts) => sts::dispatch(region, operation),
    }
}

/// Writes an answer in the protocol of its call.
pub(crate) fn write(call: &Call, answer: &Result<Value, AwsError>) -> Reply {
    let operation = call.operation.as_str();
    let request_id = uuid::Uuid::new_v4().to_string();
    let flavour = match (&call.protocol, call.service) {
        (Protocol::Json(_), _) => {
            return json::reply(operation, answer).with_header("x-amzn-requestid", request_id);
        }
        (Protocol::Cbor(_), _) => {
            return cbor::reply(operation, answer).with_header("x-amzn-requestid", request_id);
        }
        (_, Service::CloudWatch) => return cloudwatch::query::reply(operation, answer),
        (_, Service::AutoScaling) => Flavour::Query(autoscaling::NAMESPACE),
        (_, Service::Sts) => Flavour::Query(sts::NAMESPACE),
        (_, Service::Ec2) => Flavour::Ec2,
    };
    query::reply(flavour, operation, &request_id, answer)
}

fn response(reply: Reply) -> Response {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    builder.body(Body::from(reply.body)).unwrap_or_default()
}
