//! Limits of the documentation: *Amazon EC2 Auto Scaling User Guide*, "Quotas for Auto Scaling resources and groups", and
//! "Tag naming and usage restrictions".

use scaling_emulator::autoscaling::dispatch;
use scaling_emulator::wire::form::Form;
use scaling_emulator::{AwsError, GroupSetup, Region, Settings};
use serde_json::Value;

fn region() -> Region {
    let mut region = Region::new(&Settings::default());
    GroupSetup::new("web", "m7i.large", (1, 10, 2)).make(&mut region).unwrap();
    region
}

fn call(region: &mut Region, operation: &str, members: &str) -> Result<Value, AwsError> {
    dispatch(region, operation, &Form::parse(members.as_bytes()))
}

/// `count` members of a list, written by `item`.
fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (1..=count).map(item).collect::<Vec<_>>().join("&")
}

/// Makes `most` of something, each by one call, and is refused one more.
fn holds_at_most(most: usize, operation: &str, members: impl Fn(usize) -> String) {
    let mut region = region();
    for number in 1..=most {
        call(&mut region, operation, &members(number)).unwrap();
    }
    let error = call(&mut region, operation, &members(most + 1)).unwrap_err();
    assert_eq!((error.code.as_ref(), error.status), ("LimitExceeded", 400), "{operation}: {}", error.message);
    // What is there already may be put again.
    if operation != "CreateLaunchConfiguration" {
        call(&mut region, operation, &members(most)).unwrap();
    }
}

#[test]
fn a_region_and_a_group_hold_as_much_as_the_quotas_say() {
    holds_at_most(200, "CreateLaunchConfiguration", |n| {
        format!("LaunchConfigurationName=c{n}&ImageId=ami-12345678&InstanceType=m5.large")
    });
    holds_at_most(50, "PutScalingPolicy", |n| {
        format!(
            "AutoScalingGroupName=web&PolicyName=p{n}&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1"
        )
    });
    holds_at_most(125, "PutScheduledUpdateGroupAction", |n| {
        format!("AutoScalingGroupName=web&ScheduledActionName=s{n}&Recurrence=0 1 * * *&MinSize=1")
    });
    holds_at_most(50, "PutLifecycleHook", |n| {
        format!(
            "AutoScalingGroupName=web&LifecycleHookName=h{n}&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING"
        )
    });
    holds_at_most(10, "PutNotificationConfiguration", |n| {
        format!(
            "AutoScalingGroupName=web&TopicARN=arn:aws:sns:us-east-1:123456789012:t{n}\
             &NotificationTypes.member.1=autoscaling:EC2_INSTANCE_LAUNCH"
        )
    });
    holds_at_most(50, "AttachLoadBalancers", |n| {
        format!("AutoScalingGroupName=web&LoadBalancerNames.member.1=b{n}")
    });
    // The group has one already.
    holds_at_most(49, "AttachLoadBalancerTargetGroups", |n| {
        format!(
            "AutoScalingGroupName=web&TargetGroupARNs.member.1=arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/t{n}/1"
        )
    });
    holds_at_most(50, "CreateOrUpdateTags", |n| {
        format!("Tags.member.1.ResourceId=web&Tags.member.1.Key=k{n}&Tags.member.1.Value=v")
    });
}

#[test]
fn a_region_holds_five_hundred_groups() {
    let mut region = region();
    let members = |n: usize| {
        format!(
            "AutoScalingGroupName=g{n}&MinSize=0&MaxSize=1&AvailabilityZones.member.1=us-east-1a\
             &LaunchTemplate.LaunchTemplateName=web"
        )
    };
    for number in 1..500 {
        call(&mut region, "CreateAutoScalingGroup", &members(number)).unwrap();
    }
    let error = call(&mut region, "CreateAutoScalingGroup", &members(500)).unwrap_err();
    assert_eq!(error.code, "LimitExceeded");
    let limits = call(&mut region, "DescribeAccountLimits", "").unwrap();
    assert_eq!(
        (&limits["MaxNumberOfAutoScalingGroups"], &limits["NumberOfAutoScalingGroups"]),
        (&500.into(), &500.into())
    );
}

#[test]
fn a_call_takes_as_many_items_as_the_quotas_say() {
    let ids = |count| list(count, |n| format!("InstanceIds.member.{n}=i-{n}"));
    for (operation, most, member, items) in [
        ("AttachInstances", 20, "instanceIds", ids(21)),
        ("DetachInstances", 20, "instanceIds", ids(21) + "&ShouldDecrementDesiredCapacity=true"),
        ("EnterStandby", 20, "instanceIds", ids(21) + "&ShouldDecrementDesiredCapacity=true"),
        ("ExitStandby", 20, "instanceIds", ids(21)),
        ("SetInstanceProtection", 50, "instanceIds", ids(51) + "&ProtectedFromScaleIn=true"),
        (
            "AttachLoadBalancers",
            10,
            "loadBalancerNames",
            list(11, |n| format!("LoadBalancerNames.member.{n}=b{n}")),
        ),
        (
            "DetachLoadBalancers",
            10,
            "loadBalancerNames",
            list(11, |n| format!("LoadBalancerNames.member.{n}=b{n}")),
        ),
        (
            "AttachLoadBalancerTargetGroups",
            10,
            "targetGroupARNs",
            list(11, |n| {
                format!(
                    "TargetGroupARNs.member.{n}=arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/t{n}/1"
                )
            }),
        ),
        (
            "BatchPutScheduledUpdateGroupAction",
            50,
            "scheduledUpdateGroupActions",
            list(51, |n| format!("ScheduledUpdateGroupActions.member.{n}.ScheduledActionName=s{n}")),
        ),
        (
            "BatchDeleteScheduledAction",
            50,
            "scheduledActionNames",
            list(51, |n| format!("ScheduledActionNames.member.{n}=s{n}")),
        ),
    ] {
        let error = call(&mut region(), operation, &format!("AutoScalingGroupName=web&{items}")).unwrap_err();
        let expected = format!(
            "'{member}' failed to satisfy constraint: Member must have length less than or equal to {most}"
        );
        assert_eq!(error.code, "ValidationError", "{operation}");
        assert!(error.message.contains(&expected), "{operation}: {}", error.message);
    }
}

#[test]
fn tags_keep_the_rules_of_tags_and_one_fault_refuses_them_all() {
    let tag = |number: usize, key: &str, value: &str| {
        format!(
            "Tags.member.{number}.ResourceId=web&Tags.member.{number}.Key={key}&Tags.member.{number}.Value={value}"
        )
    };
    for (second, part) in [
        (tag(2, "", "v"), "length between 1 and 128"),
        (tag(2, &"k".repeat(129), "v"), "length between 1 and 128"),
        (tag(2, "k", &"v".repeat(257)), "less than or equal to 256"),
        (tag(2, "aws:k", "v"), "must not start with aws:"),
        ("Tags.member.2.ResourceId=nope&Tags.member.2.Key=k".to_owned(), "not found"),
    ] {
        let mut region = region();
        let members = format!("{}&{second}", tag(1, "fine", "v"));
        let error = call(&mut region, "CreateOrUpdateTags", &members).unwrap_err();
        assert!(error.message.contains(part), "{}", error.message);
        assert!(region.group("web").unwrap().tags.is_empty());
    }
}
