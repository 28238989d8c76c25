//! The group in Terraform: it is read by a parser of the language, and holds what keeps a plan and the controller apart.

use std::process::Command;

use scaling_tests::project;
use serde_json::{Value, json};

/// The resource of one type.
fn resource(kind: &str) -> Value {
    let parsed = Command::new(project::installed("hcl2tojson").unwrap())
        .arg(project::root().join("infra/terraform/group.tf"))
        .output()
        .unwrap();
    assert!(parsed.status.success(), "{}", String::from_utf8_lossy(&parsed.stderr));
    let document: Value = serde_json::from_slice(&parsed.stdout).unwrap();
    // The parser keeps the quotes of what is quoted.
    let named = format!("\"{kind}\"");
    let found = document["resource"].as_array().unwrap().iter().find_map(|resource| resource.get(&named));
    found.unwrap().as_object().unwrap().values().next().unwrap().clone()
}

#[test]
fn a_plan_does_not_undo_what_the_controller_changes() {
    let group = resource("aws_autoscaling_group");
    let ignored = group["lifecycle"][0]["ignore_changes"].as_array().unwrap();
    let ignored: Vec<&str> =
        ignored.iter().map(|name| name.as_str().unwrap().trim_matches(['$', '{', '}'])).collect();
    assert_eq!(ignored, ["desired_capacity", "launch_template", "mixed_instances_policy"]);
    assert!(group.get("desired_capacity").is_none(), "a plan has no capacity of its own");
}

#[test]
fn the_controller_may_change_it_and_knows_its_warm_up() {
    let group = resource("aws_autoscaling_group");
    let tag = &group["tag"][0];
    assert_eq!((&tag["key"], &tag["value"]), (&json!("\"scaling:managed\""), &json!("\"true\"")));
    assert_eq!(group["default_instance_warmup"], "${var.warm_up_seconds}");
}
