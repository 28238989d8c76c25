//! Charts in text: a bar with its band, and a line over time in one row.

/// Cells of a bar from nothing to the limit; what is over the limit goes on behind it.
const BAR: f64 = 20.0;

/// Cells of a bar at most.
const LONGEST_BAR: f64 = 30.0;

const STEPS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A load as a bar: full up to the load, shaded from the target to the limit, and a line at the limit.
pub(super) fn bar(load: f64, target: f64) -> String {
    let (full, band, limit) = (cells(load * BAR), cells(target * BAR), cells(BAR));
    let mut text = String::new();
    for cell in 0..limit.max(full) {
        if cell == limit {
            text.push('│');
        }
        text.push(match cell {
            cell if cell < full => '█',
            cell if cell >= band => '▒',
            _ => ' ',
        });
    }
    if full <= limit {
        text.push('│');
    }
    text
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a few dozen")]
fn cells(value: f64) -> usize {
    value.round().clamp(0.0, LONGEST_BAR) as usize
}

/// Looks in so many cells of equal time; `None` is a cell without a look.
pub(super) struct Grid {
    /// The cell of each look that is in sight.
    cells: Vec<Option<usize>>,
    width: usize,
}

impl Grid {
    /// A grid over looks at these seconds, in order, of which those since `from` are in sight.
    pub(super) fn new(at: &[i64], from: i64, width: usize) -> Self {
        let last = at.last().copied().unwrap_or(from);
        let span = (last - from).max(1);
        let cell = |at: i64| {
            let place = usize::try_from((at - from).checked_mul(i64::try_from(width).ok()?)? / span).ok()?;
            Some(place.min(width - 1))
        };
        Self { cells: at.iter().map(|at| cell(*at)).collect(), width }
    }

    /// The cell of a moment between the first and the last look.
    pub(super) fn place(&self, at: &[i64], moment: i64) -> Option<usize> {
        let after = at.partition_point(|known| *known < moment);
        self.cells.get(after).copied().flatten()
    }

    /// Each cell's value, made of those that fall into it.
    pub(super) fn gather<T: Copy>(&self, values: &[Option<T>], of: impl Fn(T, T) -> T) -> Vec<Option<T>> {
        let mut gathered = vec![None; self.width];
        for (cell, value) in self.cells.iter().zip(values) {
            let (Some(cell), Some(value)) = (*cell, *value) else { continue };
            gathered[cell] = Some(gathered[cell].map_or(value, |before| of(before, value)));
        }
        gathered
    }
}

/// One row of blocks from 0 to `top`; a cell without a value is a gap.
pub(super) fn line(values: &[Option<f64>], top: f64) -> String {
    let block = |value: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to eight steps")]
        let step = (value / top.max(f64::MIN_POSITIVE) * 8.0).ceil().clamp(1.0, 8.0) as usize;
        STEPS[step - 1]
    };
    values.iter().map(|value| value.map_or(' ', block)).collect()
}

/// Cells without a look between two that have one take the earlier one's value: looks that are further apart than a cell is
/// wide are no gap.
pub(super) fn held<T: Copy>(values: &[Option<T>]) -> Vec<Option<T>> {
    let last = values.iter().rposition(Option::is_some).map_or(0, |place| place + 1);
    let mut before = None;
    let mut fill = |value: &Option<T>| {
        before = value.or(before);
        before
    };
    let mut filled: Vec<Option<T>> = values[..last].iter().map(&mut fill).collect();
    filled.resize(values.len(), None);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_load_band_and_limit() {
        for (load, expected) in [
            (0.0, "               ▒▒▒▒▒│"),
            (0.5, "██████████     ▒▒▒▒▒│"),
            (0.9, "██████████████████▒▒│"),
            (1.0, "████████████████████│"),
            (1.2, "████████████████████│████"),
            (9.0, "████████████████████│██████████"),
        ] {
            assert_eq!(bar(load, 0.75), expected, "{load}");
        }
    }

    #[test]
    fn looks_fall_into_cells_of_equal_time() {
        let at = [0, 60, 120, 180, 240, 300];
        let grid = Grid::new(&at, 0, 3);
        let values = [1.0, 5.0, 2.0, 3.0, 8.0, 4.0].map(Some);
        assert_eq!(grid.gather(&values, f64::max), [Some(5.0), Some(3.0), Some(8.0)]);
        assert_eq!(grid.gather(&values, |_, last| last), [Some(5.0), Some(3.0), Some(4.0)]);
        assert_eq!((grid.place(&at, 150), grid.place(&at, 999)), (Some(1), None));
    }

    #[test]
    fn what_is_out_of_sight_is_in_no_cell() {
        let grid = Grid::new(&[0, 60, 120], 60, 2);
        assert_eq!(grid.gather(&[Some(9.0), Some(1.0), Some(2.0)], f64::max), [Some(1.0), Some(2.0)]);
    }

    #[test]
    fn a_line_goes_from_nothing_to_the_top_and_has_gaps() {
        assert_eq!(line(&[Some(0.0), Some(4.0), None, Some(8.0)], 8.0), "▁▄ █");
        assert_eq!(line(&[Some(0.0)], 0.0), "▁");
        assert_eq!(held(&[None, Some(1), None, Some(2), None]), [None, Some(1), Some(1), Some(2), None]);
    }
}
