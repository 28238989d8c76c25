//! vCPU in use, and the quota of an account. *Amazon EC2 User Guide*, "Amazon EC2 instance type quotas"; *Amazon CloudWatch
//! User Guide*, "Visualizing your service quotas and setting alarms".

use scaling_emulator::region::usage::Class;
use scaling_emulator::{Emulator, Fault, Settings, cloudwatch};
use serde_json::{Value, json};

use crate::call::tried_ec2;
use crate::client::{advance, control, emulator, set, types, web};

fn quota(vcpu: u32) -> Fault {
    Fault::VcpuQuota { class: Class::Standard, vcpu }
}

/// The newest points of usage and quota of a kind.
fn usage_and_quota(emulator: &Emulator, class: &str) -> (Option<f64>, Option<f64>) {
    let dimensions = [("Service", "EC2"), ("Type", "Resource"), ("Resource", "vCPU"), ("Class", class)];
    let dimensions = dimensions.map(|(name, value)| json!({ "Name": name, "Value": value }));
    let metric = json!({ "Namespace": "AWS/Usage", "MetricName": "ResourceCount", "Dimensions": dimensions });
    emulator.with_region(|region| {
        let now = region.now.as_second();
        let input = json!({
            "MetricDataQueries": [
                { "Id": "used", "MetricStat": { "Metric": metric, "Period": 300, "Stat": "Maximum" } },
                { "Id": "quota", "Expression": "SERVICE_QUOTA(used)" },
            ],
            "StartTime": now - 3600, "EndTime": now,
        });
        let answer = cloudwatch::dispatch(region, "GetMetricData", input).unwrap();
        let newest = |number: usize| answer["MetricDataResults"][number]["Values"][0].as_f64();
        (newest(0), newest(1))
    })
}

fn refusals(emulator: &Emulator) -> Vec<String> {
    web(emulator, |group| group.activities.iter().filter_map(|one| one.status_message.clone()).collect())
}

#[tokio::test]
async fn usage_is_told_every_five_minutes_with_the_quota_in_force_beside_it() {
    let emulator = emulator(2).await;
    assert_eq!(usage_and_quota(&emulator, "Standard/OnDemand"), (None, None));
    advance(&emulator, 600).await;
    assert_eq!(usage_and_quota(&emulator, "Standard/OnDemand"), (Some(4.0), None));
    emulator.inject(quota(16)).unwrap();
    set(&emulator, 5).unwrap();
    advance(&emulator, 600).await;
    assert_eq!(usage_and_quota(&emulator, "Standard/OnDemand"), (Some(10.0), Some(16.0)));
    assert_eq!(usage_and_quota(&emulator, "G/OnDemand"), (None, None));
    let listed = emulator.with_region(|region| {
        cloudwatch::dispatch(region, "ListMetrics", json!({ "Namespace": "AWS/Usage" })).unwrap()
    });
    assert_eq!(listed["Metrics"].as_array().unwrap().len(), 1, "{listed}");
}

#[tokio::test]
async fn launches_beyond_the_quota_fail_until_there_is_room() {
    let emulator = emulator(2).await;
    emulator.inject(quota(7)).unwrap();
    set(&emulator, 5).unwrap();
    advance(&emulator, 120).await;
    assert_eq!(types(&emulator).len(), 3, "7 vCPU are three instances of 2");
    let expected = "You have requested more vCPU capacity than your current vCPU limit of 7 allows for the instance bucket";
    assert!(refusals(&emulator)[0].starts_with(expected), "{:?}", refusals(&emulator));
    // Clearing the faults is how a higher quota looks.
    let (status, _) = control(&emulator, "DELETE", "/_emulator/faults", Value::Null).await;
    assert_eq!(status, 204);
    advance(&emulator, 120).await;
    assert_eq!(types(&emulator).len(), 5);
}

#[tokio::test]
async fn instances_of_no_group_count_and_are_refused_too() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    emulator.inject(quota(8)).unwrap();
    let run = |least: u32, most: u32| {
        let form = format!("MinCount={least}&MaxCount={most}&ImageId=ami-1&InstanceType=m7i.large");
        tried_ec2(&emulator, "RunInstances", &form)
    };
    assert_eq!(run(5, 5).unwrap_err().code, "VcpuLimitExceeded");
    let made = run(1, 9).unwrap();
    assert_eq!(made["instancesSet"].as_array().unwrap().len(), 4, "as many as there is room for");
    let id = made["instancesSet"][0]["instanceId"].as_str().unwrap();
    let call = |operation: &str| tried_ec2(&emulator, operation, &format!("InstanceId.1={id}"));
    call("StopInstances").unwrap();
    run(1, 1).unwrap();
    assert_eq!(call("StartInstances").unwrap_err().code, "VcpuLimitExceeded");
}

#[tokio::test]
async fn a_quota_is_a_fault_like_the_others() {
    let emulator = emulator(1).await;
    let body = json!({ "kind": "vcpu_quota", "class": "G/OnDemand", "vcpu": 0 });
    control(&emulator, "POST", "/_emulator/faults", body).await;
    control(&emulator, "POST", "/_emulator/faults", json!({ "kind": "vcpu_quota", "vcpu": 64 })).await;
    let (_, told) = control(&emulator, "GET", "/_emulator/faults", Value::Null).await;
    assert_eq!(told["vcpu_quotas"], json!({ "G/OnDemand": 0, "Standard/OnDemand": 64 }));
    let unknown = json!({ "kind": "vcpu_quota", "class": "Q/OnDemand", "vcpu": 0 });
    assert_eq!(control(&emulator, "POST", "/_emulator/faults", unknown).await.0, 422);
}
