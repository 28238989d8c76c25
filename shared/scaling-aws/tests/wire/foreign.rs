//! Other controllers of a group.

use scaling_control::ports::GroupReader;
use scaling_policy::snapshot::ForeignController;

use crate::script::{Reply, Script, Sent, form, group};
use crate::xml;

fn tag(key: &str, value: &str) -> String {
    format!("<Key>{key}</Key><Value>{value}</Value><ResourceType>auto-scaling-group</ResourceType>")
}

fn policy(name: &str, more: &str) -> String {
    format!("<PolicyName>{name}</PolicyName>{more}")
}

fn respond(sent: &Sent) -> Reply {
    let operation = sent.operation();
    let of = |name: &str| sent.field("AutoScalingGroupName").as_deref() == Some(name);
    match operation.as_str() {
        "DescribeAutoScalingGroups" => {
            let tags = [
                tag("Name", "web"),
                tag("k8s.io/cluster-autoscaler/enabled", "true"),
                tag("karpenter.sh/nodepool", "false"),
            ];
            xml::groups([
                xml::group("busy", &xml::list("Tags", tags)),
                xml::group("quiet", ""),
                xml::group("gone", ""),
            ])
        }
        _ if of("gone") => xml::error(400, "ValidationError", "AutoScalingGroup name not found - null"),
        "DescribePolicies" if of("busy") => xml::answer(
            &operation,
            &xml::list(
                "ScalingPolicies",
                [
                    policy("cpu-50", "<PolicyType>TargetTrackingScaling</PolicyType><Enabled>true</Enabled>"),
                    policy("switched-off", "<Enabled>false</Enabled>"),
                    policy(
                        "forecast",
                        "<PredictiveScalingConfiguration><Mode>ForecastOnly</Mode></PredictiveScalingConfiguration>",
                    ),
                    policy(
                        "predictive",
                        "<PredictiveScalingConfiguration><Mode>ForecastAndScale</Mode>\
                         </PredictiveScalingConfiguration>",
                    ),
                ],
            ),
        ),
        "DescribeScheduledActions" if of("busy") => xml::answer(
            &operation,
            &xml::list("ScheduledUpdateGroupActions", ["<ScheduledActionName>night</ScheduledActionName>"]),
        ),
        _ => xml::answer(&operation, ""),
    }
}

#[tokio::test(start_paused = true)]
async fn whatever_else_acts_on_a_group_is_found() {
    let script = Script::new(|sent, _| respond(sent));
    let groups = ["busy", "quiet", "gone"].map(group);
    let found = script.platform().foreign_controllers(&groups).await.unwrap();

    assert_eq!(found.keys().map(ToString::to_string).collect::<Vec<_>>(), ["busy"]);
    assert_eq!(
        found[&groups[0].name],
        [
            ForeignController::ScalingPolicy { name: "cpu-50".to_owned() },
            ForeignController::ScalingPolicy { name: "predictive".to_owned() },
            ForeignController::ScheduledAction { name: "night".to_owned() },
            ForeignController::Tag { key: "k8s.io/cluster-autoscaler/enabled".to_owned() },
        ]
    );
    for operation in ["DescribePolicies", "DescribeScheduledActions"] {
        let sent = script.sent();
        let first = sent.iter().find(|sent| sent.operation() == operation).unwrap();
        assert_eq!(
            first.form(),
            form(&[
                ("Action", operation),
                ("Version", "2011-01-01"),
                ("AutoScalingGroupName", "busy"),
                ("MaxRecords", "100"),
            ])
        );
    }
}

#[tokio::test(start_paused = true)]
async fn not_being_allowed_to_look_is_an_error_and_not_an_empty_answer() {
    let script = Script::new(|sent, _| match sent.operation().as_str() {
        "DescribePolicies" => xml::error(403, "AccessDenied", "not authorized"),
        _ => respond(sent),
    });
    let error = script.platform().foreign_controllers(&[group("busy")]).await.unwrap_err();
    assert_eq!(error.kind(), "denied");
    assert!(error.to_string().contains("autoscaling:DescribePolicies"), "{error}");
}
