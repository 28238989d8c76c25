//! The steps: what is asked, and what a refusal means.

use scaling_control::PortError;
use scaling_control::ports::{Accepted, GroupWriter};
use scaling_fleet::TypeName;
use scaling_policy::operation::Step;

use crate::script::{Reply, Script, form, group};
use crate::xml;

async fn apply(script: &Script, step: Step) -> Result<Accepted, PortError> {
    script.platform().apply(&group("web"), &step).await
}

fn to_types(types: &[&str]) -> Step {
    Step::StartReplacement { types: types.iter().copied().map(TypeName::from).collect() }
}

fn started() -> Reply {
    xml::answer("StartInstanceRefresh", "<InstanceRefreshId>ir-1</InstanceRefreshId>")
}

fn mixed(version: &str, more: &str) -> String {
    format!(
        "<MixedInstancesPolicy><LaunchTemplate>{}<Overrides><member><InstanceType>m7i.large</InstanceType></member>\
         </Overrides></LaunchTemplate><InstancesDistribution>\
         <OnDemandAllocationStrategy>prioritized</OnDemandAllocationStrategy>\
         <OnDemandBaseCapacity>2</OnDemandBaseCapacity>\
         <OnDemandPercentageAboveBaseCapacity>25</OnDemandPercentageAboveBaseCapacity>\
         <SpotAllocationStrategy>price-capacity-optimized</SpotAllocationStrategy>\
         </InstancesDistribution></MixedInstancesPolicy>{more}",
        xml::template("LaunchTemplateSpecification", version)
    )
}

#[tokio::test(start_paused = true)]
async fn the_count_is_set_to_the_wanted_value_in_one_call() {
    let script = Script::of([xml::answer("SetDesiredCapacity", "")]);
    assert_eq!(apply(&script, Step::SetDesired { desired: 7 }).await.unwrap(), Accepted::default());
    assert_eq!(
        script.only_form(),
        form(&[
            ("Action", "SetDesiredCapacity"),
            ("Version", "2011-01-01"),
            ("AutoScalingGroupName", "web"),
            ("DesiredCapacity", "7"),
            ("HonorCooldown", "false"),
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn a_type_change_keeps_the_template_its_version_and_the_spot_split_and_overrides_only_types() {
    let script = Script::of([xml::groups([xml::group("web", &mixed("7", ""))]), started()]);
    let accepted = apply(&script, to_types(&["c7i.large", "c7a.large"])).await.unwrap();
    assert_eq!(accepted.platform_id.as_deref(), Some("ir-1"));
    let policy = "DesiredConfiguration.MixedInstancesPolicy.";
    let field = |name: &str| format!("{policy}{name}");
    assert_eq!(
        script.sent()[1].form(),
        form(&[
            ("Action", "StartInstanceRefresh"),
            ("Version", "2011-01-01"),
            ("AutoScalingGroupName", "web"),
            ("Strategy", "Rolling"),
            (&field("LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateId"), "lt-1"),
            (&field("LaunchTemplate.LaunchTemplateSpecification.Version"), "7"),
            (&field("LaunchTemplate.Overrides.member.1.InstanceType"), "c7i.large"),
            (&field("LaunchTemplate.Overrides.member.2.InstanceType"), "c7a.large"),
            (&field("InstancesDistribution.OnDemandAllocationStrategy"), "prioritized"),
            (&field("InstancesDistribution.OnDemandBaseCapacity"), "2"),
            (&field("InstancesDistribution.OnDemandPercentageAboveBaseCapacity"), "25"),
            (&field("InstancesDistribution.SpotAllocationStrategy"), "price-capacity-optimized"),
            ("Preferences.MinHealthyPercentage", "100"),
            ("Preferences.SkipMatching", "true"),
            ("Preferences.AutoRollback", "true"),
            ("Preferences.ScaleInProtectedInstances", "Ignore"),
            ("Preferences.StandbyInstances", "Ignore"),
            ("Preferences.MaxHealthyPercentage", "134"),
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn a_group_with_a_plain_launch_template_gets_its_types_by_a_policy_that_is_all_on_demand() {
    let plain = xml::template("LaunchTemplate", "4");
    let script = Script::of([xml::groups([xml::group("web", &plain)]), started()]);
    apply(&script, to_types(&["c7i.large"])).await.unwrap();
    let sent = &script.sent()[1];
    let field = |name: &str| sent.field(&format!("DesiredConfiguration.MixedInstancesPolicy.{name}"));
    assert_eq!(field("LaunchTemplate.LaunchTemplateSpecification.Version").as_deref(), Some("4"));
    assert_eq!(field("LaunchTemplate.Overrides.member.1.InstanceType").as_deref(), Some("c7i.large"));
    assert_eq!(field("InstancesDistribution.OnDemandPercentageAboveBaseCapacity").as_deref(), Some("100"));
    assert_eq!(field("InstancesDistribution.OnDemandAllocationStrategy").as_deref(), Some("prioritized"));
}

#[tokio::test(start_paused = true)]
async fn automatic_rollback_is_left_out_where_the_service_refuses_it() {
    for version in ["$Latest", "$Default"] {
        let script = Script::of([xml::groups([xml::group("web", &mixed(version, ""))]), started()]);
        apply(&script, to_types(&["c7i.large"])).await.unwrap();
        let sent = &script.sent()[1];
        assert_eq!(sent.field("Preferences.AutoRollback"), None);
        let kept =
            "DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version";
        assert_eq!(sent.field(kept).as_deref(), Some(version));
    }
}

#[tokio::test(start_paused = true)]
async fn the_groups_own_maintenance_policy_wins() {
    let own = "<InstanceMaintenancePolicy><MinHealthyPercentage>90</MinHealthyPercentage>\
               <MaxHealthyPercentage>120</MaxHealthyPercentage></InstanceMaintenancePolicy>";
    let script = Script::of([xml::groups([xml::group("web", &mixed("1", own))]), started()]);
    apply(&script, to_types(&["c7i.large"])).await.unwrap();
    let sent = &script.sent()[1];
    assert_eq!(sent.field("Preferences.MinHealthyPercentage"), None);
    assert_eq!(sent.field("Preferences.MaxHealthyPercentage"), None);
    assert_eq!(sent.field("Preferences.SkipMatching").as_deref(), Some("true"));
}

#[tokio::test(start_paused = true)]
async fn a_type_change_of_a_group_that_has_no_single_type_is_refused_before_it_is_asked() {
    let config = "<LaunchConfigurationName>old</LaunchConfigurationName>";
    let script = Script::of([xml::groups([xml::group("web", config)])]);
    let error = apply(&script, to_types(&["c7i.large"])).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
    assert!(error.to_string().contains("launch configuration"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_type_change_of_a_deleted_group_is_not_found() {
    let script = Script::of([xml::groups(Vec::<String>::new())]);
    let error = apply(&script, to_types(&["c7i.large"])).await.unwrap_err();
    assert_eq!(error.to_string(), "group web was not found");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_already_runs_is_a_conflict() {
    let refused = xml::error(400, "InstanceRefreshInProgress", "An Instance Refresh is already in progress");
    let script = Script::of([xml::groups([xml::group("web", &mixed("1", ""))]), refused]);
    let error = apply(&script, to_types(&["c7i.large"])).await.unwrap_err();
    assert_eq!(error.kind(), "conflict");
    assert!(error.to_string().contains("already in progress"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_running_refresh_is_rolled_back_by_the_service() {
    let script =
        Script::of([xml::answer("RollbackInstanceRefresh", "<InstanceRefreshId>ir-1</InstanceRefreshId>")]);
    let accepted = apply(&script, Step::RollBackReplacement).await.unwrap();
    assert_eq!(accepted.platform_id.as_deref(), Some("ir-1"));
    assert_eq!(
        script.only_form(),
        form(&[
            ("Action", "RollbackInstanceRefresh"),
            ("Version", "2011-01-01"),
            ("AutoScalingGroupName", "web")
        ])
    );
}

#[tokio::test(start_paused = true)]
async fn a_rollback_that_comes_too_late_is_a_conflict_and_one_that_cannot_be_is_invalid() {
    for (code, kind) in
        [("ActiveInstanceRefreshNotFound", "conflict"), ("IrreversibleInstanceRefresh", "invalid")]
    {
        let script = Script::of([xml::error(400, code, "no")]);
        assert_eq!(apply(&script, Step::RollBackReplacement).await.unwrap_err().kind(), kind);
    }
}

#[tokio::test(start_paused = true)]
async fn cancelling_twice_is_cancelling_once() {
    let script = Script::of([
        xml::answer("CancelInstanceRefresh", "<InstanceRefreshId>ir-1</InstanceRefreshId>"),
        xml::error(400, "ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found"),
    ]);
    let platform = script.platform();
    let web = group("web");
    let first = platform.apply(&web, &Step::CancelReplacement).await.unwrap();
    assert_eq!(first.platform_id.as_deref(), Some("ir-1"));
    assert_eq!(platform.apply(&web, &Step::CancelReplacement).await.unwrap(), Accepted::default());
    assert_eq!(
        script.sent()[0].form(),
        form(&[
            ("Action", "CancelInstanceRefresh"),
            ("Version", "2011-01-01"),
            ("AutoScalingGroupName", "web")
        ])
    );
}
