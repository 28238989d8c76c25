//! How findings are put together, and which of them are warnings.

use scaling_policy::config::{ConfigError, ConfigFault, Severity};

use super::{Row, check, each_is_warned_of, errors, parse};

#[test]
fn all_faults_are_reported_at_once_one_line_each() {
    let document = r#"{
        "mode": "hybird",
        "replicas": {"min_replicas": 5, "max_replicas": 3, "scale_up": 0.8},
        "triggers": {"cpu_threshold": -1},
        "policy": {"triggers": ["cpu", "memory_usage"], "change_window": {"cron": "x", "duration": 5}},
        "groups": [{"name": "a", "resources": {"min_cpu": 9, "max_cpu": 1}}, {"name": "a"}]
    }"#;
    let error = parse(document).err();
    let error = error.map(|error| error.to_string()).unwrap_or_default();
    let places: Vec<&str> = error.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(
        places,
        [
            "/mode",
            "/replicas/scale_up",
            "/triggers/cpu_threshold",
            "/policy/triggers/0",
            "/replicas/min_replicas",
            "/groups/0/resources/min_cpu",
            "/policy/change_window/cron",
            "/groups/1/name",
        ]
    );
    assert!(
        error.contains(
            "error: /replicas/min_replicas = 5: must not be above max_replicas (3); \
             lower min_replicas or raise max_replicas"
        ),
        "{error}"
    );
}

#[test]
fn a_fault_within_a_group_names_it_and_one_of_all_groups_names_none() {
    let document = r#"{"mode": "hybrid", "triggers": {"cpu_threshold": -1},
        "groups": [{"name": "a"}, {"name": "web", "replicas": {"min_replicas": -2}}, {"replicas": {"max_replicas": 0.5}}]}"#;
    let error = parse(document).unwrap_err();
    let named = |pointer: &str| {
        let fault = error.faults.iter().find(|fault| fault.pointer == pointer);
        fault.unwrap_or_else(|| panic!("no {pointer}: {error}")).group.clone()
    };
    assert_eq!(named("/groups/1/replicas/min_replicas"), Some("web".to_owned()));
    assert_eq!(named("/groups/2/replicas/max_replicas"), None, "it has no name");
    assert_eq!(named("/triggers/cpu_threshold"), None);
    assert!(error.to_string().contains("error: /groups/1/replicas/min_replicas (web) = -2: "), "{error}");
}

#[test]
fn a_fault_hides_no_other_and_invents_none() {
    // The wrong maximum counts as not given; the minimum is not compared with a default nobody chose.
    let found = errors(r#"{"replicas": {"min_replicas": 50, "max_replicas": "sixty"}}"#);
    let places: Vec<&str> = found.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(places, ["/replicas/max_replicas"]);
}

#[test]
fn a_fault_in_a_shared_section_is_reported_once() {
    let found = errors(
        r#"{"replicas": {"min_replicas": 5, "max_replicas": 3}, "groups": [{"name": "a"}, {"name": "b"}]}"#,
    );
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_fault_between_a_groups_value_and_a_shared_one_stands_at_the_groups() {
    let found = errors(
        r#"{"replicas": {"max_replicas": 3}, "groups": [{"name": "a", "replicas": {"min_replicas": 4}}]}"#,
    );
    let places: Vec<&str> = found.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(places, ["/groups/0/replicas/min_replicas"]);
}

#[test]
fn long_values_and_long_lists_of_faults_are_shortened() {
    let found = errors(&format!(r#"{{"mode": "{}"}}"#, "x".repeat(500)));
    assert_eq!(found[0].value.chars().count(), ConfigFault::MAX_VALUE);
    assert!(found[0].value.ends_with("..."), "{}", found[0].value);

    let keys: Vec<String> = (0..5000).map(|index| format!("\"k{index}\": 0")).collect();
    let error = parse(&format!("{{{}}}", keys.join(","))).err();
    let error = error.unwrap_or_else(|| panic!("unknown keys were accepted"));
    assert_eq!((error.faults.len(), error.omitted), (ConfigError::MAX_FAULTS, 4001));
    assert!(error.to_string().ends_with("and 4001 more"));
}

const SUSPECT: &[Row] = &[
    (r#"{"region": "mars-north-9"}"#, "/region", "\"mars-north-9\"", "no price list", "`prices`"),
    (
        r#"{"replicas": {"scale_up_threshold": 0.7}, "triggers": {"cpu_threshold": 0.8}}"#,
        "/triggers/cpu_threshold",
        "0.8",
        "differs from scale_up_threshold (0.7); cpu_usage goes by this one",
        "only one of them",
    ),
    (
        r#"{"policy": {"triggers": ["cpu_usage", "request_count"]}}"#,
        "/policy/triggers/1",
        "\"request_count\"",
        "no metric is bound to request_count",
        "`load_balancer`",
    ),
    (
        r#"{"policy": {"triggers": ["cpu_usage", "cpu_usage"]}}"#,
        "/policy/triggers/1",
        "\"cpu_usage\"",
        "listed twice",
        "keep one",
    ),
    (
        r#"{"mode": "vertical", "ladder": {"types": ["m7i.large"]}}"#,
        "/ladder/types",
        "[\"m7i.large\"]",
        "no choice",
        "at least two types",
    ),
    (
        r#"{"ladder": {"types": ["m7i.large", "m7i.lagre"]}}"#,
        "/ladder/types/1",
        "\"m7i.lagre\"",
        "not in the catalogue, so it is never chosen",
        "did you mean `m7i.large`?",
    ),
    (
        r#"{"ladder": {"families": ["m7i", "zz9"]}}"#,
        "/ladder/families/1",
        "\"zz9\"",
        "not in the catalogue",
        "",
    ),
    (
        r#"{"spot_prices": {"m7i.larg": 0.1}}"#,
        "/spot_prices/m7i.larg",
        "",
        "a type that is not in the catalogue",
        "did you mean `m7i.large`?",
    ),
    (
        r#"{"prices": {"m7i.larg": 0.1}}"#,
        "/prices/m7i.larg",
        "",
        "a type that is not in the catalogue",
        "did you mean `m7i.large`?",
    ),
    (
        r#"{"resources": {"max_cpu": 2}, "ladder": {"types": ["m7i.xlarge", "c7i.xlarge"]}}"#,
        "/ladder",
        r#"{"types":["m7i.xlarge","c7i.xlarge"]}"#,
        "no type within the bounds",
        "widen `resources`",
    ),
    (
        r#"{"triggers": {"latency_threshold": 250}}"#,
        "/triggers/latency_threshold",
        "250",
        "the unit is seconds",
        "0.25 if 250 ms",
    ),
    (
        r#"{"ladder": {"types": ["m7i.large", "m7i.large"]}}"#,
        "/ladder/types/1",
        "\"m7i.large\"",
        "listed twice",
        "keep one",
    ),
    (r#"{"programs": {"timeout": 5}}"#, "/programs", r#"{"timeout":5}"#, "no effect on aws", "standalone"),
    (
        r#"{"platform": "standalone", "load_balancer": "app/a/b",
                "programs": {"describe": ["d"], "apply": ["a"], "metrics": ["m"]}}"#,
        "/load_balancer",
        "\"app/a/b\"",
        "no effect on standalone",
        "take it out",
    ),
    (
        r#"{"platform": "standalone", "metrics": {"cpu_usage": {"namespace": "x"}},
                "programs": {"describe": ["d"], "apply": ["a"], "metrics": ["m"]}}"#,
        "/metrics/cpu_usage",
        r#"{"namespace":"x"}"#,
        "no effect on standalone but for `absence`",
        "keep only",
    ),
];

#[test]
fn what_works_but_looks_wrong_is_a_warning() {
    each_is_warned_of(SUSPECT);
}

#[test]
fn a_document_that_names_no_group_gets_a_name_and_a_warning() {
    let found = parse("{}").unwrap_or_default();
    check(&found, ("{}", "/group", "", "the group's name is \"service\"", "SCALING_GROUP"));
    assert_eq!(found[0].severity, Severity::Warning);
}

#[test]
fn each_part_of_a_window_that_cannot_be_is_told_at_once() {
    let found = errors(
        r#"{"policy": {"change_window": {"cron": "0 25 * * *", "duration": 0, "time_zone": "Berlin"}}}"#,
    );
    let pointers: Vec<&str> =
        found.iter().map(|fault| fault.pointer.rsplit('/').next().unwrap_or_default()).collect();
    assert_eq!(pointers, ["cron", "duration", "time_zone"], "{found:?}");
    assert!(found[0].rule.contains("hour is within 0 to 23, not `25`"), "{found:?}");
}

#[test]
fn half_of_a_word_is_taken_for_the_word_that_contains_it() {
    for (given, meant) in
        [("latency", "request_latency"), ("cpu", "cpu_usage"), ("memroy_usage", "memory_usage")]
    {
        let found = errors(&format!(r#"{{"policy": {{"triggers": ["{given}"]}}}}"#));
        assert_eq!(found[0].fix, format!("did you mean \"{meant}\"?"), "{found:?}");
    }
}
