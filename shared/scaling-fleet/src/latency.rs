//! Response time quantiles of an M/M/c station, by the formula or from a table: [`queueing`](crate::queueing) solves
//! for a quantile by bisection, which a simulation of years cannot afford in each interval.
//!
//! A curve is worked out when its size is first asked for. Its points lie on a grid of -ln(1 - utilisation), so that
//! they are dense where the curve is steep; between them it is a straight line, off by less than 0.1 %.

use crate::queueing::ResponseTime;

/// The table ends here: at more, the backlog of an overload decides and not the steady state.
pub const HIGHEST_UTILISATION: f64 = 0.99;

/// Points of a curve.
const POINTS: usize = 257;

/// Sizes up to this have a curve of their own; above, one for every [`COARSE`] servers (the next lower one, which is
/// slower, so this errs on the safe side).
const EXACT: u32 = 64;
const COARSE: u32 = 8;

/// Median and 95th percentile of the response time.
pub trait Quantiles {
    /// Both at `servers` (at least 1) and `utilisation` (0 or more, taken as [`HIGHEST_UTILISATION`] above it), in
    /// units of the mean service time.
    fn quantiles(&mut self, servers: u32, utilisation: f64) -> (f64, f64);
}

/// By the formula, exactly.
#[derive(Debug, Clone, Copy, Default)]
pub struct Formula;

impl Quantiles for Formula {
    fn quantiles(&mut self, servers: u32, utilisation: f64) -> (f64, f64) {
        let offered = utilisation.clamp(0.0, HIGHEST_UTILISATION) * f64::from(servers);
        ResponseTime::of(servers, offered)
            .map_or((0.0, 0.0), |response| (response.quantile(0.5), response.quantile(0.95)))
    }
}

/// From a table of curves by size.
#[derive(Debug, Clone, Default)]
pub struct LatencyTable {
    curves: Vec<Option<Box<Curve>>>,
}

#[derive(Debug, Clone)]
struct Curve {
    p50: [f64; POINTS],
    p95: [f64; POINTS],
}

impl LatencyTable {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    fn curve(&mut self, servers: u32) -> &Curve {
        let (slot, size) = if servers <= EXACT {
            (servers.max(1), servers.max(1))
        } else {
            let coarse = (servers - EXACT) / COARSE;
            (EXACT + coarse, EXACT + coarse * COARSE)
        };
        let slot = slot as usize;
        if self.curves.len() <= slot {
            self.curves.resize(slot + 1, None);
        }
        self.curves[slot].get_or_insert_with(|| Box::new(Curve::of(size)))
    }
}

impl Quantiles for LatencyTable {
    fn quantiles(&mut self, servers: u32, utilisation: f64) -> (f64, f64) {
        let (index, share) = position(utilisation);
        let curve = self.curve(servers);
        let between = |points: &[f64; POINTS]| points[index] + (points[index + 1] - points[index]) * share;
        (between(&curve.p50), between(&curve.p95))
    }
}

impl Curve {
    fn of(servers: u32) -> Self {
        let mut curve = Self { p50: [0.0; POINTS], p95: [0.0; POINTS] };
        for point in 0..POINTS {
            let utilisation = 1.0 - (-(point as f64) * width()).exp();
            if let Some(response) = ResponseTime::of(servers, utilisation * f64::from(servers)) {
                curve.p50[point] = response.quantile(0.5);
                curve.p95[point] = response.quantile(0.95);
            }
        }
        curve
    }
}

/// Distance between two points of the grid.
fn width() -> f64 {
    -(1.0 - HIGHEST_UTILISATION).ln() / (POINTS - 1) as f64
}

/// The grid point at or below, and the share of the way to the next.
fn position(utilisation: f64) -> (usize, f64) {
    let at = -(1.0 - utilisation.clamp(0.0, HIGHEST_UTILISATION)).ln() / width();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the last point"
    )]
    let index = (at as usize).min(POINTS - 2);
    (index, at - index as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queueing::response_quantile;

    #[test]
    fn the_table_is_the_formula_within_a_thousandth() {
        let mut table = LatencyTable::new();
        for servers in [1, 2, 4, 8, 16, 64] {
            for percent in 0..=98 {
                let utilisation = f64::from(percent) / 100.0 + 0.003;
                let (p50, p95) = table.quantiles(servers, utilisation);
                for (actual, quantile) in [(p50, 0.5), (p95, 0.95)] {
                    let exact = response_quantile(servers, utilisation * f64::from(servers), quantile);
                    assert!(
                        (actual / exact - 1.0).abs() < 1e-3,
                        "{servers} servers at {utilisation}: {actual} is not {exact}"
                    );
                }
            }
        }
    }

    #[test]
    fn sizes_between_the_coarse_ones_take_the_slower_curve() {
        let mut table = LatencyTable::new();
        assert_eq!(table.quantiles(71, 0.95), table.quantiles(64, 0.95));
        assert_eq!(table.quantiles(72, 0.95), table.quantiles(79, 0.95));
    }

    #[test]
    fn above_the_highest_utilisation_the_answer_stays() {
        let mut table = LatencyTable::new();
        assert_eq!(table.quantiles(4, 0.99), table.quantiles(4, 3.0));
    }
}
