//! Standby, attaching, detaching, warm pools, and the spread over zones.

use scaling_emulator::region::LifecycleState::{InService, Terminating};
use scaling_emulator::{Emulator, Fault};

use crate::call::{call, causes, ec2, refused, states};
use crate::client::{advance, emulator, ids, set, types, web};

fn desired(emulator: &Emulator) -> u32 {
    web(emulator, |group| group.desired)
}

fn zones(emulator: &Emulator) -> Vec<String> {
    let last = |zone: &str| zone.chars().last().unwrap().to_string();
    let mut zones: Vec<String> =
        web(emulator, |group| group.alive().map(|member| last(&member.zone)).collect());
    zones.sort();
    zones
}

#[tokio::test]
async fn an_instance_in_standby_is_no_capacity_and_comes_back_into_it() {
    let emulator = emulator(3).await;
    let id = ids(&emulator, InService)[0].clone();
    let moved = call(
        &emulator,
        "EnterStandby",
        &format!("InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=true"),
    );
    assert_eq!(moved["Activities"][0]["Description"], format!("Moving EC2 instance to Standby: {id}"));
    advance(&emulator, 60).await;
    assert_eq!(
        (desired(&emulator), states(&emulator)),
        (2, vec!["Standby".into(), "InService".into(), "InService".into()])
    );
    call(&emulator, "ExitStandby", &format!("InstanceIds.member.1={id}"));
    advance(&emulator, 30).await;
    assert_eq!((desired(&emulator), ids(&emulator, InService).len()), (3, 3));
}

#[tokio::test]
async fn an_instance_that_ends_in_standby_shrinks_nothing_in_its_cause() {
    let emulator = emulator(3).await;
    let [standby, serving] = [0, 1].map(|at| ids(&emulator, InService)[at].clone());
    call(
        &emulator,
        "EnterStandby",
        &format!("InstanceIds.member.1={standby}&ShouldDecrementDesiredCapacity=true"),
    );
    advance(&emulator, 60).await;
    let ended = |id: &str| {
        let members = format!("InstanceId={id}&ShouldDecrementDesiredCapacity=true");
        let ended = call(&emulator, "TerminateInstanceInAutoScalingGroup", &members);
        ended["Activity"]["Cause"].as_str().unwrap().to_owned()
    };
    let cause = ended(&standby);
    assert!(cause.ends_with("was taken out of service in response to a user request."), "{cause}");
    let cause = ended(&serving);
    assert!(cause.ends_with("user request, shrinking the capacity from 2 to 1."), "{cause}");
}

#[tokio::test]
async fn an_instance_that_is_named_twice_moves_once() {
    let emulator = emulator(3).await;
    let id = ids(&emulator, InService)[0].clone();
    let twice = format!("InstanceIds.member.1={id}&InstanceIds.member.2={id}");
    for action in ["EnterStandby", "DetachInstances"] {
        let moved = call(&emulator, action, &format!("{twice}&ShouldDecrementDesiredCapacity=true"));
        assert_eq!(moved["Activities"].as_array().unwrap().len(), 1, "{action}: {moved}");
        advance(&emulator, 60).await;
        if action == "EnterStandby" {
            call(&emulator, "ExitStandby", &twice);
            advance(&emulator, 60).await;
        }
    }
    assert_eq!(desired(&emulator), 2);
}

#[tokio::test]
async fn without_decrement_an_instance_in_standby_is_replaced() {
    let emulator = emulator(2).await;
    let id = ids(&emulator, InService)[0].clone();
    let members = format!("InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=false");
    call(&emulator, "EnterStandby", &members);
    advance(&emulator, 15).await;
    assert_eq!(states(&emulator), ["Standby", "InService", "Pending"]);
    let (_, message) = refused(&emulator, "EnterStandby", &members);
    assert!(message.contains("is not in InService"), "{message}");
}

#[tokio::test]
async fn a_detached_instance_runs_by_itself_and_can_be_attached_again() {
    let emulator = emulator(2).await;
    let id = ids(&emulator, InService)[0].clone();
    let members = format!("InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=true");
    let told = call(&emulator, "DetachInstances", &members);
    assert_eq!(told["Activities"][0]["StatusCode"], "InProgress");
    assert_eq!((desired(&emulator), ids(&emulator, InService).len()), (1, 1));
    assert!(emulator.with_region(|region| region.loose.contains_key(&id)));
    call(&emulator, "AttachInstances", &format!("InstanceIds.member.1={id}"));
    advance(&emulator, 30).await;
    assert_eq!((desired(&emulator), ids(&emulator, InService).len()), (2, 2));
    let (_, message) = refused(&emulator, "AttachInstances", &format!("InstanceIds.member.1={id}"));
    assert!(message.contains("is already part of"), "{message}");
    let (_, message) = refused(&emulator, "AttachInstances", "InstanceIds.member.1=i-0");
    assert!(message.contains("Invalid Instance ID"), "{message}");
}

#[tokio::test]
async fn capacity_does_not_leave_the_bounds_by_moving_instances() {
    let emulator = emulator(1).await;
    let id = ids(&emulator, InService)[0].clone();
    for operation in ["EnterStandby", "DetachInstances"] {
        let members = format!("InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=true");
        let (code, message) = refused(&emulator, operation, &members);
        assert_eq!(code, "ValidationError");
        assert!(message.contains("has min-size=1, max-size=10, and desired-size=1"), "{message}");
    }
}

#[tokio::test]
async fn a_warm_pool_fills_up_to_the_maximum_and_serves_sooner() {
    let emulator = emulator(2).await;
    call(&emulator, "PutWarmPool", "MaxGroupPreparedCapacity=4&PoolState=Stopped");
    advance(&emulator, 150).await;
    assert_eq!(states(&emulator), ["InService", "InService", "Warmed:Stopped", "Warmed:Stopped"]);
    set(&emulator, 3).unwrap();
    advance(&emulator, 45).await;
    assert_eq!(ids(&emulator, InService).len(), 3, "a stopped instance starts in half a minute");
    let shown = call(&emulator, "DescribeWarmPool", "");
    assert_eq!(shown["Instances"].as_array().unwrap().len(), 1);
    assert_eq!(shown["WarmPoolConfiguration"]["PoolState"], "Stopped");
    assert!(causes(&emulator, 1)[0].contains("changing the desired capacity from 2 to 3"));
}

#[tokio::test]
async fn a_warm_pool_spreads_over_the_zones_and_keeps_the_group_balanced() {
    let emulator = emulator(2).await;
    call(&emulator, "PutWarmPool", "MaxGroupPreparedCapacity=8");
    advance(&emulator, 150).await;
    for desired in 3..=8 {
        set(&emulator, desired).unwrap();
        advance(&emulator, 60).await;
        assert_eq!(ids(&emulator, Terminating).len(), 0);
    }
    assert_eq!(zones(&emulator), ["a", "a", "a", "b", "b", "b", "c", "c"]);
}

#[tokio::test]
async fn a_warm_pool_takes_instances_back_where_it_reuses_them() {
    let emulator = emulator(3).await;
    let pool = "MaxGroupPreparedCapacity=3&PoolState=Running&InstanceReusePolicy.ReuseOnScaleIn=true";
    call(&emulator, "PutWarmPool", pool);
    set(&emulator, 2).unwrap();
    advance(&emulator, 30).await;
    let mut found = states(&emulator);
    found.sort();
    assert_eq!(found, ["InService", "InService", "Warmed:Running"]);
    set(&emulator, 3).unwrap();
    advance(&emulator, 15).await;
    assert_eq!(states(&emulator), ["InService"; 3]);
}

#[tokio::test]
async fn a_warm_pool_with_instances_is_deleted_only_by_force() {
    let emulator = emulator(1).await;
    call(&emulator, "PutWarmPool", "MaxGroupPreparedCapacity=2");
    advance(&emulator, 150).await;
    assert_eq!(refused(&emulator, "DeleteWarmPool", "").0, "ResourceInUse");
    call(&emulator, "DeleteWarmPool", "ForceDelete=true");
    advance(&emulator, 60).await;
    assert_eq!(states(&emulator), ["InService"]);
    assert!(refused(&emulator, "DeleteWarmPool", "").1.contains("No warm pool found"));
}

#[tokio::test]
async fn instances_spread_over_the_zones_and_end_in_the_fullest() {
    let emulator = emulator(5).await;
    assert_eq!(zones(&emulator), ["a", "a", "b", "b", "c"]);
    set(&emulator, 3).unwrap();
    advance(&emulator, 15).await;
    assert_eq!(zones(&emulator), ["a", "b", "c"]);
}

#[tokio::test]
async fn a_zone_that_is_out_loses_its_instances_and_is_filled_again_afterwards() {
    let emulator = emulator(6).await;
    emulator.inject(Fault::ZoneOutage { zone: "us-east-1a".to_owned() }).unwrap();
    advance(&emulator, 15).await;
    assert_eq!(ids(&emulator, Terminating).len(), 2);
    advance(&emulator, 180).await;
    assert_eq!(zones(&emulator), ["b", "b", "b", "c", "c", "c"]);
    emulator.clear_faults();
    for _ in 0..60 {
        advance(&emulator, 15).await;
        assert!(ids(&emulator, InService).len() >= 6, "what is replaced serves until its replacement does");
    }
    assert_eq!(zones(&emulator), ["a", "a", "b", "b", "c", "c"]);
    let balanced = web(&emulator, |group| {
        group
            .activities
            .iter()
            .filter(|activity| activity.cause.contains("balancing the group's zones"))
            .count()
    });
    assert_eq!(balanced, 2, "one at a time, the new before the old");
}

#[tokio::test]
async fn a_shortage_in_one_zone_moves_the_launch_to_another() {
    let emulator = emulator(3).await;
    emulator
        .inject(Fault::ZoneShortage { instance_type: "m7i.large".to_owned(), zone: "us-east-1a".to_owned() })
        .unwrap();
    set(&emulator, 4).unwrap();
    advance(&emulator, 15).await;
    assert_eq!(zones(&emulator), ["a", "b", "b", "c"]);
}

#[tokio::test]
async fn termination_policies_choose_within_the_fullest_zone() {
    for (policy, ended) in [("OldestInstance", 0), ("NewestInstance", 3)] {
        let emulator = emulator(3).await;
        call(&emulator, "UpdateAutoScalingGroup", &format!("TerminationPolicies.member.1={policy}"));
        set(&emulator, 4).unwrap();
        advance(&emulator, 180).await;
        let before = ids(&emulator, InService);
        set(&emulator, 3).unwrap();
        advance(&emulator, 15).await;
        assert_eq!(ids(&emulator, Terminating), [before[ended].clone()], "{policy}");
    }
    let emulator = emulator(1).await;
    let (_, message) = refused(&emulator, "UpdateAutoScalingGroup", "TerminationPolicies.member.1=Youngest");
    assert!(message.contains("Youngest"), "{message}");
}

#[tokio::test]
async fn instances_are_replaced_one_by_one_when_they_have_lived_long_enough() {
    let emulator = emulator(2).await;
    let first = ids(&emulator, InService);
    call(&emulator, "UpdateAutoScalingGroup", "MaxInstanceLifetime=86400");
    advance(&emulator, 86_400 + 15).await;
    assert_eq!(ids(&emulator, Terminating).len(), 1);
    advance(&emulator, 600).await;
    let now = ids(&emulator, InService);
    assert!(now.len() == 2 && now.iter().all(|id| !first.contains(id)), "{now:?}");
    let (_, message) = refused(&emulator, "UpdateAutoScalingGroup", "MaxInstanceLifetime=3600");
    assert!(message.contains("86400"), "{message}");
}

fn to_standby(emulator: &Emulator) -> String {
    let id = ids(emulator, InService)[0].clone();
    let members = format!("InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=true");
    call(emulator, "EnterStandby", &members);
    id
}

fn machine_state(emulator: &Emulator, id: &str) -> String {
    let found = ec2(emulator, "DescribeInstances", &format!("InstanceId.1={id}"));
    found["reservationSet"][0]["instancesSet"][0]["instanceState"]["name"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_instance_in_standby_is_stopped_given_another_type_started_and_put_back() {
    let emulator = emulator(3).await;
    let id = to_standby(&emulator);
    advance(&emulator, 15).await;
    ec2(&emulator, "StopInstances", &format!("InstanceId.1={id}"));
    assert_eq!(machine_state(&emulator, &id), "stopped");
    ec2(
        &emulator,
        "ModifyInstanceAttribute",
        &format!("InstanceId={id}&Attribute=instanceType&Value=m7i.xlarge"),
    );
    ec2(&emulator, "StartInstances", &format!("InstanceId.1={id}"));
    assert_eq!(machine_state(&emulator, &id), "running");
    advance(&emulator, 300).await;
    assert_eq!(states(&emulator), ["Standby", "InService", "InService"], "its health is not checked");
    call(&emulator, "ExitStandby", &format!("InstanceIds.member.1={id}"));
    advance(&emulator, 60).await;
    assert_eq!(types(&emulator), ["m7i.xlarge", "m7i.large", "m7i.large"]);
    assert_eq!(ids(&emulator, InService).len(), 3);
}

#[tokio::test]
async fn one_that_ends_in_standby_is_found_out_when_it_comes_back() {
    let emulator = emulator(2).await;
    let id = to_standby(&emulator);
    advance(&emulator, 15).await;
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}"));
    advance(&emulator, 300).await;
    assert_eq!(
        (states(&emulator)[0].as_str(), machine_state(&emulator, &id).as_str()),
        ("Standby", "terminated")
    );
    assert!(web(&emulator, |group| group.member(&id).unwrap().healthy), "it was healthy before");
    call(&emulator, "ExitStandby", &format!("InstanceIds.member.1={id}"));
    advance(&emulator, 300).await;
    assert!(web(&emulator, |group| group.member(&id).is_none()));
    assert_eq!((desired(&emulator), ids(&emulator, InService).len()), (2, 2));
}

#[tokio::test]
async fn the_group_ends_an_instance_in_standby_and_none_of_its_warm_pool() {
    let emulator = emulator(2).await;
    let id = to_standby(&emulator);
    advance(&emulator, 15).await;
    let ending = format!("InstanceId={id}&ShouldDecrementDesiredCapacity=false");
    call(&emulator, "TerminateInstanceInAutoScalingGroup", &ending);
    advance(&emulator, 60).await;
    assert_eq!((desired(&emulator), states(&emulator)), (1, vec!["InService".to_owned()]));
    call(&emulator, "PutWarmPool", "MinSize=1&MaxGroupPreparedCapacity=2");
    advance(&emulator, 300).await;
    let pooled = web(&emulator, |group| group.members.last().unwrap().id.clone());
    let ending = format!("InstanceId={pooled}&ShouldDecrementDesiredCapacity=false");
    let (_, message) = refused(&emulator, "TerminateInstanceInAutoScalingGroup", &ending);
    assert!(message.contains("cannot be called on instances in a warm pool"), "{message}");
}

#[tokio::test]
async fn instances_in_a_zone_that_is_taken_away_are_replaced_in_the_others() {
    let emulator = emulator(4).await;
    for (wanted, expected) in [("us-east-1b us-east-1c", "bbcc"), ("us-east-1c", "cccc")] {
        let zones = (1..).zip(wanted.split(' '));
        let members: Vec<String> =
            zones.map(|(number, zone)| format!("AvailabilityZones.member.{number}={zone}")).collect();
        call(&emulator, "UpdateAutoScalingGroup", &members.join("&"));
        for _ in 0..240 {
            advance(&emulator, 15).await;
            assert!(ids(&emulator, InService).len() >= 4, "the new one comes first");
        }
        assert_eq!(zones_of(&emulator), expected);
    }
}

fn zones_of(emulator: &Emulator) -> String {
    zones(emulator).concat()
}

#[tokio::test]
async fn what_is_no_capacity_takes_none_along_when_it_is_detached() {
    let emulator = emulator(3).await;
    let id = to_standby(&emulator);
    advance(&emulator, 15).await;
    let members = format!("InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=true");
    let told = call(&emulator, "DetachInstances", &members);
    let cause = told["Activities"][0]["Cause"].as_str().unwrap();
    assert!(
        cause.ends_with(&format!("instance {id} was detached in response to a user request.")),
        "{cause}"
    );
    assert_eq!(desired(&emulator), 2);
}
