//! On which grid the rows of a trace lie.

use scaling_fleet::load::Row;

use super::read::{TraceError, whole_seconds};
use super::resolution::drift;

/// A grid from the first row on.
pub(super) struct Grid {
    /// Distance of two places, in seconds.
    pub(super) step: f64,
    /// The place of each row.
    pub(super) places: Vec<usize>,
}

/// The median distance of two rows.
pub(super) fn usual_step(rows: &[Row]) -> f64 {
    let mut steps: Vec<f64> = distances(rows).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(1.0)
}

/// The grid that sorted rows keep, of which `usual` is the median distance. Where times are a little off each, the median
/// is, too, and so little adds up over thousands of rows: then the step is what the whole trace has in the mean, in whole
/// seconds where these fit.
pub(super) fn of(rows: &[Row], usual: f64) -> Result<Grid, TraceError> {
    let mean = mean_step(rows, usual);
    let fitting = [usual, mean.round(), mean]
        .into_iter()
        .filter(|step| *step > 0.0 && (step - usual).abs() <= drift(usual))
        .find_map(|step| Some(Grid { step, places: places(rows, step).ok()? }));
    fitting.ok_or_else(|| fault(rows, usual))
}

fn distances(rows: &[Row]) -> impl Iterator<Item = f64> {
    rows.windows(2).map(|pair| pair[1].seconds - pair[0].seconds)
}

/// The whole length over the steps that it has.
fn mean_step(rows: &[Row], usual: f64) -> f64 {
    let steps: f64 = distances(rows).map(|distance| (distance / usual).round().max(1.0)).sum();
    distances(rows).sum::<f64>() / steps.max(1.0)
}

/// The place of each row on a grid of this step, or the line of the first one that is off it.
fn places(rows: &[Row], step: f64) -> Result<Vec<usize>, u64> {
    let drift = drift(step);
    rows.iter()
        .map(|row| {
            let at = (row.seconds - rows[0].seconds) / step;
            let off = (at - at.round()).abs() * step;
            if off > drift { Err(row.line) } else { Ok(place(at)) }
        })
        .collect()
}

/// Why the rows have no grid.
fn fault(rows: &[Row], usual: f64) -> TraceError {
    let drift = drift(usual);
    let line = places(rows, usual).err().unwrap_or(0);
    let step = whole_seconds(usual).unsigned_abs();
    let is_off = |distance: f64| {
        let steps = (distance / usual).round().max(1.0);
        (distance - steps * usual).abs() > drift
    };
    if !distances(rows).any(is_off) {
        return TraceError::Drift { line, step };
    }
    TraceError::Grid {
        line,
        step,
        keep: distances(rows).filter(|distance| (distance - usual).abs() <= drift).count(),
        distances: rows.len() - 1,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sorted, so not before the first"
)]
fn place(at: f64) -> usize {
    at.round() as usize
}
