//! Requests of a load balancer. API Gateway has asked IAM who they are from; a load balancer lets in whoever reaches it, unless
//! its own listener authenticates.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use scaling_api::Problem;
use scaling_api::problem::Kind;

/// What a load balancer's requests may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Balancer {
    /// Ask for `GET /health`, nothing else.
    Unchecked,
    /// Everything: its listener authenticates, by the deployment's word.
    Authenticated,
}

impl Balancer {
    /// By the variable `SCALING_ALB`, which is `authenticated` or not set.
    pub(crate) fn from_environment() -> Self {
        match std::env::var("SCALING_ALB").as_deref() {
            Ok("authenticated") => Self::Authenticated,
            _ => Self::Unchecked,
        }
    }
}

/// In a request's extensions: nobody has checked who it is from.
#[derive(Debug, Clone, Copy)]
struct Stranger;

/// Marks a request that came through a load balancer which checks nobody.
pub(super) fn mark(request: &mut lambda_http::Request, balancer: Balancer) {
    let is_balancers = matches!(request.request_context_ref(), Some(RequestContext::Alb(_)));
    if is_balancers && balancer == Balancer::Unchecked {
        request.extensions_mut().insert(Stranger);
    }
}

/// Refuses what is marked, but for the one path that needs no credentials anywhere.
pub(super) async fn refuse(request: Request, next: Next) -> Response {
    if request.extensions().get::<Stranger>().is_none() || request.uri().path() == "/health" {
        return next.run(request).await;
    }
    let detail = "a load balancer lets in whoever reaches it; where its listener authenticates (OIDC, Cognito, client \
                  certificates) set SCALING_ALB=authenticated for the function, otherwise ask through API Gateway";
    Problem::new(Kind::Unauthorized, detail).into_response()
}
