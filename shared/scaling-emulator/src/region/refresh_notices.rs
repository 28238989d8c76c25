//! What an instance refresh tells others, at `/_emulator/events`.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, "Instance refresh example events and patterns", and *Amazon EventBridge
//! Events Reference*, "Amazon EC2 Auto Scaling events".

use serde_json::{Value, json};

use super::group::Group;
use super::refresh::{Refresh, RefreshStatus};
use super::scaling::Context;

const SOURCE: &str = "aws.autoscaling";

/// The event of a change to this status. `None`: it is told of by none.
fn event(status: RefreshStatus) -> Option<&'static str> {
    Some(match status {
        RefreshStatus::InProgress => "EC2 Auto Scaling Instance Refresh Started",
        RefreshStatus::Baking => "EC2 Auto Scaling Instance Refresh Started Baking",
        RefreshStatus::Successful => "EC2 Auto Scaling Instance Refresh Succeeded",
        RefreshStatus::Failed => "EC2 Auto Scaling Instance Refresh Failed",
        RefreshStatus::Cancelled => "EC2 Auto Scaling Instance Refresh Cancelled",
        RefreshStatus::RollbackInProgress => "EC2 Auto Scaling Instance Refresh Rollback Started",
        RefreshStatus::RollbackSuccessful => "EC2 Auto Scaling Instance Refresh Rollback Succeeded",
        RefreshStatus::RollbackFailed => "EC2 Auto Scaling Instance Refresh Rollback Failed",
        RefreshStatus::Pending | RefreshStatus::Cancelling => return None,
    })
}

impl Group {
    /// Tells how a refresh stands, unless that was told before.
    pub(super) fn tell_status(&self, refresh: &mut Refresh, context: &mut Context<'_>) {
        if refresh.told == Some(refresh.status) {
            return;
        }
        refresh.told = Some(refresh.status);
        if let Some(event) = event(refresh.status) {
            context.events.push(context.now, SOURCE, event, self.detail_of(refresh));
        }
    }

    /// Tells that a refresh has reached the checkpoint of this number. The last of all instances is none to wait at.
    pub(super) fn tell_checkpoint(&self, refresh: &Refresh, number: usize, context: &mut Context<'_>) {
        let percent = refresh.preferences.checkpoint_percentages.get(number);
        let Some(percent) = percent.filter(|percent| **percent < 100) else { return };
        let mut detail = self.detail_of(refresh);
        detail["CheckpointPercentage"] = json!(percent.to_string());
        detail["CheckpointDelay"] = json!(refresh.preferences.checkpoint_delay.unwrap_or(3600).to_string());
        context.events.push(
            context.now,
            SOURCE,
            "EC2 Auto Scaling Instance Refresh Checkpoint Reached",
            detail,
        );
    }

    fn detail_of(&self, refresh: &Refresh) -> Value {
        json!({ "InstanceRefreshId": refresh.id, "AutoScalingGroupName": self.name })
    }
}
