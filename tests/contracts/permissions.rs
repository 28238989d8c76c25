//! What the deployment template permits, against what the code calls.
//!
//! [`CALLS`] is reviewed by hand: whoever lets the code call something new says here who needs it and why, and the
//! template follows. Both directions are tested: no call without its permission, no permission without its call.

use std::collections::BTreeSet;

use scaling_tests::project;
use serde_json::{Value, json};

use crate::layers::metadata;
use crate::template::{expanded, resources, template};

/// Who needs a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// Every evaluation: reading groups and metrics, keeping state.
    Always,
    /// Changing the count of a group that carries the tag.
    Change,
    /// Changing the instance type of such a group, where the template's parameter allows it.
    TypeChange,
    /// Keeping the alarms that wake the groups: the schedule.
    Alarms,
    /// Only who sets things up, or runs the process form, with credentials of their own (finding groups for a configuration,
    /// making a table without the template, reading a listener's secrets); the functions never do.
    Setup,
}

/// Every call of the SDK in the adapters: the client's method, the IAM action, who needs it.
const CALLS: &[(&str, &str, Needs)] = &[
    // Groups as they are, by name.
    ("describe_auto_scaling_groups", "autoscaling:DescribeAutoScalingGroups", Needs::Always),
    // The follow-up of a type change, and replacements that others started.
    ("describe_instance_refreshes", "autoscaling:DescribeInstanceRefreshes", Needs::Always),
    // Why launches failed.
    ("describe_scaling_activities", "autoscaling:DescribeScalingActivities", Needs::Always),
    // Other controllers of the same group.
    ("describe_policies", "autoscaling:DescribePolicies", Needs::Always),
    ("describe_scheduled_actions", "autoscaling:DescribeScheduledActions", Needs::Always),
    ("get_metric_data", "cloudwatch:GetMetricData", Needs::Always),
    ("set_desired_capacity", "autoscaling:SetDesiredCapacity", Needs::Change),
    ("start_instance_refresh", "autoscaling:StartInstanceRefresh", Needs::TypeChange),
    ("rollback_instance_refresh", "autoscaling:RollbackInstanceRefresh", Needs::TypeChange),
    ("cancel_instance_refresh", "autoscaling:CancelInstanceRefresh", Needs::TypeChange),
    // The state port. A transaction is allowed to whoever may do what is in it.
    ("transact_write_items", "dynamodb:PutItem", Needs::Always),
    ("get_item", "dynamodb:GetItem", Needs::Always),
    ("batch_get_item", "dynamodb:BatchGetItem", Needs::Always),
    ("put_item", "dynamodb:PutItem", Needs::Always),
    ("batch_write_item", "dynamodb:BatchWriteItem", Needs::Always),
    ("query", "dynamodb:Query", Needs::Always),
    ("delete_item", "dynamodb:DeleteItem", Needs::Always),
    ("list_metrics", "cloudwatch:ListMetrics", Needs::Setup),
    // The alarms that wake the groups.
    ("describe_alarms", "cloudwatch:DescribeAlarms", Needs::Alarms),
    ("put_metric_alarm", "cloudwatch:PutMetricAlarm", Needs::Alarms),
    ("delete_alarms", "cloudwatch:DeleteAlarms", Needs::Alarms),
    // What protects a listener of `scaling run`, where it is named as a secret.
    ("get_secret_value", "secretsmanager:GetSecretValue", Needs::Setup),
    ("create_table", "dynamodb:CreateTable", Needs::Setup),
    ("describe_table", "dynamodb:DescribeTable", Needs::Setup),
    ("update_time_to_live", "dynamodb:UpdateTimeToLive", Needs::Setup),
    ("update_continuous_backups", "dynamodb:UpdateContinuousBackups", Needs::Setup),
];

/// What a type change needs although nothing here calls it: AWS checks an instance refresh with a desired
/// configuration as if the caller launched the instances, with their tags and their role.
const CHECKED_BY_AWS: &[&str] = &["ec2:CreateTags", "ec2:RunInstances", "iam:PassRole"];

/// Methods of the SDK's clients that send a request.
fn operations() -> BTreeSet<String> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap().iter();
    let clients = packages.filter(|package| package["name"].as_str().unwrap().starts_with("aws-sdk-"));
    let mut operations = BTreeSet::new();
    for client in clients {
        let manifest = std::path::Path::new(client["manifest_path"].as_str().unwrap());
        for entry in std::fs::read_dir(manifest.with_file_name("src").join("client")).unwrap() {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            // `customize` is in every client and sends nothing by itself.
            let name = name.strip_suffix(".rs").filter(|name| *name != "customize");
            operations.extend(name.map(str::to_owned));
        }
    }
    assert!(operations.contains("describe_auto_scaling_groups") && operations.len() > 100, "{operations:?}");
    operations
}

/// The operations among the method calls of the adapters.
fn called() -> BTreeSet<String> {
    let mut called = BTreeSet::new();
    let operations = operations();
    for folder in ["shared/scaling-aws/src", "shared/scaling-store/src"] {
        for path in project::files(folder, ".rs").unwrap() {
            let source = project::text(&path).unwrap();
            let calls = source.split("()").filter_map(|before| before.rsplit('.').next());
            called.extend(calls.filter(|name| operations.contains(*name)).map(str::to_owned));
        }
    }
    called
}

fn needed(by: &[Needs]) -> BTreeSet<&'static str> {
    CALLS.iter().filter(|(_, _, needs)| by.contains(needs)).map(|(_, action, _)| *action).collect()
}

/// The statements of the policy whose name begins with `name`: the bare one, or the one under a condition.
fn statements(template: &Value, name: &str) -> Vec<(Option<String>, Value)> {
    let policies = resources(template, "AWS::IAM::ManagedPolicy");
    let (_, policy) = policies.iter().find(|(found, _)| *found == name).unwrap();
    let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
    let unfold = |statement: &Value| match statement["Fn::If"].as_array().map(Vec::as_slice) {
        Some([condition, then, _]) => (condition.as_str().map(str::to_owned), then.clone()),
        _ => (None, statement.clone()),
    };
    statements.iter().map(unfold).collect()
}

fn actions(statement: &Value) -> BTreeSet<&str> {
    match &statement["Action"] {
        Value::Array(actions) => actions.iter().filter_map(Value::as_str).collect(),
        action => action.as_str().into_iter().collect(),
    }
}

#[test]
fn every_call_of_the_adapters_has_been_reviewed() {
    let reviewed: BTreeSet<_> = CALLS.iter().map(|(method, _, _)| (*method).to_owned()).collect();
    assert_eq!(called(), reviewed);
}

#[test]
fn reading_and_keeping_state_may_do_exactly_what_the_code_calls() {
    let template = template();
    let statements = statements(&template, "ReadPolicy");
    let granted: BTreeSet<_> = statements.iter().flat_map(|(_, statement)| actions(statement)).collect();
    assert_eq!(granted, needed(&[Needs::Always]));
}

#[test]
fn changing_may_do_exactly_what_the_code_calls_and_types_only_where_that_is_allowed() {
    let template = template();
    let (mut always, mut types) = (BTreeSet::new(), BTreeSet::new());
    let statements = statements(&template, "ChangePolicy");
    for (condition, statement) in &statements {
        let granted = if condition.is_none() { &mut always } else { &mut types };
        granted.extend(actions(statement));
    }
    assert_eq!(always, needed(&[Needs::Change]));
    let mut expected = needed(&[Needs::TypeChange]);
    expected.extend(CHECKED_BY_AWS);
    assert_eq!(types, expected);
}

#[test]
fn the_schedule_alone_may_keep_alarms_and_none_but_those_of_groups() {
    let template = template();
    let statements = statements(&template, "AlarmsPolicy");
    let granted: BTreeSet<_> = statements.iter().flat_map(|(_, statement)| actions(statement)).collect();
    assert_eq!(granted, needed(&[Needs::Alarms]));
    for (_, statement) in &statements {
        let resource = statement["Resource"]["Fn::Sub"].as_str().unwrap();
        // A list by prefix is checked against every alarm of the account; writing is not.
        let reads = actions(statement).iter().all(|action| action.starts_with("cloudwatch:Describe"));
        assert!(resource.ends_with(if reads { ":alarm:*" } else { ":alarm:scaling/*" }), "{statement}");
    }
}

#[test]
fn only_groups_that_carry_the_tag_may_be_changed() {
    for (_, statement) in statements(&template(), "ChangePolicy") {
        if actions(&statement).iter().any(|action| action.starts_with("autoscaling:")) {
            let condition = &statement["Condition"]["StringEquals"]["aws:ResourceTag/scaling:managed"];
            assert_eq!(condition, "true", "{statement}");
        }
    }
}

#[test]
fn a_permission_to_change_is_never_for_everything() {
    for (_, statement) in statements(&template(), "ChangePolicy") {
        assert_ne!(statement["Resource"], "*", "{statement}");
        assert!(actions(&statement).iter().all(|action| !action.contains('*')), "{statement}");
    }
}

#[test]
fn launching_and_passing_a_role_are_allowed_for_a_type_change_alone_and_no_further_than_it_needs() {
    let template = template();
    let statements = statements(&template, "ChangePolicy");
    let of =
        |action: &str| statements.iter().find(|(_, statement)| actions(statement).contains(action)).unwrap();
    let (when, tags) = of("ec2:CreateTags");
    assert_eq!(when.as_deref(), Some("TypeChanges"));
    assert_eq!(tags["Condition"], json!({ "StringEquals": { "ec2:CreateAction": "RunInstances" } }));
    assert_eq!(of("ec2:RunInstances").0.as_deref(), Some("TypeChanges"));
    let (when, role) = of("iam:PassRole");
    assert_eq!(when.as_deref(), Some("PassRole"));
    assert_eq!(role["Resource"], json!({ "Ref": "InstanceRoleArn" }));
    assert_eq!(role["Condition"], json!({ "StringEquals": { "iam:PassedToService": "ec2.amazonaws.com" } }));
    // The condition of the role contains the other one.
    let both = &template["Conditions"]["PassRole"]["Fn::And"][0];
    assert_eq!(both, &json!({ "Condition": "TypeChanges" }));
}

#[test]
fn a_function_s_role_holds_its_policies_the_service_s_own_and_its_destinations() {
    let template = expanded();
    let roles = resources(&template, "AWS::IAM::Role");
    for (name, role) in roles.iter().filter(|(name, _)| name.ends_with("FunctionRole")) {
        let mut managed: Vec<String> = Vec::new();
        for policy in role["ManagedPolicyArns"].as_array().unwrap() {
            let text = policy.as_str().unwrap_or_else(|| policy["Ref"].as_str().unwrap());
            managed.push(text.rsplit('/').next().unwrap().to_owned());
        }
        let mut expected =
            vec!["AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess", "ReadPolicy", "ChangePolicy"];
        if name.starts_with("Schedule") {
            expected.push("AlarmsPolicy");
        }
        assert_eq!(managed, expected, "{name}");
        for policy in role["Policies"].as_array().into_iter().flatten() {
            for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
                let resource = statement["Resource"].to_string();
                let narrow = match statement["Action"].as_str().unwrap() {
                    "events:PutEvents" => resource.contains(":event-bus/default"),
                    "sqs:SendMessage" => resource.contains("DeadLetters"),
                    other => panic!("{name} may {other}"),
                };
                assert!(narrow, "{name}: {statement}");
            }
        }
    }
    assert_eq!(roles.iter().filter(|(name, _)| name.ends_with("FunctionRole")).count(), 3);
}
