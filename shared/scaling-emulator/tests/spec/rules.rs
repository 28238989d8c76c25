//! Auto Scaling's rules, in its own codes and words.

use scaling_emulator::autoscaling::dispatch;
use scaling_emulator::wire::form::Form;
use scaling_emulator::{GroupSetup, Region, Settings};

fn region() -> Region {
    let mut region = Region::new(&Settings::default());
    GroupSetup::new("web", "m7i.large", (1, 10, 2)).make(&mut region).unwrap();
    region
}

/// Operation, members beside it, code, and a part of the message.
type Case = (&'static str, &'static str, &'static str, &'static str);

fn refuses(cases: &[Case]) {
    for (operation, members, code, part) in cases {
        let error = dispatch(&mut region(), operation, &Form::parse(members.as_bytes())).unwrap_err();
        assert_eq!(error.code, *code, "{operation} {members}: {}", error.message);
        assert!(error.message.contains(part), "{operation} {members}: {}", error.message);
        assert_eq!((error.status, error.sender), (400, true));
    }
}

#[test]
fn desired_capacity_stays_within_the_groups_bounds() {
    refuses(&[
        (
            "SetDesiredCapacity",
            "AutoScalingGroupName=web&DesiredCapacity=11",
            "ValidationError",
            "New SetDesiredCapacity value 11 is above max value 10 for the AutoScalingGroup.",
        ),
        (
            "SetDesiredCapacity",
            "AutoScalingGroupName=web&DesiredCapacity=0",
            "ValidationError",
            "New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup.",
        ),
        (
            "SetDesiredCapacity",
            "AutoScalingGroupName=web&DesiredCapacity=-1",
            "ValidationError",
            "below min value 1",
        ),
        (
            "UpdateAutoScalingGroup",
            "AutoScalingGroupName=web&MinSize=11",
            "ValidationError",
            "Max bound, 10, must be greater than or equal to min bound, 11",
        ),
        (
            "UpdateAutoScalingGroup",
            "AutoScalingGroupName=web&DesiredCapacity=12",
            "ValidationError",
            "Desired capacity:12 must be between the specified min size:1 and max size:10",
        ),
        (
            "CreateAutoScalingGroup",
            "AutoScalingGroupName=g&MinSize=-1&MaxSize=2",
            "ValidationError",
            "'minSize' failed to satisfy constraint",
        ),
    ]);
}

#[test]
fn a_group_that_does_not_exist_is_named() {
    for (operation, members) in [
        ("SetDesiredCapacity", "&DesiredCapacity=1"),
        ("UpdateAutoScalingGroup", ""),
        ("DeleteAutoScalingGroup", ""),
        ("DescribeScalingActivities", ""),
        ("DescribePolicies", ""),
        ("DescribeScheduledActions", ""),
        ("StartInstanceRefresh", ""),
        ("CancelInstanceRefresh", ""),
        ("RollbackInstanceRefresh", ""),
        ("DescribeInstanceRefreshes", ""),
        ("SuspendProcesses", ""),
        ("ResumeProcesses", ""),
    ] {
        let form = Form::parse(format!("AutoScalingGroupName=nope{members}").as_bytes());
        let error = dispatch(&mut region(), operation, &form).unwrap_err();
        assert_eq!(error.code, "ValidationError", "{operation}");
        assert!(
            error.message.starts_with("AutoScalingGroup name not found"),
            "{operation}: {}",
            error.message
        );
    }
}

#[test]
fn a_missing_member_is_named_as_the_service_names_it() {
    refuses(&[
        (
            "SetDesiredCapacity",
            "DesiredCapacity=1",
            "ValidationError",
            "Value null at 'autoScalingGroupName'",
        ),
        (
            "SetDesiredCapacity",
            "AutoScalingGroupName=web",
            "ValidationError",
            "Value null at 'desiredCapacity'",
        ),
        (
            "CreateAutoScalingGroup",
            "AutoScalingGroupName=g&MaxSize=1",
            "ValidationError",
            "Value null at 'minSize'",
        ),
        ("SetDesiredCapacity", "AutoScalingGroupName=web&DesiredCapacity=two", "MalformedInput", "`two`"),
    ]);
}

#[test]
fn a_group_needs_one_source_that_exists_and_a_place() {
    let sizes = "AutoScalingGroupName=g&MinSize=1&MaxSize=2";
    let zone = "&AvailabilityZones.member.1=us-east-1a";
    let template = "&LaunchTemplate.LaunchTemplateName";
    for (members, part) in [
        (format!("{sizes}{zone}"), "must contain either LaunchTemplate"),
        (
            format!("{sizes}{zone}{template}=nope"),
            "launch template, with template name nope, does not exist.",
        ),
        (format!("{sizes}{zone}{template}=web&LaunchTemplate.Version=7"), "specified version 7"),
        (format!("{sizes}{zone}{template}=web&LaunchConfigurationName=x"), "only one of"),
        (format!("{sizes}{template}=web"), "At least one Availability Zone"),
        (
            format!("{sizes}{template}=web&AvailabilityZones.member.1=mars-1a"),
            "Invalid Availability Zone: mars-1a",
        ),
        (format!("{sizes}{zone}&LaunchConfigurationName=x"), "Launch configuration name not found"),
        (
            format!(
                "{sizes}{zone}&MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=web\
                 &MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType=x9.huge"
            ),
            "Invalid value 'x9.huge' for InstanceType.",
        ),
    ] {
        let form = Form::parse(members.as_bytes());
        let error = dispatch(&mut region(), "CreateAutoScalingGroup", &form).unwrap_err();
        assert_eq!(error.code, "ValidationError", "{members}");
        assert!(error.message.contains(part), "{members}: {}", error.message);
    }
}

#[test]
fn what_is_in_use_is_not_deleted_and_names_are_unique() {
    refuses(&[
        ("DeleteAutoScalingGroup", "AutoScalingGroupName=web", "ResourceInUse", "while there are instances"),
        (
            "CreateAutoScalingGroup",
            "AutoScalingGroupName=web&MinSize=1&MaxSize=2",
            "AlreadyExists",
            "A group with the name web already exists",
        ),
    ]);
}

#[test]
fn pages_have_their_bounds() {
    refuses(&[
        ("DescribeAutoScalingGroups", "MaxRecords=101", "ValidationError", "less than or equal to 100"),
        ("DescribeAutoScalingGroups", "MaxRecords=0", "ValidationError", "greater than or equal to 1"),
        ("DescribeAutoScalingInstances", "MaxRecords=51", "ValidationError", "less than or equal to 50"),
        ("DescribeScalingActivities", "NextToken=x", "InvalidNextToken", "'x'"),
        (
            "DescribeAutoScalingGroups",
            "MaxRecords=1&AutoScalingGroupNames.member.1=a&AutoScalingGroupNames.member.2=b",
            "ValidationError",
            "greater than the maximum of 1",
        ),
    ]);
}

#[test]
fn a_refresh_has_preferences_within_bounds() {
    let start = "StartInstanceRefresh";
    refuses(&[
        (
            start,
            "AutoScalingGroupName=web&Preferences.MinHealthyPercentage=100&Preferences.MaxHealthyPercentage=201",
            "ValidationError",
            "less than or equal to 200",
        ),
        (
            start,
            "AutoScalingGroupName=web&Preferences.MinHealthyPercentage=50&Preferences.MaxHealthyPercentage=200",
            "ValidationError",
            "must not be greater than 100",
        ),
        (
            start,
            "AutoScalingGroupName=web&Preferences.MaxHealthyPercentage=200",
            "ValidationError",
            "must specify MinHealthyPercentage",
        ),
        (
            start,
            "AutoScalingGroupName=web&Preferences.AutoRollback=true",
            "ValidationError",
            "desired configuration",
        ),
        (
            "CancelInstanceRefresh",
            "AutoScalingGroupName=web",
            "ActiveInstanceRefreshNotFound",
            "No in progress or pending Instance Refresh found",
        ),
        (
            "RollbackInstanceRefresh",
            "AutoScalingGroupName=web",
            "ActiveInstanceRefreshNotFound",
            "No in progress or pending Instance Refresh found",
        ),
    ]);
}

#[test]
fn one_refresh_at_a_time_and_it_is_irreversible_without_a_desired_configuration() {
    let mut region = region();
    let form = Form::parse(b"AutoScalingGroupName=web");
    dispatch(&mut region, "StartInstanceRefresh", &form).unwrap();
    for (operation, code) in [
        ("StartInstanceRefresh", "InstanceRefreshInProgress"),
        ("RollbackInstanceRefresh", "IrreversibleInstanceRefresh"),
    ] {
        assert_eq!(dispatch(&mut region, operation, &form).unwrap_err().code, code);
    }
}

#[test]
fn an_instance_is_ended_only_as_the_bounds_allow() {
    let mut region = region();
    let id = region.group("web").unwrap().members[0].id.clone();
    let end = |region: &mut Region, id: &str, decrement: bool| {
        let members = format!("InstanceId={id}&ShouldDecrementDesiredCapacity={decrement}");
        dispatch(region, "TerminateInstanceInAutoScalingGroup", &Form::parse(members.as_bytes()))
    };
    end(&mut region, &id, true).unwrap();
    assert_eq!(region.group("web").unwrap().desired, 1);
    assert_eq!(end(&mut region, &id, false).unwrap_err().code, "ScalingActivityInProgress");
    let other = region.group("web").unwrap().members[1].id.clone();
    let error = end(&mut region, &other, true).unwrap_err();
    assert!(error.message.contains("desiredSize equals minSize (1)"), "{}", error.message);
    assert!(end(&mut region, "i-0", false).unwrap_err().message.contains("No managed instance found"));
}

#[test]
fn bounds_that_move_past_the_desired_capacity_take_it_along() {
    let mut region = region();
    for (members, desired) in [("MinSize=4", 4), ("MaxSize=3&MinSize=1", 3), ("DesiredCapacity=2", 2)] {
        let form = Form::parse(format!("AutoScalingGroupName=web&{members}").as_bytes());
        dispatch(&mut region, "UpdateAutoScalingGroup", &form).unwrap();
        assert_eq!(region.group("web").unwrap().desired, desired, "{members}");
    }
}

#[test]
fn tags_policies_and_scheduled_actions_are_kept_shown_and_deleted() {
    let mut region = region();
    let mut call = |operation: &str, members: &str| {
        dispatch(&mut region, operation, &Form::parse(members.as_bytes())).unwrap().to_string()
    };
    let group = "AutoScalingGroupName=web";
    let tag = "Tags.member.1.ResourceId=web&Tags.member.1.Key=team&Tags.member.1.Value=a";
    let policy = "PolicyName=p&PolicyType=TargetTrackingScaling&TargetTrackingConfiguration.TargetValue=50\
        &TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType=ASGAverageCPUUtilization";
    call("CreateOrUpdateTags", tag);
    call("PutScalingPolicy", &format!("{group}&{policy}"));
    call(
        "PutScheduledUpdateGroupAction",
        &format!("{group}&ScheduledActionName=s&Recurrence=0+0+*+*+*&MinSize=1"),
    );
    let shown =
        [("DescribeTags", "team"), ("DescribePolicies", "50.0"), ("DescribeScheduledActions", "0 0 * * *")];
    for (operation, part) in shown {
        assert!(call(operation, "").contains(part), "{operation}");
    }
    let filter = "Filters.member.1.Name=tag:team&Filters.member.1.Values.member.1";
    assert!(call("DescribeAutoScalingGroups", &format!("{filter}=a")).contains("\"web\""));
    assert!(!call("DescribeAutoScalingGroups", &format!("{filter}=b")).contains("\"web\""));
    call("DeleteTags", tag);
    call("DeletePolicy", &format!("{group}&PolicyName=p"));
    call("DeleteScheduledAction", &format!("{group}&ScheduledActionName=s"));
    for (operation, part) in shown {
        assert!(!call(operation, "").contains(part), "{operation}");
    }
}

#[tokio::test]
async fn a_token_that_no_page_gave_is_refused_by_every_list() {
    let emulator = crate::client::emulator(1).await;
    for operation in [
        "DescribeAutoScalingGroups",
        "DescribeAutoScalingInstances",
        "DescribeInstanceRefreshes",
        "DescribeLaunchConfigurations",
        "DescribeNotificationConfigurations",
        "DescribePolicies",
        "DescribeScalingActivities",
        "DescribeScheduledActions",
        "DescribeTags",
        "DescribeTrafficSources",
        "DescribeLoadBalancers",
        "DescribeLoadBalancerTargetGroups",
    ] {
        let (code, _) = crate::call::refused(&emulator, operation, "NextToken=bogus");
        assert_eq!(code, "InvalidNextToken", "{operation}");
    }
}

#[tokio::test]
async fn words_and_numbers_that_the_model_does_not_allow_are_validation_errors() {
    let emulator = crate::client::emulator(1).await;
    for (operation, members, part) in [
        (
            "PutWarmPool",
            "PoolState=Foo",
            "'poolState' failed to satisfy constraint: Member must satisfy enum value set",
        ),
        (
            "PutWarmPool",
            "MinSize=-3",
            "Value '-3' at 'minSize' failed to satisfy constraint: Member must have value",
        ),
        ("UpdateAutoScalingGroup", "DefaultCooldown=-1", "Value '-1' at 'defaultCooldown'"),
    ] {
        crate::call::is_refused(&emulator, operation, members, part);
    }
}
