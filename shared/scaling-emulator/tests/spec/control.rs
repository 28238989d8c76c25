//! The paths under `/_emulator/`, scenarios, kept states, and the page.

use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use scaling_emulator::region::LifecycleState::{InService, Terminating};
use scaling_emulator::{Emulator, Fault, Scenario, Settings};
use serde_json::{Value, json};

use crate::client::{advance, control, emulator, form, ids, send, set, types, web};

const DESCRIBE: &str = "Action=DescribeAutoScalingGroups&Version=2011-01-01";

async fn fault(emulator: &Emulator, fault: Value) {
    let (status, answer) = control(emulator, "POST", "/_emulator/faults", fault).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn calls_over_their_rate_are_throttled_until_time_has_passed() {
    let emulator = emulator(1).await;
    fault(
        &emulator,
        json!({ "kind": "rate_limit", "operation": "AutoScaling.*", "burst": 2, "per_second": 0.1 }),
    )
    .await;
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(form(&emulator, DESCRIBE).await.0);
    }
    assert_eq!(statuses, [200, 200, 400]);
    let (_, body) = form(&emulator, DESCRIBE).await;
    assert!(body.contains("<Code>Throttling</Code><Message>Rate exceeded</Message>"), "{body}");
    advance(&emulator, 10).await;
    assert_eq!(form(&emulator, DESCRIBE).await.0, 200);
    fault(&emulator, json!({ "kind": "published_rates" })).await;
    let (_, shown) = control(&emulator, "GET", "/_emulator/faults", Value::Null).await;
    assert!(shown["rates"].as_array().unwrap().len() > 20, "{shown}");
}

#[tokio::test]
async fn an_answer_that_is_cut_off_breaks_in_the_middle_although_the_call_was_carried_out() {
    let emulator = emulator(1).await;
    fault(&emulator, json!({ "kind": "truncated", "operation": "*", "times": 1 })).await;
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let call = format!(
        "/?{}",
        "Action=SetDesiredCapacity&Version=2011-01-01&AutoScalingGroupName=web&DesiredCapacity=3"
    );
    let request = Request::get(format!("{}{call}", emulator.endpoint())).body(Empty::new()).unwrap();
    let answer = client.request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.into_body().collect().await.is_err());
    assert_eq!(web(&emulator, |group| group.desired), 3);
    assert_eq!(form(&emulator, DESCRIBE).await.0, 200);
}

#[tokio::test]
async fn late_metrics_come_later_until_faults_are_cleared() {
    let emulator = emulator(1).await;
    advance(&emulator, 600).await;
    let points = |emulator: &Emulator| {
        let query = json!({
            "Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Statistics": ["Average"], "Period": 60,
            "Dimensions": [{ "Name": "AutoScalingGroupName", "Value": "web" }],
            "StartTime": "2026-01-05T00:00:00Z", "EndTime": "2026-01-05T00:10:00Z",
        });
        let answer = emulator.with_region(|region| {
            scaling_emulator::cloudwatch::dispatch(region, "GetMetricStatistics", query).unwrap()
        });
        answer["Datapoints"].as_array().unwrap().len()
    };
    assert_eq!(points(&emulator), 10);
    emulator.inject(Fault::LateMetrics { seconds: 180 }).unwrap();
    assert_eq!(points(&emulator), 7);
    emulator.clear_faults();
    assert_eq!(points(&emulator), 10);
}

#[tokio::test]
async fn an_interruption_is_told_two_minutes_before_it_strikes() {
    let emulator = emulator(2).await;
    let id = ids(&emulator, InService)[0].clone();
    fault(&emulator, json!({ "kind": "spot_interruption", "instance_id": id })).await;
    let (_, told) = control(&emulator, "GET", "/_emulator/events", Value::Null).await;
    assert_eq!(told["events"][0]["detail-type"], "EC2 Spot Instance Interruption Warning");
    assert_eq!(told["events"][0]["detail"]["instance-id"], json!(id));
    advance(&emulator, 105).await;
    assert_eq!(ids(&emulator, InService).len(), 2);
    advance(&emulator, 30).await;
    assert_eq!(ids(&emulator, Terminating), [id]);
}

#[tokio::test]
async fn a_kept_state_is_gone_back_to_and_lives_on_as_before() {
    let emulator = emulator(2).await;
    set(&emulator, 4).unwrap();
    advance(&emulator, 60).await;
    let (status, _) = control(&emulator, "POST", "/_emulator/snapshots/first", Value::Null).await;
    assert_eq!(status, 204);
    let mut lives = Vec::new();
    for _ in 0..2 {
        set(&emulator, 6).unwrap();
        advance(&emulator, 600).await;
        lives.push((emulator.now(), web(&emulator, |group| group.members.clone())));
        let (status, answer) = control(&emulator, "PUT", "/_emulator/snapshots/first", Value::Null).await;
        assert_eq!((status, &answer["now"]), (200, &json!("2026-01-05T00:01:00Z")));
        assert_eq!(web(&emulator, |group| group.members.len()), 4);
    }
    assert_eq!(lives[0], lives[1]);
    let (_, shown) = control(&emulator, "GET", "/_emulator/snapshots", Value::Null).await;
    assert_eq!(shown["snapshots"][0]["name"], "first");
    assert_eq!(control(&emulator, "DELETE", "/_emulator/snapshots/first", Value::Null).await.0, 204);
    assert_eq!(control(&emulator, "PUT", "/_emulator/snapshots/first", Value::Null).await.0, 404);
}

fn scenario() -> Value {
    json!({
        "description": "A busy shop loses a zone.",
        "groups": [{ "name": "web", "instance_type": "m7i.large", "min": 1, "max": 10, "desired": 3 }],
        "workloads": [{ "group": "web", "load": { "constant": 20.0 } }],
        "calls": [{ "operation": "AutoScaling.PutScalingPolicy", "members": {
            "AutoScalingGroupName": "web", "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling",
            "TargetTrackingConfiguration": {
                "PredefinedMetricSpecification": { "PredefinedMetricType": "ASGAverageCPUUtilization" },
                "TargetValue": 50.0,
            },
        } }],
        "timeline": [
            { "at": 300, "faults": [{ "kind": "zone_outage", "zone": "us-east-1a" }] },
            { "at": 100, "workloads": [{ "group": "web", "load": { "constant": 90.0 } }] },
            { "at": 900, "clear_faults": true },
        ],
    })
}

#[tokio::test]
async fn a_scenario_sets_the_scene_and_plays_its_timeline() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let (status, answer) = control(&emulator, "POST", "/_emulator/scenario", scenario()).await;
    assert_eq!(status, 204, "{answer}");
    assert_eq!(types(&emulator).len(), 3);
    assert_eq!(web(&emulator, |group| group.policies.len()), 1);
    advance(&emulator, 299).await;
    assert_eq!(ids(&emulator, Terminating).len(), 0);
    advance(&emulator, 16).await;
    assert_eq!(ids(&emulator, Terminating).len(), 1);
    let (_, shown) = control(&emulator, "GET", "/_emulator/faults", Value::Null).await;
    assert_eq!(shown["zones_down"], json!(["us-east-1a"]));
    advance(&emulator, 600).await;
    let (_, shown) = control(&emulator, "GET", "/_emulator/faults", Value::Null).await;
    assert_eq!(shown["zones_down"], json!([]));
    assert!(web(&emulator, |group| group.desired) > 3, "the policy acts on the higher load");
}

#[tokio::test]
async fn a_scenario_that_cannot_be_played_says_why() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    for (change, part) in [
        (json!({ "calls": [{ "operation": "AutoScaling.Nothing" }] }), "Could not find operation Nothing"),
        (
            json!({ "groups": [{ "name": "g", "instance_type": "x.y", "min": 1, "max": 1, "desired": 1 }] }),
            "group g",
        ),
        (json!({ "timeline": [{ "at": -1 }] }), "must be seconds of at least 0"),
        (json!({ "workloads": [{ "group": "g", "load": { "constant": -1.0 } }] }), "workload of g"),
    ] {
        let (status, answer) = control(&emulator, "POST", "/_emulator/scenario", change.clone()).await;
        assert_eq!(status, 400, "{change}");
        assert!(answer["error"].as_str().unwrap().contains(part), "{change}: {answer}");
    }
    let scenario = Scenario::parse(&scenario().to_string()).unwrap();
    emulator.begin(scenario).unwrap();
    assert_eq!(types(&emulator).len(), 3);
}

#[tokio::test]
async fn the_page_and_what_it_shows_come_from_the_program_itself() {
    let emulator = emulator(2).await;
    advance(&emulator, 120).await;
    let request =
        |path: &str| Request::get(format!("{}{path}", emulator.endpoint())).body(String::new()).unwrap();
    let (status, page) = send(request("/")).await;
    assert_eq!(status, 200);
    assert!(page.contains("<title>The fleet</title>") && !page.contains("https://"), "{page}");
    let (_, view) = send(request("/_emulator/view")).await;
    let view: Value = serde_json::from_str(&view).unwrap();
    assert_eq!(view["groups"][0]["instances"].as_array().unwrap().len(), 2);
    assert_eq!(view["groups"][0]["minutes"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_reset_forgets_everything_but_the_time() {
    let emulator = emulator(2).await;
    advance(&emulator, 60).await;
    let before = emulator.now();
    for path in ["/_emulator/reset", "/moto-api/reset"] {
        assert_eq!(control(&emulator, "POST", path, Value::Null).await.0, 200);
        assert_eq!((emulator.now(), emulator.with_region(|region| region.groups().count())), (before, 0));
    }
}

#[tokio::test]
async fn a_refused_scenario_leaves_nothing_behind() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    let before = emulator.write_state().unwrap();
    for (member, wrong, part) in [
        ("calls", json!([{ "operation": "AutoScaling.Nope" }]), "Could not find operation Nope"),
        (
            "calls",
            json!([{ "operation": "AutoScaling.DeletePolicy", "members": { "PolicyName": "x" } }]),
            "is refused",
        ),
        ("faults", json!([{ "kind": "zone_outage", "zone": "mars" }]), "there is no zone `mars`"),
        (
            "timeline",
            json!([{ "at": 60, "calls": [{ "operation": "EC2.Nope" }] }]),
            "there is no such operation",
        ),
        ("timeline", json!([{ "at": 60, "faults": [{ "kind": "throttle", "operation": "X.*" }] }]), "`X.*`"),
        ("timeline", json!([{ "at": -1 }]), "at least 0"),
    ] {
        let mut wanted = scenario();
        wanted[member] = wrong;
        let (status, answer) = control(&emulator, "POST", "/_emulator/scenario", wanted).await;
        let why = answer["error"].as_str().unwrap_or_default().to_owned();
        assert!(status == 400 && why.contains(part), "{status} {answer}");
        assert!(emulator.write_state().unwrap() == before, "{why}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_json_and_the_page_may_be_asked_for_without_its_body() {
    let emulator = emulator(1).await;
    for (method, path, kind, body, expected) in [
        ("POST", "clock", "application/json", "{", 400),
        ("POST", "clock", "application/json", r#"{"forward": 1}"#, 422),
        ("POST", "clock", "text/plain", r#"{"advance": 1}"#, 415),
        ("POST", "faults", "application/json", r#"{"kind": "none"}"#, 422),
        ("POST", "workload", "application/json", "[]", 422),
        ("POST", "scenario", "application/json", "1", 422),
        ("GET", "events?after=x", "application/json", "", 400),
    ] {
        let uri = format!("{}/_emulator/{path}", emulator.endpoint());
        let request = Request::builder().method(method).uri(uri).header("content-type", kind);
        let (status, answer) = send(request.body(body.to_owned()).unwrap()).await;
        let told: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!((status, told["error"].is_string()), (expected, true), "{path} {body}: {answer}");
    }
    let head = Request::head(format!("{}/", emulator.endpoint())).body(String::new()).unwrap();
    assert_eq!(send(head).await, (200, String::new()));
}

/// What the page shows.
async fn view(emulator: &Emulator) -> Value {
    let request = Request::get(format!("{}/_emulator/view", emulator.endpoint())).body(String::new());
    serde_json::from_str(&send(request.unwrap()).await.1).unwrap()
}

#[tokio::test]
async fn the_page_has_alarms_first_that_are_raised_and_then_those_without_data() {
    let emulator = emulator(1).await;
    for (name, state) in
        [("a", "OK"), ("b", "INSUFFICIENT_DATA"), ("c", "ALARM"), ("d", "OK"), ("e", "ALARM")]
    {
        let alarm = json!({
            "AlarmName": name, "Namespace": "Shop", "MetricName": "A", "Statistic": "Sum", "Period": 60,
            "EvaluationPeriods": 1, "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
        });
        let set = json!({ "AlarmName": name, "StateValue": state, "StateReason": "a test" });
        emulator.with_region(|region| {
            scaling_emulator::cloudwatch::dispatch(region, "PutMetricAlarm", alarm).unwrap();
            scaling_emulator::cloudwatch::dispatch(region, "SetAlarmState", set).unwrap();
        });
    }
    let shown = view(&emulator).await;
    let names: Vec<&str> =
        shown["alarms"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["c", "e", "b", "a", "d"]);
}

#[tokio::test]
async fn faults_in_force_tell_published_rates_in_one_line_and_interruptions_to_come() {
    let emulator = emulator(1).await;
    let id = ids(&emulator, InService)[0].clone();
    fault(&emulator, json!({ "kind": "published_rates" })).await;
    let own = json!({ "operation": "EC2.*", "burst": 5.0, "per_second": 1.0 });
    fault(&emulator, json!({ "kind": "rate_limit", "operation": "EC2.*", "burst": 5.0, "per_second": 1.0 }))
        .await;
    fault(&emulator, json!({ "kind": "spot_interruption", "instance_id": id })).await;
    let (_, shown) = control(&emulator, "GET", "/_emulator/faults", Value::Null).await;
    let interruption = json!([{ "at": "2026-01-05T00:02:00Z", "instance": id }]);
    assert_eq!((&shown["published_rates"], &shown["interruptions"]), (&json!(true), &interruption));
    let page = &view(&emulator).await["faults"];
    assert_eq!((&page["published_rates"], &page["rates"]), (&json!(true), &json!([own])));
    assert_eq!(page["interruptions"], interruption);
    advance(&emulator, 180).await;
    assert_eq!(control(&emulator, "DELETE", "/_emulator/faults", Value::Null).await.0, 204);
    let (_, shown) = control(&emulator, "GET", "/_emulator/faults", Value::Null).await;
    assert_eq!((&shown["published_rates"], &shown["interruptions"]), (&json!(false), &json!([])));
}

#[tokio::test]
async fn a_group_without_a_load_is_shown_without_one() {
    let emulator = emulator(1).await;
    assert_eq!(view(&emulator).await["groups"][0]["loaded"], json!(false));
    let load = scaling_fleet::load::Load::constant(emulator.now(), 10.0);
    let service = scaling_fleet::service::ServiceModel::demo();
    emulator.set_workload("web", scaling_emulator::Workload::new(load, service));
    assert_eq!(view(&emulator).await["groups"][0]["loaded"], json!(true));
}

#[tokio::test]
async fn the_page_has_groups_under_load_first_and_says_which_are_being_deleted() {
    let emulator = emulator(1).await;
    let a = "Action=CreateAutoScalingGroup&Version=2011-01-01&AutoScalingGroupName=a&MinSize=1&MaxSize=2\
             &AvailabilityZones.member.1=us-east-1a&LaunchTemplate.LaunchTemplateName=web";
    let names = |shown: &Value| -> Vec<String> {
        shown["groups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(form(&emulator, a).await.0, 200);
    assert_eq!(names(&view(&emulator).await), ["a", "web"]);
    let load = scaling_fleet::load::Load::constant(emulator.now(), 20.0);
    let service = scaling_fleet::service::ServiceModel::demo();
    emulator.set_workload("web", scaling_emulator::Workload::new(load, service));
    crate::call::call(&emulator, "DeleteAutoScalingGroup", "ForceDelete=true");
    let shown = view(&emulator).await;
    assert_eq!(names(&shown), ["web", "a"]);
    assert_eq!(
        (&shown["groups"][0]["deleting"], &shown["groups"][1]["deleting"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn a_fault_of_every_zone_strikes_in_each() {
    let emulator = emulator(3).await;
    advance(&emulator, 300).await;
    let serving = ids(&emulator, InService).len();
    fault(&emulator, json!({ "kind": "zone_outage", "zone": "*" })).await;
    advance(&emulator, 60).await;
    assert_eq!((serving, ids(&emulator, InService).len()), (3, 0));
    control(&emulator, "DELETE", "/_emulator/faults", Value::Null).await;
    advance(&emulator, 600).await;
    let serving = ids(&emulator, InService).len();
    fault(&emulator, json!({ "kind": "zone_shortage", "instance_type": "m7i.large", "zone": "*" })).await;
    set(&emulator, 6).unwrap();
    advance(&emulator, 600).await;
    assert_eq!((serving, ids(&emulator, InService).len()), (3, 3));
}
