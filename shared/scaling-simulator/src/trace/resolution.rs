//! Where a trace goes over from one distance of its rows to another.

use scaling_fleet::load::Row;

/// Distances on either side that are looked at.
const NEAR: usize = 10;

/// Share of these that have to be alike: gaps that lie anywhere are no other resolution.
const MOST: f64 = 0.8;

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

/// How far a distance may be from a step and still be that step: a second of drift is no other resolution.
pub(super) fn drift(step: f64) -> f64 {
    1.0_f64.min(0.25 * step)
}

/// The first change of the resolution of sorted rows, if there is one. On either side there have to be at least so many
/// equal distances: a single one is a gap.
pub(super) fn change(rows: &[Row], least: usize) -> Option<Change> {
    let distances: Vec<f64> = rows.windows(2).map(|pair| pair[1].seconds - pair[0].seconds).collect();
    (least..=distances.len().checked_sub(least)?).find_map(|at| {
        let (before, after) = (distances[at - 1], distances[at]);
        let other = (before - after).abs() > drift(before.min(after));
        let near = &distances[at.saturating_sub(NEAR)..at];
        let following = &distances[at..(at + NEAR).min(distances.len())];
        let is_change = other && is_usual(before, near, least) && is_usual(after, following, least);
        is_change.then(|| Change { line: rows[at + 1].line, before, after })
    })
}

/// Whether most of the distances are this step, and at least so many.
fn is_usual(step: f64, distances: &[f64], least: usize) -> bool {
    let alike = distances.iter().filter(|distance| (**distance - step).abs() <= drift(step)).count();
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
            (vec![60.0], None),
            (Vec::new(), None),
        ] {
            assert_eq!(found(&distances), expected, "{distances:?}");
        }
    }
}
