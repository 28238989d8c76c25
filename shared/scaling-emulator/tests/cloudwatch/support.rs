//! An emulator with a group under load, and calls to its CloudWatch.

use std::time::Duration;

use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use scaling_emulator::cloudwatch;
use scaling_emulator::setup::GroupSetup;
use scaling_emulator::{AwsError, Emulator, Settings, Workload};
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;
use serde_json::{Value, json};

/// The emulator's start in seconds; a whole hour.
pub(crate) const START: i64 = 1_767_571_200;

/// A stepped emulator without groups.
pub(crate) async fn emulator() -> Emulator {
    Emulator::start(Settings::default()).await.unwrap()
}

/// A stepped emulator with the group `web` of three instances that serve so many requests per second.
pub(crate) async fn serving(rate: f64) -> Emulator {
    let emulator = emulator().await;
    emulator.with_region(|region| GroupSetup::new("web", "m7i.large", (1, 10, 3)).make(region)).unwrap();
    emulator.set_workload("web", Workload::new(Load::constant(emulator.now(), rate), ServiceModel::demo()));
    emulator
}

/// Lets so many minutes pass.
pub(crate) async fn minutes(emulator: &Emulator, minutes: u64) {
    emulator.advance(Duration::from_secs(60 * minutes)).await.unwrap();
}

/// Calls an operation.
pub(crate) fn call(emulator: &Emulator, operation: &str, input: Value) -> Result<Value, AwsError> {
    emulator.with_region(|region| cloudwatch::dispatch(region, operation, input))
}

/// Calls an operation that must succeed.
pub(crate) fn done(emulator: &Emulator, operation: &str, input: Value) -> Value {
    call(emulator, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// The code with which an operation refuses an input.
pub(crate) fn code(emulator: &Emulator, operation: &str, input: Value) -> String {
    match call(emulator, operation, input) {
        Ok(output) => panic!("{operation} answered {output}"),
        Err(error) => error.code.into_owned(),
    }
}

/// Puts one value of a metric without dimensions, so many minutes after the start.
pub(crate) fn put(emulator: &Emulator, name: &str, minute: i64, value: f64) {
    let datum = json!({ "MetricName": name, "Timestamp": START + 60 * minute, "Value": value });
    done(emulator, "PutMetricData", json!({ "Namespace": "Shop", "MetricData": [datum] }));
}

/// A query for a metric with dimensions.
pub(crate) fn query(id: &str, metric: (&str, &str), dimensions: &[(&str, &str)], stat: &str) -> Value {
    let dimensions: Vec<Value> =
        dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
    let metric = json!({ "Namespace": metric.0, "MetricName": metric.1, "Dimensions": dimensions });
    json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": 60, "Stat": stat } })
}

/// Times in minutes after the start, and values, of one query over the first `minutes`, oldest first.
pub(crate) fn points(emulator: &Emulator, query: &Value, minutes: i64) -> Vec<(i64, f64)> {
    let output = done(
        emulator,
        "GetMetricData",
        json!({
            "MetricDataQueries": [query], "StartTime": START, "EndTime": START + 60 * minutes,
            "ScanBy": "TimestampAscending",
        }),
    );
    points_of(&output["MetricDataResults"][0])
}

/// Times in minutes after the start, and values, of one result.
pub(crate) fn points_of(result: &Value) -> Vec<(i64, f64)> {
    let numbers = |member: &str| -> Vec<f64> { serde_json::from_value(result[member].clone()).unwrap() };
    #[expect(clippy::cast_possible_truncation, reason = "times of tests are near the start")]
    let minute = |seconds: f64| (seconds as i64 - START).div_euclid(60);
    numbers("Timestamps").into_iter().map(minute).zip(numbers("Values")).collect()
}

/// What came back over the socket.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Posts a body with headers.
pub(crate) async fn post(
    emulator: &Emulator,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let mut request = Request::post(format!("{}{path}", emulator.endpoint()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let (parts, body) = client.request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status.as_u16(), headers: parts.headers, body }
}
