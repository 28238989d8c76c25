//! The plots, as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;
use thiserror::Error;

use super::Plotted;
use super::key::{Key, Sign};
use super::labels::{self, Point};
use crate::figures::{Figures, HELD};
use crate::play;
use crate::ranking::is_bound;
use crate::rivals::Rival;

/// A plot could not be drawn.
#[derive(Debug, Error)]
#[error("a plot could not be drawn: {0}")]
pub struct PlotError(String);

const SIZE: (u32, u32) = (900, 320);
pub(super) const FONT: &str = "sans-serif";
const DEMAND: RGBColor = RGBColor(60, 60, 60);
pub(super) const OURS: RGBColor = RGBColor(0, 114, 178);
pub(super) const OVER: RGBColor = RGBColor(213, 94, 0);
pub(super) const TRACKING: RGBColor = RGBColor(204, 121, 167);
pub(super) const HPA: RGBColor = RGBColor(0, 158, 115);
pub(super) const BOUND: RGBColor = RGBColor(120, 120, 120);

/// Points of a line at most: more cannot be seen.
const MOST_POINTS: usize = 1200;

/// Demand and capacity of days three to six, or of all where there is less.
pub(super) fn over_time(points: &[play::Point]) -> Result<String, PlotError> {
    let day = |point: &play::Point| point.now as f64 / 86_400.0;
    let long = points.last().is_some_and(|last| day(last) > 6.0);
    let shown: Vec<&play::Point> =
        points.iter().filter(|point| !long || (2.0..5.0).contains(&day(point))).collect();
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
    key.add(Sign::Line(3), OURS, "serving (hybrid)");
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
                Rectangle::new([(*day, 0.0), (*day, *needed)], OVER.mix(0.5).stroke_width(2))
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

/// Cost against violations: the rivals' settings, everybody's result, and the front that nobody is better than on both.
pub(super) fn cost_and_violations(plotted: &Plotted, results: &[&Figures]) -> Result<String, PlotError> {
    let share = |figures: &Figures| (figures.violation_requests_share * 100.0).max(FLOOR);
    let base = results.iter().find(|figures| figures.policy == "oracle").map_or(1.0, |found| found.cost_usd);
    let cost = |figures: &Figures| figures.cost_usd / base;
    let shown = |cost: f64| cost <= MOST_COST;
    let all: Vec<&Figures> = plotted
        .sweeps
        .iter()
        .flat_map(|(_, figures)| figures)
        .chain(results.iter().copied())
        .filter(|figures| shown(cost(figures)))
        .collect();
    let right = all.iter().map(|figures| cost(figures)).fold(1.5, f64::max) * 1.05;
    let sweep_colour = |rival: Rival| if rival == Rival::Hpa { HPA } else { TRACKING };
    let mut key = Key::new(SIZE.0);
    for (rival, _) in &plotted.sweeps {
        key.add(Sign::Line(2), sweep_colour(*rival), format!("{rival}, all settings"));
    }
    key.add(Sign::Line(4), DEMAND.mix(0.4), "Pareto front");
    key.add(Sign::Line(1), OVER, "half a percent");
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (SIZE.0, SIZE.1 + key.height())).into_drawing_area();
        let area = key.above(&area)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(34)
            .y_label_area_size(56)
            .build_cartesian_2d(0.9..right, (FLOOR * 0.8..60.0).log_scale())
            .map_err(fault)?;
        chart
            .configure_mesh()
            .x_desc("cost over the clairvoyant oracle's")
            .y_desc("requests over, %")
            .light_line_style(TRANSPARENT)
            .draw()
            .map_err(fault)?;
        chart
            .draw_series(LineSeries::new([(0.9, HELD * 100.0), (right, HELD * 100.0)], OVER.stroke_width(1)))
            .map_err(fault)?;
        for (rival, figures) in &plotted.sweeps {
            let line = figures.iter().filter(|one| shown(cost(one))).map(|one| (cost(one), share(one)));
            chart
                .draw_series(LineSeries::new(line, sweep_colour(*rival).stroke_width(1)).point_size(3))
                .map_err(fault)?;
        }
        let causal = all.iter().filter(|one| !is_bound(&one.policy));
        let front = front(causal.map(|one| (cost(one), share(one))).collect());
        chart.draw_series(LineSeries::new(front, DEMAND.mix(0.4).stroke_width(4))).map_err(fault)?;
        let marks = results.iter().filter(|one| shown(cost(one))).map(|one| (*one, (cost(one), share(one))));
        mark(&area, &mut chart, &marks.collect::<Vec<_>>())?;
        area.present().map_err(fault)?;
    }
    Ok(svg)
}

fn colour(one: &Figures) -> RGBColor {
    if one.policy.starts_with("hybrid") { OURS } else { BOUND }
}

/// Everybody's result. Only ours and the bounds are named: the others stand on or near a line that is.
fn mark<'a, DB, X, Y>(
    area: &DrawingArea<DB, Shift>,
    chart: &mut ChartContext<'a, DB, Cartesian2d<X, Y>>,
    marks: &[(&Figures, (f64, f64))],
) -> Result<(), PlotError>
where
    DB: DrawingBackend + 'a,
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    for (one, at) in marks {
        chart.draw_series([Circle::new(*at, 5, colour(one).filled())]).map_err(fault)?;
    }
    let everywhere: Vec<Point> = marks.iter().map(|(_, at)| chart.backend_coord(at)).collect();
    let (mut told, mut names) = (Vec::new(), Vec::new());
    for ((one, _), at) in marks.iter().zip(&everywhere) {
        if one.policy == "hybrid" || is_bound(&one.policy) {
            told.push(one);
            names.push((one.policy.as_str(), *at));
        }
    }
    let within = chart.plotting_area().get_pixel_range();
    for (one, place) in told.into_iter().zip(labels::place(&names, &everywhere, within)) {
        // On a ground of its own: the lines of the rivals go through everything.
        let ground = [place, labels::end(&one.policy, place)];
        area.draw(&Rectangle::new(ground, WHITE.mix(0.8).filled())).map_err(fault)?;
        let style = (FONT, 13).into_font().color(&colour(one));
        area.draw(&Text::new(one.policy.clone(), place, style)).map_err(fault)?;
    }
    Ok(())
}

/// Shares under this are drawn at it: the axis is logarithmic. In percent.
const FLOOR: f64 = 0.001;

/// Costs over this are left out of the plot.
const MOST_COST: f64 = 6.0;

/// Those that no other is better than in both, by cost.
fn front(mut points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut best = f64::INFINITY;
    points.retain(|(_, share)| {
        let better = *share < best;
        best = best.min(*share);
        better
    });
    points
}

pub(super) fn fault(error: impl std::fmt::Display) -> PlotError {
    PlotError(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_holds_only_what_nobody_beats_on_both() {
        let points = vec![(1.0, 5.0), (2.0, 1.0), (1.5, 6.0), (3.0, 2.0), (4.0, 0.5)];
        assert_eq!(front(points), vec![(1.0, 5.0), (2.0, 1.0), (4.0, 0.5)]);
    }
}
