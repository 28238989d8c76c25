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
    // The one that the adapter misses where a group lacks it: a warning about another tag would mislead.
    let (tag, value) = scaling_aws::MANAGED;
    let condition = json!({"StringEquals": {format!("aws:ResourceTag/{tag}"): value}});
    for (_, statement) in statements(&template(), "ChangePolicy") {
        if actions(&statement).iter().any(|action| action.starts_with("autoscaling:")) {
            assert_eq!(statement["Condition"], condition, "{statement}");
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
    assert_eq!(
        role["Condition"],
        json!({ "StringEquals": { "iam:PassedToService": { "Fn::Sub": "ec2.${AWS::URLSuffix}" } } })
    );
    // The condition of the role contains the other one.
    let both = &template["Conditions"]["PassRole"]["Fn::And"][0];
    assert_eq!(both, &json!({ "Condition": "TypeChanges" }));
}

/// What RunInstances is checked for, by what a launch template may name; AWS's own images and snapshots belong to no account.
const LAUNCHED_WITH: [&str; 11] = [
    "capacity-reservation/*",
    "instance/*",
    "key-pair/*",
    "launch-template/*",
    "network-interface/*",
    "placement-group/*",
    "security-group/*",
    "subnet/*",
    "volume/*",
    "image/*",
    "snapshot/*",
];

#[test]
fn launching_reaches_what_a_launch_template_may_name_in_this_account_and_region_alone() {
    let template = template();
    let statements = statements(&template, "ChangePolicy");
    let launch = statements.iter().find(|(_, statement)| actions(statement).contains("ec2:RunInstances"));
    let resources = launch.unwrap().1["Resource"].as_array().unwrap();
    let named = resources.iter().map(|resource| {
        let resource = resource["Fn::Sub"].as_str().unwrap();
        let (place, named) = resource.rsplit_once(':').unwrap();
        let public = ["image/*", "snapshot/*"].contains(&named);
        let account = if public { "" } else { "${AWS::AccountId}" };
        assert_eq!(place, format!("arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:{account}"), "{resource}");
        named
    });
    assert_eq!(named.collect::<Vec<_>>(), LAUNCHED_WITH);
}

/// What Lambda does in a function's name: (action, the only resource it may do it to).
fn of_lambda(function: &str) -> Vec<(&'static str, Value)> {
    let logs = json!({ "Fn::GetAtt": [format!("{function}Logs"), "Arn"] });
    let bus = "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default";
    let mut all = vec![
        ("logs:CreateLogStream", logs.clone()),
        ("logs:PutLogEvents", logs),
        // X-Ray knows no narrower resource.
        ("xray:PutTelemetryRecords", json!("*")),
        ("xray:PutTraceSegments", json!("*")),
    ];
    if function != "Api" {
        all.push(("events:PutEvents", json!({ "Fn::Sub": bus })));
    }
    if function == "Alarm" {
        all.push(("sqs:SendMessage", json!({ "Fn::GetAtt": ["DeadLetters", "Arn"] })));
    }
    all
}

#[test]
fn a_function_s_role_holds_its_policies_and_what_lambda_does_in_its_name_and_no_policy_of_aws() {
    let template = expanded();
    let roles = resources(&template, "AWS::IAM::Role");
    for function in ["Schedule", "Alarm", "Api"] {
        let name = format!("{function}Function");
        let (_, properties) =
            *resources(&template, "AWS::Lambda::Function").iter().find(|(found, _)| *found == name).unwrap();
        assert_eq!(properties["Role"], json!({ "Fn::GetAtt": [format!("{name}Role"), "Arn"] }));
        assert_eq!(properties["LoggingConfig"]["LogGroup"], json!({ "Ref": format!("{function}Logs") }));
        let (_, role) = roles.iter().find(|(found, _)| *found == format!("{name}Role")).unwrap();
        let mut expected = vec![json!({ "Ref": "ReadPolicy" }), json!({ "Ref": "ChangePolicy" })];
        expected.extend((function == "Schedule").then(|| json!({ "Ref": "AlarmsPolicy" })));
        assert_eq!(role["ManagedPolicyArns"], Value::Array(expected), "{name}");
        let policies = role["Policies"].as_array().unwrap().iter();
        let statements =
            policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap());
        let granted: Vec<(&str, Value)> = statements
            .flat_map(|statement| {
                assert_eq!(statement["Effect"], "Allow");
                actions(statement).into_iter().map(|action| (action, statement["Resource"].clone()))
            })
            .collect();
        assert_eq!(granted, of_lambda(function), "{name}");
    }
    // Every other role is a person's setting for the account, or SAM's for the schedule, which may invoke one function.
    let others = roles.iter().filter(|(name, _)| !name.ends_with("FunctionRole")).map(|(name, _)| *name);
    assert_eq!(
        others.collect::<BTreeSet<_>>(),
        BTreeSet::from(["ApiGatewayLoggingRole", "ScheduleFunctionEveryMinuteRole"])
    );
}

#[test]
fn the_key_is_for_the_logs_of_this_stack_alone() {
    let template = template();
    let key = &resources(&template, "AWS::KMS::Key")[0].1["KeyPolicy"]["Statement"];
    let logs = key.as_array().unwrap().iter().find(|statement| statement["Sid"] == "ForLogs").unwrap();
    let allowed =
        logs["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]["Fn::Sub"].as_str().unwrap();
    assert!(allowed.ends_with(":log-group:${AWS::StackName}-*"), "{allowed}");
    // CloudFormation names a group after stack and resource only where the template gives it no name.
    let groups = resources(&template, "AWS::Logs::LogGroup");
    assert!(
        groups.len() == 4 && groups.iter().all(|(_, group)| group["LogGroupName"].is_null()),
        "{groups:?}"
    );
}
