//! One operation, three protocols: AWS JSON, CBOR, and the older forms with XML.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use scaling_emulator::wire::cbor;
use serde_json::{Value, json};

use crate::support::{Answer, START, done, emulator, points_of, post, put, query};

const JSON: &str = "application/x-amz-json-1.0";

async fn by_json(emulator: &scaling_emulator::Emulator, operation: &str, input: &Value) -> Answer {
    let target = format!("GraniteServiceVersion20100801.{operation}");
    let headers = [("x-amz-target", target.as_str()), ("content-type", JSON), ("x-amzn-query-mode", "true")];
    post(emulator, "/", &headers, input.to_string()).await
}

async fn by_cbor(emulator: &scaling_emulator::Emulator, operation: &str, body: Vec<u8>) -> Answer {
    let path = format!("/service/GraniteServiceVersion20100801/operation/{operation}");
    let headers = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
    post(emulator, &path, &headers, body).await
}

async fn by_form(emulator: &scaling_emulator::Emulator, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    post(emulator, "/", &headers, format!("Version=2010-08-01&{form}")).await
}

/// CBOR as the Rust SDK writes it: maps of indefinite length, times as tag 1 around a 64-bit float.
fn as_the_sdk(value: &Value, name: &str) -> Vec<u8> {
    let text = |text: &str| {
        assert!(text.len() < 256);
        [&[0x78, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat()
    };
    match value {
        Value::Object(members) => {
            let members =
                members.iter().flat_map(|(name, value)| [text(name), as_the_sdk(value, name)].concat());
            [0xbf].into_iter().chain(members).chain([0xff]).collect()
        }
        Value::Array(items) => {
            assert!(items.len() < 24);
            let items = items.iter().flat_map(|item| as_the_sdk(item, name));
            [0x80 | u8::try_from(value.as_array().unwrap().len()).unwrap()].into_iter().chain(items).collect()
        }
        Value::String(word) => text(word),
        Value::Number(number) => {
            let float = [&[0xfb], number.as_f64().unwrap().to_be_bytes().as_slice()].concat();
            match number.as_u64() {
                _ if name.ends_with("Time") || name == "Timestamp" => [&[0xc1], float.as_slice()].concat(),
                Some(whole) => [&[0x1b], whole.to_be_bytes().as_slice()].concat(),
                None => float,
            }
        }
        other => panic!("no test sends {other}"),
    }
}

#[tokio::test]
async fn the_same_points_come_back_in_json_and_cbor() {
    let emulator = emulator().await;
    let datum = json!({ "MetricName": "A", "Timestamp": START as f64, "Value": 2.5 });
    let input = json!({ "Namespace": "Shop", "MetricData": [datum] });
    assert_eq!(by_json(&emulator, "PutMetricData", &input).await.status, 200);
    assert_eq!(by_cbor(&emulator, "PutMetricData", as_the_sdk(&input, "")).await.status, 200);
    let input = json!({
        "MetricDataQueries": [query("m", ("Shop", "A"), &[], "SampleCount")], "StartTime": START, "EndTime": START + 60,
    });
    let json = by_json(&emulator, "GetMetricData", &input).await;
    let cbor = by_cbor(&emulator, "GetMetricData", as_the_sdk(&input, "")).await;
    assert_eq!((json.status, json.header("content-type")), (200, JSON));
    assert!(!json.header("x-amzn-requestid").is_empty() && !cbor.header("x-amzn-requestid").is_empty());
    assert_eq!(
        (cbor.header("content-type"), cbor.header("smithy-protocol")),
        ("application/cbor", "rpc-v2-cbor")
    );
    let output = cbor::read("GetMetricData", &cbor.body).unwrap();
    assert_eq!(output, json.json());
    assert_eq!(points_of(&output["MetricDataResults"][0]), [(0, 2.0)]);
}

#[tokio::test]
async fn forms_are_answered_in_xml_with_times_as_text() {
    let emulator = emulator().await;
    let put = "Action=PutMetricData&Namespace=Shop&MetricData.member.1.MetricName=A\
               &MetricData.member.1.Dimensions.member.1.Name=Shelf&MetricData.member.1.Dimensions.member.1.Value=7\
               &MetricData.member.1.Timestamp=2026-01-05T00%3A00%3A00Z&MetricData.member.1.Value=4.5\
               &MetricData.member.1.Unit=Count";
    assert_eq!(by_form(&emulator, put).await.status, 200);
    let get = "Action=GetMetricStatistics&Namespace=Shop&MetricName=A&Dimensions.member.1.Name=Shelf\
               &Dimensions.member.1.Value=7&StartTime=2026-01-05T00:00:00Z&EndTime=2026-01-05T00:01:00Z&Period=60\
               &ExtendedStatistics.member.1=p50&ExtendedStatistics.member.2=p99";
    let answer = by_form(&emulator, get).await;
    let point = "<Datapoints><member><Timestamp>2026-01-05T00:00:00Z</Timestamp><Unit>Count</Unit>\
                 <ExtendedStatistics><entry><key>p50</key><value>4.5</value></entry>\
                 <entry><key>p99</key><value>4.5</value></entry></ExtendedStatistics></member></Datapoints>";
    assert_eq!((answer.status, answer.text().contains(point)), (200, true), "{}", answer.text());
}

#[tokio::test]
async fn an_alarm_is_put_and_described_by_forms() {
    let emulator = emulator().await;
    let put = "Action=PutMetricAlarm&AlarmName=a&Namespace=Shop&MetricName=A&Statistic=Sum&Period=60\
               &EvaluationPeriods=2&Threshold=5.5&ComparisonOperator=LessThanThreshold&ActionsEnabled=false\
               &AlarmActions.member.1=arn%3Aaws%3Asns%3Aus-east-1%3A123456789012%3Atopic";
    assert_eq!(by_form(&emulator, put).await.status, 200);
    let text = by_form(&emulator, "Action=DescribeAlarms&AlarmNames.member.1=a").await.text();
    for part in [
        "<AlarmName>a</AlarmName>",
        "<Threshold>5.5</Threshold>",
        "<ActionsEnabled>false</ActionsEnabled>",
        "<AlarmActions><member>arn:aws:sns:us-east-1:123456789012:topic</member></AlarmActions>",
        "<StateUpdatedTimestamp>2026-01-05T00:00:00Z</StateUpdatedTimestamp>",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[tokio::test]
async fn each_protocol_tells_an_error_in_its_form() {
    let emulator = emulator().await;
    let input = json!({ "AlarmName": "none", "StateValue": "OK", "StateReason": "test" });
    let json = by_json(&emulator, "SetAlarmState", &input).await;
    let cbor = by_cbor(&emulator, "SetAlarmState", as_the_sdk(&input, "")).await;
    let form = by_form(&emulator, "Action=SetAlarmState&AlarmName=none&StateValue=OK&StateReason=test").await;
    assert_eq!([json.status, cbor.status, form.status], [404; 3]);
    for answer in [&json, &cbor] {
        assert_eq!(answer.header("x-amzn-query-error"), "ResourceNotFound;Sender");
    }
    assert_eq!(json.json()["__type"], "com.amazonaws.cloudwatch#ResourceNotFound");
    assert_eq!(cbor::read("SetAlarmState", &cbor.body).unwrap(), json.json());
    assert!(form.text().contains("<Code>ResourceNotFound</Code>"), "{}", form.text());
    for body in [b"\xff".to_vec(), b"\x80".to_vec(), b"{}".to_vec()] {
        assert_eq!(by_cbor(&emulator, "ListMetrics", body).await.status, 400);
    }
    assert_eq!(by_form(&emulator, "Action=GetMetricData&MaxDatapoints=many").await.status, 400);
}

#[tokio::test]
async fn compressed_requests_are_read() {
    let emulator = emulator().await;
    let data: Vec<Value> = (0..500).map(|_| json!({ "MetricName": "A", "Value": 1.0 })).collect();
    let input = json!({ "Namespace": "Shop", "MetricData": data }).to_string();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(input.as_bytes()).unwrap();
    let headers = [
        ("x-amz-target", "GraniteServiceVersion20100801.PutMetricData"),
        ("content-type", JSON),
        ("content-encoding", "gzip"),
    ];
    let answer = post(&emulator, "/", &headers, encoder.finish().unwrap()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    put(&emulator, "A", 0, 1.0);
    let input = json!({
        "MetricDataQueries": [query("m", ("Shop", "A"), &[], "Sum")], "StartTime": START, "EndTime": START + 60,
    });
    assert_eq!(points_of(&done(&emulator, "GetMetricData", input)["MetricDataResults"][0]), [(0, 501.0)]);
}
