//! CloudWatch's side of the wire: Smithy RPC v2 with CBOR bodies.

use ciborium::Value;

use crate::script::{Reply, Sent};

/// One query of a request, as the service reads it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) id: String,
    pub(crate) namespace: String,
    pub(crate) metric: String,
    pub(crate) dimensions: Vec<(String, String)>,
    pub(crate) period: i128,
    pub(crate) statistic: String,
}

/// A GetMetricData request, as the service reads it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) queries: Vec<Asked>,
    pub(crate) from: f64,
    pub(crate) to: f64,
    pub(crate) scan_by: String,
    pub(crate) token: Option<String>,
}

impl Request {
    pub(crate) fn of(sent: &Sent) -> Self {
        let body: Value = ciborium::from_reader(sent.body.as_slice()).expect("a CBOR body");
        Self {
            queries: array(member(&body, "MetricDataQueries").unwrap()).iter().map(asked).collect(),
            from: moment(member(&body, "StartTime").unwrap()),
            to: moment(member(&body, "EndTime").unwrap()),
            scan_by: text(member(&body, "ScanBy").unwrap()),
            token: member(&body, "NextToken").map(text),
        }
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.queries.iter().map(|query| query.id.clone()).collect()
    }
}

fn asked(query: &Value) -> Asked {
    let statistic = member(query, "MetricStat").unwrap();
    let metric = member(statistic, "Metric").unwrap();
    let dimension =
        |value: &Value| (text(member(value, "Name").unwrap()), text(member(value, "Value").unwrap()));
    Asked {
        id: text(member(query, "Id").unwrap()),
        namespace: text(member(metric, "Namespace").unwrap()),
        metric: text(member(metric, "MetricName").unwrap()),
        dimensions: member(metric, "Dimensions")
            .map_or_else(Vec::new, |all| array(all).iter().map(dimension).collect()),
        period: member(statistic, "Period").unwrap().as_integer().unwrap().into(),
        statistic: text(member(statistic, "Stat").unwrap()),
    }
}

pub(crate) fn member<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    map.as_map().unwrap().iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

pub(crate) fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_text().unwrap().to_owned()
}

/// Timestamps are tag 1 around a number.
fn moment(value: &Value) -> f64 {
    let (tag, inner) = value.as_tag().unwrap();
    assert_eq!(tag, 1);
    inner.as_float().unwrap_or_else(|| {
        let seconds: i128 = inner.as_integer().unwrap().into();
        f64::from(i32::try_from(seconds).unwrap())
    })
}

/// One series of an answer.
pub(crate) fn series(id: &str, status: &str, points: &[(i64, f64)]) -> Value {
    let moments = points.iter().map(|(at, _)| Value::Tag(1, Box::new(Value::Integer((*at).into()))));
    let values = points.iter().map(|(_, value)| Value::Float(*value));
    map([
        ("Id", id.into()),
        ("StatusCode", status.into()),
        ("Timestamps", Value::Array(moments.collect())),
        ("Values", Value::Array(values.collect())),
    ])
}

pub(crate) fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(name, value)| (name.into(), value)).collect())
}

/// A page of an answer.
pub(crate) fn page(series: Vec<Value>, token: Option<&str>) -> Reply {
    let mut members = vec![("MetricDataResults".into(), Value::Array(series))];
    members.extend(token.map(|token| ("NextToken".into(), token.into())));
    cbor(200, Vec::new(), &Value::Map(members))
}

/// An error, with its code in the header for clients of the older protocol and in the body.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Reply {
    let body =
        map([("__type", format!("com.amazonaws.cloudwatch#{code}").into()), ("message", message.into())]);
    cbor(status, vec![("x-amzn-query-error", format!("{code};Sender"))], &body)
}

fn cbor(status: u16, mut headers: Vec<(&'static str, String)>, body: &Value) -> Reply {
    let mut bytes = Vec::new();
    ciborium::into_writer(body, &mut bytes).unwrap();
    headers.push(("content-type", "application/cbor".to_owned()));
    headers.push(("smithy-protocol", "rpc-v2-cbor".to_owned()));
    Reply::Answer { status, headers, body: bytes }
}

/// An answer that is no CBOR.
pub(crate) fn garbage() -> Reply {
    let headers =
        vec![("content-type", "application/cbor".to_owned()), ("smithy-protocol", "rpc-v2-cbor".to_owned())];
    Reply::Answer { status: 200, headers, body: b"<html>".to_vec() }
}
