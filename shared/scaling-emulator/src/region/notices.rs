//! What a group tells others: events as EventBridge carries them, and notifications to its topics, both at
//! `/_emulator/events`.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Amazon EC2 Auto Scaling event reference" and "Amazon SNS notification
//! options for Amazon EC2 Auto Scaling", whose members these have.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::activity::Activity;
use super::events::Events;
use super::group::Group;

/// What came of an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// An instance serves.
    Launched,
    /// None could be launched.
    NotLaunched,
    /// An instance is gone.
    Ended,
}

impl Outcome {
    fn event(self) -> &'static str {
        match self {
            Self::Launched => "EC2 Instance Launch Successful",
            Self::NotLaunched => "EC2 Instance Launch Unsuccessful",
            Self::Ended => "EC2 Instance Terminate Successful",
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Launched => "autoscaling:EC2_INSTANCE_LAUNCH",
            Self::NotLaunched => "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
            Self::Ended => "autoscaling:EC2_INSTANCE_TERMINATE",
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Self::Launched => "launch",
            Self::NotLaunched => "failed launch",
            Self::Ended => "termination",
        }
    }
}

impl Group {
    /// Tells what came of an activity, to everybody and to the topics that want to know.
    pub(super) fn tell(
        &self,
        events: &mut Events,
        now: Timestamp,
        outcome: Outcome,
        (activity, instance): (&str, &str),
    ) {
        let Some(activity) = self.activities.iter().find(|known| known.activity_id == activity) else {
            return;
        };
        let detail = detail(activity, instance);
        events.push(now, "aws.autoscaling", outcome.event(), detail.clone());
        for (topic, _) in self.notifications.iter().filter(|(_, kinds)| kinds.contains(outcome.kind())) {
            let mut message = detail.clone();
            message["Service"] = json!("AWS Auto Scaling");
            message["Time"] = json!(now);
            message["AutoScalingGroupARN"] = json!(activity.auto_scaling_group_arn);
            message["Progress"] = json!(activity.progress);
            message["Event"] = json!(outcome.kind());
            self.notify(events, now, (topic, outcome.subject()), &message);
        }
    }

    /// Sends the notification that a topic is sent when it is set.
    pub(crate) fn notify_test(&self, events: &mut Events, now: Timestamp, topic: &str) {
        let message = json!({
            "Service": "AWS Auto Scaling",
            "Time": now,
            "AutoScalingGroupName": self.name,
            "AutoScalingGroupARN": self.arn,
            "Event": "autoscaling:TEST_NOTIFICATION",
        });
        self.notify(events, now, (topic, "test notification"), &message);
    }

    fn notify(&self, events: &mut Events, now: Timestamp, (topic, subject): (&str, &str), message: &Value) {
        let subject = format!("Auto Scaling: {subject} for group \"{}\"", self.name);
        let detail = json!({ "TopicArn": topic, "Subject": subject, "Message": message });
        events.push(now, "aws.sns", "Notification", detail);
    }
}

fn detail(activity: &Activity, instance: &str) -> Value {
    json!({
        "StatusCode": activity.status_code,
        "AutoScalingGroupName": activity.auto_scaling_group_name,
        "ActivityId": activity.activity_id,
        "RequestId": activity.activity_id,
        "Description": activity.description,
        "Cause": activity.cause,
        "Details": serde_json::from_str::<Value>(&activity.details).unwrap_or_default(),
        "StatusMessage": activity.status_message.as_deref().unwrap_or_default(),
        "EC2InstanceId": instance,
        "StartTime": activity.start_time,
        "EndTime": activity.end_time,
    })
}
