//! Every configuration that the project ships loads the way a user would load it.

use scaling::configuration;
use scaling_tests::project;

/// What stands between `scaling.` and `.json` of each file beside the base.
fn variants() -> Vec<String> {
    let files = project::files("config", ".json").unwrap();
    let variant = |path: &String| {
        let name = path.strip_prefix("config/scaling.")?.strip_suffix(".json")?;
        (name != "example").then(|| name.to_owned())
    };
    files.iter().filter_map(variant).collect()
}

#[test]
fn the_base_and_the_example_load_by_themselves() {
    for name in ["config/scaling.json", "config/scaling.example.json"] {
        let loaded = configuration::load(&project::root().join(name), None);
        assert!(loaded.is_ok(), "{name}: {}", loaded.unwrap_err());
    }
}

#[test]
fn each_environment_s_file_loads_over_the_base() {
    assert_eq!(variants(), ["development", "production", "staging"]);
    for variant in variants() {
        let loaded = configuration::load(&project::root().join("config/scaling.json"), Some(&variant));
        assert!(loaded.is_ok(), "{variant}: {}", loaded.unwrap_err());
    }
}
