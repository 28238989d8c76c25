//! How a group grows, shrinks and replaces what fails.

use scaling_emulator::autoscaling::capacity::{HealthInput, ProtectInput, protect, set_health};
use scaling_emulator::region::Group;
use scaling_emulator::region::LifecycleState::{InService, Pending, Terminating};
use scaling_emulator::{Emulator, Fault};

use crate::call::{call, ec2, refused};
use crate::client::{advance, emulator, ids, set, types, web};

/// Causes and descriptions of the newest activities.
fn newest(emulator: &Emulator, count: usize) -> Vec<(String, String)> {
    web(emulator, |group| {
        let newest = group.activities.iter().take(count);
        newest.map(|activity| (activity.cause.clone(), activity.description.clone())).collect()
    })
}

#[tokio::test]
async fn a_larger_group_launches_with_the_next_step_and_serves_after_the_boot() {
    let emulator = emulator(2).await;
    set(&emulator, 4).unwrap();
    assert_eq!(ids(&emulator, Pending).len(), 0);
    advance(&emulator, 15).await;
    assert_eq!((ids(&emulator, InService).len(), ids(&emulator, Pending).len()), (2, 2));
    advance(&emulator, 60).await;
    assert_eq!(ids(&emulator, Pending).len(), 2, "no boot takes less than 90 s");
    advance(&emulator, 60).await;
    assert_eq!(ids(&emulator, InService).len(), 4);
    for (cause, description) in newest(&emulator, 2) {
        assert!(cause.contains("changing the desired capacity from 2 to 4"), "{cause}");
        assert!(description.starts_with("Launching a new EC2 instance: i-"), "{description}");
    }
}

#[tokio::test]
async fn a_smaller_group_ends_the_oldest_of_the_fullest_zone_and_never_a_protected_one() {
    let emulator = emulator(4).await;
    let first = ids(&emulator, InService);
    let input = ProtectInput {
        instance_ids: vec![first[0].clone()],
        auto_scaling_group_name: "web".to_owned(),
        protected_from_scale_in: true,
    };
    emulator.with_region(|region| protect(region, &input)).unwrap();
    set(&emulator, 2).unwrap();
    advance(&emulator, 15).await;
    // The first and the last are in one zone; then all zones have one, and the oldest is protected.
    assert_eq!(ids(&emulator, Terminating), [first[1].clone(), first[3].clone()]);
    assert_eq!(ids(&emulator, InService), [first[0].clone(), first[2].clone()]);
    let (cause, description) = newest(&emulator, 1).remove(0);
    assert!(cause.contains("shrinking the capacity from 3 to 2"), "{cause}");
    assert_eq!(description, format!("Terminating EC2 instance: {}", first[1]));
    advance(&emulator, 30).await;
    assert_eq!(web(&emulator, |group| group.members.len()), 2);
}

#[tokio::test]
async fn the_order_of_ending_is_unhealthy_then_outdated_then_oldest() {
    let emulator = emulator(2).await;
    // The group now launches another type: the two that serve are outdated.
    call(
        &emulator,
        "UpdateAutoScalingGroup",
        "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
         &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType=c7i.large&DesiredCapacity=4",
    );
    advance(&emulator, 150).await;
    assert_eq!(types(&emulator), ["m7i.large", "m7i.large", "c7i.large", "c7i.large"]);
    let before = ids(&emulator, InService);
    call(&emulator, "SuspendProcesses", "ScalingProcesses.member.1=ReplaceUnhealthy");
    let newest = HealthInput {
        instance_id: before[3].clone(),
        health_status: "Unhealthy".to_owned(),
        should_respect_grace_period: None,
    };
    emulator.with_region(|region| set_health(region, &newest)).unwrap();
    for (desired, ended) in [(3, 3), (2, 0), (1, 1)] {
        set(&emulator, desired).unwrap();
        advance(&emulator, 15).await;
        assert!(ids(&emulator, Terminating).contains(&before[ended]), "at {desired}");
    }
    assert_eq!(types(&emulator), ["c7i.large"]);
}

#[tokio::test]
async fn how_much_of_a_group_is_on_demand_is_kept_and_shown() {
    let emulator = emulator(2).await;
    let policy = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web";
    let split = |emulator: &Emulator| {
        let shown = call(emulator, "DescribeAutoScalingGroups", "");
        let split = &shown["AutoScalingGroups"][0]["MixedInstancesPolicy"]["InstancesDistribution"];
        ["OnDemandBaseCapacity", "OnDemandPercentageAboveBaseCapacity"].map(|member| split[member].as_u64())
    };
    call(&emulator, "UpdateAutoScalingGroup", policy);
    assert_eq!(split(&emulator), [Some(0), Some(100)]);
    let quarter = "MixedInstancesPolicy.InstancesDistribution.OnDemandBaseCapacity=1\
                   &MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=25";
    call(&emulator, "UpdateAutoScalingGroup", &format!("{policy}&{quarter}"));
    assert_eq!(split(&emulator), [Some(1), Some(25)]);
}

fn spot_instances(emulator: &Emulator) -> Vec<String> {
    web(emulator, |group| {
        let spot = group.alive().filter(|member| member.spot);
        spot.map(|member| member.instance_type.to_string()).collect()
    })
}

#[tokio::test]
async fn what_is_above_the_share_of_on_demand_is_spot_and_ends_first_where_it_is_too_much() {
    let emulator = emulator(1).await;
    let policy = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
        &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType=m7i.xlarge\
        &MixedInstancesPolicy.LaunchTemplate.Overrides.member.2.InstanceType=m7i.large\
        &MixedInstancesPolicy.InstancesDistribution.OnDemandBaseCapacity=1\
        &MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=";
    call(&emulator, "UpdateAutoScalingGroup", &format!("{policy}0&DesiredCapacity=4"));
    advance(&emulator, 180).await;
    assert_eq!(spot_instances(&emulator), ["m7i.large"; 3], "the cheapest, where the overrides are no order");
    let spot = "Filter.1.Name=instance-lifecycle&Filter.1.Value.1=spot";
    let found = ec2(&emulator, "DescribeInstances", spot);
    assert_eq!(found["reservationSet"].as_array().unwrap().len(), 3);
    assert_eq!(found["reservationSet"][0]["instancesSet"][0]["instanceLifecycle"], "spot");
    set(&emulator, 2).unwrap();
    advance(&emulator, 60).await;
    assert_eq!((types(&emulator).len(), spot_instances(&emulator).len()), (2, 1));
    call(&emulator, "UpdateAutoScalingGroup", &format!("{policy}50&DesiredCapacity=6"));
    advance(&emulator, 180).await;
    assert_eq!(
        (types(&emulator).len(), spot_instances(&emulator).len()),
        (6, 2),
        "1 and half of 5, rounded up"
    );
}

#[tokio::test]
async fn a_template_that_asks_for_spot_gives_spot_and_fits_no_mixed_policy() {
    let emulator = emulator(1).await;
    ec2(
        &emulator,
        "CreateLaunchTemplateVersion",
        "LaunchTemplateName=web&LaunchTemplateData.ImageId=ami-1&LaunchTemplateData.InstanceType=m7i.large\
         &LaunchTemplateData.InstanceMarketOptions.MarketType=spot",
    );
    call(
        &emulator,
        "UpdateAutoScalingGroup",
        "LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=2&DesiredCapacity=2",
    );
    advance(&emulator, 180).await;
    assert_eq!(spot_instances(&emulator).len(), 1);
    let mixed = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
        &MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version=2";
    let (_, message) = refused(&emulator, "UpdateAutoScalingGroup", mixed);
    assert!(message.contains("Incompatible launch template"), "{message}");
    emulator.inject(Fault::CapacityShortage { instance_type: "m7i.large".to_owned() }).unwrap();
    set(&emulator, 3).unwrap();
    advance(&emulator, 15).await;
    let why = web(&emulator, |group| group.activities.iter().next().unwrap().status_message.clone());
    assert!(why.as_deref().unwrap().starts_with("Could not launch Spot Instances."), "{why:?}");
}

#[tokio::test]
async fn a_group_that_rebalances_launches_before_an_interruption_and_others_after_it() {
    for (rebalances, early) in [(true, 2), (false, 1)] {
        let emulator = emulator(1).await;
        call(&emulator, "UpdateAutoScalingGroup", &format!("CapacityRebalance={rebalances}"));
        let first = ids(&emulator, InService)[0].clone();
        emulator.inject(Fault::SpotInterruption { instance_id: first.clone() }).unwrap();
        advance(&emulator, 30).await;
        assert_eq!(web(&emulator, |group| group.alive().count()), early, "{rebalances}");
        assert_eq!(
            ids(&emulator, InService),
            std::slice::from_ref(&first),
            "it serves until it is interrupted"
        );
        advance(&emulator, 600).await;
        let left = ids(&emulator, InService);
        assert!(left.len() == 1 && left[0] != first, "{left:?}");
        assert_eq!(web(&emulator, |group| group.members.len()), 1);
    }
}

#[tokio::test]
async fn the_grace_period_of_health_checks_begins_with_service_and_spares_what_still_runs() {
    let emulator = emulator(3).await;
    call(&emulator, "UpdateAutoScalingGroup", "HealthCheckGracePeriod=300");
    let [failed, ended, marked] = [0, 1, 2].map(|at| ids(&emulator, InService)[at].clone());
    let mark = |respects: Option<bool>| {
        let health_status = "Unhealthy".to_owned();
        HealthInput { instance_id: marked.clone(), health_status, should_respect_grace_period: respects }
    };
    let crash = Fault::InstanceCrash { instance_id: failed.clone() };
    emulator.inject(crash).unwrap();
    emulator.with_region(|region| set_health(region, &mark(None))).unwrap();
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={ended}"));
    advance(&emulator, 15).await;
    assert_eq!(ids(&emulator, Terminating), [ended], "what does not run any more is replaced at once");
    emulator.with_region(|region| set_health(region, &mark(Some(false)))).unwrap();
    advance(&emulator, 15).await;
    assert!(ids(&emulator, Terminating).contains(&marked), "the mark does not respect the grace period");
    assert!(ids(&emulator, InService).contains(&failed));
    advance(&emulator, 300).await;
    assert!(!ids(&emulator, InService).contains(&failed));
    let cause = web(&emulator, |group| {
        let mut causes = group.activities.iter().map(|activity| activity.cause.clone());
        causes.find(|cause| cause.contains("status check failure"))
    });
    assert!(cause.is_some());
}

#[tokio::test]
async fn an_instance_that_fails_is_ended_and_replaced() {
    let emulator = emulator(2).await;
    let failed = ids(&emulator, InService)[0].clone();
    emulator.inject(Fault::InstanceCrash { instance_id: failed.clone() }).unwrap();
    advance(&emulator, 15).await;
    assert_eq!(ids(&emulator, Terminating), [failed]);
    assert_eq!((ids(&emulator, InService).len(), ids(&emulator, Pending).len()), (1, 1));
    advance(&emulator, 150).await;
    assert_eq!(ids(&emulator, InService).len(), 2);
}

#[tokio::test]
async fn suspended_processes_neither_launch_nor_end() {
    let emulator = emulator(2).await;
    call(&emulator, "SuspendProcesses", "");
    set(&emulator, 4).unwrap();
    advance(&emulator, 60).await;
    assert_eq!((ids(&emulator, InService).len(), ids(&emulator, Pending).len()), (2, 0));
    set(&emulator, 1).unwrap();
    advance(&emulator, 60).await;
    assert_eq!(ids(&emulator, InService).len(), 2);
    call(&emulator, "ResumeProcesses", "");
    advance(&emulator, 60).await;
    assert_eq!(ids(&emulator, InService).len(), 1);
}

#[tokio::test]
async fn without_capacity_launches_fail_say_why_and_are_tried_again() {
    let emulator = emulator(1).await;
    emulator.inject(Fault::CapacityShortage { instance_type: "m7i.large".to_owned() }).unwrap();
    set(&emulator, 3).unwrap();
    advance(&emulator, 300).await;
    let failures = web(&emulator, |group| {
        let failed = group.activities.iter().filter_map(|activity| activity.status_message.clone());
        failed.collect::<Vec<String>>()
    });
    assert_eq!(failures.len(), 5, "one try a minute");
    assert!(
        failures[0].starts_with("We currently do not have sufficient m7i.large capacity"),
        "{}",
        failures[0]
    );
    emulator.clear_faults();
    advance(&emulator, 240).await;
    assert_eq!(ids(&emulator, InService).len(), 3);
}

#[tokio::test]
async fn a_forced_delete_ends_the_instances_and_then_the_group() {
    let emulator = emulator(2).await;
    call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    assert_eq!(ids(&emulator, Terminating).len(), 2);
    advance(&emulator, 60).await;
    assert!(emulator.with_region(|region| region.group("web").is_none()));
}

#[tokio::test]
async fn weights_count_towards_the_desired_capacity() {
    let emulator = emulator(1).await;
    call(
        &emulator,
        "UpdateAutoScalingGroup",
        "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
         &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType=m7i.2xlarge\
         &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.WeightedCapacity=4&DesiredCapacity=9",
    );
    advance(&emulator, 15).await;
    assert_eq!(types(&emulator), ["m7i.large", "m7i.2xlarge", "m7i.2xlarge"]);
}

#[tokio::test]
async fn ending_an_instance_with_decrement_takes_its_weight() {
    let emulator = emulator(1).await;
    let policy = "MixedInstancesPolicy.LaunchTemplate";
    call(
        &emulator,
        "UpdateAutoScalingGroup",
        &format!(
            "{policy}.LaunchTemplateSpecification.LaunchTemplateName=web\
             &{policy}.Overrides.member.1.InstanceType=m7i.xlarge\
             &{policy}.Overrides.member.1.WeightedCapacity=4&DesiredCapacity=9"
        ),
    );
    advance(&emulator, 300).await;
    let heavy = web(&emulator, |group| group.alive().find(|member| member.weight == 4).unwrap().id.clone());
    let members = format!("InstanceId={heavy}&ShouldDecrementDesiredCapacity=true");
    call(&emulator, "TerminateInstanceInAutoScalingGroup", &members);
    assert_eq!(web(&emulator, |group| (group.desired, group.capacity())), (5, 5));
    advance(&emulator, 300).await;
    assert_eq!(web(&emulator, Group::capacity), 5, "nothing replaces it");
    // Its weight counts against the bounds, too: 5 less 4 is below 2.
    call(&emulator, "UpdateAutoScalingGroup", "MinSize=2");
    let heavy = web(&emulator, |group| group.alive().find(|member| member.weight == 4).unwrap().id.clone());
    let standby = format!("InstanceIds.member.1={heavy}&ShouldDecrementDesiredCapacity=true");
    let (_, message) = refused(&emulator, "EnterStandby", &standby);
    assert!(message.contains("min-size=2"), "{message}");
}

#[tokio::test]
async fn while_health_checks_are_suspended_nothing_is_found_unhealthy() {
    let emulator = emulator(2).await;
    let id = ids(&emulator, InService)[0].clone();
    call(&emulator, "SuspendProcesses", "ScalingProcesses.member.1=HealthCheck");
    emulator.inject(Fault::InstanceCrash { instance_id: id.clone() }).unwrap();
    advance(&emulator, 300).await;
    assert!(web(&emulator, |group| group.member(&id).unwrap().healthy));
    call(&emulator, "ResumeProcesses", "ScalingProcesses.member.1=HealthCheck");
    advance(&emulator, 15).await;
    assert_eq!(ids(&emulator, Terminating), [id]);
}

/// What the newest failed activity of a group in one zone says, under these faults.
async fn shortage(faults: &[Fault]) -> String {
    let emulator = emulator(1).await;
    call(&emulator, "UpdateAutoScalingGroup", "AvailabilityZones.member.1=us-east-1a");
    for fault in faults {
        emulator.inject(fault.clone()).unwrap();
    }
    set(&emulator, 2).unwrap();
    advance(&emulator, 15).await;
    web(&emulator, |group| group.activities.iter().find_map(|one| one.status_message.clone())).unwrap()
}

#[tokio::test]
async fn a_shortage_advises_the_zones_that_have_capacity_and_none_where_none_has() {
    let kind = || "m7i.large".to_owned();
    let short = |zone: &str| Fault::ZoneShortage { instance_type: kind(), zone: zone.to_owned() };
    let start = "We currently do not have sufficient m7i.large capacity in the Availability Zone you requested \
        (us-east-1a). Our system will be working on provisioning additional capacity.";
    let advice = |zones: &str| {
        format!(
            "{start} You can currently get m7i.large capacity by not specifying an Availability Zone in your request or \
             choosing {zones}. Launching EC2 instance failed."
        )
    };
    assert_eq!(shortage(&[short("us-east-1a")]).await, advice("us-east-1b, us-east-1c"));
    let out = Fault::ZoneOutage { zone: "us-east-1b".to_owned() };
    assert_eq!(shortage(&[short("us-east-1a"), out]).await, advice("us-east-1c"));
    let nowhere = format!("{start} Launching EC2 instance failed.");
    assert_eq!(shortage(&[Fault::CapacityShortage { instance_type: kind() }]).await, nowhere);
    let all = ["us-east-1a", "us-east-1b", "us-east-1c"].map(short);
    assert_eq!(shortage(&all).await, nowhere);
}

#[tokio::test]
async fn an_interrupted_spot_instance_tells_why_it_ended() {
    let emulator = emulator(1).await;
    let run =
        "MinCount=2&MaxCount=2&ImageId=ami-1&InstanceType=m7i.large&InstanceMarketOptions.MarketType=spot";
    let made = ec2(&emulator, "RunInstances", run);
    let id = |number: usize| made["instancesSet"][number]["instanceId"].as_str().unwrap().to_owned();
    emulator.inject(Fault::SpotInterruption { instance_id: id(0) }).unwrap();
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={}", id(1)));
    advance(&emulator, 150).await;
    let shown = |id: &str| {
        let found = ec2(&emulator, "DescribeInstances", &format!("InstanceId.1={id}"));
        let one = &found["reservationSet"][0]["instancesSet"][0];
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        (text(&one["reason"]), text(&one["stateReason"]["code"]))
    };
    let interrupted = "Server.SpotInstanceTermination".to_owned();
    assert_eq!(shown(&id(0)), (interrupted.clone(), interrupted));
    let (reason, code) = shown(&id(1));
    assert!(
        reason.starts_with("User initiated (") && code == "Client.UserInitiatedShutdown",
        "{reason} {code}"
    );
}
