//! From what the ports answered to the one [`Snapshot`] that everything after looks at. Pure.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::prices::Terms;
use scaling_fleet::{Catalogue, InstanceClass, Mebibytes, PriceBook, TypeName, UsdPerHour, Vcpu};
use scaling_policy::config::{Absence, GroupConfig, LadderRule};
use scaling_policy::snapshot::{GroupView, ReplacementView, ReplicaCount, RetypeSupport, TypeOffer};
use scaling_policy::trigger::{PerTrigger, Reading, Trigger, stale_after};
use scaling_policy::{OperationState, Snapshot};

use crate::ports::{GroupDescription, InstanceDescription, Lifecycle, MetricQuery, MetricSeries};

/// How far back metrics are asked for: enough for three periods and a late one.
const PERIODS_ASKED: i32 = 5;

/// The queries of one group, in the order of the triggers; one for each that has a binding.
pub fn queries(config: &Arc<GroupConfig>, now: Timestamp) -> Vec<MetricQuery> {
    let period = seconds(config);
    // An open period is never a reading: ask up to the last boundary.
    let to = now.as_second().div_euclid(i64::from(period)) * i64::from(period);
    let to = Timestamp::from_second(to).unwrap_or(now);
    let from = to - SignedDuration::from_secs(i64::from(period)) * PERIODS_ASKED;
    config
        .triggers
        .iter()
        .filter_map(|(trigger, settings)| {
            let binding = settings.binding.clone()?;
            Some(MetricQuery {
                group: Arc::clone(config),
                trigger,
                binding,
                period_seconds: period,
                from,
                to,
            })
        })
        .collect()
}

fn seconds(config: &GroupConfig) -> u32 {
    u32::try_from(config.evaluation_period.as_secs()).unwrap_or(u32::MAX).max(1)
}

/// Classifies the newest complete period of each trigger.
pub fn readings(
    config: &GroupConfig,
    answers: &[(Trigger, MetricSeries)],
    now: Timestamp,
) -> PerTrigger<Reading> {
    PerTrigger::from_fn(|trigger| {
        let Some(binding) = &config.triggers[trigger].binding else { return Reading::Unbound };
        let series = answers.iter().find(|(answered, _)| *answered == trigger).map(|(_, series)| series);
        let period = SignedDuration::from_secs(i64::from(seconds(config)));
        let newest = series.and_then(|series| {
            let complete =
                series.points.iter().filter(|(start, value)| *start + period <= now && value.is_finite());
            complete.max_by_key(|(start, _)| *start).map(|&(start, value)| (start + period, value))
        });
        match newest {
            Some((ended, value)) if !is_stale(config, ended, now) => {
                Reading::Fresh { value: (value * binding.scale).max(0.0), ended }
            }
            // A partial answer says nothing about what is not in it.
            _ if binding.absence == Absence::Zero && series.is_some_and(|series| !series.partial) => {
                Reading::AbsentZero
            }
            Some((ended, _)) => Reading::Stale { ended },
            None => Reading::Missing,
        }
    })
}

fn is_stale(config: &GroupConfig, ended: Timestamp, now: Timestamp) -> bool {
    now.duration_since(ended).as_secs_f64() > stale_after(config.evaluation_period).as_secs_f64()
}

/// Where types and prices come from.
#[derive(Debug, Clone)]
pub struct Market<'a> {
    /// Known types.
    pub catalogue: &'a Catalogue,
    /// Prices of the region.
    pub prices: Arc<PriceBook>,
}

impl Market<'_> {
    /// A type with its figures, for a group that buys on these terms; one that is not in the catalogue or has no price
    /// counts nothing and costs nothing.
    pub fn offer(&self, name: &TypeName, terms: Terms) -> TypeOffer {
        let known = self.catalogue.get(name);
        TypeOffer {
            name: name.clone(),
            vcpu: known.map_or(Vcpu(1.0), |known| known.vcpu),
            memory: known.map_or(Mebibytes(1024.0), |known| known.memory),
            price: self.prices.on_terms(name, terms).unwrap_or(UsdPerHour(0.0)),
        }
    }
}

/// Builds the snapshot of one group.
pub fn snapshot(
    config: &GroupConfig,
    state: &OperationState,
    description: &GroupDescription,
    seen: &Seen<'_>,
    market: &Market<'_>,
) -> Snapshot {
    let launch_type = launch_type(state, description);
    let priced = (market, terms(config, description));
    Snapshot {
        taken_at: seen.now,
        group: view(state, description, &launch_type, seen, priced),
        readings: seen.readings,
        ladder: ladder(config, state, &launch_type, seen.now, priced).into(),
    }
}

/// On which terms the group's instances are bought, with the share of spot in the capacity that was asked for last. Another
/// count of the same group is taken to cost as much a replica, though a base on demand makes a larger group a little
/// cheaper for each.
pub fn terms(config: &GroupConfig, description: &GroupDescription) -> Terms {
    Terms { spot_share: description.purchase.spot_share(description.desired), discount: config.discount }
}

/// What was read beside the description.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// Readings.
    pub readings: PerTrigger<Reading>,
    /// The running replacement, where one was looked for.
    pub replacement: Option<ReplacementView>,
    /// Ids of instances in their warm-up.
    pub warming: &'a [(String, Timestamp)],
    /// Now.
    pub now: Timestamp,
}

/// The type of a group that has no instances and whose platform names none.
pub const UNKNOWN_TYPE: &str = "unknown";

/// The platform's word, else what was launched last as long as any instance still is that, else what most instances
/// are.
pub fn launch_type(state: &OperationState, description: &GroupDescription) -> TypeName {
    let runs = |known: &&TypeName| {
        let mut instances = description.instances.iter();
        description.instances.is_empty() || instances.any(|instance| instance.instance_type == **known)
    };
    description
        .launch_type
        .clone()
        .or_else(|| state.known_type.as_ref().filter(runs).cloned())
        .or_else(|| commonest(description))
        .unwrap_or_else(|| TypeName::new(UNKNOWN_TYPE))
}

fn commonest(description: &GroupDescription) -> Option<TypeName> {
    let mut counts: Vec<(&TypeName, usize)> = Vec::new();
    for instance in &description.instances {
        match counts.iter_mut().find(|(name, _)| *name == &instance.instance_type) {
            Some((_, count)) => *count += 1,
            None => counts.push((&instance.instance_type, 1)),
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name.clone())
}

fn view(
    state: &OperationState,
    description: &GroupDescription,
    launch_type: &TypeName,
    seen: &Seen<'_>,
    (market, terms): (&Market<'_>, Terms),
) -> GroupView {
    let mut replicas: Vec<ReplicaCount> = Vec::new();
    for instance in description.instances.iter().filter(|instance| counts(instance)) {
        let index = replicas.iter().position(|count| count.offer.name == instance.instance_type);
        let index = index.unwrap_or_else(|| {
            let offer = market.offer(&instance.instance_type, terms);
            replicas.push(ReplicaCount { offer, serving: 0, warming: 0, pending: 0, protected: 0 });
            replicas.len() - 1
        });
        let count = &mut replicas[index];
        match instance.lifecycle {
            Lifecycle::Pending => count.pending += 1,
            _ if seen.warming.iter().any(|(id, _)| *id == instance.id) => count.warming += 1,
            _ => count.serving += 1,
        }
        count.protected += u32::from(instance.protected);
    }
    let retype = retype(description, launch_type, market);
    GroupView {
        min: description.min,
        max: description.max,
        desired: description.desired,
        launch_type: market.offer(launch_type, terms),
        replicas,
        retype,
        suspended: description.suspended,
        replacement: seen.replacement.clone(),
        foreign: state.foreign.clone(),
    }
}

/// Whether the type may be changed: not where one that runs is in no catalogue. What it has is not known then, nor which
/// architecture it is of, so that no other can be said to do as well.
pub fn retype(description: &GroupDescription, launch_type: &TypeName, market: &Market<'_>) -> RetypeSupport {
    let running = description.instances.iter().map(|instance| &instance.instance_type);
    let unknown =
        std::iter::once(launch_type).chain(running).find(|name| market.catalogue.get(name).is_none());
    match (&description.retype, unknown) {
        (RetypeSupport::Supported, Some(name)) => RetypeSupport::CountOnly { why: why_not(name) },
        (support, _) => support.clone(),
    }
}

fn why_not(name: &TypeName) -> String {
    if name.as_str() == UNKNOWN_TYPE {
        return "no replica runs yet that shows the group's type".to_owned();
    }
    format!("the type {name} is not in the catalogue")
}

/// Zones of the group that have a replica in service.
pub fn served_zones(description: &GroupDescription) -> Vec<String> {
    let serves = |zone: &&String| {
        let mut here = in_zone(description, zone);
        here.any(|instance| instance.lifecycle == Lifecycle::InService)
    };
    description.zones.iter().filter(serves).cloned().collect()
}

/// Zones of the group in which nothing runs or boots, although there is a replica for each zone. Fewer replicas than zones
/// leave some empty by themselves, and so does for a moment one that has failed.
pub fn unserved_zones(description: &GroupDescription) -> Vec<String> {
    let replicas = description.instances.iter().filter(|instance| counts(instance)).count();
    let enough = replicas >= description.zones.len().max(description.desired as usize);
    let unserved = |zone: &&String| enough && in_zone(description, zone).next().is_none();
    description.zones.iter().filter(unserved).cloned().collect()
}

fn in_zone<'a>(
    description: &'a GroupDescription,
    zone: &str,
) -> impl Iterator<Item = &'a InstanceDescription> {
    let counted = description.instances.iter().filter(|instance| counts(instance));
    counted.filter(move |instance| instance.zone.as_deref() == Some(zone))
}

/// Unhealthy instances are about to be replaced and serve nothing.
fn counts(instance: &InstanceDescription) -> bool {
    match instance.lifecycle {
        Lifecycle::Pending => true,
        Lifecycle::InService => instance.healthy,
        Lifecycle::Ending | Lifecycle::Standby => false,
    }
}

/// The types that may be chosen now.
fn ladder(
    config: &GroupConfig,
    state: &OperationState,
    launch_type: &TypeName,
    now: Timestamp,
    (market, terms): (&Market<'_>, Terms),
) -> Vec<TypeOffer> {
    // Of a type that is not known nobody can say which others could run what it runs.
    let Some(present) = market.catalogue.get(launch_type) else { return Vec::new() };
    let architecture = present.architecture;
    let burstable = present.class == InstanceClass::Burstable;
    // A person may set a type for a while that the ladder leaves out.
    let asked = state.temporary.as_ref().filter(|temporary| temporary.until > now);
    let asked = asked.and_then(|temporary| temporary.instance_type.as_ref());
    let in_ladder = |name: &TypeName| match &config.ladder {
        LadderRule::Types(types) => types.contains(name),
        LadderRule::Families(families) => families.iter().any(|family| family == name.family()),
        LadderRule::FamilyOfCurrent => name.family() == launch_type.family(),
    };
    let allowed = |name: &TypeName| asked == Some(name) || in_ladder(name);
    let named = !matches!(config.ladder, LadderRule::FamilyOfCurrent) || burstable;
    let mut offers: Vec<TypeOffer> = market
        .catalogue
        .iter()
        .filter(|known| allowed(&known.name) && known.architecture == architecture)
        .filter(|known| named || asked == Some(&known.name) || known.class != InstanceClass::Burstable)
        .filter(|known| config.resources.allow(known.vcpu, known.memory))
        .filter(|known| !state.is_backed_off(&known.name, now))
        .filter_map(|known| {
            let price = market.prices.on_terms(&known.name, terms)?;
            Some(TypeOffer { name: known.name.clone(), vcpu: known.vcpu, memory: known.memory, price })
        })
        .collect();
    offers.sort_by(|a, b| {
        (a.vcpu.0.total_cmp(&b.vcpu.0))
            .then(a.memory.0.total_cmp(&b.memory.0))
            .then_with(|| a.name.cmp(&b.name))
    });
    offers
}
