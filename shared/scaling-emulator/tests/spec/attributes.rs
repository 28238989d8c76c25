//! Attributes of instances and rules of security groups, shown one by one; an instance that calls may not end.

use scaling_emulator::Emulator;
use scaling_emulator::region::LifecycleState::InService;
use serde_json::{Value, json};

use crate::call::{call, ec2, tried_ec2};
use crate::client::{advance, emulator, ids, set, web};

fn attribute(emulator: &Emulator, id: &str, name: &str) -> Value {
    let members = format!("InstanceId={id}&Attribute={name}");
    ec2(emulator, "DescribeInstanceAttribute", &members)[name]["value"].clone()
}

fn run(emulator: &Emulator, rest: &str) -> String {
    tried_run(emulator, rest).unwrap()
}

/// The id of an instance that is run, or the code with which that is refused.
fn tried_run(emulator: &Emulator, rest: &str) -> Result<String, String> {
    let run = format!("MinCount=1&MaxCount=1&ImageId=ami-1&InstanceType=m7i.large{rest}");
    let made = tried_ec2(emulator, "RunInstances", &run).map_err(|error| error.code.into_owned())?;
    Ok(made["instancesSet"][0]["instanceId"].as_str().unwrap().to_owned())
}

/// The code with which an attribute's change is refused.
fn unchanged(emulator: &Emulator, id: &str, change: &str) -> String {
    let members = format!("InstanceId={id}&{change}");
    tried_ec2(emulator, "ModifyInstanceAttribute", &members).unwrap_err().code.into_owned()
}

#[tokio::test]
async fn what_is_protected_is_not_ended_by_a_call_until_it_is_no_longer() {
    let emulator = emulator(1).await;
    let template = "LaunchTemplateName=safe&LaunchTemplateData.DisableApiTermination=true";
    ec2(&emulator, "CreateLaunchTemplate", template);
    for said in ["&DisableApiTermination=true", "&LaunchTemplate.LaunchTemplateName=safe"] {
        let id = run(&emulator, said);
        let (end, modify) = (format!("InstanceId.1={id}"), format!("InstanceId={id}"));
        assert_eq!(attribute(&emulator, &id, "disableApiTermination"), true);
        let error = tried_ec2(&emulator, "TerminateInstances", &end).unwrap_err();
        assert_eq!(error.code, "OperationNotPermitted");
        ec2(&emulator, "StopInstances", &end);
        ec2(&emulator, "ModifyInstanceAttribute", &format!("{modify}&DisableApiTermination.Value=false"));
        assert_eq!(attribute(&emulator, &id, "disableApiTermination"), false);
        ec2(&emulator, "TerminateInstances", &end);
    }
    let id = run(&emulator, "");
    let modify = format!("InstanceId={id}&Attribute=disableApiTermination&Value=true");
    ec2(&emulator, "ModifyInstanceAttribute", &modify);
    assert!(tried_ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}")).is_err());
}

#[tokio::test]
async fn a_group_ends_its_instances_all_the_same() {
    let emulator = emulator(2).await;
    for id in ids(&emulator, InService) {
        let modify = format!("InstanceId={id}&DisableApiTermination.Value=true");
        ec2(&emulator, "ModifyInstanceAttribute", &modify);
        assert!(tried_ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}")).is_err());
    }
    set(&emulator, 1).unwrap();
    advance(&emulator, 120).await;
    let shown = call(&emulator, "DescribeAutoScalingGroups", "");
    assert_eq!(shown["AutoScalingGroups"][0]["Instances"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn attributes_are_those_of_the_call_or_of_the_template() {
    let emulator = emulator(1).await;
    let template = "LaunchTemplateName=kit&LaunchTemplateData.UserData=dGVtcGxhdGU%3D\
        &LaunchTemplateData.InstanceInitiatedShutdownBehavior=terminate";
    ec2(&emulator, "CreateLaunchTemplate", template);
    let of_template = run(&emulator, "&LaunchTemplate.LaunchTemplateName=kit");
    let of_call = run(&emulator, "&LaunchTemplate.LaunchTemplateName=kit&UserData=Y2FsbA%3D%3D");
    let plain = run(&emulator, "");
    for (id, data, shutdown) in [
        (&of_template, json!("dGVtcGxhdGU="), "terminate"),
        (&of_call, json!("Y2FsbA=="), "terminate"),
        (&plain, Value::Null, "stop"),
    ] {
        assert_eq!(attribute(&emulator, id, "userData"), data);
        assert_eq!(attribute(&emulator, id, "instanceInitiatedShutdownBehavior"), shutdown);
        assert_eq!(attribute(&emulator, id, "instanceType"), "m7i.large");
    }
    for (name, why) in [("kernel", "this emulator does not show it"), ("colour", "Unknown attribute")] {
        let asked = format!("InstanceId={plain}&Attribute={name}");
        let error = tried_ec2(&emulator, "DescribeInstanceAttribute", &asked).unwrap_err();
        assert_eq!(error.code, "InvalidParameterValue");
        assert!(error.message.contains(why), "{}", error.message);
    }
}

#[tokio::test]
async fn what_the_launch_tells_is_shown_as_attributes_too() {
    let emulator = emulator(1).await;
    let group = ec2(&emulator, "CreateSecurityGroup", "GroupName=g&GroupDescription=d")["groupId"].clone();
    let template = "LaunchTemplateName=fast&LaunchTemplateData.EbsOptimized=true";
    ec2(&emulator, "CreateLaunchTemplate", template);
    let of_call = run(&emulator, &format!("&SecurityGroupId.1={}", group.as_str().unwrap()));
    let of_template = run(&emulator, "&LaunchTemplate.LaunchTemplateName=fast");
    for (id, name, expected) in [
        (&of_call, "ebsOptimized", false),
        (&of_template, "ebsOptimized", true),
        (&of_call, "disableApiStop", false),
        (&of_call, "sourceDestCheck", true),
    ] {
        assert_eq!(attribute(&emulator, id, name), expected, "{name}");
    }
    assert_eq!(attribute(&emulator, &of_call, "rootDeviceName"), "/dev/xvda");
    for id in [&of_call, &ids(&emulator, InService)[0]] {
        let asked = format!("InstanceId={id}&Attribute=groupSet");
        let shown = ec2(&emulator, "DescribeInstanceAttribute", &asked)["groupSet"][0]["groupId"].clone();
        let described = ec2(&emulator, "DescribeInstances", &format!("InstanceId.1={id}"));
        assert_eq!(shown, described["reservationSet"][0]["instancesSet"][0]["groupSet"][0]["groupId"]);
    }
}

#[tokio::test]
async fn spot_instances_are_never_protected() {
    let emulator = emulator(1).await;
    let (spot, protected) = ("&InstanceMarketOptions.MarketType=spot", "&DisableApiTermination=true");
    let template = "LaunchTemplateName=safe&LaunchTemplateData.DisableApiTermination=true\
        &LaunchTemplateData.ImageId=ami-1&LaunchTemplateData.InstanceType=m7i.large";
    ec2(&emulator, "CreateLaunchTemplate", template);
    for said in [protected, "&LaunchTemplate.LaunchTemplateName=safe"] {
        let refused = tried_run(&emulator, &format!("{spot}{said}"));
        assert_eq!(refused, Err("InvalidParameterCombination".to_owned()), "{said}");
    }
    let id = run(&emulator, &format!("{spot}&DisableApiTermination=false"));
    for value in ["true", "false"] {
        let change = format!("DisableApiTermination.Value={value}");
        assert_eq!(unchanged(&emulator, &id, &change), "UnsupportedOperation");
    }
    assert_eq!(attribute(&emulator, &id, "disableApiTermination"), false);
    // What a group launches of such a template as a Spot Instance is not protected either.
    let policy = "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName=safe\
        &MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity=0";
    call(&emulator, "UpdateAutoScalingGroup", &format!("{policy}&DesiredCapacity=2"));
    advance(&emulator, 180).await;
    let id = web(&emulator, |group| group.members.iter().find(|one| one.spot).unwrap().id.clone());
    assert_eq!(attribute(&emulator, &id, "disableApiTermination"), false);
    ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={id}"));
}

#[tokio::test]
async fn what_has_ended_is_ended_again_whatever_protected_it_and_changed_no_more() {
    let emulator = emulator(2).await;
    for id in ids(&emulator, InService) {
        let modify = format!("InstanceId={id}&DisableApiTermination.Value=true");
        ec2(&emulator, "ModifyInstanceAttribute", &modify);
    }
    let before = ids(&emulator, InService);
    set(&emulator, 1).unwrap();
    for (seconds, state) in [(15, "shutting-down"), (120, "terminated")] {
        advance(&emulator, seconds).await;
        let left = ids(&emulator, InService);
        let ended = before.iter().find(|id| !left.contains(id)).unwrap();
        let told = ec2(&emulator, "TerminateInstances", &format!("InstanceId.1={ended}"));
        let change = &told["instancesSet"][0];
        assert_eq!([&change["currentState"]["name"], &change["previousState"]["name"]], [state; 2]);
        for change in ["DisableApiTermination.Value=false", "InstanceType.Value=c7i.large"] {
            assert_eq!(unchanged(&emulator, ended, change), "IncorrectInstanceState", "{state} {change}");
        }
    }
}

#[tokio::test]
async fn the_start_script_outlives_what_it_was_launched_from() {
    let emulator = emulator(1).await;
    let data =
        "LaunchTemplateName=kit&LaunchTemplateData.ImageId=ami-1&LaunchTemplateData.InstanceType=m7i.large";
    let script = "LaunchTemplateData.UserData=dGVtcGxhdGU%3D";
    ec2(&emulator, "CreateLaunchTemplate", data);
    ec2(&emulator, "CreateLaunchTemplateVersion", &format!("{data}&{script}"));
    let alone = run(&emulator, "&LaunchTemplate.LaunchTemplateName=kit&LaunchTemplate.Version=2");
    let launch = |source: &str, desired: i64| {
        call(&emulator, "UpdateAutoScalingGroup", &format!("{source}&DesiredCapacity={desired}"));
    };
    launch("LaunchTemplate.LaunchTemplateName=kit&LaunchTemplate.Version=2", 2);
    advance(&emulator, 30).await;
    let configuration = "LaunchConfigurationName=lc&ImageId=ami-1&InstanceType=m7i.large&UserData=bGM%3D";
    call(&emulator, "CreateLaunchConfiguration", configuration);
    launch("LaunchConfigurationName=lc", 3);
    advance(&emulator, 30).await;
    launch("LaunchTemplate.LaunchTemplateName=web", 3);
    let members =
        web(&emulator, |group| group.members.iter().map(|member| member.id.clone()).collect::<Vec<_>>());
    let expected = [(&alone, "dGVtcGxhdGU="), (&members[1], "dGVtcGxhdGU="), (&members[2], "bGM=")];
    for (id, script) in expected {
        assert_eq!(attribute(&emulator, id, "userData"), script);
    }
    ec2(&emulator, "DeleteLaunchTemplateVersions", "LaunchTemplateName=kit&LaunchTemplateVersion.1=2");
    call(&emulator, "DeleteLaunchConfiguration", "LaunchConfigurationName=lc");
    for (id, script) in expected {
        assert_eq!(attribute(&emulator, id, "userData"), script);
    }
}

#[tokio::test]
async fn a_word_that_an_attribute_cannot_have_is_refused_and_changes_nothing() {
    let emulator = emulator(1).await;
    let id = run(&emulator, "&DisableApiTermination=true");
    for change in [
        "DisableApiTermination.Value=yes",
        "Attribute=disableApiTermination&Value=",
        "DisableApiTermination.Value=2",
    ] {
        assert_eq!(unchanged(&emulator, &id, change), "InvalidParameterValue", "{change}");
    }
    assert_eq!(attribute(&emulator, &id, "disableApiTermination"), true);
    let template = "LaunchTemplateName=odd&LaunchTemplateData.InstanceInitiatedShutdownBehavior=explode";
    ec2(&emulator, "CreateLaunchTemplate", template);
    let template = "LaunchTemplateName=vague&LaunchTemplateData.DisableApiTermination=perhaps";
    ec2(&emulator, "CreateLaunchTemplate", template);
    for said in [
        "&InstanceInitiatedShutdownBehavior=nonsense",
        "&DisableApiTermination=yes",
        "&LaunchTemplate.LaunchTemplateName=odd",
        "&LaunchTemplate.LaunchTemplateName=vague",
    ] {
        assert_eq!(tried_run(&emulator, said), Err("InvalidParameterValue".to_owned()), "{said}");
    }
    let id =
        run(&emulator, "&InstanceInitiatedShutdownBehavior=terminate&LaunchTemplate.LaunchTemplateName=odd");
    assert_eq!(attribute(&emulator, &id, "instanceInitiatedShutdownBehavior"), "terminate");
}

#[tokio::test]
async fn rules_are_shown_one_by_one() {
    let emulator = emulator(1).await;
    let made = ec2(&emulator, "CreateSecurityGroup", "GroupName=shop&GroupDescription=d");
    let group = made["groupId"].as_str().unwrap();
    let rule = format!("GroupId={group}&IpProtocol=tcp&FromPort=80&ToPort=80&CidrIp=10.0.0.0/8");
    let let_in = ec2(&emulator, "AuthorizeSecurityGroupIngress", &rule);
    let id = let_in["securityGroupRuleSet"][0]["securityGroupRuleId"].as_str().unwrap();
    let rules = |members: &str| {
        let shown = ec2(&emulator, "DescribeSecurityGroupRules", members);
        shown["securityGroupRuleSet"].as_array().unwrap().clone()
    };
    assert_eq!(rules("").len(), 4);
    let of_group = rules(&format!("Filter.1.Name=group-id&Filter.1.Value.1={group}"));
    assert_eq!(of_group.iter().map(|one| one["isEgress"].clone()).collect::<Vec<_>>(), [false, true]);
    let one = rules(&format!("SecurityGroupRuleId.1={id}"));
    assert_eq!([&one[0]["cidrIpv4"], &one[0]["groupId"]], ["10.0.0.0/8", group]);
    let unknown = "SecurityGroupRuleId.1=sgr-0123456789abcdef0";
    let error = tried_ec2(&emulator, "DescribeSecurityGroupRules", unknown).unwrap_err();
    assert_eq!(error.code, "InvalidSecurityGroupRuleId.NotFound");
}

#[tokio::test]
async fn rules_have_tags_of_their_own() {
    let emulator = emulator(1).await;
    let made = ec2(&emulator, "CreateSecurityGroup", "GroupName=shop&GroupDescription=d");
    let group = made["groupId"].as_str().unwrap();
    let rule = format!(
        "GroupId={group}&IpProtocol=tcp&FromPort=80&ToPort=80&CidrIp=10.0.0.0/8\
         &TagSpecification.1.ResourceType=security-group-rule&TagSpecification.1.Tag.1.Key=team\
         &TagSpecification.1.Tag.1.Value=shop"
    );
    let made = ec2(&emulator, "AuthorizeSecurityGroupIngress", &rule)["securityGroupRuleSet"][0].clone();
    let tag = json!([{ "key": "team", "value": "shop" }]);
    assert_eq!(made["tagSet"], tag);
    let id = made["securityGroupRuleId"].as_str().unwrap();
    let by = |name: &str, value: &str| {
        let members = format!("Filter.1.Name={name}&Filter.1.Value.1={value}");
        let shown = ec2(&emulator, "DescribeSecurityGroupRules", &members)["securityGroupRuleSet"].clone();
        shown.as_array().unwrap().clone()
    };
    assert_eq!(by("tag:team", "shop"), std::slice::from_ref(&made));
    assert_eq!([by("tag:team", "web").len(), by("tag-key", "team").len()], [0, 1]);
    ec2(&emulator, "CreateTags", &format!("ResourceId.1={id}&Tag.1.Key=team&Tag.1.Value=web"));
    assert_eq!(by("tag:team", "web").len(), 1);
    let tagged = "Filter.1.Name=resource-type&Filter.1.Value.1=security-group-rule";
    let tags = || ec2(&emulator, "DescribeTags", tagged)["tagSet"].as_array().unwrap().len();
    assert_eq!(tags(), 1);
    ec2(&emulator, "RevokeSecurityGroupIngress", &format!("GroupId={group}&SecurityGroupRuleId.1={id}"));
    assert_eq!(tags(), 0);
    let unknown = tried_ec2(&emulator, "CreateTags", &format!("ResourceId.1={id}&Tag.1.Key=a"));
    assert_eq!(unknown.unwrap_err().code, "InvalidSecurityGroupRuleId.NotFound");
}
