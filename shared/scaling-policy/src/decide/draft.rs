//! Stages 3, 4 and 8: what would be right, before any guard looks at it.

use scaling_fleet::{Mebibytes, TypeName, UsdPerHour, Vcpu};

use super::candidates::{Candidate, cheapest, fallbacks, fewest, may_replace};
use super::demand::{Demand, count};
use super::release::{down, down_window};
use super::undo::worse_after_type_change;
use super::{Inputs, seconds_left, stand_still};
use crate::config::Mode;
use crate::decision::{Alternative, Decision, Reason};
use crate::learned::recent::longest_window;
use crate::operation::{OperationKind, Phase};
use crate::snapshot::TypeOffer;
use crate::trigger::Trigger;

/// A load of this much goes straight to what is wanted.
const URGENT_LOAD: f64 = 1.5;

/// What should be, as far as the stages have come.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) replicas: u32,
    pub(crate) retype: Option<Retype>,
    pub(crate) reason: Reason,
    pub(crate) driver: Option<Trigger>,
    /// Not delayed by a cooldown: asked for by a priority trigger, or far over the limit.
    pub(crate) urgent: bool,
}

/// A type change in a draft.
#[derive(Debug, Clone)]
pub(crate) struct Retype {
    pub(crate) to: TypeOffer,
    pub(crate) fallbacks: Vec<TypeName>,
    /// The cheapest others, where they are known from the choice.
    pub(crate) alternatives: Option<Vec<Alternative>>,
    /// Needed to carry the load now; one for cost only waits for its window.
    pub(crate) emergency: bool,
}

/// Replicas of `offer` that the demand needs, whatever the bounds. Memory counts as far as replicas can help: what the base
/// alone fills is a matter of the type.
pub(crate) fn needed(inputs: &Inputs<'_>, demand: &Demand, offer: &TypeOffer) -> u32 {
    let config = inputs.config;
    let by_cpu = count(demand.vcpu_on(config, offer.vcpu.0) / offer.vcpu.0);
    let holder = holder(inputs, offer);
    let by_memory = demand
        .replicas_for_memory(config, holder, config.target_load)
        .or_else(|| demand.replicas_for_memory(config, holder, 1.0))
        .unwrap_or(0);
    by_cpu.max(by_memory).max(ahead(inputs, demand, offer).map_or(0, Ahead::replicas))
}

/// The type whose memory counts: while a type change runs to one that has more, that one. More of the former would be ordered
/// for what the change is about to bring. One that waits or goes back brings nothing.
fn holder<'a>(inputs: &'a Inputs<'_>, offer: &'a TypeOffer) -> &'a TypeOffer {
    let running = inputs.state.open_type_change().filter(|change| change.phase == Phase::Accepted);
    let Some(OperationKind::Retype { to, .. }) = running.map(|change| &change.kind) else {
        return offer;
    };
    let wanted = inputs.snapshot.ladder.iter().find(|wanted| wanted.name == *to);
    wanted.filter(|wanted| wanted.memory > offer.memory).unwrap_or(offer)
}

/// Replicas that the load ahead needs.
#[derive(Debug, Clone, Copy)]
struct Ahead {
    by_cpu: u32,
    by_memory: u32,
}

impl Ahead {
    fn replicas(self) -> u32 {
        self.by_cpu.max(self.by_memory)
    }
}

/// What a forecast asks for; `None` without one.
fn ahead(inputs: &Inputs<'_>, demand: &Demand, offer: &TypeOffer) -> Option<Ahead> {
    let by_cpu = demand.ahead_by_cpu(inputs.config, offer)?;
    let by_memory = demand.ahead_by_memory(inputs.config, holder(inputs, offer)).unwrap_or(0);
    Some(Ahead { by_cpu, by_memory })
}

pub(crate) fn draft(inputs: &Inputs<'_>) -> Draft {
    let (inside, _) = inputs.bounds.clamp(inputs.snapshot.group.desired);
    if inside != inputs.snapshot.group.desired {
        return Draft { replicas: inside, urgent: true, ..stand_still(inputs, Reason::OutsideBounds) };
    }
    if let Some(undone) = worse_after_type_change(inputs) {
        return undone;
    }
    if let Some(name) = temporary_type(inputs) {
        return of_type(inputs, name).unwrap_or_else(|| without_retype(inputs));
    }
    match inputs.config.mode {
        Mode::Horizontal => count_draft(inputs),
        Mode::Vertical => vertical(inputs).unwrap_or_else(|| stand_still(inputs, Reason::WithinTarget)),
        Mode::Hybrid => hybrid(inputs).unwrap_or_else(|| count_draft(inputs)),
    }
}

/// The type that a person has set for a while; meanwhile no other is proposed.
fn temporary_type<'a>(inputs: &Inputs<'a>) -> Option<&'a TypeName> {
    let temporary = inputs.state.temporary.as_ref().filter(|temporary| temporary.until > inputs.now)?;
    temporary.instance_type.as_ref()
}

/// A change to that type, where it is another and may be chosen.
fn of_type(inputs: &Inputs<'_>, name: &TypeName) -> Option<Draft> {
    let group = &inputs.snapshot.group;
    let offer = inputs.snapshot.ladder.iter().find(|offer| offer.name == *name)?;
    let replicas = fewest(inputs, offer).unwrap_or(group.desired);
    (group.launch_type.name != *name).then(|| retype_draft(inputs, offer, replicas, Reason::Override, true))
}

/// What is left to do when the type must stay.
pub(crate) fn without_retype(inputs: &Inputs<'_>) -> Draft {
    match inputs.config.mode {
        Mode::Horizontal | Mode::Hybrid => count_draft(inputs),
        Mode::Vertical => stand_still(inputs, Reason::WithinTarget),
    }
}

/// Count only: up at the limit or as the forecast asks, down when fewer have been enough.
fn count_draft(inputs: &Inputs<'_>) -> Draft {
    up(inputs)
        .or_else(|| first_capacity(inputs))
        .or_else(|| down(inputs))
        .unwrap_or_else(|| stand_still(inputs, Reason::WithinTarget))
}

fn up(inputs: &Inputs<'_>) -> Option<Draft> {
    let (config, group) = (inputs.config, &inputs.snapshot.group);
    let have = group.desired;
    let high = inputs.demand.highest_load().filter(|(_, load)| *load >= 1.0);
    let wanted = needed(inputs, inputs.asked(), &group.launch_type);
    let ahead = ahead(inputs, inputs.asked(), &group.launch_type).filter(|ahead| ahead.replicas() > have);
    let (driver, load, reason) = match (high, ahead) {
        (Some((trigger, load)), _) => (Some(trigger), load, Reason::LoadHigh { trigger, load }),
        (None, Some(ahead)) => (None, 0.0, ahead_reason(inputs, ahead)),
        (None, None) => return None,
    };
    // What is on order counts in full; and until it has served for a whole period, a latency that has not fallen yet
    // is no news.
    let settled =
        group.arriving() == 0 && group.total() >= have && inputs.learned.capacity.is_present(inputs.snapshot);
    let blind = high.is_some() && wanted <= have && settled;
    let wanted = if blind { have + 1 } else { wanted };
    if wanted <= have {
        let arriving = group.arriving();
        let reason = if arriving > 0 { Reason::CapacityPending { replicas: arriving } } else { reason };
        return Some(Draft { driver, ..stand_still(inputs, reason) });
    }
    let priority = match driver {
        Some(trigger) => config.triggers[trigger].priority,
        None if matches!(reason, Reason::ForecastMemory { .. }) => config.triggers.memory_usage.priority,
        None => config.triggers.cpu_usage.priority,
    };
    let urgent = priority || load >= URGENT_LOAD;
    let step = count(f64::from(have) * config.scale_up_factor).max(have + 1);
    let replicas = if urgent { wanted } else { wanted.min(step) };
    let undone = high.is_some() && is_right_after_scale_down(inputs);
    let reason = if undone { Reason::UndoneScaleDown } else { reason };
    Some(Draft { replicas, retype: None, reason, driver, urgent: urgent || undone })
}

/// Why the load ahead asks for more: its CPU, in vCPU of the present type, or its memory.
fn ahead_reason(inputs: &Inputs<'_>, ahead: Ahead) -> Reason {
    if ahead.by_memory > ahead.by_cpu {
        return Reason::ForecastMemory { replicas: ahead.by_memory };
    }
    let each = inputs.snapshot.group.launch_type.vcpu.0;
    Reason::ForecastHigh { vcpu: Vcpu(inputs.asked().ahead_vcpu_on(inputs.config, each).unwrap_or(0.0)) }
}

/// The configured first capacity: of a group taken over, or whose state was lost, until a window has shown what it needs.
/// It only ever adds: a group that is larger has its reason, which nobody has told yet.
fn first_capacity(inputs: &Inputs<'_>) -> Option<Draft> {
    let (config, state) = (inputs.config, inputs.state);
    let window = config.stabilization_window(inputs.learned.boot_time());
    let is_new =
        state.taken_over.is_some_and(|at| inputs.now.duration_since(at).as_secs_f64() < window.as_secs_f64());
    let untouched = state.last_up.is_none() && state.last_down.is_none() && state.manual.is_none();
    let known = inputs.learned.recent.highest(window, config.evaluation_period, inputs.now).is_some();
    let (target, _) = inputs.bounds.clamp(config.replicas.target);
    (is_new && untouched && !known && target > inputs.snapshot.group.desired)
        .then(|| Draft { replicas: target, ..stand_still(inputs, Reason::TakenOver) })
}

fn is_right_after_scale_down(inputs: &Inputs<'_>) -> bool {
    let window = inputs.config.stabilization_window(inputs.learned.boot_time());
    inputs.state.last_down.is_some_and(|down| {
        inputs.state.last_up.is_none_or(|up| up < down)
            && inputs.now.duration_since(down).as_secs_f64() <= window.as_secs_f64()
    })
}

/// Type only: the count that the group has, on the cheapest type that carries the load.
fn vertical(inputs: &Inputs<'_>) -> Option<Draft> {
    if inputs.snapshot.ladder.is_empty() {
        return Some(stand_still(inputs, Reason::EmptyLadder));
    }
    let (group, demand) = (&inputs.snapshot.group, &inputs.demand);
    let have = group.desired;
    let may = |offer: &TypeOffer| may_replace(inputs, offer, have);
    let carries = |offer: &TypeOffer| demand.is_carried_by(inputs.config, offer, have).then_some(have);
    // A moment over the limit is no reason to replace every instance; a window is.
    let period = inputs.config.evaluation_period;
    let long = inputs.config.stabilization_window(inputs.learned.boot_time()).min(longest_window(period));
    let high = demand
        .highest_load()
        .filter(|(_, load)| *load >= 1.0 && inputs.learned.recent.was_high(long, period, inputs.now));
    let Some(best) = cheapest(inputs, 1, may, carries).pop() else {
        // Nothing is large enough: the largest there is, when it is larger than what runs.
        let largest = inputs.snapshot.ladder.iter().rev().find(|offer| may(offer))?;
        if largest.vcpu.0 <= group.launch_type.vcpu.0 {
            return None;
        }
        return high.map(|(trigger, load)| {
            retype_draft(inputs, largest, have, Reason::LoadHigh { trigger, load }, true)
        });
    };
    if best.offer.name == group.launch_type.name {
        return None;
    }
    let saving = group.launch_type.price.0 * f64::from(have) - best.total();
    match high {
        Some((trigger, load)) => {
            Some(retype_draft(inputs, best.offer, have, Reason::LoadHigh { trigger, load }, true))
        }
        None if saving > 0.0 && has_been_enough(inputs, best.offer, have) => Some(retype_draft(
            inputs,
            best.offer,
            have,
            Reason::CheaperType { saving: UsdPerHour(saving) },
            true,
        )),
        None => None,
    }
}

/// Whether `replicas` of `offer` would have carried everything wanted within the window.
fn has_been_enough(inputs: &Inputs<'_>, offer: &TypeOffer, replicas: u32) -> bool {
    let highest =
        inputs.learned.recent.highest(down_window(inputs), inputs.config.evaluation_period, inputs.now);
    inputs.demand.is_known(inputs.config)
        && highest.is_some_and(|vcpu| count(vcpu / offer.vcpu.0) <= replicas)
}

/// Count and type: a type only where the present one cannot carry the load at any allowed count, or as the slow axis
/// prefers; otherwise the count decides.
fn hybrid(inputs: &Inputs<'_>) -> Option<Draft> {
    let group = &inputs.snapshot.group;
    let high = inputs.demand.highest_load().filter(|(_, load)| *load >= 1.0);
    let memory_high =
        inputs.demand.asks.memory_usage && inputs.demand.loads.memory_usage.is_some_and(|load| load >= 1.0);
    let base_too_large = inputs
        .demand
        .replicas_for_memory(inputs.config, &group.launch_type, inputs.config.target_load)
        .is_none();
    // What is on order may bring the memory of each replica down: how much of it is base is known when it serves.
    if memory_high && base_too_large && group.arriving() == 0 {
        let needed = Mebibytes(inputs.demand.type_memory(inputs.config));
        return emergency(inputs, Reason::MemoryBound { needed });
    }
    let saturated = needed(inputs, inputs.asked(), &group.launch_type) > inputs.bounds.max;
    if high.is_some() && saturated {
        return emergency(inputs, Reason::SaturatedAtMax);
    }
    if launch_type_is_short(inputs) {
        let missing = group.desired.saturating_sub(group.in_service());
        // Of types that need no more replicas than are on order: more of the present one would have to come first.
        let fits = |offer: &TypeOffer| fewest(inputs, offer).filter(|replicas| *replicas <= group.desired);
        let best = cheapest(inputs, 1, |_| true, fits).pop()?;
        return emergency_to(inputs, &best, Reason::NothingLaunches { missing });
    }
    slow_axis(inputs)
}

/// Whether replicas are missing because the platform has no capacity for the type that the group launches: another
/// type may have some.
fn launch_type_is_short(inputs: &Inputs<'_>) -> bool {
    let group = &inputs.snapshot.group;
    group.in_service() < group.desired.min(needed(inputs, &inputs.demand, &group.launch_type))
        && inputs.state.is_backed_off(&group.launch_type.name, inputs.now)
}

/// The cheapest type that carries the load, at once. The next cheapest are what the explanation shows beside it.
fn emergency(inputs: &Inputs<'_>, reason: Reason) -> Option<Draft> {
    let most = Decision::MAX_ALTERNATIVES + 1;
    let ranked = cheapest(inputs, most, |_| true, |offer| fewest(inputs, offer));
    let (best, others) = ranked.split_first()?;
    let mut draft = emergency_to(inputs, best, reason)?;
    if let Some(retype) = &mut draft.retype {
        retype.alternatives = Some(others.iter().map(Candidate::alternative).collect());
    }
    Some(draft)
}

fn emergency_to(inputs: &Inputs<'_>, best: &Candidate<'_>, reason: Reason) -> Option<Draft> {
    (!best.offer.is_same_type(&inputs.snapshot.group.launch_type))
        .then(|| retype_draft(inputs, best.offer, best.replicas, reason, true))
}

fn slow_axis(inputs: &Inputs<'_>) -> Option<Draft> {
    let group = &inputs.snapshot.group;
    let (name, saving) = inputs.learned.shadow.preferred(&group.launch_type.name)?;
    let offer = inputs.snapshot.ladder.iter().find(|offer| offer.name == *name)?;
    let replicas = fewest(inputs, offer)?;
    // A rising load is met by count first; the type can wait.
    let calm = inputs.demand.highest_load().is_some_and(|(_, load)| load < 1.0);
    let calm = calm && group.arriving() == 0 && inputs.demand.missing.is_none();
    calm.then(|| {
        retype_draft(inputs, offer, replicas, Reason::CheaperType { saving: UsdPerHour(saving) }, false)
    })
}

/// A replacement never starts below what serves: the count comes down afterwards, when fewer are seen to be enough.
pub(super) fn retype_draft(
    inputs: &Inputs<'_>,
    to: &TypeOffer,
    replicas: u32,
    reason: Reason,
    emergency: bool,
) -> Draft {
    let replicas = replicas.max(inputs.snapshot.group.desired);
    let fallbacks = fallbacks(inputs, to, replicas);
    Draft {
        replicas,
        retype: Some(Retype { to: to.clone(), fallbacks, alternatives: None, emergency }),
        reason,
        driver: None,
        urgent: emergency,
    }
}

/// How long until `since + period`, if that is still to come.
pub(super) fn remaining(
    inputs: &Inputs<'_>,
    since: Option<jiff::Timestamp>,
    period: std::time::Duration,
) -> Option<u64> {
    let until = since? + period;
    (until > inputs.now).then(|| seconds_left(until, inputs.now))
}
