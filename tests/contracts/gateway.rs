//! The REST interface's door on AWS: what the gateway asks of a request, and in whose name it invokes the function.

use std::collections::BTreeSet;
use std::process::Command;

use scaling_tests::project;
use serde_json::{Value, json};

use crate::template::{events, expanded, only, resources, template};

/// (Path and method, method) of everything that the gateway takes, as CloudFormation is given it.
fn methods(expanded: &Value) -> Vec<(String, Value)> {
    let paths = only(expanded, "AWS::ApiGateway::RestApi")["Body"]["paths"].as_object().unwrap().clone();
    let methods = paths.into_iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().clone().into_iter();
        methods.map(move |(name, method)| (format!("{name} {path}"), method))
    });
    let methods: Vec<_> = methods.collect();
    // The proxy, and GET and the other methods of /health.
    assert!(methods.len() >= 3, "{methods:?}");
    methods
}

#[test]
fn every_route_but_health_asks_for_signed_requests() {
    let template = template();
    assert_eq!(only(&template, "AWS::Serverless::Api")["Auth"]["DefaultAuthorizer"], "AWS_IAM");
    let functions = resources(&template, "AWS::Serverless::Function");
    let all = functions.iter().flat_map(|(_, function)| events(function));
    let throttled = &only(&template, "AWS::Serverless::Api")["MethodSettings"][0];
    assert_eq!(throttled["ThrottlingRateLimit"], json!({ "Ref": "RequestsPerSecond" }));
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

/// What a second one lets in would be neither throttled nor logged.
#[test]
fn there_is_one_stage() {
    let expanded = expanded();
    assert_eq!(only(&expanded, "AWS::ApiGateway::Stage")["StageName"], "v1");
    for (name, deployment) in resources(&expanded, "AWS::ApiGateway::Deployment") {
        assert!(deployment["StageName"].is_null(), "{name}: {deployment}");
    }
}

/// With the caller's credentials on the integration, a caller would need lambda:InvokeFunction beside the role's policy.
#[test]
fn the_gateway_invokes_the_function_in_its_own_name() {
    let expanded = expanded();
    for (name, method) in methods(&expanded) {
        let integration = &method["x-amazon-apigateway-integration"];
        assert_eq!(integration["type"], "aws_proxy", "{name}");
        assert!(integration["credentials"].is_null(), "{name}: {}", integration["credentials"]);
    }
    let permissions = resources(&expanded, "AWS::Lambda::Permission");
    let of_the_gateway = permissions.iter().filter(|(_, permission)| {
        permission["Principal"] == "apigateway.amazonaws.com"
            && permission["SourceArn"].to_string().contains(":execute-api:")
    });
    assert_eq!(of_the_gateway.count(), methods(&expanded).len());
}

/// A usage plan counts only requests to methods that ask for a key. The key is wanted beside the signature.
#[test]
fn every_signed_request_takes_its_share_of_the_usage_plan() {
    let expanded = expanded();
    for (name, method) in methods(&expanded) {
        let asked = method["security"].as_array().unwrap().iter();
        let asked: BTreeSet<&str> =
            asked.flat_map(|scheme| scheme.as_object().unwrap().keys().map(String::as_str)).collect();
        let expected: &[&str] = if name == "get /health" { &["NONE"] } else { &["AWS_IAM", "api_key"] };
        assert_eq!(asked, expected.iter().copied().collect(), "{name}");
    }
    let schemes = &only(&expanded, "AWS::ApiGateway::RestApi")["Body"]["securityDefinitions"];
    assert_eq!(schemes["api_key"], json!({ "type": "apiKey", "in": "header", "name": "x-api-key" }));
    assert_eq!(schemes["AWS_IAM"]["x-amazon-apigateway-authtype"], "awsSigv4");

    let (written, here) = (template(), |name: &str| json!({ "Ref": name }));
    let plan = only(&expanded, "AWS::ApiGateway::UsagePlan");
    assert_eq!(plan["ApiStages"], json!([{ "ApiId": here("Api"), "Stage": here("Apiv1Stage") }]));
    let key = only(&expanded, "AWS::ApiGateway::UsagePlanKey");
    assert_eq!(key["UsagePlanId"], here("ApiUsagePlan"));
    assert_eq!(key["KeyId"], written["Outputs"]["ApiKeyId"]["Value"]);
    let limits = &only(&written, "AWS::Serverless::Api")["Auth"]["UsagePlan"];
    assert_eq!(limits["Quota"], json!({ "Limit": here("RequestsPerDay"), "Period": "DAY" }));
    assert_eq!(limits["Throttle"]["RateLimit"], here("RequestsPerSecond"));
}

/// `sam deploy --guided` asks back for each route that says nothing of authorization, and gives up where nobody answers yes.
#[test]
fn the_guided_deployment_has_no_route_to_ask_back_for() {
    const ASKED: &str = "import json, sys\n\
        from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider as Stacks\n\
        from samcli.commands.deploy.auth_utils import auth_per_resource\n\
        print(json.dumps(auth_per_resource(Stacks.get_stacks(sys.argv[1])[0])))";
    let mut python = Command::new(project::installed_for_sam("python").unwrap());
    let output = python.args(["-c", ASKED]).arg(project::root().join("template.yaml")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let routes: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Everything, GET /health, and what else is asked of that path.
    assert_eq!(routes, json!([["ApiFunction", true], ["ApiFunction", true], ["ApiFunction", true]]));
}
