//! Where a trace goes over from one distance of its rows to another.

use scaling_fleet::load::Row;

/// Distances on either side that are looked at.
const NEAR: usize = 10;

/// Share of these that have to be alike: gaps that lie anywhere are no other resolution.
const MOST: f64 = 0.8;

/// Resolutions that differ by less than this share are none: they are one clock that goes wrong.
const LEAST_DIFFERENCE: f64 = 0.1;

/// Two resolutions, and the first row of the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    /// Line in the file, from 1.
    pub(super) line: u64,
    /// Distance of two rows before it, in seconds.
    pub(super) before: f64,
    /// Distance of two rows from it on, in seconds.
    pub(super) after: f64,
}

/// How far a time may be from its place on a grid of this step: a second of drift is no other resolution.
pub(super) fn drift(step: f64) -> f64 {
    1.0_f64.min(0.25 * step)
}

/// How far distances may be from another and still be one step. Of two rows one may be late and the other early.
fn tolerance(step: f64) -> f64 {
    (2.0 * drift(step)).max(LEAST_DIFFERENCE * step)
}

/// The first change of the resolution of sorted rows, if there is one. On either side there have to be at least so many
/// equal distances: a single one is a gap.
pub(super) fn change(rows: &[Row], least: usize) -> Option<Change> {
    let distances: Vec<f64> = rows.windows(2).map(|pair| pair[1].seconds - pair[0].seconds).collect();
    (least..=distances.len().checked_sub(least)?).find_map(|at| {
        let (before, after) = (distances[at - 1], distances[at]);
        let tolerance = tolerance(before.min(after));
        let other = (before - after).abs() > tolerance;
        let near = &distances[at.saturating_sub(NEAR)..at];
        let following = &distances[at..(at + NEAR).min(distances.len())];
        let stays = |step, distances: &[f64]| is_usual(step, distances, tolerance, least);
        let is_change = other && stays(before, near) && stays(after, following);
        is_change.then(|| Change { line: rows[at + 1].line, before, after })
    })
}

/// Whether most of the distances are this step, to within `tolerance`, and at least so many.
fn is_usual(step: f64, distances: &[f64], tolerance: f64, least: usize) -> bool {
    let alike = distances.iter().filter(|distance| (**distance - step).abs() <= tolerance).count();
    alike >= least && alike as f64 >= MOST * distances.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(distances: &[f64]) -> Option<(u64, f64, f64)> {
        let mut seconds = 0.0;
        let later = distances.iter().map(|distance| {
            seconds += distance;
            seconds
        });
        let rows: Vec<Row> = std::iter::once(0.0)
            .chain(later)
            .zip(2..)
            .map(|(seconds, line)| Row { line, seconds, value: Some(1.0) })
            .collect();
        change(&rows, 2).map(|change| (change.line, change.before, change.after))
    }

    #[test]
    fn it_is_where_the_distance_becomes_another_one_and_stays_so() {
        for (distances, expected) in [
            (vec![60.0; 9], None),
            ([vec![60.0; 5], vec![15.0; 9]].concat(), Some((8, 60.0, 15.0))),
            ([vec![15.0; 9], vec![60.0; 5]].concat(), Some((12, 15.0, 60.0))),
            // A gap, gaps anywhere, drift.
            ([vec![60.0; 5], vec![600.0], vec![60.0; 5]].concat(), None),
            ([60.0, 120.0, 60.0, 60.0, 180.0, 60.0, 120.0, 120.0, 60.0, 60.0, 240.0, 60.0].repeat(3), None),
            ([vec![60.0; 5], vec![60.5; 5]].concat(), None),
            // Jitter of up to 0.6 s on either row, however it falls.
            ([vec![61.2; 5], vec![58.8; 5]].concat(), None),
            ([vec![60.0; 5], vec![59.0; 5]].concat(), None),
            (
                [vec![60.0, 61.125, 59.0, 60.5, 59.75], vec![14.125, 15.875, 15.5, 14.5]].concat(),
                Some((8, 59.75, 14.125)),
            ),
            // One clock that goes wrong.
            ([vec![600.0; 5], vec![606.0; 5]].concat(), None),
            ([vec![1.0, 1.0, 2.0], vec![1.0; 9]].concat(), None),
            ([vec![1.0; 5], vec![2.0; 5]].concat(), Some((8, 1.0, 2.0))),
            (vec![60.0], None),
            (Vec::new(), None),
        ] {
            assert_eq!(found(&distances), expected, "{distances:?}");
        }
    }
}
