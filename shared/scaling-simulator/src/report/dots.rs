//! Figures of many traces or cases beside each other, against the figure that is aimed at, as SVG.

use plotters::prelude::*;

use super::key::{Key, LETTERS, Sign};
use super::plots::{BOUND, FONT, HPA, OURS, OVER, PlotError, TRACKING, fault};
use crate::figures::Figures;
use crate::ranking::{Headline, headlines};
use crate::type_cases::{APPETITES, SCALES, TypeCase};

/// Cost over the clairvoyant oracle's that is aimed at in the median.
const AIMED_COST: f64 = 1.2;

/// Changes of the count a day that are aimed at, at most.
const AIMED_CHANGES: f64 = 300.0;

/// Cost over that on one default type that is aimed at, as geometric mean of all cases.
const AIMED_TYPE: f64 = 0.88;

const WIDTH: u32 = 900;
const ROW: u32 = 22;

/// Height of what is around the rows: the axis with its description, and margins.
const FRAME: u32 = 64;

/// Marks of one kind, each in a row.
struct Marks {
    name: &'static str,
    colour: RGBColor,
    at: Vec<(usize, f64)>,
}

/// What each trace costs over perfect knowledge: the policy, the bound that knows the load without its chance, target tracking,
/// and the best rival that was tuned for that trace in hindsight.
pub(super) fn cost(results: &[Figures]) -> Result<String, PlotError> {
    let traces = headlines(results);
    let of = |name, colour, value: &dyn Fn(&Headline) -> Option<f64>| Marks {
        name,
        colour,
        at: traces.iter().enumerate().filter_map(|(row, one)| Some((row, value(one)?))).collect(),
    };
    let marks = [
        of("target tracking at 50 %", TRACKING, &|one| one.tracking.map(|(cost, _)| cost)),
        of("best tuned rival", HPA, &|one| one.best_tuned.as_ref().map(|(.., cost)| *cost)),
        of("noise-blind oracle", BOUND, &|one| one.noise_blind),
        of("hybrid", OURS, &|one| Some(one.hybrid)),
    ];
    let rows: Vec<String> = traces.iter().map(|one| one.trace.clone()).collect();
    draw(&rows, &marks, (AIMED_COST, "aimed at in the median"), "cost over the clairvoyant oracle's")
}

/// How often the policy changes the count of each trace.
pub(super) fn changes(results: &[Figures]) -> Result<String, PlotError> {
    let ours: Vec<&Figures> = results.iter().filter(|one| one.policy == "hybrid").collect();
    let at = ours.iter().enumerate().map(|(row, one)| (row, one.operations_a_day)).collect();
    let rows: Vec<String> = ours.iter().map(|one| one.trace.clone()).collect();
    let marks = [Marks { name: "hybrid", colour: OURS, at }];
    draw(&rows, &marks, (AIMED_CHANGES, "aimed at, at most"), "changes of the count a day")
}

/// What choosing the type is worth, by appetite for memory and size of the load; a mark for each trace.
pub(super) fn types(cases: &[TypeCase]) -> Result<String, PlotError> {
    let kinds: Vec<(&str, f64)> =
        APPETITES.iter().flat_map(|appetite| SCALES.map(|scale| (appetite.name, scale))).collect();
    let row = |case: &TypeCase| {
        kinds.iter().position(|(memory, scale)| case.memory == *memory && (case.scale - scale).abs() < 1e-9)
    };
    let marks = |name, colour, value: &dyn Fn(&TypeCase) -> f64| Marks {
        name,
        colour,
        at: cases
            .iter()
            .filter(|case| !case.growing)
            .filter_map(|case| Some((row(case)?, value(case))))
            .collect(),
    };
    let rows: Vec<String> =
        kinds.iter().map(|(memory, scale)| format!("memory {memory}, load x{scale}")).collect();
    let both = [
        marks("best fixed type in hindsight", BOUND, &|case| case.best_usd / case.default_usd),
        marks("hybrid", OURS, &TypeCase::over_default),
    ];
    draw(&rows, &both, (AIMED_TYPE, "aimed at in the mean"), "cost over that on the default type")
}

fn draw(rows: &[String], marks: &[Marks], aim: (f64, &str), along: &str) -> Result<String, PlotError> {
    let values = || marks.iter().flat_map(|marks| marks.at.iter().map(|(_, value)| *value));
    if values().next().is_none() {
        return Ok(String::new());
    }
    let left = values().fold(aim.0, f64::min) * 0.95;
    let right = values().fold(aim.0, f64::max) * 1.05;
    // An axis from a row to itself has no label: a single one has an empty row above it.
    let last = (rows.len() - 1).max(1);
    let count = u32::try_from(last + 1).unwrap_or(u32::MAX);
    let mut key = Key::new(WIDTH);
    for Marks { name, colour, .. } in marks.iter().filter(|marks| !marks.at.is_empty()) {
        key.add(Sign::Dot, *colour, *name);
    }
    key.add(Sign::Line(2), OVER, format!("{} {}", aim.0, aim.1));
    let mut svg = String::new();
    {
        let size = (WIDTH, ROW * count + FRAME + key.height());
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let area = key.above(&area)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(8)
            .x_label_area_size(34)
            .y_label_area_size(230)
            .build_cartesian_2d(left..right, (0..last).into_segmented())
            .map_err(fault)?;
        chart
            .configure_mesh()
            .x_desc(along)
            // Else they get smaller with the plot, down to what nobody reads.
            .label_style((FONT, LETTERS))
            .axis_desc_style((FONT, LETTERS))
            .y_labels(last + 1)
            .y_label_formatter(&|at| match at {
                SegmentValue::CenterOf(row) => rows.get(*row).cloned().unwrap_or_default(),
                SegmentValue::Exact(_) | SegmentValue::Last => String::new(),
            })
            .light_line_style(TRANSPARENT)
            .draw()
            .map_err(fault)?;
        let line = [(aim.0, SegmentValue::Exact(0)), (aim.0, SegmentValue::Last)];
        chart.draw_series(LineSeries::new(line, OVER.stroke_width(2))).map_err(fault)?;
        for Marks { colour, at, .. } in marks {
            let dot = |(row, value): &(usize, f64)| {
                Circle::new((*value, SegmentValue::CenterOf(*row)), 5, colour.mix(0.75).filled())
            };
            chart.draw_series(at.iter().map(dot)).map_err(fault)?;
        }
        area.present().map_err(fault)?;
    }
    Ok(svg)
}
