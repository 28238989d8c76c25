//! Lambda function `schedule`: evaluates every group, once a minute.

mod handler;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use scaling::Assembly;
use serde_json::Value;
use tokio::sync::OnceCell;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    scaling::lambda::init_logs();
    let assembly: OnceCell<Assembly> = OnceCell::new();
    let assembly = &assembly;
    lambda_runtime::run(service_fn(|event: LambdaEvent<Value>| async move {
        let assembly = assembly.get_or_try_init(|| async { scaling::lambda::assemble() }).await?;
        handler::handle(&assembly.control, scaling::lambda::budget(event.context.deadline)).await
    }))
    .await
}
