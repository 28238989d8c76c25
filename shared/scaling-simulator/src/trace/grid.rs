//! On which grid the rows of a trace lie.

use scaling_fleet::load::Row;

use super::read::{TraceError, whole_seconds};
use super::resolution::drift;

/// Rows that are so near to a grid, in seconds, are on it: times may be in milliseconds.
const EXACT: f64 = 0.002;

/// The grid that the rows lie on.
pub(super) struct Grid {
    /// Distance of two places, in seconds.
    pub(super) step: f64,
    /// The place of each row, from that of the first on.
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
    let loose = 2.0 * drift(usual);
    let mut last = 0;
    for (step, width) in [(usual, EXACT), (mean.round(), loose), (usual, loose), (mean, loose)] {
        if step <= 0.0 || (step - usual).abs() > drift(usual) {
            continue;
        }
        match places(rows, step, width) {
            Ok(places) => return Ok(Grid { step, places }),
            // A step that is itself a little off goes wrong before the trace does.
            Err(at) => last = last.max(at),
        }
    }
    Err(fault(rows, usual, rows[last].line))
}

fn distances(rows: &[Row]) -> impl Iterator<Item = f64> {
    rows.windows(2).map(|pair| pair[1].seconds - pair[0].seconds)
}

/// The whole length over the steps that it has.
fn mean_step(rows: &[Row], usual: f64) -> f64 {
    let steps: f64 = distances(rows).map(|distance| (distance / usual).round()).sum();
    distances(rows).sum::<f64>() / steps.max(1.0)
}

/// The place of each row on a grid of this step, or the first row that has none beside those before it: what the earliest and
/// the latest of them are off lies further apart than `width`. No row is the origin, since each may be a little off, the
/// first one, too.
fn places(rows: &[Row], step: f64, width: f64) -> Result<Vec<usize>, usize> {
    let (mut place, mut before) = (0.0, rows[0].seconds);
    // How far rows are off the grid that begins with the first one: the earliest, and the latest.
    let (mut earliest, mut latest) = (0.0_f64, 0.0_f64);
    let mut places = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        place += ((row.seconds - before) / step).round();
        before = row.seconds;
        let off = row.seconds - rows[0].seconds - place * step;
        (earliest, latest) = (earliest.min(off), latest.max(off));
        if latest - earliest > width {
            return Err(index);
        }
        places.push(whole(place));
    }
    Ok(places)
}

/// Why the rows have no grid, of which the one of this line is the first that does not fit.
fn fault(rows: &[Row], usual: f64, line: u64) -> TraceError {
    let drift = drift(usual);
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
    reason = "a whole number, and not negative since rows are sorted"
)]
fn whole(place: f64) -> usize {
    place as usize
}
