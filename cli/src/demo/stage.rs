//! Sets the stage: an emulator, a launch template and a group, through the same wire protocols that any client uses.

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// Name of the group that demo and `run --emulator` control.
pub(crate) const GROUP: &str = "demo";

/// The demo's target group, and the load balancer that goes with it.
pub(crate) const TARGET_GROUP: &str = "demo/0123456789abcdef";

/// Type the demo starts with: a middle size of a middle family, as somebody might have guessed.
pub(crate) const FIRST_TYPE: &str = "m7i.xlarge";

/// Bounds and first capacity of the group.
pub(crate) const MIN: u32 = 2;
/// Most replicas.
pub(crate) const MAX: u32 = 60;
/// Replicas at the start.
pub(crate) const FIRST_REPLICAS: u32 = 8;

/// Creates the launch template and the group on the emulator at `endpoint`.
pub(crate) async fn create_group(endpoint: &str) -> Result<()> {
    let image = [("LaunchTemplateData.ImageId", "ami-0123456789abcdef0")];
    let template = [
        ("Action", "CreateLaunchTemplate"),
        ("Version", "2016-11-15"),
        ("LaunchTemplateName", GROUP),
        ("LaunchTemplateData.InstanceType", FIRST_TYPE),
    ];
    call(endpoint, "ec2", template.iter().chain(&image)).await?;
    let target_group =
        format!("arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/{TARGET_GROUP}");
    let (min, max, desired) = (MIN.to_string(), MAX.to_string(), FIRST_REPLICAS.to_string());
    let group = [
        ("Action", "CreateAutoScalingGroup"),
        ("Version", "2011-01-01"),
        ("AutoScalingGroupName", GROUP),
        ("LaunchTemplate.LaunchTemplateName", GROUP),
        ("LaunchTemplate.Version", "1"),
        ("MinSize", min.as_str()),
        ("MaxSize", max.as_str()),
        ("DesiredCapacity", desired.as_str()),
        ("AvailabilityZones.member.1", "us-east-1a"),
        ("AvailabilityZones.member.2", "us-east-1b"),
        ("TargetGroupARNs.member.1", target_group.as_str()),
        ("Tags.member.1.Key", "scaling:managed"),
        ("Tags.member.1.Value", "true"),
        ("Tags.member.1.PropagateAtLaunch", "false"),
    ];
    call(endpoint, "autoscaling", group.iter()).await
}

async fn call<'a>(
    endpoint: &str,
    service: &str,
    parameters: impl Iterator<Item = &'a (&'a str, &'a str)>,
) -> Result<()> {
    let pairs: Vec<String> = parameters
        .map(|(key, value)| format!("{key}={}", value.replace(':', "%3A").replace('/', "%2F")))
        .collect();
    let request = http::Request::post(endpoint)
        .header("content-type", "application/x-www-form-urlencoded")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential=demo/20260105/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0"),
        )
        .body(Full::new(Bytes::from(pairs.join("&"))))?;
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.context("the emulator does not answer")?;
    if response.status().is_success() {
        return Ok(());
    }
    let body = response.into_body().collect().await?.to_bytes();
    bail!("the emulator refused to set up the demo: {}", String::from_utf8_lossy(&body))
}
