//! From a gateway's event to the router and back.

use std::future::Future;
use std::pin::Pin;

use axum::{Router, middleware};
use http_body_util::BodyExt as _;
use lambda_http::http::uri::PathAndQuery;
use lambda_http::http::{HeaderValue, Uri};
use lambda_http::request::RequestContext;
use lambda_http::{Body, IntoResponse, Request, RequestExt, Response, Service};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use scaling::lambda::Function;
use scaling::lambda::failure::Failure;
use scaling_api::routes::{finish, routes};
use scaling_api::{ApiState, Caller, REQUEST_ID};

mod balancer;

pub(crate) use balancer::Balancer;

type ResponseFuture = Pin<Box<dyn Future<Output = Response<Body>> + Send>>;

/// The REST interface behind a gateway.
pub(crate) struct Interface {
    function: Function,
    router: Router,
    balancer: Balancer,
}

impl Interface {
    /// Over a function's loop.
    pub(crate) fn new(function: Function, balancer: Balancer) -> Self {
        let state = ApiState::new(function.control().clone(), function.metrics().clone());
        let router = finish(routes(state).layer(middleware::from_fn(balancer::refuse)));
        Self { function, router, balancer }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// An emulator's clock that cannot be read; whatever concerns the request itself is an answer.
    pub(crate) async fn answer(&self, mut request: Request) -> Result<Answer, Failure> {
        self.function.follow_clock().await?;
        *request.uri_mut() = address(&request);
        if let Some(id) = id_of_gateway(&request) {
            request.headers_mut().insert(REQUEST_ID, id);
        }
        balancer::mark(&mut request, self.balancer);
        if let Some(caller) = caller(&request) {
            request.extensions_mut().insert(caller);
        }
        // The router is a handful of shared tables: a clone is a reference count.
        let (head, body) = match self.router.clone().call(request).await {
            Ok(response) => response.into_parts(),
            Err(never) => match never {},
        };
        let collected = body.collect().await.map_err(|error| Failure::new("Body", error.to_string()))?;
        let bytes = collected.to_bytes().to_vec();
        // Text whatever its type is called: API Gateway would pass Base64 on as it is.
        let body = String::from_utf8(bytes).map_or_else(|error| Body::Binary(error.into_bytes()), Body::Text);
        Ok(Answer(Response::from_parts(head, body)))
    }
}

/// A finished answer. `lambda_http` guesses at others by their content type, with the tables of every encoding.
#[derive(Debug)]
pub(crate) struct Answer(Response<Body>);

impl IntoResponse for Answer {
    fn into_response(self) -> ResponseFuture {
        Box::pin(std::future::ready(self.0))
    }
}

/// The address as the routes know it: `/health` where a stage, or a domain's mapping, makes it `/v1/health`.
///
/// From the path as it was sent. The request's own address has its dot segments resolved (`%2e%2e` too), and IAM decides
/// on what was sent: who may `POST /groups/*` must not get to `/config` by way of `/groups/%2e%2e/config`.
fn address(request: &Request) -> Uri {
    let sent = request.raw_http_path();
    let path = of_route(request, sent).unwrap_or(sent);
    let path = if path.is_empty() { "/" } else { path };
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let whole = format!("{}{query}", utf8_percent_encode(path, NOT_IN_PATHS));
    // What is no address at all is one that no route has.
    whole.parse::<PathAndQuery>().map_or_else(|_| Uri::from_static("/."), Uri::from)
}

/// What a gateway may have decoded and an address cannot hold. A percent sign is kept: most pass the path on encoded.
const NOT_IN_PATHS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'^').add(b'`').add(b'\\');

/// What of the path is the route's, where the gateway has left its own in front; `None` where there is nothing to take off.
///
/// An HTTP API has to send payload format 2.0. Format 1.0 is not supported: its event looks like a REST API's, and differs in
/// what stands in front of its path.
fn of_route<'a>(request: &Request, path: &'a str) -> Option<&'a str> {
    match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) if context.path.as_deref() == Some(path) => {
            of_resource(request, context.resource_path.as_deref()?, path)
        }
        RequestContext::ApiGatewayV2(context) => {
            let route = context.route_key.as_deref().and_then(|key| key.split_once(' '));
            let matched = route.and_then(|(_, resource)| of_resource(request, resource, path));
            matched.or_else(|| without_stage(context.stage.as_deref()?, path))
        }
        _ => None,
    }
}

/// A REST API's event has the path without the stage, but for a domain of one's own: there all of what was asked for is in
/// it, with the part by which the domain finds the stage. What API Gateway, and so IAM, took for the path is the end of it
/// that the resource matches. Not all of what begins like a stage: where the domain finds it by nothing, who may not
/// `POST /config` must not get there by way of `/v1/config`. What stands before it is a mapping, which has no empty segments:
/// who may not `GET /audit` must not get there by way of `//audit` either, which is another path to IAM. An HTTP API tells
/// the same, unless its route is `$default`.
fn of_resource<'a>(request: &Request, resource: &str, path: &'a str) -> Option<&'a str> {
    let matched = match resource.strip_prefix("/{").and_then(|rest| rest.strip_suffix("+}")) {
        Some(variable) => request.path_parameters_ref()?.first(variable)?,
        None => resource.strip_prefix('/')?,
    };
    // Decoded, since the variable may be where the path is not.
    let is_matched = |rest: &str| percent_decode_str(&rest[1..]).eq(percent_decode_str(matched));
    let mut cuts = path.match_indices('/').map(|(at, _)| path.split_at(at));
    cuts.find(|(before, rest)| is_mapping(before) && is_matched(rest)).map(|(_, rest)| rest)
}

/// Whether a domain may have found the stage by this: by nothing, or by segments that are not empty.
fn is_mapping(before: &str) -> bool {
    before.is_empty()
        || before.strip_prefix('/').is_some_and(|key| key.split('/').all(|segment| !segment.is_empty()))
}

/// HTTP APIs put the stage before the path, behind a domain of one's own too, but for the stage `$default`: what begins like
/// that was asked for like that, so that IAM has decided on `/$default/audit`.
fn without_stage<'a>(stage: &str, path: &'a str) -> Option<&'a str> {
    if stage == "$default" {
        return None;
    }
    let rest = path.strip_prefix('/')?.strip_prefix(stage)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// The id under which the gateway's access log has the request, so that the two logs can be joined.
fn id_of_gateway(request: &Request) -> Option<HeaderValue> {
    let id = match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.request_id.as_deref(),
        RequestContext::ApiGatewayV2(context) => context.request_id.as_deref(),
        _ => None,
    };
    HeaderValue::from_str(id.filter(|id| !id.is_empty())?).ok()
}

/// Who asks, where the gateway has checked it: the IAM principal.
fn caller(request: &Request) -> Option<Caller> {
    let arn = match request.request_context_ref()? {
        RequestContext::ApiGatewayV1(context) => context.identity.user_arn.clone(),
        RequestContext::ApiGatewayV2(context) => context.authorizer.as_ref()?.iam.as_ref()?.user_arn.clone(),
        _ => None,
    };
    arn.filter(|arn| !arn.is_empty()).map(Caller)
}

#[cfg(test)]
mod tests;
