//! `GetMetricData`.

use std::collections::BTreeMap;

use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use super::labels::{self, Source};
use super::members::Seconds;
use super::metric::required;
use super::paging;
use super::queries::{Ask, MetricDataQuery, Queries, ResultLine, Span, as_validation};
use super::series;
use crate::region::Region;
use crate::wire::AwsError;

/// Most queries of one call.
const MAX_QUERIES: usize = 500;

/// Most points of one reply, and how many when the caller does not say.
const MAX_DATAPOINTS: i64 = 100_800;

/// Input of `GetMetricData`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct GetMetricData {
    /// The queries.
    pub metric_data_queries: Vec<MetricDataQuery>,
    /// The earliest time.
    pub start_time: Option<Seconds>,
    /// The time before which points begin.
    pub end_time: Option<Seconds>,
    /// From the page before.
    pub next_token: Option<String>,
    /// `TimestampDescending`, the default, or `TimestampAscending`.
    pub scan_by: Option<String>,
    /// Most points of one reply.
    pub max_datapoints: Option<i64>,
    /// How labels are written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_options: Option<LabelOptions>,
}

/// How labels are written.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LabelOptions {
    /// The offset of the times in them, such as `+0130`.
    pub timezone: Option<String>,
}

/// Output of `GetMetricData`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricData {
    /// The results.
    pub metric_data_results: Vec<MetricDataResult>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// Nothing is ever reported.
    pub messages: Vec<()>,
}

/// One result, or a page of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricDataResult {
    /// The query's id.
    pub id: String,
    /// Its label.
    pub label: String,
    /// Starts of the periods.
    pub timestamps: Vec<Seconds>,
    /// Their values.
    pub values: Vec<f64>,
    /// `Complete`, or `PartialData` when more follows on the next page.
    pub status_code: &'static str,
}

/// Where a page begins: in which result, and behind which time of it.
#[derive(Debug, Clone, Copy, Default)]
struct Position {
    result: usize,
    behind: Option<i64>,
}

/// Reads metrics and expressions over a span of time, by pages.
///
/// # Errors
/// `ValidationError` by the service's rules, `InvalidNextToken` for a token that does not belong to the request.
pub fn get_metric_data(region: &mut Region, input: &GetMetricData) -> Result<MetricData, AwsError> {
    if input.metric_data_queries.is_empty() {
        return required(None, "MetricDataQueries");
    }
    if input.metric_data_queries.len() > MAX_QUERIES {
        return Err(AwsError::validation(format!(
            "The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
        )));
    }
    let (start, end) = range(input).map_err(as_validation)?;
    let descending = match input.scan_by.as_deref() {
        None | Some("TimestampDescending") => true,
        Some("TimestampAscending") => false,
        Some(other) => {
            return Err(AwsError::validation(format!(
                "The value {other} for parameter ScanBy is not supported."
            )));
        }
    };
    let most = input.max_datapoints.unwrap_or(MAX_DATAPOINTS);
    if !(1..=MAX_DATAPOINTS).contains(&most) {
        return Err(AwsError::validation(format!(
            "The parameter MaxDatapoints must be 1 to {MAX_DATAPOINTS}."
        )));
    }
    let queries = Queries::check(&input.metric_data_queries, "MetricDataQueries")?;
    let fingerprint = fingerprint(input);
    let position =
        input.next_token.as_deref().map_or(Ok(Position::default()), |token| resumed(token, fingerprint))?;
    let offset = offset(input)?;
    let mut results = read(region, &queries, start, end)?;
    for result in &mut results {
        if let Some(query) = queries.all.iter().find(|query| query.id == result.id) {
            let source = Source { region, query, points: &result.points, offset };
            result.label = labels::filled(&result.label, &source);
        }
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let (metric_data_results, next) = page(results, position, most, descending);
    let next_token = next.map(|next| {
        let behind = next.behind.map_or(0, i64::cast_unsigned);
        paging::token(&[next.result as u64, u64::from(next.behind.is_some()), behind, fingerprint])
    });
    Ok(MetricData { metric_data_results, next_token, messages: Vec::new() })
}

fn offset(input: &GetMetricData) -> Result<Offset, AwsError> {
    let Some(zone) = input.label_options.as_ref().and_then(|options| options.timezone.as_deref()) else {
        return Ok(Offset::UTC);
    };
    labels::offset(zone).ok_or_else(|| {
        AwsError::validation(format!(
            "The value {zone} for parameter LabelOptions.Timezone is not supported."
        ))
    })
}

fn range(input: &GetMetricData) -> Result<(i64, i64), AwsError> {
    let start = required(input.start_time, "StartTime")?;
    let end = required(input.end_time, "EndTime")?;
    if start.timestamp().is_none() || end.timestamp().is_none() {
        return Err(AwsError::validation("The parameters StartTime and EndTime must be times."));
    }
    if start >= end {
        return Err(AwsError::validation("The parameter StartTime must be less than the parameter EndTime."));
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is a time that there is, so it fits")]
    let end = end.0.ceil() as i64;
    Ok((start.whole(), end))
}

/// Results with the start rounded as the service does. A period that is too fine for the start's age finds nothing.
fn read(region: &Region, queries: &Queries, start: i64, end: i64) -> Result<Vec<ResultLine>, AwsError> {
    let now = region.now.as_second();
    let finest = series::resolution(now - start);
    let periods: BTreeMap<&str, i64> = queries
        .all
        .iter()
        .filter_map(|query| match &query.ask {
            Ask::Stat(asked) => Some((query.id.as_str(), asked.period)),
            Ask::Math(_) => None,
        })
        .collect();
    let shortest = periods.values().copied().min().unwrap_or(60);
    let from = series::rounded_start(start, shortest, now);
    let mut results = queries.read(region, Span { from, to: end, aligned: true })?;
    for result in &mut results {
        if periods.get(result.id.as_str()).is_some_and(|period| period % finest != 0) {
            result.points.clear();
        }
    }
    Ok(results)
}

/// At most `most` points from `position` on, and where the next page begins.
fn page(
    results: Vec<ResultLine>,
    position: Position,
    most: usize,
    descending: bool,
) -> (Vec<MetricDataResult>, Option<Position>) {
    let mut left = most;
    let mut pages = Vec::new();
    for (number, ResultLine { id, label, points }) in results.into_iter().enumerate().skip(position.result) {
        let behind = position.behind.filter(|_| number == position.result);
        let mut scanned: Vec<(i64, f64)> = points.into_iter().collect();
        if descending {
            scanned.reverse();
        }
        scanned.retain(|(time, _)| {
            behind.is_none_or(|behind| if descending { *time < behind } else { *time > behind })
        });
        let complete = scanned.len() <= left;
        if left == 0 && !complete {
            // The reply is full before this one begins.
            return (pages, Some(Position { result: number, behind }));
        }
        scanned.truncate(left);
        left -= scanned.len();
        let last = scanned.last().map(|(time, _)| *time);
        let (timestamps, values) =
            scanned.into_iter().map(|(time, value)| (Seconds::from(time), value)).unzip();
        let status_code = if complete { "Complete" } else { "PartialData" };
        pages.push(MetricDataResult { id, label, timestamps, values, status_code });
        if !complete {
            return (pages, Some(Position { result: number, behind: last }));
        }
    }
    (pages, None)
}

fn resumed(token: &str, fingerprint: u64) -> Result<Position, AwsError> {
    let [result, begun, behind, request] = paging::numbers(token)?;
    if request != fingerprint {
        return Err(AwsError::new("InvalidNextToken", "The next token belongs to another request."));
    }
    let behind = (begun == 1).then(|| behind.cast_signed());
    Ok(Position { result: usize::try_from(result).unwrap_or(usize::MAX), behind })
}

/// Of all that must stay the same from page to page.
fn fingerprint(input: &GetMetricData) -> u64 {
    let same = GetMetricData { next_token: None, max_datapoints: None, ..input.clone() };
    paging::checksum(&serde_json::to_vec(&same).unwrap_or_default())
}
