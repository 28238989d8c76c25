//! Every file in `config/` is a valid configuration or layer, and the schema there is the one the types give.

use std::fs;
use std::path::{Path, PathBuf};

use scaling_fleet::{Mebibytes, Vcpu};
use scaling_policy::config::{Config, ControlLevel, GroupConfig, Layers, Loaded, Mode, Platform, schema};
use scaling_policy::trigger::Trigger;
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn alone(name: &str) -> Loaded {
    Config::parse(&bytes(name), &Layers::none()).unwrap_or_else(|error| panic!("{name}:\n{error}"))
}

fn group<'c>(loaded: &'c Loaded, name: &str) -> &'c GroupConfig {
    loaded.config.group(name).unwrap_or_else(|| panic!("{name} is not in the file"))
}

#[test]
fn every_file_loads_by_itself() {
    let names = fs::read_dir(folder())
        .expect("config/ is there")
        .map(|entry| entry.expect("it can be listed").file_name().to_string_lossy().into_owned())
        .filter(|name| name != "config.schema.json")
        .collect::<Vec<_>>();
    assert!(names.len() >= 5, "{names:?}");
    for name in names {
        alone(&name);
    }
}

#[test]
fn the_example_loads_without_a_warning_and_shows_every_section() {
    let loaded = alone("scaling.example.json");
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.config.groups.len(), 4);
    let service = group(&loaded, "kundli-calculation");
    assert_eq!(service.control, ControlLevel::Act);
    assert_eq!(service.mode, Mode::Hybrid);
    assert!(service.triggers.iter().all(|(_, trigger)| trigger.binding.is_some() && trigger.asks));
    assert!(service.triggers[Trigger::RequestLatency].priority);
    assert_eq!(group(&loaded, "local-worker").platform, Platform::Standalone);

    let source = loaded.config.source();
    let settings = schema()["properties"].as_object().expect("the schema has properties").clone();
    for key in settings.keys().filter(|key| *key != "group" && *key != "$schema") {
        let in_group = source["groups"].as_array().is_some_and(|all| all.iter().any(|g| !g[key].is_null()));
        assert!(!source[key].is_null() || in_group, "the example does not show `{key}`");
    }
}

#[test]
fn each_environment_lies_over_the_default_file() {
    for (environment, control, max) in [
        ("development", ControlLevel::Act, 3),
        ("staging", ControlLevel::Act, 5),
        ("production", ControlLevel::Observe, 20),
    ] {
        let layer = bytes(&format!("scaling.{environment}.json"));
        let loaded = Config::parse(&bytes("scaling.json"), &Layers::none().with_file(&layer))
            .unwrap_or_else(|error| panic!("{environment}:\n{error}"));
        assert_eq!(loaded.warnings, [], "{environment}");
        let group = group(&loaded, &format!("kundli-{environment}"));
        assert_eq!((group.control, group.replicas.max), (control, max), "{environment}");
        assert!((group.scale_up_factor - 1.5).abs() < f64::EPSILON, "{environment} keeps the rest");
        // Otherwise there would be no type to change to.
        for (vcpu, memory) in [(2.0, 8192.0), (4.0, 16384.0)] {
            let allowed = group.resources.allow(Vcpu(vcpu), Mebibytes(memory));
            assert!(allowed, "{environment}: {vcpu} vCPU, {memory} MiB");
        }
    }
}

#[test]
fn the_schema_in_the_folder_is_the_one_the_types_give() {
    let path = folder().join("config.schema.json");
    let generated = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &generated).expect("it can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == generated, "run this test with UPDATE_GOLDEN=1 to rewrite {}", path.display());
}

#[test]
fn every_key_in_the_schema_is_described_with_its_default() {
    let schema = schema();
    let mut keys = 0;
    each_property(&schema, &mut |key, property| {
        keys += 1;
        let description = property["description"].as_str().unwrap_or_default();
        assert!(description.len() > 10, "`{key}` has no description");
        let is_section = property.to_string().contains("$ref");
        let says = property.get("default").is_some()
            || description.contains("Default")
            || description.contains("required");
        assert!(says || is_section || description.contains("Required"), "`{key}` does not say its default");
    });
    assert!(keys > 80, "{keys}");
}

fn each_property(value: &Value, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (key, property) in members.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                visit(key, property);
            }
            members.values().for_each(|member| each_property(member, visit));
        }
        Value::Array(elements) => elements.iter().for_each(|element| each_property(element, visit)),
        _ => {}
    }
}
