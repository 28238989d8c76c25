//! Which instance ends first when a group shrinks.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Configure termination policies for Amazon EC2 Auto Scaling": the zone
//! with the most instances comes first, then the group's policies in their order, each breaking the ties of the one
//! before.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::group::Group;
use super::launch::{LaunchOption, LaunchSource};
use super::member::Member;

/// The termination policies that a group may name, as the service lists them.
pub const POLICIES: [&str; 7] = [
    "AllocationStrategy",
    "ClosestToNextInstanceHour",
    "Default",
    "NewestInstance",
    "OldestInstance",
    "OldestLaunchConfiguration",
    "OldestLaunchTemplate",
];

/// The order in which a mixed instances policy would launch its types today, by purchase option.
///
/// The same guide: `AllocationStrategy`, and `Default` before it looks at the templates, end what the strategy would
/// launch last, so that what remains is aligned to it. Groups of one kind of instance have no strategy.
struct Preference<'a> {
    options: &'a [LaunchOption],
    on_demand: Option<&'a [LaunchOption]>,
    spot: Option<Vec<LaunchOption>>,
}

impl<'a> Preference<'a> {
    fn new(source: &LaunchSource, options: &'a [LaunchOption]) -> Self {
        let mixed = matches!(source, LaunchSource::Mixed(_));
        Self { options, on_demand: mixed.then_some(options), spot: mixed.then(|| source.as_spot(options)) }
    }

    /// How far down its order an instance's type stands; one that it has no more is last.
    fn place(&self, member: &Member) -> usize {
        let order = if member.spot { self.spot.as_deref() } else { self.on_demand };
        let Some(order) = order else { return 0 };
        order
            .iter()
            .position(|option| option.machine.instance_type == member.instance_type)
            .unwrap_or(usize::MAX)
    }

    /// Which of two the strategy would rather be without.
    fn compare(&self, a: &Member, b: &Member) -> Ordering {
        self.place(b).cmp(&self.place(a))
    }
}

impl Group {
    /// Whether an instance is what `options` would give today.
    pub(crate) fn matches(member: &Member, options: &[LaunchOption]) -> bool {
        options.iter().any(|option| {
            option.machine.instance_type == member.instance_type
                && option.template == member.template
                && option.configuration == member.configuration
                && option.image == member.image
        })
    }

    /// The instance that scaling in ends next, of at most `weight` units of capacity. Unhealthy ones go first, protected
    /// ones never.
    pub(crate) fn victim(&self, options: &[LaunchOption], weight: u32) -> Option<String> {
        let zones = self.zone_counts();
        // A zone that was taken away from the group is always too full.
        let crowd = |member: &Member| {
            let count = zones.get(member.zone.as_str()).copied().unwrap_or(0);
            if self.is_misplaced(member) { usize::MAX } else { count }
        };
        let candidates = || self.alive().filter(|member| !member.protected && member.weight <= weight);
        // The fullest zone is chosen among those that have an instance to give.
        let fullest = candidates().map(crowd).max()?;
        let preference = Preference::new(&self.settings.source, options);
        let unhealthy = candidates().find(|member| !member.healthy || member.at_risk);
        let chosen = unhealthy.or_else(|| {
            candidates().filter(|member| crowd(member) == fullest).min_by(|a, b| {
                let kind = self.is_too_many(b).cmp(&self.is_too_many(a));
                kind.then(self.by_policies(a, b, &preference)).then(a.number.cmp(&b.number))
            })
        });
        chosen.map(|member| member.id.clone())
    }

    /// Whether its group has more of its purchase option, on-demand or Spot, than its policy says.
    fn is_too_many(&self, member: &Member) -> bool {
        let surplus = |target| self.on_demand_capacity() > target;
        self.settings.source.on_demand(self.desired).is_some_and(|target| surplus(target) != member.spot)
    }

    /// Instances that are part of the capacity, by zone.
    pub(crate) fn zone_counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for member in self.alive() {
            *counts.entry(member.zone.as_str()).or_insert(0) += 1;
        }
        counts
    }

    fn by_policies(&self, a: &Member, b: &Member, preference: &Preference<'_>) -> Ordering {
        let policies = self.settings.termination_policies.iter();
        policies
            .map(|policy| by_policy(policy, a, b, preference))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

fn by_policy(policy: &str, a: &Member, b: &Member, preference: &Preference<'_>) -> Ordering {
    let outdated = || Group::matches(a, preference.options).cmp(&Group::matches(b, preference.options));
    let version = |member: &Member| {
        let spec = member.template.as_ref()?;
        Some((spec.launch_template_id.clone()?, spec.version.as_deref()?.parse::<u32>().ok()?))
    };
    match policy {
        "OldestInstance" => a.launched.cmp(&b.launched),
        "NewestInstance" => b.launched.cmp(&a.launched).then(b.number.cmp(&a.number)),
        "OldestLaunchConfiguration" => {
            a.configuration.is_none().cmp(&b.configuration.is_none()).then_with(outdated)
        }
        "OldestLaunchTemplate" => a
            .template
            .is_none()
            .cmp(&b.template.is_none())
            .then_with(outdated)
            .then_with(|| version(a).cmp(&version(b))),
        // Everything is billed by the second, so that no instance is nearer to its next hour in a way that matters.
        "AllocationStrategy" => preference.compare(a, b),
        "Default" => preference.compare(a, b).then_with(outdated),
        _ => Ordering::Equal,
    }
}
