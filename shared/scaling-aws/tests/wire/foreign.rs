//! Other controllers of a group.

use scaling_control::ports::GroupReader;
use scaling_policy::snapshot::ForeignController;

use crate::script::{Reply, Script, Sent, form, group};
use crate::xml;

fn tag(key: &str, value: &str) -> String {
    format!("<Key>{key}</Key><Value>{value}</Value><ResourceType>auto-scaling-group</ResourceType>")
}

fn policy(group: &str, name: &str, more: &str) -> String {
    format!("<AutoScalingGroupName>{group}</AutoScalingGroupName><PolicyName>{name}</PolicyName>{more}")
}

fn action(group: &str, name: &str) -> String {
    format!(
        "<AutoScalingGroupName>{group}</AutoScalingGroupName><ScheduledActionName>{name}</ScheduledActionName>"
    )
}

/// Everything that the account holds: of the three groups, and of one that nobody asks for.
fn policies() -> Vec<String> {
    let predictive = |mode: &str| {
        format!("<PredictiveScalingConfiguration><Mode>{mode}</Mode></PredictiveScalingConfiguration>")
    };
    vec![
        policy("busy", "cpu-50", "<PolicyType>TargetTrackingScaling</PolicyType><Enabled>true</Enabled>"),
        policy("busy", "switched-off", "<Enabled>false</Enabled>"),
        policy("other", "not-ours", ""),
        policy("busy", "forecast", &predictive("ForecastOnly")),
        policy("busy", "predictive", &predictive("ForecastAndScale")),
    ]
}

/// Answers a listing of all groups or of one.
fn respond(sent: &Sent) -> Reply {
    let operation = sent.operation();
    let of = sent.field("AutoScalingGroupName");
    let listed = |entries: Vec<String>| {
        let of = of.as_ref().map(|group| format!("<AutoScalingGroupName>{group}<"));
        entries
            .into_iter()
            .filter(|entry| of.as_ref().is_none_or(|of| entry.contains(of)))
            .collect::<Vec<_>>()
    };
    match operation.as_str() {
        "DescribeAutoScalingGroups" => {
            let tags = [
                tag("Name", "web"),
                tag("k8s.io/cluster-autoscaler/enabled", "true"),
                tag("karpenter.sh/nodepool", "false"),
            ];
            let asked: Vec<String> = sent.form().into_iter().map(|(_, value)| value).collect();
            let groups =
                [("busy", xml::list("Tags", tags)), ("quiet", String::new()), ("gone", String::new())];
            let there = groups.iter().filter(|(name, _)| asked.contains(&(*name).to_owned()));
            xml::groups(there.map(|(name, more)| xml::group(name, more)))
        }
        _ if of.as_deref() == Some("gone") => {
            xml::error(400, "ValidationError", "AutoScalingGroup name not found - null")
        }
        "DescribePolicies" => xml::answer(&operation, &xml::list("ScalingPolicies", listed(policies()))),
        _ => {
            let actions = listed(vec![action("busy", "night"), action("other", "day")]);
            xml::answer(&operation, &xml::list("ScheduledUpdateGroupActions", actions))
        }
    }
}

/// What acts on the group `busy`.
fn busy() -> Vec<ForeignController> {
    vec![
        ForeignController::ScalingPolicy { name: "cpu-50".to_owned() },
        ForeignController::ScalingPolicy { name: "predictive".to_owned() },
        ForeignController::ScheduledAction { name: "night".to_owned() },
        ForeignController::Tag { key: "k8s.io/cluster-autoscaler/enabled".to_owned() },
    ]
}

fn operations(script: &Script) -> Vec<String> {
    let mut operations: Vec<String> = script.sent().iter().map(Sent::operation).collect();
    operations.sort();
    operations
}

#[tokio::test(start_paused = true)]
async fn whatever_else_acts_on_several_groups_is_found_by_listing_the_account() {
    let script = Script::new(|sent, _| respond(sent));
    let groups = ["busy", "quiet", "missing"].map(group);
    let found = script.platform().foreign_controllers(&groups).await.unwrap();

    assert_eq!(found.keys().map(ToString::to_string).collect::<Vec<_>>(), ["busy", "quiet"]);
    assert_eq!(found[&groups[0].name], busy());
    assert_eq!(found[&groups[1].name], []);
    assert_eq!(
        operations(&script),
        ["DescribeAutoScalingGroups", "DescribePolicies", "DescribeScheduledActions"]
    );
    for operation in ["DescribePolicies", "DescribeScheduledActions"] {
        let sent = script.sent();
        let only = sent.iter().find(|sent| sent.operation() == operation).unwrap();
        let asked = [("Action", operation), ("Version", "2011-01-01"), ("MaxRecords", "100")];
        assert_eq!(only.form(), form(&asked));
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_else_acts_on_one_group_is_asked_for_by_its_name() {
    let script = Script::new(|sent, _| respond(sent));
    let groups = [group("busy")];
    let found = script.platform().foreign_controllers(&groups).await.unwrap();
    assert_eq!(found[&groups[0].name], busy());
    for operation in ["DescribePolicies", "DescribeScheduledActions"] {
        let sent = script.sent();
        let only = sent.iter().find(|sent| sent.operation() == operation).unwrap();
        let asked = [
            ("Action", operation),
            ("Version", "2011-01-01"),
            ("AutoScalingGroupName", "busy"),
            ("MaxRecords", "100"),
        ];
        assert_eq!(only.form(), form(&asked));
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_acts_on_a_group_that_was_deleted_since_it_was_described() {
    let script = Script::new(|sent, _| respond(sent));
    let groups = [group("gone")];
    let found = script.platform().foreign_controllers(&groups).await.unwrap();
    assert_eq!(found[&groups[0].name], []);
}

#[tokio::test(start_paused = true)]
async fn few_groups_in_an_account_of_many_policies_are_asked_for_one_by_one() {
    let script =
        Script::new(|sent, before| match (sent.operation().as_str(), sent.field("AutoScalingGroupName")) {
            ("DescribePolicies", None) => {
                let page = format!("<NextToken>page-{before}</NextToken>");
                xml::answer("DescribePolicies", &page)
            }
            _ => respond(sent),
        });
    let groups = ["busy", "quiet", "gone"].map(group);
    let found = script.platform().foreign_controllers(&groups).await.unwrap();
    assert_eq!(found[&groups[0].name].len(), busy().len());
    assert_eq!(found[&groups[1].name], []);
    assert_eq!(found[&groups[2].name], []);
    let policies = operations(&script).iter().filter(|name| *name == "DescribePolicies").count();
    assert_eq!(policies, 3 + 3, "a page for each group, and then each group");
    let schedules = operations(&script).iter().filter(|name| *name == "DescribeScheduledActions").count();
    assert_eq!(schedules, 1);
}

#[tokio::test(start_paused = true)]
async fn where_the_account_does_not_answer_in_time_what_could_be_asked_for_is_kept() {
    let script = Script::new(|sent, _| match sent.field("AutoScalingGroupName").as_deref() {
        None if sent.operation() != "DescribeAutoScalingGroups" => Reply::Silence,
        Some("quiet") => Reply::Silence,
        _ => respond(sent),
    });
    let groups = ["busy", "quiet", "gone"].map(group);
    let began = tokio::time::Instant::now();
    let found = script.platform().foreign_controllers(&groups).await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 10);
    assert_eq!(found.keys().map(ToString::to_string).collect::<Vec<_>>(), ["busy", "gone"]);
    assert_eq!(found[&groups[0].name], busy());
}

#[tokio::test(start_paused = true)]
async fn not_being_allowed_to_look_is_an_error_and_not_an_empty_answer() {
    let script = Script::new(|sent, _| match sent.operation().as_str() {
        "DescribePolicies" => xml::error(403, "AccessDenied", "not authorized"),
        _ => respond(sent),
    });
    let error = script.platform().foreign_controllers(&[group("busy")]).await.unwrap_err();
    assert_eq!(error.kind(), "denied");
    assert!(error.to_string().contains("autoscaling:DescribePolicies"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn not_being_allowed_to_list_the_account_is_not_tried_group_by_group() {
    let script = Script::new(|sent, _| match sent.operation().as_str() {
        "DescribePolicies" => xml::error(403, "AccessDenied", "not authorized"),
        _ => respond(sent),
    });
    let groups = ["busy", "quiet", "gone"].map(group);
    let error = script.platform().foreign_controllers(&groups).await.unwrap_err();
    assert_eq!(error.kind(), "denied");
    assert!(script.sent().len() <= 3, "{:?}", operations(&script));
}
