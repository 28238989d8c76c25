//! What the deployment template holds.

use std::process::Command;

use scaling_tests::project;
use serde_json::{Value, json};

/// The template as JSON.
pub(crate) fn template() -> Value {
    let root = project::root();
    let mut python = Command::new(project::installed("python").unwrap());
    let python = python.arg(root.join("tests/contracts/template_json.py")).arg(root.join("template.yaml"));
    let output = python.output().unwrap();
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

fn only<'t>(template: &'t Value, kind: &str) -> &'t Value {
    let [(_, properties)] = resources(template, kind)[..] else { panic!("the template needs one {kind}") };
    properties
}

fn events(function: &Value) -> Vec<&Value> {
    function["Events"].as_object().map(|events| events.values().collect()).unwrap_or_default()
}

#[test]
fn there_are_three_functions_each_built_from_its_crate() {
    let template = template();
    let mut binaries = Vec::new();
    for (name, resource) in template["Resources"].as_object().unwrap() {
        if resource["Type"] == "AWS::Serverless::Function" {
            let binary = resource["Metadata"]["BuildProperties"]["Binary"].as_str().unwrap();
            assert!(project::root().join("functions").join(binary).is_dir(), "{name} is built from {binary}");
            binaries.push(binary.to_owned());
        }
    }
    binaries.sort();
    assert_eq!(binaries, ["alarm", "api", "schedule"]);
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
    assert_eq!(table["SSESpecification"]["SSEEnabled"], true);
    assert_eq!(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], true);
    assert_eq!(template["Resources"]["StateTable"]["DeletionPolicy"], "Retain");
    let item = project::text("shared/scaling-store/src/dynamo/item.rs").unwrap();
    for name in ["pk", "sk", "expires"] {
        assert!(item.contains(&format!("\"{name}\"")), "the store calls no attribute {name}");
    }
}

#[test]
fn every_route_but_health_asks_for_signed_requests() {
    let template = template();
    assert_eq!(only(&template, "AWS::Serverless::Api")["Auth"]["DefaultAuthorizer"], "AWS_IAM");
    let functions = resources(&template, "AWS::Serverless::Function");
    let all = functions.iter().flat_map(|(_, function)| events(function));
    let routes: Vec<_> =
        all.filter(|event| event["Type"] == "Api").map(|event| &event["Properties"]).collect();
    assert!(!routes.is_empty());
    for route in routes {
        let is_health = route["Path"] == "/health" && route["Method"] == "GET";
        let expected = if is_health { json!("NONE") } else { Value::Null };
        assert_eq!(route["Auth"]["Authorizer"], expected, "{route}");
    }
    // No other door: function URLs, and APIs of another kind, would have an authorization of their own.
    let others = ["AWS::Lambda::Url", "AWS::Serverless::HttpApi", "AWS::ApiGatewayV2::Api"];
    assert!(others.iter().all(|kind| resources(&template, kind).is_empty()));
    assert!(functions.iter().all(|(_, function)| function["FunctionUrlConfig"].is_null()));
}

#[test]
fn alarms_of_this_account_named_for_a_group_may_invoke_the_alarm_function_and_nobody_else() {
    let template = template();
    let permission = only(&template, "AWS::Lambda::Permission");
    assert_eq!(permission["Principal"], "lambda.alarms.cloudwatch.amazonaws.com");
    assert_eq!(permission["SourceAccount"], json!({ "Ref": "AWS::AccountId" }));
    assert!(permission["SourceArn"].to_string().contains(":alarm:scaling/*"));
}
