//! Requests for Spot Instances that RunInstances makes: what they may say, what an interruption does, how they are shown.

use scaling_emulator::{Emulator, Fault};
use serde_json::Value;

use crate::call::{call, ec2, tried_ec2};
use crate::client::{advance, emulator};

fn run(emulator: &Emulator, market: &[(&str, &str)]) -> Result<Value, (String, String)> {
    let mut said = vec!["MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large".to_owned()];
    said.extend(market.iter().map(|(name, value)| format!("InstanceMarketOptions.{name}={value}")));
    let run = said.join("&");
    let made = tried_ec2(emulator, "RunInstances", &run);
    made.map(|made| made["instancesSet"][0].clone()).map_err(|error| (error.code.into_owned(), error.message))
}

fn request(emulator: &Emulator, kind: &str, behaviour: &str) -> Result<Value, (String, String)> {
    let said =
        [("SpotOptions.SpotInstanceType", kind), ("SpotOptions.InstanceInterruptionBehavior", behaviour)];
    let said = said.into_iter().filter(|(_, value)| !value.is_empty());
    run(emulator, &std::iter::once(("MarketType", "spot")).chain(said).collect::<Vec<_>>())
}

fn id(instance: &Value) -> String {
    instance["instanceId"].as_str().unwrap().to_owned()
}

fn state(emulator: &Emulator, id: &str) -> String {
    let shown = ec2(emulator, "DescribeInstances", &format!("InstanceId.1={id}"));
    let state = &shown["reservationSet"][0]["instancesSet"][0]["instanceState"]["name"];
    state.as_str().unwrap().to_owned()
}

/// State and status code of the request of an instance.
fn told(emulator: &Emulator, request: &str) -> (String, String) {
    let members = format!("SpotInstanceRequestId.1={request}");
    let shown = &ec2(emulator, "DescribeSpotInstanceRequests", &members)["spotInstanceRequestSet"][0];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&shown["state"]), text(&shown["status"]["code"]))
}

#[tokio::test]
async fn a_request_says_what_there_is_and_what_fits_together() {
    let emulator = emulator(1).await;
    for (market, value) in [("MarketType", "cheap"), ("SpotOptions.SpotInstanceType", "often")] {
        let all = [("MarketType", "spot"), (market, value)];
        let said = if market == "MarketType" { &all[1..] } else { &all[..] };
        let (code, message) = run(&emulator, said).unwrap_err();
        assert_eq!(code, "InvalidParameterValue", "{market}");
        assert!(message.contains(value), "{message}");
    }
    assert_eq!(request(&emulator, "persistent", "sleep").unwrap_err().0, "InvalidParameterValue");
    for (kind, behaviour) in
        [("persistent", ""), ("persistent", "terminate"), ("one-time", "stop"), ("", "stop")]
    {
        let (code, message) = request(&emulator, kind, behaviour).unwrap_err();
        assert_eq!(code, "InvalidParameterCombination", "{kind} {behaviour}: {message}");
    }
    for (kind, behaviour) in
        [("persistent", "stop"), ("persistent", "hibernate"), ("one-time", ""), ("", "terminate")]
    {
        assert!(request(&emulator, kind, behaviour).is_ok(), "{kind} {behaviour}");
    }
}

#[tokio::test]
async fn a_stopped_spot_instance_keeps_its_type() {
    let emulator = emulator(1).await;
    let id = id(&request(&emulator, "persistent", "stop").unwrap());
    ec2(&emulator, "StopInstances", &format!("InstanceId.1={id}"));
    let other = format!("InstanceId={id}&InstanceType.Value=m7i.xlarge");
    let error = tried_ec2(&emulator, "ModifyInstanceAttribute", &other).unwrap_err();
    assert_eq!(error.code, "UnsupportedOperation");
}

#[tokio::test]
async fn an_interruption_stops_what_was_asked_to_be_stopped() {
    let emulator = emulator(1).await;
    for (kind, behaviour, end) in [
        ("persistent", "stop", "stopped"),
        ("persistent", "hibernate", "stopped"),
        ("one-time", "", "terminated"),
    ] {
        let made = request(&emulator, kind, behaviour).unwrap();
        let id = id(&made);
        emulator.inject(Fault::SpotInterruption { instance_id: id.clone() }).unwrap();
        let action = if behaviour.is_empty() { "terminate" } else { behaviour };
        let told = emulator.with_region(|region| format!("{:?}", region.events));
        assert!(told.contains(action), "{told}");
        advance(&emulator, 150).await;
        assert_eq!(state(&emulator, &id), end, "{kind} {behaviour}");
        if end == "stopped" {
            // *EC2 User Guide*, "Behavior of Spot Instance interruptions": only EC2 starts it again.
            let start = tried_ec2(&emulator, "StartInstances", &format!("InstanceId.1={id}")).unwrap_err();
            assert_eq!(start.code, "IncorrectSpotRequestState");
            let shown = ec2(&emulator, "DescribeInstances", &format!("InstanceId.1={id}"));
            let reason = &shown["reservationSet"][0]["instancesSet"][0]["stateReason"]["code"];
            assert_eq!(reason, "Server.SpotInstanceShutdown");
            ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}"));
        }
    }
}

#[tokio::test]
async fn requests_are_shown_as_their_instances_are() {
    let emulator = emulator(1).await;
    let persistent = request(&emulator, "persistent", "stop").unwrap();
    let once = request(&emulator, "one-time", "").unwrap();
    let request = |made: &Value| made["spotInstanceRequestId"].as_str().unwrap().to_owned();
    let (first, second) = (request(&persistent), request(&once));
    assert_eq!(told(&emulator, &first), ("active".to_owned(), "fulfilled".to_owned()));
    let all = ec2(&emulator, "DescribeSpotInstanceRequests", "");
    assert_eq!(all["spotInstanceRequestSet"].as_array().unwrap().len(), 2);
    let shown = &ec2(&emulator, "DescribeSpotInstanceRequests", &format!("SpotInstanceRequestId.1={first}"));
    let shown = &shown["spotInstanceRequestSet"][0];
    assert_eq!(shown["instanceId"], persistent["instanceId"]);
    assert_eq!([&shown["type"], &shown["instanceInterruptionBehavior"]], ["persistent", "stop"]);
    assert_eq!(shown["launchSpecification"]["instanceType"], "m7i.large");
    let by = |name: &str, value: &str| {
        let members = format!("Filter.1.Name={name}&Filter.1.Value.1={value}");
        let shown = ec2(&emulator, "DescribeSpotInstanceRequests", &members);
        shown["spotInstanceRequestSet"].as_array().unwrap().len()
    };
    let instance = id(&once);
    assert_eq!(
        [by("state", "active"), by("status-code", "fulfilled"), by("instance-id", &instance)],
        [2, 2, 1]
    );
    assert_eq!(
        [by("type", "one-time"), by("spot-instance-request-id", &first), by("state", "closed")],
        [1, 1, 0]
    );
    ec2(&emulator, "StopInstances", &format!("InstanceId.1={}", id(&persistent)));
    assert_eq!(told(&emulator, &first), ("disabled".to_owned(), "instance-stopped-by-user".to_owned()));
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={instance}"));
    assert_eq!(told(&emulator, &second), ("closed".to_owned(), "instance-terminated-by-user".to_owned()));
    let unknown =
        tried_ec2(&emulator, "DescribeSpotInstanceRequests", "SpotInstanceRequestId.1=sir-12345678");
    assert_eq!(unknown.unwrap_err().code, "InvalidSpotInstanceRequestID.NotFound");
}

#[tokio::test]
async fn a_request_that_is_cancelled_leaves_its_instance_running_and_ends_a_stopped_one() {
    let emulator = emulator(1).await;
    let running = request(&emulator, "one-time", "").unwrap();
    let stopped = request(&emulator, "persistent", "stop").unwrap();
    emulator.inject(Fault::SpotInterruption { instance_id: id(&stopped) }).unwrap();
    advance(&emulator, 150).await;
    for (made, state_after, code) in [
        (&running, "running", "request-canceled-and-instance-running"),
        (&stopped, "terminated", "request-canceled-and-instance-running"),
    ] {
        let request = made["spotInstanceRequestId"].as_str().unwrap();
        let members = format!("SpotInstanceRequestId.1={request}");
        let cancelled = ec2(&emulator, "CancelSpotInstanceRequests", &members);
        let one = &cancelled["spotInstanceRequestSet"][0];
        assert_eq!([&one["spotInstanceRequestId"], &one["state"]], [request, "cancelled"]);
        assert_eq!(state(&emulator, &id(made)), state_after);
        let told = told(&emulator, request);
        assert_eq!(told.0, "cancelled");
        if state_after == "running" {
            assert_eq!(told.1, code);
        }
    }
}

#[tokio::test]
async fn the_requests_of_a_group_s_instances_are_shown_too() {
    let emulator = emulator(1).await;
    let policy = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
        &MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=0";
    call(&emulator, "UpdateAutoScalingGroup", &format!("{policy}&DesiredCapacity=2"));
    advance(&emulator, 180).await;
    let all = ec2(&emulator, "DescribeSpotInstanceRequests", "");
    assert_eq!(all["spotInstanceRequestSet"].as_array().unwrap().len(), 1);
    assert_eq!(all["spotInstanceRequestSet"][0]["type"], "one-time");
}
