//! Scaling activities: what a group did and why, newest kept.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::member::Member;

/// Most activities kept of one group. AWS keeps six weeks; this is the same for all but the busiest.
const KEPT: usize = 2_000;

/// How an activity stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActivityStatus {
    /// An instance boots.
    PreInService,
    /// An instance ends.
    InProgress,
    /// Lifecycle hooks hold it.
    MidLifecycleAction,
    /// Done.
    Successful,
    /// It could not be done.
    Failed,
    /// Given up because the instance was ended.
    Cancelled,
}

/// One scaling activity, as the service shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Activity {
    /// Its id.
    pub activity_id: String,
    /// The group.
    pub auto_scaling_group_name: String,
    /// What, with the instance's id where there is one.
    pub description: String,
    /// Why.
    pub cause: String,
    /// When it began.
    pub start_time: Timestamp,
    /// When it ended; `None` while it runs.
    pub end_time: Option<Timestamp>,
    /// How it stands.
    pub status_code: ActivityStatus,
    /// What went wrong.
    pub status_message: Option<String>,
    /// Percent done.
    pub progress: u32,
    /// Zone and subnet, as JSON.
    pub details: String,
    /// The group's ARN.
    #[serde(rename = "AutoScalingGroupARN")]
    pub auto_scaling_group_arn: String,
}

/// What a deleted group did, and what is left of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deleted {
    /// The group.
    pub name: String,
    /// When it was gone.
    pub at: Timestamp,
    /// What it did.
    pub activities: Activities,
    /// Its instances, which EC2 knows for as long as others that have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Member>,
}

impl Deleted {
    /// Whether six weeks have passed.
    pub(crate) fn is_forgotten(&self, now: Timestamp) -> bool {
        self.at + SignedDuration::from_hours(42 * 24) < now
    }

    /// Drops the instances that EC2 no longer knows.
    pub(crate) fn forget_instances(&mut self, now: Timestamp) {
        if !self.gone.is_empty() {
            self.gone.retain(|member| member.is_known(now));
            self.gone.shrink_to_fit();
        }
    }
}

/// The activities of one group, newest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Activities {
    log: VecDeque<Activity>,
}

impl Activities {
    /// Adds the newest.
    pub fn push(&mut self, activity: Activity) -> &mut Activity {
        self.log.truncate(KEPT - 1);
        self.log.push_front(activity);
        &mut self.log[0]
    }

    /// All kept, newest first.
    pub fn iter(&self) -> impl Iterator<Item = &Activity> {
        self.log.iter()
    }

    /// Changes how an activity that runs stands.
    pub fn set_status(&mut self, id: &str, status: ActivityStatus) {
        let running = self.log.iter_mut().find(|activity| activity.activity_id == id);
        if let Some(activity) = running.filter(|activity| activity.end_time.is_none()) {
            activity.status_code = status;
        }
    }

    /// Says what went wrong with an activity that runs, in its description, too.
    pub fn explain(&mut self, id: &str, why: String) {
        if let Some(activity) = self.log.iter_mut().find(|activity| activity.activity_id == id) {
            activity.description = format!("{}.  Status Reason: {why}", activity.description);
            activity.status_message = Some(why);
        }
    }

    /// Ends an activity that runs.
    pub fn finish(&mut self, id: &str, status: ActivityStatus, now: Timestamp) {
        let running = self.log.iter_mut().find(|activity| activity.activity_id == id);
        if let Some(activity) = running.filter(|activity| activity.end_time.is_none()) {
            activity.status_code = status;
            activity.end_time = Some(now);
            activity.progress = 100;
        }
    }

    /// Whether any runs.
    pub fn any_running(&self) -> bool {
        self.log.iter().any(|activity| activity.end_time.is_none())
    }
}
