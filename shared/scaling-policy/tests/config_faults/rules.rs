//! Faults between values that are each fine by themselves.

use super::{Row, each_is_refused, errors};

const NOTHING_LEFT: &[Row] = &[
    (
        r#"{"replicas": {"min_replicas": 5, "max_replicas": 3}}"#,
        "/replicas/min_replicas",
        "5",
        "must not be above max_replicas (3)",
        "lower min_replicas or raise max_replicas",
    ),
    (
        r#"{"replicas": {"min_replicas": 20}}"#,
        "/replicas/min_replicas",
        "20",
        "must not be above max_replicas (10, the default)",
        "raise max_replicas",
    ),
    (
        r#"{"replicas": {"min_replicas": 3, "max_replicas": 5, "target_replicas": 2}}"#,
        "/replicas/min_replicas",
        "3",
        "must not be above target_replicas (2)",
        "raise target_replicas",
    ),
    (
        r#"{"replicas": {"max_replicas": 5, "target_replicas": 6}}"#,
        "/replicas/target_replicas",
        "6",
        "must not be above max_replicas (5)",
        "lower target_replicas",
    ),
    (
        r#"{"resources": {"min_cpu": 4, "max_cpu": 2}}"#,
        "/resources/min_cpu",
        "4",
        "must not be above max_cpu (2)",
        "raise max_cpu",
    ),
    (
        r#"{"resources": {"max_memory": 64}}"#,
        "/resources/max_memory",
        "64",
        "must not be below min_memory (128, the default)",
        "give min_memory",
    ),
    (
        r#"{"resources": {"cpu_request": 4, "cpu_limit": 2}}"#,
        "/resources/cpu_request",
        "4",
        "must not be above cpu_limit (2)",
        "raise cpu_limit",
    ),
    (
        r#"{"resources": {"memory_request": 9000, "max_memory": 8192}}"#,
        "/resources/memory_request",
        "9000",
        "must not be above max_memory (8192)",
        "lower memory_request",
    ),
    (
        r#"{"resources": {"min_cpu": 2, "cpu_limit": 1}}"#,
        "/resources/min_cpu",
        "2",
        "must not be above cpu_limit (1)",
        "raise cpu_limit",
    ),
];

#[test]
fn bounds_that_leave_nothing_are_refused() {
    each_is_refused(NOTHING_LEFT);
}

#[test]
fn crossed_thresholds_are_refused() {
    each_is_refused(&[
        (
            r#"{"replicas": {"scale_up_threshold": 0.3, "scale_down_threshold": 0.6}}"#,
            "/replicas/scale_down_threshold",
            "0.6",
            "must be below scale_up_threshold (0.3)",
            "leave room",
        ),
        (
            r#"{"replicas": {"scale_up_threshold": 0.5, "scale_down_threshold": 0.5}}"#,
            "/replicas/scale_down_threshold",
            "0.5",
            "crosses",
            "leave room",
        ),
        (
            r#"{"replicas": {"scale_up_threshold": 0.1}}"#,
            "/replicas/scale_up_threshold",
            "0.1",
            "scale_down_threshold (0.2)",
            "leave room",
        ),
        (
            r#"{"policy": {"scale_down": "threshold"}, "triggers": {"cpu_threshold": 0.2}}"#,
            "/triggers/cpu_threshold",
            "0.2",
            "must be above scale_down_threshold (0.2)",
            "\"window\"",
        ),
    ]);
}

#[test]
fn the_list_of_groups_must_name_each_group_once() {
    each_is_refused(&[
        (r#"{"groups": []}"#, "/groups", "[]", "must have a group", "take `groups` out"),
        (r#"{"groups": [{}]}"#, "/groups/0/name", "", "must be given", "Auto Scaling group"),
        (r#"{"groups": [{"name": null}]}"#, "/groups/0/name", "", "must be given", "Auto Scaling group"),
        (r#"{"groups": [{"name": 7}]}"#, "/groups/0/name", "7", "must be text", "quotes"),
        (
            r#"{"groups": [{"name": "web"}, {"name": "api"}, {"name": "web"}]}"#,
            "/groups/2/name",
            "\"web\"",
            "is also the name of /groups/0",
            "its own name",
        ),
        (
            r#"{"groups": [{"name": " web"}]}"#,
            "/groups/0/name",
            "\" web\"",
            "without spaces at its ends",
            "as the platform has it",
        ),
        (r#"{"group": "a", "groups": [{"name": "b"}]}"#, "/group", "\"a\"", "beside `groups`", "take it out"),
        (
            r#"{"groups": [{"name": "a", "alarms": ["x"]}, {"name": "b", "alarms": ["x"]}]}"#,
            "/groups/1/alarms",
            "[\"x\"]",
            "an alarm of one group: x is also one of a",
            "that it watches",
        ),
    ]);
}

#[test]
fn the_mode_has_one_value() {
    each_is_refused(&[
        (
            r#"{"mode": "hybrid", "policy": {"mode": "vertical"}}"#,
            "/policy/mode",
            "\"vertical\"",
            "must be the same as `mode`",
            "only one of them",
        ),
        (
            r#"{"groups": [{"name": "a", "mode": "hybrid", "policy": {"mode": "vertical"}}]}"#,
            "/groups/0/policy/mode",
            "\"vertical\"",
            "must be the same as `mode`",
            "only one of them",
        ),
    ]);
}

#[test]
fn priority_triggers_must_be_triggers() {
    each_is_refused(&[
        (
            r#"{"policy": {"triggers": ["memory_usage"], "priority_triggers": ["memory_usage", "cpu_usage"]}}"#,
            "/policy/priority_triggers/1",
            "\"cpu_usage\"",
            "must be one of policy.triggers",
            "add \"cpu_usage\" to policy.triggers",
        ),
        (r#"{"policy": {"triggers": []}}"#, "/policy/triggers", "[]", "must list a trigger", "leave it out"),
    ]);
}

#[test]
fn a_metric_must_be_named_wholly() {
    each_is_refused(&[
        (
            r#"{"metrics": {"request_count": {"statistic": "Sum"}}}"#,
            "/metrics/request_count",
            r#"{"statistic":"Sum"}"#,
            "must name the metric",
            "`load_balancer`",
        ),
        (
            r#"{"metrics": {"request_latency": {"metric": "Duration"}}}"#,
            "/metrics/request_latency",
            r#"{"metric":"Duration"}"#,
            "must name the metric",
            "`namespace` and `metric`",
        ),
        (
            r#"{"metrics": {"cpu_usage": {"dimensions": {"Host": 1}}}}"#,
            "/metrics/cpu_usage/dimensions/Host",
            "1",
            "must be text",
            "quotes",
        ),
        (
            r#"{"metrics": {"cpu_usage": {"scale": 0}}}"#,
            "/metrics/cpu_usage/scale",
            "0",
            "a factor above 0",
            "0.01 where the metric is a percentage",
        ),
        (
            r#"{"load_balancer": "net/web/1"}"#,
            "/load_balancer",
            "\"net/web/1\"",
            "an application load balancer",
            "do not measure requests",
        ),
        (
            r#"{"target_group": "targetgroup/web/1"}"#,
            "/target_group",
            "\"targetgroup/web/1\"",
            "must come with `load_balancer`",
            "in front of it",
        ),
        (
            r#"{"load_balancer": "app/web/1", "target_group": "web"}"#,
            "/target_group",
            "\"web\"",
            "targetgroup/<name>/<id>",
            "as CloudWatch shows it",
        ),
        (
            r#"{"triggers": {"evaluation_period": 90}}"#,
            "/triggers/evaluation_period",
            "90",
            "a multiple of 60 on aws",
            "60",
        ),
    ]);
}

#[test]
fn a_ladder_must_have_something_to_climb() {
    each_is_refused(&[
        (r#"{"ladder": {}}"#, "/ladder", "{}", "must have `types` or `families`", "leave `ladder` out"),
        (
            r#"{"mode": "vertical", "ladder": {"types": []}}"#,
            "/ladder/types",
            "[]",
            "nothing can be chosen",
            "leave `ladder` out",
        ),
        (
            r#"{"ladder": {"types": ["large"]}}"#,
            "/ladder/types/0",
            "\"large\"",
            "must be an instance type",
            "m7i.large",
        ),
        (
            r#"{"ladder": {"families": ["m7i.large"]}}"#,
            "/ladder/families/0",
            "\"m7i.large\"",
            "must be a family",
            "before the dot",
        ),
        (
            r#"{"ladder": {"types": ["m7i.large"], "families": ["m7i"]}}"#,
            "/ladder",
            r#"{"types":["m7i.large"],"families":["m7i"]}"#,
            "only one of",
            "leave `ladder` out",
        ),
        (
            r#"{"mode": "vertical", "platform": "standalone",
                "programs": {"describe": ["d"], "apply": ["a"], "metrics": ["m"]}}"#,
            "/ladder",
            "",
            "vertical scaling needs types",
            "`ladder.types`",
        ),
    ]);
}

#[test]
fn a_change_window_must_open() {
    each_is_refused(&[
        (
            r#"{"policy": {"change_window": {"duration": 60}}}"#,
            "/policy/change_window",
            r#"{"duration":60}"#,
            "must have `cron`",
            "add `cron`",
        ),
        (
            r#"{"policy": {"change_window": {"cron": "0 2 * * *"}}}"#,
            "/policy/change_window",
            r#"{"cron":"0 2 * * *"}"#,
            "must have `duration`",
            "add",
        ),
        (
            r#"{"policy": {"change_window": {"cron": "0 2 * *", "duration": 60}}}"#,
            "/policy/change_window/cron",
            "\"0 2 * *\"",
            "five fields",
            "0 2 * * 1-5",
        ),
        (
            r#"{"policy": {"change_window": {"cron": "61 2 * * *", "duration": 60}}}"#,
            "/policy/change_window/cron",
            "\"61 2 * * *\"",
            "minute is within 0 to 59, not `61`",
            "0 2 * * 1-5",
        ),
        (
            r#"{"policy": {"change_window": {"cron": "0 2 * * *", "duration": 700000}}}"#,
            "/policy/change_window/duration",
            "700000",
            "from 0 to 604800",
            "at most 7 days",
        ),
        (
            r#"{"policy": {"change_window": {"cron": "0 2 * * 1", "duration": 0}}}"#,
            "/policy/change_window/duration",
            "0",
            "from 1 s to 604800 s",
            "changes always",
        ),
        (
            r#"{"policy": {"change_window": {"cron": "0 2 * * 1", "duration": 60, "time_zone": "Berlin"}}}"#,
            "/policy/change_window/time_zone",
            "\"Berlin\"",
            "IANA time zone",
            "Europe/Berlin",
        ),
    ]);
}

#[test]
fn a_platform_must_be_there_and_have_what_it_needs() {
    each_is_refused(&[
        (
            r#"{"platform": "kubernetes"}"#,
            "/platform",
            "\"kubernetes\"",
            "kubernetes is not available yet",
            "standalone",
        ),
        (
            r#"{"groups": [{"name": "a"}, {"name": "b", "platform": "kubernetes"}]}"#,
            "/groups/1/platform",
            "\"kubernetes\"",
            "not available yet",
            "standalone",
        ),
        (
            r#"{"platform": "standalone"}"#,
            "/programs",
            "",
            "must be given on standalone",
            "`describe`, `apply` and `metrics`",
        ),
        (
            r#"{"platform": "standalone", "programs": {"describe": ["d"], "apply": ["a"]}}"#,
            "/programs",
            r#"{"describe":["d"],"apply":["a"]}"#,
            "must have `metrics`",
            "[\"program\", \"argument\"]",
        ),
        (
            r#"{"platform": "standalone", "programs": {"describe": ["d"], "apply": [], "metrics": ["m"]}}"#,
            "/programs/apply",
            "[]",
            "begins with a program",
            "[\"program\", \"argument\"]",
        ),
        (r#"{"region": "Frankfurt"}"#, "/region", "\"Frankfurt\"", "an AWS region", "eu-central-1"),
    ]);
}

#[test]
fn all_that_is_wrong_with_programs_is_told_at_once() {
    let pointers = |programs: &str| {
        let source = format!(r#"{{"platform": "standalone", "programs": {programs}}}"#);
        errors(&source).into_iter().map(|fault| fault.pointer).collect::<Vec<_>>()
    };
    for (programs, expected) in [
        (
            r#"{"describe": [], "apply": "x", "metrics": ["a"], "timeout": 99}"#,
            vec!["/programs/apply", "/programs/timeout", "/programs/describe"],
        ),
        (
            r#"{"describe": [5], "apply": ["a"], "timeout": 99}"#,
            vec!["/programs/describe/0", "/programs/timeout", "/programs"],
        ),
        // The missing one may be the one under a wrong name.
        (r#"{"describe": ["d"], "aply": ["a"], "metrics": []}"#, vec!["/programs/aply", "/programs/metrics"]),
        (r#""x""#, vec!["/programs"]),
    ] {
        let mut found = pointers(programs);
        let mut expected: Vec<String> = expected.into_iter().map(str::to_owned).collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{programs}");
    }
}

#[test]
fn too_many_replicas_are_told_how_many_may_be() {
    for (count, word) in [("1e23", "write 100000 or less"), ("100001", "or less"), ("0", "write 1 or more")] {
        let found = errors(&format!(r#"{{"replicas": {{"max_replicas": {count}}}}}"#));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].fix.contains(word), "{}", found[0]);
    }
}

#[test]
fn a_program_may_not_run_longer_than_a_step() {
    let programs = |timeout: u32| {
        format!(
            r#"{{"platform": "standalone", "groups": [{{"name": "web", "programs":
                {{"describe": ["d"], "apply": ["a"], "metrics": ["m"], "timeout": {timeout}}}}}]}}"#
        )
    };
    let found = errors(&programs(31));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].pointer, "/groups/0/programs/timeout");
    assert!(found[0].to_string().contains("must be at most 30"), "{}", found[0]);
    assert!(errors(&programs(30)).is_empty());
}

#[test]
fn a_metric_that_cloudwatch_refuses_is_refused_before_it_blinds_others() {
    let long = |length: usize| "x".repeat(length);
    let binding =
        |key: &str, value: &str| format!(r#"{{"metrics": {{"cpu_usage": {{"{key}": "{value}"}}}}}}"#);
    let dimension = |name: &str, value: &str| {
        format!(
            r#"{{"groups": [{{"name": "web", "metrics": {{"cpu_usage": {{"dimensions": {{"{name}": "{value}"}}}}}}}}]}}"#
        )
    };
    let at = |name: &str| format!("/groups/0/metrics/cpu_usage/dimensions/{name}");
    let shared = |key: &str| format!("/metrics/cpu_usage/{key}");
    for (document, pointer, rule) in [
        (dimension("", "x"), at(""), "must not be empty"),
        (dimension(" ", "x"), at(" "), "must not be empty"),
        (dimension(":Host", "x"), at(":Host"), "must not begin with a colon"),
        (dimension(&long(256), "x"), at(&long(256)), "at most 255 characters"),
        (dimension("Höst", "x"), at("Höst"), "printable ASCII"),
        (dimension("Host", ""), at("Host"), "1 to 1024 characters"),
        (dimension("Host", &long(1025)), at("Host"), "1 to 1024 characters"),
        (dimension("Host", "web\\u0007"), at("Host"), "without control characters"),
        (dimension("Host", "Größe"), at("Host"), "printable ASCII"),
        (dimension("a/b~c", ""), at("a~1b~0c"), "1 to 1024 characters"),
        (binding("metric", ""), shared("metric"), "1 to 1024 characters"),
        (binding("metric", &long(256)), shared("metric"), "at most 255 characters"),
        (binding("metric", "Auslastung-Ü"), shared("metric"), "printable ASCII"),
        (binding("namespace", ""), shared("namespace"), "1 to 1024 characters"),
        (binding("namespace", ":App"), shared("namespace"), "must not begin with a colon"),
        (binding("namespace", &long(256)), shared("namespace"), "at most 255 characters"),
    ] {
        let found = errors(&document);
        let places: Vec<&str> = found.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(places, [pointer], "{document}");
        assert!(found[0].to_string().contains(rule), "{}", found[0]);
    }
    for fine in [
        dimension(&long(255), &long(1024)),
        dimension("Host Name", ":x"),
        binding("metric", &long(255)),
        binding("namespace", "App/web #1"),
    ] {
        assert!(errors(&fine).is_empty(), "{fine}");
    }
}
