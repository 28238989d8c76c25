//! What the policy misses, trace by trace, as plots.

use super::Report;
use super::dots::{Line, Marks, draw};
use super::plots::{HPA, OURS, PlotError, RIVALS, TRACKING};
use crate::disturbance::Disturbance;
use crate::figures::{Figures, HELD};

/// Share of what target tracking misses that is aimed at, where it does not hold the target.
const AIMED_SHARE: f64 = 0.2;

/// What is on the axis.
const ALONG: &str = "requests in intervals over the target, %";

/// What the policy misses beside what target tracking at 50 % misses, or the fifth of it that is aimed at.
pub(super) fn beside_tracking(report: &Report) -> Result<String, PlotError> {
    let (name, part) = if report.aims {
        ("a fifth of what target tracking at 50 % misses", AIMED_SHARE)
    } else {
        ("target tracking at 50 %", 1.0)
    };
    let tracking =
        by_trace(report, &report.results, "target-tracking", |one| Some(one.violation_requests_share * part));
    if tracking.is_empty() {
        return Ok(String::new());
    }
    let marks = [
        Marks { name, colour: TRACKING, at: tracking },
        Marks { name: "hybrid", colour: OURS, at: ours(report, &report.results) },
    ];
    draw_shares(report, &marks)
}

/// What it misses after two days of learning beside what it misses in all.
pub(super) fn after_two_days(report: &Report) -> Result<String, PlotError> {
    let later = by_trace(report, &report.results, "hybrid", |one| one.violation_share_after_two_days);
    if later.is_empty() {
        return Ok(String::new());
    }
    let marks = [
        Marks { name: "hybrid, in all", colour: RIVALS[0], at: ours(report, &report.results) },
        Marks { name: "hybrid, after two days", colour: OURS, at: later },
    ];
    draw_shares(report, &marks)
}

/// What it misses when instances boot twice as long, and when a twentieth of the metrics is missing.
pub(super) fn disturbed(report: &Report) -> Result<String, PlotError> {
    let under = |disturbance: Disturbance, colour| {
        let found = report.disturbed.iter().find(|one| one.disturbance == disturbance.name());
        let at = found.map(|found| ours(report, &found.results)).unwrap_or_default();
        Marks { name: disturbance.name(), colour, at }
    };
    let others = [under(Disturbance::SlowBoot, RIVALS[0]), under(Disturbance::MissingPoints, HPA)];
    if others.iter().all(|marks| marks.at.is_empty()) {
        return Ok(String::new());
    }
    let planned = Marks { name: "as planned", colour: OURS, at: ours(report, &report.results) };
    draw_shares(report, &others.into_iter().chain([planned]).collect::<Vec<_>>())
}

fn ours(report: &Report, results: &[Figures]) -> Vec<(usize, f64)> {
    by_trace(report, results, "hybrid", |one| Some(one.violation_requests_share))
}

/// (Row of the trace, percent) of a policy.
fn by_trace(
    report: &Report,
    results: &[Figures],
    policy: &str,
    share: impl Fn(&Figures) -> Option<f64>,
) -> Vec<(usize, f64)> {
    let of = |trace: &str| results.iter().find(|one| one.trace == trace && one.policy == policy);
    let percent = |trace: &str| Some(share(of(trace)?)? * 100.0);
    let rows = report.drawn().into_iter().enumerate();
    rows.filter_map(|(row, source)| Some((row, percent(&source.trace)?))).collect()
}

fn draw_shares(report: &Report, marks: &[Marks]) -> Result<String, PlotError> {
    let rows: Vec<String> = report.drawn().into_iter().map(|source| source.trace.clone()).collect();
    draw(&rows, marks, Some(&Line::aim(HELD * 100.0, "held up to")), ALONG)
}
