//! What the deployment template holds.

use std::path::PathBuf;
use std::process::Command;

use scaling_tests::project;
use serde_json::{Value, json};

/// The template as JSON.
pub(crate) fn template() -> Value {
    read("template.yaml", project::installed("python").unwrap(), &[])
}

/// What SAM makes of it, as JSON: with the roles, schedules and stages that its own resources stand for.
pub(crate) fn expanded() -> Value {
    read("template.yaml", project::installed_for_sam("python").unwrap(), &["--expanded"])
}

/// A template of the project as JSON.
pub(crate) fn read(path: &str, python: PathBuf, arguments: &[&str]) -> Value {
    let root = project::root();
    let mut python = Command::new(python);
    let python = python.arg(root.join("tests/contracts/template_json.py")).arg(root.join(path));
    let output = python.args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The properties of the resources of one type, by name.
pub(crate) fn resources<'t>(template: &'t Value, kind: &str) -> Vec<(&'t str, &'t Value)> {
    let all = template["Resources"].as_object().unwrap().iter();
    all.filter(|(_, resource)| resource["Type"] == kind)
        .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
        .collect()
}

/// The properties of the one resource of a type.
pub(crate) fn only<'t>(template: &'t Value, kind: &str) -> &'t Value {
    let [(_, properties)] = resources(template, kind)[..] else { panic!("the template needs one {kind}") };
    properties
}

/// The events that invoke a function.
pub(crate) fn events(function: &Value) -> Vec<&Value> {
    function["Events"].as_object().map(|events| events.values().collect()).unwrap_or_default()
}

/// `sam build` asks the Makefile of the functions for a target by the function's name in the template.
#[test]
fn there_are_three_functions_each_built_from_its_crate_by_one_invocation_of_cargo() {
    let template = template();
    let makefile = project::text("functions/Makefile").unwrap();
    let mut functions = Vec::new();
    for (name, resource) in template["Resources"].as_object().unwrap() {
        if resource["Type"] == "AWS::Serverless::Function" {
            assert_eq!(resource["Metadata"]["BuildMethod"], "makefile", "{name}");
            // From the folder of the three: there the settings of functions/.cargo hold.
            assert_eq!(resource["Properties"]["CodeUri"], "functions", "{name}");
            let target = format!("build-{name}: ");
            let of = makefile.lines().find_map(|line| line.strip_prefix(&target));
            let of = of.unwrap_or_else(|| panic!("functions/Makefile has no target {target}"));
            assert!(project::root().join("functions").join(of).is_dir(), "{name} is built from {of}");
            functions.push(of.to_owned());
        }
    }
    functions.sort();
    assert_eq!(functions, ["alarm", "api", "schedule"]);
    let builds: Vec<&str> =
        makefile.lines().filter(|line| line.starts_with("\tcargo lambda build ")).collect();
    let [build] = builds[..] else { panic!("{builds:?} are not one invocation") };
    for package in functions {
        assert!(build.contains(&format!("--package {package}")), "{build}");
    }
    // No copy of the folder, which would be no workspace.
    assert!(project::text("samconfig.toml").unwrap().contains("build_in_source = true"));
}

#[test]
fn the_schedule_runs_every_minute_and_a_late_run_is_dropped() {
    let template = template();
    let functions = resources(&template, "AWS::Serverless::Function");
    let all = functions.iter().flat_map(|(_, function)| events(function));
    let schedules: Vec<_> = all.filter(|event| event["Type"] == "ScheduleV2").collect();
    let [schedule] = schedules[..] else { panic!("there is one schedule, not {}", schedules.len()) };
    assert_eq!(schedule["Properties"]["ScheduleExpression"], "rate(1 minute)");
    let retries = &schedule["Properties"]["RetryPolicy"];
    assert_eq!(retries, &json!({ "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60 }));
}

#[test]
fn events_that_are_too_old_are_given_up_and_those_of_alarms_are_kept_for_a_person() {
    let template = template();
    let invoked = |name: &str| &template["Resources"][name]["Properties"]["EventInvokeConfig"];
    let (schedule, alarm) = (invoked("ScheduleFunction"), invoked("AlarmFunction"));
    assert_eq!(
        (&schedule["MaximumEventAgeInSeconds"], &schedule["MaximumRetryAttempts"]),
        (&json!(60), &json!(0))
    );
    assert!(alarm["MaximumEventAgeInSeconds"].as_u64().unwrap() <= 300);
    assert_eq!(alarm["DestinationConfig"]["OnFailure"]["Type"], "SQS");
    let schedules = resources(&template, "AWS::Serverless::Function").iter().find_map(|(_, function)| {
        events(function).into_iter().find(|event| event["Type"] == "ScheduleV2").cloned()
    });
    let letters = json!({ "Fn::GetAtt": ["DeadLetters", "Arn"] });
    assert_eq!(schedules.unwrap()["Properties"]["DeadLetterConfig"]["Arn"], letters);
}

#[test]
fn what_costs_or_changes_most_is_off_until_somebody_switches_it_on() {
    let template = template();
    let default = |name: &str| template["Parameters"][name]["Default"].clone();
    assert_eq!((default("AllowTypeChanges"), default("ReservedConcurrency")), (json!("false"), json!(0)));
    let concurrency = &template["Globals"]["Function"]["ReservedConcurrentExecutions"]["Fn::If"];
    assert_eq!((&concurrency[0], &concurrency[2]), (&json!("Reserve"), &json!({ "Ref": "AWS::NoValue" })));
}

#[test]
fn every_parameter_is_described_and_constrained() {
    let template = template();
    for (name, parameter) in template["Parameters"].as_object().unwrap() {
        assert!(parameter["Description"].is_string(), "{name}");
        let constrained = ["AllowedValues", "AllowedPattern", "MinValue"];
        assert!(constrained.iter().any(|constraint| !parameter[constraint].is_null()), "{name}");
        let shown = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"].to_string();
        assert!(shown.contains(&format!("\"{name}\"")), "{name} stands in no group");
    }
}

#[test]
fn logs_are_encrypted_and_kept_as_long_as_the_parameter_says() {
    let template = template();
    let groups = resources(&template, "AWS::Logs::LogGroup");
    for (name, group) in &groups {
        assert_eq!(group["RetentionInDays"], json!({ "Ref": "LogRetentionDays" }), "{name}");
        assert_eq!(group["KmsKeyId"], json!({ "Fn::GetAtt": ["Key", "Arn"] }), "{name}");
    }
    for (name, function) in resources(&template, "AWS::Serverless::Function") {
        let group = function["LoggingConfig"]["LogGroup"]["Ref"].as_str().unwrap();
        assert!(groups.iter().any(|(found, _)| *found == group), "{name} logs to {group}");
    }
    let access = &only(&template, "AWS::Serverless::Api")["AccessLogSetting"]["DestinationArn"]["Fn::GetAtt"];
    assert_eq!(access[0], "AccessLogs");
}

/// What an event holds is kept as the state is: under the stack's key, which lets SQS use it for whoever may use the queue.
#[test]
fn messages_of_topic_and_queue_are_encrypted_with_the_stack_s_key() {
    let template = template();
    for kind in ["AWS::SNS::Topic", "AWS::SQS::Queue"] {
        assert_eq!(only(&template, kind)["KmsMasterKeyId"], json!({ "Ref": "Key" }), "{kind}");
    }
    let key = &only(&template, "AWS::KMS::Key")["KeyPolicy"]["Statement"];
    let statement =
        key.as_array().unwrap().iter().find(|statement| statement["Sid"] == "ForTheQueue").unwrap();
    assert_eq!(statement["Action"], json!(["kms:Decrypt", "kms:GenerateDataKey"]));
    let only_by = &statement["Condition"]["StringEquals"];
    assert_eq!(only_by["kms:CallerAccount"], json!({ "Ref": "AWS::AccountId" }));
    assert!(only_by["kms:ViaService"]["Fn::Sub"].as_str().unwrap().starts_with("sqs."), "{statement}");
    // The senders' roles know nothing of the key: its own policy lets them use it.
    assert_eq!(statement["Principal"], json!({ "AWS": "*" }));
}

#[test]
fn names_that_are_one_for_the_account_are_the_stack_s_own() {
    for (name, schedule) in resources(&expanded(), "AWS::Scheduler::Schedule") {
        assert!(schedule["Name"].to_string().contains("AWS::StackName"), "{name}: {}", schedule["Name"]);
    }
    let named: &[&str] =
        &["RoleName", "ManagedPolicyName", "FunctionName", "TableName", "QueueName", "TopicName"];
    for (name, resource) in expanded()["Resources"].as_object().unwrap() {
        let kind = resource["Type"].as_str().unwrap();
        let owner =
            ["AWS::IAM::", "AWS::Lambda::Function", "AWS::DynamoDB::", "AWS::SQS::", "AWS::SNS::Topic"];
        if owner.iter().any(|prefix| kind.starts_with(prefix)) {
            assert!(
                named.iter().all(|name| resource["Properties"][name].is_null()),
                "{name} could be made only once"
            );
        }
    }
}

#[test]
fn a_run_ends_before_the_next_one_is_due() {
    for (name, function) in resources(&template(), "AWS::Serverless::Function") {
        assert!(function["Timeout"].as_u64().unwrap() < 60, "{name}");
    }
}

#[test]
fn the_table_has_the_store_s_key_and_is_encrypted_recoverable_and_kept() {
    let template = template();
    let table = only(&template, "AWS::DynamoDB::Table");
    let key =
        json!([{ "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" }]);
    assert_eq!(table["KeySchema"], key);
    assert_eq!(table["TimeToLiveSpecification"], json!({ "AttributeName": "expires", "Enabled": true }));
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(table["SSESpecification"]["SSEType"], "KMS");
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(template["Resources"]["StateTable"]["DeletionPolicy"], "Retain");
    let item = project::text("shared/scaling-store/src/dynamo/item.rs").unwrap();
    for name in ["pk", "sk", "expires"] {
        assert!(item.contains(&format!("\"{name}\"")), "the store calls no attribute {name}");
    }
}

/// The shipped example names an alarm that somebody else keeps, as `alarms` of a group may.
#[test]
fn every_alarm_of_this_account_may_invoke_the_alarm_function_and_nobody_else() {
    let template = template();
    let permission = only(&template, "AWS::Lambda::Permission");
    assert_eq!(permission["FunctionName"], json!({ "Fn::GetAtt": ["AlarmFunction", "Arn"] }));
    assert_eq!(permission["Principal"], "lambda.alarms.cloudwatch.amazonaws.com");
    assert_eq!(permission["SourceAccount"], json!({ "Ref": "AWS::AccountId" }));
    let source = permission["SourceArn"]["Fn::Sub"].as_str().unwrap();
    let (here, allowed) = source.split_once(":alarm:").unwrap();
    assert!(here.ends_with(":cloudwatch:${AWS::Region}:${AWS::AccountId}"), "{source}");
    let example = project::text("config/scaling.example.json").unwrap();
    let example: Value = serde_json::from_str(&example).unwrap();
    let groups = example["groups"].as_array().unwrap().iter();
    let named: Vec<&Value> = groups.filter_map(|group| group["alarms"].as_array()).flatten().collect();
    assert!(named.iter().any(|name| !name.as_str().unwrap().starts_with("scaling/")), "{named:?}");
    assert_eq!(allowed, "*", "{named:?}");
}
