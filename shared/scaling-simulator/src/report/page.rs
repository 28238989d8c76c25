//! The HTML page.

use std::fmt::Write;

use super::grid::{self, Grid};
use super::plots::{self, PlotError};
use super::violations::FLOOR;
use super::{Plotted, Report};
use crate::figures::Figures;
use crate::ranking::Standing;

const STYLE: &str = include_str!("page.css");

pub(super) fn page(report: &Report, plotted: &[Plotted]) -> Result<String, PlotError> {
    let mut html = String::new();
    let title = "Scaling policies compared";
    push(
        &mut html,
        format_args!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>"),
    );
    push(
        &mut html,
        format_args!(
            "<meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
             <style>{STYLE}</style>"
        ),
    );
    push(
        &mut html,
        format_args!(
            "<main><h1>{title}</h1><p>{}. {}</p>",
            escaped(&report.held()),
            escaped(&report.conditions)
        ),
    );
    let cost = if report.has_oracle() {
        "Cost is over that of the clairvoyant oracle."
    } else {
        "The clairvoyant oracle took no part, so that no cost is over its, and plots of cost against violations are in USD. It \
         does where --policies names oracle."
    };
    push(
        &mut html,
        format_args!(
            "<p>{cost} psi is the share of requests in intervals of 15 s whose \
             95th percentile was over the target; half a percent counts as held.</p>"
        ),
    );
    for note in &report.notes {
        push(&mut html, format_args!("<p><strong>{}</strong></p>", escaped(note)));
    }
    for (which, standings) in report.standings() {
        summary(&mut html, which, &standings);
    }
    for (_, drawn) in report.plots()? {
        push(&mut html, format_args!("<figure>{drawn}</figure>"));
    }
    let sentences = report.one_setting.iter().map(ToString::to_string);
    let sentences: Vec<String> = sentences.chain(report.agreements.iter().map(ToString::to_string)).collect();
    for said in &sentences {
        push(&mut html, format_args!("<p>{}.</p>", escaped(said)));
    }
    grids(&mut html, report);
    for plotted in plotted {
        let of: Vec<&Figures> =
            report.results.iter().filter(|figures| figures.trace == plotted.trace).collect();
        push(&mut html, format_args!("<h2>{}</h2>", escaped(&plotted.trace)));
        figures(&mut html, report, &of);
        elasticity(&mut html, &of);
        each(&mut html, plotted, &report.results)?;
    }
    sources(&mut html, report);
    html.push_str("</main></html>\n");
    Ok(html)
}

/// The plots of one trace.
fn each(html: &mut String, plotted: &Plotted, results: &[Figures]) -> Result<(), PlotError> {
    for (name, drawn) in plotted.plots(results)? {
        let says = match &plotted.played {
            Some((_, points)) if name.starts_with("load-") => plots::over_time_in_words(points),
            _ => format!("Cost against violations; a psi under {FLOOR} %, and of 0, is drawn at {FLOOR}."),
        };
        push(html, format_args!("<figure>{drawn}<figcaption>{}</figcaption></figure>", escaped(&says)));
    }
    Ok(())
}

fn summary(html: &mut String, which: &str, standings: &[Standing]) {
    push(html, format_args!("<h2>{}</h2>", escaped(&capital(which))));
    begin(html, &["policy", "median cost", "held"]);
    for one in standings {
        let held = format!("{} of {}", one.held, one.traces);
        row(html, &one.policy, &[ratio(one.median_over_oracle), held], None);
    }
    end(html);
}

/// What stands beside the policy, what other conditions and metrics do to it, and what choosing the type is worth.
fn grids(html: &mut String, report: &Report) {
    let all = [
        (grid::beside(report), "The policy beside the others", "Costs, and what is missed."),
        (grid::disturbed(report), "Other conditions than planned", "Median cost, and traces held."),
        (grid::missed(report), "What the policy misses under other conditions", "psi in percent, by trace."),
        (
            grid::delays(report),
            "What the delay of metrics costs",
            "Cost of the policy over the oracle's, by trace.",
        ),
        (
            grid::type_cases(&report.type_cases),
            "Choosing the type",
            "Cost over that of the same policy on one default type, on the best fixed type in hindsight, and with the \
             clairvoyant choice of the type, which knows the whole load, changes the type at most hourly, and takes only \
             types that hold the target over the whole trace, or miss no more than the policy.",
        ),
    ];
    for (grid, title, says) in all {
        let Some(grid) = grid else { continue };
        push(html, format_args!("<h2>{}</h2><p>{}</p>", escaped(title), escaped(says)));
        tabulate(html, &grid);
    }
}

fn tabulate(html: &mut String, grid: &Grid) {
    begin(html, &grid.header.iter().map(String::as_str).collect::<Vec<_>>());
    for cells in &grid.rows {
        if let Some((name, figures)) = cells.split_first() {
            row(html, name, figures, None);
        }
    }
    end(html);
}

fn figures(html: &mut String, report: &Report, of: &[&Figures]) {
    begin(
        html,
        &[
            "policy",
            "setting",
            "cost",
            "USD",
            "psi %",
            "after 2 days",
            "min/day over",
            "changes/day",
            "reversals/day",
            "type changes",
            "types",
            "slack %",
        ],
    );
    for one in of {
        let cells = [
            one.setting.map_or_else(String::new, |setting| format!("{setting:.2}")),
            ratio(report.over_oracle(one)),
            format!("{:.0}", one.cost_usd),
            format!("{:.2}", one.violation_requests_share * 100.0),
            one.violation_share_after_two_days
                .map_or_else(String::new, |share| format!("{:.2}", share * 100.0)),
            format!("{:.1}", one.violation_minutes_a_day),
            format!("{:.0}", one.operations_a_day),
            format!("{:.0}", one.reversals_a_day),
            one.type_changes.to_string(),
            one.types.clone(),
            format!("{:.0}", one.slack * 100.0),
        ];
        row(html, &one.policy, &cells, (!one.holds()).then_some(3));
    }
    end(html);
}

fn elasticity(html: &mut String, of: &[&Figures]) {
    begin(
        html,
        &[
            "policy",
            "under acc. %",
            "over acc. %",
            "under time %",
            "over time %",
            "instability %",
            "flash crowds",
            "recovery min",
            "longest",
        ],
    );
    for one in of {
        let cells = [
            format!("{:.2}", one.under_accuracy),
            format!("{:.1}", one.over_accuracy),
            format!("{:.2}", one.under_timeshare),
            format!("{:.1}", one.over_timeshare),
            format!("{:.1}", one.instability),
            one.flash_crowds.to_string(),
            format!("{:.1}", one.recovery_minutes),
            format!("{:.1}", one.longest_recovery_minutes),
        ];
        row(html, &one.policy, &cells, None);
    }
    end(html);
}

fn sources(html: &mut String, report: &Report) {
    html.push_str("<h2>Traces</h2>");
    begin(html, &["trace", "days", "SHA-256"]);
    for source in &report.traces {
        let repairs: String = source
            .repairs
            .iter()
            .map(|repair| format!("<br>{}", escaped(repair)))
            .collect::<Vec<_>>()
            .concat();
        let held_out = if source.held_out { " (held out)" } else { "" };
        push(
            html,
            format_args!(
                "<tr><td>{}{held_out}{repairs}<td>{:.1}<td><code>{}</code></tr>",
                escaped(&source.trace),
                source.days,
                escaped(&source.sha256)
            ),
        );
    }
    end(html);
}

fn begin(html: &mut String, header: &[&str]) {
    html.push_str("<div class=\"wide\"><table><thead><tr>");
    for name in header {
        push(html, format_args!("<th>{}", escaped(name)));
    }
    html.push_str("</tr></thead>");
}

/// One row; `missed` is the cell that says so where the target was not held.
fn row(html: &mut String, policy: &str, cells: &[String], missed: Option<usize>) {
    let class = if policy == "hybrid" { " class=\"ours\"" } else { "" };
    push(html, format_args!("<tr{class}><td>{}", escaped(policy)));
    for (index, cell) in cells.iter().enumerate() {
        let class = if missed == Some(index) { " class=\"missed\"" } else { "" };
        push(html, format_args!("<td{class}>{}", escaped(cell)));
    }
    html.push_str("</tr>");
}

fn end(html: &mut String) {
    html.push_str("</table></div>");
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Writing to a string cannot fail.
fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = html.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use super::super::sample::report;
    use super::*;

    fn shown(report: &Report) -> String {
        let plotted = Plotted { trace: "load".to_owned(), played: None, sweeps: Vec::new() };
        page(report, &[plotted]).unwrap()
    }

    #[test]
    fn a_reader_of_screens_is_told_what_each_plot_shows_and_where_the_page_begins() {
        let html = shown(&report());
        assert!(html.contains("<main>") && html.contains("</main>"), "{html}");
        let plots = html.matches("<svg").count();
        assert!(plots > 1, "{html}");
        assert_eq!(html.matches("<svg role=\"img\" aria-label=\"").count(), plots);
        // Besides the page's own.
        assert_eq!(html.matches("<title>").count(), plots + 1);
        assert!(html.contains("<title>Cost over the clairvoyant oracle's, by trace</title>"), "{html}");
    }

    #[test]
    fn a_plot_keeps_its_size_on_a_phone_and_can_be_moved() {
        assert!(
            STYLE.contains("@media (max-width:700px){figure{overflow-x:auto}figure svg{max-width:none}}")
        );
    }

    #[test]
    fn what_this_project_aims_at_is_in_its_own_table_only() {
        let mut report = report();
        assert!(!shown(&report).contains("aimed at"));
        report.aims = true;
        let html = shown(&report);
        assert!(
            html.contains("1.2 aimed at in the median") && html.contains("300 aimed at, at most"),
            "{html}"
        );
    }

    #[test]
    fn nothing_missed_is_said_to_be_drawn_at_the_end_of_the_axis() {
        assert!(shown(&report()).contains("a psi under 0.001 %, and of 0, is drawn at 0.001"));
    }

    #[test]
    fn without_the_oracle_costs_are_in_usd_and_the_page_says_so() {
        let mut report = report();
        assert!(!shown(&report).contains("no part"));
        report.results.retain(|one| one.policy != "oracle");
        let html = shown(&report);
        assert!(
            html.contains("The clairvoyant oracle took no part") && html.contains("\ncost, USD\n"),
            "{html}"
        );
        assert!(!html.contains("clairvoyant oracle's"), "{html}");
    }
}
