//! Options of groups: kept, shown, refused; what a deleted group leaves behind.

use scaling_emulator::region::LifecycleState::InService;
use scaling_emulator::wire::form::Form;
use scaling_emulator::{Emulator, Fault, autoscaling};
use serde_json::{Value, json};

use crate::call::{call, ec2, is_refused, refused, tried};
use crate::client::{advance, emulator, ids, set, web};

fn shown(emulator: &Emulator) -> Value {
    call(emulator, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=web")["AutoScalingGroups"][0]
        .clone()
}

#[tokio::test]
async fn options_are_kept_and_shown() {
    let emulator = emulator(1).await;
    let role = shown(&emulator)["ServiceLinkedRoleARN"].as_str().unwrap().to_owned();
    assert!(role.ends_with("AWSServiceRoleForAutoScaling"), "{role}");
    let update = "DesiredCapacityType=units&AvailabilityZoneDistribution.CapacityDistributionStrategy=balanced-only\
        &AvailabilityZoneImpairmentPolicy.ZonalShiftEnabled=true\
        &AvailabilityZoneImpairmentPolicy.ImpairedZoneHealthCheckBehavior=IgnoreUnhealthy\
        &CapacityReservationSpecification.CapacityReservationPreference=capacity-reservations-first\
        &CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationIds.member.1=cr-1\
        &InstanceLifecyclePolicy.RetentionTriggers.TerminateHookAbandon=terminate&DeletionProtection=none&Context=c\
        &PlacementGroup=p&ServiceLinkedRoleARN=arn:aws:iam::123456789012:role/own";
    call(&emulator, "UpdateAutoScalingGroup", update);
    call(&emulator, "UpdateAutoScalingGroup", "MaxSize=11");
    let shown_now = shown(&emulator);
    for (member, expected) in [
        ("DesiredCapacityType", json!("units")),
        ("AvailabilityZoneDistribution", json!({ "CapacityDistributionStrategy": "balanced-only" })),
        (
            "AvailabilityZoneImpairmentPolicy",
            json!({ "ZonalShiftEnabled": true, "ImpairedZoneHealthCheckBehavior": "IgnoreUnhealthy" }),
        ),
        (
            "CapacityReservationSpecification",
            json!({
                "CapacityReservationPreference": "capacity-reservations-first",
                "CapacityReservationTarget": { "CapacityReservationIds": ["cr-1"] },
            }),
        ),
        ("InstanceLifecyclePolicy", json!({ "RetentionTriggers": { "TerminateHookAbandon": "terminate" } })),
        ("DeletionProtection", json!("none")),
        ("Context", json!("c")),
        ("PlacementGroup", json!("p")),
        ("ServiceLinkedRoleARN", json!("arn:aws:iam::123456789012:role/own")),
    ] {
        assert_eq!(shown_now[member], expected, "{member}");
    }
    call(&emulator, "UpdateAutoScalingGroup", "PlacementGroup=");
    assert_eq!(shown(&emulator)["PlacementGroup"], Value::Null);
}

#[tokio::test]
async fn what_nothing_acts_on_is_refused() {
    let emulator = emulator(1).await;
    for (members, part) in [
        ("DesiredCapacityType=vcpu", "does not act on DesiredCapacityType vcpu"),
        ("DesiredCapacityType=odd", "Invalid value 'odd'"),
        ("AvailabilityZoneDistribution.CapacityDistributionStrategy=odd", "Invalid value 'odd'"),
        ("AvailabilityZoneImpairmentPolicy.ImpairedZoneHealthCheckBehavior=odd", "Invalid value 'odd'"),
        (
            "CapacityReservationSpecification.CapacityReservationPreference=capacity-reservations-only",
            "does not act on",
        ),
        ("InstanceLifecyclePolicy.RetentionTriggers.TerminateHookAbandon=retain", "does not act on"),
        ("DeletionProtection=odd", "Invalid value 'odd'"),
    ] {
        is_refused(&emulator, "UpdateAutoScalingGroup", members, part);
    }
}

#[tokio::test]
async fn a_group_is_deleted_only_as_its_protection_allows() {
    let emulator = emulator(1).await;
    call(&emulator, "UpdateAutoScalingGroup", "DeletionProtection=prevent-force-deletion");
    assert!(
        refused(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true").1.contains("deletion protection")
    );
    call(&emulator, "UpdateAutoScalingGroup", "MinSize=0&DesiredCapacity=0");
    advance(&emulator, 120).await;
    call(&emulator, "UpdateAutoScalingGroup", "DeletionProtection=prevent-all-deletion");
    assert!(refused(&emulator, "DeleteAutoScalingGroup", "").1.contains("deletion protection"));
    call(&emulator, "UpdateAutoScalingGroup", "DeletionProtection=prevent-force-deletion");
    call(&emulator, "DeleteAutoScalingGroup", "");
}

#[tokio::test]
async fn where_only_balance_will_do_a_launch_goes_to_no_other_zone() {
    let emulator = emulator(3).await;
    let strategy = "AvailabilityZoneDistribution.CapacityDistributionStrategy=balanced-only";
    call(&emulator, "UpdateAutoScalingGroup", strategy);
    let short = Fault::ZoneShortage { instance_type: "m7i.large".to_owned(), zone: "us-east-1a".to_owned() };
    emulator.inject(short).unwrap();
    set(&emulator, 4).unwrap();
    advance(&emulator, 300).await;
    assert_eq!(web(&emulator, |group| group.alive().count()), 3);
}

#[tokio::test]
async fn activities_of_a_deleted_group_are_known_for_six_weeks() {
    let emulator = emulator(1).await;
    let count = |members: &str| {
        call(&emulator, "DescribeScalingActivities", members)["Activities"].as_array().unwrap().len()
    };
    call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    advance(&emulator, 120).await;
    assert!(refused(&emulator, "DescribeScalingActivities", "").1.contains("not found"));
    assert_eq!(count("IncludeDeletedGroups=true"), 2);
    let ended =
        call(&emulator, "DescribeScalingActivities", "IncludeDeletedGroups=true")["Activities"][0].clone();
    assert_eq!((&ended["StatusCode"], &ended["AutoScalingGroupName"]), (&json!("Successful"), &json!("web")));
    let all = |members: &str| {
        let form = scaling_emulator::wire::form::Form::parse(members.as_bytes());
        let shown = emulator.with_region(|region| {
            scaling_emulator::autoscaling::dispatch(region, "DescribeScalingActivities", &form).unwrap()
        });
        shown["Activities"].as_array().unwrap().len()
    };
    assert_eq!((all(""), all("IncludeDeletedGroups=true")), (0, 2));
    advance(&emulator, 43 * 86_400).await;
    assert_eq!(count("IncludeDeletedGroups=true"), 0);
}

#[tokio::test]
async fn an_activity_names_a_subnet_that_there_is() {
    let emulator = emulator(1).await;
    let details = call(&emulator, "DescribeScalingActivities", "")["Activities"][0]["Details"].clone();
    let details: Value = serde_json::from_str(details.as_str().unwrap()).unwrap();
    let members = format!("SubnetId.1={}", details["Subnet ID"].as_str().unwrap());
    let found = ec2(&emulator, "DescribeSubnets", &members);
    assert_eq!(found["subnetSet"][0]["availabilityZone"], details["Availability Zone"]);
}

#[tokio::test]
async fn a_group_may_be_made_like_an_instance() {
    let emulator = emulator(1).await;
    let id = ids(&emulator, InService)[0].clone();
    let create = |members: &str| {
        let form = scaling_emulator::wire::form::Form::parse(
            format!("AutoScalingGroupName=like&MinSize=1&MaxSize=1&{members}").as_bytes(),
        );
        emulator.with_region(|region| {
            scaling_emulator::autoscaling::dispatch(region, "CreateAutoScalingGroup", &form)
        })
    };
    let error = create("InstanceId=i-0").unwrap_err();
    assert!(error.message.contains("Invalid Instance ID"), "{}", error.message);
    create(&format!("InstanceId={id}")).unwrap();
    advance(&emulator, 180).await;
    let (kind, configuration) = emulator.with_region(|region| {
        let member = region.group("like").unwrap().members[0].clone();
        (member.instance_type.to_string(), member.configuration)
    });
    assert_eq!((kind.as_str(), configuration.as_deref()), ("m7i.large", Some("like")));
}

#[tokio::test]
async fn to_a_group_that_is_being_deleted_nothing_is_added() {
    let emulator = emulator(1).await;
    call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    for (operation, members, code) in [
        ("SetDesiredCapacity", "DesiredCapacity=0", "ScalingActivityInProgress"),
        ("StartInstanceRefresh", "", "ValidationError"),
        (
            "PutScalingPolicy",
            "PolicyName=p&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1",
            "ValidationError",
        ),
        ("PutWarmPool", "", "ValidationError"),
        (
            "PutLifecycleHook",
            "LifecycleHookName=h&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING",
            "ValidationError",
        ),
        (
            "PutScheduledUpdateGroupAction",
            "ScheduledActionName=a&Recurrence=0 12 * * *&MinSize=1",
            "ValidationError",
        ),
        ("AttachLoadBalancers", "LoadBalancerNames.member.1=web", "ValidationError"),
        (
            "AttachLoadBalancerTargetGroups",
            "TargetGroupARNs.member.1=arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1",
            "ValidationError",
        ),
        (
            "AttachTrafficSources",
            "TrafficSources.member.1.Identifier=web&TrafficSources.member.1.Type=elb",
            "ValidationError",
        ),
    ] {
        let (shown, message) = refused(&emulator, operation, members);
        assert_eq!(
            (shown.as_str(), message.as_str()),
            (code, "AutoScalingGroup web is pending delete"),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_warm_pool_that_is_being_deleted_is_not_changed() {
    let emulator = emulator(1).await;
    call(&emulator, "PutWarmPool", "MinSize=1");
    advance(&emulator, 180).await;
    call(&emulator, "DeleteWarmPool", "ForceDelete=true");
    is_refused(&emulator, "PutWarmPool", "MinSize=2", "pending delete");
}

#[tokio::test]
async fn subnets_reside_in_the_zones_that_are_given_beside_them() {
    let emulator = emulator(1).await;
    let subnets =
        ec2(&emulator, "DescribeSubnets", "Filter.1.Name=availability-zone&Filter.1.Value.1=us-east-1b");
    let subnet = subnets["subnetSet"][0]["subnetId"].as_str().unwrap().to_owned();
    let both = |zone: &str| format!("VPCZoneIdentifier={subnet}&AvailabilityZones.member.1={zone}");
    is_refused(&emulator, "UpdateAutoScalingGroup", &both("us-east-1a"), "do not match");
    call(&emulator, "UpdateAutoScalingGroup", &both("us-east-1b"));
    call(&emulator, "UpdateAutoScalingGroup", &format!("VPCZoneIdentifier={subnet}"));
}

#[tokio::test]
async fn zones_are_given_by_id_instead_of_by_name_and_are_shown_by_both() {
    let emulator = emulator(1).await;
    for (members, part) in [
        (
            "AvailabilityZoneIds.member.1=use1-az1&AvailabilityZones.member.1=us-east-1a",
            "You cannot specify both",
        ),
        ("AvailabilityZoneIds.member.1=use1-az9", "Invalid Availability Zone ID: use1-az9"),
        ("AvailabilityZoneIds.member.1=use1-az1&VPCZoneIdentifier=subnet-nowhere", "does not exist"),
    ] {
        is_refused(&emulator, "UpdateAutoScalingGroup", members, part);
    }
    let made = "AutoScalingGroupName=ids&MinSize=1&MaxSize=1&LaunchTemplate.LaunchTemplateName=web\
        &AvailabilityZoneIds.member.1=use1-az3&AvailabilityZoneIds.member.2=use1-az2";
    let form = Form::parse(made.as_bytes());
    emulator.with_region(|region| autoscaling::dispatch(region, "CreateAutoScalingGroup", &form)).unwrap();
    advance(&emulator, 180).await;
    let shown = call(&emulator, "DescribeAutoScalingGroups", "AutoScalingGroupNames.member.1=ids");
    let group = &shown["AutoScalingGroups"][0];
    assert_eq!(group["AvailabilityZones"], json!(["us-east-1c", "us-east-1b"]));
    assert_eq!(group["AvailabilityZoneIds"], json!(["use1-az3", "use1-az2"]));
    let alone = call(&emulator, "DescribeAutoScalingInstances", "");
    let all = alone["AutoScalingInstances"].as_array().unwrap();
    for instance in group["Instances"].as_array().unwrap().iter().chain(all) {
        let described = format!("ZoneName.1={}", instance["AvailabilityZone"].as_str().unwrap());
        let zone = ec2(&emulator, "DescribeAvailabilityZones", &described);
        assert_eq!(instance["AvailabilityZoneId"], zone["availabilityZoneInfo"][0]["zoneId"]);
    }
    call(&emulator, "UpdateAutoScalingGroup", "AvailabilityZoneIds.member.1=use1-az2");
    assert_eq!(web(&emulator, |group| group.settings.zones.clone()), ["us-east-1b"]);
}

#[tokio::test]
async fn policies_and_schedules_take_only_members_of_their_kind() {
    let emulator = emulator(1).await;
    let step = "PolicyName=p&PolicyType=StepScaling&AdjustmentType=ChangeInCapacity\
        &StepAdjustments.member.1.ScalingAdjustment=1&StepAdjustments.member.1.MetricIntervalLowerBound=0";
    let simple = "PolicyName=p&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1";
    let predictive = "PolicyName=p&PolicyType=PredictiveScaling\
        &PredictiveScalingConfiguration.MetricSpecifications.member.1.TargetValue=50\
        &PredictiveScalingConfiguration.MetricSpecifications.member.1.PredefinedMetricPairSpecification.PredefinedMetricType=ASGCPUUtilization";
    let of = |member: &str| format!("{predictive}&PredictiveScalingConfiguration.{member}");
    let at = "ScheduledActionName=a&Recurrence=0 12 * * *";
    for (operation, members, part) in [
        ("PutScalingPolicy", format!("{step}&Cooldown=60"), "Cooldown is not supported"),
        ("PutScalingPolicy", format!("{step}&ScalingAdjustment=1"), "ScalingAdjustment is not supported"),
        (
            "PutScalingPolicy",
            format!("{simple}&StepAdjustments.member.1.ScalingAdjustment=1"),
            "StepAdjustments is not supported",
        ),
        ("PutScalingPolicy", format!("{simple}&MinAdjustmentMagnitude=1"), "MinAdjustmentMagnitude is only"),
        ("PutScalingPolicy", of("Mode=odd"), "Invalid value 'odd' for Mode"),
        ("PutScalingPolicy", of("SchedulingBufferTime=3601"), "from 0 to 3600"),
        ("PutScalingPolicy", of("MaxCapacityBreachBehavior=odd"), "Invalid value 'odd'"),
        ("PutScalingPolicy", of("MaxCapacityBuffer=10"), "MaxCapacityBuffer is required where"),
        (
            "PutScalingPolicy",
            of("MaxCapacityBreachBehavior=IncreaseMaxCapacity"),
            "MaxCapacityBuffer is required",
        ),
        ("PutScheduledUpdateGroupAction", format!("{at}&MinSize=-1"), "MinSize -1 is below 0"),
        (
            "PutScheduledUpdateGroupAction",
            format!("{at}&MaxSize=2&DesiredCapacity=3"),
            "DesiredCapacity is above MaxSize",
        ),
        ("EnableMetricsCollection", "Granularity=5Minute".to_owned(), "Invalid granularity"),
    ] {
        is_refused(&emulator, operation, &members, part);
    }
    call(&emulator, "PutScalingPolicy", step);
    let shown = call(&emulator, "DescribePolicies", "");
    assert_eq!(shown["ScalingPolicies"][0]["MetricAggregationType"], "Average");
    call(&emulator, "PutScalingPolicy", &of("Mode=ForecastOnly"));
    let forecast = "PolicyName=p&StartTime=2026-01-01T00:00:00Z&EndTime=2026-01-01T02:00:00Z";
    let forecast = call(&emulator, "GetPredictiveScalingForecast", forecast);
    assert_eq!(forecast["LoadForecast"][0]["MetricSpecification"]["TargetValue"], 50.0);
    let tracking = "PolicyName=t&PolicyType=TargetTrackingScaling&TargetTrackingConfiguration.TargetValue=50\
        &TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType=ASGAverageCPUUtilization";
    call(&emulator, "PutScalingPolicy", tracking);
    let shown = call(&emulator, "DescribePolicies", "PolicyNames.member.1=t");
    assert_eq!(shown["ScalingPolicies"][0]["TargetTrackingConfiguration"]["DisableScaleIn"], false);
}

#[tokio::test]
async fn scheduled_actions_show_their_next_run_and_are_found_by_it() {
    let emulator = emulator(1).await;
    let now = emulator.with_region(|region| region.now);
    let once = now + jiff::SignedDuration::from_hours(72);
    call(
        &emulator,
        "PutScheduledUpdateGroupAction",
        "ScheduledActionName=daily&Recurrence=0 12 * * *&MinSize=1",
    );
    let single = format!("ScheduledActionName=once&StartTime={once}&MinSize=1");
    call(&emulator, "PutScheduledUpdateGroupAction", &single);
    let names = |members: &str| -> Vec<String> {
        let shown = call(&emulator, "DescribeScheduledActions", members);
        let shown = shown["ScheduledUpdateGroupActions"].as_array().unwrap().clone();
        shown.iter().map(|one| one["ScheduledActionName"].as_str().unwrap().to_owned()).collect()
    };
    let daily = call(&emulator, "DescribeScheduledActions", "")["ScheduledUpdateGroupActions"][0].clone();
    assert!(
        daily["StartTime"].as_str().unwrap().contains("T12:00:00") && daily["StartTime"] == daily["Time"]
    );
    let bound = now + jiff::SignedDuration::from_hours(48);
    assert_eq!(names(&format!("StartTime={bound}")), ["once"]);
    assert_eq!(names(&format!("EndTime={bound}")), ["daily"]);
    assert_eq!(names(&format!("EndTime={bound}&ScheduledActionNames.member.1=once")), ["once"]);
    assert!(tried(&emulator, "DescribeScheduledActions", "StartTime=odd").is_err());
}
