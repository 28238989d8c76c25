//! Marks in rows, of many traces, settings or cases beside each other, against a line across all rows, as SVG.

use plotters::prelude::*;

use super::key::{Key, LETTERS, Sign};
use super::plots::{FONT, OVER, PlotError, fault};

const WIDTH: u32 = 900;
const ROW: u32 = 22;

/// Height of what is around the rows: the axis with its description, and margins.
const FRAME: u32 = 64;

/// Marks of one kind, each in a row.
pub(super) struct Marks {
    pub(super) name: &'static str,
    pub(super) colour: RGBColor,
    /// (Row, value).
    pub(super) at: Vec<(usize, f64)>,
}

/// A line across all rows.
pub(super) struct Line {
    pub(super) at: f64,
    /// What the key says of it.
    pub(super) says: String,
    pub(super) colour: RGBColor,
}

impl Line {
    /// A figure that is aimed at.
    pub(super) fn aim(at: f64, says: &str) -> Self {
        Self { at, says: format!("{at} {says}"), colour: OVER }
    }
}

/// Draws the marks over the rows' names. Nothing where there are none.
pub(super) fn draw(
    rows: &[String],
    marks: &[Marks],
    line: Option<&Line>,
    along: &str,
) -> Result<String, PlotError> {
    let values = || marks.iter().flat_map(|marks| marks.at.iter().map(|(_, value)| *value));
    let Some(first) = values().next() else { return Ok(String::new()) };
    let all = || values().chain(line.map(|line| line.at));
    let left = all().fold(first, f64::min) * 0.95;
    let right = all().fold(first, f64::max) * 1.05;
    // An axis from 0 to 0 has no places.
    let right = if right > left { right } else { left + 1.0 };
    // An axis from a row to itself has no label: a single one has an empty row above it.
    let last = (rows.len() - 1).max(1);
    let count = u32::try_from(last + 1).unwrap_or(u32::MAX);
    let mut key = Key::new(WIDTH);
    for Marks { name, colour, .. } in marks.iter().filter(|marks| !marks.at.is_empty()) {
        key.add(Sign::Dot, *colour, *name);
    }
    if let Some(line) = line {
        key.add(Sign::Line(2), line.colour, line.says.as_str());
    }
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
        if let Some(line) = line {
            let across = [(line.at, SegmentValue::Exact(0)), (line.at, SegmentValue::Last)];
            chart.draw_series(LineSeries::new(across, line.colour.stroke_width(2))).map_err(fault)?;
        }
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
