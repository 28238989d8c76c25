//! From an alarm to a resized group, and type changes to their ends.

use scaling_emulator::Fault;
use serde_json::{Value, json};

use crate::stage::{REPLICAS, Stage};

/// Steps of a quarter of a minute within which everything here must have happened: two hours of the emulator's time.
const STEPS: usize = 480;

/// Asks for a type, and returns the operation's id.
async fn ask_for_xlarge(stage: &Stage) -> String {
    let wish = json!({"mode": "vertical", "instance_type": "m7i.xlarge", "by": "a person"});
    let (status, answer) = stage.functions.api("POST", "/scale", Some(&wish)).await;
    assert_eq!(status, 202, "{answer}");
    answer["operation"]["id"].as_str().unwrap().to_owned()
}

/// Lets time pass until the operation has ended, and returns it with the fewest vCPU and replicas that served.
async fn until_ended(stage: &Stage, id: &str) -> (Value, f64, usize) {
    let (mut least_vcpu, mut least_replicas) = (f64::MAX, usize::MAX);
    for _ in 0..STEPS {
        stage.step().await;
        least_vcpu = least_vcpu.min(stage.serving_vcpu());
        least_replicas = least_replicas.min(stage.serving().len());
        let operation = stage.operation(id).await;
        if !["planned", "accepted", "rolling_back"].contains(&operation["phase"].as_str().unwrap()) {
            return (operation, least_vcpu, least_replicas);
        }
    }
    panic!("the operation does not end: {}", stage.functions.log());
}

/// Lets time pass until the group has grown.
async fn until_resized(stage: &Stage) {
    let mut steps = 0;
    while stage.desired() == REPLICAS {
        stage.step().await;
        steps += 1;
        assert!(steps < STEPS, "nothing is resized: {}", stage.functions.log());
    }
    assert!(stage.desired() > REPLICAS);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_invokes_the_function_which_resizes_the_group() {
    let stage = Stage::new("horizontal", 75.0, false).await;
    let alarm = ["cloudwatch", "put-metric-alarm", "--alarm-name", "scaling/web/cpu_usage"];
    let metric = ["--namespace", "AWS/EC2", "--metric-name", "CPUUtilization", "--statistic", "Average"];
    let group = ["--dimensions", "Name=AutoScalingGroupName,Value=web", "--period", "60"];
    let rule =
        ["--evaluation-periods", "3", "--threshold", "80", "--comparison-operator", "GreaterThanThreshold"];
    let action = ["--alarm-actions", "arn:aws:lambda:us-east-1:123456789012:function:alarm"];
    stage.aws(&[&alarm[..], &metric, &group, &rule, &action].concat()).await;
    until_resized(&stage).await;
    let (status, answer) = stage.functions.api("GET", "/operations?group=web", None).await;
    assert_eq!(status, 200, "{answer}");
    let operation = &answer["operations"][0];
    assert_eq!((&operation["group"], &operation["action"]), (&json!("web"), &json!("up")), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_evaluation_makes_the_alarms_and_the_next_one_that_fires_resizes_the_group() {
    let arn = "arn:aws:lambda:us-east-1:123456789012:function:alarm";
    // The functions have been invoked once each when this returns, and the schedule is not invoked again.
    let stage = Stage::with("horizontal", 75.0, false, &[("SCALING_ALARM_FUNCTION", arn)]).await;
    let listed = stage.aws(&["cloudwatch", "describe-alarms", "--output", "json"]).await;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let alarms = listed["MetricAlarms"].as_array().unwrap();
    assert_eq!(alarms.len(), 1, "one for the one trigger that asks: {listed}\n{}", stage.functions.log());
    let expected = (&json!("scaling/web/cpu_usage"), &json!([arn]), &json!(80.0));
    assert_eq!((&alarms[0]["AlarmName"], &alarms[0]["AlarmActions"], &alarms[0]["Threshold"]), expected);
    until_resized(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_change_ends_with_every_instance_changed_and_nothing_lost_on_the_way() {
    let stage = Stage::new("hybrid", 40.0, true).await;
    let before = stage.cost().await;
    let vcpu_before = stage.serving_vcpu();
    let id = ask_for_xlarge(&stage).await;
    let (operation, least_vcpu, least_replicas) = until_ended(&stage, &id).await;
    assert_eq!(operation["phase"], "verified", "{operation}");
    assert_eq!(stage.serving(), ["m7i.xlarge"; REPLICAS as usize]);
    assert!(least_vcpu >= vcpu_before, "{least_vcpu} vCPU served at the fewest, {vcpu_before} before");
    assert!(least_replicas >= REPLICAS as usize, "{least_replicas} replicas served at the fewest");
    // The next looks see the new fleet, which costs twice as much.
    for _ in 0..5 {
        if (stage.cost().await - 2.0 * before).abs() < 1e-9 {
            return;
        }
        stage.step().await;
    }
    panic!("the cost does not follow: {before} before, {} now", stage.cost().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_change_that_cannot_launch_is_rolled_back_and_no_replica_lost() {
    let stage = Stage::new("hybrid", 40.0, true).await;
    stage.emulator.inject(Fault::CapacityShortage { instance_type: "m7i.xlarge".to_owned() }).unwrap();
    let id = ask_for_xlarge(&stage).await;
    let (operation, _, least_replicas) = until_ended(&stage, &id).await;
    assert_eq!(operation["phase"], "rolled_back", "{operation}");
    assert_eq!(stage.serving(), ["m7i.large"; REPLICAS as usize]);
    assert_eq!(least_replicas, REPLICAS as usize);
}
