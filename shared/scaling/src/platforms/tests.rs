use scaling_aws::{AwsClients, AwsSettings, Credentials};
use scaling_control::ports::Unread;
use scaling_policy::config::{Absence, MetricBinding, ProgramSet, Statistic};
use scaling_policy::trigger::Trigger;

use super::*;

/// A group whose `metrics` program is this shell script.
fn driven(name: &str, script: &str) -> Arc<GroupConfig> {
    let program: Vec<String> = ["sh", "-c", script].map(str::to_owned).to_vec();
    let (describe, apply, metrics) = (program.clone(), program.clone(), program);
    let programs = ProgramSet { describe, apply, metrics, timeout: Duration::from_secs(30) };
    Arc::new(GroupConfig {
        platform: Platform::Standalone,
        programs: Some(programs),
        ..GroupConfig::with_defaults(name)
    })
}

/// These groups' programs, and an AWS at which nobody listens.
fn platforms(groups: &[Arc<GroupConfig>]) -> Platforms {
    let settings = AwsSettings {
        endpoint: Some("http://127.0.0.1:9".to_owned()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(Credentials::new("key", "secret", None, None, "test")),
        ..AwsSettings::default()
    };
    let aws = AwsPlatform::new(Arc::new(AwsClients::new(settings)));
    Platforms::new(aws, AllowedPrograms::of(groups))
}

fn query(group: &Arc<GroupConfig>) -> MetricQuery {
    MetricQuery {
        group: Arc::clone(group),
        trigger: Trigger::CpuUsage,
        binding: MetricBinding {
            namespace: "AWS/EC2".to_owned(),
            metric: "CPUUtilization".to_owned(),
            dimensions: Vec::new(),
            statistic: Statistic::Average,
            scale: 0.01,
            absence: Absence::Hold,
        },
        period_seconds: 60,
        from: Timestamp::UNIX_EPOCH,
        to: Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(5),
    }
}

#[tokio::test]
async fn beside_a_group_of_programs_it_is_told_as_well_why_aws_s_metrics_could_not_be_read() {
    let local = driven("local", r#"echo '{"cpu_usage": [["1970-01-01T00:00:00Z", 0.5]]}'"#);
    let fails = driven("fails", "echo no such pool >&2; exit 3");
    let web = Arc::new(GroupConfig::with_defaults("web"));
    let queries = [&web, &local, &fails].map(query);
    let series = platforms(&[local, fails]).read(&queries).await.unwrap();
    let why = |place: usize| match &series[place].unread {
        Some(Unread::Failed(error)) => error.to_string(),
        other => format!("{other:?}"),
    };
    assert!(why(0).contains("GetMetricData") && series[0].partial, "{}", why(0));
    assert_eq!((series[1].points.len(), why(1).as_str()), (1, "None"));
    assert!(why(2).contains("no such pool") && series[2].partial, "{}", why(2));
}

#[test]
fn only_programs_of_the_start_are_run() {
    let [local, other] = [driven("local", "true"), driven("other", "false")];
    let platforms = platforms(std::slice::from_ref(&local));
    let web = Arc::new(GroupConfig::with_defaults("web"));
    assert_eq!(platforms.programs_not_run(&[web, local, other]), ["other".into()]);
}
