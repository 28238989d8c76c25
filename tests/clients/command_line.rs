//! The aws CLI.

use scaling_emulator::signature::Credentials;
use scaling_emulator::{Emulator, GroupSetup, Settings};
use scaling_tests::{environment, project};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::process::Command;

/// An emulator with the group `web` of two serving m7i.large, up to four.
async fn stage() -> Emulator {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    emulator.with_region(|region| GroupSetup::new("web", "m7i.large", (1, 4, 2)).make(region)).unwrap();
    emulator
}

/// Runs `aws` with these arguments: its JSON (null where it prints nothing), or what it complains about.
async fn aws(emulator: &Emulator, arguments: &[&str]) -> Result<Value, String> {
    let output = Command::new(project::installed("aws").unwrap())
        .args(arguments)
        .args(["--output", "json"])
        .env_clear()
        .envs(environment::client(&emulator.endpoint()))
        .output()
        .await
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let text = String::from_utf8(output.stdout).unwrap();
    Ok(if text.trim().is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_made_listed_scaled_and_refused_beyond_its_maximum() {
    let emulator = stage().await;
    let group = ["--auto-scaling-group-name", "batch"];
    let made = ["autoscaling", "create-auto-scaling-group", group[0], group[1]];
    let sizes = ["--min-size", "0", "--max-size", "2", "--availability-zones", "us-east-1a"];
    let template = ["--launch-template", "LaunchTemplateName=web,Version=1"];
    aws(&emulator, &[&made[..], &sizes, &template].concat()).await.unwrap();

    let desired = ["autoscaling", "set-desired-capacity", group[0], group[1], "--desired-capacity"];
    aws(&emulator, &[&desired[..], &["2"]].concat()).await.unwrap();
    emulator.advance(Duration::from_secs(300)).await.unwrap();
    let listed = aws(&emulator, &["autoscaling", "describe-auto-scaling-groups"]).await.unwrap();
    let batch = listed["AutoScalingGroups"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["AutoScalingGroupName"] == "batch");
    let states: Vec<_> =
        batch.unwrap()["Instances"].as_array().unwrap().iter().map(|one| &one["LifecycleState"]).collect();
    assert_eq!(states, ["InService", "InService"]);

    let refusal = aws(&emulator, &[&desired[..], &["3"]].concat()).await.unwrap_err();
    assert!(refusal.contains("(ValidationError)") && refusal.contains("above max value 2"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_that_was_put_is_read_back() {
    let emulator = stage().await;
    let metric = ["--namespace", "Shop", "--metric-name", "Depth"];
    let put = ["cloudwatch", "put-metric-data", "--value", "7", "--timestamp", "2026-01-05T00:00:00Z"];
    aws(&emulator, &[&put[..], &metric].concat()).await.unwrap();
    let span = ["--start-time", "2026-01-05T00:00:00Z", "--end-time", "2026-01-05T00:05:00Z"];
    let read = ["cloudwatch", "get-metric-statistics", "--period", "60", "--statistics", "Maximum"];
    let answer = aws(&emulator, &[&read[..], &metric, &span].concat()).await.unwrap();
    assert_eq!(answer["Datapoints"][0]["Maximum"], 7.0, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_is_put_described_and_deleted() {
    let emulator = stage().await;
    let put = [
        "cloudwatch",
        "put-metric-alarm",
        "--alarm-name",
        "scaling/web/cpu_usage",
        "--namespace",
        "AWS/EC2",
        "--metric-name",
        "CPUUtilization",
        "--dimensions",
        "Name=AutoScalingGroupName,Value=web",
        "--statistic",
        "Average",
        "--period",
        "60",
        "--evaluation-periods",
        "2",
        "--threshold",
        "70",
        "--comparison-operator",
        "GreaterThanThreshold",
    ];
    aws(&emulator, &put).await.unwrap();
    let described = aws(&emulator, &["cloudwatch", "describe-alarms"]).await.unwrap();
    assert_eq!(described["MetricAlarms"][0]["AlarmName"], "scaling/web/cpu_usage", "{described}");
    let delete = ["cloudwatch", "delete-alarms", "--alarm-names", "scaling/web/cpu_usage"];
    aws(&emulator, &delete).await.unwrap();
    let described = aws(&emulator, &["cloudwatch", "describe-alarms"]).await.unwrap();
    assert_eq!(described["MetricAlarms"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_is_started_and_described() {
    let emulator = stage().await;
    let group = ["--auto-scaling-group-name", "web"];
    let preferences =
        ["--preferences", r#"{"MinHealthyPercentage":100,"MaxHealthyPercentage":200,"InstanceWarmup":0}"#];
    let start = ["autoscaling", "start-instance-refresh"];
    let started = aws(&emulator, &[&start[..], &group, &preferences].concat()).await.unwrap();
    emulator.advance(Duration::from_secs(900)).await.unwrap();
    let describe = ["autoscaling", "describe-instance-refreshes"];
    let described = aws(&emulator, &[&describe[..], &group].concat()).await.unwrap();
    let refresh = &described["InstanceRefreshes"][0];
    assert_eq!(refresh["InstanceRefreshId"], started["InstanceRefreshId"]);
    assert_eq!(refresh["Status"], "Successful", "{refresh}");
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_and_the_caller_are_described() {
    let emulator = stage().await;
    let caller = aws(&emulator, &["sts", "get-caller-identity"]).await.unwrap();
    assert_eq!(caller["Account"], "123456789012");
    let described = aws(&emulator, &["ec2", "describe-instances"]).await.unwrap();
    let reservations = described["Reservations"].as_array().unwrap();
    let instances: usize = reservations.iter().map(|one| one["Instances"].as_array().unwrap().len()).sum();
    assert_eq!(instances, 2, "{described}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_the_emulator_does_not_know_is_refused() {
    let emulator = stage().await;
    let refusal = aws(&emulator, &["ec2", "describe-volumes"]).await.unwrap_err();
    assert!(refusal.contains("(InvalidAction)"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_are_checked_where_credentials_are_configured() {
    for (secret, expected) in [("test", None), ("another", Some("(SignatureDoesNotMatch)"))] {
        let credentials = vec![Credentials { key: "test".to_owned(), secret: secret.to_owned() }];
        let emulator = Emulator::start(Settings { credentials, ..Settings::default() }).await.unwrap();
        for call in [
            ["autoscaling", "describe-auto-scaling-groups"],
            ["cloudwatch", "list-metrics"],
            ["sts", "get-caller-identity"],
        ] {
            let answer = aws(&emulator, &call).await;
            match expected {
                None => drop(answer.unwrap()),
                Some(code) => {
                    let refusal = answer.unwrap_err();
                    assert!(refusal.contains(code), "{refusal}");
                }
            }
        }
    }
}
