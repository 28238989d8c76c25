//! The account's quotas, by CloudWatch.

use ciborium::Value;
use scaling_control::ports::{GroupReader, Quota};
use scaling_fleet::TypeName;

use crate::cloudwatch::{array, member, page, series, text};
use crate::script::Script;

const T: i64 = 1_772_366_400;

fn types(names: &[&str]) -> Vec<TypeName> {
    names.iter().map(|name| TypeName::new(*name)).collect()
}

#[tokio::test(start_paused = true)]
async fn each_kind_is_asked_for_once_and_its_newest_value_counts() {
    // Newest first, as the service answers.
    let script = Script::of([page(
        vec![
            series("used0", "Complete", &[(T + 300, 8.0), (T, 4.0)]),
            series("quota0", "Complete", &[(T + 300, 64.0), (T, 32.0)]),
            series("used1", "Complete", &[(T, 48.0)]),
            series("quota1", "Complete", &[(T, 512.0)]),
        ],
        None,
    )]);
    let quotas = script.platform().quotas(&types(&["m7i.large", "g5.xlarge", "c7i.large"])).await.unwrap();
    let quota = |class: &str, used_vcpu, limit_vcpu| Quota { class: class.to_owned(), limit_vcpu, used_vcpu };
    assert_eq!(quotas[&TypeName::new("m7i.large")], quota("Standard/OnDemand", 48.0, 512.0));
    assert_eq!(quotas[&TypeName::new("c7i.large")], quota("Standard/OnDemand", 48.0, 512.0));
    assert_eq!(quotas[&TypeName::new("g5.xlarge")], quota("G/OnDemand", 8.0, 64.0));

    let sent = script.sent();
    let [sent] = &sent[..] else { panic!("one call, not {}", sent.len()) };
    let body: Value = ciborium::from_reader(sent.body.as_slice()).unwrap();
    let queries = array(member(&body, "MetricDataQueries").unwrap());
    assert_eq!(queries.len(), 4);
    let metric = member(member(&queries[0], "MetricStat").unwrap(), "Metric").unwrap();
    assert_eq!(text(member(metric, "Namespace").unwrap()), "AWS/Usage");
    assert_eq!(text(member(&queries[1], "Expression").unwrap()), "SERVICE_QUOTA(used0)");
}

#[tokio::test(start_paused = true)]
async fn a_kind_without_usage_or_quota_is_left_out() {
    let nothing = page(vec![series("used0", "Complete", &[]), series("quota0", "Complete", &[])], None);
    let script = Script::of([nothing]);
    assert!(script.platform().quotas(&types(&["m7i.large"])).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_for_types_without_a_known_quota() {
    let script = Script::of([]);
    assert!(script.platform().quotas(&types(&["mac2.metal"])).await.unwrap().is_empty());
    assert!(script.sent().is_empty());
}
