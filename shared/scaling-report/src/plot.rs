//! Lines over time as SVG.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;

/// A line: its name, its colour, its values by seconds since 1970.
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) colour: RGBColor,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Points of one line; more would be finer than the picture.
const MOST_POINTS: usize = 1200;

const SIZE: (u32, u32) = (900, 260);

/// Seconds.
const HOUR: f64 = 3600.0;

/// Seconds.
const DAY: f64 = 24.0 * HOUR;

/// Moments that are named below a plot, at most.
const MOST_NAMED: f64 = 9.0;

/// One plot. Axes are labelled by the page, in HTML, where fonts are known.
pub(crate) fn svg(lines: &[Line<'_>]) -> Result<String, String> {
    let mut text = String::new();
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let left = all().map(|(at, _)| at).fold(f64::INFINITY, f64::min);
    let right = all().map(|(at, _)| at).fold(left, f64::max).max(left + 1.0);
    let top = all().map(|(_, value)| value).fold(0.0, f64::max).max(1e-9) * 1.05;
    let draw = |text: &mut String| -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(6)
            .margin_right(44)
            .x_label_area_size(28)
            .y_label_area_size(52)
            .build_cartesian_2d(Time { left, right }, 0.0..top)?;
        chart.configure_mesh().y_labels(5).light_line_style(TRANSPARENT).draw()?;
        for line in lines {
            let every = line.points.len().div_ceil(MOST_POINTS).max(1);
            let points = line.points.chunks(every).filter_map(highest);
            chart.draw_series(LineSeries::new(points, line.colour.stroke_width(2)))?;
        }
        root.present()?;
        Ok(())
    };
    draw(&mut text).map_err(|error| error.to_string())?;
    Ok(text)
}

/// Seconds since 1970 from left to right, named at round moments.
struct Time {
    left: f64,
    right: f64,
}

impl Time {
    fn every(&self) -> f64 {
        step(self.right - self.left)
    }
}

impl Ranged for Time {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, at: &f64, (from, to): (i32, i32)) -> i32 {
        let share = (at - self.left) / (self.right - self.left);
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a picture")]
        let pixels = (share * f64::from(to - from)).round() as i32;
        from + pixels
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() {
            Vec::new()
        } else {
            round(self.left, self.right, self.every())
        }
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.left..self.right
    }
}

impl ValueFormatter<f64> for Time {
    fn format_ext(&self, at: &f64) -> String {
        let format = if self.every() < DAY { "%d %b %H:%M" } else { "%d %b" };
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        let at = jiff::Timestamp::from_second(*at as i64);
        at.map_or_else(|_| String::new(), |at| at.strftime(format).to_string())
    }
}

/// How far apart the named moments of so many seconds are: a round part of a day, or whole days.
fn step(span: f64) -> f64 {
    let steps =
        [HOUR, 2.0 * HOUR, 3.0 * HOUR, 6.0 * HOUR, 12.0 * HOUR, DAY, 2.0 * DAY, 7.0 * DAY, 14.0 * DAY];
    steps.into_iter().find(|step| span / step <= MOST_NAMED).unwrap_or(30.0 * DAY)
}

/// The round moments between two.
fn round(left: f64, right: f64, every: f64) -> Vec<f64> {
    let first = (left / every).ceil() * every;
    std::iter::successors(Some(first), |at| Some(at + every)).take_while(|at| *at <= right).collect()
}

/// The highest of neighbouring points: peaks are what a reader looks for.
fn highest(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    points.iter().copied().max_by(|(_, one), (_, other)| one.total_cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_named_at_round_times_and_never_too_many() {
        for (span, every) in [
            (6.0 * HOUR, HOUR),
            (36.0 * HOUR, 6.0 * HOUR),
            (94.0 * HOUR, 12.0 * HOUR),
            (14.0 * DAY, 2.0 * DAY),
        ] {
            assert!((step(span) - every).abs() < 1e-9, "{span}: {}", step(span));
            let named = round(1_000_000.0, 1_000_000.0 + span, every);
            assert!((3..=10).contains(&named.len()), "{named:?}");
            assert!(named.iter().all(|at| (at % every).abs() < 1e-6), "{named:?}");
        }
    }
}
