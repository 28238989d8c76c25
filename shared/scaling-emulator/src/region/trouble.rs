//! Launches that are made to fail.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::group::Group;
use super::launch::{LaunchOption, LaunchSource};
use super::usage::Class;
use super::zones_of;
use crate::wire::AwsError;

/// Stands for every type, or every group.
pub const ANY: &str = "*";

/// Which launches fail, and how.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LaunchFaults {
    /// Types, or [`ANY`], of which there is no capacity.
    pub without_capacity: BTreeSet<String>,
    /// Types of which there is none in a zone, or [`ANY`] for either.
    pub zone_shortages: BTreeSet<(String, String)>,
    /// Zones, or [`ANY`], that are out.
    pub zones_down: BTreeSet<String>,
    /// Types, or [`ANY`], whose launches fail with a message.
    pub failing: BTreeMap<String, String>,
    /// Most vCPU of a kind of instance; without limit where there is none.
    #[serde(default)]
    pub vcpu_quotas: BTreeMap<Class, u32>,
}

impl LaunchFaults {
    fn is_short(&self, kind: &str, zone: &str) -> bool {
        let is_meant = |short: &str| short == kind || short == ANY;
        self.without_capacity.iter().any(|short| is_meant(short))
            || self
                .zone_shortages
                .iter()
                .any(|(short, place)| is_meant(short) && (place == zone || place == ANY))
    }

    /// Whether there is no capacity of a type in `zone`, for any reason.
    fn is_without(&self, kind: &str, zone: &str) -> bool {
        self.is_short(kind, zone) || self.is_down(zone)
    }

    /// What EC2 says where there is no capacity: it advises the region's zones that have some.
    fn shortage(&self, kind: &str, zone: &str) -> String {
        let region = zone.strip_suffix(char::is_alphabetic).unwrap_or(zone);
        let others =
            zones_of(region).into_iter().filter(|other| other != zone && !self.is_without(kind, other));
        let others = others.collect::<Vec<_>>().join(", ");
        let advice = if others.is_empty() {
            String::new()
        } else {
            format!(
                " You can currently get {kind} capacity by not specifying an Availability Zone in your request or choosing \
                 {others}."
            )
        };
        format!(
            "We currently do not have sufficient {kind} capacity in the Availability Zone you requested ({zone}). Our \
             system will be working on provisioning additional capacity.{advice}"
        )
    }

    /// Why EC2 itself cannot launch this type in `zone`. `None` if it can.
    pub(crate) fn refusal(&self, kind: &str, zone: &str) -> Option<AwsError> {
        if self.is_without(kind, zone) {
            let code = "InsufficientInstanceCapacity";
            return Some(AwsError::new(code, self.shortage(kind, zone)).with_status(500));
        }
        let message = self.failing.get(kind).or_else(|| self.failing.get(ANY))?;
        Some(AwsError::new("UnsupportedOperation", message.clone()))
    }

    /// Why this cannot be launched in `zone`, as the activity's status message says it. `None` if it can.
    pub(crate) fn why_not(&self, option: &LaunchOption, zone: &str, group: &Group) -> Option<String> {
        let kind = option.machine.instance_type.as_str();
        let message = if self.is_without(kind, zone) {
            if option.spot { NO_SPOT.to_owned() } else { self.shortage(kind, zone) }
        } else {
            self.failing.get(kind).or_else(|| self.failing.get(ANY))?.clone()
        };
        let code = match (&group.settings.source, option.spot) {
            (LaunchSource::Mixed(_), false) => {
                "Could not launch On-Demand Instances. InsufficientInstanceCapacity - "
            }
            (_, true) => "Could not launch Spot Instances. InsufficientInstanceCapacity - ",
            _ => "",
        };
        let code = if self.failing.values().any(|failing| *failing == message) { "" } else { code };
        Some(format!("{code}{message} Launching EC2 instance failed."))
    }
}

/// What there is to say of Spot capacity that is not there.
const NO_SPOT: &str = "There is no Spot capacity available that matches your request.";
