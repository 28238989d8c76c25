//! Instances that are told of an interruption: what comes of it, who ended them, and what is still to come.

use scaling_emulator::region::LifecycleState::InService;
use scaling_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use crate::call::{call, ec2};
use crate::client::{advance, control, emulator, ids, set};

const RUN: &str =
    "MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large&InstanceMarketOptions.MarketType=spot";
const PERSISTENT: &str = "InstanceMarketOptions.SpotOptions.SpotInstanceType=persistent\
    &InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior=stop";
const INTERRUPTED: &str = "Server.SpotInstanceTermination";

fn run(emulator: &Emulator, more: &str) -> String {
    let made = ec2(emulator, "RunInstances", &format!("{RUN}&{more}"));
    made["instancesSet"][0]["instanceId"].as_str().unwrap().to_owned()
}

fn warn(emulator: &Emulator, id: &str) {
    emulator.inject(Fault::SpotInterruption { instance_id: id.to_owned() }).unwrap();
}

/// State, reason of the transition, and code of the reason.
fn shown(emulator: &Emulator, id: &str) -> (String, String, String) {
    let found = ec2(emulator, "DescribeInstances", &format!("InstanceId.1={id}"));
    let one = &found["reservationSet"][0]["instancesSet"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&one["instanceState"]["name"]), text(&one["reason"]), text(&one["stateReason"]["code"]))
}

#[track_caller]
fn is_the_user_s(emulator: &Emulator, id: &str, state: &str) {
    let (name, reason, code) = shown(emulator, id);
    assert_eq!((name.as_str(), code.as_str()), (state, "Client.UserInitiatedShutdown"), "{reason}");
    assert!(reason.starts_with("User initiated"), "{reason}");
}

/// Makes `web` a group of Spot Instances only.
async fn of_spot(desired: u32) -> Emulator {
    let emulator = emulator(desired).await;
    let policy = "MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=0\
        &MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web";
    call(&emulator, "UpdateAutoScalingGroup", policy);
    for id in ids(&emulator, InService) {
        ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}"));
    }
    advance(&emulator, 600).await;
    emulator
}

async fn to_come(emulator: &Emulator) -> Value {
    control(emulator, "GET", "/_emulator/faults", Value::Null).await.1["interruptions"].clone()
}

#[tokio::test]
async fn what_a_user_ends_or_stops_after_a_warning_was_not_interrupted() {
    let emulator = emulator(1).await;
    let (ended, stopped) = (run(&emulator, ""), run(&emulator, PERSISTENT));
    warn(&emulator, &ended);
    warn(&emulator, &stopped);
    advance(&emulator, 15).await;
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={ended}"));
    ec2(&emulator, "StopInstances", &format!("InstanceId.1={stopped}"));
    // Now, and when the interruption would have come.
    for seconds in [15, 150] {
        is_the_user_s(&emulator, &ended, "terminated");
        is_the_user_s(&emulator, &stopped, "stopped");
        advance(&emulator, seconds).await;
    }
    ec2(&emulator, "StartInstances", &format!("InstanceId.1={stopped}"));
    advance(&emulator, 150).await;
    assert_eq!(shown(&emulator, &stopped).0, "running");
}

#[tokio::test]
async fn what_a_group_ends_by_itself_after_a_warning_was_not_interrupted() {
    for (desired, interrupted) in [(1, false), (2, true)] {
        let emulator = of_spot(2).await;
        let id = ids(&emulator, InService)[0].clone();
        warn(&emulator, &id);
        // A group that shrinks ends first what is told to be interrupted.
        set(&emulator, desired).unwrap();
        advance(&emulator, 300).await;
        if interrupted {
            let told = INTERRUPTED.to_owned();
            assert_eq!(shown(&emulator, &id), ("terminated".to_owned(), told.clone(), told));
        } else {
            is_the_user_s(&emulator, &id, "terminated");
        }
    }
}

#[tokio::test]
async fn interruptions_to_come_are_those_of_instances_that_run_each_once() {
    let emulator = emulator(1).await;
    let (first, second) = (run(&emulator, ""), run(&emulator, PERSISTENT));
    warn(&emulator, &first);
    warn(&emulator, &second);
    advance(&emulator, 30).await;
    warn(&emulator, &first);
    let at = "2026-01-05T00:02:00Z";
    let one = |id: &str| json!({ "at": at, "instance": id });
    assert_eq!(to_come(&emulator).await, json!([one(&first), one(&second)]));
    let (_, told) = control(&emulator, "GET", "/_emulator/events", Value::Null).await;
    let kinds = told["events"].as_array().unwrap().iter().map(|event| &event["detail-type"]);
    assert_eq!(kinds.filter(|kind| *kind == "EC2 Spot Instance Interruption Warning").count(), 2);
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={first}"));
    assert_eq!(to_come(&emulator).await, json!([one(&second)]));
    ec2(&emulator, "StopInstances", &format!("InstanceId.1={second}"));
    assert_eq!(to_come(&emulator).await, json!([]));
}

#[tokio::test]
async fn interruptions_that_are_withdrawn_do_not_come() {
    let emulator = of_spot(1).await;
    let (own, loose) = (ids(&emulator, InService)[0].clone(), run(&emulator, ""));
    warn(&emulator, &own);
    warn(&emulator, &loose);
    advance(&emulator, 30).await;
    assert_eq!(control(&emulator, "DELETE", "/_emulator/faults", Value::Null).await.0, 204);
    assert_eq!(to_come(&emulator).await, json!([]));
    // Nor is it replaced any more where the group begins to rebalance only now.
    call(&emulator, "UpdateAutoScalingGroup", "CapacityRebalance=true");
    advance(&emulator, 300).await;
    assert_eq!(ids(&emulator, InService), [own]);
    assert_eq!(shown(&emulator, &loose).0, "running");
    // It may be told again.
    warn(&emulator, &loose);
    advance(&emulator, 150).await;
    assert_eq!(shown(&emulator, &loose).2, INTERRUPTED);
}
