use scaling_policy::Trigger;
use scaling_policy::config::{Absence, MetricBinding, Platform, ProgramSet, Statistic};

use super::*;

/// A group whose programs are this shell script.
fn group(name: &str, script: &str, timeout: Duration) -> Arc<GroupConfig> {
    let program: Vec<String> = ["sh", "-c", script].map(str::to_owned).to_vec();
    let programs =
        ProgramSet { describe: program.clone(), apply: program.clone(), metrics: program, timeout };
    Arc::new(GroupConfig {
        platform: Platform::Standalone,
        programs: Some(programs),
        ..GroupConfig::with_defaults(name)
    })
}

/// A platform that may run the programs of these groups.
fn platform(groups: &[Arc<GroupConfig>]) -> StandalonePlatform {
    StandalonePlatform::new(AllowedPrograms::of(groups))
}

const LONG: Duration = Duration::from_secs(30);

const DESCRIPTION: &str =
    r#"{"min": 1, "max": 4, "desired": 2, "instance_type": "m7i.large", "instances": []}"#;

fn query(group: &Arc<GroupConfig>) -> MetricQuery {
    MetricQuery {
        group: Arc::clone(group),
        trigger: Trigger::CpuUsage,
        binding: MetricBinding {
            namespace: "standalone".to_owned(),
            metric: "cpu_usage".to_owned(),
            dimensions: Vec::new(),
            statistic: Statistic::Average,
            scale: 1.0,
            absence: Absence::Zero,
        },
        period_seconds: 60,
        from: Timestamp::UNIX_EPOCH,
        to: Timestamp::UNIX_EPOCH,
    }
}

#[tokio::test]
async fn a_program_that_hangs_fails_its_own_group_after_its_own_time_out() {
    let hangs = group("hangs", "sleep 3600", Duration::from_millis(300));
    let good = group("good", &format!("echo '{DESCRIPTION}'"), LONG);
    let each = platform(&[hangs.clone(), good.clone()]).describe_each(&[hangs, good]).await.unwrap();
    let told: BTreeMap<&str, _> = each.iter().map(|(name, told)| (name.as_str(), told)).collect();
    assert_eq!(told["good"].as_ref().unwrap().desired, 2);
    let why = told["hangs"].as_ref().unwrap_err().to_string();
    assert!(why.contains("did not end within 300ms"), "{why}");
}

#[tokio::test]
async fn programs_of_several_groups_run_side_by_side() {
    let begun = tempfile::tempdir().unwrap();
    // Each waits until all have begun: one after the other the first would wait for ever.
    let script = format!(
        "cd {}; touch $$; until [ $(ls | wc -l) -eq 8 ]; do sleep 0.05; done; echo '{DESCRIPTION}'",
        begun.path().display()
    );
    let groups: Vec<_> = (0..8).map(|number| group(&format!("web-{number}"), &script, LONG)).collect();
    let described = platform(&groups).describe(&groups).await.unwrap();
    assert_eq!(described.len(), 8);
}

#[tokio::test]
async fn a_metrics_program_that_takes_longer_than_somebody_waits_is_late_and_takes_no_other_with_it() {
    let slow = group("slow", "sleep 3600", LONG);
    let good = group("good", r#"echo '{"cpu_usage": [["2026-03-02T08:00:00Z", 0.5]]}'"#, LONG);
    let queries = [&slow, &good].map(query);
    let waits = Duration::from_secs(3);
    let series = platform(&[slow, good]).read_within(&queries, waits).await.unwrap();
    assert_eq!(series[0], MetricSeries::unread(Unread::Late(waits)));
    assert_eq!((series[1].points.len(), series[1].partial), (1, false));
}

#[tokio::test]
async fn a_metrics_program_that_fails_is_not_the_same_as_no_data() {
    let fails = group("fails", "exit 1", LONG);
    let silent = group("silent", "echo '{}'", LONG);
    let good = group("good", r#"echo '{"cpu_usage": [["2026-03-02T08:00:00Z", 0.5]]}'"#, LONG);
    let queries = [&fails, &good, &silent].map(query);
    let series = platform(&[fails, good, silent]).read(&queries).await.unwrap();
    assert!(
        series[0].partial
            && matches!(&series[0].unread, Some(Unread::Failed(error)) if error.to_string().contains("code 1"))
    );
    assert_eq!(series[1].points.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [0.5]);
    assert_eq!(series[2], MetricSeries::default());
}
