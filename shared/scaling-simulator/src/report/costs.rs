//! What the policy costs, trace by trace and setting by setting, as plots.

use super::dots::{Line, Marks, draw};
use super::plots::{BOUND, HPA, OURS, OVER, PlotError, RIVALS, TRACKING};
use super::{Delayed, Report};
use crate::figures::Figures;
use crate::ranking::{self, Headline, headlines, over_oracle};

/// Cost over the clairvoyant oracle's that is aimed at in the median.
const AIMED_COST: f64 = 1.2;

/// Changes of the count a day that are aimed at, at most.
const AIMED_CHANGES: f64 = 300.0;

/// (Traces held, cost over that of the cheapest rival's one setting that holds as many) that are aimed at, at most.
const AIMED_SETTING: [(usize, f64); 2] = [(5, 0.75), (7, 0.5)];

/// What each trace costs over perfect knowledge: the policy, the bound that knows the load without its chance, target tracking,
/// and the best rival that was tuned for that trace in hindsight.
pub(super) fn cost(report: &Report) -> Result<String, PlotError> {
    let traces = headlines(&report.results);
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
    let aim = report.aims.then(|| Line::aim(AIMED_COST, "aimed at in the median"));
    draw(&rows, &marks, aim.as_ref(), "cost over the clairvoyant oracle's")
}

/// How often the policy changes the count of each trace.
pub(super) fn changes(report: &Report) -> Result<String, PlotError> {
    let ours: Vec<&Figures> = report.results.iter().filter(|one| one.policy == "hybrid").collect();
    let at = ours.iter().enumerate().map(|(row, one)| (row, one.operations_a_day)).collect();
    let rows: Vec<String> = ours.iter().map(|one| one.trace.clone()).collect();
    let marks = [Marks { name: "hybrid", colour: OURS, at }];
    let aim = report.aims.then(|| Line::aim(AIMED_CHANGES, "aimed at, at most"));
    draw(&rows, &marks, aim.as_ref(), "changes of the count a day")
}

/// One setting for all traces against one setting: the cheapest of a rival by the number of traces that it holds, and the
/// policy's.
pub(super) fn one_setting(report: &Report) -> Result<String, PlotError> {
    let standings = ranking::standings(&report.results, |_| true);
    let ours = standings.iter().find(|one| one.policy == "hybrid");
    let Some((held, median)) = ours.and_then(|one| Some((one.held, one.median_over_oracle?))) else {
        return Ok(String::new());
    };
    let settings = &report.one_setting;
    // The same setting may be the cheapest for several numbers: it stands in the row of what it holds.
    let mut rows: Vec<(usize, String, f64)> = settings
        .iter()
        .map(|one| {
            (
                one.held,
                format!("{} held: {} at {:.2}", one.held, one.policy, one.setting),
                one.median_over_oracle,
            )
        })
        .collect();
    rows.dedup();
    let aimed = |held: usize, cost: f64| {
        let least = AIMED_SETTING.iter().filter(|_| report.aims).find(|(traces, _)| *traces == held);
        least.map(|(_, share)| cost * share)
    };
    let numbered = || rows.iter().enumerate();
    let marks = [
        Marks {
            name: "cheapest setting of a rival that holds as many traces",
            colour: HPA,
            at: numbered().map(|(row, (.., cost))| (row, *cost)).collect(),
        },
        Marks {
            name: "aimed at, at most",
            colour: OVER,
            at: numbered().filter_map(|(row, (held, _, cost))| Some((row, aimed(*held, *cost)?))).collect(),
        },
    ];
    let names: Vec<String> = rows.iter().map(|(_, name, _)| name.clone()).collect();
    let says = format!("hybrid, which holds {held}: {median:.2}");
    let ours = Line { at: median, says, colour: OURS };
    draw(&names, &marks, Some(&ours), "median cost over the clairvoyant oracle's")
}

/// What the policy costs over the oracle, trace by trace, with metrics sooner or later and with the other queue.
pub(super) fn delays(report: &Report) -> Result<String, PlotError> {
    let rows: Vec<String> = report.drawn().into_iter().map(|source| source.trace.clone()).collect();
    let cost = |one: &Delayed, trace: &String| {
        let ours = one.results.iter().find(|figures| figures.trace == *trace && figures.policy == "hybrid");
        ours.and_then(|figures| over_oracle(&one.results, figures))
    };
    let colours = [OURS, RIVALS[0], RIVALS[1], HPA, TRACKING];
    let marks: Vec<Marks> = report
        .delays
        .iter()
        .zip(colours)
        .map(|(one, colour)| {
            let at = rows.iter().enumerate().filter_map(|(row, trace)| Some((row, cost(one, trace)?)));
            Marks { name: one.name, colour, at: at.collect() }
        })
        .collect();
    let aim = report.aims.then(|| Line::aim(AIMED_COST, "aimed at in the median"));
    draw(&rows, &marks, aim.as_ref(), "hybrid: cost over the clairvoyant oracle's")
}
