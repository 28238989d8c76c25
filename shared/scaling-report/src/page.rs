//! The report as one HTML file with plots in it.

use plotters::style::RGBColor;

use crate::comparison::Comparison;
use crate::plot::{Line, svg};
use crate::replay::Step;
use crate::text::{Subject, notes, summary};

/// A plot that could not be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a plot could not be drawn: {0}")]
pub struct PlotError(String);

// The style sheet knows the lines by these colours, and gives them others in the dark.
const RAN: RGBColor = RGBColor(100, 116, 139);
const WOULD: RGBColor = RGBColor(29, 78, 216);
const DEMAND: RGBColor = RGBColor(180, 84, 10);

const STYLE: &str = include_str!("page.css");

/// The page.
///
/// # Errors
/// A plot that cannot be drawn.
pub fn html(subject: Subject<'_>) -> Result<String, PlotError> {
    let Subject { config, replay, comparison, prices, .. } = subject;
    let name = escape(config.name.as_str());
    let mut parts = vec![
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\"><title>{name}: what ran, and what would have</title>\
             <style>{STYLE}</style></head><body>\n<h1>{name}</h1>\n<p>{}</p>\n",
            escape(&summary(subject))
        ),
        table(subject),
    ];
    let line = |name: &'static str, colour: RGBColor, value: &dyn Fn(&Step) -> f64| Line {
        name,
        colour,
        points: replay.steps.iter().map(|step| (step.at.as_second() as f64, value(step))).collect(),
    };
    let figures = [
        (
            "vCPU: wanted at the target load, what ran, what would have run",
            vec![
                line("wanted", DEMAND, &|step| step.wanted),
                line("ran", RAN, &|step| step.ran.vcpu),
                line("this controller", WOULD, &|step| step.would.vcpu),
            ],
        ),
        (
            "Cost, USD per hour",
            vec![
                line("ran", RAN, &|step| prices.paid(step.ran.cost)),
                line("this controller", WOULD, &|step| prices.paid(step.would.cost)),
            ],
        ),
        (
            "Highest load of a trigger; 1 is at the limit",
            vec![
                line("ran", RAN, &|step| step.ran.load),
                line("this controller", WOULD, &|step| step.would.load),
            ],
        ),
    ];
    for (caption, lines) in figures {
        parts.push(figure(caption, &lines)?);
    }
    parts.push(format!(
        "<p>It would have scaled up {} times, down {} times, and changed the type {} times in {:.0} hours.</p>\n<ul>\n",
        replay.ups, replay.downs, replay.retypes, comparison.hours
    ));
    parts.extend(notes(subject).iter().map(|note| format!("<li>{}</li>\n", escape(note))));
    parts.push("</ul>\n</body></html>\n".to_owned());
    Ok(parts.concat())
}

fn table(subject: Subject<'_>) -> String {
    let Comparison { ran, would, fixed_at_peak, fixed_at_take_over, .. } = *subject.comparison;
    let usd = |amount: f64| format!("{:.2} USD", subject.prices.paid(amount));
    let row = |name: &str, cells: [String; 4]| {
        format!("<tr><th scope=\"row\">{name}</th><td>{}</td></tr>\n", cells.join("</td><td>"))
    };
    let none = || "–".to_owned();
    "<table><thead><tr><th></th><th scope=\"col\">what ran</th><th scope=\"col\">this controller</th>\
     <th scope=\"col\">fleet for the peak</th><th scope=\"col\">fleet at take-over</th></tr></thead><tbody>\n"
        .to_owned()
        + &row("cost", [usd(ran.cost), usd(would.cost), usd(fixed_at_peak), usd(fixed_at_take_over)])
        + &row(
            "mean replicas",
            [format!("{:.1}", ran.replicas), format!("{:.1}", would.replicas), none(), none()],
        )
        + &row(
            "minutes over a limit",
            [format!("{:.0}", ran.over_minutes), format!("{:.0}", would.over_minutes), none(), none()],
        )
        + "</tbody></table>\n"
}

fn figure(caption: &str, lines: &[Line<'_>]) -> Result<String, PlotError> {
    let plot = svg(lines).map_err(PlotError)?;
    let key: Vec<String> = lines
        .iter()
        .map(|line| {
            let class = line.name.split(' ').next().unwrap_or_default();
            format!("<b class=\"{class}\">{}</b>", line.name)
        })
        .collect();
    let label = escape(caption);
    Ok(format!(
        "<figure role=\"img\" aria-label=\"{label}\"><figcaption>{label} ({})</figcaption>{plot}</figure>\n",
        key.join(", ")
    ))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
