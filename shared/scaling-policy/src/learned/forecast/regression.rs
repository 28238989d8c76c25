//! A linear predictor that is fitted as it goes: recursive least squares with forgetting.
//!
//! It predicts by how much the load will have changed (as a logarithm) from how it lies to its own means, and from
//! what it did at other times of this minute of the hour and of this time of day.
//! Source: any text on adaptive filters, for example Haykin, *Adaptive Filter Theory*, chapter 10.

use serde::{Deserialize, Serialize};

/// Features, the constant included.
pub(super) const FEATURES: usize = 7;

/// Changes beyond this (in logarithms) are bursts: they are for the margin, and would only spoil the fit.
const MOST: f64 = 0.7;

/// Inverse of the prior belief in coefficients of 0.
const PRIOR: f64 = 2.0;

/// Least squares of the past, weighted towards the present.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Regression {
    coefficients: [f64; FEATURES],
    /// Inverse of the features' correlations, row by row; symmetric.
    inverse: Vec<f64>,
}

impl Default for Regression {
    fn default() -> Self {
        let mut inverse = vec![0.0; FEATURES * FEATURES];
        for index in 0..FEATURES {
            inverse[index * FEATURES + index] = PRIOR;
        }
        Self { coefficients: [0.0; FEATURES], inverse }
    }
}

impl Regression {
    /// The change that those features speak for.
    pub(super) fn predict(&self, features: &[f32; FEATURES]) -> f64 {
        let sum: f64 = self.coefficients.iter().zip(features).map(|(c, f)| c * f64::from(*f)).sum();
        sum.clamp(-MOST, MOST)
    }

    /// Takes in a change with the features that it was to be predicted from. `keep` is the share of the past that is
    /// kept, just under 1.
    pub(super) fn observe(&mut self, features: &[f32; FEATURES], change: f64, keep: f64) {
        let change = change.clamp(-MOST, MOST);
        let mut gain = [0.0; FEATURES];
        for (row, gain) in gain.iter_mut().enumerate() {
            let line = &self.inverse[row * FEATURES..(row + 1) * FEATURES];
            *gain = line.iter().zip(features).map(|(p, f)| p * f64::from(*f)).sum();
        }
        let norm: f64 = keep + gain.iter().zip(features).map(|(g, f)| g * f64::from(*f)).sum::<f64>();
        let said: f64 = self.coefficients.iter().zip(features).map(|(c, f)| c * f64::from(*f)).sum();
        let error = (change - said) / norm;
        for (coefficient, gain) in self.coefficients.iter_mut().zip(gain) {
            *coefficient += gain * error;
        }
        for row in 0..FEATURES {
            for column in 0..FEATURES {
                let value = &mut self.inverse[row * FEATURES + column];
                // Directions in which nothing moves would grow without bound.
                *value = ((*value - gain[row] * gain[column] / norm) / keep).clamp(-WIDEST, WIDEST);
            }
        }
    }
}

const WIDEST: f64 = 50.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_linear_relation_is_found() {
        let mut regression = Regression::default();
        for step in 0..2000_u32 {
            let wave = |speed: f64| super::super::loads::narrow((f64::from(step) * speed).sin() * 0.3);
            let features = [1.0, wave(0.7), wave(1.3), wave(2.1), wave(0.2), wave(0.05), wave(3.0)];
            let change = 0.5 * f64::from(features[1]) - 0.8 * f64::from(features[3]);
            regression.observe(&features, change, 0.999);
        }
        let features = [1.0, 0.2, 0.1, -0.3, 0.0, 0.1, 0.2];
        assert!((regression.predict(&features) - 0.34).abs() < 0.01, "{}", regression.predict(&features));
    }

    #[test]
    fn what_never_moves_does_not_grow_without_bound() {
        let mut regression = Regression::default();
        for _ in 0..100_000 {
            regression.observe(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 0.01, 0.999);
        }
        assert!(regression.inverse.iter().all(|value| value.is_finite() && value.abs() <= WIDEST));
    }
}
