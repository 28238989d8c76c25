//! A whole configuration, and the one way to it: [`Config::parse`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::civil::Date;
use scaling_fleet::prices::DEFAULT_REGION;
use scaling_fleet::{PriceBook, TypeName, UsdPerHour};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fault::{ConfigError, ConfigFault, Faults, Path};
use super::group::{ConfigVersion, GroupConfig, GroupName, Mode, Platform};
use super::layers::Layers;
use super::origin::Origin;
use super::read::Read;
use super::resolve::resolve;
use super::source::{Document, Settings};
use super::values::Price;
use super::{defaults, ladder};

/// A configuration that has passed every check: nothing in it is left to decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Which version this is; [`ConfigVersion::default`] until it is stored.
    pub version: ConfigVersion,
    /// The document's mode, which groups may override.
    pub mode: Mode,
    /// The groups, in the order of the source: at least one, no name twice.
    pub groups: Vec<Arc<GroupConfig>>,
    /// AWS region; where `None`, that of the process's environment. Read when a process starts: clients and their
    /// connections belong to one region.
    pub region: Option<String>,
    /// Prices over those of the built-in list.
    pub prices: BTreeMap<TypeName, UsdPerHour>,
    /// What spot instances cost, and as of which day.
    pub spot_prices: SpotPrices,
    /// Limits over all groups together.
    pub limits: FleetLimits,
    /// Whether a change must carry If-Match.
    pub require_if_match: bool,
    source: Value,
    /// Environment variables that lie over every version of this process.
    variables: Vec<(String, String)>,
}

/// What spot instances cost in the configuration's region.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SpotPrices {
    /// By type.
    pub by_type: BTreeMap<TypeName, UsdPerHour>,
    /// As of this day, where it is told.
    pub date: Option<Date>,
}

/// Limits over all groups of one evaluation together.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct FleetLimits {
    /// Most groups changed; `None` is no limit.
    pub max_groups_changed: Option<u32>,
    /// Most added spending; `None` is no limit.
    pub max_added_cost: Option<UsdPerHour>,
}

/// A configuration with what somebody should still look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Findings that do not keep it from being used.
    pub warnings: Vec<ConfigFault>,
}

impl Config {
    /// Reads a configuration from the bytes of its file and what is laid over it.
    ///
    /// ```
    /// use scaling_policy::config::{Config, Layers};
    ///
    /// let file = br#"{"mode": "hybrid", "group": "web", "replicas": {"max_replicas": 20}}"#;
    /// let loaded = Config::parse(file, &Layers::none())?;
    /// assert_eq!(loaded.config.groups[0].replicas.max, 20);
    /// # Ok::<(), scaling_policy::config::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// Every fault of the merged document at once, or why a layer is not JSON.
    pub fn parse(file: &[u8], layers: &Layers<'_>) -> Result<Loaded, ConfigError> {
        let mut faults = Faults::default();
        let merged = layers.merge(file, &mut faults);
        let Some((source, written)) = merged else { return Err(failed(faults)) };
        let mut loaded = read(source, &written, faults)?;
        loaded.config.variables = layers.variables().to_vec();
        Ok(loaded)
    }

    /// Reads a stored source as this process has to: its environment variables lie over that as they lie over its file.
    ///
    /// # Errors
    /// Every fault of the merged document at once.
    pub fn another(&self, source: Value) -> Result<Loaded, ConfigError> {
        if self.variables.is_empty() {
            return Self::from_source(source);
        }
        let layers = Layers::none().with_variables(self.variables.iter().cloned());
        Self::parse(source.to_string().as_bytes(), &layers)
    }

    /// Reads a configuration from a merged source, as [`Config::source`] gave it.
    ///
    /// # Errors
    /// Every fault of the document at once.
    pub fn from_source(source: Value) -> Result<Loaded, ConfigError> {
        read(source, &[], Faults::default())
    }

    /// The merged source this was read from: what GET /config answers and the store keeps.
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// The same configuration as stored under a version.
    #[must_use]
    pub fn at_version(mut self, version: ConfigVersion) -> Self {
        self.version = version;
        for group in &mut self.groups {
            Arc::make_mut(group).version = version;
        }
        self
    }

    /// The group of that name.
    pub fn group(&self, name: &str) -> Option<&Arc<GroupConfig>> {
        self.groups.iter().find(|group| group.name.as_str() == name)
    }

    /// The only group, while there is exactly one: the one a request means that names none.
    pub fn only_group(&self) -> Option<&Arc<GroupConfig>> {
        match self.groups.as_slice() {
            [group] => Some(group),
            _ => None,
        }
    }

    /// The group that a CloudWatch alarm of this name wakes: `scaling/<group>/<trigger>`, else one that lists it.
    pub fn group_of_alarm(&self, alarm: &str) -> Option<&Arc<GroupConfig>> {
        let named = alarm
            .strip_prefix("scaling/")
            .and_then(|rest| rest.rsplit_once('/'))
            .and_then(|(name, _trigger)| self.group(name));
        named.or_else(|| self.groups.iter().find(|group| group.alarms.iter().any(|name| name == alarm)))
    }
}

/// The error of findings among which there must be one.
fn failed(faults: Faults) -> ConfigError {
    match faults.finish() {
        Err(error) => error,
        Ok(warnings) => ConfigError { faults: warnings, omitted: 0 },
    }
}

fn read(source: Value, variables: &[(String, String)], mut faults: Faults) -> Result<Loaded, ConfigError> {
    let Some(mut document) = Document::read(&source, &Path::Root, &mut faults) else {
        faults.name_variables(variables);
        faults.name_groups(&source);
        return Err(failed(faults));
    };
    settle_mode(&mut document.settings, "", &source, &mut faults);
    let groups = groups(&mut document, &source, &mut faults);
    check_alarms(&groups, &source, &mut faults);
    check_region(document.region.as_deref(), &source, &mut faults);
    if groups.iter().all(|group| group.platform == Platform::Aws) {
        for (key, prices) in [("prices", &document.prices), ("spot_prices", &document.spot_prices)] {
            ladder::check_prices(key, prices.iter().flat_map(BTreeMap::keys), &mut faults);
        }
    }
    let spot_date = spot_date(document.spot_prices_date.as_deref(), &source, &mut faults);
    faults.name_variables(variables);
    faults.name_groups(&source);
    let warnings = faults.finish()?;
    let limits = document.limits.unwrap_or_default();
    let config = Config {
        version: ConfigVersion::default(),
        mode: document.settings.mode.unwrap_or(defaults::MODE),
        groups: groups.into_iter().map(Arc::new).collect(),
        region: document.region,
        prices: by_type(document.prices),
        spot_prices: SpotPrices { by_type: by_type(document.spot_prices), date: spot_date },
        limits: FleetLimits {
            max_groups_changed: limits.max_groups_changed.map(|count| count.0),
            max_added_cost: limits.max_added_usd_per_hour.map(|spending| UsdPerHour(spending.0)),
        },
        require_if_match: document.require_if_match.unwrap_or_default(),
        source,
        variables: Vec::new(),
    };
    Ok(Loaded { config, warnings })
}

fn by_type(prices: Option<BTreeMap<String, Price>>) -> BTreeMap<TypeName, UsdPerHour> {
    let prices = prices.unwrap_or_default().into_iter();
    prices.map(|(name, price)| (TypeName::new(name), UsdPerHour(price.0))).collect()
}

fn spot_date(date: Option<&str>, source: &Value, faults: &mut Faults) -> Option<Date> {
    let date = date?;
    let pointer = "/spot_prices_date";
    let read = date.parse::<Date>().ok();
    if read.is_none() {
        faults.error(
            &pointer,
            source.pointer(pointer),
            "must be a day",
            "write it as YYYY-MM-DD, such as 2026-11-29",
        );
    }
    read
}

/// `policy.mode` is the mode of its level, and must not contradict `mode` beside it.
fn settle_mode(settings: &mut Settings, prefix: &str, source: &Value, faults: &mut Faults) {
    let Some(mode) = settings.policy.as_mut().and_then(|policy| policy.mode.take()) else { return };
    if settings.mode.is_some_and(|outer| outer != mode) {
        let pointer = format!("{prefix}/policy/mode");
        let rule = "must be the same as `mode`";
        faults.error(&pointer, source.pointer(&pointer), rule, "give only one of them, or the same value");
    }
    settings.mode = Some(mode);
}

fn groups(document: &mut Document, source: &Value, faults: &mut Faults) -> Vec<GroupConfig> {
    let Some(groups) = source.get("groups").filter(|groups| !groups.is_null()) else {
        let name = only_name(document.group.as_deref(), source, faults);
        return vec![resolve(name, &document.settings, Origin::document(source), faults)];
    };
    if let Some(group) = source.get("group").filter(|group| !group.is_null()) {
        let fix = "take it out, and give each of `groups` its `name`";
        faults.error(&"/group", Some(group), "must not stand beside `groups`", fix);
    }
    let Some(elements) = groups.as_array() else { return Vec::new() };
    if elements.is_empty() {
        let fix = "describe a group with its `name`, or take `groups` out";
        faults.error(&"/groups", Some(groups), "must have a group: with none there is nothing to do", fix);
    }
    // The reader kept exactly the elements that are objects, and has reported the others.
    let objects = elements.iter().enumerate().filter(|(_, element)| element.is_object());
    let mut names = HashMap::new();
    let mut resolved = Vec::with_capacity(elements.len());
    for ((index, element), mut group) in objects.zip(document.groups.take().unwrap_or_default()) {
        settle_mode(&mut group.settings, &format!("/groups/{index}"), source, faults);
        let pointer = format!("/groups/{index}/name");
        let name = GroupName::new(group.name.as_deref().unwrap_or_default());
        if group.name.is_some() {
            check_name(&pointer, name.as_str(), faults);
            if let Some(first) = names.insert(name.clone(), index) {
                let rule = format!("is also the name of /groups/{first}");
                faults.error(&pointer, element.get("name"), rule, "give every group its own name");
            }
        } else if !faults.touch(&pointer) {
            let fix = "on aws, write the name of the Auto Scaling group";
            faults.error(&pointer, None, "must be given: it says which group this is", fix);
        }
        let settings = group.settings.over(&document.settings);
        resolved.push(resolve(name, &settings, Origin::group(source, index), faults));
    }
    resolved
}

/// The name of the only group of a document without `groups`.
fn only_name(given: Option<&str>, source: &Value, faults: &mut Faults) -> GroupName {
    let name = given.unwrap_or(defaults::GROUP);
    if given.is_some() {
        check_name("/group", name, faults);
    } else if source.get("group").is_none_or(Value::is_null) {
        let rule = format!("is not given, so the group's name is \"{name}\"");
        faults.warning(&"/group", None, rule, "write `group`, or set SCALING_GROUP, to the group's name");
    }
    GroupName::new(name)
}

/// What EC2 Auto Scaling asks of a name, less what would be a trap in a URL or an alarm's name.
fn check_name(pointer: &str, name: &str, faults: &mut Faults) {
    const MAX: usize = 255;
    if name.chars().count() > MAX || name.trim() != name || name.contains(':') {
        let rule =
            format!("must be at most {MAX} characters, without a colon and without spaces at its ends");
        let value = Value::String(name.to_owned());
        faults.error(&pointer, Some(&value), rule, "write the group's name as the platform has it");
    }
}

/// One alarm wakes one group.
fn check_alarms(groups: &[GroupConfig], source: &Value, faults: &mut Faults) {
    let mut owners: HashMap<&str, &GroupConfig> = HashMap::new();
    for group in groups {
        for alarm in &group.alarms {
            let Some(other) = owners.insert(alarm, group).filter(|other| other.name != group.name) else {
                continue;
            };
            let index = groups.iter().position(|candidate| std::ptr::eq(candidate, group)).unwrap_or(0);
            let place = if source.get("groups").is_some_and(Value::is_array) {
                Origin::group(source, index)
            } else {
                Origin::document(source)
            };
            let rule = format!("must name an alarm of one group: {alarm} is also one of {}", other.name);
            place.error("alarms", rule, "list it with the group that it watches", faults);
        }
    }
}

/// A region's name goes into host names.
fn check_region(region: Option<&str>, source: &Value, faults: &mut Faults) {
    let is_region = |name: &str| {
        name.contains('-') && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if region.is_some_and(|name| !is_region(name)) {
        faults.error(
            &"/region",
            source.get("region"),
            "must be an AWS region",
            "write one such as eu-central-1",
        );
    } else if let Some(name) = region.filter(|name| PriceBook::embedded(name).is_none()) {
        let known: Vec<_> = PriceBook::regions().collect();
        faults.warning(
            &"/region",
            source.get("region"),
            format!("has no price list here, so that {DEFAULT_REGION}'s prices are used for {name}"),
            format!("name the types' prices under `prices`; lists are known of {}", known.join(", ")),
        );
    }
}
