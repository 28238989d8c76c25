//! Stage 2: what the load needs, by trigger, and how many replicas of a type carry it.
//!
//! Each trigger answers to capacity in its own way. CPU and requests are inversely proportional to it. Memory is a
//! base that every replica holds whatever their number, plus a part they share. Latency is never divided by its
//! threshold: it lowers the utilisation that is planned for, by the learned curve.

use crate::config::GroupConfig;
use crate::decision::Decision;
use crate::learned::Learned;
use crate::learned::response::ResponseCurve;
use crate::operation::OperationState;
use crate::snapshot::{Snapshot, TypeOffer};
use crate::trigger::{PerTrigger, Reading, Trigger};

/// Distance kept from the utilisation at which the latency target would just hold.
const LATENCY_MARGIN: f64 = 0.99;

/// The present load is planned at most at this share of what makes a replica full. The distance between the two is
/// what keeps noise from ordering and returning the same replica.
const FULL_SHARE: f64 = 0.9;

/// Beside what each replica holds anyway, at least this share of the memory limit is left for what they share. Of less, the
/// number of replicas would be a quotient by nearly nothing, which the noise of the readings takes to any height: a base
/// that grows towards the limit would order the group's maximum, where another type is what helps.
const LEAST_ROOM: f64 = 0.1;

/// What the load needs, independent of the type that carries it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Demand {
    /// Value over threshold by trigger, where there is a usable reading.
    pub loads: PerTrigger<Option<f64>>,
    /// Triggers that may ask: listed, and not muted for want of an answer.
    pub asks: PerTrigger<bool>,
    /// The first listed trigger whose bound metric has no usable reading.
    pub missing: Option<Trigger>,
    /// vCPU busy now; 0 when neither CPU nor requests are known.
    pub busy: f64,
    /// vCPU busy one boot time from now, at the measured upper error.
    pub busy_ahead: Option<f64>,
    /// Whether the forecast's measured error stands for the target load as the distance from the limit.
    is_measured: bool,
    /// vCPU that put the request trigger at the target load.
    requested_vcpu: f64,
    /// MiB that each replica holds.
    pub memory_base: f64,
    /// MiB that the replicas share.
    pub memory_shared: f64,
    /// MiB that they share one boot time from now, as far as memory is known to grow with the load; 0 without a forecast.
    pub memory_shared_ahead: f64,
    /// Usable utilisation by size, from the learned curve.
    curve: ResponseCurve,
}

impl Demand {
    /// Reads the demand out of a snapshot, with what was learned before: of all listed triggers. One that may not ask for
    /// more still says what there is to do. Its load is there, whatever capacity does to it.
    pub fn of(config: &GroupConfig, learned: &Learned, state: &OperationState, snapshot: &Snapshot) -> Self {
        let listed = PerTrigger::from_fn(|trigger| config.triggers[trigger].asks);
        Self::by(config, learned, state, snapshot, listed)
    }

    /// The demand of the triggers alone that may ask, where that is another than [`Demand::of`]: a load that does not answer
    /// to capacity must not say how much of it there should be.
    pub fn asking(
        config: &GroupConfig,
        learned: &Learned,
        state: &OperationState,
        snapshot: &Snapshot,
    ) -> Option<Self> {
        let asks = asks(config, learned);
        let is_other = Trigger::ALL.into_iter().any(|trigger| config.triggers[trigger].asks != asks[trigger]);
        is_other.then(|| Self::by(config, learned, state, snapshot, asks))
    }

    fn by(
        config: &GroupConfig,
        learned: &Learned,
        state: &OperationState,
        snapshot: &Snapshot,
        counts: PerTrigger<bool>,
    ) -> Self {
        let readings = &snapshot.readings;
        let loads = loads(config, learned, state, snapshot);
        let asks = asks(config, learned);
        let missing = Trigger::ALL
            .into_iter()
            .find(|trigger| config.triggers[*trigger].asks && readings[*trigger].is_missing());
        let measured = learned.usage.busy_vcpu(&learned.capacity, snapshot).unwrap_or(0.0);
        let busy = if counts.cpu_usage || counts.request_latency { measured } else { 0.0 };
        let (memory_base, memory_shared) = if counts.memory_usage {
            // Which part of memory the load fills does not depend on what may ask.
            learned.usage.memory_parts(&learned.capacity, measured, snapshot).unwrap_or((0.0, 0.0))
        } else {
            (0.0, 0.0)
        };
        let busy_ahead = learned.forecast.ahead().filter(|_| config.forecast && asks.cpu_usage);
        let growing = if counts.memory_usage { learned.usage.memory_slope } else { 0.0 };
        let memory_shared_ahead = growing * busy_ahead.unwrap_or(0.0);
        Self {
            loads,
            asks,
            missing,
            busy,
            busy_ahead,
            memory_shared_ahead,
            is_measured: busy_ahead.is_some() && learned.forecast.is_measured(),
            requested_vcpu: if counts.request_count { request_vcpu(config, state, snapshot) } else { 0.0 }
                / config.target_load,
            memory_base,
            memory_shared,
            curve: learned.response,
        }
    }

    /// The highest load over the triggers that may ask, with its trigger.
    pub fn highest_load(&self) -> Option<(Trigger, f64)> {
        self.loads
            .iter()
            .filter(|(trigger, _)| self.asks[*trigger])
            .filter_map(|(trigger, load)| load.map(|load| (trigger, load)))
            .max_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    /// Whether a listed trigger that answers to capacity has a reading. Without one the demand is not zero but unknown, and
    /// latency alone does not say how much could be taken away.
    pub fn is_known(&self, config: &GroupConfig) -> bool {
        [Trigger::CpuUsage, Trigger::MemoryUsage, Trigger::RequestCount]
            .into_iter()
            .any(|trigger| config.triggers[trigger].asks && self.loads[trigger].is_some())
    }

    /// The utilisation at which a replica of that size is full: the CPU limit, or less where latency needs it.
    fn full_utilisation(&self, config: &GroupConfig, vcpu: f64) -> f64 {
        full_on(config, self.asks.request_latency, &self.curve, vcpu)
    }

    /// vCPU that carry the load ahead, on replicas of that size. The forecast already holds its measured error, so
    /// it is planned up to the limit itself.
    pub fn ahead_vcpu_on(&self, config: &GroupConfig, vcpu: f64) -> Option<f64> {
        self.busy_ahead.map(|busy| busy / self.full_utilisation(config, vcpu))
    }

    /// Replicas of `offer` that carry the busy vCPU ahead; `None` without a forecast.
    pub fn ahead_by_cpu(&self, config: &GroupConfig, offer: &TypeOffer) -> Option<u32> {
        Some(count(self.ahead_vcpu_on(config, offer.vcpu.0)? / offer.vcpu.0))
    }

    /// Replicas of `offer` that hold the memory ahead, 0 without a forecast of it; `None` where replicas cannot help. The
    /// forecast holds its measured error, so that memory is planned up to its limit, as CPU is.
    pub fn ahead_by_memory(&self, config: &GroupConfig, offer: &TypeOffer) -> Option<u32> {
        if self.memory_shared_ahead <= 0.0 {
            return Some(0);
        }
        self.room(config, offer, 1.0).map(|room| count(self.memory_shared_ahead / room))
    }

    /// MiB of a replica of `offer`, up to `level` of the memory limit, beside what each holds anyway: for what replicas share.
    /// `None` where it is less than [`LEAST_ROOM`].
    fn room(&self, config: &GroupConfig, offer: &TypeOffer, level: f64) -> Option<f64> {
        let limit = offer.memory.0 * config.triggers.memory_usage.threshold;
        let room = limit * level - self.memory_base;
        (room >= limit * LEAST_ROOM).then_some(room)
    }

    /// vCPU that carry the present load and the load ahead, on replicas of that size. Where there is a forecast whose error
    /// has been measured, that error is the distance that is kept from the limit; otherwise it is the target load.
    pub fn vcpu_on(&self, config: &GroupConfig, vcpu: f64) -> f64 {
        let full = self.full_utilisation(config, vcpu);
        let ahead = self.busy_ahead.unwrap_or(0.0);
        // Divisions are most of the time that a long ladder takes: one, where both loads have the same limit.
        let by_cpu = if self.is_measured {
            self.busy.max(ahead) / full
        } else {
            let planned = (config.triggers.cpu_usage.threshold * config.target_load).min(full * FULL_SHARE);
            (self.busy / planned).max(if ahead > 0.0 { ahead / full } else { 0.0 })
        };
        by_cpu.max(self.requested_vcpu)
    }

    /// vCPU that carry it all on the size that can be used most: on any other size at least as many are needed.
    pub fn least_vcpu(&self, config: &GroupConfig) -> f64 {
        let limit = config.triggers.cpu_usage.threshold;
        let planned = if self.is_measured { limit } else { limit * config.target_load };
        let present = (self.busy / planned).max(self.requested_vcpu);
        present.max(self.busy_ahead.unwrap_or(0.0) / limit) * (1.0 - ROUNDING)
    }

    /// Fewest replicas of `offer` that carry it all, or `None` where no number of them has the memory.
    pub fn replicas_of(&self, config: &GroupConfig, offer: &TypeOffer) -> Option<u32> {
        let by_memory = self.replicas_for_memory(config, offer, config.target_load)?;
        let by_memory = by_memory.max(self.ahead_by_memory(config, offer)?);
        Some(count(self.vcpu_on(config, offer.vcpu.0) / offer.vcpu.0).max(by_memory))
    }

    /// Whether `replicas` of `offer` carry it all: the same rule as [`Demand::replicas_of`], stated the other way.
    pub fn is_carried_by(&self, config: &GroupConfig, offer: &TypeOffer, replicas: u32) -> bool {
        let vcpu = offer.vcpu.0 * f64::from(replicas);
        let each = self.memory_base + self.memory_shared / f64::from(replicas.max(1));
        let room = offer.memory.0 * config.triggers.memory_usage.threshold * config.target_load;
        let ahead = self.ahead_by_memory(config, offer).is_some_and(|least| least <= replicas);
        let helps = self.memory_shared <= 0.0 || self.room(config, offer, config.target_load).is_some();
        vcpu >= self.vcpu_on(config, offer.vcpu.0) * (1.0 - ROUNDING)
            && each <= room * (1.0 + ROUNDING)
            && helps
            && ahead
    }

    /// Fewest replicas whose memory is at most `level` of the memory limit. Only the shared part gets smaller with
    /// more replicas: `None` when the base alone is too large, or leaves too little room to say.
    pub fn replicas_for_memory(&self, config: &GroupConfig, offer: &TypeOffer, level: f64) -> Option<u32> {
        if self.memory_shared <= 0.0 {
            let limit = offer.memory.0 * config.triggers.memory_usage.threshold * level;
            return (self.memory_base <= limit + ROUNDING * offer.memory.0).then_some(0);
        }
        self.room(config, offer, level).map(|room| count(self.memory_shared / room))
    }

    /// Replicas of `offer` that keep the memory of each within the limit, however little room there is; more than any group
    /// has where no number of them does, and 0 where they share nothing.
    pub fn least_for_memory(&self, config: &GroupConfig, offer: &TypeOffer) -> u32 {
        if self.memory_shared <= 0.0 {
            return 0;
        }
        let room = offer.memory.0 * config.triggers.memory_usage.threshold - self.memory_base;
        if room > 0.0 { count(self.memory_shared / room) } else { u32::MAX }
    }

    /// MiB that one replica would need its type to have, at the target load, with the room for what replicas share.
    pub fn type_memory(&self, config: &GroupConfig) -> f64 {
        let level = config.target_load - if self.memory_shared > 0.0 { LEAST_ROOM } else { 0.0 };
        self.memory_base / (config.triggers.memory_usage.threshold * level.max(LEAST_ROOM))
    }
}

/// Whether the vCPU that a decision wants rest on anything: on a reading of CPU or requests, or on a forecast. Where they do
/// not they are unknown, and not the zero that stands there: requests that count as zero for want of a point say nothing
/// beside a reading that is missing.
pub fn is_wanted_known(config: &GroupConfig, snapshot: &Snapshot, decision: &Decision) -> bool {
    let asks = |trigger: Trigger| config.triggers[trigger].asks;
    let counts = |trigger: Trigger| match trigger {
        Trigger::CpuUsage => asks(Trigger::CpuUsage) || asks(Trigger::RequestLatency),
        Trigger::RequestCount => asks(trigger),
        Trigger::MemoryUsage | Trigger::RequestLatency => false,
    };
    let counted = || snapshot.readings.iter().filter(|(trigger, _)| counts(*trigger));
    decision.wanted.forecast_vcpu.is_some()
        || counted().any(|(_, reading)| matches!(reading, Reading::Fresh { .. }))
        || !counted().any(|(_, reading)| reading.is_missing())
}

/// The utilisation at which a replica of that size is full, by what was learned so far.
pub(crate) fn full_utilisation(config: &GroupConfig, learned: &Learned, vcpu: f64) -> f64 {
    let asks = config.triggers.request_latency.asks && !learned.answers.request_latency.is_muted();
    full_on(config, asks, &learned.response, vcpu)
}

fn full_on(config: &GroupConfig, latency_asks: bool, curve: &ResponseCurve, vcpu: f64) -> f64 {
    let limit = config.triggers.cpu_usage.threshold;
    if !latency_asks {
        return limit;
    }
    curve.usable(vcpu).map_or(limit, |usable| limit.min(usable * LATENCY_MARGIN))
}

/// More than any group has.
const MOST_REPLICAS: f64 = 1e9;

/// Below this share two capacities are the same: readings are not exact, and a count must not hang on the last bit.
const ROUNDING: f64 = 1e-6;

/// Whole replicas, rounded up, but for the last bit of a division. What is no number is none.
pub fn count(replicas: f64) -> u32 {
    let least = replicas * (1.0 - ROUNDING);
    let least = if least > MOST_REPLICAS { MOST_REPLICAS } else { least };
    // By way of the cast, which saturates, and not by `ceil`: without SSE 4.1 that is a call into the C library, and a
    // decision over a long ladder counts hundreds of times.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates at 0")]
    let whole = least as u32;
    whole + u32::from(f64::from(whole) < least)
}

/// Triggers that may ask: listed, and not muted for want of an answer.
fn asks(config: &GroupConfig, learned: &Learned) -> PerTrigger<bool> {
    PerTrigger::from_fn(|trigger| config.triggers[trigger].asks && !learned.answers[trigger].is_muted())
}

/// Value over threshold by trigger, where there is a usable reading. Requests are counted over the whole group and
/// their threshold is for one replica of the reference type, so what served in their period divides them.
pub fn loads(
    config: &GroupConfig,
    learned: &Learned,
    state: &OperationState,
    snapshot: &Snapshot,
) -> PerTrigger<Option<f64>> {
    PerTrigger::from_fn(|trigger| {
        let over = snapshot.readings[trigger].value()? / config.triggers[trigger].threshold;
        if trigger != Trigger::RequestCount {
            return Some(over);
        }
        let replicas = learned.capacity.of_period(snapshot).vcpu / reference_vcpu(state, snapshot);
        Some(if replicas > 0.0 { over / replicas } else { over })
    })
}

/// vCPU that put the request trigger exactly at its limit. A type other than the reference is worth its share of
/// vCPU.
fn request_vcpu(config: &GroupConfig, state: &OperationState, snapshot: &Snapshot) -> f64 {
    snapshot.readings.request_count.value().map_or(0.0, |requests| {
        requests / config.triggers.request_count.threshold * reference_vcpu(state, snapshot)
    })
}

/// vCPU of the reference type; the running type until one was recorded or when it is not in the ladder any more.
pub fn reference_vcpu(state: &OperationState, snapshot: &Snapshot) -> f64 {
    state.reference_type.as_ref().map_or(snapshot.group.launch_type.vcpu.0, |name| {
        snapshot
            .ladder
            .iter()
            .chain(snapshot.group.replicas.iter().map(|count| &count.offer))
            .find(|offer| offer.name == *name)
            .map_or(snapshot.group.launch_type.vcpu.0, |offer| offer.vcpu.0)
    })
}
