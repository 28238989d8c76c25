//! Requests as they might be sent: of every protocol, mostly almost right.

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use proptest::prelude::*;
use proptest::sample::select;
use scaling_emulator::wire::operations;
use serde_json::{Map, Value};

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    path: String,
    headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

impl Sent {
    pub(crate) fn uri(&self) -> Uri {
        self.path.parse().unwrap_or_else(|_| Uri::from_static("/"))
    }

    pub(crate) fn headers(&self) -> HeaderMap {
        let pair = |(name, value): &(&'static str, String)| {
            Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
        };
        self.headers.iter().filter_map(pair).collect()
    }
}

/// Names of members that operations have, and some that none has.
const MEMBERS: &[&str] = &[
    "AutoScalingGroupName",
    "AutoScalingGroupNames.member.1",
    "InstanceId",
    "InstanceIds.member.1",
    "InstanceId.1",
    "Attribute",
    "SpotInstanceRequestId.1",
    "SecurityGroupRuleId.1",
    "InstanceMarketOptions.MarketType",
    "InstanceMarketOptions.SpotOptions.MaxPrice",
    "MinSize",
    "MaxSize",
    "DesiredCapacity",
    "LaunchTemplate.LaunchTemplateName",
    "LaunchTemplate.Version",
    "LaunchTemplateName",
    "LaunchTemplateData.InstanceType",
    "LaunchTemplateData.ImageId",
    "AvailabilityZones.member.1",
    "VPCZoneIdentifier",
    "Tags.member.1.Key",
    "Tags.member.1.Value",
    "Tags.member.1.ResourceId",
    "PolicyName",
    "PolicyType",
    "AdjustmentType",
    "ScalingAdjustment",
    "MinAdjustmentMagnitude",
    "Cooldown",
    "StepAdjustments.member.1.ScalingAdjustment",
    "StepAdjustments.member.1.MetricIntervalLowerBound",
    "StepAdjustments.member.1.MetricIntervalUpperBound",
    "TargetTrackingConfiguration.TargetValue",
    "TargetTrackingConfiguration.PredefinedMetricSpecification.PredefinedMetricType",
    "TargetTrackingConfiguration.PredefinedMetricSpecification.ResourceLabel",
    "ScheduledActionName",
    "Recurrence",
    "TimeZone",
    "StartTime",
    "EndTime",
    "LifecycleHookName",
    "LifecycleTransition",
    "HeartbeatTimeout",
    "DefaultResult",
    "LifecycleActionResult",
    "LifecycleActionToken",
    "ShouldDecrementDesiredCapacity",
    "HonorCooldown",
    "HealthStatus",
    "ProtectedFromScaleIn",
    "MaxGroupPreparedCapacity",
    "PoolState",
    "ForceDelete",
    "MaxRecords",
    "NextToken",
    "Filters.member.1.Name",
    "Filters.member.1.Values.member.1",
    "Filter.1.Name",
    "Filter.1.Value.1",
    "Preferences.MinHealthyPercentage",
    "Preferences.MaxHealthyPercentage",
    "Preferences.InstanceWarmup",
    "Preferences.CheckpointPercentages.member.1",
    "Preferences.CheckpointDelay",
    "Preferences.BakeTime",
    "MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName",
    "MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.InstanceType",
    "MixedInstancesPolicy.LaunchTemplate.Overrides.member.1.WeightedCapacity",
    "DefaultInstanceWarmup",
    "MaxInstanceLifetime",
    "TerminationPolicies.member.1",
    "Namespace",
    "MetricName",
    "Dimensions.member.1.Name",
    "Dimensions.member.1.Value",
    "Statistic",
    "Statistics.member.1",
    "ExtendedStatistic",
    "Period",
    "Unit",
    "Threshold",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "ComparisonOperator",
    "TreatMissingData",
    "AlarmName",
    "AlarmNames.member.1",
    "AlarmActions.member.1",
    "AlarmRule",
    "StateValue",
    "StateReason",
    "StateReasonData",
    "MetricData.member.1.MetricName",
    "MetricData.member.1.Value",
    "MetricData.member.1.Values.member.1",
    "MetricData.member.1.Counts.member.1",
    "MetricData.member.1.StatisticValues.Sum",
    "MetricData.member.1.Timestamp",
    "MetricDataQueries.member.1.Id",
    "MetricDataQueries.member.1.Expression",
    "ScanBy",
    "DashboardName",
    "DashboardBody",
    "MaxResults",
    "Odd.0.member.-1",
    "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t",
    "",
];

fn word() -> impl Strategy<Value = String> {
    let known: &[&str] = &[
        "web",
        "m7i.large",
        "c7i.xlarge",
        "us-east-1a",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "3",
        "10",
        "60",
        "300",
        "1e9",
        "99999999999999999999",
        "NaN",
        "Infinity",
        "-1e308",
        "0.5",
        "TargetTrackingScaling",
        "StepScaling",
        "SimpleScaling",
        "PredictiveScaling",
        "ChangeInCapacity",
        "PercentChangeInCapacity",
        "ExactCapacity",
        "ASGAverageCPUUtilization",
        "0 0 * * *",
        "*/5 * * * *",
        "Europe/Berlin",
        "2026-01-05T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "-9999-01-01T00:00:00Z",
        "autoscaling:EC2_INSTANCE_LAUNCHING",
        "ABANDON",
        "CONTINUE",
        "Unhealthy",
        "AWS/EC2",
        "CPUUtilization",
        "Average",
        "Sum",
        "p99",
        "Count",
        "GreaterThanThreshold",
        "breaching",
        "ALARM",
        "OK",
        "ALARM(a) AND NOT OK(b)",
        "m1/PERIOD(m1)",
        "SUM(METRICS())",
        "a",
        "m1",
        "$Latest",
        "$Default",
        "TimestampAscending",
        "{}",
        "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:x:autoScalingGroupName/web:policyName/a",
    ];
    prop_oneof![8 => select(known).prop_map(str::to_owned), 1 => ".{0,40}", 1 => "[ -~]{0,300}"]
}

fn operation() -> impl Strategy<Value = (&'static str, String)> {
    const SERVICES: &[&str] = &["autoscaling", "ec2", "monitoring", "sts"];
    let all: Vec<(&'static str, &'static str)> = operations().collect();
    prop_oneof![
        20 => select(all).prop_map(|(service, name)| (service, name.to_owned())),
        1 => (select(SERVICES), "[A-Za-z<>&]{0,20}"),
    ]
}

fn members() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop_oneof![12 => select(MEMBERS).prop_map(str::to_owned), 1 => "[A-Za-z0-9.]{0,40}"];
    // A group's name in most requests, so that they get past the first check.
    (any::<bool>(), prop::collection::vec((name, word()), 0..14)).prop_map(|(named, mut pairs)| {
        if named {
            pairs.push(("AutoScalingGroupName".to_owned(), "web".to_owned()));
        }
        pairs
    })
}

fn query() -> impl Strategy<Value = Sent> {
    (operation(), members(), any::<bool>()).prop_map(|((service, name), mut pairs, in_path)| {
        pairs.push(("Action".to_owned(), name));
        let scope = format!("AWS4-HMAC-SHA256 Credential=AK/20260105/us-east-1/{service}/aws4_request");
        let form = serde_urlencoded::to_string(&pairs).unwrap_or_default();
        let (path, body) =
            if in_path { (format!("/?{form}"), String::new()) } else { ("/".to_owned(), form) };
        Sent { path, headers: vec![("authorization", scope)], body: body.into() }
    })
}

/// The tree that a form's pairs stand for, as JSON.
fn tree(pairs: &[(String, String)]) -> Value {
    let mut root = Map::new();
    for (name, text) in pairs {
        let parts: Vec<&str> = name.split('.').filter(|part| *part != "member").take(6).collect();
        let leaf = text
            .parse::<f64>()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map_or_else(|| Value::String(text.clone()), Value::Number);
        let mut value = leaf;
        for part in parts.iter().skip(1).rev() {
            value = if part.parse::<u32>().is_ok() {
                Value::Array(vec![value])
            } else {
                Value::Object(Map::from_iter([((*part).to_owned(), value)]))
            };
        }
        root.insert((*parts.first().unwrap_or(&"")).to_owned(), value);
    }
    Value::Object(root)
}

fn json() -> impl Strategy<Value = Sent> {
    (operation(), members()).prop_map(|((_, name), pairs)| Sent {
        path: "/".to_owned(),
        headers: vec![("x-amz-target", format!("GraniteServiceVersion20100801.{name}"))],
        body: tree(&pairs).to_string().into(),
    })
}

fn cbor() -> impl Strategy<Value = Sent> {
    (operation(), members()).prop_map(|((_, name), pairs)| {
        let mut body = Vec::new();
        ciborium::ser::into_writer(&tree(&pairs), &mut body).unwrap_or_default();
        Sent {
            path: format!("/service/GraniteServiceVersion20100801/operation/{name}"),
            headers: vec![("smithy-protocol", "rpc-v2-cbor".to_owned())],
            body: body.into(),
        }
    })
}

/// A right request with some bytes spoiled or lost, or plain noise.
fn spoiled() -> impl Strategy<Value = Sent> {
    let right = prop_oneof![query(), json(), cbor()];
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    (right, changes, any::<prop::sample::Index>(), any::<bool>(), select(&["gzip", "br", ""][..])).prop_map(
        |(mut sent, changes, end, cut, encoding)| {
            let mut body = sent.body.to_vec();
            if !body.is_empty() {
                for (at, byte) in changes {
                    let at = at.index(body.len());
                    body[at] = byte;
                }
                if cut {
                    body.truncate(end.index(body.len()));
                }
            }
            sent.body = body.into();
            sent.headers.push(("content-encoding", encoding.to_owned()));
            sent
        },
    )
}

/// Any request.
pub(crate) fn sent() -> impl Strategy<Value = Sent> {
    let noise = (".{0,60}", prop::collection::vec(any::<u8>(), 0..300)).prop_map(|(path, body)| Sent {
        path: format!("/{path}"),
        headers: vec![("x-amz-target", path)],
        body: body.into(),
    });
    prop_oneof![8 => query(), 4 => json(), 2 => cbor(), 3 => spoiled(), 1 => noise]
}
