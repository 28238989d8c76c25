//! The calls, their pages, and what stays partial.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode,
};
use jiff::Timestamp;
use scaling_control::PortError;
use scaling_control::ports::{MetricSeries, Unread};

use super::plan::{Batch, GET, Lookup, Plan, Window};
use crate::bounded::each;
use crate::moment::timestamp;

/// Pages of one call; an answer that goes on longer than this does not end.
const MOST_PAGES: usize = 1000;

/// Calls that are made to find the lookups that a call was refused for, besides the call itself. One bad lookup among
/// 500 takes 2 x 9 of them, three among 500 at most 48; what cannot be told apart within the limit is lost together.
const MOST_APART: usize = 48;

/// Reads what the plan asks for; one series for each of its queries. What could not be read is an empty series that
/// says why.
///
/// # Errors
/// Nothing could be read.
pub(crate) async fn read(client: &Client, plan: Plan) -> Result<Vec<MetricSeries>, PortError> {
    let batches = plan.batches();
    let calls = batches.iter().map(|batch| {
        let lookups = batch.members.iter().map(|place| plan.lookups[*place].clone()).collect();
        read_batch(client.clone(), batch.window, lookups)
    });
    let answers = each(GET.operation, calls.collect::<Vec<_>>()).await;
    let mut of_lookup = vec![MetricSeries::default(); plan.lookups.len()];
    let (mut answered, mut failure) = (batches.is_empty(), None);
    for (Batch { members, .. }, answer) in batches.iter().zip(answers) {
        match answer {
            Ok(series) => {
                answered = true;
                for (place, series) in members.iter().zip(series) {
                    of_lookup[*place] = series;
                }
            }
            Err(error) => {
                tracing::warn!(%error, metrics = members.len(), "metrics could not be read");
                let unread = MetricSeries::unread(error.for_another().into());
                for place in members {
                    of_lookup[*place] = unread.clone();
                }
                failure = Some(error);
            }
        }
    }
    if let Some(error) = failure.filter(|_| !answered) {
        return Err(error);
    }
    let series_of =
        |place: &Option<usize>| place.map_or_else(MetricSeries::default, |place| of_lookup[place].clone());
    Ok(plan.of_query.iter().map(series_of).collect())
}

/// What has been read of one lookup.
#[derive(Debug, Clone, Default)]
struct Progress {
    points: BTreeMap<Timestamp, f64>,
    status: Option<StatusCode>,
    unusable: bool,
    unread: Option<Unread>,
}

impl Progress {
    fn is_complete(&self) -> bool {
        self.status == Some(StatusCode::Complete)
    }

    fn series(self) -> MetricSeries {
        let partial = self.unusable || !self.is_complete();
        let forbidden = (self.status == Some(StatusCode::Forbidden)).then(|| Unread::from(forbidden()));
        let unread = self.unread.filter(|_| self.status.is_none()).or(forbidden);
        MetricSeries { points: self.points.into_iter().collect(), partial, unread }
    }
}

/// What CloudWatch says of a series in the place of its points.
fn forbidden() -> PortError {
    let message = "the controller may not read this metric".to_owned();
    PortError::Denied { operation: GET.operation, message }
}

/// Reads one call's lookups, and once more those that came back incomplete.
///
/// # Errors
/// None of them could be read.
async fn read_batch(
    client: Client,
    window: Window,
    lookups: Vec<Lookup>,
) -> Result<Vec<MetricSeries>, PortError> {
    let mut progress = vec![Progress::default(); lookups.len()];
    let all: BTreeSet<usize> = (0..lookups.len()).collect();
    let read = fetch_apart(&client, window, &lookups, all, &mut progress).await?;
    let again: BTreeSet<usize> =
        read.into_iter().filter(|place| may_be_completed(&progress[*place])).collect();
    if !again.is_empty() {
        // What has been read stays, whatever becomes of the second try.
        if let Err(error) = fetch(&client, window, &lookups, &again, &mut progress).await {
            tracing::warn!(%error, series = again.len(), "incomplete metrics could not be read again");
        }
    }
    Ok(progress.into_iter().map(Progress::series).collect())
}

/// Reads the lookups at `places`. The service refuses a whole call for one lookup that it does not take, so that a
/// refused call is made again in halves, until what was refused stands alone; the larger parts first. Returns the places
/// that were read.
///
/// # Errors
/// None was.
async fn fetch_apart(
    client: &Client,
    window: Window,
    lookups: &[Lookup],
    places: BTreeSet<usize>,
    progress: &mut [Progress],
) -> Result<BTreeSet<usize>, PortError> {
    let mut read = BTreeSet::new();
    let mut failure = None;
    let mut planned = 0;
    let mut parts = VecDeque::from([places]);
    while let Some(mut part) = parts.pop_front() {
        match fetch(client, window, lookups, &part, progress).await {
            Ok(()) => read.append(&mut part),
            Err(PortError::Invalid { .. }) if part.len() > 1 && planned < MOST_APART => {
                planned += 2;
                let middle = part.iter().nth(part.len() / 2).copied().unwrap_or_default();
                let upper = part.split_off(&middle);
                parts.extend([part, upper]);
            }
            Err(error) => {
                let refused = part.first().map(|place| &lookups[*place]);
                tracing::warn!(
                    %error,
                    metrics = part.len(),
                    namespace = refused.map(|lookup| &*lookup.namespace),
                    metric = refused.map(|lookup| &*lookup.metric),
                    "not read"
                );
                let unread = Unread::from(error.for_another());
                for place in &part {
                    progress[*place].unread = Some(unread.clone());
                }
                failure = Some(error);
            }
        }
    }
    match failure {
        Some(error) if read.is_empty() => Err(error),
        _ => Ok(read),
    }
}

/// Asking again helps unless the metric is another account's and forbidden.
fn may_be_completed(progress: &Progress) -> bool {
    !progress.is_complete() && progress.status != Some(StatusCode::Forbidden)
}

/// Reads the lookups at `places`, page by page. Their identifiers are `m` and the place.
async fn fetch(
    client: &Client,
    window: Window,
    lookups: &[Lookup],
    places: &BTreeSet<usize>,
    progress: &mut [Progress],
) -> Result<(), PortError> {
    let queries: Vec<_> = places.iter().map(|place| query(*place, &lookups[*place])).collect();
    let mut token: Option<String> = None;
    for _ in 0..MOST_PAGES {
        let answer = client
            .get_metric_data()
            .set_metric_data_queries(Some(queries.clone()))
            .start_time(DateTime::from_secs(window.from))
            .end_time(DateTime::from_secs(window.to))
            .scan_by(ScanBy::TimestampAscending)
            .set_next_token(token.clone())
            .send()
            .await
            .map_err(|error| GET.error("the metrics", error))?;
        for result in answer.metric_data_results() {
            let place = result.id().and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
            let Some(place) = place.filter(|place| places.contains(place)) else {
                return Err(GET.malformed(format!("a series that was not asked for: {:?}", result.id())));
            };
            take(result, &lookups[place], &mut progress[place])?;
        }
        let next = answer.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(());
        }
        if next == token {
            break;
        }
        token = next;
    }
    Err(GET.malformed("the pages do not end"))
}

/// Adds a page's points of one series, those of its own window.
fn take(result: &MetricDataResult, lookup: &Lookup, progress: &mut Progress) -> Result<(), PortError> {
    let (moments, values) = (result.timestamps(), result.values());
    if moments.len() != values.len() {
        return Err(GET.malformed(format!("{} timestamps for {} values", moments.len(), values.len())));
    }
    for (moment, value) in moments.iter().zip(values) {
        match timestamp(moment) {
            Some(start) if value.is_finite() => {
                if lookup.covers(start.as_second()) {
                    progress.points.insert(start, *value);
                }
            }
            _ => progress.unusable = true,
        }
    }
    progress.status = result.status_code().cloned();
    Ok(())
}

fn query(place: usize, lookup: &Lookup) -> MetricDataQuery {
    let dimension = |dimension: &scaling_policy::config::Dimension| {
        Dimension::builder().name(&dimension.name).value(&dimension.value).build()
    };
    let dimensions: Vec<_> = lookup.dimensions.iter().map(dimension).collect();
    let metric = Metric::builder()
        .namespace(&lookup.namespace)
        .metric_name(&lookup.metric)
        .set_dimensions((!dimensions.is_empty()).then_some(dimensions))
        .build();
    let statistic = MetricStat::builder()
        .metric(metric)
        // The plan has checked that it fits.
        .period(i32::try_from(lookup.period).unwrap_or(i32::MAX))
        .stat(lookup.statistic)
        .build();
    MetricDataQuery::builder().id(format!("m{place}")).metric_stat(statistic).return_data(true).build()
}
