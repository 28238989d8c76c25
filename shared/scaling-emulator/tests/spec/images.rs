//! Images and Spot prices: enough for what sets a group up. *Amazon EC2 API Reference*: DescribeImages,
//! DescribeSpotPriceHistory.

use scaling_emulator::{Emulator, Settings};
use serde_json::Value;

use crate::call::{ec2, tried_ec2};

/// The members of that name of all items of a list.
fn all<'a>(answer: &'a Value, list: &str, member: &str) -> Vec<&'a str> {
    answer[list].as_array().unwrap().iter().map(|one| one[member].as_str().unwrap()).collect()
}

#[tokio::test]
async fn there_is_a_public_image_for_each_architecture_and_every_one_in_use() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let images = |members: &str| ec2(&emulator, "DescribeImages", members);
    let public = images("Owner.1=amazon&Filter.1.Name=name&Filter.1.Value.1=al2023-ami-2023.*");
    assert_eq!(all(&public, "imagesSet", "architecture"), ["x86_64", "arm64"]);
    let arm = images("Filter.1.Name=architecture&Filter.1.Value.1=arm64");
    let id = all(&arm, "imagesSet", "imageId")[0].to_owned();
    assert_eq!(all(&images(&format!("ImageId.1={id}")), "imagesSet", "imageState"), ["available"]);
    assert!(all(&images("Owner.1=self"), "imagesSet", "imageId").is_empty());

    let template = "LaunchTemplateName=web&LaunchTemplateData.ImageId=ami-0123456789abcdef0\
        &LaunchTemplateData.InstanceType=m7g.large";
    ec2(&emulator, "CreateLaunchTemplate", template);
    let own = images("Owner.1=self");
    assert_eq!(all(&own, "imagesSet", "imageId"), ["ami-0123456789abcdef0"]);
    assert_eq!(all(&own, "imagesSet", "architecture"), ["arm64"]);
}

#[tokio::test]
async fn an_image_that_nobody_uses_does_not_exist() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    for (members, code) in [
        ("ImageId.1=ami-0000000000000dead", "InvalidAMIID.NotFound"),
        ("ImageId.1=web", "InvalidAMIID.Malformed"),
        ("Filter.1.Name=colour&Filter.1.Value.1=red", "InvalidParameterValue"),
    ] {
        assert_eq!(tried_ec2(&emulator, "DescribeImages", members).unwrap_err().code, code, "{members}");
    }
}

#[tokio::test]
async fn a_spot_price_is_the_same_share_of_the_on_demand_price_everywhere_and_always() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let prices = |members: &str| ec2(&emulator, "DescribeSpotPriceHistory", members);
    let set = "spotPriceHistorySet";
    let large =
        prices("InstanceType.1=m7i.large&StartTime=2026-01-05T00:00:00Z&ProductDescription.1=Linux/UNIX");
    assert_eq!(all(&large, set, "availabilityZone"), ["us-east-1a", "us-east-1b", "us-east-1c"]);
    assert_eq!(all(&large, set, "spotPrice"), ["0.040320"; 3], "40 % of 0.1008 USD");
    assert_eq!(all(&large, set, "timestamp"), ["2026-01-05T00:00:00Z"; 3]);
    let one = prices("InstanceType.1=m7i.xlarge&AvailabilityZone=us-east-1b");
    assert_eq!(all(&one, set, "spotPrice"), ["0.080640"]);
    assert!(
        all(&prices("InstanceType.1=m7i.large&ProductDescription.1=Windows"), set, "spotPrice").is_empty()
    );
    assert!(all(&prices("InstanceType.1=x9.huge"), set, "spotPrice").is_empty());
    let first = prices("MaxResults=2");
    let token = first["nextToken"].as_str().unwrap();
    let second = prices(&format!("MaxResults=2&NextToken={token}"));
    assert_ne!(first[set], second[set]);
    assert_eq!(
        tried_ec2(&emulator, "DescribeSpotPriceHistory", "StartTime=soon").unwrap_err().code,
        "InvalidParameterValue"
    );
}
