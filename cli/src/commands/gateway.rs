//! A controller behind API Gateway: requests are signed and carry an API key, and what the gateway refuses says why.

use anyhow::{Context, Result, anyhow, bail};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use jiff::Timestamp;
use scaling_aws::AwsClients;
use scaling_aws::signing::{RequestSigner, region_of_gateway};
use serde_json::Value;

use super::rest::is_loopback;

/// Where the key of the usage plan is. A command line would show it to everybody on the machine.
const API_KEY: &str = "SCALING_API_KEY";

/// What a request is let in by.
#[derive(Debug)]
pub(super) struct Gateway {
    signer: RequestSigner,
    api_key: Option<HeaderValue>,
}

impl Gateway {
    /// For an address of API Gateway's own, or where a signature is asked for; `None` for any other.
    pub(super) fn at(uri: &Uri, signed: bool) -> Result<Option<Self>> {
        Self::with_key(uri, signed, std::env::var(API_KEY).ok().as_deref())
    }

    fn with_key(uri: &Uri, signed: bool, api_key: Option<&str>) -> Result<Option<Self>> {
        let region = uri.host().and_then(region_of_gateway);
        if region.is_none() && !signed {
            return Ok(None);
        }
        if uri.scheme_str() == Some("http") && !is_loopback(uri) {
            bail!("{uri} is not encrypted, and a signed request would be seen on the way; use https://");
        }
        let api_key = match api_key.map(str::trim).filter(|key| !key.is_empty()) {
            None => None,
            Some(key) => {
                // The error would show the key.
                let value = HeaderValue::from_str(key);
                let mut value =
                    value.map_err(|_| anyhow!("{API_KEY} has characters that no header takes"))?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        let region = region.map(str::to_owned);
        Ok(Some(Self { signer: RequestSigner::new(AwsClients::from_environment(), region), api_key }))
    }

    /// Signs the request and gives it the key.
    pub(super) async fn let_in<B: AsRef<[u8]>>(&self, request: &mut Request<B>) -> Result<()> {
        self.signer.sign(request, Timestamp::now()).await.context("the request could not be signed")?;
        // After the signature, so that the key is nowhere in what signing may log.
        if let Some(key) = &self.api_key {
            request.headers_mut().insert("x-api-key", key.clone());
        }
        Ok(())
    }
}

/// What the gateway says when it refuses by itself; a problem of the interface has other members.
pub(super) fn said(answer: &Value) -> Option<&str> {
    answer["message"].as_str().or(answer["Message"].as_str())
}

/// What to do about a refusal in the gateway's words.
pub(super) fn advice(status: StatusCode, said: &str, method: &Method) -> Option<String> {
    if status != StatusCode::FORBIDDEN {
        return None;
    }
    let says = |word: &str| said.to_ascii_lowercase().contains(word);
    Some(if says("not authorized") {
        let policy = if *method == Method::GET { "ApiReadPolicyArn" } else { "ApiOperatePolicyArn" };
        format!("attach the policy that the stack's output {policy} names to this user or role")
    } else if says("missing authentication token") {
        "take the address from the stack's output ApiUrl, its stage /v1 included; where it has a domain of its own, sign \
         with --sign"
            .to_owned()
    } else if says("security token") {
        "renew the credentials (`aws sso login`), and see with `aws sts get-caller-identity` whose they are"
            .to_owned()
    } else if says("signature") {
        "look at this machine's clock, at the secret key, and at AWS_REGION where the address does not tell the region"
            .to_owned()
    } else if said == "Forbidden" {
        format!(
            "put the stack's API key into {API_KEY}: `aws apigateway get-api-key --include-value --query value --output \
             text --api-key ID` shows it, and ID is the stack's output ApiKeyId"
        )
    } else {
        return None;
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/v1";

    fn at(address: &str, signed: bool, key: Option<&str>) -> Result<Option<Gateway>> {
        Gateway::with_key(&address.parse().unwrap(), signed, key)
    }

    #[test]
    fn requests_are_signed_to_the_gateway_s_own_names_and_where_it_is_asked_for() {
        assert!(at(OURS, false, None).unwrap().is_some());
        assert!(at("https://scaling.example", true, None).unwrap().is_some());
        assert!(at("http://127.0.0.1:3000", true, None).unwrap().is_some());
        for other in ["http://127.0.0.1:8001", "https://scaling.example"] {
            assert!(at(other, false, Some("a-key")).unwrap().is_none(), "{other} gets no key");
        }
        let error = at(&OURS.replace("https", "http"), false, None).unwrap_err().to_string();
        assert!(error.contains("https://"), "{error}");
    }

    #[test]
    fn the_key_is_in_no_message() {
        let gateway = at(OURS, false, Some("a-key\n")).unwrap().unwrap();
        assert_eq!(gateway.api_key.as_ref().unwrap(), "a-key");
        assert!(!format!("{gateway:?}").contains("a-key"));
        let error = at(OURS, false, Some("a-\u{7}key")).unwrap_err().to_string();
        assert!(error.contains(API_KEY) && !error.contains("a-\u{7}key"), "{error}");
    }

    #[test]
    fn each_refusal_of_the_gateway_comes_with_what_to_do() {
        let denied = "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: execute-api:Invoke on \
            resource: arn:aws:execute-api:eu-central-1:********9012:a1b2c3/v1/POST/scale";
        for (said, method, word) in [
            (denied, Method::GET, "ApiReadPolicyArn"),
            (denied, Method::POST, "ApiOperatePolicyArn"),
            (denied, Method::PUT, "ApiOperatePolicyArn"),
            ("Forbidden", Method::GET, "SCALING_API_KEY"),
            ("Missing Authentication Token", Method::GET, "ApiUrl"),
            ("The security token included in the request is expired", Method::GET, "aws sso login"),
            (
                "The request signature we calculated does not match the signature you provided.",
                Method::GET,
                "clock",
            ),
            (
                "Signature expired: 20260101T000000Z is now earlier than 20260101T000500Z",
                Method::GET,
                "clock",
            ),
        ] {
            let advice = advice(StatusCode::FORBIDDEN, said, &method).unwrap();
            assert!(advice.contains(word), "{said}: {advice}");
        }
        assert_eq!(advice(StatusCode::TOO_MANY_REQUESTS, "Limit Exceeded", &Method::GET), None);
        assert_eq!(advice(StatusCode::FORBIDDEN, "your role may not do that", &Method::GET), None);
    }
}
