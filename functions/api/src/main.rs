//! Lambda function `api`: the REST interface behind API Gateway (REST and HTTP) or a load balancer.

mod handler;

use handler::{Balancer, Interface};
use lambda_http::{Error, Request, service_fn};
use scaling::lambda::{self, Function};
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let interface = &OnceCell::new();
    lambda_http::run(service_fn(|request: Request| async move {
        let build = || async {
            Function::from_environment()
                .map(|function| Interface::new(function, Balancer::from_environment()))
        };
        interface.get_or_try_init(build).await?.answer(request).await
    }))
    .await
}
