//! What a group and a call say of Spot Instances: the most that is paid for one, below which nothing is launched, and pools.

use scaling_emulator::Emulator;
use scaling_emulator::region::LifecycleState::InService;
use serde_json::Value;

use crate::call::{call, ec2, is_refused, tried_ec2};
use crate::client::{advance, emulator, ids, web};

/// What m7i.large costs as a Spot Instance here: 40 % of 0.1008 USD.
const TOO_LOW: &str = "Your Spot request price of 0.001 is lower than the minimum required Spot request fulfillment price of \
                       0.0404.";

const POLICY: &str = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
    &MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=0\
    &MixedInstancesPolicy.InstancesDistribution.SpotMaxPrice=";

fn last(emulator: &Emulator) -> String {
    let activities = call(emulator, "DescribeScalingActivities", "MaxRecords=1");
    let newest = &activities["Activities"][0];
    format!(
        "{} {}",
        newest["StatusCode"].as_str().unwrap(),
        newest["StatusMessage"].as_str().unwrap_or_default()
    )
}

#[tokio::test]
async fn a_group_that_would_pay_less_than_the_price_launches_nothing_until_it_pays_more() {
    let emulator = emulator(1).await;
    call(&emulator, "UpdateAutoScalingGroup", &format!("{POLICY}0.001&DesiredCapacity=2"));
    advance(&emulator, 180).await;
    assert_eq!(ids(&emulator, InService).len(), 1);
    let failed = format!(
        "Failed Could not launch Spot Instances. SpotMaxPriceTooLow - {TOO_LOW} Launching EC2 instance failed."
    );
    assert_eq!(last(&emulator), failed);
    call(&emulator, "UpdateAutoScalingGroup", &format!("{POLICY}0.0404"));
    advance(&emulator, 180).await;
    assert_eq!(ids(&emulator, InService).len(), 2);
    let spot = |emulator: &Emulator| web(emulator, |group| group.alive().filter(|one| one.spot).count());
    assert_eq!(spot(&emulator), 1);
    // None at all is what it was before: the price of the day.
    call(&emulator, "UpdateAutoScalingGroup", &format!("{POLICY}&DesiredCapacity=3"));
    advance(&emulator, 180).await;
    assert_eq!(spot(&emulator), 2);
    for wrong in ["cheap", "-1", "0", "NaN", "inf"] {
        is_refused(&emulator, "UpdateAutoScalingGroup", &format!("{POLICY}{wrong}"), wrong);
    }
}

#[tokio::test]
async fn a_type_that_costs_less_is_launched_where_the_dear_one_costs_too_much() {
    let emulator = emulator(1).await;
    let overrides = "MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType=m7i.4xlarge\
        &MixedInstancesPolicy.LaunchTemplate.Overrides.member.2.InstanceType=m7i.large\
        &MixedInstancesPolicy.InstancesDistribution.SpotAllocationStrategy=capacity-optimized-prioritized";
    let update = format!("{POLICY}0.05&{overrides}&DesiredCapacity=2");
    call(&emulator, "UpdateAutoScalingGroup", &update);
    advance(&emulator, 180).await;
    let types = web(&emulator, |group| {
        group.alive().filter(|one| one.spot).map(|one| one.instance_type.to_string()).collect::<Vec<_>>()
    });
    assert_eq!(types, ["m7i.large"]);
}

#[tokio::test]
async fn a_template_and_a_configuration_that_pay_too_little_launch_nothing() {
    let emulator = emulator(1).await;
    let data = "LaunchTemplateName=web&LaunchTemplateData.ImageId=ami-1&LaunchTemplateData.InstanceType=m7i.large\
        &LaunchTemplateData.InstanceMarketOptions.MarketType=spot\
        &LaunchTemplateData.InstanceMarketOptions.SpotOptions.MaxPrice=0.001";
    ec2(&emulator, "CreateLaunchTemplateVersion", data);
    let configuration = "LaunchConfigurationName=low&ImageId=ami-1&InstanceType=m7i.large&SpotPrice=0.001";
    call(&emulator, "CreateLaunchConfiguration", configuration);
    for source in
        ["LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=2", "LaunchConfigurationName=low"]
    {
        call(&emulator, "UpdateAutoScalingGroup", &format!("{source}&DesiredCapacity=2"));
        advance(&emulator, 180).await;
        assert_eq!(ids(&emulator, InService).len(), 1, "{source}");
        assert!(last(&emulator).contains(TOO_LOW), "{source}: {}", last(&emulator));
    }
    let run = "MinCount=1&MaxCount=1&LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=2";
    let error = tried_ec2(&emulator, "RunInstances", run).unwrap_err();
    assert_eq!((error.code.as_ref(), error.message.as_str()), ("SpotMaxPriceTooLow", TOO_LOW));
    let wrong = configuration.replace("low", "wrong").replace("0.001", "cheap");
    is_refused(&emulator, "CreateLaunchConfiguration", &wrong, "cheap");
}

#[tokio::test]
async fn an_instance_that_is_run_for_less_than_the_price_is_refused() {
    let emulator = emulator(1).await;
    let run = |price: &str| {
        let market = "InstanceMarketOptions.MarketType=spot&InstanceMarketOptions.SpotOptions.MaxPrice=";
        let run = format!("MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large&{market}{price}");
        tried_ec2(&emulator, "RunInstances", &run).map_err(|error| (error.code.into_owned(), error.message))
    };
    assert_eq!(run("0.001").unwrap_err(), ("SpotMaxPriceTooLow".to_owned(), TOO_LOW.to_owned()));
    for wrong in ["cheap", "0.0001", "-1", "NaN"] {
        assert_eq!(run(wrong).unwrap_err().0, "InvalidParameterValue", "{wrong}");
    }
    assert!(run("0.05").is_ok());
    assert!(run("").is_ok());
}

#[tokio::test]
async fn pools_of_spot_instances_go_with_the_lowest_price_alone() {
    let emulator = emulator(1).await;
    let policy = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web";
    let split = "MixedInstancesPolicy.InstancesDistribution";
    let with = |said: &str| format!("{policy}&{split}.{said}");
    let pools = |said: &str| {
        call(&emulator, "UpdateAutoScalingGroup", &with(said));
        let shown = call(&emulator, "DescribeAutoScalingGroups", "");
        let shown = &shown["AutoScalingGroups"][0]["MixedInstancesPolicy"]["InstancesDistribution"];
        shown["SpotInstancePools"].clone()
    };
    assert_eq!(pools("SpotAllocationStrategy=lowest-price"), 2);
    assert_eq!(pools("SpotInstancePools=20"), 20);
    assert_eq!(pools("SpotAllocationStrategy=price-capacity-optimized"), Value::Null);
    for wrong in [0, 21] {
        is_refused(
            &emulator,
            "UpdateAutoScalingGroup",
            &with(&format!("SpotInstancePools={wrong}")),
            "SpotInstancePools",
        );
    }
    let both = with(&format!("SpotAllocationStrategy=capacity-optimized&{split}.SpotInstancePools=2"));
    is_refused(&emulator, "UpdateAutoScalingGroup", &both, "SpotInstancePools");
}
