//! The tables that the terminal and the page have in common, as text cell by cell.

use super::{Disturbed, Report};
use crate::figures::Figures;
use crate::ranking::{self, Headline};
use crate::type_cases::{APPETITES, Gain, SCALES, TypeCase};

/// A table. The first column says what a row is of, the others are figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// Names of the columns.
    pub header: Vec<String>,
    /// As many cells in each as there are columns.
    pub rows: Vec<Vec<String>>,
}

impl Grid {
    fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        Self { header: header.into_iter().map(str::to_owned).collect(), rows: Vec::new() }
    }
}

/// The hybrid policy beside what it is measured against, trace by trace. `None` where nothing took part but it.
pub fn beside(report: &Report) -> Option<Grid> {
    let headlines = ranking::headlines(&report.results);
    headlines.iter().find(|one| one.best_tuned.is_some() || one.tracking.is_some())?;
    let mut grid = Grid::new([
        "Trace",
        "Hybrid",
        "psi %",
        "After 2 days",
        "Tracking 50 %",
        "psi %",
        "Best tuned",
        "at",
        "Hybrid against it",
        "Noise-blind",
    ]);
    grid.rows = headlines.iter().map(|one| headline(report, one)).collect();
    Some(grid)
}

fn headline(report: &Report, one: &Headline) -> Vec<String> {
    let tuned = one.best_tuned.as_ref();
    let hybrid =
        report.results.iter().find(|figures| figures.trace == one.trace && figures.policy == "hybrid");
    let later = hybrid.and_then(|figures| figures.violation_share_after_two_days);
    vec![
        one.trace.clone(),
        format!("{:.3}", one.hybrid),
        percent(Some(one.share)),
        percent(later),
        ratio(one.tracking.map(|(cost, _)| cost)),
        percent(one.tracking.map(|(_, share)| share)),
        tuned.map_or_else(String::new, |(name, setting, _)| format!("{name} {setting:.2}")),
        ratio(tuned.map(|(.., cost)| *cost)),
        tuned.map_or_else(String::new, |(.., cost)| format!("{:+.1} %", (one.hybrid / cost - 1.0) * 100.0)),
        ratio(one.noise_blind),
    ]
}

/// Median costs and traces held, policies by disturbances, and the place of the hybrid policy. `None` where nothing was
/// disturbed.
pub fn disturbed(report: &Report) -> Option<Grid> {
    let planned = report.disturbed.first()?;
    let names = report.disturbed.iter().map(|one| one.disturbance);
    let mut grid = Grid::new(std::iter::once("Policy").chain(names));
    for policy in planned.standings.iter().map(|one| &one.policy) {
        let cell = |one: &Disturbed| {
            let found = one.standings.iter().find(|standing| standing.policy == *policy);
            found.map_or_else(String::new, |one| format!("{} ({})", ratio(one.median_over_oracle), one.held))
        };
        grid.rows.push(std::iter::once(policy.clone()).chain(report.disturbed.iter().map(cell)).collect());
    }
    let place = |one: &Disturbed| one.place.map_or_else(String::new, |place| place.to_string());
    let place = std::iter::once("place of hybrid".to_owned()).chain(report.disturbed.iter().map(place));
    grid.rows.push(place.collect());
    Some(grid)
}

/// What the hybrid policy misses, in percent, traces by disturbances. `None` where nothing was disturbed.
pub fn missed(report: &Report) -> Option<Grid> {
    let others = report.disturbed.get(1..)?;
    let columns: Vec<(&str, &[Figures])> = std::iter::once(("as planned", report.results.as_slice()))
        .chain(others.iter().map(|one| (one.disturbance, one.results.as_slice())))
        .collect();
    Some(by_trace(report, &columns, |_, one| percent(Some(one.violation_requests_share))))
}

/// What the hybrid policy costs over the oracle, traces by metrics and queue. `None` where these were not tried.
pub fn delays(report: &Report) -> Option<Grid> {
    let columns: Vec<(&str, &[Figures])> =
        report.delays.iter().map(|one| (one.name, one.results.as_slice())).collect();
    let cost = |results: &[Figures], one: &Figures| ratio(ranking::over_oracle(results, one));
    (!columns.is_empty()).then(|| by_trace(report, &columns, cost))
}

/// A cell of the hybrid policy for each trace and each column's results.
fn by_trace(
    report: &Report,
    columns: &[(&str, &[Figures])],
    cell: impl Fn(&[Figures], &Figures) -> String,
) -> Grid {
    let mut grid = Grid::new(std::iter::once("Trace").chain(columns.iter().map(|(name, _)| *name)));
    for source in &report.traces {
        let of = |results: &[Figures]| {
            let found = results.iter().find(|one| one.trace == source.trace && one.policy == "hybrid");
            found.map_or_else(String::new, |one| cell(results, one))
        };
        let cells = columns.iter().map(|(_, results)| of(results));
        grid.rows.push(std::iter::once(source.trace.clone()).chain(cells).collect());
    }
    grid
}

/// What choosing the type is worth. `None` without cases.
pub fn type_cases(cases: &[TypeCase]) -> Option<Grid> {
    let mut grid = Grid::new([
        "Cases",
        "Number",
        "Over default (geo)",
        "Worst",
        "Over best fixed",
        "Worst",
        "Over clairvoyant",
        "Worst",
        "Changes a day",
        "Held",
        "Default held",
    ]);
    let mut add = |name: String, which: &dyn Fn(&TypeCase) -> bool| {
        let gain = Gain::of(cases.iter().filter(|case| which(case)));
        grid.rows.extend(gain.map(|gain| gained(name, &gain)));
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
    (!cases.is_empty()).then_some(grid)
}

fn gained(name: String, gain: &Gain) -> Vec<String> {
    vec![
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
    ]
}

/// Traces in the order of the cases.
fn traces_of(cases: &[TypeCase]) -> Vec<&str> {
    let mut traces: Vec<&str> = cases.iter().map(|case| case.trace.as_str()).collect();
    traces.dedup();
    traces
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| format!("{value:.3}"))
}

/// A share, in percent.
fn percent(share: Option<f64>) -> String {
    share.map_or_else(String::new, |share| format!("{:.3}", share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::super::sample::report;
    use super::*;

    #[test]
    fn what_came_after_two_days_stands_beside_the_policy_and_nothing_where_nothing_came() {
        let grid = beside(&report()).unwrap();
        assert_eq!(grid.rows[0][..4], ["load", "1.200", "0.000", "0.200"]);
        assert_eq!(grid.rows[0][6..9], ["hpa-tuned 0.40", "1.500", "-20.0 %"]);
        let mut brief = report();
        brief.results[0].violation_share_after_two_days = None;
        assert_eq!(beside(&brief).unwrap().rows[0][3], "");
    }

    #[test]
    fn other_conditions_have_a_place_of_the_policy_and_what_it_misses_on_each_trace() {
        let grid = disturbed(&report()).unwrap();
        assert_eq!(grid.rows.last().unwrap(), &["place of hybrid", "1", "1"]);
        assert_eq!(missed(&report()).unwrap().rows, [["load", "0.000", "0.000"]]);
    }

    #[test]
    fn what_was_not_tried_has_no_table() {
        assert_eq!((delays(&report()), type_cases(&[])), (None, None));
    }
}
