//! Signature version 4: checked where credentials are configured.
//!
//! Source: *AWS Identity and Access Management User Guide*, "Create a signed AWS API request". The time of a signature is
//! the caller's, by the wall; it may be a quarter of an hour away from ours.

use std::fmt::Write as _;

use http::{HeaderMap, Method, Uri};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::wire::{AwsError, Service};

/// How far a signature's time may be away.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Block length of SHA-256 in bytes.
const BLOCK: usize = 64;

/// A key with its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id.
    pub key: String,
    /// Secret access key.
    pub secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Credentials").field("key", &self.key).finish_non_exhaustive()
    }
}

/// A request as it is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

/// Checks a request against the credentials that are known.
///
/// # Errors
/// The service's own for a missing, wrong or old signature, and an unknown key.
pub(crate) fn check(
    request: &Signed<'_>,
    known: &[Credentials],
    service: Service,
    now: Timestamp,
) -> Result<(), AwsError> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    let parts = header("authorization").and_then(Parts::read);
    let (Some(parts), Some(date)) = (parts, header("x-amz-date")) else {
        return Err(missing(service));
    };
    let Some(credentials) = known.iter().find(|one| one.key == parts.key) else {
        return Err(unknown(service));
    };
    let string = format!(
        "AWS4-HMAC-SHA256\n{date}\n{}\n{}",
        parts.scope,
        hex(&Sha256::digest(canonical(request, &parts)))
    );
    let mut key = format!("AWS4{}", credentials.secret).into_bytes();
    for step in parts.scope.split('/') {
        key = hmac(&key, step.as_bytes());
    }
    if hex(&hmac(&key, string.as_bytes())) != parts.signature {
        return Err(mismatch(
            service,
            "The request signature we calculated does not match the signature you provided. \
            Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
        ));
    }
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok();
    let signed = signed.and_then(|signed| signed.to_zoned(jiff::tz::TimeZone::UTC).ok());
    match signed.map(|signed| signed.timestamp().duration_since(now)) {
        Some(away) if away.abs() <= SKEW => Ok(()),
        Some(away) if away.is_negative() => {
            Err(mismatch(service, "Signature expired: the request is too old."))
        }
        _ => Err(mismatch(service, "Signature not yet current: the request's time is too far ahead.")),
    }
}

fn missing(service: Service) -> AwsError {
    match service {
        Service::Ec2 => {
            AwsError::new("AuthFailure", "AWS was not able to validate the provided access credentials")
                .with_status(401)
        }
        _ => AwsError::new("MissingAuthenticationToken", "Request is missing Authentication Token")
            .with_status(403),
    }
}

fn unknown(service: Service) -> AwsError {
    match service {
        Service::Ec2 => missing(service),
        _ => AwsError::new("InvalidClientTokenId", "The security token included in the request is invalid.")
            .with_status(403),
    }
}

fn mismatch(service: Service, message: &str) -> AwsError {
    match service {
        Service::Ec2 => missing(service),
        _ => AwsError::new("SignatureDoesNotMatch", message).with_status(403),
    }
}

/// The parts of an `Authorization` header.
struct Parts<'a> {
    key: &'a str,
    /// Date, region, service and `aws4_request`.
    scope: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let rest = text.strip_prefix("AWS4-HMAC-SHA256")?;
        let part = |name: &str| {
            rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('=')).map(str::trim)
        };
        let (key, scope) = part("Credential")?.split_once('/')?;
        Some(Self { key, scope, signed_headers: part("SignedHeaders")?, signature: part("Signature")? })
    }
}

fn canonical(request: &Signed<'_>, parts: &Parts<'_>) -> String {
    let mut text =
        format!("{}\n{}\n{}\n", request.method, encoded(request.uri.path(), true), query(request.uri));
    for name in parts.signed_headers.split(';') {
        let values = request.headers.get_all(name).iter().map(|value| {
            let value = String::from_utf8_lossy(value.as_bytes());
            value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
        });
        let _infallible = writeln!(text, "{name}:{}", values.collect::<Vec<_>>().join(","));
    }
    let _infallible = write!(text, "\n{}\n{}", parts.signed_headers, hex(&Sha256::digest(request.body)));
    text
}

fn query(uri: &Uri) -> String {
    let pairs: Vec<(String, String)> =
        serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default();
    let mut pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encoded(name, false), encoded(value, false)))
        .collect();
    pairs.sort();
    pairs.join("&")
}

/// Percent-encoded but for letters, digits, `-._~`, and slashes in a path.
fn encoded(text: &str, path: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || (path && byte == b'/') {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _infallible = write!(out, "{byte:02x}");
        out
    })
}

/// HMAC with SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0; BLOCK];
    let short = if key.len() > BLOCK { Sha256::digest(key).to_vec() } else { key.to_vec() };
    block.iter_mut().zip(&short).for_each(|(slot, byte)| *slot = *byte);
    let with = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(with(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(with(0x5c)).chain_update(inner).finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    fn tried(signature: &str, key: &str, now: &str) -> Result<(), AwsError> {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature={signature}"
        );
        let headers = HeaderMap::from_iter([
            ("host".parse().unwrap(), "example.amazonaws.com".parse().unwrap()),
            ("x-amz-date".parse().unwrap(), "20150830T123600Z".parse().unwrap()),
            ("authorization".parse().unwrap(), authorization.parse().unwrap()),
        ]);
        let request =
            Signed { method: &Method::GET, uri: &Uri::from_static("/"), headers: &headers, body: b"" };
        let known = [Credentials { key: "AKIDEXAMPLE".to_owned(), secret: SECRET.to_owned() }];
        check(&request, &known, Service::AutoScaling, now.parse().unwrap())
    }

    /// `get-vanilla` of the test suite that AWS publishes for this signature.
    const VANILLA: &str = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

    #[test]
    fn the_published_example_is_right_at_its_time_and_with_its_key_only() {
        let time = "2015-08-30T12:40:00Z";
        assert_eq!(tried(VANILLA, "AKIDEXAMPLE", time), Ok(()));
        for (signature, key, time, code) in [
            (VANILLA.replacen('5', "6", 1).as_str(), "AKIDEXAMPLE", time, "SignatureDoesNotMatch"),
            (VANILLA, "AKIDOTHER", time, "InvalidClientTokenId"),
            (VANILLA, "AKIDEXAMPLE", "2015-08-30T13:00:00Z", "SignatureDoesNotMatch"),
            (VANILLA, "AKIDEXAMPLE", "2015-08-30T12:00:00Z", "SignatureDoesNotMatch"),
        ] {
            let error = tried(signature, key, time).unwrap_err();
            assert_eq!((error.code.as_ref(), error.status), (code, 403), "{signature} {key} {time}");
        }
    }

    /// RFC 4231, test case 2.
    #[test]
    fn hmac_is_the_standards() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&hmac(b"Jefe", b"what do ya want for nothing?")), expected);
    }

    #[test]
    fn secrets_are_not_written_into_logs() {
        let credentials = Credentials { key: "AK".to_owned(), secret: SECRET.to_owned() };
        assert!(!format!("{credentials:?}").contains(SECRET));
    }
}
