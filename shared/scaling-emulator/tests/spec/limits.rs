//! How many names one call may have.

use crate::call::{call, is_refused};
use crate::client::emulator;

#[tokio::test]
async fn a_call_that_names_more_than_fifty_is_refused() {
    let emulator = emulator(1).await;
    for (operation, member) in [
        ("DescribePolicies", "PolicyNames"),
        ("DescribeScheduledActions", "ScheduledActionNames"),
        ("DescribeAutoScalingInstances", "InstanceIds"),
        ("DescribeLaunchConfigurations", "LaunchConfigurationNames"),
    ] {
        let names = |count: usize| {
            let one = |number: usize| format!("{member}.member.{number}=n{number}");
            (1..=count).map(one).collect::<Vec<_>>().join("&")
        };
        call(&emulator, operation, &names(50));
        is_refused(&emulator, operation, &names(51), "51");
    }
}
