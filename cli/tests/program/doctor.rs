use std::path::Path;

use http::Response;
use http_body_util::Full;
use hyper::body::Bytes;
use jiff::{SignedDuration, Timestamp};
use scaling_control::ports::{Expected, NewRecord, StateStore as _};
use scaling_control::record::group_key;
use scaling_emulator::Fault;
use scaling_emulator::faults::When;
use scaling_emulator::region::usage::Class;
use scaling_store::SqliteStore;
use serde_json::{Value, json};

use crate::process::{Ended, Running, ended, eventually, http, http_with, program};
use crate::server::serve;
use crate::stage::{GROUP, changes, emulator, emulator_of_a_leak, emulator_with_past};

async fn doctor(folder: &Path, endpoint: Option<&str>, config: &Value, more: &[&str]) -> Ended {
    std::fs::write(folder.join("scaling.json"), config.to_string()).unwrap();
    let mut command = program(folder, endpoint);
    command.args(["doctor", "--config", "scaling.json", "--json"]).args(more);
    ended(command).await
}

fn config(group: &str) -> Value {
    json!({"mode": "horizontal", "control": "act", "policy": {"triggers": ["cpu_usage"]}, "groups": [{"name": group}]})
}

/// Verdict, detail and fix of the checks of that name.
fn found<'a>(answer: &'a Value, name: &str) -> Vec<(&'a str, &'a str, &'a str)> {
    let text = |check: &'a Value, member: &str| check[member].as_str().unwrap();
    let checks = answer["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name);
    checks.map(|check| (text(check, "verdict"), text(check, "detail"), text(check, "fix"))).collect()
}

#[tokio::test]
async fn a_healthy_controller_has_nothing_wrong_and_nothing_is_changed() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let told = doctor(folder.path(), Some(&emulator.endpoint()), &config(GROUP), &[]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    let answer = told.json();
    assert_eq!(found(&answer, "endpoint")[0].0, "good");
    assert_eq!(found(&answer, "permission").len(), 5, "{answer}");
    assert_eq!(changes(&emulator), 0, "{:?}", emulator.request_log());
    assert!(!folder.path().join("scaling.db").exists());
}

#[tokio::test]
async fn a_write_is_only_tried_on_request_and_with_the_capacity_that_is_there() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let told = doctor(folder.path(), Some(&emulator.endpoint()), &config(GROUP), &["--try-write"]).await;
    assert_eq!(found(&told.json(), "permission to change capacity"), [("good", GROUP, "")]);
}

#[tokio::test]
async fn nothing_at_the_address_is_told_with_what_to_look_at() {
    let folder = tempfile::tempdir().unwrap();
    let told = doctor(folder.path(), Some("http://127.0.0.1:9"), &config(GROUP), &[]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    let answer = told.json();
    let (verdict, _, fix) = found(&answer, "endpoint")[0];
    assert!(verdict == "wrong" && fix.contains("AWS_ENDPOINT_URL"), "{answer}");
}

#[tokio::test]
async fn without_credentials_it_says_where_they_come_from() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    std::fs::write(folder.path().join("scaling.json"), config(GROUP).to_string()).unwrap();
    let mut command = program(folder.path(), Some(&emulator.endpoint()));
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command.args(["doctor", "--config", "scaling.json", "--json"]);
    let answer = ended(command).await.json();
    assert!(found(&answer, "endpoint")[0].2.contains("AWS_PROFILE"), "{answer}");
}

#[tokio::test]
async fn an_unknown_group_and_a_missing_metric_are_found() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let answer = doctor(folder.path(), Some(&emulator.endpoint()), &config("wbe"), &[]).await.json();
    assert_eq!(found(&answer, "group wbe")[0].0, "wrong");
    assert_eq!(answer["wrong"], 1, "{answer}");
    assert_eq!(found(&answer, "permission to read instance refreshes")[0].0, "skipped");
    let unbound = json!({
        "mode": "horizontal", "policy": {"triggers": ["cpu_usage", "request_count"]}, "groups": [{"name": GROUP}]
    });
    let answer = doctor(folder.path(), Some(&emulator.endpoint()), &unbound, &[]).await.json();
    let group = found(&answer, "group web");
    assert!(
        group.iter().any(|(_, detail, fix)| detail.contains("request_count") && fix.contains("`metrics`")),
        "{answer}"
    );
}

const OF_ONE_GROUP: [&str; 2] =
    ["permission to read instance refreshes", "permission to read scaling activities"];

#[tokio::test]
async fn why_a_permission_was_not_tried_is_told_as_far_as_it_is_known() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let endpoint = emulator.endpoint();
    let mut many = config(GROUP);
    many["groups"] = (0..100).map(|number| json!({"name": format!("gone-{number}")})).collect();
    many["groups"].as_array_mut().unwrap().push(json!({"name": GROUP}));
    for (config, why) in
        [(config("wbe"), "none of the groups is there"), (many, "none of the first 100 groups is there")]
    {
        let answer = doctor(folder.path(), Some(&endpoint), &config, &[]).await.json();
        for check in OF_ONE_GROUP {
            assert_eq!(found(&answer, check), [("skipped", why, "")], "{answer}");
        }
    }
    let denied = Fault::Fail {
        operation: "AutoScaling.DescribeAutoScalingGroups".to_owned(),
        code: "AccessDenied".to_owned(),
        status: 403,
        when: When::default(),
    };
    emulator.inject(denied).unwrap();
    let answer = doctor(folder.path(), Some(&endpoint), &config(GROUP), &[]).await.json();
    assert_eq!(found(&answer, "permission to read groups")[0].0, "wrong", "{answer}");
    for check in OF_ONE_GROUP {
        assert_eq!(found(&answer, check), [("skipped", "the groups could not be read", "")], "{answer}");
    }
}

/// As many replicas as the group may have, all of m7i.large with 2 vCPU.
const MOST: u32 = 10;

#[tokio::test]
async fn a_quota_below_what_the_group_may_grow_to_is_found() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    for (vcpu, expected) in [(2 * MOST, 0), (2 * MOST - 1, 1)] {
        emulator.inject(Fault::VcpuQuota { class: Class::Standard, vcpu }).unwrap();
        let answer = doctor(folder.path(), Some(&emulator.endpoint()), &config(GROUP), &[]).await.json();
        let group = found(&answer, "group web");
        let told = group.iter().filter(|(verdict, detail, fix)| {
            *verdict == "warning"
                && detail.contains(&format!("may run {vcpu}"))
                && fix.contains("Service Quotas")
        });
        assert_eq!(told.count(), expected, "{vcpu}: {answer}");
    }
}

#[tokio::test]
async fn memory_that_rises_by_itself_is_told_from_memory_that_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({
        "mode": "hybrid", "policy": {"triggers": ["cpu_usage", "memory_usage"]}, "groups": [{"name": GROUP}]
    });
    // A quarter of 8 GiB a day; twenty hours of it.
    let leaking = emulator_of_a_leak(4.0, 1200).await;
    let answer = doctor(folder.path(), Some(&leaking.endpoint()), &config, &[]).await.json();
    let (verdict, detail, fix) = found(&answer, "memory of web")[0];
    assert!(verdict == "warning" && detail.contains("rises by 2"), "{answer}");
    assert!(fix.contains("leak"), "{answer}");
    let steady = emulator_with_past(4.0, 1200).await;
    let answer = doctor(folder.path(), Some(&steady.endpoint()), &config, &[]).await.json();
    assert_eq!(found(&answer, "memory of web")[0].0, "good", "{answer}");
    let young = emulator(4.0).await;
    let answer = doctor(folder.path(), Some(&young.endpoint()), &config, &[]).await.json();
    assert_eq!(found(&answer, "memory of web")[0].0, "skipped", "{answer}");
}

#[tokio::test]
async fn a_record_whose_learned_values_are_of_another_version_tells_the_rest() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let body = json!({
        "state": {"pause": {"by": "ada", "reason": "load test", "until": null}},
        "learned": {"version": "of another program"},
        "learned_at": Timestamp::now(),
    });
    let store = SqliteStore::open(folder.path().join("scaling.db")).unwrap();
    let record = NewRecord { key: group_key(&GROUP.into()), body: body.to_string(), expires: None };
    store.put(record, Expected::Absent).await.unwrap();
    drop(store);
    let answer = doctor(folder.path(), Some(&emulator.endpoint()), &config(GROUP), &[]).await.json();
    let controls = found(&answer, "controls of web");
    assert!(controls.iter().any(|(_, detail, _)| detail.contains("load test")), "{answer}");
    let [(_, detail, _)] = found(&answer, "evaluations")[..] else { panic!("{answer}") };
    assert!(detail.contains("stored"), "{answer}");
}

#[tokio::test]
async fn a_configuration_with_faults_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let told = doctor(folder.path(), None, &json!({"mode": "both"}), &[]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert_eq!(found(&told.json(), "configuration")[0].0, "wrong");
}

/// Something that refuses every request as AWS refuses a signature of another time, with a clock of its own.
async fn service_whose_clock_is_ahead_by(seconds: i64) -> String {
    serve(move |_request| async move {
        let now = Timestamp::now() + SignedDuration::from_secs(seconds);
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let refusal = Response::builder().status(403).header("date", date);
        refusal.body(Full::new(Bytes::from_static(b"{}"))).unwrap()
    })
    .await
}

#[tokio::test]
async fn a_wrong_clock_is_told_even_where_it_makes_aws_refuse_every_call() {
    let folder = tempfile::tempdir().unwrap();
    for (seconds, verdict, side, word) in [
        (-3600, "wrong", "ahead of", "signatures"),
        (3600, "wrong", "behind", "signatures"),
        (-180, "warning", "ahead of", "set the clock"),
        (10, "good", "behind", ""),
    ] {
        let service = service_whose_clock_is_ahead_by(seconds).await;
        let told = doctor(folder.path(), Some(&service), &config(GROUP), &[]).await;
        assert_eq!(told.code, Some(1), "the calls are refused: {told:?}");
        let answer = told.json();
        let (found, detail, fix) = self::found(&answer, "clock")[0];
        assert_eq!(found, verdict, "{answer}");
        assert!(detail.contains(side) && fix.contains(word), "{seconds}: {detail}; {fix}");
    }
}

#[tokio::test]
async fn each_permission_that_is_missing_is_named_with_its_action_and_no_other_is() {
    for (operation, check, action) in [
        ("DescribeInstanceRefreshes", "permission to read instance refreshes", "autoscaling:"),
        ("DescribeScalingActivities", "permission to read scaling activities", "autoscaling:"),
        ("DescribePolicies", "permission to read scaling policies and scheduled actions", "autoscaling:"),
        ("GetMetricData", "permission to read metrics", "cloudwatch:"),
        ("SetDesiredCapacity", "permission to change capacity of web", "autoscaling:"),
    ] {
        let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
        let service = if action == "cloudwatch:" { "CloudWatch" } else { "AutoScaling" };
        let denied = Fault::Fail {
            operation: format!("{service}.{operation}"),
            code: "AccessDenied".to_owned(),
            status: 403,
            when: When::default(),
        };
        emulator.inject(denied).unwrap();
        let told = doctor(folder.path(), Some(&emulator.endpoint()), &config(GROUP), &["--try-write"]).await;
        assert_eq!(told.code, Some(1), "{operation}: {told:?}");
        let answer = told.json();
        let [(verdict, detail, fix)] = found(&answer, check)[..] else { panic!("{check}: {answer}") };
        assert_eq!(verdict, "wrong", "{answer}");
        assert!(detail.contains(&format!("{action}{operation}")), "{detail}");
        assert!(fix.contains("policy"), "{fix}");
        let refused = answer["checks"].as_array().unwrap().iter().filter(|one| {
            one["name"].as_str().unwrap().starts_with("permission") && one["verdict"] == "wrong"
        });
        assert_eq!(refused.count(), 1, "{answer}");
    }
}

/// Lets a scaling policy act on the group.
async fn put_policy(endpoint: &str) {
    let put = "Action=PutScalingPolicy&Version=2011-01-01&AutoScalingGroupName=web&PolicyName=keep-cpu-at-half\
        &PolicyType=TargetTrackingScaling&TargetTrackingConfiguration.TargetValue=50\
        &TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType=ASGAverageCPUUtilization";
    let form = ("content-type", "application/x-www-form-urlencoded");
    let (status, text) = http_with(("POST", endpoint), form.0, form.1, put).await;
    assert_eq!(status, 200, "{text}");
}

#[tokio::test]
async fn another_controller_is_named_although_the_loop_has_just_looked_and_found_none() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let mut config = config(GROUP);
    config["control"] = "observe".into();
    std::fs::write(folder.path().join("scaling.json"), config.to_string()).unwrap();
    let mut command = program(folder.path(), Some(&emulator.endpoint()));
    command.args(["run", "--config", "scaling.json", "--api", "127.0.0.1:0", "--prometheus", "127.0.0.1:0"]);
    let mut running = Running::start(command);
    let api = running.addresses(1).await.remove(0);
    eventually("an evaluation", || async {
        let (_, text) = http("GET", &format!("{api}/groups"), "").await;
        serde_json::from_str::<Value>(&text).ok().filter(|answer| answer["groups"][0]["figures"].is_object())
    })
    .await;
    running.signal("TERM").await;
    put_policy(&emulator.endpoint()).await;
    let answer = doctor(folder.path(), Some(&emulator.endpoint()), &config, &[]).await.json();
    let of_group = found(&answer, "group web");
    assert!(of_group.iter().any(|(_, detail, _)| detail.contains("keep-cpu-at-half")), "{answer}");
}

#[tokio::test]
async fn a_metric_that_nobody_publishes_is_told_before_anything_is_controlled() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    let config = json!({
        "mode": "horizontal", "policy": {"triggers": ["cpu_usage", "request_count"]}, "groups": [{
            "name": GROUP, "metrics": {"request_count": {"namespace": "Web", "metric": "Reqests"}}
        }]
    });
    let answer = doctor(folder.path(), Some(&emulator.endpoint()), &config, &[]).await.json();
    let of_group = found(&answer, "group web");
    let missing = of_group.iter().find(|(_, detail, _)| detail.contains("request_count has no reading yet"));
    let (verdict, _, fix) = missing.unwrap_or_else(|| panic!("{answer}"));
    assert!(*verdict == "warning" && fix.contains("`metrics`"), "{answer}");
}

#[tokio::test]
async fn another_controller_of_a_group_is_named_with_what_to_do() {
    let (folder, emulator) = (tempfile::tempdir().unwrap(), emulator(100.0).await);
    put_policy(&emulator.endpoint()).await;
    let answer = doctor(folder.path(), Some(&emulator.endpoint()), &config(GROUP), &[]).await.json();
    let of_group = found(&answer, "group web");
    let foreign = of_group.iter().find(|(_, detail, _)| detail.contains("keep-cpu-at-half"));
    let (verdict, _, fix) = foreign.unwrap_or_else(|| panic!("{answer}"));
    assert!(*verdict == "warning" && fix.contains("coexist"), "{answer}");
}
