//! Which utilisation keeps the latency target, by the size of the type.
//!
//! A replica is taken as an M/M/c station, c its vCPU, with the measured processor time of a request as its service
//! time. The ratio of measured to computed latency corrects the curve, for whatever the model does not know. Where
//! the target was missed, that utilisation is remembered as a limit until a higher one is seen to hold.

use scaling_fleet::Vcpu;
use scaling_fleet::queueing::{response_quantile, usable_utilisation};
use serde::{Deserialize, Serialize};

use super::capacity::ServingCapacity;
use super::usage::Usage;
use crate::config::{GroupConfig, Statistic};
use crate::snapshot::Snapshot;

/// Sizes for which the limit is tabulated, in vCPU.
const SIZES: [u32; 10] = [1, 2, 4, 8, 16, 32, 48, 64, 96, 128];

/// Weight of one more period in the correction.
const WEIGHT: f64 = 0.05;

/// The table is computed anew when its inputs have moved by more than this.
const TOLERANCE: f64 = 0.02;

/// Utilisation below which the target is never blamed on missing capacity, and above which none is planned.
const USABLE: (f64, f64) = (0.3, 0.95);

/// Learned relation of utilisation and latency.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResponseCurve {
    /// Measured over computed latency, `None` until measured.
    pub correction: Option<f64>,
    /// Usable utilisation for each of the tabulated sizes, once there is something to compute it from.
    table: Option<[f64; SIZES.len()]>,
    /// Service time times correction that the table was computed for.
    table_for: f64,
}

impl ResponseCurve {
    /// Largest utilisation of a type with `vcpu` at which the latency target holds; `None` while unknown, and where
    /// even an idle replica would miss the target: then capacity is not what is missing.
    pub fn usable(&self, vcpu: f64) -> Option<f64> {
        let table = self.table.as_ref()?;
        Some(table[size_at_or_below(vcpu)]).filter(|usable| *usable > 0.0)
    }

    pub(super) fn observe(
        &mut self,
        config: &GroupConfig,
        usage: &Usage,
        capacity: &ServingCapacity,
        snapshot: &Snapshot,
    ) {
        let (Some(service), Some(cpu), Some(latency)) = (
            usage.vcpu_seconds,
            snapshot.readings.cpu_usage.value(),
            snapshot.readings.request_latency.value(),
        ) else {
            return;
        };
        let served = capacity.of_period(snapshot);
        if served.replicas <= 0.0 || latency <= 0.0 {
            return;
        }
        let quantile = quantile(config);
        let size = Vcpu(served.vcpu / served.replicas).servers();
        // Near saturation the backlog of the minutes before decides, which no steady-state curve knows.
        if (0.1..0.9).contains(&cpu) && capacity.is_telling() {
            let computed = service * response_quantile(size, cpu * f64::from(size), quantile);
            let ratio = (latency / computed).clamp(0.2, 5.0);
            // The model is right until it is shown to be wrong.
            let before = self.correction.unwrap_or(1.0);
            self.correction = Some(before + WEIGHT * (ratio - before));
        }
        self.tabulate(service, quantile, config.triggers.request_latency.threshold);
    }

    fn tabulate(&mut self, service: f64, quantile: f64, target: f64) {
        let effective = service * self.correction.unwrap_or(1.0);
        if (effective - self.table_for).abs() <= TOLERANCE * self.table_for {
            return;
        }
        self.table = Some(SIZES.map(|size| match usable_utilisation(size, quantile, target / effective) {
            usable if usable > 0.0 => usable.clamp(USABLE.0, USABLE.1),
            _ => 0.0,
        }));
        self.table_for = effective;
    }
}

/// Which of [`SIZES`] is the one at or below `vcpu`, the first for less: a smaller station needs more room, so this errs
/// on the safe side. By the powers of two among them, without a search: a decision asks for every type of a ladder.
fn size_at_or_below(vcpu: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
    let whole = vcpu.clamp(1.0, 128.0) as u32;
    match whole {
        128.. => 9,
        96.. => 8,
        64.. => 7,
        48.. => 6,
        // No number, as of a type without vCPU, is cast to 0.
        _ => whole.max(1).ilog2() as usize,
    }
}

fn quantile(config: &GroupConfig) -> f64 {
    match config.triggers.request_latency.binding.as_ref().map(|binding| binding.statistic) {
        Some(Statistic::P99) => 0.99,
        Some(Statistic::Average) => 0.63,
        _ => 0.95,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_taken_for_the_tabulated_size_at_or_below_its_own() {
        assert_eq!(size_at_or_below(0.25), 0);
        assert_eq!(size_at_or_below(f64::NAN), 0);
        for vcpu in 1..=300_u32 {
            let by_search = SIZES.iter().rposition(|size| *size <= vcpu).unwrap();
            assert_eq!(size_at_or_below(f64::from(vcpu)), by_search, "{vcpu} vCPU");
        }
    }
}
