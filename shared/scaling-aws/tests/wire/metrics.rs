//! Reading metrics.

use std::collections::BTreeMap;

use jiff::Timestamp;
use scaling_control::ports::{MetricQuery, MetricReader, MetricSeries, Unread};
use scaling_policy::Trigger;
use scaling_policy::config::{Absence, Dimension, MetricBinding, Statistic};

use crate::cloudwatch::{self, Asked, Request, page, series};
use crate::script::{Reply, Script, group};

/// A whole multiple of every period used here.
const T: i64 = 1_772_366_400;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn query(metric: &str, period: u32, from: i64, to: i64) -> MetricQuery {
    MetricQuery {
        group: group("web"),
        trigger: Trigger::CpuUsage,
        binding: MetricBinding {
            namespace: "AWS/EC2".to_owned(),
            metric: metric.to_owned(),
            dimensions: vec![Dimension { name: "AutoScalingGroupName".to_owned(), value: "web".to_owned() }],
            statistic: Statistic::Average,
            scale: 0.01,
            absence: Absence::Hold,
        },
        period_seconds: period,
        from: at(from),
        to: at(to),
    }
}

fn points(of: &[(i64, f64)]) -> Vec<(Timestamp, f64)> {
    of.iter().map(|(second, value)| (at(*second), *value)).collect()
}

fn complete(of: &[(i64, f64)]) -> MetricSeries {
    MetricSeries { points: points(of), ..MetricSeries::default() }
}

fn partial(of: &[(i64, f64)]) -> MetricSeries {
    MetricSeries { partial: true, ..complete(of) }
}

/// Whether nothing was read, for an error of this kind.
fn is_unread(series: &MetricSeries, kind: &str) -> bool {
    let why = matches!(&series.unread, Some(Unread::Failed(error)) if error.kind() == kind);
    why && series.partial && series.points.is_empty()
}

/// Answers every query with one complete point, whose value is the number in the metric's name.
fn numbered(request: &Request) -> Reply {
    let one = |query: &Asked| {
        let value: f64 = query.metric.trim_start_matches("metric-").parse().unwrap();
        series(&query.id, "Complete", &[(T, value)])
    };
    page(request.queries.iter().map(one).collect(), None)
}

#[tokio::test(start_paused = true)]
async fn a_query_becomes_whole_periods_of_one_metric_oldest_first() {
    let script = Script::of([page(vec![series("m0", "Complete", &[(T, 40.0), (T + 60, 55.5)])], None)]);
    let read = script.platform().read(&[query("CPUUtilization", 60, T + 7, T + 185)]).await.unwrap();

    let sent = script.sent();
    assert_eq!(sent[0].uri, "http://aws.test/service/GraniteServiceVersion20100801/operation/GetMetricData");
    let request = Request::of(&sent[0]);
    assert_eq!(
        request.queries,
        [Asked {
            id: "m0".to_owned(),
            namespace: "AWS/EC2".to_owned(),
            metric: "CPUUtilization".to_owned(),
            dimensions: vec![("AutoScalingGroupName".to_owned(), "web".to_owned())],
            period: 60,
            statistic: "Average".to_owned(),
        }]
    );
    assert_eq!((request.from, request.to), (T as f64, (T + 180) as f64));
    assert_eq!(request.scan_by, "TimestampAscending");
    assert_eq!(request.token, None);
    assert_eq!(read, [complete(&[(T, 40.0), (T + 60, 55.5)])]);
}

#[tokio::test(start_paused = true)]
async fn twelve_hundred_queries_are_three_calls_and_answers_keep_the_order_of_the_queries() {
    let script = Script::new(|sent, _| numbered(&Request::of(sent)));
    let queries: Vec<_> = (0..1200).map(|number| query(&format!("metric-{number}"), 60, T, T + 60)).collect();
    let platform = script.platform();
    let read = platform.read(&queries).await.unwrap();

    let sizes: Vec<_> = script.sent().iter().map(|sent| Request::of(sent).queries.len()).collect();
    assert_eq!(sizes, [500, 500, 200]);
    assert_eq!(platform.clients().counter().snapshot(), BTreeMap::from([("GetMetricData".to_owned(), 3)]));
    let expected: Vec<_> = (0..1200).map(|number| complete(&[(T, f64::from(number))])).collect();
    assert_eq!(read, expected);
}

#[tokio::test(start_paused = true)]
async fn the_same_series_asked_twice_is_read_once() {
    let script = Script::new(|sent, _| numbered(&Request::of(sent)));
    let queries = [7, 3, 7].map(|number| query(&format!("metric-{number}"), 60, T, T + 60));
    let read = script.platform().read(&queries).await.unwrap();
    assert_eq!(Request::of(&script.sent()[0]).queries.len(), 2);
    assert_eq!(read, [7.0, 3.0, 7.0].map(|value| complete(&[(T, value)])));
}

#[tokio::test(start_paused = true)]
async fn windows_that_differ_a_little_share_a_call_and_each_query_keeps_its_own_points() {
    let script = Script::new(|sent, _| {
        let one = |query: &Asked| {
            let starts = (0..20)
                .map(|step| T - 600 + step * 60)
                .filter(|start| i128::from(*start) % query.period == 0);
            series(&query.id, "Complete", &starts.map(|start| (start, 1.0)).collect::<Vec<_>>())
        };
        page(Request::of(sent).queries.iter().map(one).collect(), None)
    });
    let queries = [query("a", 60, T + 60, T + 180), query("b", 300, T - 300, T + 180)];
    let read = script.platform().read(&queries).await.unwrap();

    assert_eq!(script.sent().len(), 1);
    let request = Request::of(&script.sent()[0]);
    assert_eq!((request.from, request.to), ((T - 300) as f64, (T + 300) as f64));
    assert_eq!(read, [complete(&[(T + 60, 1.0), (T + 120, 1.0)]), complete(&[(T - 300, 1.0)])]);
}

#[tokio::test(start_paused = true)]
async fn a_span_without_a_whole_period_is_an_empty_series_and_no_call() {
    let script = Script::of(Vec::<Reply>::new());
    let read = script.platform().read(&[query("CPUUtilization", 60, T + 1, T + 59)]).await.unwrap();
    assert_eq!(read, [MetricSeries::default()]);
    assert_eq!(script.platform().read(&[]).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_metric_without_points_is_an_empty_series() {
    let script = Script::of([page(vec![series("m0", "Complete", &[])], None)]);
    let read = script.platform().read(&[query("CPUUtilization", 60, T, T + 60)]).await.unwrap();
    assert_eq!(read, [MetricSeries::default()]);
}

#[tokio::test(start_paused = true)]
async fn partial_data_is_completed_by_the_pages_that_follow() {
    let script = Script::of([
        page(vec![series("m0", "PartialData", &[(T, 1.0)])], Some("more")),
        page(vec![series("m0", "Complete", &[(T + 60, 2.0)])], None),
    ]);
    let read = script.platform().read(&[query("CPUUtilization", 60, T, T + 120)]).await.unwrap();
    assert_eq!(Request::of(&script.sent()[1]).token.as_deref(), Some("more"));
    assert_eq!(read, [complete(&[(T, 1.0), (T + 60, 2.0)])]);
}

#[tokio::test(start_paused = true)]
async fn a_series_that_stays_partial_is_asked_for_once_more_by_itself_and_then_says_so() {
    let script = Script::of([
        page(
            vec![
                series("m0", "Complete", &[(T, 1.0)]),
                series("m1", "PartialData", &[(T, 2.0)]),
                series("m2", "InternalError", &[]),
            ],
            None,
        ),
        page(
            vec![series("m1", "PartialData", &[(T + 60, 3.0)]), series("m2", "Complete", &[(T, 4.0)])],
            None,
        ),
    ]);
    let queries = ["a", "b", "c"].map(|metric| query(metric, 60, T, T + 120));
    let read = script.platform().read(&queries).await.unwrap();
    assert_eq!(Request::of(&script.sent()[1]).ids(), ["m1", "m2"]);
    assert_eq!(read, [complete(&[(T, 1.0)]), partial(&[(T, 2.0), (T + 60, 3.0)]), complete(&[(T, 4.0)]),]);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_is_kept_when_the_second_try_fails() {
    let script = Script::of([
        page(vec![series("m0", "PartialData", &[(T, 1.0)])], None),
        cloudwatch::error(403, "AccessDeniedException", "no longer"),
    ]);
    let read = script.platform().read(&[query("a", 60, T, T + 120)]).await.unwrap();
    assert_eq!(read, [partial(&[(T, 1.0)])]);
}

#[tokio::test(start_paused = true)]
async fn a_forbidden_series_says_so_and_is_not_asked_for_again() {
    let script = Script::of([page(vec![series("m0", "Forbidden", &[])], None)]);
    let read = script.platform().read(&[query("a", 60, T, T + 120)]).await.unwrap();
    assert!(is_unread(&read[0], "denied"), "{read:?}");
}

#[tokio::test(start_paused = true)]
async fn values_that_are_no_numbers_are_left_out_and_told() {
    let script = Script::of([page(vec![series("m0", "Complete", &[(T, f64::NAN), (T + 60, 2.0)])], None)]);
    let read = script.platform().read(&[query("a", 60, T, T + 120)]).await.unwrap();
    assert_eq!(read, [partial(&[(T + 60, 2.0)])]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_about_something_else_makes_no_sense() {
    let script = Script::of([page(vec![series("m5", "Complete", &[])], None)]);
    let error = script.platform().read(&[query("a", 60, T, T + 60)]).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable");
}

#[tokio::test(start_paused = true)]
async fn a_period_of_zero_is_refused() {
    let script = Script::of(Vec::<Reply>::new());
    let error = script.platform().read(&[query("a", 0, T, T + 60)]).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
}

/// Refuses every call that asks for a metric of `bad`, as the service does, and answers the others.
fn refusing(bad: &'static [&'static str]) -> Script {
    Script::new(move |sent, _| {
        let request = Request::of(sent);
        if request.queries.iter().any(|query| bad.contains(&query.metric.as_str())) {
            return cloudwatch::error(400, "InvalidParameterValueException", "Dimensions.member.1.Name");
        }
        numbered(&request)
    })
}

#[tokio::test(start_paused = true)]
async fn one_query_that_is_refused_takes_no_other_with_it() {
    let script = refusing(&["metric-123"]);
    let queries: Vec<_> = (0..500).map(|number| query(&format!("metric-{number}"), 60, T, T + 60)).collect();
    let read = script.platform().read(&queries).await.unwrap();
    for (number, series) in (0..).zip(&read) {
        if number == 123 {
            assert!(is_unread(series, "invalid"), "{series:?}");
        } else {
            assert_eq!(*series, complete(&[(T, f64::from(number))]));
        }
    }
    assert!(script.sent().len() <= 1 + 2 * 9, "{}", script.sent().len());
}

#[tokio::test(start_paused = true)]
async fn several_queries_that_are_refused_are_found_in_a_bounded_number_of_calls() {
    let script = refusing(&["metric-0", "metric-250", "metric-499"]);
    let queries: Vec<_> = (0..500).map(|number| query(&format!("metric-{number}"), 60, T, T + 60)).collect();
    let read = script.platform().read(&queries).await.unwrap();
    let unread: Vec<_> = (0..500).filter(|place| is_unread(&read[*place], "invalid")).collect();
    assert_eq!(unread, [0, 250, 499]);
    assert!(script.sent().len() <= 49, "{}", script.sent().len());

    let script = Script::new(|_, _| cloudwatch::error(400, "InvalidParameterValueException", "StartTime"));
    let error = script.platform().read(&queries).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
    assert!(script.sent().len() <= 49, "{}", script.sent().len());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_takes_no_other_call_with_it() {
    let script = Script::new(|sent, _| {
        let request = Request::of(sent);
        if request.queries.iter().any(|query| query.metric == "metric-700") {
            return cloudwatch::error(403, "AccessDeniedException", "no");
        }
        numbered(&request)
    });
    let queries: Vec<_> = (0..1200).map(|number| query(&format!("metric-{number}"), 60, T, T + 60)).collect();
    let read = script.platform().read(&queries).await.unwrap();
    for (number, series) in (0..).zip(&read) {
        if (500..1000).contains(&number) {
            assert!(is_unread(series, "denied"), "{series:?}");
        } else {
            assert_eq!(*series, complete(&[(T, f64::from(number))]));
        }
    }
    assert_eq!(script.sent().len(), 3);
}
