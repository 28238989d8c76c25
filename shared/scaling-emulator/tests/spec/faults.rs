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
    emulator.inject(Fault::Throttle { operation: "*".to_owned(), when: When::times(2) }).unwrap();
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
    emulator.inject(Fault::Malformed { operation, when: When::times(1) }).unwrap();
    let set = "Action=SetDesiredCapacity&Version=2011-01-01&AutoScalingGroupName=web&DesiredCapacity=3";
    let (status, body) = form(&emulator, set).await;
    assert!(status == 200 && !body.contains("SetDesiredCapacityResponse"), "{body}");
    assert_eq!(emulator.with_region(|region| region.group("web").unwrap().desired), 3);
}

#[tokio::test]
async fn a_delayed_call_is_answered_all_the_same() {
    let emulator = emulator(1).await;
    emulator
        .inject(Fault::Delay { operation: "*".to_owned(), milliseconds: 1, when: When::default() })
        .unwrap();
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

#[tokio::test]
async fn a_malformed_answer_is_one_in_no_protocol() {
    let emulator = emulator(1).await;
    for (path, target) in [
        ("/", Some("GraniteServiceVersion20100801.DescribeAlarms")),
        ("/service/GraniteServiceVersion20100801/operation/DescribeAlarms", None),
    ] {
        emulator.inject(Fault::Malformed { operation: "*".to_owned(), when: When::times(1) }).unwrap();
        let mut request = http::Request::post(format!("{}{path}", emulator.endpoint()));
        if let Some(target) = target {
            request =
                request.header("x-amz-target", target).header("content-type", "application/x-amz-json-1.0");
        }
        let (_, body) = crate::client::send(request.body("{}".to_owned()).unwrap()).await;
        // What is no UTF-8 is told by the character that stands for it.
        assert!(body.starts_with('\u{fffd}'), "{path}: {body}");
    }
}

#[tokio::test]
async fn a_fault_that_cannot_be_is_told_what_is_wrong_with_it() {
    let emulator = emulator(1).await;
    let crash = json!({ "kind": "instance_crash", "instance_id": "i-0" });
    let (status, told) = control(&emulator, "POST", "/_emulator/faults", crash).await;
    assert_eq!((status, &told["error"]), (400, &json!("there is no instance `i-0` that could fail")));
}

#[tokio::test]
async fn faults_reach_instances_that_belong_to_no_group() {
    let emulator = emulator(1).await;
    let run =
        "Action=RunInstances&Version=2016-11-15&MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large";
    let id = |body: &str| body.split("<instanceId>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let (first, second) = (id(&form(&emulator, run).await.1), id(&form(&emulator, run).await.1));
    emulator.inject(Fault::InstanceCrash { instance_id: first.clone() }).unwrap();
    let status = format!("Action=DescribeInstanceStatus&Version=2016-11-15&InstanceId.1={first}");
    assert!(form(&emulator, &status).await.1.contains("impaired"));
    emulator.inject(Fault::SpotInterruption { instance_id: second.clone() }).unwrap();
    crate::client::advance(&emulator, 150).await;
    let described = format!("Action=DescribeInstances&Version=2016-11-15&InstanceId.1={second}");
    assert!(form(&emulator, &described).await.1.contains("<name>terminated</name>"));
    for (fault, code) in [
        (Fault::CapacityShortage { instance_type: "m7i.large".to_owned() }, "InsufficientInstanceCapacity"),
        (Fault::ZoneOutage { zone: "us-east-1a".to_owned() }, "InsufficientInstanceCapacity"),
        (
            Fault::LaunchFailure { instance_type: "*".to_owned(), message: "no".to_owned() },
            "UnsupportedOperation",
        ),
    ] {
        emulator.inject(fault).unwrap();
        let (_, body) = form(&emulator, run).await;
        assert!(body.contains(&format!("<Code>{code}</Code>")), "{body}");
        emulator.clear_faults();
    }
}

#[tokio::test]
async fn calls_that_neither_filter_nor_page_are_throttled_by_a_limit_of_their_own() {
    let emulator = emulator(1).await;
    emulator.inject(Fault::PublishedRates).unwrap();
    let answered = async |more: &str, calls: usize| {
        let mut count = 0;
        for _ in 0..calls {
            let members = format!("Action=DescribeInstances&Version=2016-11-15{more}");
            count += usize::from(form(&emulator, &members).await.0 == 200);
        }
        count
    };
    assert_eq!(answered("", 60).await, 50);
    for more in ["&MaxResults=5", "&Filter.1.Name=instance-type&Filter.1.Value.1=m7i.large"] {
        assert_eq!(answered(more, 5).await, 5, "{more}");
    }
}
