//! Metric math along one metric: each point by those before it.

use super::expression::Function;
use super::math::Line;

/// `DIFF`, `RATE` and `RUNNING_SUM`.
pub(super) fn along(function: Function, line: Line) -> Line {
    let mut sum = 0.0;
    let mut before = None;
    let mut at = |(time, value): (i64, f64)| {
        sum += value;
        let last = before.replace((time, value));
        if function == Function::RunningSum {
            return Some((time, sum));
        }
        let (then, was) = last?;
        let seconds = if function == Function::Rate { (time - then) as f64 } else { 1.0 };
        Some((time, (value - was) / seconds))
    };
    Line { points: line.points.into_iter().filter_map(&mut at).collect(), period: line.period }
}

/// The standard deviation of all values there are; 0 of one.
pub(super) fn deviation(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
}
