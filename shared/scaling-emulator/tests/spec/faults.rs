//! Failures on demand, as a client meets them.

use scaling_emulator::Fault;
use scaling_emulator::faults::When;
use serde_json::{Value, json};

use crate::client::{control, emulator, form};

const DESCRIBE: &str = "Action=DescribeAutoScalingGroups&Version=2011-01-01";
const INSTANCES: &str = "Action=DescribeInstances&Version=2016-11-15";

#[tokio::test]
async fn throttled_calls_get_the_services_own_code_and_then_pass() {
    let emulator = emulator(1).await;
    emulator.inject(Fault::Throttle { operation: "*".to_owned(), when: When::times(2) });
    let (status, body) = form(&emulator, DESCRIBE).await;
    assert!(
        status == 400 && body.contains("<Code>Throttling</Code><Message>Rate exceeded"),
        "{status} {body}"
    );
    let (status, body) = form(&emulator, INSTANCES).await;
    assert!(status == 503 && body.contains("<Code>RequestLimitExceeded</Code>"), "{status} {body}");
    assert_eq!(form(&emulator, DESCRIBE).await.0, 200);
}

#[tokio::test]
async fn a_failing_operation_leaves_others_alone() {
    let emulator = emulator(1).await;
    let fault = json!({ "kind": "fail", "operation": "AutoScaling.DescribeAutoScalingGroups", "code": "InternalFailure" });
    assert_eq!(control(&emulator, "POST", "/_emulator/faults", fault).await.0, 200);
    let (status, body) = form(&emulator, DESCRIBE).await;
    assert!(status == 500 && body.contains("<Type>Receiver</Type><Code>InternalFailure"), "{status} {body}");
    assert_eq!(form(&emulator, INSTANCES).await.0, 200);
    assert_eq!(control(&emulator, "DELETE", "/_emulator/faults", Value::Null).await.0, 204);
    assert_eq!(form(&emulator, DESCRIBE).await.0, 200);
}

#[tokio::test]
async fn a_malformed_answer_comes_after_the_call_was_carried_out() {
    let emulator = emulator(1).await;
    let operation = "AutoScaling.SetDesiredCapacity".to_owned();
    emulator.inject(Fault::Malformed { operation, when: When::times(1) });
    let set = "Action=SetDesiredCapacity&Version=2011-01-01&AutoScalingGroupName=web&DesiredCapacity=3";
    let (status, body) = form(&emulator, set).await;
    assert!(status == 200 && !body.contains("SetDesiredCapacityResponse"), "{body}");
    assert_eq!(emulator.with_region(|region| region.group("web").unwrap().desired), 3);
}

#[tokio::test]
async fn a_delayed_call_is_answered_all_the_same() {
    let emulator = emulator(1).await;
    emulator.inject(Fault::Delay { operation: "*".to_owned(), milliseconds: 1, when: When::default() });
    assert_eq!(form(&emulator, DESCRIBE).await.0, 200);
}

#[tokio::test]
async fn faults_in_force_are_shown_and_unknown_ones_refused() {
    let emulator = emulator(1).await;
    for fault in [
        json!({ "kind": "capacity_shortage", "instance_type": "c7i.large" }),
        json!({ "kind": "launch_failure", "instance_type": "*", "message": "quota" }),
        json!({ "kind": "lost_metrics", "group": "web" }),
        json!({ "kind": "throttle", "operation": "EC2.*", "rate": 0.5 }),
    ] {
        assert_eq!(control(&emulator, "POST", "/_emulator/faults", fault).await.0, 200);
    }
    let (_, shown) = control(&emulator, "GET", "/_emulator/faults", Value::Null).await;
    assert_eq!(shown["without_capacity"], json!(["c7i.large"]));
    assert_eq!((&shown["failing"], &shown["lost_metrics"]), (&json!({ "*": "quota" }), &json!(["web"])));
    assert_eq!(shown["calls"][0]["rate"], json!(0.5));
    let (status, _) = control(&emulator, "POST", "/_emulator/faults", json!({ "kind": "earthquake" })).await;
    assert_eq!(status, 422);
}
