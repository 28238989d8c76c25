//! Metric math: the value of an expression over metrics.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::{Expression, Function, Operator};
use super::{arrays, calendar, transform};

/// Points by their time in seconds.
pub type Points = BTreeMap<i64, f64>;

/// Points with their period.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Line {
    /// The points.
    pub points: Points,
    /// Seconds from one to the next.
    pub period: i64,
}

/// What an expression comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// A number.
    Number(f64),
    /// A metric.
    Line(Line),
    /// Several.
    Lines(Vec<Line>),
}

/// What expressions refer to.
pub trait Scope {
    /// What the query with that id came to.
    fn get(&self, id: &str) -> Option<Outcome>;
    /// All metrics in order, or those with `part` in their id.
    fn metrics(&self, part: &str) -> Vec<Line>;
    /// Start of the first period of that length, and end of the request, in seconds.
    fn range(&self, period: i64) -> (i64, i64);
    /// The quota that stands beside the metric of that id; `None` where there is none.
    fn quota(&self, id: &str) -> Option<f64>;
}

/// Works an expression out.
///
/// # Errors
/// Why there is no result, for people.
pub fn evaluate(expression: &Expression, scope: &impl Scope) -> Result<Outcome, String> {
    match expression {
        Expression::Number(number) => Ok(Outcome::Number(*number)),
        Expression::Id(id) => scope.get(id).ok_or_else(|| format!("Unrecognized id {id}")),
        Expression::Metrics => Ok(Outcome::Lines(scope.metrics(""))),
        Expression::MetricsLike(part) => Ok(Outcome::Lines(scope.metrics(part))),
        Expression::List(items) => {
            let lines = items.iter().map(|item| match evaluate(item, scope)? {
                Outcome::Line(line) => Ok(vec![line]),
                Outcome::Lines(lines) => Ok(lines),
                Outcome::Number(_) => Err("A list may hold metrics only".to_owned()),
            });
            Ok(Outcome::Lines(lines.collect::<Result<Vec<_>, String>>()?.concat()))
        }
        Expression::Binary(operator, left, right) => {
            joined(*operator, evaluate(left, scope)?, evaluate(right, scope)?)
        }
        Expression::Call(Function::Fill, arguments) => fill(arguments, scope),
        Expression::Call(Function::If, arguments) => chosen(arguments, scope),
        Expression::Call(Function::ServiceQuota, arguments) => quota(arguments, scope),
        Expression::Call(Function::TimeSeries, arguments) => constant(arguments, scope),
        Expression::Call(function, arguments) if function.takes_an_array() => {
            arrays::of(*function, arguments, scope)
        }
        Expression::Call(function, arguments) => {
            let argument = arguments.first().ok_or("A function without an argument")?;
            called(*function, evaluate(argument, scope)?)
        }
    }
}

fn joined(operator: Operator, left: Outcome, right: Outcome) -> Result<Outcome, String> {
    use Outcome::{Line as One, Lines, Number};
    let with_number = |line: Line, by: &dyn Fn(f64) -> Option<f64>| Line {
        points: line.points.into_iter().filter_map(|(time, value)| Some((time, by(value)?))).collect(),
        ..line
    };
    Ok(match (left, right) {
        (Number(a), Number(b)) => Number(operator.apply(a, b).ok_or("Division by zero")?),
        (One(line), Number(b)) => One(with_number(line, &|a| operator.apply(a, b))),
        (Number(a), One(line)) => One(with_number(line, &|b| operator.apply(a, b))),
        (One(a), One(b)) => One(both(operator, &a, &b)),
        (Lines(lines), Number(b)) => {
            Lines(lines.into_iter().map(|line| with_number(line, &|a| operator.apply(a, b))).collect())
        }
        (Number(a), Lines(lines)) => {
            Lines(lines.into_iter().map(|line| with_number(line, &|b| operator.apply(a, b))).collect())
        }
        (Lines(lines), One(b)) => Lines(lines.iter().map(|a| both(operator, a, &b)).collect()),
        (One(a), Lines(lines)) => Lines(lines.iter().map(|b| both(operator, &a, b)).collect()),
        (Lines(_), Lines(_)) => return Err("Two lists cannot be joined by an operator".to_owned()),
    })
}

/// Two metrics have a point only where both do.
fn both(operator: Operator, a: &Line, b: &Line) -> Line {
    let point = |(time, left): (&i64, &f64)| Some((*time, operator.apply(*left, *b.points.get(time)?)?));
    Line { points: a.points.iter().filter_map(point).collect(), period: a.period.max(b.period) }
}

fn called(function: Function, argument: Outcome) -> Result<Outcome, String> {
    let each = |by: fn(f64) -> f64, argument: Outcome| match argument {
        Outcome::Number(number) => Outcome::Number(by(number)),
        Outcome::Line(line) => Outcome::Line(mapped(line, by)),
        Outcome::Lines(lines) => Outcome::Lines(lines.into_iter().map(|line| mapped(line, by)).collect()),
    };
    match function {
        Function::Diff | Function::Rate | Function::RunningSum => {
            let by = |line: Line| transform::along(function, line);
            match argument {
                Outcome::Line(line) => Ok(Outcome::Line(by(line))),
                Outcome::Lines(lines) => Ok(Outcome::Lines(lines.into_iter().map(by).collect())),
                Outcome::Number(_) => Err("The function takes metrics".to_owned()),
            }
        }
        Function::MetricCount => match argument {
            Outcome::Lines(lines) => Ok(Outcome::Number(lines.len() as f64)),
            Outcome::Line(_) => Ok(Outcome::Number(1.0)),
            Outcome::Number(_) => Err("METRIC_COUNT takes metrics".to_owned()),
        },
        Function::Date
        | Function::Day
        | Function::Epoch
        | Function::Hour
        | Function::Minute
        | Function::Month
        | Function::Year => match argument {
            Outcome::Line(line) => Ok(Outcome::Line(calendar::of(function, line))),
            _ => Err("The function takes one metric".to_owned()),
        },
        Function::Log => Ok(each(f64::ln, argument)),
        Function::Log10 => Ok(each(f64::log10, argument)),
        Function::Abs => Ok(each(f64::abs, argument)),
        Function::Ceil => Ok(each(f64::ceil, argument)),
        Function::Floor => Ok(each(f64::floor, argument)),
        Function::Period => match argument {
            Outcome::Line(line) => Ok(Outcome::Number(line.period as f64)),
            _ => Err("PERIOD takes one metric".to_owned()),
        },
        _ => match argument {
            Outcome::Number(number) => Ok(Outcome::Number(number)),
            Outcome::Line(line) => {
                let all: Vec<f64> = line.points.into_values().collect();
                Ok(Outcome::Number(gathered(function, &all).ok_or("There are no points")?))
            }
            Outcome::Lines(lines) => Ok(Outcome::Line(across(function, &lines))),
        },
    }
}

fn mapped(line: Line, by: fn(f64) -> f64) -> Line {
    let points = line.points.into_iter().map(|(time, value)| (time, by(value)));
    Line { points: points.filter(|(_, value)| value.is_finite()).collect(), ..line }
}

/// One point for each time at which any of the metrics has one.
fn across(function: Function, lines: &[Line]) -> Line {
    let times: BTreeSet<i64> = lines.iter().flat_map(|line| line.points.keys().copied()).collect();
    let point = |time: i64| {
        let values: Vec<f64> = lines.iter().filter_map(|line| line.points.get(&time).copied()).collect();
        Some((time, gathered(function, &values)?))
    };
    Line {
        points: times.into_iter().filter_map(point).collect(),
        period: lines.iter().map(|line| line.period).max().unwrap_or(60),
    }
}

pub(super) fn gathered(function: Function, values: &[f64]) -> Option<f64> {
    let sum = || values.iter().sum::<f64>();
    if values.is_empty() {
        return None;
    }
    Some(match function {
        Function::Avg => sum() / values.len() as f64,
        Function::Stddev => transform::deviation(values),
        Function::DatapointCount => values.len() as f64,
        Function::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
        Function::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        _ => sum(),
    })
}

/// `IF`: at each point of the condition one of two values, or none where it does not hold and there is no other.
fn chosen(arguments: &[Expression], scope: &impl Scope) -> Result<Outcome, String> {
    let mut values = arguments.iter().map(|argument| evaluate(argument, scope));
    let (Some(condition), Some(then)) = (values.next().transpose()?, values.next().transpose()?) else {
        return Err("IF takes a condition and a value".to_owned());
    };
    let otherwise = values.next().transpose()?;
    let at = |value: &Outcome, time: i64| match value {
        Outcome::Number(number) => Ok(Some(*number)),
        Outcome::Line(line) => Ok(line.points.get(&time).copied()),
        Outcome::Lines(_) => Err("IF takes numbers and single metrics".to_owned()),
    };
    let line = match (condition, &then) {
        (Outcome::Line(line), _) => line,
        (Outcome::Number(number), _) => {
            let value = if number == 0.0 { otherwise } else { Some(then) };
            return value.ok_or_else(|| "IF comes to nothing".to_owned());
        }
        (Outcome::Lines(_), _) => return Err("IF takes one condition".to_owned()),
    };
    let mut points = Points::new();
    for (time, holds) in &line.points {
        let value = if *holds == 0.0 { otherwise.as_ref() } else { Some(&then) };
        if let Some(value) = value.map(|value| at(value, *time)).transpose()?.flatten() {
            points.insert(*time, value);
        }
    }
    Ok(Outcome::Line(Line { points, period: line.period }))
}

/// `SERVICE_QUOTA`: the quota at each point of a metric of usage; no points where it has none.
fn quota(arguments: &[Expression], scope: &impl Scope) -> Result<Outcome, String> {
    let [Expression::Id(id)] = arguments else {
        return Err("SERVICE_QUOTA takes one metric of usage".to_owned());
    };
    match scope.get(id) {
        Some(Outcome::Line(mut line)) => {
            let limit = scope.quota(id);
            line.points = line.points.into_keys().filter_map(|time| Some((time, limit?))).collect();
            Ok(Outcome::Line(line))
        }
        _ => Err("SERVICE_QUOTA takes one metric of usage".to_owned()),
    }
}

/// `TIME_SERIES`: the same number in every period of the request.
fn constant(arguments: &[Expression], scope: &impl Scope) -> Result<Outcome, String> {
    let [number] = arguments else { return Err("TIME_SERIES takes one number".to_owned()) };
    let Outcome::Number(number) = evaluate(number, scope)? else {
        return Err("TIME_SERIES takes one number".to_owned());
    };
    // An expression has the period of the metrics beside it.
    let period = scope.metrics("").iter().map(|line| line.period).max().unwrap_or(60);
    let empty = Line { points: Points::new(), period };
    Ok(Outcome::Line(filled(empty, &Filling::Number(number), scope)))
}

fn fill(arguments: &[Expression], scope: &impl Scope) -> Result<Outcome, String> {
    let [metric, with] = arguments else {
        return Err("FILL takes a metric and what to fill it with".to_owned());
    };
    let filling = match with {
        Expression::Id(word) if word == "REPEAT" => Filling::Repeat,
        Expression::Id(word) if word == "LINEAR" => Filling::Linear,
        other => match evaluate(other, scope)? {
            Outcome::Number(number) => Filling::Number(number),
            Outcome::Line(line) => Filling::Line(line),
            Outcome::Lines(_) => return Err("FILL takes a number or one metric to fill with".to_owned()),
        },
    };
    match evaluate(metric, scope)? {
        Outcome::Line(line) => Ok(Outcome::Line(filled(line, &filling, scope))),
        Outcome::Lines(lines) => {
            Ok(Outcome::Lines(lines.into_iter().map(|line| filled(line, &filling, scope)).collect()))
        }
        Outcome::Number(_) => Err("FILL takes a metric".to_owned()),
    }
}

enum Filling {
    Number(f64),
    Line(Line),
    Repeat,
    Linear,
}

/// Most points that filling looks at: as many as one reply holds.
const MAX_FILLED: i64 = 100_800;

fn filled(mut line: Line, filling: &Filling, scope: &impl Scope) -> Line {
    let period = line.period.max(1);
    let (from, to) = scope.range(period);
    let known = line.points.clone();
    let times = (0..MAX_FILLED).map(|number| from + number * period).take_while(|time| *time < to);
    for time in times.filter(|time| !known.contains_key(time)) {
        let before = || known.range(..time).next_back();
        let value = match filling {
            Filling::Number(number) => Some(*number),
            Filling::Line(other) => other.points.get(&time).copied(),
            Filling::Repeat => before().map(|(_, value)| *value),
            Filling::Linear => before()
                .zip(known.range(time..).next())
                .map(|((t0, v0), (t1, v1))| v0 + (v1 - v0) * (time - t0) as f64 / (t1 - t0) as f64),
        };
        if let Some(value) = value {
            line.points.insert(time, value);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::super::expression::parse;
    use super::*;

    struct Two;

    fn line(points: &[(i64, f64)]) -> Line {
        Line { points: points.iter().copied().collect(), period: 60 }
    }

    impl Scope for Two {
        fn get(&self, id: &str) -> Option<Outcome> {
            let index = ["m1", "m2"].iter().position(|known| *known == id)?;
            Some(Outcome::Line(self.metrics("")[index].clone()))
        }

        fn metrics(&self, part: &str) -> Vec<Line> {
            let first = line(&[(0, 1.0), (60, 2.0), (180, 4.0)]);
            let second = line(&[(60, 10.0), (120, 0.0), (180, 30.0)]);
            let all = [("m1", first), ("m2", second)];
            all.into_iter().filter(|(id, _)| id.contains(part)).map(|(_, line)| line).collect()
        }

        fn range(&self, _period: i64) -> (i64, i64) {
            (0, 240)
        }

        fn quota(&self, id: &str) -> Option<f64> {
            (id == "m1").then_some(64.0)
        }
    }

    fn points(text: &str) -> Vec<(i64, f64)> {
        match evaluate(&parse(text).unwrap(), &Two).unwrap() {
            Outcome::Line(line) => line.points.into_iter().collect(),
            other => panic!("{text} came to {other:?}"),
        }
    }

    #[test]
    fn two_metrics_have_a_point_where_both_do_and_a_division_by_zero_has_none() {
        assert_eq!(points("m1+m2"), [(60, 12.0), (180, 34.0)]);
        assert_eq!(points("100/m2"), [(60, 10.0), (180, 100.0 / 30.0)]);
        assert_eq!(points("-m1*2"), [(0, -2.0), (60, -4.0), (180, -8.0)]);
    }

    #[test]
    fn functions_of_a_list_work_time_by_time_and_of_a_metric_over_all_of_it() {
        assert_eq!(points("SUM(METRICS())"), [(0, 1.0), (60, 12.0), (120, 0.0), (180, 34.0)]);
        assert_eq!(points("AVG([m1,m2])"), [(0, 1.0), (60, 6.0), (120, 0.0), (180, 17.0)]);
        assert_eq!(points("m1/SUM(m1)*7"), [(0, 1.0), (60, 2.0), (180, 4.0)]);
        assert_eq!(points("m2/PERIOD(m2)*60"), [(60, 10.0), (120, 0.0), (180, 30.0)]);
    }

    #[test]
    fn filling_adds_the_missing_points_of_the_range() {
        assert_eq!(points("FILL(m1,0)"), [(0, 1.0), (60, 2.0), (120, 0.0), (180, 4.0)]);
        assert_eq!(points("FILL(m1,REPEAT)"), [(0, 1.0), (60, 2.0), (120, 2.0), (180, 4.0)]);
        assert_eq!(points("FILL(m1,LINEAR)"), [(0, 1.0), (60, 2.0), (120, 3.0), (180, 4.0)]);
        assert_eq!(points("FILL(m2,m1)"), [(0, 1.0), (60, 10.0), (120, 0.0), (180, 30.0)]);
    }

    #[test]
    fn conditions_come_to_one_and_nought_and_choose() {
        assert_eq!(points("m1 > 1 AND m1 < 4"), [(0, 0.0), (60, 1.0), (180, 0.0)]);
        assert_eq!(points("m1 == 1 || m1 >= 4"), [(0, 1.0), (60, 0.0), (180, 1.0)]);
        assert_eq!(points("IF(m1 > 1, m1, 0)"), [(0, 0.0), (60, 2.0), (180, 4.0)]);
        assert_eq!(points("IF(m1 != 2, 7)"), [(0, 7.0), (180, 7.0)]);
        assert_eq!(points("m1 + IF(1 > 2, 1, 10)"), [(0, 11.0), (60, 12.0), (180, 14.0)]);
    }

    #[test]
    fn functions_along_a_metric_see_the_points_before() {
        assert_eq!(points("DIFF(m1)"), [(60, 1.0), (180, 2.0)]);
        assert_eq!(points("RATE(m2)*60"), [(120, -10.0), (180, 30.0)]);
        assert_eq!(points("RUNNING_SUM(m1)"), [(0, 1.0), (60, 3.0), (180, 7.0)]);
        assert_eq!(points("m1*0+METRIC_COUNT([m1,m2])"), [(0, 2.0), (60, 2.0), (180, 2.0)]);
        assert_eq!(points("STDDEV([m1,m2])"), [(0, 0.0), (60, 4.0), (120, 0.0), (180, 13.0)]);
        assert_eq!(points("LOG10(m2)"), [(60, 1.0), (180, 30.0_f64.log10())]);
    }

    #[test]
    fn functions_of_an_array_choose_among_its_metrics() {
        let (first, second) = (points("m1*1"), points("m2*1"));
        for (text, expected) in [
            ("FIRST([m1,m2])", &first),
            ("LAST([m1,m2])", &second),
            ("FIRST(m1)", &first),
            ("FIRST(SORT(METRICS(), AVG, DESC))", &second),
            ("LAST(SORT([m2,m1], MIN, ASC))", &first),
            ("FIRST(SORT(METRICS(), SUM, DESC, 1))", &second),
            ("FIRST(SLICE([m1,m2], 1))", &second),
            ("LAST(SLICE([m1,m2], 0, 1))", &first),
            ("FIRST(REMOVE_EMPTY([m1/0,m2]))", &second),
            ("FIRST(METRICS(\"2\"))", &second),
        ] {
            assert_eq!(&points(text), expected, "{text}");
        }
        assert_eq!(points("m1*0+METRIC_COUNT(METRICS('m'))"), [(0, 2.0), (60, 2.0), (180, 2.0)]);
    }

    #[test]
    fn every_point_has_the_parts_of_its_time() {
        // 1970-01-01 was a Thursday.
        for (text, expected) in [
            ("EPOCH(m2)", [60.0, 120.0, 180.0]),
            ("MINUTE(m2)", [1.0, 2.0, 3.0]),
            ("HOUR(m2)", [0.0; 3]),
            ("DAY(m2)", [4.0; 3]),
            ("DATE(m2)", [1.0; 3]),
            ("MONTH(m2)", [1.0; 3]),
            ("YEAR(m2)", [1970.0; 3]),
        ] {
            assert_eq!(
                points(text).into_iter().map(|(_, value)| value).collect::<Vec<_>>(),
                expected,
                "{text}"
            );
        }
        assert_eq!(points("TIME_SERIES(7)"), [(0, 7.0), (60, 7.0), (120, 7.0), (180, 7.0)]);
    }

    #[test]
    fn a_quota_stands_at_every_point_of_its_metric_and_nowhere_without_one() {
        assert_eq!(points("SERVICE_QUOTA(m1)"), [(0, 64.0), (60, 64.0), (180, 64.0)]);
        assert_eq!(points("SERVICE_QUOTA(m2)"), []);
        assert_eq!(points("100*m1/SERVICE_QUOTA(m1)"), [(0, 1.5625), (60, 3.125), (180, 6.25)]);
    }

    #[test]
    fn unknown_ids_and_lists_of_lists_are_refused() {
        for text in [
            "m3",
            "METRICS()+METRICS()",
            "[1]",
            "1/0",
            "PERIOD(3)",
            "FILL(1,2)",
            "SERVICE_QUOTA(1)",
            "SERVICE_QUOTA(m3)",
            "FIRST(1)",
            "FIRST(METRICS('x'))",
            "SORT(METRICS(), m1, ASC)",
            "SLICE(METRICS(), 0-1)",
            "TIME_SERIES(m1)",
            "AVG + 1",
        ] {
            assert!(evaluate(&parse(text).unwrap(), &Two).is_err(), "{text}");
        }
    }
}
