//! Where the SDK's clients come from.

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpClient};
use aws_types::SdkConfig;
use tokio::sync::OnceCell;

use crate::counter::CallCounter;
use crate::http_client::LazyHttpClient;
use crate::limits::CallLimits;
use crate::spans::CallSpans;
use crate::surroundings::{self, Surroundings};

/// What differs from the standard environment. The default is the standard environment as it is.
#[derive(Debug, Clone, Default)]
pub struct AwsSettings {
    /// Address of all services, such as `http://127.0.0.1:4566`. `None` takes `AWS_ENDPOINT_URL`, its forms for
    /// one service, the profile, or AWS itself.
    pub endpoint: Option<String>,
    /// Region, such as `eu-central-1`. `None` takes the environment's or the profile's.
    pub region: Option<String>,
    /// Fixed credentials. `None` takes those of [`AwsSettings::surroundings`].
    pub credentials: Option<Credentials>,
    /// Time-outs and retries.
    pub limits: CallLimits,
    /// Where the environment ends that the rest is taken from.
    pub surroundings: Surroundings,
}

/// The SDK's clients, each built when it is first asked for.
#[derive(Debug)]
pub struct AwsClients {
    settings: AwsSettings,
    http: SharedHttpClient,
    counter: CallCounter,
    sdk: OnceCell<SdkConfig>,
    autoscaling: OnceCell<aws_sdk_autoscaling::Client>,
    cloudwatch: OnceCell<aws_sdk_cloudwatch::Client>,
}

impl AwsClients {
    /// Clients with these settings. Builds nothing yet.
    pub fn new(settings: AwsSettings) -> Self {
        Self::with_http_client(settings, LazyHttpClient::new())
    }

    /// Clients of the standard environment. Builds nothing yet.
    pub fn from_environment() -> Self {
        Self::new(AwsSettings::default())
    }

    /// Clients that send their requests through `http`.
    pub fn with_http_client(settings: AwsSettings, http: impl HttpClient + 'static) -> Self {
        Self {
            settings,
            http: SharedHttpClient::new(http),
            counter: CallCounter::new(),
            sdk: OnceCell::new(),
            autoscaling: OnceCell::new(),
            cloudwatch: OnceCell::new(),
        }
    }

    /// Counts what these clients send.
    pub fn counter(&self) -> &CallCounter {
        &self.counter
    }

    /// The limits of each call.
    pub fn limits(&self) -> &CallLimits {
        &self.settings.limits
    }

    /// Whether anything has been built yet.
    pub fn is_idle(&self) -> bool {
        !self.sdk.initialized()
    }

    /// Region, credentials, endpoint, HTTP client, limits: what any further client of the SDK is built from, so
    /// that it shares the connections and the cached identity. Reads the environment on the first call.
    pub async fn sdk_config(&self) -> &SdkConfig {
        self.sdk.get_or_init(|| surroundings::load(&self.settings, &self.http)).await
    }

    /// The client of EC2 Auto Scaling.
    pub async fn autoscaling(&self) -> &aws_sdk_autoscaling::Client {
        let build = || async {
            let config = aws_sdk_autoscaling::config::Builder::from(self.sdk_config().await)
                .interceptor(self.counter.clone())
                .interceptor(CallSpans)
                .build();
            aws_sdk_autoscaling::Client::from_conf(config)
        };
        self.autoscaling.get_or_init(build).await
    }

    /// The client of CloudWatch.
    pub async fn cloudwatch(&self) -> &aws_sdk_cloudwatch::Client {
        let build = || async {
            let config = aws_sdk_cloudwatch::config::Builder::from(self.sdk_config().await)
                .interceptor(self.counter.clone())
                .interceptor(CallSpans)
                .build();
            aws_sdk_cloudwatch::Client::from_conf(config)
        };
        self.cloudwatch.get_or_init(build).await
    }
}
