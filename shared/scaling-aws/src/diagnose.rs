//! What a person asks when nothing works: does AWS answer, and what time does it have.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_cloudwatch::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use jiff::{SignedDuration, Timestamp};
use scaling_control::PortError;

use crate::error::Call;
use crate::moment::timestamp;
use crate::platform::AwsPlatform;

const DESCRIBE: Call = Call::cloudwatch("DescribeAlarms");

/// Beyond this AWS refuses signatures.
pub const MOST_SKEW: SignedDuration = SignedDuration::from_secs(300);

impl AwsPlatform {
    /// How far this machine's clock is ahead of the service's, by the `Date` of an answer of CloudWatch; `None` where
    /// it says none. An answer that refuses the request tells the time, too.
    ///
    /// # Errors
    /// CloudWatch does not answer at all, or there are no credentials to ask with.
    pub async fn clock_skew(&self) -> Result<Option<SignedDuration>, PortError> {
        let seen = ServerClock::default();
        let config = aws_sdk_cloudwatch::config::Builder::from(self.clients().sdk_config().await)
            .interceptor(seen.clone())
            .build();
        let client = aws_sdk_cloudwatch::Client::from_conf(config);
        let answer = client.describe_alarms().max_records(1).send().await;
        let skew = *seen.skew.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Err(error) if skew.is_none() => Err(DESCRIBE.error("the alarms", error)),
            _ => Ok(skew),
        }
    }
}

/// Reads the `Date` of an answer.
#[derive(Debug, Clone, Default)]
struct ServerClock {
    skew: Arc<Mutex<Option<SignedDuration>>>,
}

#[dyn_dispatch_hint]
impl Intercept for ServerClock {
    fn name(&self) -> &'static str {
        "ServerClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let theirs = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        let skew = theirs.as_ref().and_then(timestamp).map(|theirs| Timestamp::now().duration_since(theirs));
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner) = skew;
        Ok(())
    }
}
