//! Traffic sources. *Amazon EC2 Auto Scaling API Reference*: AttachTrafficSources, DescribeTrafficSources, and their types.

use scaling_emulator::wire::form::Form;
use scaling_emulator::{Emulator, autoscaling};
use serde_json::{Value, json};

use crate::call::tried;
use crate::client::{advance, emulator};

const TARGETS: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/more/1";
const LATTICE: &str = "arn:aws:vpc-lattice:us-east-1:123456789012:targetgroup/tg-1";

fn sources(sources: &[(&str, Option<&str>)]) -> String {
    let one = |(number, (id, kind)): (usize, &(&str, Option<&str>))| {
        let member = format!("TrafficSources.member.{}", number + 1);
        let kind = kind.map_or_else(String::new, |kind| format!("&{member}.Type={kind}"));
        format!("{member}.Identifier={id}{kind}")
    };
    sources.iter().enumerate().map(one).collect::<Vec<_>>().join("&")
}

fn described(emulator: &Emulator, members: &str) -> Vec<(String, String, String)> {
    let answer = tried(emulator, "DescribeTrafficSources", members).unwrap();
    let text = |one: &Value, member: &str| one[member].as_str().unwrap().to_owned();
    let all = answer["TrafficSources"].as_array().unwrap().iter();
    all.map(|one| (text(one, "Identifier"), text(one, "Type"), text(one, "State"))).collect()
}

#[tokio::test]
async fn sources_of_every_kind_are_attached_shown_with_their_state_and_detached() {
    let emulator = emulator(1).await;
    tried(&emulator, "UpdateAutoScalingGroup", "MinSize=0&DesiredCapacity=0").unwrap();
    advance(&emulator, 120).await;
    let own = described(&emulator, "")[0].0.clone();
    let all = sources(&[("classic", Some("elb")), (TARGETS, None), (LATTICE, Some("vpc-lattice"))]);
    tried(&emulator, "AttachTrafficSources", &all).unwrap();
    let expected = [("classic", "elb"), (&own, "elbv2"), (TARGETS, "elbv2"), (LATTICE, "vpc-lattice")];
    let in_state =
        |state: &str| expected.map(|(id, kind)| (id.to_owned(), kind.to_owned(), state.to_owned())).to_vec();
    assert_eq!(described(&emulator, ""), in_state("Added"));
    tried(&emulator, "SetDesiredCapacity", "DesiredCapacity=1").unwrap();
    advance(&emulator, 600).await;
    assert_eq!(described(&emulator, ""), in_state("InService"));
    assert_eq!(described(&emulator, "TrafficSourceType=vpc-lattice").len(), 1);
    // The older operations see the same.
    let balancers = tried(&emulator, "DescribeLoadBalancers", "").unwrap();
    assert_eq!(balancers["LoadBalancers"][0]["LoadBalancerName"], "classic");
    let group = tried(&emulator, "DescribeAutoScalingGroups", "").unwrap();
    let group = &group["AutoScalingGroups"][0];
    assert_eq!(group["TargetGroupARNs"], json!([own, TARGETS]));
    assert_eq!(group["TrafficSources"][3], json!({ "Identifier": LATTICE, "Type": "vpc-lattice" }));
    tried(&emulator, "DetachTrafficSources", &all).unwrap();
    assert_eq!(described(&emulator, "").len(), 1);
}

#[tokio::test]
async fn sources_are_told_by_page() {
    let emulator = emulator(1).await;
    let names = [("a", Some("elb")), ("b", Some("elb")), ("c", Some("elb"))];
    tried(&emulator, "AttachTrafficSources", &sources(&names)).unwrap();
    let first = tried(&emulator, "DescribeTrafficSources", "TrafficSourceType=elb&MaxRecords=2").unwrap();
    assert_eq!(first["TrafficSources"].as_array().unwrap().len(), 2);
    let next = format!("TrafficSourceType=elb&NextToken={}", first["NextToken"].as_str().unwrap());
    assert_eq!(described(&emulator, &next)[0].0, "c");
    let unknown = tried(&emulator, "DescribeTrafficSources", "NextToken=nobody-gave-this").unwrap_err();
    assert_eq!(unknown.code, "InvalidNextToken");
}

#[tokio::test]
async fn what_is_wrong_with_one_source_leaves_the_others_alone() {
    let emulator = emulator(1).await;
    let before = described(&emulator, "");
    for (operation, second) in [
        ("AttachTrafficSources", ("a-name", None)),
        ("AttachTrafficSources", ("a-name", Some("elbv2"))),
        ("AttachTrafficSources", (TARGETS, Some("elb"))),
        ("AttachTrafficSources", (LATTICE, Some("elbv2"))),
        ("AttachTrafficSources", ("a-name", Some("nlb"))),
        ("DetachTrafficSources", ("not-attached", Some("elb"))),
    ] {
        let error =
            tried(&emulator, operation, &sources(&[(before[0].0.as_str(), None), second])).unwrap_err();
        assert_eq!(error.code, "ValidationError", "{operation} {second:?}");
        assert_eq!(described(&emulator, ""), before, "{operation} {second:?}");
    }
    let eleven: Vec<_> = (0..11).map(|number| format!("b{number}")).collect();
    let eleven: Vec<_> = eleven.iter().map(|name| (name.as_str(), Some("elb"))).collect();
    assert_eq!(
        tried(&emulator, "AttachTrafficSources", &sources(&eleven)).unwrap_err().code,
        "ValidationError"
    );
}

#[tokio::test]
async fn a_group_is_not_made_with_more_targets_or_balancers_than_may_be_attached() {
    let emulator = emulator(1).await;
    let make = |name: &str, list: &str, one: &str, count: usize| {
        let one = |number| format!("{list}.member.{number}={}", one.replace('#', &format!("{number}")));
        let all = (1..=count).map(one).collect::<Vec<_>>().join("&");
        let group =
            format!("AutoScalingGroupName={name}&MinSize=0&MaxSize=1&AvailabilityZones.member.1=us-east-1a");
        let form = Form::parse(format!("{group}&LaunchTemplate.LaunchTemplateName=web&{all}").as_bytes());
        emulator.with_region(|region| autoscaling::dispatch(region, "CreateAutoScalingGroup", &form))
    };
    let arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/more/#";
    for (list, one) in [("TargetGroupARNs", arn), ("LoadBalancerNames", "classic-#")] {
        assert_eq!(make("more", list, one, 51).unwrap_err().code, "LimitExceeded", "{list}");
        make(list, list, one, 50).unwrap();
    }
}
