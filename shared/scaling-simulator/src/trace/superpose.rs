//! What a count trace looks like at a larger size.
//!
//! A service of `n` times the users is not a small one magnified: it is `n` small ones side by side. Their common ups
//! and downs stay as large as they are relative to the mean; what is chance in each (arrivals, and the handful of
//! requests that one visitor makes) averages out and shrinks to 1/n of its variance. Magnifying 48 requests a minute
//! to 5,000 would give a service noise of 14 % that none of that size has.
//!
//! The share of chance is estimated from the trace itself: independent noise of variance `D * mean` makes neighbours
//! differ by `2 * D * mean` in the mean square, and `D` is taken from the median of those differences, which bursts
//! do not move. Then each value is drawn towards its local mean until what is left of the local variance is the part
//! that is not chance, and none is left where the local variance is no more than chance could make it (two standard
//! deviations of its estimate). This is the local-statistics filter of Lee (IEEE PAMI 2(2), 1980), matched in variance. In a burst that
//! part is nearly all of it, so bursts keep their height.

/// Half of the neighbourhood, in periods.
const REACH: usize = 7;

/// Median of a squared standard normal variable.
const MEDIAN_OF_CHI_SQUARED: f64 = 0.454_936;

/// The counts with their chance reduced as `copies` services side by side would have it. `copies` is over 1.
pub(super) fn calmed(counts: &[f64], copies: f64) -> Vec<f64> {
    let dispersion = dispersion(counts) * (1.0 - 1.0 / copies);
    let mut calmed = Vec::with_capacity(counts.len());
    for (index, count) in counts.iter().enumerate() {
        let from = index.saturating_sub(REACH);
        let near = &counts[from..(index + REACH + 1).min(counts.len())];
        let mean = near.iter().sum::<f64>() / near.len() as f64;
        let variance = near.iter().map(|other| (other - mean).powi(2)).sum::<f64>() / near.len() as f64;
        let chance = dispersion * mean;
        let doubtful = chance * (1.0 + 2.0 * (2.0 / near.len() as f64).sqrt());
        let real = if variance > doubtful { 1.0 - chance / variance } else { 0.0 };
        calmed.push(mean + (count - mean) * real.sqrt());
    }
    calmed
}

/// Variance of the chance over the mean: 1 for independent arrivals, more where requests come in handfuls.
fn dispersion(counts: &[f64]) -> f64 {
    let mut shares: Vec<f64> = counts
        .windows(2)
        .filter(|pair| pair[0] + pair[1] > 0.0)
        .map(|pair| (pair[1] - pair[0]).powi(2) / (pair[0] + pair[1]))
        .collect();
    shares.sort_by(f64::total_cmp);
    shares.get(shares.len() / 2).map_or(0.0, |median| median / MEDIAN_OF_CHI_SQUARED)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_distr::{Distribution, Poisson};
    use rand_pcg::Pcg64;

    use super::*;

    fn draw(mean: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut random = Pcg64::seed_from_u64(7);
        (0..5000).map(|index| Poisson::new(mean(index)).unwrap().sample(&mut random)).collect()
    }

    fn deviation(values: &[f64]) -> f64 {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt() / mean
    }

    #[test]
    fn independent_arrivals_are_seen_to_be_that() {
        assert!((dispersion(&draw(|_| 50.0)) - 1.0).abs() < 0.1);
    }

    #[test]
    fn the_noise_of_a_small_count_does_not_survive_its_magnification() {
        let counts = draw(|_| 50.0);
        let calm = calmed(&counts, 100.0);
        assert!(
            deviation(&counts) > 0.13 && deviation(&calm) < 0.5 * deviation(&counts),
            "{}",
            deviation(&calm)
        );
    }

    #[test]
    fn a_burst_keeps_its_height() {
        let counts = draw(|index| if (2000..2010).contains(&index) { 500.0 } else { 50.0 });
        let calm = calmed(&counts, 100.0);
        let (before, after): (f64, f64) = (counts[2000..2010].iter().sum(), calm[2000..2010].iter().sum());
        assert!((after / before - 1.0).abs() < 0.05, "{before} {after}");
    }

    #[test]
    fn a_little_larger_is_nearly_the_same() {
        let counts = draw(|_| 50.0);
        let calm = calmed(&counts, 1.05);
        assert!((deviation(&calm) / deviation(&counts) - 1.0).abs() < 0.05);
    }
}
