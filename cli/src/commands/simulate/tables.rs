//! What `scaling simulate` prints.

use std::time::Duration;

use anyhow::{Result, bail};
use comfy_table::{CellAlignment, Table};
use scaling_simulator::ranking::{self, Headline, Standing};
use scaling_simulator::report::{Disturbed, Report};
use scaling_simulator::type_cases::{APPETITES, Gain, SCALES, TypeCase};

use crate::output;

/// Prints everything that the report holds.
pub(super) fn print(report: &Report, took: Duration) -> Result<()> {
    if report.results.is_empty() {
        bail!("none of the policies has a setting that holds the target on any of the traces");
    }
    output::line(format_args!("{}. {}", report.held, report.conditions))?;
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
    let headlines = ranking::headlines(&report.results);
    if headlines.iter().any(|one| one.best_tuned.is_some()) {
        output::line(beside(&headlines))?;
    }
    for one in &report.one_setting {
        output::line(one)?;
    }
    if !report.disturbed.is_empty() {
        output::line(format_args!(
            "Median cost over the oracle's, and traces held:\n{}",
            stress(&report.disturbed)
        ))?;
        output::line(format_args!("psi % of the hybrid policy by trace:\n{}", stress_by_trace(report)))?;
    }
    for agreement in &report.agreements {
        output::line(agreement)?;
    }
    if !report.type_cases.is_empty() {
        output::line(format_args!("Choosing the type:\n{}", types(&report.type_cases)))?;
    }
    output::line(format_args!("{:.1} s on {} cores", took.as_secs_f64(), cores()))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
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
        "min/day over",
        "Changes/day",
        "Reversals/day",
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
            format!("{:.3}", one.violation_share_after_two_days * 100.0),
            format!("{:.2}", one.violation_minutes_a_day),
            format!("{:.0}", one.operations_a_day),
            format!("{:.0}", one.reversals_a_day),
            one.type_changes.to_string(),
        ]);
    }
    right_aligned(&mut table, 2);
    table
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

/// The hybrid policy beside what it is measured against, trace by trace.
fn beside(headlines: &[Headline]) -> Table {
    let mut table = output::table([
        "Trace",
        "Hybrid",
        "psi %",
        "Tracking 50 %",
        "psi %",
        "Best tuned",
        "at",
        "Hybrid against it",
        "Noise-blind",
    ]);
    for one in headlines {
        let tuned = one.best_tuned.as_ref();
        table.add_row([
            one.trace.clone(),
            format!("{:.3}", one.hybrid),
            format!("{:.3}", one.share * 100.0),
            ratio(one.tracking.map(|(cost, _)| cost)),
            one.tracking.map_or_else(String::new, |(_, share)| format!("{:.3}", share * 100.0)),
            tuned.map_or_else(String::new, |(name, setting, _)| format!("{name} {setting:.2}")),
            ratio(tuned.map(|(.., cost)| *cost)),
            tuned.map_or_else(String::new, |(.., cost)| {
                format!("{:+.1} %", (one.hybrid / cost - 1.0) * 100.0)
            }),
            ratio(one.noise_blind),
        ]);
    }
    right_aligned(&mut table, 1);
    table
}

/// Policies by disturbances.
fn stress(disturbed: &[Disturbed]) -> Table {
    let mut header = vec!["Policy".to_owned()];
    header.extend(disturbed.iter().map(|one| one.disturbance.to_owned()));
    let mut table = output::table([]);
    table.set_header(header);
    for policy in disturbed[0].standings.iter().map(|one| &one.policy) {
        let cell = |one: &Disturbed| {
            let found = one.standings.iter().find(|standing| standing.policy == *policy);
            found.map_or_else(String::new, |one| format!("{} ({})", ratio(one.median_over_oracle), one.held))
        };
        table.add_row(std::iter::once(policy.clone()).chain(disturbed.iter().map(cell)));
    }
    let place = |one: &Disturbed| one.place.map_or_else(String::new, |place| place.to_string());
    table.add_row(std::iter::once("place of hybrid".to_owned()).chain(disturbed.iter().map(place)));
    right_aligned(&mut table, 1);
    table
}

fn stress_by_trace(report: &Report) -> Table {
    let (planned, others) = (&report.results, &report.disturbed[1..]);
    let columns: Vec<(&str, &[scaling_simulator::Figures])> =
        std::iter::once(("as planned", planned.as_slice()))
            .chain(others.iter().map(|one| (one.disturbance, one.results.as_slice())))
            .collect();
    let mut table = output::table([]);
    table.set_header(std::iter::once("Trace").chain(columns.iter().map(|(name, _)| *name)));
    for source in &report.traces {
        let cell = |results: &[scaling_simulator::Figures]| {
            let found = results.iter().find(|one| one.trace == source.trace && one.policy == "hybrid");
            found.map_or_else(String::new, |one| format!("{:.2}", one.violation_requests_share * 100.0))
        };
        let cells = columns.iter().map(|(_, results)| cell(results));
        table.add_row(std::iter::once(source.trace.clone()).chain(cells));
    }
    right_aligned(&mut table, 1);
    table
}

fn types(cases: &[TypeCase]) -> Table {
    let mut table = output::table([
        "Cases",
        "Number",
        "Over default (geo)",
        "Worst",
        "Over best fixed",
        "Worst",
        "Over clairvoyant",
        "Worst",
        "Changes/day",
        "Held",
        "Default held",
    ]);
    let mut add = |name: String, which: &dyn Fn(&TypeCase) -> bool| {
        let Some(gain) = Gain::of(cases.iter().filter(|case| which(case))) else { return };
        table.add_row([
            name,
            gain.cases.to_string(),
            format!("{:.3}", gain.over_default),
            format!("{:.3}", gain.worst_over_default),
            format!("{:.3}", gain.over_best),
            format!("{:.3}", gain.worst_over_best),
            format!("{:.3}", gain.over_clairvoyant),
            format!("{:.3}", gain.worst_over_clairvoyant),
            format!("{:.2}", gain.type_changes_a_day),
            gain.held.0.to_string(),
            gain.held.1.to_string(),
        ]);
    };
    add("all".to_owned(), &|case| !case.growing);
    for scale in SCALES {
        add(format!("load x{scale}"), &|case| !case.growing && (case.scale - scale).abs() < 1e-9);
    }
    for appetite in APPETITES {
        add(format!("memory: {}", appetite.name), &|case| !case.growing && case.memory == appetite.name);
    }
    for trace in traces_of(cases) {
        add(trace.to_owned(), &|case| !case.growing && case.trace == trace);
    }
    add("growing 40-fold".to_owned(), &|case| case.growing);
    right_aligned(&mut table, 1);
    table
}

/// Traces in the order of the cases.
fn traces_of(cases: &[TypeCase]) -> Vec<&str> {
    let mut traces: Vec<&str> = cases.iter().map(|case| case.trace.as_str()).collect();
    traces.dedup();
    traces
}

fn ratio(median: Option<f64>) -> String {
    median.map_or_else(String::new, |median| format!("{median:.3}"))
}

fn right_aligned(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}
