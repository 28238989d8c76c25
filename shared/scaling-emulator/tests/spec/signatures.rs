//! Signatures over the wire. What a right one is, the module's own tests tell.

use http::Request;
use scaling_emulator::signature::Credentials;
use scaling_emulator::{Emulator, Settings};

use crate::client::{form, send};

const IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

#[tokio::test]
async fn with_credentials_a_request_without_or_with_a_wrong_signature_is_refused_by_its_service() {
    let known = Credentials { key: "AK".to_owned(), secret: "secret".to_owned() };
    let settings = Settings { credentials: vec![known], ..Settings::default() };
    let emulator = Emulator::start(settings).await.unwrap();
    let (status, body) = form(&emulator, IDENTITY).await;
    assert_eq!(status, 403);
    assert!(body.contains("<Code>MissingAuthenticationToken</Code>"), "{body}");
    let (status, body) = form(&emulator, "Action=DescribeInstances&Version=2016-11-15").await;
    assert_eq!(status, 401);
    assert!(body.contains("<Code>AuthFailure</Code>"), "{body}");
    let authorization = "AWS4-HMAC-SHA256 Credential=AK/20260105/us-east-1/sts/aws4_request, SignedHeaders=host, \
        Signature=0000";
    let request = Request::post(emulator.endpoint())
        .header("authorization", authorization)
        .header("x-amz-date", "20260105T000000Z")
        .body(IDENTITY.to_owned());
    let (status, body) = send(request.unwrap()).await;
    assert_eq!(status, 403);
    assert!(body.contains("<Code>SignatureDoesNotMatch</Code>"), "{body}");
}

#[tokio::test]
async fn without_credentials_anybody_may_call() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    assert_eq!(form(&emulator, IDENTITY).await.0, 200);
}

#[tokio::test]
async fn a_signature_for_another_service_or_region_or_a_part_of_one_is_refused_with_the_reason() {
    let known = Credentials { key: "AK".to_owned(), secret: "secret".to_owned() };
    let settings = Settings { credentials: vec![known], ..Settings::default() };
    let emulator = Emulator::start(settings).await.unwrap();
    let tags = "Action=DescribeTags&Version=2011-01-01";
    let regions = "Action=DescribeRegions&Version=2016-11-15";
    let scoped = |scope: &str| format!("Credential=AK/20260105/{scope}, SignedHeaders=host, Signature=0000");
    let own = "us-east-1/autoscaling/aws4_request";
    for (parts, body, code, message) in [
        (
            scoped("us-east-1/s3/aws4_request"),
            tags,
            "SignatureDoesNotMatch",
            "correct service: 'autoscaling'",
        ),
        (scoped("eu-west-1/autoscaling/aws4_request"), tags, "SignatureDoesNotMatch", "to a valid region"),
        (scoped("us-east-1/autoscaling/aws5"), tags, "SignatureDoesNotMatch", "valid terminator"),
        (scoped(own), tags, "SignatureDoesNotMatch", "does not match the signature"),
        (
            format!("Credential=AK/20260105/{own}, SignedHeaders=host"),
            tags,
            "IncompleteSignature",
            "requires 'Signature' parameter",
        ),
        (
            "SignedHeaders=host, Signature=00".to_owned(),
            tags,
            "IncompleteSignature",
            "requires 'Credential' parameter",
        ),
        (scoped("us-east-1/s3/aws4_request"), regions, "AuthFailure", "not able to validate"),
    ] {
        let request = Request::post(emulator.endpoint())
            .header("authorization", format!("AWS4-HMAC-SHA256 {parts}"))
            .header("x-amz-date", "20260105T000000Z")
            .body(body.to_owned());
        let (_, answer) = send(request.unwrap()).await;
        assert!(answer.contains(&format!("<Code>{code}</Code>")), "{parts}: {answer}");
        assert!(answer.replace("&apos;", "'").contains(message), "{parts}: {answer}");
    }
}
