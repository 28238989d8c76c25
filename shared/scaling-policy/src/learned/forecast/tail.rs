//! How often a prediction was too low by how much: one histogram a predictor, that forgets slowly.
//!
//! A margin on a prediction fails where the error was larger than the margin. Counting errors by size, weighted with
//! the load that would have met them, evaluates every margin at once: the smallest one whose failures stay within a
//! budget is read off.

use serde::{Deserialize, Serialize};

/// Bins of a histogram.
const BINS: usize = 64;

/// Smallest margin, and where the bins begin to be wide.
const LOWEST: f64 = -0.06;
const FINE_UNTIL: f64 = 0.18;

/// Width of a fine bin, and growth of a wide one.
const FINE: f64 = 0.01;
const FINE_BINS: usize = 24;
const GROWTH: f64 = 1.1;

/// The margin where errors were larger than any bin.
const BEYOND: f64 = 12.0;

/// Weight of a load as large as the mean one.
const UNIT: f64 = 256.0;

/// Errors by size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tail {
    counts: Vec<u32>,
}

impl Tail {
    /// A histogram that has seen nothing, with a prior belief of `weight` mean loads: margins are exceeded with the
    /// probabilities of an exponential whose `budget` quantile is `margin`.
    pub(super) fn with_prior(weight: f64, margin: f64, budget: f64) -> Self {
        let rate = -budget.ln() / margin;
        let beyond = |bin: usize| (-rate * upper(bin).max(0.0)).exp();
        let counts = (0..BINS)
            .map(|bin| {
                let before = if bin == 0 { 1.0 } else { beyond(bin - 1) };
                whole((before - beyond(bin)) * weight * UNIT)
            })
            .collect();
        Self { counts }
    }

    /// Counts an error, as a share of the scale it is measured in; `weight` is the load over the mean load.
    pub(super) fn add(&mut self, error: f64, weight: f64) {
        if let Some(count) = self.counts.get_mut(bin_of(error)) {
            *count = count.saturating_add(whole(weight * UNIT));
        }
    }

    /// Forgets that share of everything.
    pub(super) fn forget(&mut self, keep: f64) {
        for count in &mut self.counts {
            *count = whole(f64::from(*count) * keep);
        }
    }

    /// Weight of everything that was counted.
    fn total(&self) -> f64 {
        self.counts.iter().map(|count| f64::from(*count)).sum()
    }

    /// The margin that is worth it when a weight beyond it costs `price` times what a weight's worth of margin does,
    /// and the weight that is beyond it.
    fn worth(&self, total: f64, price: f64) -> (f64, f64) {
        let mut beyond = 0.0;
        let mut best = (BEYOND, 0.0);
        let mut least = total * BEYOND;
        for bin in (0..BINS).rev() {
            let margin = if bin == BINS - 1 { BEYOND } else { upper(bin) };
            let cost = total * margin + price * beyond;
            if cost < least {
                (least, best) = (cost, (margin, beyond));
            }
            beyond += f64::from(self.counts.get(bin).copied().unwrap_or(0));
        }
        best
    }
}

/// The cheapest margins, one for each histogram, with at most a share of `budget` of all weight beyond them: a weight
/// beyond its margin has the same price everywhere.
pub(super) fn margins<const N: usize>(tails: &[Tail; N], budget: f64) -> [f64; N] {
    let totals = std::array::from_fn::<f64, N, _>(|index| tails[index].total());
    let allowed = totals.iter().sum::<f64>() * budget;
    let at = |price: f64| std::array::from_fn::<_, N, _>(|index| tails[index].worth(totals[index], price));
    let beyond = |found: &[(f64, f64); N]| found.iter().map(|(_, beyond)| beyond).sum::<f64>();
    let (mut low, mut high) = (0.0_f64, 20.0_f64);
    for _ in 0..14 {
        let middle = f64::midpoint(low, high);
        if beyond(&at(middle.exp())) > allowed { low = middle } else { high = middle }
    }
    at(high.exp()).map(|(margin, _)| margin)
}

/// Upper end of a bin.
fn upper(bin: usize) -> f64 {
    UPPER[bin]
}

const UPPER: [f64; BINS] = {
    let mut ends = [0.0; BINS];
    let (mut bin, mut end, mut width) = (0, LOWEST, FINE);
    while bin < BINS {
        if bin >= FINE_BINS {
            // Wide bins grow from the width of the fine ones.
            width *= GROWTH;
        }
        end += width;
        ends[bin] = end;
        bin += 1;
    }
    ends
};

fn bin_of(error: f64) -> usize {
    let at = if error < FINE_UNTIL {
        ((error - LOWEST) / FINE).max(0.0)
    } else {
        let wide = ((error - FINE_UNTIL) * (GROWTH - 1.0) / (FINE * GROWTH) + 1.0).ln() / GROWTH.ln();
        FINE_BINS as f64 + wide
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
    let bin = at as usize;
    bin.min(BINS - 1)
}

fn whole(value: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
    let whole = value.round().clamp(0.0, f64::from(u32::MAX)) as u32;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_lies_between_the_ends_of_its_bin() {
        for step in 0..400 {
            let error = -0.1 + 0.01 * f64::from(step) + 0.0001;
            let bin = bin_of(error);
            assert!(error <= upper(bin) + 1e-9 || bin == BINS - 1, "{error}");
            assert!(bin == 0 || error >= upper(bin - 1) - 1e-9, "{error}");
        }
    }

    fn margin(tail: &Tail, budget: f64) -> f64 {
        let [margin] = margins(std::array::from_ref(tail), budget);
        margin
    }

    #[test]
    fn the_margin_leaves_at_most_the_budget_beyond_it() {
        let mut tail = Tail::with_prior(0.0, 0.2, 0.01);
        for step in 0..100_000 {
            tail.add(0.5 * (f64::from(step) / 100_000.0).powi(20), 1.0);
        }
        for budget in [0.1, 0.01] {
            let found = margin(&tail, budget);
            let beyond = 1.0 - (found / 0.5).powf(0.05);
            assert!(beyond <= budget && found <= 0.5, "{budget}: {found} leaves {beyond}");
        }
    }

    #[test]
    fn rare_large_errors_of_one_context_do_not_make_the_other_dear() {
        let (mut calm, mut wild) = (Tail::with_prior(0.0, 0.2, 0.01), Tail::with_prior(0.0, 0.2, 0.01));
        for step in 0..1000_u32 {
            calm.add(0.02, 1.0);
            if step.is_multiple_of(20) {
                wild.add(0.6, 1.0);
            }
        }
        let [calm, wild] = margins(&[calm, wild], 0.004);
        assert!(calm < 0.06 && wild > 0.55, "{calm} {wild}");
    }

    #[test]
    fn before_anything_is_seen_the_prior_margin_holds() {
        let tail = Tail::with_prior(500.0, 0.3, 0.004);
        let found = margin(&tail, 0.004);
        assert!((0.25..0.45).contains(&found), "{found}");
    }

    #[test]
    fn forgetting_keeps_the_shape() {
        let mut tail = Tail::with_prior(500.0, 0.3, 0.004);
        let before = margin(&tail, 0.004);
        tail.forget(0.5);
        assert!((margin(&tail, 0.004) - before).abs() < 0.02);
    }
}
