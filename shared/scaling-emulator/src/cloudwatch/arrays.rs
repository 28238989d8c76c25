//! Metric math over arrays of metrics: the first or last of them, a part, an order, those that have points.

use std::cmp::Ordering;

use super::expression::{Expression, Function};
use super::math::{Line, Outcome, Scope, evaluate, gathered};

/// `FIRST`, `LAST`, `SLICE`, `SORT` and `REMOVE_EMPTY`: a metric, or an array again.
pub(super) fn of(
    function: Function,
    arguments: &[Expression],
    scope: &impl Scope,
) -> Result<Outcome, String> {
    let (array, others) = arguments.split_first().ok_or("A function without an argument")?;
    let mut lines = match evaluate(array, scope)? {
        Outcome::Line(line) => vec![line],
        Outcome::Lines(lines) => lines,
        Outcome::Number(_) => return Err("The function takes an array of metrics".to_owned()),
    };
    let one = |line: Option<Line>| line.map(Outcome::Line).ok_or_else(|| "The array is empty".to_owned());
    match function {
        Function::First => one(lines.into_iter().next()),
        Function::Last => one(lines.pop()),
        Function::RemoveEmpty => {
            lines.retain(|line| !line.points.is_empty());
            Ok(Outcome::Lines(lines))
        }
        Function::Slice => {
            let first = place(others.first(), scope)?.unwrap_or(0);
            let end = place(others.get(1), scope)?.unwrap_or(usize::MAX);
            Ok(Outcome::Lines(lines.into_iter().take(end).skip(first).collect()))
        }
        _ => sorted(lines, others, scope),
    }
}

/// `SORT(array, AVG|MIN|MAX|SUM, ASC|DESC)`, with the number of metrics to keep where one follows.
fn sorted(mut lines: Vec<Line>, others: &[Expression], scope: &impl Scope) -> Result<Outcome, String> {
    let word = |at: usize| match others.get(at) {
        Some(Expression::Id(word)) => word.as_str(),
        _ => "",
    };
    let by = match word(0) {
        "AVG" => Function::Avg,
        "MIN" => Function::Min,
        "MAX" => Function::Max,
        "SUM" => Function::Sum,
        _ => return Err("SORT takes AVG, MIN, MAX or SUM to sort by".to_owned()),
    };
    let value = |line: &Line| gathered(by, &line.points.values().copied().collect::<Vec<f64>>());
    // What has no points comes last in either order.
    let order = |a: &Line, b: &Line, turned: bool| match (value(a), value(b)) {
        (Some(a), Some(b)) if turned => b.total_cmp(&a),
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    let turned = match word(1) {
        "ASC" => false,
        "DESC" => true,
        _ => return Err("SORT takes ASC or DESC as its order".to_owned()),
    };
    lines.sort_by(|a, b| -> Ordering { order(a, b, turned) });
    lines.truncate(place(others.get(2), scope)?.unwrap_or(usize::MAX));
    Ok(Outcome::Lines(lines))
}

/// A position in an array.
fn place(argument: Option<&Expression>, scope: &impl Scope) -> Result<Option<usize>, String> {
    let Some(argument) = argument else { return Ok(None) };
    let whole = || "A position in an array is a whole number of at least 0".to_owned();
    match evaluate(argument, scope)? {
        // Only whole numbers are written without a point or a sign.
        Outcome::Number(number) => number.to_string().parse().map(Some).map_err(|_| whole()),
        _ => Err(whole()),
    }
}
