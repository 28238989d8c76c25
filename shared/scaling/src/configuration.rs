//! Reading a configuration from its file, the environment's own file beside it, and environment variables.

use std::io::Read;
use std::path::{Path, PathBuf};

use scaling_policy::config::{Config, ConfigError, Layers, Loaded};
use serde_json::{Value, json};
use thiserror::Error;

/// Why there is no configuration.
#[derive(Debug, Error)]
pub enum ConfigurationError {
    /// A file cannot be read.
    #[error(
        "cannot read the configuration {path}: {source}; write one with `scaling init`, or name it with --config"
    )]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is too large to be one.
    #[error("the configuration {path} has more than {most} bytes, which are the most that are read")]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// The limit.
        most: u64,
    },
    /// It has faults.
    #[error("the configuration {path} has faults:\n{source}")]
    Faults {
        /// The file.
        path: PathBuf,
        /// All of them.
        #[source]
        source: ConfigError,
    },
}

/// Largest file that is read, in bytes. A fleet of a thousand groups needs about half of it.
pub const LARGEST_FILE: u64 = 1 << 20;

/// Reads `path`, lays `<stem>.<environment>.json` beside it over it where an environment is named, and the process's
/// environment variables over both. Without an environment's file, the groups of `SCALING_GROUPS` are laid over it.
///
/// # Errors
/// Unreadable or oversized files, and every fault of the merged configuration at once.
pub fn load(path: &Path, environment: Option<&str>) -> Result<Loaded, ConfigurationError> {
    let variables = std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)));
    let layers = Layers::none().with_variables(variables);
    match groups_of_environment().filter(|_| environment.is_none()) {
        Some(groups) => parse(path, &read(path)?, &layers.with_file(groups.to_string().as_bytes())),
        None => load_over(path, environment, layers),
    }
}

/// The groups that `SCALING_GROUPS` names, commas between, as they are laid over a configuration: what a deployment is given
/// as its groups.
fn groups_of_environment() -> Option<Value> {
    groups_overlay(&std::env::var("SCALING_GROUPS").unwrap_or_default())
}

pub(crate) fn groups_overlay(list: &str) -> Option<Value> {
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    let groups: Vec<Value> = names.map(|name| json!({ "name": name })).collect();
    (!groups.is_empty()).then(|| json!({ "groups": groups }))
}

/// The same without environment variables: what is to be the configuration elsewhere.
///
/// # Errors
/// As [`load`].
pub fn load_files(path: &Path, environment: Option<&str>) -> Result<Loaded, ConfigurationError> {
    load_over(path, environment, Layers::none())
}

fn load_over(
    path: &Path,
    environment: Option<&str>,
    layers: Layers<'_>,
) -> Result<Loaded, ConfigurationError> {
    let base = read(path)?;
    let overlay = environment.map(|name| read(&environment_file(path, name))).transpose()?;
    let mut layers = layers;
    if let Some(bytes) = &overlay {
        layers = layers.with_file(bytes);
    }
    parse(path, &base, &layers)
}

/// Parses bytes that are known by the name `path`.
///
/// # Errors
/// Every fault at once.
pub fn parse(path: &Path, bytes: &[u8], layers: &Layers<'_>) -> Result<Loaded, ConfigurationError> {
    Config::parse(bytes, layers)
        .map_err(|source| ConfigurationError::Faults { path: path.to_owned(), source })
}

fn environment_file(path: &Path, name: &str) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{stem}.{name}.json"))
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigurationError> {
    let file = |source| ConfigurationError::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    // What is no regular file has no size that could be looked at before.
    std::fs::File::open(path).map_err(file)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(file)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(ConfigurationError::TooLarge { path: path.to_owned(), most: LARGEST_FILE });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_environment_s_file_lies_over_the_base() {
        let base =
            r#"{"mode": "hybrid", "group": "web", "replicas": {"min_replicas": 2, "max_replicas": 20}}"#;
        let over = r#"{"replicas": {"max_replicas": 40}}"#;
        let folder = folder(&[("scaling.json", base), ("scaling.production.json", over)]);
        let loaded = load(&folder.path().join("scaling.json"), Some("production")).unwrap();
        let replicas = loaded.config.groups[0].replicas;
        assert_eq!((replicas.min, replicas.max), (2, 40));
    }

    #[test]
    fn a_missing_file_says_how_to_get_one() {
        let error = load(Path::new("no/such/scaling.json"), None).unwrap_err();
        assert!(error.to_string().contains("scaling init"), "{error}");
    }

    #[test]
    fn a_huge_file_is_refused_and_no_more_of_it_read_than_may_be() {
        let folder = folder(&[("scaling.json", &" ".repeat(2 << 20))]);
        let error = load(&folder.path().join("scaling.json"), None).unwrap_err();
        assert!(matches!(error, ConfigurationError::TooLarge { .. }), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_without_an_end_is_too_large() {
        let error = load(Path::new("/dev/zero"), None).unwrap_err();
        assert!(matches!(error, ConfigurationError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn all_faults_are_listed_with_the_file() {
        let folder = folder(&[("scaling.json", r#"{"mode": "both", "replicas": {"min_replicas": 0}}"#)]);
        let text = load(&folder.path().join("scaling.json"), None).unwrap_err().to_string();
        assert!(
            text.contains("scaling.json")
                && text.contains("/mode")
                && text.contains("/replicas/min_replicas"),
            "{text}"
        );
    }
}
