//! Emulators with one group, and raw requests to them.

use std::time::Duration;

use http::Request;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use scaling_emulator::autoscaling::capacity::{SetDesiredCapacityInput, set_desired};
use scaling_emulator::region::{Group, LifecycleState};
use scaling_emulator::{AwsError, Emulator, GroupSetup, Settings};
use serde_json::Value;

/// An emulator with the group `web` of m7i.large: 1 to 10 instances, `desired` of them serving.
pub(crate) async fn emulator(desired: u32) -> Emulator {
    emulator_with(Settings::default(), desired).await
}

/// The same with other settings.
pub(crate) async fn emulator_with(settings: Settings, desired: u32) -> Emulator {
    let emulator = Emulator::start(settings).await.unwrap();
    emulator
        .with_region(|region| GroupSetup::new("web", "m7i.large", (1, 10, desired)).make(region))
        .unwrap();
    emulator
}

/// Advances a stepped emulator.
pub(crate) async fn advance(emulator: &Emulator, seconds: u64) {
    emulator.advance(Duration::from_secs(seconds)).await.unwrap();
}

/// Reads the group `web`.
pub(crate) fn web<T>(emulator: &Emulator, read: impl FnOnce(&Group) -> T) -> T {
    emulator.with_region(|region| read(region.group("web").unwrap()))
}

/// Ids of the instances in a state.
pub(crate) fn ids(emulator: &Emulator, state: LifecycleState) -> Vec<String> {
    web(emulator, |group| {
        group.members.iter().filter(|member| member.state == state).map(|member| member.id.clone()).collect()
    })
}

/// Types of the instances that boot or serve, in order of launch.
pub(crate) fn types(emulator: &Emulator) -> Vec<String> {
    web(emulator, |group| group.alive().map(|member| member.instance_type.to_string()).collect())
}

/// Sets the desired capacity of `web`.
pub(crate) fn set(emulator: &Emulator, desired: i64) -> Result<(), AwsError> {
    let input = SetDesiredCapacityInput {
        auto_scaling_group_name: "web".to_owned(),
        desired_capacity: desired,
        honor_cooldown: false,
    };
    emulator.with_region(|region| set_desired(region, &input))
}

/// Sends a request and returns status and body.
pub(crate) async fn send(request: Request<String>) -> (u16, String) {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let reply = client.request(request.map(|body| Full::new(Bytes::from(body)))).await.unwrap();
    let status = reply.status().as_u16();
    let body = reply.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}

/// Posts a form.
pub(crate) async fn form(emulator: &Emulator, body: &str) -> (u16, String) {
    let request = Request::post(emulator.endpoint())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned());
    send(request.unwrap()).await
}

/// Sends JSON to a control path.
pub(crate) async fn control(emulator: &Emulator, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(format!("{}{path}", emulator.endpoint()))
        .header("content-type", "application/json")
        .body(if body.is_null() { String::new() } else { body.to_string() });
    let (status, body) = send(request.unwrap()).await;
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}
