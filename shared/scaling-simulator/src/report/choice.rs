//! What choosing the type is worth, as plots.

use super::Report;
use super::dots::{Line, Marks, draw};
use super::plots::{BOUND, OURS, PlotError};
use crate::type_cases::{APPETITES, SCALES, TypeCase};

/// Cost over that on one default type that is aimed at, as geometric mean of all cases.
const AIMED_TYPE: f64 = 0.88;

/// Cost over that with the clairvoyant choice that is aimed at, at most, for a service that grows.
const AIMED_GROWING: f64 = 1.03;

/// What choosing the type is worth, by appetite for memory and size of the load; a mark for each trace.
pub(super) fn types(report: &Report) -> Result<String, PlotError> {
    let cases = &report.type_cases;
    let kinds: Vec<(&str, f64)> =
        APPETITES.iter().flat_map(|appetite| SCALES.map(|scale| (appetite.name, scale))).collect();
    let row = |case: &TypeCase| {
        kinds.iter().position(|(memory, scale)| case.memory == *memory && (case.scale - scale).abs() < 1e-9)
    };
    let marks = |name, colour, value: &dyn Fn(&TypeCase) -> f64| Marks {
        name,
        colour,
        at: cases
            .iter()
            .filter(|case| !case.growing)
            .filter_map(|case| Some((row(case)?, value(case))))
            .collect(),
    };
    let rows: Vec<String> =
        kinds.iter().map(|(memory, scale)| format!("memory {memory}, load x{scale}")).collect();
    let both = [
        marks("best fixed type in hindsight", BOUND, &|case| case.best_usd / case.default_usd),
        marks("hybrid", OURS, &TypeCase::over_default),
    ];
    let aim = report.aims.then(|| Line::aim(AIMED_TYPE, "aimed at in the mean"));
    draw(&rows, &both, aim.as_ref(), "cost over that on the default type")
}

/// What a service that grows 40-fold costs over the clairvoyant choice of its type, by trace.
pub(super) fn growing(report: &Report) -> Result<String, PlotError> {
    let growing: Vec<&TypeCase> = report.type_cases.iter().filter(|case| case.growing).collect();
    let marks = |name, colour, value: &dyn Fn(&TypeCase) -> f64| Marks {
        name,
        colour,
        at: growing
            .iter()
            .enumerate()
            .map(|(row, case)| (row, value(case)))
            .filter(|(_, cost)| cost.is_finite())
            .collect(),
    };
    let rows: Vec<String> = growing.iter().map(|case| case.trace.clone()).collect();
    let both = [
        marks("best fixed type in hindsight", BOUND, &|case| case.best_usd / case.clairvoyant_usd),
        marks("hybrid", OURS, &TypeCase::over_clairvoyant),
    ];
    let aim = report.aims.then(|| Line::aim(AIMED_GROWING, "aimed at, at most"));
    draw(&rows, &both, aim.as_ref(), "cost over that with the clairvoyant choice of the type")
}
