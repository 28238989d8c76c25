//! Lambda function `api`: the REST interface behind API Gateway (REST and HTTP) or a load balancer.

use lambda_http::{Error, Request, Service, service_fn};
use scaling::lambda;
use scaling_api::{ApiState, router};
use scaling_telemetry::Metrics;
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let api: OnceCell<axum::Router> = OnceCell::new();
    let api = &api;
    lambda_http::run(service_fn(|request: Request| async move {
        let api = api
            .get_or_try_init(|| async {
                let assembly = lambda::assemble()?;
                Ok::<_, lambda::StartError>(router(ApiState::new(assembly.control, Metrics::default())))
            })
            .await?;
        // The router is a handful of shared tables: a clone is a reference count.
        let answer = api.clone().call(request).await?;
        Ok::<_, Error>(answer)
    }))
    .await
}
