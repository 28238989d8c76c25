//! What `scaling simulate` prints.

use std::time::Duration;

use anyhow::{Result, bail};
use comfy_table::{CellAlignment, ColumnConstraint, Table, Width};
use scaling_simulator::Figures;
use scaling_simulator::ranking::Standing;
use scaling_simulator::report::Report;
use scaling_simulator::report::grid::{self, Grid};

use crate::output;

/// Prints everything that the report holds.
pub(super) fn print(report: &Report, took: Duration) -> Result<()> {
    if report.results.is_empty() {
        bail!("none of the policies has a setting that holds the target on any of the traces");
    }
    output::line(format_args!("{}. {}", report.held(), report.conditions))?;
    for note in &report.notes {
        output::line(format_args!("{note}"))?;
    }
    for source in &report.traces {
        let held_out = if source.held_out { ", held out of the tuning" } else { "" };
        output::line(format_args!(
            "{}  {} ({:.1} days{held_out})",
            source.sha256, source.trace, source.days
        ))?;
        for repair in &source.repairs {
            output::line(format_args!("  {repair}"))?;
        }
    }
    output::line(costs(report))?;
    output::line(elasticity(report))?;
    if report.traces.len() > 1 {
        for (which, standings) in report.standings() {
            output::line(format_args!("{which}:\n{}", summary(&standings)))?;
        }
    }
    titled("The policy beside the others", grid::beside(report))?;
    for one in &report.one_setting {
        output::line(one)?;
    }
    titled("Median cost over the oracle's, and traces held", grid::disturbed(report))?;
    titled("psi % of the hybrid policy by trace", grid::missed(report))?;
    titled("Cost of the hybrid policy over the oracle's, by metrics and queue", grid::delays(report))?;
    for agreement in &report.agreements {
        output::line(agreement)?;
    }
    titled("Choosing the type", grid::type_cases(&report.type_cases))?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    output::line(took_in_words(took, cores))
}

/// A table under its title, where there is one.
fn titled(title: &str, grid: Option<Grid>) -> Result<()> {
    let Some(Grid { header, rows }) = grid else { return Ok(()) };
    let mut table = output::table([]);
    table.set_header(header).add_rows(rows);
    right_aligned(&mut table, 1);
    output::line(format_args!("{title}:\n{table}"))
}

fn took_in_words(took: Duration, cores: usize) -> String {
    let cores = if cores == 1 { "1 core".to_owned() } else { format!("{cores} cores") };
    format!("{:.1} s on {cores}", took.as_secs_f64())
}

fn costs(report: &Report) -> Table {
    let mut table = output::table([
        "Trace",
        "Policy",
        "Setting",
        "USD",
        "Over oracle",
        "psi %",
        "After 2 days",
        "min a day over",
        "Changes a day",
        "Reversals a day",
        "Types",
    ]);
    for one in &report.results {
        table.add_row([
            one.trace.clone(),
            one.policy.clone(),
            one.setting.map_or_else(String::new, |setting| format!("{setting:.2}")),
            format!("{:.0}", one.cost_usd),
            report.over_oracle(one).map_or_else(String::new, |ratio| format!("{ratio:.3}")),
            format!("{:.3}", one.violation_requests_share * 100.0),
            one.violation_share_after_two_days
                .map_or_else(String::new, |share| format!("{:.3}", share * 100.0)),
            format!("{:.2}", one.violation_minutes_a_day),
            format!("{:.0}", one.operations_a_day),
            format!("{:.0}", one.reversals_a_day),
            types(one),
        ]);
    }
    right_aligned(&mut table, 2);
    table
}

/// The types with their shares of the hours; how often they changed where they did.
fn types(one: &Figures) -> String {
    match one.type_changes {
        0 => one.types.clone(),
        1 => format!("{} (1 change)", one.types),
        changes => format!("{} ({changes} changes)", one.types),
    }
}

fn elasticity(report: &Report) -> Table {
    let mut table = output::table([
        "Trace",
        "Policy",
        "Under acc. %",
        "Over acc. %",
        "Under time %",
        "Over time %",
        "Instability %",
        "Slack %",
        "Crowds",
        "Recovery min",
        "Longest",
    ]);
    for one in &report.results {
        table.add_row([
            one.trace.clone(),
            one.policy.clone(),
            format!("{:.2}", one.under_accuracy),
            format!("{:.1}", one.over_accuracy),
            format!("{:.2}", one.under_timeshare),
            format!("{:.1}", one.over_timeshare),
            format!("{:.1}", one.instability),
            format!("{:.1}", one.slack * 100.0),
            one.flash_crowds.to_string(),
            format!("{:.1}", one.recovery_minutes),
            format!("{:.1}", one.longest_recovery_minutes),
        ]);
    }
    right_aligned(&mut table, 2);
    table
}

fn summary(standings: &[Standing]) -> Table {
    let mut table = output::table(["Policy", "Median over oracle", "Held"]);
    for one in standings {
        table.add_row([
            one.policy.clone(),
            ratio(one.median_over_oracle),
            format!("{} of {}", one.held, one.traces),
        ]);
    }
    right_aligned(&mut table, 1);
    table
}

fn ratio(median: Option<f64>) -> String {
    median.map_or_else(String::new, |median| format!("{median:.3}"))
}

/// Figures to the right from column `from` on. A table that is wider than the terminal breaks names of traces and policies,
/// and headers between their words, and no figure.
fn right_aligned(table: &mut Table, from: usize) {
    let header: Vec<String> =
        table.header().map_or_else(Vec::new, |row| row.cell_iter().map(comfy_table::Cell::content).collect());
    for (column, name) in table.column_iter_mut().zip(header).skip(from) {
        let longest = name.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
        let width = u16::try_from(longest).unwrap_or(u16::MAX).saturating_add(column.padding_width());
        column.set_cell_alignment(CellAlignment::Right);
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(width)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_core_is_no_cores() {
        let took = Duration::from_millis(1500);
        assert_eq!([1, 2].map(|cores| took_in_words(took, cores)), ["1.5 s on 1 core", "1.5 s on 2 cores"]);
    }

    #[test]
    fn a_narrow_table_breaks_no_word_of_a_header() {
        let mut table =
            output::table(["Trace", "Changes a day", "Reversals a day", "Recovery min", "Instability %"]);
        table.add_row(["nab_elb_request_count_8c0756_300s", "1", "2", "3", "4"]);
        table.set_width(60);
        right_aligned(&mut table, 1);
        let text = table.to_string();
        for word in ["Changes", "Reversals", "Recovery", "Instability"] {
            assert!(text.contains(word), "{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    }
}
