//! Which service, which operation, which protocol: read off a request's path, headers and form.

use axum::body::Bytes;
use http::HeaderMap;

use super::form::Form;

/// A service that the emulator stands in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// EC2 Auto Scaling.
    AutoScaling,
    /// EC2.
    Ec2,
    /// CloudWatch.
    CloudWatch,
    /// STS.
    Sts,
}

impl Service {
    /// The name in the request log and in faults.
    pub fn name(self) -> &'static str {
        match self {
            Self::AutoScaling => "AutoScaling",
            Self::Ec2 => "EC2",
            Self::CloudWatch => "CloudWatch",
            Self::Sts => "STS",
        }
    }

    /// The name in a signature's credential scope.
    pub fn scope_name(self) -> &'static str {
        Self::TABLE.iter().find(|(service, ..)| *service == self).map_or("", |(_, name, _)| name)
    }

    /// Whether it answers calls of this version: of its own, and EC2 of every one before as well.
    fn knows(self, version: &str) -> bool {
        let date = version.parse::<jiff::civil::Date>().is_ok();
        let own = Self::TABLE.iter().find(|(service, ..)| *service == self).map(|(.., own)| *own);
        own.is_some_and(|own| version == own || (self == Self::Ec2 && date && version < own))
    }

    /// The name in a signature's credential scope, and the API version that clients send with forms.
    const TABLE: [(Self, &'static str, &'static str); 4] = [
        (Self::AutoScaling, "autoscaling", "2011-01-01"),
        (Self::Ec2, "ec2", "2016-11-15"),
        (Self::CloudWatch, "monitoring", "2010-08-01"),
        (Self::Sts, "sts", "2011-06-15"),
    ];
}

/// The form that request and reply have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// A form, answered in XML; EC2's flavour when the service is EC2.
    Query(Form),
    /// AWS JSON 1.0.
    Json(Bytes),
    /// Smithy RPC v2 CBOR.
    Cbor(Bytes),
}

/// One request to one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Whose operation.
    pub service: Service,
    /// Its name, such as `SetDesiredCapacity`; nothing says that it exists.
    pub operation: String,
    /// The input, and the protocol that it came in.
    pub protocol: Protocol,
}

impl Call {
    /// The name in the request log and in faults, such as `AutoScaling.SetDesiredCapacity`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.service.name(), self.operation)
    }
}

/// CloudWatch's name in targets and CBOR paths.
const CLOUDWATCH: &str = "GraniteServiceVersion20100801";

/// Reads a request. `None`: it speaks to none of the services, or to a version that its service does not have.
pub fn route(path: &str, query: Option<&str>, headers: &HeaderMap, body: Bytes) -> Option<Call> {
    let (service, operation, protocol) = if let Some(rest) = path.strip_prefix("/service/") {
        let (service, operation) = rest.split_once("/operation/")?;
        (json_service(service)?, operation.to_owned(), Protocol::Cbor(body))
    } else if let Some(target) = headers.get("x-amz-target") {
        let (service, operation) = target.to_str().ok()?.rsplit_once('.')?;
        (json_service(service)?, operation.to_owned(), Protocol::Json(body))
    } else {
        let mut form = Form::parse(&body);
        if form.get("Action").is_none() {
            form = Form::parse(query?.as_bytes());
        }
        let operation = form.get("Action")?.to_owned();
        let service = query_service(&form, query, headers)?;
        if form.get("Version").is_some_and(|version| !service.knows(version)) {
            return None;
        }
        (service, operation, Protocol::Query(form))
    };
    Some(Call { service, operation, protocol })
}

fn json_service(name: &str) -> Option<Service> {
    (name == CLOUDWATCH).then_some(Service::CloudWatch)
}

fn query_service(form: &Form, query: Option<&str>, headers: &HeaderMap) -> Option<Service> {
    let authorization = headers.get("authorization").and_then(|text| text.to_str().ok());
    let address = || Form::parse(query?.as_bytes()).get("X-Amz-Credential").map(str::to_owned);
    let scope = authorization.and_then(signing_name).map(str::to_owned).or_else(|| {
        // An address that was signed beforehand.
        address()?.split('/').nth(3).map(str::to_owned)
    });
    let by_scope = Service::TABLE.iter().find(|(_, name, _)| scope.as_deref() == Some(*name));
    let by_version = Service::TABLE.iter().find(|(_, _, version)| form.get("Version") == Some(version));
    by_scope.or(by_version).map(|(service, _, _)| *service)
}

/// The service in `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
pub(super) fn signing_name(authorization: &str) -> Option<&str> {
    authorization.split_once("Credential=")?.1.split([',', ' ']).next()?.split('/').nth(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str, Option<&'static str>);

    const SCOPE: &str =
        "AWS4-HMAC-SHA256 Credential=AK/20260105/us-east-1/ec2/aws4_request, SignedHeaders=host";

    fn named(path: &str, headers: &[(&'static str, &str)], body: &'static str) -> Option<String> {
        let headers = headers.iter().map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap())).collect();
        route(path, None, &headers, Bytes::from_static(body.as_bytes())).map(|call| call.name())
    }

    #[test]
    fn an_address_that_was_signed_beforehand_names_its_service() {
        let query =
            "Action=A&Version=2016-11-15&X-Amz-Credential=AK%2F20260105%2Fus-east-1%2Fec2%2Faws4_request";
        let call = route("/", Some(query), &HeaderMap::new(), Bytes::new()).unwrap();
        assert_eq!(call.name(), "EC2.A");
    }

    #[test]
    fn each_protocol_names_its_service_and_operation() {
        let cases: [Case; 10] = [
            ("/", &[], "Action=A&Version=2011-01-01", Some("AutoScaling.A")),
            ("/", &[("authorization", SCOPE)], "Action=A", Some("EC2.A")),
            ("/", &[("authorization", SCOPE)], "Action=A&Version=2014-10-01", Some("EC2.A")),
            ("/", &[("authorization", SCOPE)], "Action=A&Version=2011-01-01", Some("EC2.A")),
            ("/", &[("authorization", SCOPE)], "Action=A&Version=2099-01-01", None),
            ("/", &[], "Action=A&Version=2011-06-15", Some("STS.A")),
            ("/", &[("x-amz-target", "GraniteServiceVersion20100801.A")], "{}", Some("CloudWatch.A")),
            ("/service/GraniteServiceVersion20100801/operation/A", &[], "", Some("CloudWatch.A")),
            ("/", &[("x-amz-target", "DynamoDB_20120810.GetItem")], "{}", None),
            ("/", &[], "Action=A", None),
        ];
        for (path, headers, body, expected) in cases {
            assert_eq!(named(path, headers, body).as_deref(), expected, "{path} {body}");
        }
    }
}
