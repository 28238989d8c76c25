//! Lambda function `schedule`: evaluates every group, once a minute.

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
        let function = function
            .get_or_try_init(|| async { Function::from_environment().map(Function::keeping_alarms) })
            .await?;
        // What the event says is not looked at: it is a wake-up.
        Ok::<_, Error>(handler::handle(function, lambda::budget(event.context.deadline)).await?)
    }))
    .await
}
