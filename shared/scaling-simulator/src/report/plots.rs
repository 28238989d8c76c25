//! The plots, as SVG.

use plotters::prelude::*;
use thiserror::Error;

use super::key::{Key, Sign};
use crate::play;

/// A plot could not be drawn.
#[derive(Debug, Error)]
#[error("a plot could not be drawn: {0}")]
pub struct PlotError(String);

pub(super) const SIZE: (u32, u32) = (900, 320);
pub(super) const FONT: &str = "sans-serif";
pub(super) const DEMAND: RGBColor = RGBColor(60, 60, 60);
pub(super) const OURS: RGBColor = RGBColor(0, 114, 178);
pub(super) const OVER: RGBColor = RGBColor(213, 94, 0);
pub(super) const TRACKING: RGBColor = RGBColor(204, 121, 167);
pub(super) const HPA: RGBColor = RGBColor(0, 158, 115);
pub(super) const BOUND: RGBColor = RGBColor(120, 120, 120);

/// Of what else there is: step scaling, predictive scaling, HPA with VPA, the plain rule, a fixed count.
pub(super) const RIVALS: [RGBColor; 5] = [
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 90, 60),
    RGBColor(120, 60, 160),
    RGBColor(140, 86, 40),
];

/// Points of a line at most: more cannot be seen.
const MOST_POINTS: usize = 1200;

/// The days that are shown of what is longer than [`LONG`] days.
const SHOWN: std::ops::Range<f64> = 2.0..5.0;
const LONG: f64 = 6.0;

fn day(point: &play::Point) -> f64 {
    point.now as f64 / 86_400.0
}

fn is_long(points: &[play::Point]) -> bool {
    points.last().is_some_and(|last| day(last) > LONG)
}

/// What the plot of [`over_time`] shows, in a sentence.
pub(super) fn over_time_in_words(points: &[play::Point]) -> String {
    let all = points.last().map_or(0.0, day);
    let part = if is_long(points) {
        format!("; days {:.0} to {:.0} of {all:.0}", SHOWN.start, SHOWN.end)
    } else {
        String::new()
    };
    format!("Most needed and least serving, by time{part}.")
}

/// Demand and capacity under the policy of that name, of some days where there are many.
pub(super) fn over_time(policy: &str, points: &[play::Point]) -> Result<String, PlotError> {
    let long = is_long(points);
    let shown: Vec<&play::Point> =
        points.iter().filter(|point| !long || SHOWN.contains(&day(point))).collect();
    let (Some(first), Some(last)) = (shown.first(), shown.last()) else { return Ok(String::new()) };
    let bucket = shown.len().div_ceil(MOST_POINTS).max(1);
    let buckets: Vec<(f64, f64, f64, bool)> = shown
        .chunks(bucket)
        .map(|chunk| {
            let needed = chunk.iter().map(|point| point.needed).max().unwrap_or(0);
            let serving = chunk.iter().map(|point| point.serving).min().unwrap_or(0);
            (day(chunk[0]), f64::from(needed), f64::from(serving), chunk.iter().any(|point| point.over))
        })
        .collect();
    let top = buckets.iter().map(|(_, needed, serving, _)| needed.max(*serving)).fold(1.0, f64::max);
    let mut key = Key::new(SIZE.0);
    key.add(Sign::Line(2), DEMAND, "needed");
    key.add(Sign::Line(3), OURS, format!("serving ({policy})"));
    if buckets.iter().any(|(.., over)| *over) {
        key.add(Sign::Line(3), OVER, "over the target");
    }
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (SIZE.0, SIZE.1 + key.height())).into_drawing_area();
        let area = key.above(&area)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(34)
            .y_label_area_size(46)
            .build_cartesian_2d(day(first)..day(last), 0.0..top * 1.08)
            .map_err(fault)?;
        chart
            .configure_mesh()
            .x_desc("day")
            .y_desc("replicas")
            .light_line_style(TRANSPARENT)
            .draw()
            .map_err(fault)?;
        chart
            .draw_series(buckets.iter().filter(|(.., over)| *over).map(|(day, needed, ..)| {
                // A line: a rectangle without a width is not drawn at all.
                PathElement::new([(*day, 0.0), (*day, *needed)], OVER.mix(0.5).stroke_width(2))
            }))
            .map_err(fault)?;
        let needed = buckets.iter().map(|(day, needed, ..)| (*day, *needed));
        chart.draw_series(LineSeries::new(needed, DEMAND.stroke_width(1))).map_err(fault)?;
        let serving = buckets.iter().map(|(day, _, serving, _)| (*day, *serving));
        chart.draw_series(LineSeries::new(serving, OURS.stroke_width(2))).map_err(fault)?;
        area.present().map_err(fault)?;
    }
    Ok(svg)
}

/// An SVG with a name, for who sees no plots.
pub(super) fn titled(svg: &str, shows: &str) -> String {
    let Some((begin, rest)) = svg.split_once("<svg").and_then(|(_, svg)| svg.split_once('>')) else {
        return svg.to_owned();
    };
    let shows = shows.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    format!("<svg role=\"img\" aria-label=\"{shows}\"{begin}>\n<title>{shows}</title>{rest}")
}

pub(super) fn fault(error: impl std::fmt::Display) -> PlotError {
    PlotError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(days: u64) -> Vec<play::Point> {
        let point =
            |hour| play::Point { now: hour * 3600, needed: 4, serving: 4, over: hour == 60, cost_usd: 1.0 };
        (0..days * 24).map(point).collect()
    }

    #[test]
    fn an_interval_over_the_target_is_a_line_of_the_plot() {
        let svg = over_time("hybrid", &points(4)).unwrap();
        assert!(svg.contains("serving (hybrid)") && svg.contains("over the target"));
        assert_eq!((svg.matches("<rect").count(), svg.matches("width=\"0\"").count()), (0, 0), "{svg}");
        // In the key and in the plot.
        assert_eq!(svg.matches("#D55E00").count(), 2, "{svg}");
    }

    #[test]
    fn a_name_cannot_end_what_it_stands_in() {
        let svg = titled("<svg width=\"9\">\n<rect/></svg>", "load \"a\" <b> & c");
        let name = "load &quot;a&quot; &lt;b> &amp; c";
        let expected = format!(
            "<svg role=\"img\" aria-label=\"{name}\" width=\"9\">\n<title>{name}</title>\n<rect/></svg>"
        );
        assert_eq!(svg, expected);
    }

    #[test]
    fn the_days_that_are_shown_of_many_are_named() {
        assert_eq!(over_time_in_words(&points(4)), "Most needed and least serving, by time.");
        assert_eq!(
            over_time_in_words(&points(14)),
            "Most needed and least serving, by time; days 2 to 5 of 14."
        );
    }
}
