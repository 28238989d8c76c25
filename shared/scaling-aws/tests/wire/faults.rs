//! Everything that can go wrong on the way, and what the caller is told.

use std::error::Error;
use std::time::Duration;

use jiff::Timestamp;
use scaling_aws::CallLimits;
use scaling_control::PortError;
use scaling_control::ports::{GroupReader, GroupWriter, MetricQuery, MetricReader};
use scaling_policy::Trigger;
use scaling_policy::operation::Step;
use tokio::time::Instant;

use crate::script::{Reply, Script, group};
use crate::{cloudwatch, xml};

async fn set_desired(script: &Script) -> Result<(), PortError> {
    let step = Step::SetDesired { desired: 2 };
    script.platform().apply(&group("web"), &step).await.map(|_| ())
}

async fn read_cpu(script: &Script) -> PortError {
    let web = group("web");
    let binding = web.triggers[Trigger::CpuUsage].binding.clone().unwrap();
    let query = MetricQuery {
        group: web,
        trigger: Trigger::CpuUsage,
        binding,
        period_seconds: 60,
        from: Timestamp::from_second(0).unwrap(),
        to: Timestamp::from_second(60).unwrap(),
    };
    script.platform().read(&[query]).await.unwrap_err()
}

fn always(reply: Reply) -> Script {
    Script::new(move |_, _| reply.clone())
}

#[tokio::test(start_paused = true)]
async fn throttling_is_retried_and_then_told() {
    let script = always(xml::error(400, "Throttling", "Rate exceeded"));
    let error = set_desired(&script).await.unwrap_err();
    assert!(matches!(error, PortError::Throttled { operation: "SetDesiredCapacity" }), "{error:?}");
    assert_eq!(script.sent().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_throttled_once_succeeds() {
    let script =
        Script::of([xml::error(400, "Throttling", "Rate exceeded"), xml::answer("SetDesiredCapacity", "")]);
    let platform = script.platform();
    platform.apply(&group("web"), &Step::SetDesired { desired: 2 }).await.unwrap();
    let counter = platform.clients().counter();
    assert_eq!(counter.snapshot()["SetDesiredCapacity"], 2);
    assert_eq!(counter.calls()["SetDesiredCapacity"], 1);
    assert_eq!(counter.retries()["SetDesiredCapacity"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_fault_is_retried_and_then_unavailable() {
    let script = always(xml::error(500, "InternalFailure", "try later"));
    let error = set_desired(&script).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable");
    assert!(error.to_string().contains("InternalFailure: try later"), "{error}");
    assert!(error.source().is_some());
    assert_eq!(script.sent().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_answers_in_html_is_unavailable() {
    for status in [502, 503] {
        let error = set_desired(&always(xml::raw(status, "<html>bad gateway</html>"))).await.unwrap_err();
        assert_eq!(error.kind(), "unavailable", "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_after_the_attempts_and_within_the_limit_of_the_call() {
    let script = always(Reply::Silence);
    let start = Instant::now();
    let error = set_desired(&script).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable");
    assert!(error.to_string().contains("no answer in time"), "{error}");
    assert!(error.source().is_some());
    assert!(script.sent().len() > 1, "a slow attempt is not the last one");
    let taken = start.elapsed();
    let limits = CallLimits::default();
    assert!(taken > limits.attempt && taken <= limits.operation + Duration::from_secs(1), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn one_slow_attempt_does_not_fail_the_call() {
    let script = Script::of([Reply::Silence, xml::answer("SetDesiredCapacity", "")]);
    set_desired(&script).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_is_unavailable_with_its_cause() {
    let error = set_desired(&always(Reply::Refused)).await.unwrap_err();
    assert_eq!(error.kind(), "unavailable");
    assert!(error.to_string().contains("connection refused"), "{error}");
    assert!(error.source().is_some());
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_is_unavailable() {
    for body in ["", "{}", "<DescribeAutoScalingGroupsResponse>", "<Other></Other>"] {
        let error = always(xml::raw(200, body)).platform().describe(&[group("web")]).await.unwrap_err();
        assert_eq!(error.kind(), "unavailable", "{body}: {error}");
    }
    let error = read_cpu(&always(cloudwatch::garbage())).await;
    assert_eq!(error.kind(), "unavailable", "{error}");
    assert!(error.to_string().contains("could not be read"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_denial_names_the_action_that_is_needed_and_is_not_retried() {
    let words = "User: arn:aws:iam::1:role/x is not authorized";
    let script = always(xml::error(403, "AccessDenied", words));
    let error = set_desired(&script).await.unwrap_err();
    assert_eq!(error.kind(), "denied");
    assert!(error.to_string().contains(words), "{error}");
    assert!(error.to_string().contains("autoscaling:SetDesiredCapacity"), "{error}");
    assert_eq!(script.sent().len(), 1);

    let error = read_cpu(&always(cloudwatch::error(403, "AccessDeniedException", "no"))).await;
    assert_eq!(error.kind(), "denied");
    assert!(error.to_string().contains("cloudwatch:GetMetricData"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn another_change_under_way_is_a_conflict() {
    for code in ["ScalingActivityInProgress", "ResourceContention"] {
        let error = set_desired(&always(xml::error(400, code, "busy"))).await.unwrap_err();
        assert!(
            matches!(&error, PortError::Conflict { operation: "SetDesiredCapacity", message } if message.contains("busy")),
            "{error:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_value_is_invalid_and_a_missing_group_not_found() {
    let above = "New SetDesiredCapacity value 20 is above max value 10 for the AutoScalingGroup.";
    let script = always(xml::error(400, "ValidationError", above));
    let error = set_desired(&script).await.unwrap_err();
    assert_eq!(error.kind(), "invalid");
    assert!(error.to_string().contains(above), "{error}");
    assert_eq!(script.sent().len(), 1);

    let missing = "AutoScalingGroup name not found - AutoScalingGroup 'web' not found";
    let error = set_desired(&always(xml::error(400, "ValidationError", missing))).await.unwrap_err();
    assert_eq!(error.to_string(), "group web was not found");
}

#[tokio::test(start_paused = true)]
async fn metrics_that_are_throttled_or_refused_say_so() {
    assert_eq!(
        read_cpu(&always(cloudwatch::error(400, "ThrottlingException", "slow down"))).await.kind(),
        "throttled"
    );
    let refused =
        cloudwatch::error(400, "InvalidParameterValueException", "StartTime must be before EndTime");
    let error = read_cpu(&always(refused)).await;
    assert_eq!(error.kind(), "invalid");
    assert!(error.to_string().contains("StartTime"), "{error}");
    assert_eq!(
        read_cpu(&always(cloudwatch::error(500, "InternalServiceFault", ""))).await.kind(),
        "unavailable"
    );
    assert_eq!(read_cpu(&always(Reply::Silence)).await.kind(), "unavailable");
}
