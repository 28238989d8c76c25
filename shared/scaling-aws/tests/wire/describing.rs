//! Groups by name, and their newest refresh.

use std::collections::BTreeSet;

use scaling_control::ports::{GroupReader, InstanceDescription, Lifecycle};
use scaling_fleet::TypeName;
use scaling_policy::operation::LaunchTemplate;
use scaling_policy::snapshot::{ReplacementStatus, RetypeSupport, SuspendedProcesses};

use crate::script::{Reply, Script, Sent, form, group};
use crate::xml;

const FULL: &str = "<MixedInstancesPolicy><LaunchTemplate>\
    <LaunchTemplateSpecification><LaunchTemplateId>lt-1</LaunchTemplateId><Version>3</Version>\
    </LaunchTemplateSpecification>\
    <Overrides><member><InstanceType>m7i.large</InstanceType></member>\
    <member><InstanceType>m7a.large</InstanceType></member></Overrides>\
    </LaunchTemplate></MixedInstancesPolicy>\
    <AvailabilityZones><member>eu-central-1a</member><member>eu-central-1b</member></AvailabilityZones>\
    <Instances><member><InstanceId>i-1</InstanceId><InstanceType>m7i.large</InstanceType>\
    <AvailabilityZone>eu-central-1a</AvailabilityZone>\
    <LifecycleState>InService</LifecycleState><HealthStatus>Healthy</HealthStatus>\
    <ProtectedFromScaleIn>true</ProtectedFromScaleIn></member>\
    <member><InstanceId>i-2</InstanceId><InstanceType>m7a.large</InstanceType>\
    <LifecycleState>Pending:Wait</LifecycleState><HealthStatus>Unhealthy</HealthStatus>\
    <ProtectedFromScaleIn>false</ProtectedFromScaleIn></member></Instances>\
    <SuspendedProcesses><member><ProcessName>Launch</ProcessName></member>\
    <member><ProcessName>AZRebalance</ProcessName></member></SuspendedProcesses>\
    <DefaultInstanceWarmup>90</DefaultInstanceWarmup>\
    <InstanceMaintenancePolicy><MinHealthyPercentage>90</MinHealthyPercentage>\
    <MaxHealthyPercentage>120</MaxHealthyPercentage></InstanceMaintenancePolicy>";

#[tokio::test(start_paused = true)]
async fn a_group_is_described_by_what_the_service_says_of_it() {
    let script = Script::of([xml::groups([xml::group("web", FULL)])]);
    let described = script.platform().describe(&[group("web")]).await.unwrap();

    assert_eq!(
        script.only_form(),
        form(&[
            ("Action", "DescribeAutoScalingGroups"),
            ("Version", "2011-01-01"),
            ("AutoScalingGroupNames.member.1", "web"),
            ("MaxRecords", "100"),
        ])
    );
    let [found] = described.as_slice() else { panic!("one group") };
    assert_eq!(found.name.as_str(), "web");
    assert_eq!((found.min, found.max, found.desired), (1, 10, 3));
    assert_eq!(found.launch_type, Some(TypeName::from("m7i.large")));
    assert_eq!(found.zones, ["eu-central-1a", "eu-central-1b"]);
    assert_eq!(found.suspended, SuspendedProcesses { launch: true, ..SuspendedProcesses::default() });
    assert_eq!(found.retype, RetypeSupport::Supported);
    assert_eq!(found.maintenance, Some((90, 120)));
    assert_eq!(found.warm_up_seconds, 90);
    assert_eq!(found.template, Some(launch_template(3, false)));
    let instance = |id: &str, name: &str, lifecycle, good| InstanceDescription {
        id: id.to_owned(),
        instance_type: TypeName::from(name),
        lifecycle,
        healthy: good,
        protected: good,
        zone: good.then(|| "eu-central-1a".to_owned()),
    };
    assert_eq!(
        found.instances,
        [
            instance("i-1", "m7i.large", Lifecycle::InService, true),
            instance("i-2", "m7a.large", Lifecycle::Pending, false)
        ]
    );
}

fn launch_template(version: u64, is_resolved: bool) -> LaunchTemplate {
    LaunchTemplate { id: "lt-1".to_owned(), version, is_resolved }
}

/// The answer does not say what `$Latest` is now; what was launched last does.
#[tokio::test(start_paused = true)]
async fn the_version_of_a_template_that_the_service_resolves_is_that_of_the_newest_member() {
    let member = |id: &str, template: &str, version: &str| {
        format!(
            "<member><InstanceId>{id}</InstanceId><InstanceType>m7i.large</InstanceType>\
             <LifecycleState>InService</LifecycleState><LaunchTemplate><LaunchTemplateId>{template}</LaunchTemplateId>\
             <Version>{version}</Version></LaunchTemplate></member>"
        )
    };
    let named = "<LaunchTemplate><LaunchTemplateId>lt-1</LaunchTemplateId><Version>$Latest</Version></LaunchTemplate>";
    let with = |members: &str| format!("{named}<Instances>{members}</Instances>");
    let members = member("i-1", "lt-1", "9") + &member("i-2", "lt-1", "10") + &member("i-3", "lt-2", "30");
    assert_eq!(described(&with(&members)).await.template, Some(launch_template(10, true)));
    assert_eq!(described(&with("")).await.template, None, "nothing was launched of it yet");
}

#[tokio::test(start_paused = true)]
async fn what_is_switched_off_reads_as_absent() {
    let off = format!(
        "{}<DefaultInstanceWarmup>-1</DefaultInstanceWarmup><InstanceMaintenancePolicy>\
         <MinHealthyPercentage>-1</MinHealthyPercentage><MaxHealthyPercentage>-1</MaxHealthyPercentage>\
         </InstanceMaintenancePolicy>",
        xml::template("LaunchTemplate", "$Latest")
    );
    let described = described(&off).await;
    assert_eq!(described.maintenance, None);
    assert_eq!(described.warm_up_seconds, 0);
    assert_eq!(described.launch_type, None);
    assert_eq!(described.retype, RetypeSupport::Supported);
    assert!(!described.suspended.any());
}

#[tokio::test(start_paused = true)]
async fn how_much_of_a_group_is_spot_is_what_its_mixed_instances_policy_says() {
    let split = |distribution: &str| {
        format!(
            "<MixedInstancesPolicy><LaunchTemplate>{}</LaunchTemplate>{distribution}</MixedInstancesPolicy>",
            xml::template("LaunchTemplateSpecification", "1")
        )
    };
    let quarter = split(
        "<InstancesDistribution><OnDemandBaseCapacity>2</OnDemandBaseCapacity>\
         <OnDemandPercentageAboveBaseCapacity>25</OnDemandPercentageAboveBaseCapacity></InstancesDistribution>",
    );
    let share = async |more: &str| described(more).await.purchase.spot_share(10);
    assert!((share(&quarter).await - 0.6).abs() < 1e-12);
    for on_demand in [split(""), xml::template("LaunchTemplate", "1")] {
        assert!(share(&on_demand).await.abs() < 1e-12, "{on_demand}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_without_the_tag_of_the_permissions_tells_which_it_lacks() {
    let tag = |key: &str, value: &str| {
        format!("<Tags><member><Key>{key}</Key><Value>{value}</Value></member></Tags>")
    };
    let missing = async |more: &str| described(more).await.missing_tag;
    for lacking in [String::new(), tag("scaling:managed", "no"), tag("managed", "true")] {
        assert_eq!(missing(&lacking).await.as_deref(), Some("scaling:managed=true"), "{lacking}");
    }
    assert_eq!(missing(&tag("scaling:managed", "true")).await, None);
}

async fn described(more: &str) -> scaling_control::ports::GroupDescription {
    let script = Script::of([xml::groups([xml::group("web", more)])]);
    script.platform().describe(&[group("web")]).await.unwrap().remove(0)
}

#[tokio::test(start_paused = true)]
async fn groups_whose_type_is_not_one_name_are_scaled_in_count_only_and_say_why() {
    let policy = |overrides: &str| {
        format!(
            "<MixedInstancesPolicy><LaunchTemplate>{}<Overrides><member>{overrides}</member></Overrides>\
             </LaunchTemplate></MixedInstancesPolicy>",
            xml::template("LaunchTemplateSpecification", "1")
        )
    };
    let weighted = "<InstanceType>m7i.large</InstanceType><WeightedCapacity>2</WeightedCapacity>";
    let attributes = "<InstanceRequirements><VCpuCount><Min>2</Min></VCpuCount></InstanceRequirements>";
    let own_template = format!(
        "<InstanceType>m7i.large</InstanceType>{}",
        xml::template("LaunchTemplateSpecification", "1")
    );
    for (more, word) in [
        (policy(weighted), "weights"),
        (policy(attributes), "attributes"),
        (policy(&own_template), "launch templates or images of their own"),
        ("<LaunchConfigurationName>old</LaunchConfigurationName>".to_owned(), "launch configuration"),
        (String::new(), "no launch template"),
    ] {
        let RetypeSupport::CountOnly { why } = described(&more).await.retype else { panic!("{word}") };
        assert!(why.contains(word), "{why}");
    }
}

fn asked_for(sent: &Sent) -> Vec<String> {
    let is_name = |field: &str| field.starts_with("AutoScalingGroupNames.member.");
    sent.form().into_iter().filter(|(field, _)| is_name(field)).map(|(_, name)| name).collect()
}

#[tokio::test(start_paused = true)]
async fn two_hundred_and_fifty_names_are_three_calls_and_missing_groups_are_absent() {
    let script = Script::new(|sent, _| {
        let there = asked_for(sent).into_iter().filter(|name| name != "g-42");
        xml::groups(there.map(|name| xml::group(&name, "")))
    });
    let groups: Vec<_> = (0..250).map(|number| group(&format!("g-{number}"))).collect();
    let platform = script.platform();
    let described = platform.describe(&groups).await.unwrap();

    assert_eq!(script.sent().iter().map(|sent| asked_for(sent).len()).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(platform.clients().counter().snapshot()["DescribeAutoScalingGroups"], 3);
    let names: BTreeSet<_> = described.iter().map(|group| group.name.to_string()).collect();
    assert_eq!(names.len(), 249);
    assert!(!names.contains("g-42"));
}

#[tokio::test(start_paused = true)]
async fn an_answer_in_two_pages_is_read_to_its_end() {
    let first = xml::list("AutoScalingGroups", [xml::group("a", "")]) + "<NextToken>more</NextToken>";
    let script =
        Script::of([xml::answer("DescribeAutoScalingGroups", &first), xml::groups([xml::group("b", "")])]);
    let described = script.platform().describe(&[group("a"), group("b")]).await.unwrap();
    assert_eq!(described.len(), 2);
    assert_eq!(script.sent()[1].field("NextToken").as_deref(), Some("more"));
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_does_not_end_is_given_up() {
    let page = xml::list("AutoScalingGroups", [xml::group("a", "")]) + "<NextToken>same</NextToken>";
    let script = Script::new(move |_, _| xml::answer("DescribeAutoScalingGroups", &page));
    let error = script.platform().describe(&[group("a")]).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable");
    assert_eq!(script.sent().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_names_ask_nothing() {
    let script = Script::of(Vec::<Reply>::new());
    assert!(script.platform().describe(&[]).await.unwrap().is_empty());
    assert!(script.platform().foreign_controllers(&[]).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_group_without_the_figures_that_a_decision_needs_is_an_answer_that_makes_no_sense() {
    let nameless = "<MinSize>1</MinSize>";
    // A required figure that is missing reads as 0.
    let boundless = "<AutoScalingGroupName>web</AutoScalingGroupName><MinSize>1</MinSize>";
    let negative = "<AutoScalingGroupName>web</AutoScalingGroupName><MinSize>-1</MinSize><MaxSize>1</MaxSize>\
                    <DesiredCapacity>1</DesiredCapacity>";
    let typeless = xml::group("web", "<Instances><member><InstanceId>i-1</InstanceId></member></Instances>");
    for group_text in [nameless, boundless, negative, &typeless] {
        let script = Script::of([xml::groups([group_text])]);
        let error = script.platform().describe(&[group("web")]).await.unwrap_err();
        assert_eq!(error.kind(), "unavailable", "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_that_makes_no_sense_takes_no_other_of_its_page_with_it() {
    let negative = "<AutoScalingGroupName>odd</AutoScalingGroupName><MinSize>-1</MinSize><MaxSize>1</MaxSize>\
                    <DesiredCapacity>1</DesiredCapacity>";
    let page = || xml::groups([xml::group("a", ""), negative.to_owned(), xml::group("b", "")]);
    let script = Script::new(move |_, _| page());
    let groups = ["a", "odd", "b", "missing"].map(group);
    let each = script.platform().describe_each(&groups).await.unwrap();
    let told: Vec<_> = each.iter().map(|(name, told)| (name.as_str(), told.is_ok())).collect();
    assert_eq!(told, [("a", true), ("odd", false), ("b", true)]);
    let why = each[1].1.as_ref().unwrap_err().to_string();
    assert!(why.contains("group odd has no usable MinSize"), "{why}");
    let described = script.platform().describe(&groups).await.unwrap();
    assert_eq!(described.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

fn refresh(id: &str, status: &str, more: &str) -> String {
    format!("<InstanceRefreshId>{id}</InstanceRefreshId><Status>{status}</Status>{more}")
}

#[tokio::test(start_paused = true)]
async fn the_newest_refresh_is_the_one_that_started_last() {
    let target = "<StartTime>2026-03-02T10:00:00Z</StartTime><PercentageComplete>40</PercentageComplete>\
                  <StatusReason>waiting</StatusReason><DesiredConfiguration><MixedInstancesPolicy><LaunchTemplate>\
                  <Overrides><member><InstanceType>c7i.large</InstanceType></member>\
                  <member><InstanceType>c7a.large</InstanceType></member></Overrides></LaunchTemplate>\
                  </MixedInstancesPolicy></DesiredConfiguration>";
    let old = refresh("old", "Successful", "<StartTime>2026-03-01T10:00:00Z</StartTime>");
    let script = Script::of([xml::answer(
        "DescribeInstanceRefreshes",
        &xml::list("InstanceRefreshes", [old, refresh("new", "InProgress", target)]),
    )]);
    let newest = script.platform().replacement(&group("web")).await.unwrap().unwrap();
    assert_eq!(
        script.only_form(),
        form(&[
            ("Action", "DescribeInstanceRefreshes"),
            ("Version", "2011-01-01"),
            ("AutoScalingGroupName", "web"),
            ("MaxRecords", "10"),
        ])
    );
    assert_eq!((newest.id.as_str(), newest.status), ("new", ReplacementStatus::InProgress));
    assert_eq!(newest.percent_complete, 40);
    assert_eq!(newest.reason.as_deref(), Some("waiting"));
    assert_eq!(newest.target_type, Some(TypeName::from("c7i.large")));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_has_not_started_yet_is_newer_than_one_that_has() {
    let done = refresh("done", "Successful", "<StartTime>2026-03-01T10:00:00Z</StartTime>");
    let listing = xml::list("InstanceRefreshes", [refresh("next", "Pending", ""), done]);
    let script = Script::of([xml::answer("DescribeInstanceRefreshes", &listing)]);
    let newest = script.platform().replacement(&group("web")).await.unwrap().unwrap();
    assert_eq!((newest.id.as_str(), newest.status), ("next", ReplacementStatus::Pending));
    assert_eq!((newest.percent_complete, newest.target_type), (0, None));
}

#[tokio::test(start_paused = true)]
async fn a_group_without_a_refresh_has_none() {
    let script =
        Script::of([xml::answer("DescribeInstanceRefreshes", "<InstanceRefreshes></InstanceRefreshes>")]);
    assert_eq!(script.platform().replacement(&group("web")).await.unwrap(), None);
}
