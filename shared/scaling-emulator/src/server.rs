//! One HTTP handler for all services: read, carry out, write.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, Method, Uri};
use serde_json::Value;

use crate::emulator::Shared;
use crate::region::Region;
use crate::wire::query::Flavour;
use crate::wire::{AwsError, Call, Protocol, Reply, Service, cbor, json, query, route};
use crate::{autoscaling, cloudwatch, ec2, sts};

/// The whole server.
pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(handle).with_state(shared)
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    _method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(call) = route::route(uri.path(), uri.query(), &headers, body) else {
        return response(Reply::new(
            404,
            "text/plain",
            "no service of this emulator is meant by this request\n",
        ));
    };
    let reply = {
        let mut state = shared.state();
        state.requests.count(&call.name());
        answer(&mut state.region, &call)
    };
    response(reply)
}

/// Carries out one call and writes its answer.
pub(crate) fn answer(region: &mut Region, call: &Call) -> Reply {
    let operation = call.operation.as_str();
    match &call.protocol {
        Protocol::Json(body) => {
            let input = json::read(operation, body);
            json::reply(operation, &input.and_then(|input| cloudwatch::dispatch(region, operation, input)))
        }
        Protocol::Cbor(body) => {
            let input = cbor::read(operation, body);
            cbor::reply(operation, &input.and_then(|input| cloudwatch::dispatch(region, operation, input)))
        }
        Protocol::Query(form) => {
            let request_id = uuid::Uuid::new_v4().to_string();
            let write = |flavour, answer: &Result<Value, AwsError>| {
                query::reply(flavour, operation, &request_id, answer)
            };
            match call.service {
                Service::CloudWatch => {
                    let input = cloudwatch::query::read(operation, form);
                    let answer = input.and_then(|input| cloudwatch::dispatch(region, operation, input));
                    cloudwatch::query::reply(operation, &answer)
                }
                Service::AutoScaling => write(
                    Flavour::Query(autoscaling::NAMESPACE),
                    &autoscaling::dispatch(region, operation, form),
                ),
                Service::Ec2 => write(Flavour::Ec2, &ec2::dispatch(region, operation, form)),
                Service::Sts => write(Flavour::Query(sts::NAMESPACE), &sts::dispatch(region, operation)),
            }
        }
    }
}

fn response(reply: Reply) -> Response {
    let mut builder = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        builder = builder.header(*name, value);
    }
    builder.body(Body::from(reply.body)).unwrap_or_default()
}
