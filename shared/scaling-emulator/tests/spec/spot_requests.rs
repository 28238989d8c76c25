//! Requests for Spot Instances that RunInstances makes: what they may say, what an interruption does, how they are shown.

use scaling_emulator::{Emulator, Fault};
use serde_json::{Value, json};

use crate::call::{call, ec2, refused, tried_ec2};
use crate::client::{advance, emulator, web};

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

fn described(emulator: &Emulator, request: &str) -> Value {
    let members = format!("SpotInstanceRequestId.1={request}");
    ec2(emulator, "DescribeSpotInstanceRequests", &members)["spotInstanceRequestSet"][0].clone()
}

/// The state that a call to cancel a request answers.
fn cancel(emulator: &Emulator, request: &str) -> Value {
    let members = format!("SpotInstanceRequestId.1={request}");
    ec2(emulator, "CancelSpotInstanceRequests", &members)["spotInstanceRequestSet"][0]["state"].clone()
}

fn request_id(instance: &Value) -> String {
    instance["spotInstanceRequestId"].as_str().unwrap().to_owned()
}

/// State and status code of the request of an instance.
fn told(emulator: &Emulator, request: &str) -> (String, String) {
    let shown = described(emulator, request);
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

#[tokio::test]
async fn what_is_left_of_a_cancelled_request_can_only_be_ended() {
    let emulator = emulator(1).await;
    let made = request(&emulator, "persistent", "stop").unwrap();
    let members = format!("InstanceId.1={}", id(&made));
    assert_eq!(cancel(&emulator, &request_id(&made)), "cancelled");
    let error = tried_ec2(&emulator, "StopInstances", &members).unwrap_err();
    assert_eq!(error.code, "IncorrectSpotRequestState");
    assert_eq!(state(&emulator, &id(&made)), "running");
    ec2(&emulator, "TerminateInstances", &members);
    assert_eq!(state(&emulator, &id(&made)), "terminated");
    assert_eq!(told(&emulator, &request_id(&made)).0, "cancelled");
}

#[tokio::test]
async fn a_request_that_has_ended_is_not_cancelled_any_more() {
    let emulator = emulator(1).await;
    for (kind, behaviour) in [("one-time", ""), ("persistent", "stop")] {
        let made = request(&emulator, kind, behaviour).unwrap();
        ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={}", id(&made)));
        let before = described(&emulator, &request_id(&made));
        assert_eq!(before["state"], "closed");
        assert_eq!(cancel(&emulator, &request_id(&made)), "closed", "{kind}");
        assert_eq!(described(&emulator, &request_id(&made)), before, "{kind}");
    }
    let policy = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
        &MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=0";
    call(&emulator, "UpdateAutoScalingGroup", &format!("{policy}&DesiredCapacity=2"));
    advance(&emulator, 180).await;
    let spot = web(&emulator, |group| group.members.iter().find(|one| one.spot).unwrap().id.clone());
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={spot}"));
    let request = format!("sir-{}", &spot[spot.len() - 8..]);
    assert_eq!(cancel(&emulator, &request), "closed");
    assert_eq!(told(&emulator, &request), ("closed".to_owned(), "instance-terminated-by-user".to_owned()));
}

#[tokio::test]
async fn a_status_has_the_time_of_its_last_change() {
    let emulator = emulator(1).await;
    let made = request(&emulator, "persistent", "stop").unwrap();
    let (one, members) = (request_id(&made), format!("InstanceId.1={}", id(&made)));
    let at = |expected: &str, code: &str| {
        let status = described(&emulator, &one)["status"].clone();
        assert_eq!([&status["code"], &status["updateTime"]], [code, &format!("2026-01-05T00:{expected}Z")]);
    };
    at("00:00", "fulfilled");
    advance(&emulator, 60).await;
    at("00:00", "fulfilled");
    ec2(&emulator, "StopInstances", &members);
    at("01:00", "instance-stopped-by-user");
    advance(&emulator, 60).await;
    ec2(&emulator, "StopInstances", &members);
    at("01:00", "instance-stopped-by-user");
    ec2(&emulator, "StartInstances", &members);
    at("02:00", "fulfilled");
    advance(&emulator, 60).await;
    emulator.inject(Fault::SpotInterruption { instance_id: id(&made) }).unwrap();
    at("03:00", "marked-for-stop");
    advance(&emulator, 60).await;
    emulator.clear_faults();
    at("04:00", "fulfilled");
    cancel(&emulator, &one);
    at("04:00", "request-canceled-and-instance-running");
    advance(&emulator, 60).await;
    ec2(&emulator, "TerminateInstances", &members);
    advance(&emulator, 60).await;
    at("05:00", "instance-terminated-by-user");
}

#[tokio::test]
async fn an_end_in_a_group_has_the_time_at_which_it_began() {
    let emulator = emulator(1).await;
    let policy = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
        &MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=0";
    call(&emulator, "UpdateAutoScalingGroup", &format!("{policy}&DesiredCapacity=2"));
    advance(&emulator, 180).await;
    let spot = web(&emulator, |group| group.members.iter().find(|one| one.spot).unwrap().id.clone());
    let members = format!("InstanceId={spot}&ShouldDecrementDesiredCapacity=true");
    call(&emulator, "TerminateInstanceInAutoScalingGroup", &members);
    let request = format!("sir-{}", &spot[spot.len() - 8..]);
    for _ in 0..2 {
        let status = described(&emulator, &request)["status"].clone();
        assert_eq!(
            [&status["code"], &status["updateTime"]],
            ["instance-terminated-by-user", "2026-01-05T00:03:00Z"]
        );
        advance(&emulator, 120).await;
    }
}

#[tokio::test]
async fn requests_have_tags_of_their_own() {
    let emulator = emulator(1).await;
    let tags = |of: &str, kind: &str, value: &str| {
        format!(
            "{of}TagSpecification.1.ResourceType={kind}&{of}TagSpecification.1.Tag.1.Key=team\
             &{of}TagSpecification.1.Tag.1.Value={value}"
        )
    };
    let kind = "spot-instances-request";
    let template = tags("LaunchTemplateData.", kind, "template");
    ec2(&emulator, "CreateLaunchTemplate", &format!("LaunchTemplateName=kit&{template}"));
    let run = |more: &str| {
        let run = "MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large&InstanceMarketOptions.MarketType=spot";
        ec2(&emulator, "RunInstances", &format!("{run}&{more}"))["instancesSet"][0].clone()
    };
    let of_call = run(&tags("", kind, "shop"));
    let of_template = run("LaunchTemplate.LaunchTemplateName=kit");
    let none = run(&tags("", "instance", "own"));
    let shown = |made: &Value| described(&emulator, &request_id(made))["tagSet"].clone();
    let tag = |value: &str| json!([{ "key": "team", "value": value }]);
    assert_eq!(
        [shown(&of_call), shown(&of_template), shown(&none)],
        [tag("shop"), tag("template"), json!([])]
    );
    assert_eq!([&of_call["tagSet"], &none["tagSet"]], [&json!([]), &tag("own")]);
    let one = request_id(&none);
    ec2(&emulator, "CreateTags", &format!("ResourceId.1={one}&Tag.1.Key=team&Tag.1.Value=late"));
    assert_eq!(shown(&none), tag("late"));
    let by = |name: &str, value: &str| {
        let members = format!("Filter.1.Name={name}&Filter.1.Value.1={value}");
        let shown = ec2(&emulator, "DescribeSpotInstanceRequests", &members);
        shown["spotInstanceRequestSet"].as_array().unwrap().len()
    };
    assert_eq!([by("tag:team", "late"), by("tag-key", "team"), by("tag:team", "own")], [1, 3, 0]);
    let all = || {
        let members = format!("Filter.1.Name=resource-type&Filter.1.Value.1={kind}");
        ec2(&emulator, "DescribeTags", &members)["tagSet"].as_array().unwrap().len()
    };
    assert_eq!(all(), 3);
    ec2(&emulator, "DeleteTags", &format!("ResourceId.1={one}"));
    assert_eq!((shown(&none), all()), (json!([]), 2));
    let unknown = tried_ec2(&emulator, "CreateTags", "ResourceId.1=sir-12345678&Tag.1.Key=a");
    assert_eq!(unknown.unwrap_err().code, "InvalidSpotInstanceRequestID.NotFound");
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={}", id(&of_call)));
    advance(&emulator, 3 * 3600).await;
    assert_eq!(all(), 1, "the tags of what EC2 has forgotten are forgotten");
}

#[tokio::test]
async fn a_group_makes_one_time_requests_only() {
    let emulator = emulator(1).await;
    let market = "LaunchTemplateData.InstanceMarketOptions";
    for (name, said) in [
        ("lasting", format!("{market}.SpotOptions.SpotInstanceType=persistent")),
        ("blocked", format!("{market}.SpotOptions.BlockDurationMinutes=60")),
        ("once", format!("{market}.SpotOptions.SpotInstanceType=one-time")),
    ] {
        let template = format!(
            "LaunchTemplateName={name}&LaunchTemplateData.ImageId=ami-1&LaunchTemplateData.InstanceType=m7i.large\
             &{market}.MarketType=spot&{said}"
        );
        ec2(&emulator, "CreateLaunchTemplate", &template);
        let source = format!("LaunchTemplate.LaunchTemplateName={name}");
        if name == "once" {
            call(&emulator, "UpdateAutoScalingGroup", &source);
            continue;
        }
        let (code, message) = refused(&emulator, "UpdateAutoScalingGroup", &source);
        assert_eq!(code, "InvalidQueryParameter", "{name}");
        assert!(message.contains("'one-time' Spot instance type"), "{message}");
        let create = format!("MinSize=0&MaxSize=1&AvailabilityZones.member.1=us-east-1a&{source}");
        let create = format!("AutoScalingGroupName={name}&{create}");
        let form = scaling_emulator::wire::form::Form::parse(create.as_bytes());
        let made = emulator.with_region(|region| {
            scaling_emulator::autoscaling::dispatch(region, "CreateAutoScalingGroup", &form)
        });
        assert_eq!(made.unwrap_err().code, "InvalidQueryParameter", "{name}");
    }
}
