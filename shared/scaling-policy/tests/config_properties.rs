//! Whatever is given: reading never panics, a refusal says why, and what is accepted keeps its promises.

use std::collections::HashSet;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use proptest::sample::select;
use scaling_policy::config::{
    ChangeWindow, Config, ConfigError, GroupConfig, Layers, Loaded, Severity, schema,
};
use serde_json::{Map, Value, json};

/// Any JSON, not deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((known_key(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A key of the format, wherever it belongs, or none of it.
fn known_key() -> impl Strategy<Value = String> {
    let mut keys = HashSet::new();
    collect_keys(&schema(), &mut keys);
    let mut keys: Vec<String> = keys.into_iter().collect();
    keys.sort();
    prop_oneof![9 => select(keys), 1 => "[a-z_/~]{0,12}"]
}

fn collect_keys(value: &Value, keys: &mut HashSet<String>) {
    if let Some(properties) = value.get("properties").and_then(Value::as_object) {
        keys.extend(properties.keys().cloned());
    }
    let members = value.as_object().into_iter().flat_map(Map::values);
    let elements = value.as_array().into_iter().flatten();
    members.chain(elements).for_each(|inner| collect_keys(inner, keys));
}

/// Mostly a value that a key of this kind may have.
fn sometimes(good: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Value> {
    let odd = select(vec![json!(null), json!(-1), json!(0), json!("x"), json!([]), json!({}), json!(1e300)]);
    prop_oneof![30 => good, 1 => odd].boxed()
}

fn share() -> BoxedStrategy<Value> {
    sometimes((1..=100u32).prop_map(|percent| json!(f64::from(percent) / 100.0)))
}

fn count() -> BoxedStrategy<Value> {
    sometimes((1..=40u32).prop_map(Value::from))
}

fn triggers() -> BoxedStrategy<Value> {
    let names = vec!["cpu_usage", "memory_usage", "request_count", "request_latency"];
    sometimes(prop::sample::subsequence(names, 1..=4).prop_map(Value::from))
}

/// An object with some of the members.
fn object(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let optional: Vec<_> = members
        .into_iter()
        .map(|(key, value)| prop::option::weighted(0.6, value).prop_map(move |value| (key, value)))
        .collect();
    optional
        .prop_map(|members| {
            members
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_owned(), value?)))
                .collect::<Map<_, _>>()
                .into()
        })
        .boxed()
}

/// Settings that are plausible enough to be accepted often.
fn settings(extra: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let resources = ["min_cpu", "max_cpu", "cpu_request", "cpu_limit"].map(|key| (key, count()));
    let mut members = vec![
        ("mode", sometimes(select(vec!["horizontal", "vertical", "hybrid"]).prop_map(Value::from))),
        ("platform", sometimes(select(vec!["aws", "aws", "standalone"]).prop_map(Value::from))),
        ("resources", object(resources.to_vec())),
        (
            "replicas",
            object(vec![
                ("min_replicas", count()),
                ("max_replicas", count()),
                ("target_replicas", count()),
                ("scale_up_threshold", share()),
                ("scale_down_threshold", share()),
            ]),
        ),
        ("triggers", object(vec![("cpu_threshold", share()), ("request_threshold", count())])),
        (
            "policy",
            object(vec![
                ("triggers", triggers()),
                ("priority_triggers", triggers()),
                ("target_load", share()),
                ("scale_up_factor", count()),
                ("scale_down_factor", share()),
            ]),
        ),
    ];
    members.extend(extra);
    object(members)
}

fn document() -> BoxedStrategy<Value> {
    let name = sometimes(select(vec!["a", "b", "c", "d"]).prop_map(Value::from));
    let groups = prop::collection::vec(settings(vec![("name", name)]), 0..3).prop_map(Value::from);
    settings(vec![("groups", groups.boxed())])
}

fn check(result: Result<Loaded, ConfigError>) -> Result<(), TestCaseError> {
    match result {
        Ok(loaded) => {
            prop_assert!(loaded.warnings.iter().all(|fault| fault.severity == Severity::Warning));
            let config = loaded.config;
            prop_assert!(!config.groups.is_empty());
            let names: HashSet<_> = config.groups.iter().map(|group| group.name.clone()).collect();
            prop_assert_eq!(names.len(), config.groups.len(), "a name twice");
            config.groups.iter().try_for_each(|group| keeps_its_promises(group))?;
            // Environment variables lie over a stored source as they lay over this one.
            let again = config.another(config.source().clone()).map(|loaded| loaded.config);
            prop_assert_eq!(again, Ok(config), "the source reads as another configuration");
        }
        Err(error) => {
            prop_assert!(error.faults.iter().any(|fault| fault.severity == Severity::Error));
            prop_assert!(error.faults.iter().all(|fault| !fault.rule.is_empty()));
            prop_assert!(error.omitted > 0 || error.to_string().lines().count() >= error.faults.len());
        }
    }
    Ok(())
}

fn keeps_its_promises(group: &GroupConfig) -> Result<(), TestCaseError> {
    let replicas = group.replicas;
    prop_assert!(1 <= replicas.min && replicas.min <= replicas.target && replicas.target <= replicas.max);
    let types = group.resources;
    prop_assert!(types.min_cpu <= types.max_cpu && types.min_memory <= types.max_memory);
    prop_assert!(types.min_cpu.0 >= 0.0 && types.min_memory.0 >= 0.0);
    prop_assert!(group.scale_up_factor.is_finite() && group.scale_up_factor >= 1.0);
    let is_share = |value: f64| value > 0.0 && value <= 1.0;
    for value in
        [group.scale_down_factor, group.target_load, group.scale_up_threshold, group.scale_down_threshold]
    {
        prop_assert!(is_share(value), "{value}");
    }
    prop_assert!(group.scale_down_threshold < group.scale_up_threshold);
    prop_assert!(!group.evaluation_period.is_zero());
    prop_assert!(group.triggers.iter().any(|(_, trigger)| trigger.asks));
    for (_, trigger) in group.triggers.iter() {
        prop_assert!(trigger.threshold.is_finite() && trigger.threshold > 0.0);
        prop_assert!(trigger.asks || !trigger.priority);
        if let Some(binding) = &trigger.binding {
            prop_assert!(binding.scale.is_finite() && binding.scale > 0.0);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(Config::parse(&bytes, &Layers::none()))?;
    }

    #[test]
    fn text_that_resembles_json_is_read_or_refused(text in r#"[\[\]{}:,"a-z0-9.eE \\-]{0,60}"#) {
        check(Config::parse(text.as_bytes(), &Layers::none()))?;
    }

    #[test]
    fn json_of_known_keys_is_read_or_refused(value in any_json()) {
        check(Config::parse(value.to_string().as_bytes(), &Layers::none()))?;
    }

    #[test]
    fn plausible_documents_are_read_or_refused(value in document()) {
        check(Config::from_source(value))?;
    }

    #[test]
    fn layers_are_read_or_refused(
        base in document(),
        layer in document(),
        variables in prop::collection::vec((known_key(), known_key(), ".{0,6}"), 0..4),
    ) {
        let variables = variables.into_iter().map(|(section, key, value)| {
            (format!("SCALING__{section}__{key}").to_uppercase(), value)
        });
        let layer = layer.to_string();
        let layers = Layers::none().with_file(layer.as_bytes()).with_variables(variables);
        check(Config::parse(base.to_string().as_bytes(), &layers))?;
    }

    #[test]
    fn an_empty_layer_changes_nothing(value in document()) {
        let bytes = value.to_string();
        let plain = Config::parse(bytes.as_bytes(), &Layers::none());
        prop_assert_eq!(Config::parse(bytes.as_bytes(), &Layers::none().with_file(b"{}")), plain);
    }

    #[test]
    fn cron_text_is_read_or_refused(
        fields in prop::collection::vec("[0-9*,/a-z-]{1,5}", 5),
        now in -377_705_023_201i64..253_402_207_200i64,
    ) {
        let window = ChangeWindow::new(&fields.join(" "), Duration::from_secs(3600), "Europe/Berlin");
        let now = Timestamp::from_second(now).unwrap_or_default();
        let _either_answer = window.is_ok_and(|window| window.is_open(now));
    }

    #[test]
    fn a_window_is_open_where_the_library_finds_a_firing_within_the_duration(
        (minute, hour) in (cron_field(59), cron_field(23)),
        month in cron_field(12),
        seconds in 1..200_000u64,
        now in 1_000_000_000i64..3_500_000_000i64,
    ) {
        let expression = format!("{minute} {hour} * {} *", month.replace('0', "1"));
        let window = ChangeWindow::new(&expression, Duration::from_secs(seconds), "UTC");
        let schedule = jiff_cron::Schedule::try_from(format!("0 {expression}"));
        let now = Timestamp::from_second(now).unwrap_or_default();
        let (Ok(window), Ok(schedule)) = (window, schedule) else {
            return Err(TestCaseError::reject("no such expression"));
        };
        let since = (now - Duration::from_secs(seconds)).to_zoned(TimeZone::UTC);
        let fired = schedule.after(since).next().is_some_and(|firing| firing.timestamp() <= now);
        prop_assert_eq!(window.is_open(now), fired, "{}", expression);
    }
}

/// `*`, a number, a list, a range or a step, up to `last`.
fn cron_field(last: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        Just("*".to_owned()),
        (0..=last).prop_map(|number| number.to_string()),
        (0..=last, 0..=last).prop_map(|(one, other)| format!("{one},{other}")),
        (0..=last, 0..=last).prop_map(|(one, other)| format!("{}-{}", one.min(other), one.max(other))),
        (1..=last).prop_map(|step| format!("*/{step}")),
    ]
}

#[test]
fn plausible_documents_are_often_accepted() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let accepted = (0..500).filter(|_| {
        let value =
            document().new_tree(&mut runner).map(|tree| proptest::strategy::ValueTree::current(&tree));
        value.is_ok_and(|value| Config::from_source(value).is_ok())
    });
    let accepted = accepted.count();
    assert!((25..=475).contains(&accepted), "the generator shows too little: {accepted} of 500 accepted");
}
