//! Metric queries, as `GetMetricData` and alarms have them: checked once, then read over a range of time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::expression::{self, Expression};
use super::math::{self, Line, Outcome, Points, Scope};
use super::metric::{Metric, MetricKey, Unit, required, unit};
use super::series::{self, Window};
use super::statistic::Statistic;
use super::usage;
use crate::region::Region;
use crate::wire::AwsError;

/// A query as a member of requests and replies.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MetricDataQuery {
    /// Its id, unique in the request; expressions refer to it.
    pub id: Option<String>,
    /// Either a metric,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<MetricStat>,
    /// or an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// How the result is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it is returned, or only referred to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_data: Option<bool>,
    /// Period of an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<i64>,
    /// Account of the metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
}

/// A metric with period and statistic.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MetricStat {
    /// The metric.
    pub metric: Option<Metric>,
    /// Period in seconds.
    pub period: Option<i64>,
    /// Statistic.
    pub stat: Option<String>,
    /// Only samples of this unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A query that keeps all rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Query {
    /// Its id.
    pub id: String,
    /// How the result is called.
    pub label: String,
    /// Whether it is returned.
    pub returned: bool,
    /// What it asks for.
    pub ask: Ask,
}

/// What a query asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Ask {
    /// A metric.
    Stat(Stat),
    /// An expression over the others.
    Math(Expression),
}

/// A metric with period and statistic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stat {
    /// The metric.
    pub key: MetricKey,
    /// Period in seconds.
    pub period: i64,
    /// Statistic.
    pub statistic: Statistic,
    /// Only samples of this unit.
    #[serde(deserialize_with = "crate::kept::forms::unit")]
    pub unit: Option<Unit>,
}

impl Stat {
    /// Its points in periods of its length from `from` on; those of which the statistic is not known are left out.
    pub fn points(&self, region: &Region, from: i64, to: i64) -> Points {
        let window = Window { from, to, period: self.period, unit: self.unit };
        series::read(region, &self.key, window)
            .into_iter()
            .filter_map(|(start, bucket)| Some((start, bucket.statistic(self.statistic)?)))
            .collect()
    }
}

/// Queries that fit together, in the order given.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Queries {
    /// The queries.
    pub all: Vec<Query>,
    /// Positions of the expressions, each behind those that it refers to.
    order: Vec<usize>,
}

/// The span of time that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Start in seconds.
    pub from: i64,
    /// End in seconds; periods begin before it.
    pub to: i64,
    /// Whether periods begin at multiples of their length, rather than at `from`.
    pub aligned: bool,
}

impl Span {
    fn start(self, period: i64) -> i64 {
        if self.aligned { self.from.div_euclid(period) * period } else { self.from }
    }
}

/// One result.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultLine {
    /// The query's id.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Its points.
    pub points: Points,
}

/// Faults of queries go by another code than those of single parameters.
pub fn as_validation(error: AwsError) -> AwsError {
    AwsError { code: "ValidationError".into(), ..error }
}

impl Queries {
    /// Checks queries. `member` is the list's name, for errors.
    ///
    /// # Errors
    /// `ValidationError` by the service's rules, and for expressions that this emulator does not know.
    pub fn check(given: &[MetricDataQuery], member: &str) -> Result<Self, AwsError> {
        let read =
            |(number, query): (usize, &MetricDataQuery)| read(query, &format!("{member}.member.{number}"));
        let all: Vec<Query> = (1..).zip(given).map(read).collect::<Result<_, _>>().map_err(as_validation)?;
        let ids: BTreeSet<&str> = all.iter().map(|query| query.id.as_str()).collect();
        if ids.len() < all.len() {
            return Err(AwsError::validation(format!(
                "The values for parameter Id in {member} are not unique."
            )));
        }
        let order = order(&all)?;
        Ok(Self { all, order })
    }

    /// Reads all of them over a span, and returns those that are asked for.
    ///
    /// # Errors
    /// `ValidationError` for expressions that come to no metric.
    pub fn read(&self, region: &Region, span: Span) -> Result<Vec<ResultLine>, AwsError> {
        let mut known = Known { queries: self, region, span, lines: BTreeMap::new() };
        for (position, query) in self.all.iter().enumerate() {
            if let Ask::Stat(stat) = &query.ask {
                let points = stat.points(region, span.start(stat.period), span.to);
                known.lines.insert(position, vec![Line { points, period: stat.period }]);
            }
        }
        for position in &self.order {
            if let Some(Query { id, ask: Ask::Math(expression), .. }) = self.all.get(*position) {
                let lines = match math::evaluate(expression, &known) {
                    Ok(Outcome::Line(line)) => vec![line],
                    Ok(Outcome::Lines(lines)) => lines,
                    Ok(Outcome::Number(_)) => {
                        return Err(wrong(id, "It must come to a metric, not to a number"));
                    }
                    Err(reason) => return Err(wrong(id, &reason)),
                };
                known.lines.insert(*position, lines);
            }
        }
        let mut results = Vec::new();
        for (position, query) in self.all.iter().enumerate().filter(|(_, query)| query.returned) {
            for line in known.lines.remove(&position).unwrap_or_default() {
                let (id, label) = (query.id.clone(), query.label.clone());
                results.push(ResultLine { id, label, points: line.points });
            }
        }
        Ok(results)
    }
}

fn wrong(id: &str, reason: &str) -> AwsError {
    AwsError::validation(format!("Error in expression '{id}': {reason}."))
}

fn read(query: &MetricDataQuery, at: &str) -> Result<Query, AwsError> {
    let id = required(query.id.clone(), &format!("{at}.Id"))?;
    let well_formed = id.starts_with(|c: char| c.is_ascii_lowercase())
        && id.len() <= 255
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !well_formed {
        return Err(AwsError::validation(format!(
            "The value {id} for parameter {at}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."
        )));
    }
    let ask = match (&query.metric_stat, &query.expression) {
        (Some(given), None) => Ask::Stat(stat(given, &format!("{at}.MetricStat"))?),
        (None, Some(text)) => Ask::Math(expression::parse(text).map_err(|reason| wrong(&id, &reason))?),
        _ => {
            return Err(AwsError::validation(format!(
                "Exactly one of the parameters {at}.MetricStat and {at}.Expression must be specified."
            )));
        }
    };
    let label = match (&query.label, &ask) {
        (Some(label), _) => label.clone(),
        (None, Ask::Stat(stat)) => stat.key.name.clone(),
        (None, Ask::Math(_)) => id.clone(),
    };
    Ok(Query { id, label, returned: query.return_data.unwrap_or(true), ask })
}

fn stat(given: &MetricStat, at: &str) -> Result<Stat, AwsError> {
    let metric = required(given.metric.as_ref(), &format!("{at}.Metric"))?;
    let member = format!("{at}.Period");
    Ok(Stat {
        key: metric.key(&format!("{at}.Metric"))?,
        period: series::period(required(given.period, &member)?, &member)?,
        statistic: Statistic::parse(required(given.stat.as_deref(), &format!("{at}.Stat"))?)?,
        unit: given.unit.as_deref().map(|name| unit(name, &format!("{at}.Unit"))).transpose()?,
    })
}

/// Positions of the expressions such that each comes behind those that it refers to.
fn order(all: &[Query]) -> Result<Vec<usize>, AwsError> {
    let position = |id: &str| all.iter().position(|query| query.id == id);
    let mut waiting: Vec<(usize, Vec<usize>)> = Vec::new();
    for (number, query) in all.iter().enumerate() {
        let Ask::Math(expression) = &query.ask else { continue };
        let (mut needs, mut unknown) = (Vec::new(), None);
        expression.ids(&mut |id| match position(id) {
            Some(other) => needs.push(other),
            None => unknown = Some(id.to_owned()),
        });
        if let Some(id) = unknown {
            return Err(wrong(&query.id, &format!("Unrecognized id {id}")));
        }
        waiting.push((number, needs));
    }
    let mut order: Vec<usize> = Vec::new();
    while !waiting.is_empty() {
        let open: BTreeSet<usize> = waiting.iter().map(|(number, _)| *number).collect();
        let (ready, later): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|(_, needs)| needs.iter().all(|need| !open.contains(need)));
        if ready.is_empty() {
            let circle = later.first().and_then(|(number, _)| all.get(*number));
            return Err(wrong(circle.map_or("", |query| &query.id), "It refers to itself"));
        }
        order.extend(ready.into_iter().map(|(number, _)| number));
        waiting = later;
    }
    Ok(order)
}

/// What is worked out so far.
struct Known<'a> {
    queries: &'a Queries,
    region: &'a Region,
    span: Span,
    lines: BTreeMap<usize, Vec<Line>>,
}

impl Scope for Known<'_> {
    fn get(&self, id: &str) -> Option<Outcome> {
        let position = self.queries.all.iter().position(|query| query.id == id)?;
        let lines = self.lines.get(&position)?;
        Some(match lines.as_slice() {
            [line] => Outcome::Line(line.clone()),
            _ => Outcome::Lines(lines.clone()),
        })
    }

    fn metrics(&self, part: &str) -> Vec<Line> {
        let is_meant = |query: &Query| matches!(query.ask, Ask::Stat(_)) && query.id.contains(part);
        let stats = self.queries.all.iter().enumerate().filter(|(_, query)| is_meant(query));
        stats.filter_map(|(position, _)| self.lines.get(&position)).flatten().cloned().collect()
    }

    fn range(&self, period: i64) -> (i64, i64) {
        (self.span.start(period), self.span.to)
    }

    fn quota(&self, id: &str) -> Option<f64> {
        match &self.queries.all.iter().find(|query| query.id == id)?.ask {
            Ask::Stat(stat) => usage::quota(self.region, &stat.key),
            Ask::Math(_) => None,
        }
    }
}
