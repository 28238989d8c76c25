//! What the three Lambda functions share: logs, the parts built at the first event, and the time that is left.
//!
//! Nothing is read or connected before the first event: a function is ready to be invoked a few milliseconds after
//! its process has started.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use scaling_aws::AwsSettings;
use scaling_policy::config::Layers;
use serde_json::{Value, json};
use thiserror::Error;

use crate::assembly::{Assembly, AssemblyError, StoreChoice};
use crate::configuration::{self, ConfigurationError};

/// The configuration that a function falls back on where its package holds no file.
const PACKAGED: &[u8] = include_bytes!("../../../config/scaling.json");

/// What an invocation leaves of its time, so that its answer and its last write still get through.
const RESERVE: Duration = Duration::from_secs(5);

/// Why a function cannot work.
#[derive(Debug, Error)]
pub enum StartError {
    /// No usable configuration.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
    /// The parts could not be put together.
    #[error(transparent)]
    Assembly(#[from] AssemblyError),
}

/// Sends the logs to standard output as JSON, where CloudWatch Logs picks them up. `RUST_LOG` or `SCALING_LOG` sets
/// what is logged. A second call changes nothing.
pub fn init_logs() {
    let directives = scaling_telemetry::logs::directives(|name| std::env::var(name).ok());
    // Without logs a function still does its work; its runtime reports errors on its own.
    let _ = scaling_telemetry::logs::init_lambda(&directives);
}

/// Puts the parts together from the environment: `SCALING_CONFIG` (a file; the packaged default where there is
/// none), `SCALING_ENVIRONMENT`, `SCALING_GROUPS` (names with commas between, for a configuration without groups),
/// `SCALING_TABLE` or `SCALING_STATE`.
///
/// # Errors
/// Faults of the configuration, all at once; no place for the state.
pub fn assemble() -> Result<Assembly, StartError> {
    let loaded = match configured_file() {
        Some(path) => configuration::load(&path, std::env::var("SCALING_ENVIRONMENT").ok().as_deref())?,
        None => packaged()?,
    };
    for warning in &loaded.warnings {
        tracing::warn!(target: "scaling::validator", %warning, "configuration");
    }
    Ok(Assembly::new(loaded.config, AwsSettings::default(), &StoreChoice::from_environment()?)?)
}

/// Time that an evaluation may take, given the invocation's deadline in milliseconds since 1970.
pub fn budget(deadline_ms: u64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Duration::from_millis(deadline_ms).saturating_sub(now).saturating_sub(RESERVE)
}

fn configured_file() -> Option<PathBuf> {
    let path = std::env::var("SCALING_CONFIG").unwrap_or_else(|_| "config/scaling.json".to_owned());
    let path = Path::new(&path);
    path.exists().then(|| path.to_owned())
}

fn packaged() -> Result<scaling_policy::config::Loaded, ConfigurationError> {
    let name = Path::new("(packaged) config/scaling.json");
    let variables = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let groups = std::env::var("SCALING_GROUPS").unwrap_or_default();
    let overlay = groups_overlay(&groups).map(|overlay| overlay.to_string());
    let mut layers = Layers::none().with_variables(variables);
    if let Some(overlay) = &overlay {
        layers = layers.with_file(overlay.as_bytes());
    }
    configuration::parse(name, PACKAGED, &layers)
}

fn groups_overlay(names: &str) -> Option<Value> {
    let groups: Vec<Value> = names
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(|name| json!({ "name": name }))
        .collect();
    (!groups.is_empty()).then(|| json!({ "groups": groups }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_names_become_groups_of_the_packaged_configuration() {
        let overlay = groups_overlay("web, worker,").unwrap().to_string();
        let loaded = configuration::parse(
            Path::new("packaged"),
            PACKAGED,
            &Layers::none().with_file(overlay.as_bytes()),
        )
        .unwrap();
        let names: Vec<&str> = loaded.config.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["web", "worker"]);
        assert_eq!(groups_overlay(" , "), None);
    }

    #[test]
    fn the_budget_ends_before_the_deadline_and_is_never_negative() {
        assert_eq!(budget(0), Duration::ZERO);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let in_a_minute = u64::try_from(now.as_millis()).unwrap() + 60_000;
        assert!(budget(in_a_minute) <= Duration::from_secs(55));
    }
}
