//! What a request gets that means none of the services: the answer that AWS's own front ends give, in the protocol of the
//! request, so that a client reports an operation that isn't there instead of an answer that it cannot read. S3 alone has no
//! such front end: it says itself what it does not do.

use http::HeaderMap;
use serde_json::json;

use super::form::Form;
use super::query::{self, Flavour};
use super::route::signing_name;
use super::{AwsError, Reply, cbor, xml};

/// The name of the exception in the protocols that name one.
pub(super) const EXCEPTION: &str = "com.amazon.coral.service#UnknownOperationException";

/// Answers a request that [`super::route::route`] could not place.
pub fn reply(path: &str, query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Reply {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if path.starts_with("/_emulator/") {
        let why = json!({ "error": format!("there is no path {path}: the emulator's guide lists them") });
        return Reply::new(404, "application/json", why.to_string());
    }
    if let Some(operation) = path.strip_prefix("/service/") {
        let body =
            json!({ "__type": EXCEPTION, "message": explained(&operation.replace("/operation/", ".")) });
        let reply = Reply::new(404, "application/cbor", cbor::encoded(&body));
        return reply.with_header("smithy-protocol", "rpc-v2-cbor");
    }
    if let Some(target) = header("x-amz-target") {
        let body = json!({ "__type": EXCEPTION, "message": explained(target) });
        let asked = header("content-type").filter(|asked| asked.starts_with("application/x-amz-json-"));
        return Reply::new(400, asked.unwrap_or("application/x-amz-json-1.0"), body.to_string());
    }
    let forms = [Form::parse(body), Form::parse(query.unwrap_or_default().as_bytes())];
    if let Some((form, action)) = forms.iter().find_map(|form| Some((form, form.get("Action")?))) {
        let version = form.get("Version").unwrap_or("NO_VERSION_SPECIFIED");
        let why = format!("Could not find operation {action} for version {version}");
        let id = uuid::Uuid::new_v4().to_string();
        let error = Err(AwsError::new("InvalidAction", why));
        return query::reply(Flavour::Query(NAMESPACE), action, &id, &error);
    }
    if header("authorization").and_then(signing_name) == Some("s3") {
        let why = xml::escaped(&explained(path));
        let body = format!("<Error><Code>NotImplemented</Code><Message>{why}</Message></Error>");
        return Reply::new(501, "application/xml", body);
    }
    let is_form =
        header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if path == "/" && is_form {
        let signed_for_ec2 = header("authorization").and_then(signing_name) == Some("ec2");
        let flavour = if signed_for_ec2 { Flavour::Ec2 } else { Flavour::Query(NAMESPACE) };
        let why = "The request is missing an action or a required parameter.";
        let error = Err(AwsError::new("MissingAction", why));
        return query::reply(flavour, "", &uuid::Uuid::new_v4().to_string(), &error);
    }
    let body = json!({ "message": explained(path) });
    Reply::new(404, "application/json", body.to_string())
        .with_header("x-amzn-errortype", "UnknownOperationException")
}

/// The namespace of an answer that no service gives.
const NAMESPACE: &str = "http://webservices.amazon.com/AWSFault/2005-15-09";

fn explained(asked: &str) -> String {
    format!(
        "{asked} means none of the services that this emulator stands in for: Auto Scaling, CloudWatch, EC2 and STS."
    )
}
