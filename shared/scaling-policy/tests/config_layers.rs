//! File, environment's file and environment variables: what lies over what.

use scaling_policy::config::{Config, ConfigError, ControlLevel, Layers, Loaded, ReplicaBounds};
use serde_json::{Value, json};

const BASE: &[u8] = br#"{
    "replicas": {"min_replicas": 1, "max_replicas": 10},
    "policy": {"triggers": ["cpu_usage", "memory_usage"]},
    "groups": [{"name": "web", "control": "observe", "alarms": ["w"]}, {"name": "api"}]
}"#;

fn over<'v>(
    base: &[u8],
    file: Option<&str>,
    variables: impl IntoIterator<Item = (&'v str, &'v str)>,
) -> Result<Loaded, ConfigError> {
    let owned = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let layers = Layers::none().with_variables(owned);
    match file {
        Some(file) => Config::parse(base, &layers.with_file(file.as_bytes())),
        None => Config::parse(base, &layers),
    }
}

fn good(result: Result<Loaded, ConfigError>) -> Config {
    result.unwrap_or_else(|error| panic!("{error}")).config
}

fn message(result: Result<Loaded, ConfigError>) -> String {
    result.err().map(|error| error.to_string()).unwrap_or_default()
}

fn source(file: &str) -> Value {
    good(over(BASE, Some(file), [])).source().clone()
}

#[test]
fn objects_are_merged_lists_are_replaced_and_null_removes() {
    let file =
        r#"{"replicas": {"max_replicas": 4}, "policy": {"triggers": ["cpu_usage"]}, "region": "eu-west-1"}"#;
    let merged = source(file);
    assert_eq!(merged["replicas"], json!({"min_replicas": 1, "max_replicas": 4}));
    assert_eq!(merged["policy"]["triggers"], json!(["cpu_usage"]));
    assert_eq!(merged["region"], json!("eu-west-1"));
    assert_eq!(merged["groups"].as_array().map(Vec::len), Some(2));
    assert_eq!(source(r#"{"replicas": null}"#).get("replicas"), None);
    assert_eq!(source(r#"{"limits": {"max_groups_changed": null}}"#)["limits"], json!({}));
}

#[test]
fn groups_are_matched_by_name_and_new_ones_added() {
    let merged = source(
        r#"{"groups": [{"name": "new"}, {"name": "web", "control": "act", "replicas": {"max_replicas": 3}}]}"#,
    );
    assert_eq!(
        merged["groups"],
        json!([
            {"name": "web", "control": "act", "alarms": ["w"], "replicas": {"max_replicas": 3}},
            {"name": "api"},
            {"name": "new"},
        ])
    );
    assert_eq!(source(r#"{"groups": null}"#).get("groups"), None);
}

#[test]
fn two_groups_of_one_name_in_a_layer_stay_a_fault() {
    let text = message(over(BASE, Some(r#"{"groups": [{"name": "x"}, {"name": "x"}]}"#), []));
    assert!(text.starts_with("error: /groups/3/name (x) = \"x\": is also the name of /groups/2"), "{text}");
}

#[test]
fn a_layer_that_is_no_object_or_no_json_is_refused() {
    assert!(message(over(BASE, Some("[]"), [])).contains("must be an object"));
    assert!(message(over(BASE, Some("{"), [])).contains("must be JSON"));
    let both = message(over(b"{", Some("["), []));
    assert_eq!(both.lines().count(), 2, "both layers are reported: {both}");
}

#[test]
fn variables_lie_over_both_files() {
    let config = good(over(
        BASE,
        Some(r#"{"replicas": {"max_replicas": 4}}"#),
        [
            ("SCALING__REPLICAS__MAX_REPLICAS", "12"),
            ("SCALING__GROUPS__1__CONTROL", "act"),
            ("SCALING__POLICY__TRIGGERS", "[\"cpu_usage\"]"),
            ("SCALING__POLICY__FORECAST", "false"),
            ("SCALING__LIMITS__MAX_GROUPS_CHANGED", "2"),
            ("SCALING__REGION", ""),
            ("PATH", "/bin"),
        ],
    ));
    let api = &config.groups[1];
    assert_eq!(api.replicas, ReplicaBounds { min: 1, max: 12, target: 2 });
    assert_eq!(api.control, ControlLevel::Act);
    assert!(!api.forecast);
    assert_eq!(config.limits.max_groups_changed, Some(2));
    assert_eq!(config.region, None, "an empty variable is not set");
    assert_eq!(config.source()["replicas"]["max_replicas"], json!(12), "the source shows what is in force");
}

#[test]
fn the_only_group_is_named_by_a_variable() {
    for name in ["SCALING_GROUP", "SCALING__GROUP"] {
        let loaded = over(b"{\"group\": \"file\"}", None, [(name, "web")]);
        assert_eq!(good(loaded).groups[0].name.as_str(), "web");
    }
}

#[test]
fn a_wrong_variable_is_named_in_its_fault() {
    let text = message(over(BASE, None, [("SCALING__REPLICAS__MAX_REPLICAS", "many")]));
    assert_eq!(
        text,
        "error: /replicas/max_replicas = \"many\": must be a whole number from 1 to 100000; \
         write a number (set by the environment variable SCALING__REPLICAS__MAX_REPLICAS)"
    );
    let text = message(over(BASE, None, [("SCALING__REPLICA__MAX", "3")]));
    assert!(
        text.contains("/replica = {\"max\":3}: is no known key here; did you mean `replicas`?"),
        "{text}"
    );
    let text = message(over(BASE, None, [("SCALING__GROUPS__2__CONTROL", "act")]));
    assert!(text.contains("/groups/2 = \"act\": is no element") && text.contains("from 0 to 1"), "{text}");
    let text = message(over(BASE, None, [("SCALING__GROUPS__WEB__CONTROL", "act")]));
    assert!(text.contains("/groups/web = \"act\": is no element"), "{text}");
    let text = message(over(BASE, None, [("SCALING__GROUP", "x")]));
    assert!(text.contains("beside `groups`") && text.contains("variable SCALING__GROUP)"), "{text}");
}

#[test]
fn variables_that_clash_have_the_same_outcome_in_any_order() {
    let variables =
        [("SCALING__REPLICAS__MAX_REPLICAS", "4"), ("SCALING__REPLICAS", "{\"max_replicas\": 5}")];
    let mut turned = variables;
    turned.reverse();
    assert_eq!(over(BASE, None, variables), over(BASE, None, turned));
}

#[test]
fn text_that_reads_as_a_number_can_be_quoted() {
    assert!(message(over(b"{}", None, [("SCALING_GROUP", "7")])).contains("must be text"));
    assert_eq!(good(over(b"{}", None, [("SCALING_GROUP", "\"7\"")])).groups[0].name.as_str(), "7");
}
