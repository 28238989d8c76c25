//! The HTML page.

use std::fmt::Write;

use super::plots::{self, PlotError};
use super::{Plotted, Report};
use crate::figures::Figures;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em;color:#222}\
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #ccc}\
table{border-collapse:collapse;font-size:13px;width:100%}th,td{padding:.2em .5em;text-align:right;border-bottom:1px solid #e4e4e4}\
th:first-child,td:first-child{text-align:left}thead th{border-bottom:2px solid #888}tr.ours{background:#eef5fb;font-weight:600}\
td.missed{color:#b33c00}figure{margin:1em 0;break-inside:avoid}figcaption{color:#555;font-size:13px}svg{max-width:100%;height:auto}\
code{font-size:12px;word-break:break-all}section{break-inside:avoid}@media print{body{margin:0;max-width:none}h2{break-after:avoid}}";

pub(super) fn page(report: &Report, plotted: &[Plotted]) -> Result<String, PlotError> {
    let mut html = String::new();
    let title = "Scaling policies compared";
    push(
        &mut html,
        format_args!("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>"),
    );
    push(
        &mut html,
        format_args!("<meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style>"),
    );
    push(
        &mut html,
        format_args!("<h1>{title}</h1><p>{}. {}</p>", escaped(&report.held), escaped(&report.conditions)),
    );
    push(
        &mut html,
        format_args!(
            "<p>Cost is over that of the clairvoyant oracle. psi is the share of requests in intervals of 15 s whose \
             95th percentile was over the target; half a percent counts as held.</p>"
        ),
    );
    summary(&mut html, report);
    for plotted in plotted {
        let of: Vec<&Figures> =
            report.results.iter().filter(|figures| figures.trace == plotted.trace).collect();
        push(&mut html, format_args!("<h2>{}</h2>", escaped(&plotted.trace)));
        figures(&mut html, report, &of);
        let drawn = plots::over_time(&plotted.points)?;
        push(
            &mut html,
            format_args!(
                "<figure>{drawn}<figcaption>Most needed and least serving, by time.</figcaption></figure>"
            ),
        );
        let drawn = plots::cost_and_violations(plotted, &of)?;
        push(
            &mut html,
            format_args!("<figure>{drawn}<figcaption>Cost against violations.</figcaption></figure>"),
        );
    }
    sources(&mut html, report);
    html.push_str("</html>\n");
    Ok(html)
}

fn summary(html: &mut String, report: &Report) {
    html.push_str("<h2>All traces</h2><table><thead><tr><th>policy<th>median cost<th>held</tr></thead>");
    for policy in report.policies() {
        let (median, held, of) = report.summary(policy);
        let median = median.map_or_else(|| "-".to_owned(), |median| format!("{median:.2}"));
        push(
            html,
            format_args!(
                "<tr{}><td>{}<td>{median}<td>{held} of {of}</tr>",
                row_class(policy),
                escaped(policy)
            ),
        );
    }
    html.push_str("</table>");
}

fn figures(html: &mut String, report: &Report, of: &[&Figures]) {
    html.push_str(
        "<table><thead><tr><th>policy<th>setting<th>cost<th>USD<th>psi %<th>min/day over<th>changes/day<th>reversals\
         <th>type changes<th>slack %<th>under %<th>over %</tr></thead>",
    );
    for one in of {
        let over = report.over_oracle(one).map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let setting = one.setting.map_or_else(String::new, |setting| format!("{setting:.2}"));
        let missed = if one.holds() { "" } else { " class=\"missed\"" };
        push(
            html,
            format_args!(
                "<tr{}><td>{}<td>{setting}<td>{over}<td>{:.0}<td{missed}>{:.2}<td>{:.1}<td>{:.0}<td>{}<td>{}<td>{:.0}\
                 <td>{:.1}<td>{:.1}</tr>",
                row_class(&one.policy),
                escaped(&one.policy),
                one.cost_usd,
                one.violation_requests_share * 100.0,
                one.violation_minutes_a_day(),
                one.operations_a_day(),
                one.reversals,
                one.type_changes,
                one.slack * 100.0,
                one.under_timeshare,
                one.over_timeshare,
            ),
        );
    }
    html.push_str("</table>");
}

fn sources(html: &mut String, report: &Report) {
    html.push_str("<h2>Traces</h2><table><thead><tr><th>trace<th>days<th>SHA-256</tr></thead>");
    for source in &report.traces {
        push(
            html,
            format_args!(
                "<tr><td>{}{}<td>{:.1}<td><code>{}</code></tr>",
                escaped(&source.trace),
                source
                    .repairs
                    .iter()
                    .map(|repair| format!("<br>{}", escaped(repair)))
                    .collect::<Vec<_>>()
                    .concat(),
                source.days,
                source.sha256
            ),
        );
    }
    html.push_str("</table>");
}

fn row_class(policy: &str) -> &'static str {
    if policy == "hybrid" { " class=\"ours\"" } else { "" }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Writing to a string cannot fail.
fn push(html: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = html.write_fmt(text);
}
