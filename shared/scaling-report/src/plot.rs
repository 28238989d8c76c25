//! Lines over time as SVG.

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

/// One plot. Axes are labelled by the page, in HTML, where fonts are known.
pub(crate) fn svg(lines: &[Line<'_>]) -> Result<String, String> {
    let mut text = String::new();
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let left = all().map(|(at, _)| at).fold(f64::INFINITY, f64::min);
    let right = all().map(|(at, _)| at).fold(left, f64::max).max(left + 1.0);
    let top = all().map(|(_, value)| value).fold(0.0, f64::max).max(1e-9) * 1.05;
    let day = |at: &f64| {
        #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
        let at = jiff::Timestamp::from_second(*at as i64);
        at.map_or_else(|_| String::new(), |at| at.strftime("%d %b %H:%M").to_string())
    };
    let draw = |text: &mut String| -> Result<(), Box<dyn std::error::Error>> {
        let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(6)
            .x_label_area_size(28)
            .y_label_area_size(52)
            .build_cartesian_2d(left..right, 0.0..top)?;
        chart
            .configure_mesh()
            .x_labels(8)
            .y_labels(5)
            .x_label_formatter(&day)
            .light_line_style(TRANSPARENT)
            .draw()?;
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

/// The highest of neighbouring points: peaks are what a reader looks for.
fn highest(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    points.iter().copied().max_by(|(_, one), (_, other)| one.total_cmp(other))
}
