//! Signature version 4: checked where credentials are configured.
//!
//! Source: *AWS Identity and Access Management User Guide*, "Create a signed AWS API request": in the header
//! `Authorization`, or in the parameters of an address that is signed beforehand. The time of a signature is the caller's,
//! by the wall; it may be a quarter of an hour away from ours, and that of an address is good for as long as it says.

use std::fmt::Write as _;

use http::{HeaderMap, Method, Uri};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::wire::{AwsError, Service};

/// How far a signature's time may be away.
const SKEW: SignedDuration = SignedDuration::from_mins(15);

/// Longest time that an address may be good for: a week.
const LONGEST: i64 = 7 * 24 * 3600;

/// The parameter with the signature itself, which is not signed.
const SIGNATURE: &str = "X-Amz-Signature";

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

/// Where a request belongs, which its signature is to say as well.
pub(crate) struct Scope<'a> {
    pub(crate) service: Service,
    /// The service as credentials name it.
    pub(crate) name: &'a str,
    pub(crate) region: &'a str,
}

/// The region whose name signatures for the one global endpoint of STS have.
const GLOBAL: &str = "us-east-1";

impl Scope<'_> {
    /// Refuses a signature that was made for somewhere else.
    fn check(&self, parts: &Parts) -> Result<(), AwsError> {
        let mut steps = parts.scope.split('/').skip(1);
        let (region, service, end) = (steps.next(), steps.next(), steps.next());
        let global = self.service == Service::Sts && region == Some(GLOBAL);
        if region != Some(self.region) && !global {
            return Err(mismatch(self.service, "Credential should be scoped to a valid region."));
        }
        if service != Some(self.name) {
            let why = format!("Credential should be scoped to correct service: '{}'.", self.name);
            return Err(mismatch(self.service, &why));
        }
        if end != Some("aws4_request") || steps.next().is_some() {
            let why = "Credential should be scoped with a valid terminator: 'aws4_request'.";
            return Err(mismatch(self.service, why));
        }
        Ok(())
    }
}

/// Checks a request against the credentials that are known.
///
/// # Errors
/// The service's own for a missing, incomplete, wrong or old signature, one for another service or region, and an unknown key.
pub(crate) fn check(
    request: &Signed<'_>,
    known: &[Credentials],
    scope: &Scope<'_>,
    now: Timestamp,
) -> Result<(), AwsError> {
    let service = scope.service;
    let in_header = Parts::of_header(request.headers).transpose();
    let in_header = in_header.map_err(|lacks| incomplete(service, &lacks))?;
    let Some(parts) = in_header.or_else(|| Parts::of_address(request.uri)) else {
        return Err(missing(service));
    };
    let Some(credentials) = known.iter().find(|one| one.key == parts.key) else {
        return Err(unknown(service));
    };
    scope.check(&parts)?;
    let string = format!(
        "AWS4-HMAC-SHA256\n{}\n{}\n{}",
        parts.date,
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
    match parts.signed().map(|signed| signed.duration_since(now)) {
        Some(away) if -parts.lasts <= away && away <= SKEW => Ok(()),
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

fn incomplete(service: Service, lacks: &str) -> AwsError {
    match service {
        Service::Ec2 => missing(service),
        _ => AwsError::new("IncompleteSignature", lacks).with_status(403),
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

/// What a request says of its signature.
struct Parts {
    key: String,
    /// Date, region, service and `aws4_request`.
    scope: String,
    signed_headers: String,
    signature: String,
    /// When it was signed, such as `20260105T000000Z`.
    date: String,
    /// How long it is good for from then on.
    lasts: SignedDuration,
}

impl Parts {
    /// What the header says. `None` where it is signed in no way that is known here; an error tells what it lacks.
    fn of_header(headers: &HeaderMap) -> Option<Result<Self, String>> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let rest = header("authorization")?.strip_prefix("AWS4-HMAC-SHA256")?;
        Some(Self::of_authorization(rest, header("x-amz-date")))
    }

    fn of_authorization(rest: &str, date: Option<&str>) -> Result<Self, String> {
        let part = |name: &str| {
            let given = rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
            let given = given.map(str::trim).filter(|given| !given.is_empty());
            given.ok_or_else(|| format!("Authorization header requires '{name}' parameter."))
        };
        let lacking =
            || "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.";
        let (key, scope) = part("Credential")?.split_once('/').ok_or("Credential must have a scope.")?;
        Ok(Self {
            key: key.to_owned(),
            scope: scope.to_owned(),
            signed_headers: part("SignedHeaders")?.to_owned(),
            signature: part("Signature")?.to_owned(),
            date: date.ok_or_else(lacking)?.to_owned(),
            lasts: SKEW,
        })
    }

    fn of_address(uri: &Uri) -> Option<Self> {
        let pairs = parameters(uri);
        let part = |name: &str| pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        part("X-Amz-Algorithm").filter(|algorithm| algorithm == "AWS4-HMAC-SHA256")?;
        let credential = part("X-Amz-Credential")?;
        let (key, scope) = credential.split_once('/')?;
        let lasts = part("X-Amz-Expires")?.parse().ok().filter(|seconds| (1..=LONGEST).contains(seconds))?;
        Some(Self {
            key: key.to_owned(),
            scope: scope.to_owned(),
            signed_headers: part("X-Amz-SignedHeaders")?,
            signature: part(SIGNATURE)?,
            date: part("X-Amz-Date")?,
            lasts: SignedDuration::from_secs(lasts),
        })
    }

    fn signed(&self) -> Option<Timestamp> {
        let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &self.date).ok()?;
        signed.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|signed| signed.timestamp())
    }
}

fn canonical(request: &Signed<'_>, parts: &Parts) -> String {
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

fn parameters(uri: &Uri) -> Vec<(String, String)> {
    serde_urlencoded::from_str(uri.query().unwrap_or_default()).unwrap_or_default()
}

fn query(uri: &Uri) -> String {
    let mut pairs: Vec<String> = parameters(uri)
        .iter()
        .filter(|(name, _)| name != SIGNATURE)
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
        let scope = Scope { service: Service::AutoScaling, name: "service", region: "us-east-1" };
        check(&request, &known, &scope, now.parse().unwrap())
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

    /// What botocore's `SigV4QueryAuth` makes of these credentials and this time.
    #[test]
    fn an_address_that_was_signed_beforehand_is_good_for_as_long_as_it_says() {
        let address = "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256\
            &X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=20150830T123600Z\
            &X-Amz-Expires=60&X-Amz-SignedHeaders=host\
            &X-Amz-Signature=edc8907c6c6ab903df773b39e30bcee2e7cbef539f89e69dfe8e7f6a80781bb6";
        let known = [Credentials { key: "AKIDEXAMPLE".to_owned(), secret: SECRET.to_owned() }];
        let headers =
            HeaderMap::from_iter([("host".parse().unwrap(), "sts.us-east-1.amazonaws.com".parse().unwrap())]);
        let tried = |address: &str, now: &str| {
            let uri = address.parse().unwrap();
            let request = Signed { method: &Method::GET, uri: &uri, headers: &headers, body: b"" };
            let scope = Scope { service: Service::Sts, name: "sts", region: "eu-central-1" };
            let outcome = check(&request, &known, &scope, now.parse().unwrap());
            outcome.map_err(|error| error.code.into_owned())
        };
        let wrong = Err("SignatureDoesNotMatch".to_owned());
        assert_eq!(tried(address, "2015-08-30T12:37:00Z"), Ok(()));
        assert_eq!(tried(address, "2015-08-30T12:37:01Z"), wrong, "it has expired");
        assert_eq!(tried(&address.replace("GetCaller", "GetOther"), "2015-08-30T12:36:30Z"), wrong);
        let for_ever = address.replace("Expires=60", "Expires=604801");
        assert_eq!(tried(&for_ever, "2015-08-30T12:36:30Z"), Err("MissingAuthenticationToken".to_owned()));
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
