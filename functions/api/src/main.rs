//! Lambda function `api`: the REST interface behind API Gateway (REST and HTTP) or a load balancer.

mod handler;

use handler::{Answer, Balancer, Interface};
use lambda_http::lambda_runtime::Diagnostic;
use lambda_http::{Error, Request, service_fn};
use scaling::lambda::failure::Failure;
use scaling::lambda::{self, Function};
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let interface = &OnceCell::new();
    lambda_http::run(service_fn(|request: Request| async move {
        answer(interface, request).await.map_err(diagnostic)
    }))
    .await
}

async fn answer(interface: &OnceCell<Interface>, request: Request) -> Result<Answer, Failure> {
    let build = || async {
        Function::from_environment().map(|function| Interface::new(function, Balancer::from_environment()))
    };
    interface.get_or_try_init(build).await?.answer(request).await
}

/// As Lambda wants it. Left to itself the runtime gives an error the name of its Rust type.
fn diagnostic(failure: Failure) -> Diagnostic {
    Diagnostic { error_type: failure.name.to_owned(), error_message: failure.message }
}
