//! Requests as clients send them, and the replies that they read.

use http::Request;
use scaling_emulator::{Emulator, Settings};
use serde_json::{Value, json};

use crate::client::{advance, control, emulator, form, send};

#[tokio::test]
async fn auto_scaling_answers_xml_in_its_namespace() {
    let emulator = emulator(2).await;
    let (status, body) = form(&emulator, "Action=DescribeAutoScalingGroups&Version=2011-01-01").await;
    assert_eq!(status, 200);
    for part in [
        "<DescribeAutoScalingGroupsResponse xmlns=\"http://autoscaling.amazonaws.com/doc/2011-01-01/\">",
        "<DescribeAutoScalingGroupsResult><AutoScalingGroups><member>",
        "<AutoScalingGroupName>web</AutoScalingGroupName>",
        "<LifecycleState>InService</LifecycleState>",
        "<CreatedTime>2026-01-05T00:00:00Z</CreatedTime>",
        "<ResponseMetadata><RequestId>",
    ] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
}

#[tokio::test]
async fn each_service_has_its_own_form_of_error() {
    let emulator = emulator(1).await;
    let cases = [
        (
            "Action=SetDesiredCapacity&Version=2011-01-01&AutoScalingGroupName=web&DesiredCapacity=99",
            "<Error><Type>Sender</Type><Code>ValidationError</Code><Message>New SetDesiredCapacity value 99",
        ),
        ("Action=Nothing&Version=2011-01-01", "<Code>InvalidAction</Code>"),
        ("Action=Nothing&Version=2011-06-15", "<Code>InvalidAction</Code>"),
        ("Action=Nothing&Version=2016-11-15", "<Response><Errors><Error><Code>InvalidAction</Code>"),
        (
            "Action=CreateLaunchTemplate&Version=2016-11-15",
            "<Code>MissingParameter</Code><Message>The request must contain the parameter LaunchTemplateName",
        ),
        (
            "Action=%3Cx%3E&Version=2011-01-01",
            "<Message>Could not find operation &lt;x&gt; for version 2011-01-01</Message>",
        ),
    ];
    for (request, part) in cases {
        let (status, body) = form(&emulator, request).await;
        assert_eq!(status, 400, "{request}");
        assert!(body.contains(part), "{request}: {body}");
    }
}

#[tokio::test]
async fn ec2_answers_items_without_a_result_element() {
    let emulator = emulator(1).await;
    let (status, body) = form(
        &emulator,
        "Action=DescribeInstances&Version=2016-11-15&Filter.1.Name=instance-state-name&Filter.1.Value.1=running",
    )
    .await;
    assert_eq!(status, 200);
    for part in [
        "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>",
        "<reservationSet><item>",
        "<instanceState><code>16</code><name>running</name></instanceState>",
        "<item><key>aws:autoscaling:groupName</key><value>web</value></item>",
    ] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
}

#[tokio::test]
async fn sts_says_who_calls() {
    let emulator = emulator(1).await;
    let (status, body) = form(&emulator, "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(status, 200);
    assert!(body.contains("<Account>123456789012</Account>"), "{body}");
}

#[tokio::test]
async fn an_action_may_stand_in_the_query_of_a_get() {
    let emulator = emulator(1).await;
    let uri = format!("{}/?Action=DescribeAvailabilityZones&Version=2016-11-15", emulator.endpoint());
    let (status, body) = send(Request::get(uri).body(String::new()).unwrap()).await;
    assert_eq!(status, 200);
    assert!(body.contains("<zoneName>us-east-1c</zoneName>"), "{body}");
}

/// A request, and the answer of what stands before AWS's services to one that means none of them.
type Stranger = (&'static str, &'static [(&'static str, &'static str)], &'static str, u16, &'static str);

#[tokio::test]
async fn what_speaks_to_no_service_is_answered_in_its_own_protocol() {
    const EXCEPTION: &str = r#""__type":"com.amazon.coral.service#UnknownOperationException""#;
    const TARGET: (&str, &str) = ("x-amz-target", "DynamoDB_20120810.GetItem");
    const S3: (&str, &str) =
        ("authorization", "AWS4-HMAC-SHA256 Credential=AK/20260105/us-east-1/s3/aws4_request");
    const SCALING: (&str, &str) =
        ("authorization", "AWS4-HMAC-SHA256 Credential=AK/20260105/us-east-1/autoscaling/aws4_request");
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    const EC2: (&str, &str) =
        ("authorization", "AWS4-HMAC-SHA256 Credential=AK/20260105/us-east-1/ec2/aws4_request");
    let emulator = emulator(1).await;
    let cases: [Stranger; 14] = [
        ("/", &[TARGET], "{}", 400, EXCEPTION),
        ("/", &[("x-amz-target", "no-dot-at-all")], "{}", 400, EXCEPTION),
        ("/service/Other/operation/X", &[], "", 404, "com.amazon.coral.service#UnknownOperationException"),
        (
            "/",
            &[],
            "Action=SendMessage&Version=2012-11-05",
            400,
            "SendMessage for version 2012-11-05</Message>",
        ),
        ("/?Action=ListQueues", &[], "", 400, "<Code>InvalidAction</Code>"),
        ("/?Action=ListQueues", &[], "", 400, "for version NO_VERSION_SPECIFIED</Message>"),
        ("/2015-03-31/functions", &[], "", 404, "/2015-03-31/functions means none of the services"),
        ("/bucket", &[S3], "", 501, "<Error><Code>NotImplemented</Code>"),
        ("/", &[], "Action=DescribeTags&Version=1999-01-01", 400, "<Code>InvalidAction</Code>"),
        (
            "/",
            &[SCALING],
            "Action=DescribeTags&Version=1999-01-01",
            400,
            "Could not find operation DescribeTags for version 1999-01-01",
        ),
        (
            "/",
            &[FORM, SCALING],
            "Version=2011-01-01",
            400,
            "<Error><Type>Sender</Type><Code>MissingAction</Code>",
        ),
        ("/", &[FORM, EC2], "Version=2016-11-15", 400, "<Response><Errors><Error><Code>MissingAction</Code>"),
        ("/", &[], "hello", 404, "means none of the services"),
        ("/_emulator/nothing", &[], "", 404, r#"{"error":"there is no path /_emulator/nothing"#),
    ];
    for (path, headers, body, expected, part) in cases {
        let mut request = Request::post(format!("{}{path}", emulator.endpoint()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (status, answer) = send(request.body(body.to_owned()).unwrap()).await;
        assert_eq!(status, expected, "{path} {body}");
        assert!(answer.contains(part), "{path} {body}: {answer}");
    }
}

#[tokio::test]
async fn every_request_is_counted_by_service_and_operation() {
    let emulator = emulator(1).await;
    for _ in 0..3 {
        form(&emulator, "Action=DescribeAutoScalingGroups&Version=2011-01-01").await;
    }
    form(&emulator, "Action=Nothing&Version=2016-11-15").await;
    let log = emulator.request_log();
    assert_eq!(log.get("AutoScaling.DescribeAutoScalingGroups"), Some(&3));
    assert_eq!(log.get("EC2.Nothing"), Some(&1));
    let (status, shown) = control(&emulator, "GET", "/_emulator/requests", Value::Null).await;
    assert_eq!((status, shown), (200, json!(log)));
}

#[tokio::test]
async fn control_paths_show_and_advance_the_time() {
    let emulator = emulator(1).await;
    let (status, body) = control(&emulator, "POST", "/_emulator/clock", json!({ "advance": 90 })).await;
    assert_eq!((status, body), (200, json!({ "now": "2026-01-05T00:01:30Z" })));
    let (_, body) = control(&emulator, "GET", "/_emulator/clock", Value::Null).await;
    assert_eq!(body["now"], "2026-01-05T00:01:30Z");
    for body in [json!({ "advance": -1 }), json!({ "advance": 1e300 }), json!({ "advanc": 1 }), json!(7)] {
        let (status, _) = control(&emulator, "POST", "/_emulator/clock", body.clone()).await;
        assert!((400..500).contains(&status), "{body}: {status}");
    }
}

#[tokio::test]
async fn control_paths_set_a_workload_and_show_a_group() {
    let emulator = emulator(2).await;
    for load in [
        json!({ "constant": 20.0 }),
        json!({ "rates": { "step": 60.0, "rates": [10.0, 20.0] } }),
        json!({ "week": { "mean_rate": 30.0, "seed": 4 } }),
    ] {
        let body = json!({ "group": "web", "load": load, "boot_seconds": [10.0, 20.0] });
        assert_eq!(control(&emulator, "POST", "/_emulator/workload", body).await.0, 200, "{load}");
        advance(&emulator, 60).await;
        let (_, group) = control(&emulator, "GET", "/_emulator/groups/web", Value::Null).await;
        assert_eq!((&group["in_service"], &group["totals"]["seconds"]), (&json!(2), &json!(60.0)));
        assert!(group["totals"]["requests"].as_f64().unwrap() > 0.0, "{load}: {group}");
    }
    for load in [json!({ "constant": -1.0 }), json!({ "rates": { "step": 0.0, "rates": [] } }), json!({})] {
        let body = json!({ "group": "web", "load": load });
        let (status, _) = control(&emulator, "POST", "/_emulator/workload", body).await;
        assert!((400..500).contains(&status), "{load}");
    }
    assert_eq!(control(&emulator, "GET", "/_emulator/groups/nope", Value::Null).await.0, 404);
}

#[tokio::test]
async fn a_reset_forgets_everything_but_the_time() {
    let emulator = emulator(1).await;
    advance(&emulator, 60).await;
    form(&emulator, "Action=GetCallerIdentity&Version=2011-06-15").await;
    assert_eq!(control(&emulator, "POST", "/moto-api/reset", Value::Null).await.0, 200);
    assert_eq!(emulator.with_region(|region| region.groups().count()), 0);
    assert!(emulator.request_log().is_empty());
    assert_eq!(emulator.now().as_second() - Settings::default().start.as_second(), 60);
}

#[tokio::test]
async fn groups_are_read_page_by_page() {
    let emulator = Emulator::start(Settings::default()).await.unwrap();
    emulator.with_region(|region| {
        for name in ["a", "b", "c"] {
            let group = format!("group-{name}");
            scaling_emulator::GroupSetup::new(&group, "m7i.large", (0, 1, 0)).make(region).unwrap();
        }
    });
    let describe = "Action=DescribeAutoScalingGroups&Version=2011-01-01&MaxRecords=2";
    let (_, first) = form(&emulator, describe).await;
    assert!(
        first.contains("group-a")
            && first.contains("group-b")
            && !first.contains(">group-c</AutoScalingGroupName")
    );
    let token = first.split("<NextToken>").nth(1).unwrap().split('<').next().unwrap();
    let (_, second) = form(&emulator, &format!("{describe}&NextToken={token}")).await;
    assert!(second.contains("group-c") && !second.contains("group-b") && !second.contains("NextToken"));
}

#[tokio::test]
async fn a_dropped_emulator_answers_no_more() {
    let emulator = emulator(1).await;
    let address = emulator.endpoint().trim_start_matches("http://").to_owned();
    assert_eq!(control(&emulator, "GET", "/_emulator/health", Value::Null).await.0, 200);
    emulator.stop();
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
