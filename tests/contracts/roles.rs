//! Who may call what over the REST interface on AWS: the template's three policies, against the table of endpoints.

use scaling_api::access::{ENDPOINTS, Role};
use serde_json::Value;

use crate::template::{resources, template};

/// The policy of a role in the template.
const POLICIES: [(Role, &str); 3] =
    [(Role::Read, "ApiReadPolicy"), (Role::Operate, "ApiOperatePolicy"), (Role::Admin, "ApiAdminPolicy")];

/// What the policy lets a caller invoke, as `METHOD/path` with `*` for anything.
fn allowed(template: &Value, policy: &str) -> Vec<String> {
    let policies = resources(template, "AWS::IAM::ManagedPolicy");
    let (_, properties) = policies.iter().find(|(name, _)| *name == policy).unwrap();
    let [statement] = &properties["PolicyDocument"]["Statement"].as_array().unwrap()[..] else {
        panic!("{policy} has one statement");
    };
    assert_eq!((&statement["Effect"], &statement["Action"]), (&"Allow".into(), &"execute-api:Invoke".into()));
    let of = |resource: &Value| {
        let arn = resource["Fn::Sub"].as_str().unwrap();
        let (api, path) = arn.split_once("/v1/").unwrap();
        assert!(api.ends_with(":${Api}"), "{policy} is about this interface alone, not {arn}");
        path.to_owned()
    };
    match &statement["Resource"] {
        Value::Array(resources) => resources.iter().map(of).collect(),
        resource => vec![of(resource)],
    }
}

/// IAM's own rule: `*` is any text, slashes included.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, rest)) => text
            .strip_prefix(before)
            .is_some_and(|text| (0..=text.len()).any(|from| matches(rest, &text[from..]))),
    }
}

#[test]
fn every_endpoint_is_open_to_exactly_the_roles_that_the_code_names() {
    let template = template();
    for (role, policy) in POLICIES {
        let allowed = allowed(&template, policy);
        for endpoint in ENDPOINTS {
            let path = endpoint.path.replace("{name}", "web").replace("{id}", "01J");
            let methods = match (endpoint.method, endpoint.role) {
                // Open to everybody is GET alone; any other method is signed, and any role may send it.
                ("GET", None) => vec!["HEAD"],
                ("GET", Some(_)) => vec!["GET", "HEAD"],
                (method, _) => vec![method],
            };
            let needed = endpoint.role.unwrap_or(Role::Read);
            for method in methods {
                let asked = format!("{method}{path}");
                let open = allowed.iter().any(|pattern| matches(pattern, &asked));
                assert_eq!(open, role >= needed, "{policy}: {asked}");
            }
        }
    }
}

#[test]
fn a_role_may_do_all_that_the_one_before_it_may() {
    let template = template();
    let all: Vec<_> = POLICIES.iter().map(|(_, policy)| allowed(&template, policy)).collect();
    for pair in all.windows(2) {
        for resource in &pair[0] {
            assert!(pair[1].iter().any(|pattern| matches(pattern, resource)), "{resource}");
        }
    }
}
