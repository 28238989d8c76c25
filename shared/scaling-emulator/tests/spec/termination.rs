//! Which instances scaling in ends, and which policies a group may name for it.

use scaling_emulator::Fault;

use crate::call::{call, ec2, is_refused};
use crate::client::{advance, emulator, set, types};

const MIXED: &str = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=kit\
    &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType=m7i.large\
    &MixedInstancesPolicy.LaunchTemplate.Overrides.member.2.InstanceType=m7i.xlarge";

#[tokio::test]
async fn what_remains_is_aligned_to_the_allocation_strategy() {
    for policy in ["AllocationStrategy", "Default", "OldestInstance"] {
        let emulator = emulator(1).await;
        call(&emulator, "UpdateAutoScalingGroup", "MinSize=0&DesiredCapacity=0");
        advance(&emulator, 120).await;
        ec2(&emulator, "CreateLaunchTemplate", "LaunchTemplateName=kit&LaunchTemplateData.ImageId=ami-1");
        let zone = "AvailabilityZones.member.1=us-east-1a";
        call(
            &emulator,
            "UpdateAutoScalingGroup",
            &format!("{MIXED}&{zone}&TerminationPolicies.member.1={policy}"),
        );
        set(&emulator, 2).unwrap();
        advance(&emulator, 200).await;
        emulator.inject(Fault::CapacityShortage { instance_type: "m7i.large".to_owned() }).unwrap();
        set(&emulator, 4).unwrap();
        advance(&emulator, 300).await;
        assert_eq!(types(&emulator), ["m7i.large", "m7i.large", "m7i.xlarge", "m7i.xlarge"]);
        set(&emulator, 2).unwrap();
        advance(&emulator, 300).await;
        let left = if policy == "OldestInstance" { "m7i.xlarge" } else { "m7i.large" };
        assert_eq!(types(&emulator), [left, left], "{policy}");
    }
}

#[tokio::test]
async fn a_function_as_termination_policy_is_refused_because_nothing_would_invoke_it() {
    let emulator = emulator(1).await;
    for (policy, part) in [
        ("arn:aws:lambda:us-east-1:123456789012:function:choose", "does not invoke"),
        ("Odd", "Termination policy Odd is not valid"),
    ] {
        let members = format!("TerminationPolicies.member.1={policy}");
        is_refused(&emulator, "UpdateAutoScalingGroup", &members, part);
    }
}
