//! Faults of one value, key or byte.

use scaling_policy::config::{Config, Layers, MAX_BYTES};

use super::{Row, each_is_refused, errors};

const WRONG_TYPES: &[Row] = &[
    ("[]", "", "[]", "must be an object", "{"),
    ("null", "", "null", "must be an object", "{"),
    (r#"{"replicas": 5}"#, "/replicas", "5", "must be an object", "{"),
    (
        r#"{"replicas": {"max_replicas": "5"}}"#,
        "/replicas/max_replicas",
        "\"5\"",
        "a whole number",
        "without quotes",
    ),
    (
        r#"{"replicas": {"max_replicas": 2.5}}"#,
        "/replicas/max_replicas",
        "2.5",
        "a whole number",
        "1 or more",
    ),
    (
        r#"{"replicas": {"max_replicas": true}}"#,
        "/replicas/max_replicas",
        "true",
        "a whole number",
        "1 or more",
    ),
    (
        r#"{"replicas": {"max_replicas": 1e40}}"#,
        "/replicas/max_replicas",
        "1e+40",
        "to 100000",
        "100000 or less",
    ),
    (
        r#"{"replicas": {"max_replicas": [3]}}"#,
        "/replicas/max_replicas",
        "[3]",
        "a whole number",
        "1 or more",
    ),
    (r#"{"policy": {"forecast": "yes"}}"#, "/policy/forecast", "\"yes\"", "true or false", "without quotes"),
    (
        r#"{"policy": {"triggers": "cpu_usage"}}"#,
        "/policy/triggers",
        "\"cpu_usage\"",
        "must be a list",
        "[ ... ]",
    ),
    (r#"{"region": 3}"#, "/region", "3", "must be text", "quotes"),
    (r#"{"group": ""}"#, "/group", "\"\"", "1 to 1024 characters", "quotes"),
    (r#"{"group": "a\nb"}"#, "/group", r#""a\nb""#, "control characters", "quotes"),
    (r#"{"groups": {}}"#, "/groups", "{}", "must be a list", "[ ... ]"),
    (r#"{"groups": ["web"]}"#, "/groups/0", "\"web\"", "must be an object", "{"),
    (
        r#"{"prices": {"m7i.large": "0.1"}}"#,
        "/prices/m7i.large",
        "\"0.1\"",
        "US dollars per hour",
        "without quotes",
    ),
    (
        r#"{"spot_prices": {"m7i.large": "0.1"}}"#,
        "/spot_prices/m7i.large",
        "\"0.1\"",
        "US dollars per hour",
        "without quotes",
    ),
    (
        r#"{"discount": 1}"#,
        "/discount",
        "1",
        "must be a fraction of 1 from 0 to 0.99",
        "write 0.28 for 28 % off",
    ),
    (r#"{"spot_prices_date": "soon"}"#, "/spot_prices_date", "\"soon\"", "must be a day", "YYYY-MM-DD"),
    (r#"{"prices": {"a/b~c": 0}}"#, "/prices/a~1b~0c", "0", "US dollars per hour", "price"),
];

#[test]
fn wrong_types_are_refused() {
    each_is_refused(WRONG_TYPES);
}

const OUT_OF_RANGE: &[Row] = &[
    (
        r#"{"replicas": {"max_replicas": -1}}"#,
        "/replicas/max_replicas",
        "-1",
        "from 1 to 100000",
        "1 or more",
    ),
    (r#"{"resources": {"min_cpu": -0.5}}"#, "/resources/min_cpu", "-0.5", "number of vCPU from 0", "vCPU"),
    (
        r#"{"resources": {"max_memory": 8589934592}}"#,
        "/resources/max_memory",
        "8589934592",
        "number of MiB",
        "MiB",
    ),
    (
        r#"{"triggers": {"cpu_threshold": 80}}"#,
        "/triggers/cpu_threshold",
        "80",
        "a fraction of 1 above 0",
        "0.8 for 80 %",
    ),
    (
        r#"{"triggers": {"memory_threshold": 0}}"#,
        "/triggers/memory_threshold",
        "0",
        "above 0 and at most 1",
        "0.8",
    ),
    (
        r#"{"triggers": {"request_threshold": -10}}"#,
        "/triggers/request_threshold",
        "-10",
        "requests per minute",
        "one replica",
    ),
    (
        r#"{"triggers": {"latency_threshold": 0}}"#,
        "/triggers/latency_threshold",
        "0",
        "seconds above 0",
        "0.25 for 250 ms",
    ),
    (
        r#"{"triggers": {"evaluation_period": 0}}"#,
        "/triggers/evaluation_period",
        "0",
        "whole seconds from 1",
        "60",
    ),
    (
        r#"{"triggers": {"cooldown_period": -300}}"#,
        "/triggers/cooldown_period",
        "-300",
        "whole seconds from 0",
        "seconds",
    ),
    (
        r#"{"triggers": {"stabilization_window": 1.5}}"#,
        "/triggers/stabilization_window",
        "1.5",
        "whole seconds",
        "seconds",
    ),
    (
        r#"{"policy": {"scale_up_factor": 0.5}}"#,
        "/policy/scale_up_factor",
        "0.5",
        "a factor from 1",
        "grow by half",
    ),
    (
        r#"{"policy": {"scale_down_factor": 1.5}}"#,
        "/policy/scale_down_factor",
        "1.5",
        "a fraction of 1",
        "0.8",
    ),
    (r#"{"policy": {"target_load": 0}}"#, "/policy/target_load", "0", "a fraction of 1", "0.8"),
    (
        r#"{"policy": {"min_type_age": 99999999}}"#,
        "/policy/min_type_age",
        "99999999",
        "whole seconds",
        "31 days",
    ),
    (
        r#"{"limits": {"max_added_usd_per_hour": -1}}"#,
        "/limits/max_added_usd_per_hour",
        "-1",
        "US dollars",
        "no limit",
    ),
];

#[test]
fn numbers_out_of_range_are_refused_with_their_unit() {
    each_is_refused(OUT_OF_RANGE);
}

#[test]
fn zero_replicas_are_refused_with_the_reason() {
    each_is_refused(&[(
        r#"{"replicas": {"min_replicas": 0}}"#,
        "/replicas/min_replicas",
        "0",
        "from 1 to 100000",
        "no trigger yet that would wake the group",
    )]);
}

#[test]
fn unknown_words_are_refused_with_the_nearest() {
    each_is_refused(&[
        (
            r#"{"mode": "hybird"}"#,
            "/mode",
            "\"hybird\"",
            "one of horizontal, vertical, hybrid",
            "did you mean \"hybrid\"?",
        ),
        (r#"{"mode": "both"}"#, "/mode", "\"both\"", "one of horizontal", "write \"horizontal\""),
        (r#"{"mode": 1}"#, "/mode", "1", "one of horizontal", "write \"horizontal\""),
        (r#"{"control": "acts"}"#, "/control", "\"acts\"", "observe, up_only, act", "did you mean \"act\"?"),
        (
            r#"{"policy": {"triggers": ["cpu_usage", "cpu_useage"]}}"#,
            "/policy/triggers/1",
            "\"cpu_useage\"",
            "cpu_usage, memory_usage, request_count",
            "did you mean \"cpu_usage\"?",
        ),
        (
            r#"{"policy": {"priority_triggers": ["disk"]}}"#,
            "/policy/priority_triggers/0",
            "\"disk\"",
            "must be one of cpu_usage",
            "write \"cpu_usage\"",
        ),
        (
            r#"{"metrics": {"cpu_usage": {"statistic": "average"}}}"#,
            "/metrics/cpu_usage/statistic",
            "\"average\"",
            "must be one of Average",
            "did you mean \"Average\"?",
        ),
    ]);
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_or_their_place() {
    each_is_refused(&[
        (r#"{"replica": {}}"#, "/replica", "{}", "no known key", "did you mean `replicas`?"),
        (
            r#"{"replicas": {"max_replica": 3}}"#,
            "/replicas/max_replica",
            "3",
            "no known key",
            "`max_replicas`",
        ),
        (
            r#"{"target_load": 0.7}"#,
            "/target_load",
            "0.7",
            "no known key here",
            "it belongs at /policy/target_load",
        ),
        (
            r#"{"policy": {"cooldown_period": 3}}"#,
            "/policy/cooldown_period",
            "3",
            "no known key here",
            "/triggers/cooldown_period",
        ),
        (
            r#"{"replicas": {"control": "act"}}"#,
            "/replicas/control",
            "\"act\"",
            "no known key here",
            "it belongs at /control",
        ),
        (r#"{"metrics": {"disk_usage": {}}}"#, "/metrics/disk_usage", "{}", "no known key", "take it out"),
        (
            r#"{"groups": [{"name": "a", "region": "eu-west-1"}]}"#,
            "/groups/0/region",
            "\"eu-west-1\"",
            "no known key here",
            "it belongs at /region",
        ),
        (r#"{"policy": {"$schema": "x"}}"#, "/policy/$schema", "\"x\"", "no known key", "take it out"),
    ]);
}

#[test]
fn text_that_is_no_json_is_refused_with_its_place() {
    each_is_refused(&[
        ("", "", "", "is empty", "{}"),
        ("{\n  \"mode\": hybrid\n}", "", "", "line 2 column 11", "line 2, column 11"),
        (r#"{"triggers": {"cpu_threshold": NaN}}"#, "", "", "must be JSON", "no NaN and no infinity"),
        (r#"{"triggers": {"cpu_threshold": -Infinity}}"#, "", "", "must be JSON", "no NaN and no infinity"),
        (r#"{"triggers": {"cpu_threshold": 1e999}}"#, "", "", "number out of range", "line 1"),
        (r#"{"mode": "hybrid"} {}"#, "", "", "trailing characters", "line 1, column 20"),
        (r#"{"mode": "hybrid", "mode": "vertical"}"#, "/mode", "", "more than once", "keep one"),
        (r#"{"groups": [{"name": "a", "name": "b"}]}"#, "/groups/0/name", "", "more than once", "keep one"),
    ]);
}

#[test]
fn a_document_that_nests_too_deeply_is_refused() {
    let found = errors(&"[".repeat(100_000));
    assert!(found.len() == 1 && found[0].rule.contains("recursion limit"), "{found:?}");
}

#[test]
fn invalid_utf8_is_refused_with_its_place() {
    let error = Config::parse(b"{\"group\": \"caf\xe9\"}", &Layers::none()).err();
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    assert_eq!(text, "error: (document): must be UTF-8, and is not from byte 14; save the file as UTF-8");
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    // Were it parsed, the syntax error at its start would be reported.
    let mut large = vec![b'x'; 10 * MAX_BYTES];
    large[0] = b'}';
    let error = Config::parse(&large, &Layers::none()).err();
    let text = error.map(|error| error.to_string()).unwrap_or_default();
    assert!(text.contains("must be at most 1048576 bytes, and is 10485760"), "{text}");
    assert!(text.contains("nothing of it was read"), "{text}");
}
