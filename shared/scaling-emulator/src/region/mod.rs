//! The state of one region: everything that the services read and change, behind one lock.

pub mod group;
pub mod minutes;
pub mod totals;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use group::{Group, LifecycleState, Member};
pub use minutes::{Latency, MinuteRecord, Minutes, Samples, Sizes};
pub use totals::GroupTotals;

use crate::cloudwatch::CloudWatch;
use crate::settings::Settings;

/// The state of one region.
#[derive(Debug)]
pub struct Region {
    /// Region name, such as `us-east-1`.
    pub name: String,
    /// Account, 12 digits.
    pub account_id: String,
    /// The present moment of this region.
    pub now: Timestamp,
    /// What CloudWatch holds of its own.
    pub cloudwatch: CloudWatch,
    groups: BTreeMap<String, Group>,
}

impl Region {
    /// An empty region at the settings' start.
    pub fn new(settings: &Settings) -> Self {
        Self {
            name: settings.region.clone(),
            account_id: settings.account_id.clone(),
            now: settings.start,
            cloudwatch: CloudWatch::default(),
            groups: BTreeMap::new(),
        }
    }

    /// A group by name.
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// All groups by name.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// The group and member with this instance id; ended ones are known for an hour.
    pub fn instance(&self, id: &str) -> Option<(&Group, &Member)> {
        self.groups.values().find_map(|group| {
            group.members.iter().find(|member| member.id == id).map(|member| (group, member))
        })
    }

    /// All complete minutes of a group, oldest first.
    pub fn minutes(&self, group: &str) -> impl Iterator<Item = MinuteRecord> + '_ {
        self.groups.get(group).into_iter().flat_map(|group| group.minutes().iter())
    }

    /// The complete minutes of a group that begin in `[from, to)`, oldest first.
    pub fn minutes_between(
        &self,
        group: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = MinuteRecord> + '_ {
        self.groups.get(group).into_iter().flat_map(move |group| group.minutes().between(from, to))
    }

    /// Start, CPU and memory utilisation (0 to 1) of the minutes in `[from, to)` in which an instance served.
    pub fn instance_minutes(
        &self,
        id: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, f64, f64)> + '_ {
        self.instance(id).into_iter().flat_map(move |(group, member)| {
            group
                .minutes()
                .between(from, to)
                .filter(|minute| member.served_in(minute.start))
                .map(|minute| member.share_of(&minute))
        })
    }
}
