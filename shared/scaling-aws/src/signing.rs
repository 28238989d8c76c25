//! Signs requests to a REST interface behind API Gateway (signature version 4), by the identity of the SDK's clients.

use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::{SigningParams, signing_params};
use aws_smithy_runtime_api::client::identity::Identity;
use http::Request;
use jiff::Timestamp;

use crate::clients::AwsClients;

/// API Gateway's name in a signature's scope.
const SERVICE: &str = "execute-api";

/// What the names of API Gateway's own hosts end with, after service and region.
const ENDS: [&str; 4] = ["amazonaws.com", "amazonaws.com.cn", "api.aws", "api.amazonwebservices.com.cn"];

/// Why a request could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningFault {
    /// The environment names no region, and neither does the host.
    #[error("no region is known to sign for; set AWS_REGION")]
    NoRegion,
    /// The environment has no credentials.
    #[error(
        "no credentials to sign with; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or take a role"
    )]
    NoCredentials(#[source] Option<CredentialsError>),
    /// Credentials or region cannot be used in a signature.
    #[error("these credentials cannot sign")]
    Parameters(#[from] signing_params::BuildError),
    /// The request has something that cannot be signed.
    #[error("the request cannot be signed")]
    Request(#[from] aws_sigv4::http_request::SigningError),
}

/// The region of an API behind one of API Gateway's own names, such as
/// `a1b2c3.execute-api.eu-central-1.amazonaws.com`; `None` for any other host.
pub fn region_of_gateway(host: &str) -> Option<&str> {
    let (_, rest) = host.split_once(".execute-api.")?;
    let (region, end) = rest.split_once('.')?;
    // Private APIs are reached through a VPC endpoint's name, too.
    let end = end.strip_prefix("vpce.").unwrap_or(end);
    ENDS.contains(&end).then_some(region)
}

/// Signs for one region.
#[derive(Debug)]
pub struct RequestSigner {
    clients: AwsClients,
    region: Option<String>,
}

impl RequestSigner {
    /// By the identity of these clients, for this region or, without one, theirs. Reads nothing yet.
    pub fn new(clients: AwsClients, region: Option<String>) -> Self {
        Self { clients, region }
    }

    /// Adds the headers of the signature: `x-amz-date`, `authorization`, and with temporary credentials
    /// `x-amz-security-token`. Headers that are there already are signed, too.
    ///
    /// # Errors
    /// There is no identity or no region, or a header is not text.
    pub async fn sign<B: AsRef<[u8]>>(
        &self,
        request: &mut Request<B>,
        now: Timestamp,
    ) -> Result<(), SigningFault> {
        let sdk = self.clients.sdk_config().await;
        let region = self.region.as_deref().or_else(|| sdk.region().map(AsRef::as_ref));
        let region = region.ok_or(SigningFault::NoRegion)?;
        let provider = sdk.credentials_provider().ok_or(SigningFault::NoCredentials(None))?;
        let credentials = provider.provide_credentials().await;
        let identity: Identity =
            credentials.map_err(|error| SigningFault::NoCredentials(Some(error)))?.into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(SERVICE)
            .time(now.into())
            .settings(SigningSettings::default())
            .build()?
            .into();
        let headers = request.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.uri().to_string(),
            headers,
            SignableBody::Bytes(request.body().as_ref()),
        )?;
        let (instructions, _) = sign(signable, &parameters)?.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_s_own_names_tell_their_region_and_no_other_name_does() {
        for (host, region) in [
            ("a1b2c3.execute-api.eu-central-1.amazonaws.com", Some("eu-central-1")),
            ("a1b2c3.execute-api.cn-north-1.amazonaws.com.cn", Some("cn-north-1")),
            ("a1b2c3.execute-api.us-east-1.api.aws", Some("us-east-1")),
            ("a1-vpce-0d.execute-api.us-east-1.vpce.amazonaws.com", Some("us-east-1")),
            ("scaling.example.com", None),
            ("execute-api.us-east-1.amazonaws.com", None),
            ("a1.execute-api.us-east-1.amazonaws.com.example.net", None),
            ("127.0.0.1", None),
        ] {
            assert_eq!(region_of_gateway(host), region, "{host}");
        }
    }
}
