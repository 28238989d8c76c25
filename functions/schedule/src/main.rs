//! Lambda function `schedule`: evaluates every group, once a minute.

mod handler;

use handler::Summary;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use scaling::lambda::failure::Failure;
use scaling::lambda::{self, Function};
use serde_json::Value;
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let function = &OnceCell::new();
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        // What the event says is not looked at: it is a wake-up.
        answer(function, event.context.deadline).await.map_err(diagnostic)
    }))
    .await
}

async fn answer(function: &OnceCell<Function>, deadline_ms: u64) -> Result<Summary, Failure> {
    let build = || async { Function::from_environment().map(Function::keeping_alarms) };
    let function = function.get_or_try_init(build).await?;
    Ok(handler::handle(function, lambda::budget(deadline_ms)).await?)
}

/// As Lambda wants it. Left to itself the runtime gives an error the name of its Rust type.
fn diagnostic(failure: Failure) -> Diagnostic {
    Diagnostic { error_type: failure.name.to_owned(), error_message: failure.message }
}
