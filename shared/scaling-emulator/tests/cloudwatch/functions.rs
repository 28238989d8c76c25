//! Functions invoked over HTTP, by alarms and by schedules.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use http::StatusCode;
use scaling_emulator::{Emulator, Schedule, Settings};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{done, minutes, put};

/// What a function was invoked with, in order.
type Received = Arc<Mutex<Vec<(String, Value)>>>;

#[derive(Clone)]
struct Endpoint {
    received: Received,
    /// How many invocations fail first.
    failures: Arc<Mutex<u32>>,
}

async fn invoked(State(endpoint): State<Endpoint>, Path(name): Path<String>, body: String) -> StatusCode {
    let mut failures = endpoint.failures.lock().unwrap();
    endpoint.received.lock().unwrap().push((name, serde_json::from_str(&body).unwrap()));
    if *failures > 0 {
        *failures -= 1;
        return StatusCode::BAD_GATEWAY;
    }
    StatusCode::OK
}

/// An invoke endpoint whose first invocations fail, and what it receives.
async fn endpoint(failures: u32) -> (String, Received) {
    let received = Received::default();
    let endpoint = Endpoint { received: Arc::clone(&received), failures: Arc::new(Mutex::new(failures)) };
    let router =
        Router::new().route("/2015-03-31/functions/{name}/invocations", post(invoked)).with_state(endpoint);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, received)
}

async fn alarmed(failures: u32) -> (Emulator, Received) {
    let (url, received) = endpoint(failures).await;
    let settings = Settings { lambda_endpoint: Some(url), ..Settings::default() };
    let emulator = Emulator::start(settings).await.unwrap();
    let alarm = json!({
        "AlarmName": "a", "Namespace": "Shop", "MetricName": "A", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": ["arn:aws:lambda:us-east-1:123456789012:function:alarm"],
    });
    done(&emulator, "PutMetricAlarm", alarm);
    (emulator, received)
}

#[tokio::test]
async fn an_alarm_invokes_its_function_once_for_each_change() {
    let (emulator, received) = alarmed(0).await;
    for (minute, value) in (0..).zip([1.0, 9.0, 9.0, 1.0, 9.0]) {
        put(&emulator, "A", minute, value);
        minutes(&emulator, 1).await;
    }
    let received = received.lock().unwrap();
    let told: Vec<(&str, &Value, &Value)> = received
        .iter()
        .map(|(name, event)| (name.as_str(), &event["time"], &event["alarmData"]["previousState"]["value"]))
        .collect();
    let ok = json!("OK");
    assert_eq!(
        told,
        [
            ("alarm", &json!("2026-01-05T00:02:00.000+0000"), &ok),
            ("alarm", &json!("2026-01-05T00:05:00.000+0000"), &ok),
        ]
    );
}

#[tokio::test]
async fn a_failed_invocation_is_tried_twice_more() {
    for (failures, tries) in [(1, 2), (2, 3), (9, 3)] {
        let (emulator, received) = alarmed(failures).await;
        put(&emulator, "A", 0, 9.0);
        minutes(&emulator, 1).await;
        assert_eq!(received.lock().unwrap().len(), tries);
    }
}

#[tokio::test]
async fn a_schedule_without_input_sends_the_schedulers_event() {
    let (url, received) = endpoint(0).await;
    let schedule =
        Schedule { function: "tick".to_owned(), every: Duration::from_secs(60), payload: Value::Null };
    let settings = Settings { lambda_endpoint: Some(url), schedules: vec![schedule], ..Settings::default() };
    let emulator = Emulator::start(settings).await.unwrap();
    minutes(&emulator, 2).await;
    let received = received.lock().unwrap();
    let (name, event) = &received[1];
    let expected = json!({
        "version": "0",
        "id": event["id"],
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "2026-01-05T00:02:00Z",
        "region": "us-east-1",
        "resources": ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/tick"],
        "detail": "{}",
    });
    assert_eq!((received.len(), name.as_str(), event), (2, "tick", &expected));
}
