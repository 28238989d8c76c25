//! What settings leave open: from the standard environment, or from a function's variables alone.
//!
//! The standard environment of AWS's tools (profiles, web identity, containers, instances) needs clients of further
//! services and parsers of their files. A Lambda function is given everything in variables; without the rest it is
//! smaller and starts sooner.

use std::env;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_types::SdkConfig;
use aws_types::origin::Origin;
use aws_types::region::Region;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::clients::AwsSettings;

/// Where region, credentials and endpoint come from that are not set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Surroundings {
    /// As AWS's tools have it: variables, profiles, web identity, the container's or the instance's role. Needs the
    /// feature `profiles`.
    #[cfg(feature = "profiles")]
    #[default]
    Standard,
    /// Environment variables alone, as Lambda sets them: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN`; `AWS_ENDPOINT_URL`, its forms for one service and `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`;
    /// `AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`.
    #[cfg_attr(not(feature = "profiles"), default)]
    Variables,
}

/// What the SDK's clients are built from: the settings, and the surroundings where they leave something open.
#[cfg_attr(not(feature = "profiles"), expect(clippy::unused_async, reason = "profiles are read by clients"))]
pub(crate) async fn load(settings: &AwsSettings, http: &SharedHttpClient) -> SdkConfig {
    let AwsSettings { endpoint, region, credentials, .. } = settings;
    if endpoint.is_some() && region.is_some() && credentials.is_some() {
        // Nothing is left to the environment, so none of it is read: an embedded emulator is the same whatever
        // profile is active.
        return alone(settings, http, &|_variable| None);
    }
    match settings.surroundings {
        #[cfg(feature = "profiles")]
        Surroundings::Standard => standard(settings, http).await,
        Surroundings::Variables => alone(settings, http, &variable),
    }
}

#[cfg(feature = "profiles")]
async fn standard(settings: &AwsSettings, http: &SharedHttpClient) -> SdkConfig {
    let AwsSettings { endpoint, region, credentials, limits, .. } = settings;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.clone())
        .retry_config(limits.retries())
        .timeout_config(limits.timeouts());
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(credentials) = credentials {
        loader = loader.credentials_provider(credentials.clone());
    }
    loader.load().await
}

/// Settings, and `variable` for the rest.
fn alone(
    settings: &AwsSettings,
    http: &SharedHttpClient,
    variable: &dyn Fn(&str) -> Option<String>,
) -> SdkConfig {
    let AwsSettings { endpoint, region, credentials, limits, .. } = settings;
    let credentials = match credentials {
        Some(credentials) => SharedCredentialsProvider::new(credentials.clone()),
        None => SharedCredentialsProvider::new(FromVariables),
    };
    let flag = |name| variable(name).map(|value| value.eq_ignore_ascii_case("true"));
    let mut builder = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.clone().or_else(|| variable("AWS_REGION")).map(Region::new))
        .credentials_provider(credentials)
        .http_client(http.clone())
        .retry_config(limits.retries())
        .timeout_config(limits.timeouts());
    builder.set_use_fips(flag("AWS_USE_FIPS_ENDPOINT"));
    builder.set_use_dual_stack(flag("AWS_USE_DUALSTACK_ENDPOINT"));
    if endpoint.is_some() {
        // An origin in code wins over every variable.
        builder.insert_origin("endpoint_url", Origin::shared_config());
        builder.set_endpoint_url(endpoint.clone());
    } else if flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") != Some(true) {
        builder.insert_origin("endpoint_url", Origin::shared_environment_variable());
        builder.set_endpoint_url(variable("AWS_ENDPOINT_URL"));
        builder.set_service_config(Some(EndpointsByService));
    }
    builder.build()
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// `AWS_ENDPOINT_URL_AUTO_SCALING` and its like.
#[derive(Debug)]
struct EndpointsByService;

impl LoadServiceConfig for EndpointsByService {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_ascii_uppercase().replace([' ', '-'], "_");
        variable(&format!("{}_{service}", key.env()))
    }
}

/// The keys that Lambda sets when it makes a process; they hold as long as the process lives.
#[derive(Debug)]
struct FromVariables;

impl ProvideCredentials for FromVariables {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(keys())
    }
}

fn keys() -> provider::Result {
    let key = |name: &'static str| {
        variable(name).ok_or_else(|| CredentialsError::not_loaded(format!("the variable {name} is not set")))
    };
    let (id, secret) = (key("AWS_ACCESS_KEY_ID")?, key("AWS_SECRET_ACCESS_KEY")?);
    Ok(Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "EnvironmentVariable"))
}
