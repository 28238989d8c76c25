//! Lambda function `alarm`: evaluates the group that a CloudWatch alarm names.

mod event;
mod handler;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use scaling::lambda::{self, Function};
use serde_json::Value;
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let function = &OnceCell::new();
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        // An event that is no alarm needs no clients.
        let alarms = event::alarms(&event.payload)?;
        let function = function.get_or_try_init(|| async { Function::from_environment() }).await?;
        handler::handle(function, &alarms).await
    }))
    .await
}
