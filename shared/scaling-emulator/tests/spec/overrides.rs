//! Overrides of mixed instances policies: what attributes choose, what is shown of them, and what no policy can say.

use scaling_emulator::Emulator;
use serde_json::json;

use crate::call::{call, ec2, is_refused, refused};
use crate::client::{advance, emulator, set, types};

const POLICY: &str = "MixedInstancesPolicy.LaunchTemplate";

fn overrides(members: &[&str]) -> String {
    let template = format!("{POLICY}.LaunchTemplateSpecification.LaunchTemplateName=kit");
    let all = (1..).zip(members).flat_map(|(number, members)| {
        members.split('&').map(move |member| format!("{POLICY}.Overrides.member.{number}.{member}"))
    });
    std::iter::once(template).chain(all).collect::<Vec<_>>().join("&")
}

/// The group `web`, and a template `kit` without a type.
async fn with_kit(image: &str) -> Emulator {
    let emulator = emulator(1).await;
    let members = format!("LaunchTemplateName=kit&LaunchTemplateData.ImageId={image}");
    ec2(&emulator, "CreateLaunchTemplate", &members);
    emulator
}

async fn launched(emulator: &Emulator, members: &str) -> String {
    call(emulator, "UpdateAutoScalingGroup", &overrides(&[members]));
    set(emulator, 2).unwrap();
    advance(emulator, 15).await;
    types(emulator).last().unwrap().clone()
}

const SMALL: &str = "InstanceRequirements.VCpuCount.Min=2&InstanceRequirements.VCpuCount.Max=2\
    &InstanceRequirements.MemoryMiB.Min=4096";

#[tokio::test]
async fn attributes_choose_what_runs_the_image_and_nothing_burstable() {
    for (image, more, starts) in [
        ("ami-1", "", "c"),
        ("ami-1", "&InstanceRequirements.BurstablePerformance=required", "t3"),
        ("ami-0a1b2c3d4e5f60002", "", "c6g"),
        ("ami-1", "&InstanceRequirements.CpuManufacturers.member.1=amazon-web-services", "c6g"),
        ("ami-1", "&InstanceRequirements.CpuManufacturers.member.1=intel", "c"),
        ("ami-1", "&InstanceRequirements.AllowedInstanceTypes.member.1=r7i.*", "r7i.large"),
        ("ami-1", "&InstanceRequirements.MemoryGiBPerVCpu.Min=8", "r"),
    ] {
        let emulator = with_kit(image).await;
        let kind = launched(&emulator, &format!("{SMALL}{more}")).await;
        assert!(kind.starts_with(starts), "{image} {more}: {kind}");
        let architecture = emulator.with_region(|region| region.machines.get(&kind).unwrap().architecture);
        assert_eq!(architecture.as_str() == "arm64", starts == "c6g", "{image} {more}: {kind}");
    }
}

#[tokio::test]
async fn an_unknown_image_runs_on_arm_where_only_amazon_s_processors_are_asked_for_or_its_template_says_so() {
    const AMAZON: &str = "&InstanceRequirements.CpuManufacturers.member.1=amazon-web-services";
    for (kind, more, arm) in [
        ("m7i.large", AMAZON, true),
        ("m7i.large", "", false),
        ("m7g.large", "", true),
        ("m7g.large", AMAZON, true),
    ] {
        let emulator = emulator(1).await;
        let members = format!(
            "LaunchTemplateName=kit&LaunchTemplateData.ImageId=ami-1&LaunchTemplateData.InstanceType={kind}"
        );
        ec2(&emulator, "CreateLaunchTemplate", &members);
        let launched = launched(&emulator, &format!("{SMALL}{more}")).await;
        let architecture =
            emulator.with_region(|region| region.machines.get(&launched).unwrap().architecture);
        assert_eq!(architecture.as_str() == "arm64", arm, "{kind} {more}: {launched}");
    }
}

#[tokio::test]
async fn every_attribute_is_shown_and_the_cheapest_type_is_the_default() {
    let emulator = with_kit("ami-1").await;
    let members = format!(
        "{SMALL}&InstanceRequirements.BareMetal=excluded&InstanceRequirements.LocalStorage=included\
         &InstanceRequirements.NetworkBandwidthGbps.Min=1.5&InstanceRequirements.AcceleratorCount.Max=0\
         &InstanceRequirements.ExcludedInstanceTypes.member.1=c5.*&InstanceRequirements.RequireHibernateSupport=false\
         &InstanceRequirements.InstanceGenerations.member.1=current\
         &InstanceRequirements.OnDemandMaxPricePercentageOverLowestPrice=50"
    );
    call(&emulator, "UpdateAutoScalingGroup", &overrides(&[&members]));
    let shown = call(&emulator, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web");
    let policy = &shown["AutoScalingGroups"][0]["MixedInstancesPolicy"];
    assert_eq!(policy["InstancesDistribution"]["OnDemandAllocationStrategy"], "lowest-price");
    let wanted = &policy["LaunchTemplate"]["Overrides"][0]["InstanceRequirements"];
    for (member, expected) in [
        ("VCpuCount", json!({ "Min": 2, "Max": 2 })),
        ("BareMetal", json!("excluded")),
        ("LocalStorage", json!("included")),
        ("NetworkBandwidthGbps", json!({ "Min": 1.5, "Max": null })),
        ("AcceleratorCount", json!({ "Min": 0, "Max": 0 })),
        ("ExcludedInstanceTypes", json!(["c5.*"])),
        ("RequireHibernateSupport", json!(false)),
        ("InstanceGenerations", json!(["current"])),
        ("OnDemandMaxPricePercentageOverLowestPrice", json!(50)),
    ] {
        assert_eq!(wanted[member], expected, "{member}");
    }
}

#[tokio::test]
async fn policies_that_cannot_be_are_refused() {
    let emulator = with_kit("ami-1").await;
    let many: Vec<String> = (0..41).map(|number| format!("InstanceType=m7i.{number}xlarge")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let both = format!("InstanceType=m7i.large&{SMALL}");
    let strategy = |strategy: &str| {
        format!(
            "{}&MixedInstancesPolicy.InstancesDistribution.{strategy}",
            overrides(&["InstanceType=m7i.large"])
        )
    };
    for (members, part) in [
        (
            overrides(&["InstanceType=m7i.large&WeightedCapacity=1", "InstanceType=m7i.xlarge"]),
            "must be specified for all",
        ),
        (
            overrides(&["InstanceType=m7i.large", "InstanceType=m7i.large"]),
            "m7i.large is there more than once",
        ),
        (overrides(&many), "more than 40 overrides"),
        (overrides(&[&both]), "not both"),
        (strategy("OnDemandAllocationStrategy=cheapest"), "Invalid OnDemandAllocationStrategy: cheapest"),
        (strategy("SpotAllocationStrategy=cheapest"), "Invalid SpotAllocationStrategy: cheapest"),
        (overrides(&[&format!("{SMALL}&InstanceRequirements.LocalStorage=odd")]), "Invalid value 'odd'"),
        (
            overrides(&[&format!("{SMALL}&InstanceRequirements.LocalStorage=required")]),
            "No available instance types match",
        ),
    ] {
        is_refused(&emulator, "UpdateAutoScalingGroup", &members, part);
    }
}

#[tokio::test]
async fn a_template_without_an_image_and_a_tag_given_twice_are_refused() {
    let emulator = emulator(1).await;
    let bare = "LaunchTemplateName=bare&LaunchTemplateData.InstanceType=m7i.large";
    ec2(&emulator, "CreateLaunchTemplate", bare);
    let (_, message) = refused(&emulator, "UpdateAutoScalingGroup", "LaunchTemplate.LaunchTemplateName=bare");
    assert_eq!(
        message,
        "You must use a valid fully-formed launch template. The request must contain the parameter ImageId"
    );
    let tag = |number: u32| {
        format!(
            "Tags.member.{number}.ResourceId=web&Tags.member.{number}.ResourceType=auto-scaling-group&Tags.member.{number}.Key=k"
        )
    };
    let (_, message) = refused(&emulator, "CreateOrUpdateTags", &format!("{}&{}", tag(1), tag(2)));
    assert!(message.contains("Duplicate tag key"), "{message}");
}

const ARM: &str = "ami-0a1b2c3d4e5f60002";

#[tokio::test]
async fn an_override_is_launched_with_the_image_that_it_says() {
    let emulator = with_kit("ami-0a1b2c3d4e5f60001").await;
    ec2(
        &emulator,
        "CreateLaunchTemplate",
        "LaunchTemplateName=bare&LaunchTemplateData.InstanceType=m7g.large",
    );
    is_refused(&emulator, "UpdateAutoScalingGroup", &overrides(&["InstanceType=m7g.large"]), "'x86_64'");
    let unfit = format!("InstanceType=m7i.large&ImageId={ARM}");
    is_refused(&emulator, "UpdateAutoScalingGroup", &overrides(&[&unfit]), "'arm64'");
    is_refused(
        &emulator,
        "UpdateAutoScalingGroup",
        &overrides(&["InstanceType=m7i.large&ImageId=x"]),
        "Invalid id",
    );
    let bare = "LaunchTemplateSpecification.LaunchTemplateName=bare";
    for members in [
        format!("InstanceType=m7g.large&ImageId={ARM}"),
        format!("InstanceType=m7g.large&ImageId={ARM}&{bare}"),
        format!("ImageId={ARM}&{bare}"),
        format!("{SMALL}&ImageId={ARM}"),
    ] {
        call(&emulator, "UpdateAutoScalingGroup", "DesiredCapacity=1");
        advance(&emulator, 300).await;
        let kind = launched(&emulator, &members).await;
        assert!(["m7g.large", "c6g.large"].contains(&kind.as_str()), "{members}: {kind}");
        let shown = call(&emulator, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web");
        let group = &shown["AutoScalingGroups"][0];
        assert_eq!(group["MixedInstancesPolicy"]["LaunchTemplate"]["Overrides"][0]["ImageId"], ARM);
        let instance = group["Instances"].as_array().unwrap().last().unwrap();
        assert_eq!(instance["ImageId"], ARM, "{members}");
        let id = instance["InstanceId"].as_str().unwrap();
        let shown = ec2(&emulator, "DescribeInstances", &format!("InstanceId.1={id}"));
        assert_eq!(shown["reservationSet"][0]["instancesSet"][0]["imageId"], ARM, "{members}");
    }
}

#[tokio::test]
async fn an_instance_of_another_image_than_the_override_s_is_replaced_and_one_of_the_same_is_not() {
    let emulator = with_kit("ami-1").await;
    let kind = "InstanceType=m7i.large";
    launched(&emulator, kind).await;
    call(&emulator, "UpdateAutoScalingGroup", &overrides(&[&format!("{kind}&ImageId=ami-2")]));
    let images = |emulator: &Emulator| {
        let shown = call(emulator, "DescribeAutoScalingInstances", "");
        let all = shown["AutoScalingInstances"].as_array().unwrap().clone();
        all.iter().map(|one| one["ImageId"].as_str().unwrap_or("none").to_owned()).collect::<Vec<_>>()
    };
    let image = &ec2(&emulator, "DescribeImages", "ImageId.1=ami-2")["imagesSet"][0];
    assert_eq!(image["architecture"], "x86_64");
    assert_eq!(images(&emulator), ["none"; 2], "an image of a template is not shown");
    let refreshed = || {
        call(&emulator, "StartInstanceRefresh", "Preferences.SkipMatching=true");
        let shown = call(&emulator, "DescribeInstanceRefreshes", "");
        shown["InstanceRefreshes"][0]["InstancesToUpdate"].clone()
    };
    assert_eq!(refreshed(), 2);
    advance(&emulator, 3600).await;
    assert_eq!(images(&emulator), ["ami-2"; 2]);
    assert_eq!(refreshed(), 0);
}
