//! A histogram with fixed buckets.

/// Upper bounds for operations: a count change takes minutes, a rolling replacement may take hours.
pub(super) const OPERATION_BOUNDS: [f64; 11] =
    [1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];

/// Upper bounds for ticks and calls.
pub(super) const CALL_BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Counts observations by size.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    bounds: &'static [f64],
    /// One for each bound, and one for what is larger than the last.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// An empty one.
    pub(super) fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0.0 }
    }

    /// Takes a value in; what is not finite is left out.
    pub(super) fn observe(&mut self, value: f64) {
        if value.is_finite() {
            self.counts[self.bounds.partition_point(|bound| *bound < value)] += 1;
            self.sum += value;
        }
    }

    /// Sum of all values.
    pub(super) fn sum(&self) -> f64 {
        self.sum
    }

    /// Number of values.
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Each upper bound with the number of values in its bucket alone; the last bound is infinity.
    pub(super) fn buckets(&self) -> Vec<(f64, u64)> {
        self.bounds.iter().copied().chain([f64::INFINITY]).zip(self.counts.iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_a_bound_is_within_it() {
        let mut histogram = Histogram::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 2.0, 2.5, f64::NAN] {
            histogram.observe(value);
        }
        assert_eq!(histogram.buckets(), vec![(1.0, 2), (2.0, 2), (f64::INFINITY, 1)]);
        assert_eq!((histogram.count(), histogram.sum()), (5, 7.5));
    }
}
