//! Lambda function `alarm`: evaluates the group that a CloudWatch alarm names.

mod event;
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
        answer(function, &event.payload).await.map_err(diagnostic)
    }))
    .await
}

async fn answer(function: &OnceCell<Function>, event: &Value) -> Result<Summary, Failure> {
    // An event that is no alarm needs no clients.
    let alarms = event::alarms(event)?;
    let function = function.get_or_try_init(|| async { Function::from_environment() }).await?;
    handler::handle(function, &alarms).await
}

/// As Lambda wants it. Left to itself the runtime gives an error the name of its Rust type.
fn diagnostic(failure: Failure) -> Diagnostic {
    Diagnostic { error_type: failure.name.to_owned(), error_message: failure.message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn an_event_that_is_no_alarm_is_answered_by_the_name_of_its_fault() {
        for (event, expected) in [
            (json!({}), "UnknownShape"),
            (json!({"Records": [{"Sns": {"Message": "{"}}]}), "UnreadableAlarm"),
        ] {
            let failure = answer(&OnceCell::new(), &event).await.unwrap_err();
            let answer = serde_json::to_value(diagnostic(failure)).unwrap();
            assert_eq!(answer["errorType"], expected, "{answer}");
            assert!(answer["errorMessage"].as_str().unwrap().contains("alarm"), "{answer}");
        }
    }
}
