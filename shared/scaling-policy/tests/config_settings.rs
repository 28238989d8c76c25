//! What a configuration means: what each key resolves to, and what holds where it is left out.

use std::time::Duration;

use scaling_fleet::{Mebibytes, TypeName, UsdPerHour, Vcpu};
use scaling_policy::config::{
    Absence, Config, ConfigVersion, ControlLevel, Cooldown, Dimension, GroupConfig, LadderRule, Layers,
    MetricBinding, Mode, Platform, ProgramSet, ReplicaBounds, ScaleDownRule, SpotPrices, StabilizationWindow,
    Statistic, TypeBounds,
};
use scaling_policy::trigger::Trigger;

const SEED_FULL: &str = r#"{
    "mode": "hybrid",
    "resources": {"min_cpu": 0.1, "max_cpu": 4.0, "min_memory": 128, "max_memory": 8192, "cpu_request": 0.5,
        "memory_request": 512, "cpu_limit": 2.0, "memory_limit": 4096},
    "replicas": {"min_replicas": 1, "max_replicas": 10, "target_replicas": 2, "scale_up_threshold": 0.8,
        "scale_down_threshold": 0.2},
    "triggers": {"cpu_threshold": 0.8, "memory_threshold": 0.8, "request_threshold": 1000,
        "latency_threshold": 0.5, "evaluation_period": 60, "cooldown_period": 300},
    "policy": {"mode": "hybrid", "triggers": ["cpu_usage", "memory_usage"], "priority_triggers": ["cpu_usage"],
        "scale_up_factor": 1.5, "scale_down_factor": 0.75}
}"#;

const SEED_BASIC: &str = r#"{
    "mode": "horizontal",
    "resources": {"min_cpu": 0.1, "max_cpu": 4.0, "min_memory": 128, "max_memory": 8192},
    "replicas": {"min_replicas": 1, "max_replicas": 10, "target_replicas": 2}
}"#;

fn config(document: &str) -> Config {
    match Config::parse(document.as_bytes(), &Layers::none()) {
        Ok(loaded) => loaded.config,
        Err(error) => panic!("{document}\n{error}"),
    }
}

fn group(document: &str) -> GroupConfig {
    config(document).groups[0].as_ref().clone()
}

fn binding(document: &str, trigger: Trigger) -> Option<MetricBinding> {
    group(document).triggers[trigger].binding.clone()
}

fn thresholds(group: &GroupConfig) -> [f64; 4] {
    Trigger::ALL.map(|trigger| group.triggers[trigger].threshold)
}

fn dimension(name: &str, value: &str) -> Dimension {
    Dimension { name: name.to_owned(), value: value.to_owned() }
}

#[test]
fn the_seeds_full_form_loads_unchanged() {
    let group = group(SEED_FULL);
    assert_eq!(group.mode, Mode::Hybrid);
    assert_eq!(group.replicas, ReplicaBounds { min: 1, max: 10, target: 2 });
    let bounds = TypeBounds {
        min_cpu: Vcpu(0.5),
        max_cpu: Vcpu(2.0),
        min_memory: Mebibytes(512.0),
        max_memory: Mebibytes(4096.0),
    };
    assert_eq!(group.resources, bounds, "requests and limits lie within the outer bounds");
    assert_eq!(thresholds(&group), [0.8, 0.8, 1000.0, 0.5]);
    assert_eq!(group.evaluation_period, Duration::from_secs(60));
    assert_eq!(group.cooldown, Cooldown::Fixed(Duration::from_secs(300)));
    assert_eq!(Trigger::ALL.map(|trigger| group.triggers[trigger].asks), [true, true, false, false]);
    assert_eq!(Trigger::ALL.map(|trigger| group.triggers[trigger].priority), [true, false, false, false]);
}

#[test]
fn the_seeds_basic_form_loads_unchanged() {
    let group = group(SEED_BASIC);
    assert_eq!(group.mode, Mode::Horizontal);
    assert_eq!(group.replicas, ReplicaBounds { min: 1, max: 10, target: 2 });
    assert_eq!(group.cooldown, Cooldown::StabilizationWindow);
    assert_eq!(group.stabilization, StabilizationWindow::BootTime);
    assert_eq!(thresholds(&group), [0.8, 0.8, 1000.0, 0.5]);
}

#[test]
fn a_document_that_says_nothing_has_the_defaults_and_observes() {
    let expected = GroupConfig { control: ControlLevel::Observe, ..GroupConfig::with_defaults("service") };
    assert_eq!(group("{}"), expected);
    assert_eq!(group(r#"{"group": "web", "control": "act"}"#), GroupConfig::with_defaults("web"));
}

#[test]
fn null_is_as_good_as_nothing() {
    assert_eq!(group(r#"{"group": null, "replicas": null, "policy": {"triggers": null}}"#), group("{}"));
}

#[test]
fn every_setting_reaches_the_group() {
    let group = group(
        r#"{"mode": "vertical", "control": "up_only",
            "triggers": {"stabilization_window": 400, "cooldown_period": 0, "evaluation_period": 120},
            "policy": {"target_load": 0.6, "scale_up_factor": 2, "scale_down_factor": 0.5, "forecast": false,
                "scale_down": "threshold", "launch_timeout": 900, "min_type_age": 7200, "type_backoff": 60,
                "manual_hold": 0, "coexist": true},
            "replicas": {"scale_up_threshold": 0.7, "scale_down_threshold": 0.3}}"#,
    );
    let expected = GroupConfig::with_defaults("service");
    let triggers = {
        let mut triggers = expected.triggers.clone();
        triggers[Trigger::CpuUsage].threshold = 0.7;
        triggers[Trigger::MemoryUsage].threshold = 0.7;
        triggers
    };
    let expected = GroupConfig {
        mode: Mode::Vertical,
        control: ControlLevel::UpOnly,
        stabilization: StabilizationWindow::Fixed(Duration::from_secs(400)),
        cooldown: Cooldown::Fixed(Duration::ZERO),
        evaluation_period: Duration::from_secs(120),
        triggers,
        target_load: 0.6,
        scale_up_factor: 2.0,
        scale_down_factor: 0.5,
        forecast: false,
        scale_down: ScaleDownRule::Threshold,
        launch_timeout: Duration::from_secs(900),
        min_type_age: Duration::from_secs(7200),
        type_backoff: Duration::from_secs(60),
        manual_hold: Duration::ZERO,
        coexist: true,
        scale_up_threshold: 0.7,
        scale_down_threshold: 0.3,
        ..expected
    };
    assert_eq!(group, expected);
}

#[test]
fn a_threshold_of_its_own_wins_over_scale_up_threshold() {
    let group = group(r#"{"replicas": {"scale_up_threshold": 0.7}, "triggers": {"cpu_threshold": 0.9}}"#);
    assert_eq!(thresholds(&group), [0.9, 0.7, 1000.0, 0.5]);
    assert!((group.scale_up_threshold - 0.7).abs() < f64::EPSILON);
}

#[test]
fn the_default_target_stays_within_bounds_that_are_given() {
    let target = |bounds: &str| group(&format!(r#"{{"replicas": {bounds}}}"#)).replicas.target;
    assert_eq!(target(r#"{"max_replicas": 1}"#), 1);
    assert_eq!(target(r#"{"min_replicas": 4}"#), 4);
    assert_eq!(target(r#"{"min_replicas": 1}"#), 2);
}

#[test]
fn the_mode_may_stand_at_either_place_and_a_group_has_the_last_word() {
    assert_eq!(group(r#"{"policy": {"mode": "vertical"}}"#).mode, Mode::Vertical);
    assert_eq!(config(r#"{"policy": {"mode": "vertical"}}"#).mode, Mode::Vertical);
    let document = r#"{"policy": {"mode": "vertical"}, "groups": [{"name": "a", "mode": "horizontal"}]}"#;
    assert_eq!(group(document).mode, Mode::Horizontal);
}

#[test]
fn a_group_overrides_single_keys_of_every_section() {
    let config = config(
        r#"{"replicas": {"min_replicas": 2, "max_replicas": 8},
            "policy": {"target_load": 0.7, "change_window": {"cron": "0 2 * * *", "duration": 3600}},
            "ladder": {"families": ["m7i"]},
            "groups": [
                {"name": "a"},
                {"name": "b", "replicas": {"max_replicas": 30}, "ladder": {"types": ["c7i.large", "c7i.xlarge"]},
                    "policy": {"forecast": false, "change_window": {"duration": 7200}}}
            ]}"#,
    );
    let [a, b] = [&config.groups[0], &config.groups[1]];
    assert_eq!(a.replicas, ReplicaBounds { min: 2, max: 8, target: 2 });
    assert_eq!(b.replicas, ReplicaBounds { min: 2, max: 30, target: 2 });
    assert!((b.target_load - 0.7).abs() < f64::EPSILON && !b.forecast && a.forecast);
    assert_eq!(a.ladder, LadderRule::Families(vec!["m7i".to_owned()]));
    let types = ["c7i.large", "c7i.xlarge"].map(TypeName::from).to_vec();
    assert_eq!(b.ladder, LadderRule::Types(types), "a ladder is replaced, never mixed");
    assert!(a.change_window.is_some() && b.change_window.is_some() && a.change_window != b.change_window);
}

#[test]
fn the_priority_trigger_is_cpu_where_it_may_ask() {
    let priority = |document: &str| {
        let group = group(document);
        Trigger::ALL.map(|trigger| group.triggers[trigger].priority)
    };
    assert_eq!(priority("{}"), [true, false, false, false]);
    assert_eq!(priority(r#"{"policy": {"triggers": ["memory_usage"]}}"#), [false; 4]);
    assert_eq!(priority(r#"{"policy": {"priority_triggers": []}}"#), [false; 4]);
    assert_eq!(
        priority(r#"{"policy": {"priority_triggers": ["memory_usage"]}}"#),
        [false, true, false, false]
    );
}

#[test]
fn cpu_and_memory_are_bound_by_the_groups_name() {
    let cpu = MetricBinding {
        namespace: "AWS/EC2".to_owned(),
        metric: "CPUUtilization".to_owned(),
        dimensions: vec![dimension("AutoScalingGroupName", "web")],
        statistic: Statistic::Average,
        scale: 0.01,
        absence: Absence::Hold,
    };
    assert_eq!(binding(r#"{"group": "web"}"#, Trigger::CpuUsage), Some(cpu.clone()));
    let memory =
        MetricBinding { namespace: "CWAgent".to_owned(), metric: "mem_used_percent".to_owned(), ..cpu };
    assert_eq!(binding(r#"{"group": "web"}"#, Trigger::MemoryUsage), Some(memory));
    assert_eq!(binding("{}", Trigger::RequestCount), None);
    assert_eq!(binding("{}", Trigger::RequestLatency), None);
}

#[test]
fn a_load_balancer_binds_requests_per_minute_and_latency_and_its_silence_is_zero() {
    let document = r#"{"load_balancer": "app/web/50dc", "triggers": {"evaluation_period": 300}}"#;
    let requests = MetricBinding {
        namespace: "AWS/ApplicationELB".to_owned(),
        metric: "RequestCount".to_owned(),
        dimensions: vec![dimension("LoadBalancer", "app/web/50dc")],
        statistic: Statistic::Sum,
        scale: 0.2,
        absence: Absence::Zero,
    };
    assert_eq!(binding(document, Trigger::RequestCount), Some(requests.clone()));
    let latency = MetricBinding {
        metric: "TargetResponseTime".to_owned(),
        statistic: Statistic::P95,
        scale: 1.0,
        ..requests
    };
    assert_eq!(binding(document, Trigger::RequestLatency), Some(latency));
}

#[test]
fn load_balancer_and_target_group_may_be_arns() {
    let arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012";
    let document = format!(
        r#"{{"load_balancer": "{arn}:loadbalancer/app/web/50dc", "target_group": "{arn}:targetgroup/web/943f"}}"#
    );
    let dimensions = binding(&document, Trigger::RequestCount).map(|binding| binding.dimensions);
    let expected =
        vec![dimension("LoadBalancer", "app/web/50dc"), dimension("TargetGroup", "targetgroup/web/943f")];
    assert_eq!(dimensions, Some(expected));
}

#[test]
fn a_metric_of_ones_own_keeps_what_it_does_not_name() {
    let document = r#"{"group": "web", "metrics": {
        "cpu_usage": {"absence": "zero"},
        "memory_usage": {"namespace": "App", "metric": "heap", "dimensions": {"b": "2", "a": "1"}, "scale": 1},
        "request_count": {"namespace": "App", "metric": "rpm", "statistic": "Average"},
        "request_latency": {"namespace": "App", "metric": "ms", "statistic": "p99", "scale": 0.001}}}"#;
    let all = Trigger::ALL.map(|trigger| binding(document, trigger));
    let [Some(cpu), Some(memory), Some(requests), Some(latency)] = all else { panic!("{all:?}") };
    assert_eq!((cpu.metric.as_str(), cpu.scale, cpu.absence), ("CPUUtilization", 0.01, Absence::Zero));
    assert_eq!(memory.dimensions, [dimension("a", "1"), dimension("b", "2")]);
    assert_eq!((memory.statistic, memory.scale), (Statistic::Average, 1.0));
    assert_eq!(requests.dimensions, [dimension("AutoScalingGroupName", "web")]);
    assert_eq!(
        (requests.statistic, requests.scale),
        (Statistic::Average, 1.0),
        "a mean is no count to rescale"
    );
    assert_eq!((latency.statistic, latency.scale, latency.absence), (Statistic::P99, 0.001, Absence::Hold));
}

#[test]
fn a_standalone_group_acts_and_is_driven_by_its_programs() {
    let document = r#"{"platform": "standalone", "mode": "horizontal", "triggers": {"evaluation_period": 7},
        "policy": {"triggers": ["cpu_usage", "request_latency"]},
        "metrics": {"request_latency": {"absence": "zero"}},
        "programs": {"describe": ["d", "-v"], "apply": ["a", ""], "metrics": ["m"], "timeout": 3}}"#;
    let group = group(document);
    assert_eq!((group.platform, group.control), (Platform::Standalone, ControlLevel::Act));
    let argv = |arguments: &[&str]| arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
    let programs = ProgramSet {
        describe: argv(&["d", "-v"]),
        apply: argv(&["a", ""]),
        metrics: argv(&["m"]),
        timeout: Duration::from_secs(3),
    };
    assert_eq!(group.programs, Some(programs));
    let bound = Trigger::ALL.map(|trigger| {
        group.triggers[trigger].binding.as_ref().map(|binding| (binding.scale, binding.absence))
    });
    let hold = Some((1.0, Absence::Hold));
    assert_eq!(bound, [hold, hold, None, Some((1.0, Absence::Zero))]);
}

#[test]
fn what_holds_for_all_groups_is_on_the_configuration() {
    let config = config(
        r#"{"region": "eu-central-1", "prices": {"m7i.large": 0.12}, "require_if_match": true,
            "limits": {"max_groups_changed": 0, "max_added_usd_per_hour": 2.5}}"#,
    );
    assert_eq!(config.region.as_deref(), Some("eu-central-1"));
    assert_eq!(config.prices.get(&TypeName::from("m7i.large")), Some(&UsdPerHour(0.12)));
    assert!(config.require_if_match);
    assert_eq!(config.limits.max_groups_changed, Some(0));
    assert_eq!(config.limits.max_added_cost, Some(UsdPerHour(2.5)));
}

#[test]
fn a_discount_is_for_all_groups_and_a_group_may_have_its_own() {
    let groups =
        config(r#"{"discount": 0.28, "groups": [{"name": "a"}, {"name": "b", "discount": 0}]}"#).groups;
    assert_eq!((groups[0].discount, groups[1].discount), (0.28, 0.0));
    assert_eq!(config("{}").groups[0].discount, 0.0);
}

#[test]
fn spot_prices_are_by_type_and_of_a_day() {
    let of = |source: &str| config(source).spot_prices;
    let spot = of(r#"{"spot_prices": {"m7i.large": 0.04}, "spot_prices_date": "2026-11-29"}"#);
    assert_eq!(spot.by_type.get(&TypeName::from("m7i.large")), Some(&UsdPerHour(0.04)));
    assert_eq!(spot.date.map(|date| date.to_string()).as_deref(), Some("2026-11-29"));
    assert_eq!(of("{}"), SpotPrices::default());
}

#[test]
fn a_configuration_carries_its_version_into_every_group() {
    let config = config(r#"{"groups": [{"name": "a"}, {"name": "b"}]}"#).at_version(ConfigVersion(7));
    assert_eq!(config.version, ConfigVersion(7));
    assert!(config.groups.iter().all(|group| group.version == ConfigVersion(7)));
}

#[test]
fn the_source_of_a_configuration_reads_as_the_same_configuration() {
    let first = config(SEED_FULL);
    let again = Config::from_source(first.source().clone()).map(|loaded| loaded.config);
    assert_eq!(again, Ok(first));
}

#[test]
fn groups_are_found_by_name_and_by_alarm() {
    let config = config(
        r#"{"groups": [{"name": "a/b"}, {"name": "c", "alarms": ["c-is-slow", "scaling/x/cpu_usage"]}]}"#,
    );
    let by_alarm = |alarm: &str| config.group_of_alarm(alarm).map(|group| group.name.as_str());
    assert_eq!(by_alarm("scaling/a/b/cpu_usage"), Some("a/b"));
    assert_eq!(by_alarm("c-is-slow"), Some("c"));
    assert_eq!(by_alarm("scaling/x/cpu_usage"), Some("c"));
    assert_eq!(by_alarm("scaling/c"), None);
    assert_eq!(by_alarm("other"), None);
    assert!(config.group("c").is_some() && config.group("d").is_none() && config.only_group().is_none());
}
