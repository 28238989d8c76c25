//! How many vCPU run by kind of instance, over time, and the quotas that they stand against.
//!
//! Sources: *Amazon EC2 User Guide*, "Amazon EC2 instance type quotas": a quota of vCPU for each kind of on-demand instance,
//! which pending and running instances count against; *Amazon CloudWatch User Guide*, "AWS usage metrics".

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use scaling_fleet::fleet::Machine;
use serde::{Deserialize, Serialize};

use super::Region;
use super::launch::{LaunchOption, LaunchSource};
use super::member::{Condition, LifecycleState, Member};
use crate::wire::AwsError;

/// A kind of on-demand instance that has a quota of its own. Dedicated hosts, high memory, HPC and Trainium have others,
/// which are not told here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the name that the service has for it")]
pub enum Class {
    #[default]
    #[serde(rename = "Standard/OnDemand")]
    Standard,
    #[serde(rename = "F/OnDemand")]
    F,
    #[serde(rename = "G/OnDemand")]
    G,
    #[serde(rename = "Inf/OnDemand")]
    Inf,
    #[serde(rename = "P/OnDemand")]
    P,
    #[serde(rename = "X/OnDemand")]
    X,
}

impl Class {
    /// Each with its name as a metric's dimension, and the letters that its families begin with.
    const TABLE: [(Self, &'static str, &'static [&'static str]); 6] = [
        (Self::Standard, "Standard/OnDemand", &["a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"]),
        (Self::F, "F/OnDemand", &["f"]),
        (Self::G, "G/OnDemand", &["g", "gr", "vt"]),
        (Self::Inf, "Inf/OnDemand", &["inf"]),
        (Self::P, "P/OnDemand", &["p"]),
        (Self::X, "X/OnDemand", &["x"]),
    ];

    /// The kind of an instance type.
    pub fn of(kind: &str) -> Option<Self> {
        let letters = kind.split(|c: char| !c.is_ascii_lowercase()).next()?;
        Self::TABLE.iter().find(|(_, _, families)| families.contains(&letters)).map(|(class, ..)| *class)
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known, _)| *known == name).map(|(class, ..)| *class)
    }

    /// Its name, such as `Standard/OnDemand`.
    pub fn name(self) -> &'static str {
        Self::TABLE.iter().find(|(class, ..)| *class == self).map_or("", |(_, name, _)| name)
    }
}

/// Time between two points of usage, in seconds.
pub const USAGE_PERIOD: i64 = 300;

/// How long points are kept, in seconds: 15 days.
const KEPT: i64 = 15 * 24 * 3600;

/// vCPU that run, by kind, period for period. Only changes are kept.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Starts of the periods from which on the figures hold, oldest first.
    changes: VecDeque<(i64, BTreeMap<Class, f64>)>,
    /// Start of the newest period.
    newest: i64,
}

impl Usage {
    /// Notes what ran at the end of a period.
    fn record(&mut self, end: i64, vcpu: BTreeMap<Class, f64>) {
        self.newest = end - USAGE_PERIOD;
        if self.changes.back().map_or(!vcpu.is_empty(), |(_, before)| *before != vcpu) {
            self.changes.push_back((self.newest, vcpu));
        }
        while self.changes.get(1).is_some_and(|(start, _)| *start < end - KEPT) {
            self.changes.pop_front();
        }
    }

    /// The kinds of which anything has run.
    pub fn classes(&self) -> impl Iterator<Item = Class> + '_ {
        let has = |class: &Class| self.changes.iter().any(|(_, vcpu)| vcpu.contains_key(class));
        Class::TABLE.iter().map(|(class, ..)| *class).filter(has)
    }

    /// Starts of the periods in `[from, to)` and what ran of a kind, from the first of it on.
    pub fn points(&self, class: Class, from: i64, to: i64) -> Vec<(i64, f64)> {
        let mut points = Vec::new();
        let mut changes = self.changes.iter().skip_while(|(_, vcpu)| !vcpu.contains_key(&class)).peekable();
        while let Some((start, vcpu)) = changes.next() {
            let end = changes.peek().map_or(self.newest + 1, |(next, _)| *next).min(to);
            let value = vcpu.get(&class).copied().unwrap_or(0.0);
            // Starts of periods stand on the grid, so the first one at or behind `from` does, too.
            let first = from.max(*start);
            let first = first + (USAGE_PERIOD - first.rem_euclid(USAGE_PERIOD)) % USAGE_PERIOD;
            let mut at = first;
            while at < end {
                points.push((at, value));
                at += USAGE_PERIOD;
            }
        }
        points
    }
}

impl Region {
    /// Notes the usage where a period of it ends.
    pub(super) fn record_usage(&mut self, to: Timestamp) {
        if to.as_second() % USAGE_PERIOD == 0 && to.subsec_nanosecond() == 0 {
            let vcpu = self.running_vcpu();
            self.usage.record(to.as_second(), vcpu);
        }
    }

    /// vCPU of the instances that run or boot, by kind.
    fn running_vcpu(&self) -> BTreeMap<Class, f64> {
        let counts = |member: &&Member| {
            // Spot Instances count against quotas of their own, which are not told here.
            !member.spot
                && !matches!(
                    member.state,
                    LifecycleState::Terminated
                        | LifecycleState::WarmedStopped
                        | LifecycleState::WarmedHibernated
                )
                && !matches!(member.condition, Condition::Stopped | Condition::Terminated)
        };
        let members = self.groups.values().flat_map(|group| &group.members);
        let members = members.chain(self.loose.values().map(|loose| &loose.member));
        let mut by_type = BTreeMap::<&str, u32>::new();
        for member in members.filter(counts) {
            *by_type.entry(member.instance_type.as_str()).or_default() += 1;
        }
        let mut by_class = BTreeMap::<Class, f64>::new();
        for (name, count) in by_type {
            if let (Some(class), Some(kind)) = (Class::of(name), self.machines.get(name)) {
                *by_class.entry(class).or_default() += kind.vcpu.0 * f64::from(count);
            }
        }
        by_class
    }

    /// What the quotas in force still let launch.
    pub(crate) fn room(&self) -> Room {
        let quotas = &self.launch_faults.vcpu_quotas;
        if quotas.is_empty() {
            return Room::default();
        }
        let used = self.running_vcpu();
        let left = |(class, limit): (&Class, &u32)| {
            (*class, (*limit, f64::from(*limit) - used.get(class).copied().unwrap_or(0.0)))
        };
        Room(quotas.iter().map(left).collect())
    }
}

/// Quotas by kind, and how many vCPU of them are left. Empty without quotas.
#[derive(Debug, Default)]
pub(crate) struct Room(BTreeMap<Class, (u32, f64)>);

impl Room {
    /// The quota that has no room for another machine.
    fn full(&self, machine: &Machine) -> Option<u32> {
        let (limit, left) = self.0.get(&Class::of(machine.instance_type.as_str())?)?;
        (machine.vcpu.0 > *left).then_some(*limit)
    }

    /// Why a group cannot launch this, as the activity's status message says it. `None` if it can.
    pub(super) fn why_not(&self, option: &LaunchOption, source: &LaunchSource) -> Option<String> {
        let limit = self.full(&option.machine).filter(|_| !option.spot)?;
        let code = match source {
            LaunchSource::Mixed(_) => "Could not launch On-Demand Instances. VcpuLimitExceeded - ",
            _ => "",
        };
        Some(format!("{code}{} Launching EC2 instance failed.", exceeded(limit)))
    }

    /// Takes room for another machine.
    ///
    /// # Errors
    /// `VcpuLimitExceeded` where there is none.
    pub(crate) fn take(&mut self, machine: &Machine) -> Result<(), AwsError> {
        if let Some(limit) = self.full(machine) {
            return Err(AwsError::new("VcpuLimitExceeded", exceeded(limit)));
        }
        self.taken(machine);
        Ok(())
    }

    /// Another machine was launched.
    pub(super) fn taken(&mut self, machine: &Machine) {
        let class = Class::of(machine.instance_type.as_str());
        if let Some((_, left)) = class.and_then(|class| self.0.get_mut(&class)) {
            *left -= machine.vcpu.0;
        }
    }
}

fn exceeded(limit: u32) -> String {
    format!(
        "You have requested more vCPU capacity than your current vCPU limit of {limit} allows for the instance bucket that \
         the specified instance type belongs to. Please visit http://aws.amazon.com/contact-us/ec2-request to request an \
         adjustment to this limit."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_kept_and_every_period_has_a_point() {
        let mut usage = Usage::default();
        let standard = |vcpu: f64| BTreeMap::from([(Class::Standard, vcpu)]);
        for (end, vcpu) in [(300, standard(4.0)), (600, standard(4.0)), (900, standard(8.0))] {
            usage.record(end, vcpu);
        }
        usage.record(1200, BTreeMap::new());
        assert_eq!(usage.changes.len(), 3);
        let all = [(0, 4.0), (300, 4.0), (600, 8.0), (900, 0.0)];
        assert_eq!(usage.points(Class::Standard, i64::MIN / 2, i64::MAX), all);
        assert_eq!(usage.points(Class::Standard, 1, 900), all[1..3]);
        assert_eq!(usage.points(Class::G, 0, 1200), []);
        assert_eq!(usage.classes().collect::<Vec<_>>(), [Class::Standard]);
    }

    #[test]
    fn what_is_older_than_it_is_kept_is_forgotten_but_not_what_still_holds() {
        let mut usage = Usage::default();
        for (end, vcpu) in [(300, 1.0), (600, 2.0), (KEPT * 2, 2.0)] {
            usage.record(end, BTreeMap::from([(Class::X, vcpu)]));
        }
        assert_eq!(usage.changes.len(), 1);
        assert_eq!(usage.points(Class::X, KEPT * 2 - 300, KEPT * 2), [(KEPT * 2 - 300, 2.0)]);
    }

    #[test]
    fn every_kind_is_found_by_its_types_and_its_name() {
        for (class, name, families) in Class::TABLE {
            assert_eq!((class.name(), Class::named(name)), (name, Some(class)));
            assert_eq!(serde_json::to_value(class).unwrap(), name);
            for family in families {
                assert_eq!(Class::of(&format!("{family}7i.large")), Some(class), "{family}");
            }
        }
        assert_eq!([Class::of("u-6tb1.112xlarge"), Class::of("mac2.metal"), Class::of("")], [None; 3]);
    }
}
