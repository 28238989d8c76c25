//! Cost against violations, as SVG.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::Plotted;
use super::key::{Key, Sign};
use super::labels::{self, Point};
use super::plots::{BOUND, DEMAND, FONT, HPA, OURS, OVER, PlotError, RIVALS, SIZE, TRACKING, fault};
use crate::figures::{Figures, HELD};
use crate::ranking::is_bound;
use crate::rivals::Rival;

/// Shares under this are drawn at it: the axis is logarithmic. In percent.
pub(super) const FLOOR: f64 = 0.001;

/// Costs over so many times the oracle's, or the cheapest where it took no part, are left out of the plot.
const MOST_COST: f64 = 6.0;

/// Pixels between two places of a line that a name keeps off.
const APART: f64 = 6.0;

/// A result in the plot: cost over the oracle's, or in USD where it took no part, and requests over the target in percent.
type At = (f64, f64);

/// The rivals' settings, everybody's result, and the front that nobody is better than on both. Nothing without results.
pub(super) fn draw(plotted: &Plotted, results: &[&Figures]) -> Result<String, PlotError> {
    let oracle = results.iter().find(|figures| figures.policy == "oracle").map(|found| found.cost_usd);
    let (base, left, along) = match oracle {
        Some(usd) => (usd, 0.9, "cost over the clairvoyant oracle's"),
        None => (1.0, 0.0, "cost, USD"),
    };
    let at = |one: &Figures| (one.cost_usd / base, (one.violation_requests_share * 100.0).max(FLOOR));
    let cheapest = results.iter().map(|one| one.cost_usd).fold(f64::INFINITY, f64::min);
    let most = MOST_COST * oracle.unwrap_or(cheapest) / base;
    let shown = |one: &&Figures| at(one).0 <= most;
    let marks: Vec<(&Figures, At)> =
        results.iter().copied().filter(shown).map(|one| (one, at(one))).collect();
    let lines: Vec<(Rival, Vec<At>)> = plotted
        .sweeps
        .iter()
        .map(|(rival, swept)| (*rival, swept.iter().filter(shown).map(at).collect()))
        .collect();
    if marks.is_empty() {
        return Ok(String::new());
    }
    let swept = || lines.iter().flat_map(|(_, line)| line.iter().copied());
    let right =
        swept().chain(marks.iter().map(|(_, at)| *at)).map(|(cost, _)| cost).fold(1.5, f64::max) * 1.05;
    let causal = marks.iter().filter(|(one, _)| !is_bound(&one.policy)).map(|(_, at)| *at);
    let front = front(swept().chain(causal).collect());
    let key = key(&lines, &marks);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (SIZE.0, SIZE.1 + key.height())).into_drawing_area();
        let area = key.above(&area)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(34)
            .y_label_area_size(56)
            .build_cartesian_2d(left..right, (FLOOR * 0.8..60.0).log_scale())
            .map_err(fault)?;
        chart
            .configure_mesh()
            .x_desc(along)
            .y_desc("requests over, %")
            .light_line_style(TRANSPARENT)
            .draw()
            .map_err(fault)?;
        let half = [(left, HELD * 100.0), (right, HELD * 100.0)];
        chart.draw_series(LineSeries::new(half, OVER.stroke_width(1))).map_err(fault)?;
        for (rival, line) in &lines {
            let series = LineSeries::new(line.iter().copied(), colour_of(*rival).stroke_width(1));
            chart.draw_series(series.point_size(3)).map_err(fault)?;
        }
        chart.draw_series(LineSeries::new(front.clone(), DEMAND.mix(0.4).stroke_width(4))).map_err(fault)?;
        let drawn: Vec<Vec<At>> =
            lines.into_iter().map(|(_, line)| line).chain([front, half.to_vec()]).collect();
        mark((&area, key.height()), &mut chart, &marks, &drawn)?;
        area.present().map_err(fault)?;
    }
    Ok(svg)
}

/// What the lines and the rivals' dots are: a dot is the usual setting, a ring the one that was tuned.
fn key(lines: &[(Rival, Vec<At>)], marks: &[(&Figures, At)]) -> Key {
    let mut key = Key::new(SIZE.0);
    for (rival, _) in lines {
        key.add(Sign::Line(2), colour_of(*rival), format!("{rival}, all settings"));
    }
    for rival in Rival::ALL {
        let swept = lines.iter().any(|(other, _)| *other == rival);
        if !swept && marks.iter().any(|(one, _)| rival_of(one) == Some(rival)) {
            key.add(Sign::Dot, colour_of(rival), rival.name());
        }
    }
    if marks.iter().any(|(one, _)| is_tuned(one)) {
        key.add(Sign::Ring, DEMAND, "tuned in hindsight");
    }
    key.add(Sign::Line(4), DEMAND.mix(0.4), "Pareto front");
    key.add(Sign::Line(1), OVER, "half a percent");
    key
}

fn is_tuned(one: &Figures) -> bool {
    one.policy.ends_with("-tuned")
}

fn rival_of(one: &Figures) -> Option<Rival> {
    Rival::from_name(one.policy.trim_end_matches("-tuned"))
}

fn colour_of(rival: Rival) -> RGBColor {
    match rival {
        Rival::TargetTracking => TRACKING,
        Rival::Hpa => HPA,
        Rival::StepScaling => RIVALS[0],
        Rival::Predictive => RIVALS[1],
        Rival::HpaVpa => RIVALS[2],
        Rival::Threshold => RIVALS[3],
        Rival::Fixed => RIVALS[4],
    }
}

fn colour(one: &Figures) -> RGBColor {
    if one.policy.starts_with("hybrid") { OURS } else { rival_of(one).map_or(BOUND, colour_of) }
}

/// Everybody's result. Only ours and the bounds are named beside it: of the others the key says what they are. The area begins
/// so many pixels under the upper edge, which is where the chart counts its pixels from.
fn mark<'a, DB, X, Y>(
    (area, above): (&DrawingArea<DB, Shift>, u32),
    chart: &mut ChartContext<'a, DB, Cartesian2d<X, Y>>,
    marks: &[(&Figures, At)],
    lines: &[Vec<At>],
) -> Result<(), PlotError>
where
    DB: DrawingBackend + 'a,
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    for (one, at) in marks {
        let colour = colour(one);
        let style = if is_tuned(one) { colour.stroke_width(2) } else { colour.filled() };
        chart.draw_series([Circle::new(*at, 5, style)]).map_err(fault)?;
    }
    let above = i32::try_from(above).unwrap_or_default();
    let in_area = |at: &At| {
        let (x, y) = chart.backend_coord(at);
        (x, y - above)
    };
    let everywhere: Vec<Point> = marks.iter().map(|(_, at)| in_area(at)).collect();
    let lines: Vec<Point> =
        lines.iter().flat_map(|line| along(&line.iter().map(in_area).collect::<Vec<Point>>())).collect();
    let (mut told, mut names) = (Vec::new(), Vec::new());
    for ((one, _), at) in marks.iter().zip(&everywhere) {
        if one.policy == "hybrid" || is_bound(&one.policy) {
            told.push(one);
            names.push((one.policy.as_str(), *at));
        }
    }
    let (across, down) = chart.plotting_area().get_pixel_range();
    let within = (across, down.start - above..down.end - above);
    let places = labels::place(&names, (&everywhere, &lines), within);
    for ((one, place), (name, at)) in told.into_iter().zip(places).zip(names) {
        if let Some(joint) = labels::joint(name, place, at) {
            area.draw(&PathElement::new([at, joint], BOUND.stroke_width(1))).map_err(fault)?;
        }
        let style = (FONT, 13).into_font().color(&colour(one));
        area.draw(&Text::new(one.policy.clone(), place, style)).map_err(fault)?;
    }
    Ok(())
}

/// Places along a line, close to each other.
fn along(line: &[Point]) -> Vec<Point> {
    let between = |pair: &[Point]| {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        let (across, down) = (f64::from(to_x - x), f64::from(to_y - y));
        let parts = (across.hypot(down) / APART).ceil().max(1.0);
        let steps = std::iter::successors(Some(0.0), |at| Some(at + 1.0)).take_while(move |at| *at <= parts);
        let at = move |part: f64| {
            (pixel(f64::from(x) + across * part / parts), pixel(f64::from(y) + down * part / parts))
        };
        steps.map(at).collect::<Vec<Point>>()
    };
    line.windows(2).flat_map(between).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a plot is a few hundred pixels wide")]
fn pixel(at: f64) -> i32 {
    at.round() as i32
}

/// Those that no other is better than in both, by cost.
fn front(mut points: Vec<At>) -> Vec<At> {
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let mut best = f64::INFINITY;
    points.retain(|(_, share)| {
        let better = *share < best;
        best = best.min(*share);
        better
    });
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(policy: &str, cost_usd: f64, share: f64) -> Figures {
        Figures { policy: policy.to_owned(), cost_usd, violation_requests_share: share, ..Figures::default() }
    }

    fn plot(results: &[Figures], sweeps: Vec<(Rival, Vec<Figures>)>) -> String {
        let plotted = Plotted { trace: "load".to_owned(), played: None, sweeps };
        draw(&plotted, &results.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn the_front_holds_only_what_nobody_beats_on_both() {
        let points = vec![(1.0, 5.0), (2.0, 1.0), (1.5, 6.0), (3.0, 2.0), (4.0, 0.5)];
        assert_eq!(front(points), vec![(1.0, 5.0), (2.0, 1.0), (4.0, 0.5)]);
    }

    #[test]
    fn rivals_have_colours_of_their_own_and_the_key_names_those_that_took_part() {
        let results = [
            figures("oracle", 10.0, 0.0),
            figures("threshold", 20.0, 0.01),
            figures("hpa-tuned", 15.0, 0.001),
        ];
        let svg =
            plot(&results, vec![(Rival::Hpa, vec![figures("hpa", 15.0, 0.001), figures("hpa", 20.0, 0.0)])]);
        for told in ["hpa, all settings", "threshold", "tuned in hindsight", "oracle"] {
            assert!(svg.contains(told), "{told}");
        }
        assert!(!svg.contains("target-tracking") && !svg.contains("predictive"));
        let colours: Vec<RGBColor> = Rival::ALL.map(colour_of).into_iter().chain([BOUND, OURS]).collect();
        assert!((1..colours.len()).all(|index| !colours[..index].contains(&colours[index])));
    }

    #[test]
    fn nothing_is_drawn_over_lines_and_dots() {
        let svg = plot(&[figures("oracle", 10.0, 0.0), figures("hybrid", 12.0, 0.004)], Vec::new());
        assert!(!svg.contains("#FFFFFF"), "{svg}");
    }

    #[test]
    fn a_name_stands_beside_its_dot() {
        let svg = plot(&[figures("oracle", 10.0, 0.0), figures("hybrid", 30.0, 0.1)], Vec::new());
        let number = |text: &str, name: &str| {
            let value = text.split(&format!("{name}=\"")).nth(1).unwrap();
            value.split('"').next().unwrap().parse::<i32>().unwrap()
        };
        let name = svg.split("<text").find(|text| text.contains("\nhybrid\n")).unwrap();
        let dots = || svg.split("<circle").skip(1).map(|dot| (number(dot, "cx"), number(dot, "cy")));
        let (x, y) = (number(name, "x"), number(name, "y"));
        assert!(dots().any(|dot| (dot.0 - x).abs() < 60 && (dot.1 - y).abs() < 16), "{name}");
    }

    #[test]
    fn without_the_oracle_costs_are_in_usd_from_none_on() {
        let svg = plot(&[figures("hybrid", 300.0, 0.0), figures("hpa", 450.0, 0.004)], Vec::new());
        assert!(svg.contains("\ncost, USD\n") && svg.matches("<circle").count() >= 2, "{svg}");
        let free = plot(&[figures("hybrid", 0.0, 0.0)], Vec::new());
        assert!(free.contains("hybrid"), "{free}");
    }

    #[test]
    fn without_results_there_is_no_plot() {
        assert_eq!(plot(&[], Vec::new()), "");
    }

    #[test]
    fn a_line_is_kept_off_everywhere() {
        let places = along(&[(0, 0), (30, 0), (30, 10)]);
        let near = |at: Point| places.iter().any(|(x, y)| (x - at.0).abs() <= 3 && (y - at.1).abs() <= 3);
        assert!((0..=30).all(|x| near((x, 0))) && (0..=10).all(|y| near((30, y))), "{places:?}");
    }
}
