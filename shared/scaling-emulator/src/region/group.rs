//! One Auto Scaling group.

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::TypeName;
use scaling_fleet::fleet::InstanceNumber;

use super::minutes::{MinuteRecord, Minutes};

/// Where an instance is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleState {
    /// Booting.
    Pending,
    /// Serving.
    InService,
    /// Ending.
    Terminating,
    /// Gone.
    Terminated,
}

/// One instance of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// Instance id, such as `i-0123456789abcdef0`.
    pub id: String,
    /// Its number in the fleet.
    pub number: InstanceNumber,
    /// Its type.
    pub instance_type: TypeName,
    /// Its availability zone.
    pub zone: String,
    /// Where it is in its life.
    pub state: LifecycleState,
    /// When it began to serve; `None` before.
    pub served_from: Option<Timestamp>,
    /// When it stopped to serve; `None` before.
    pub served_until: Option<Timestamp>,
}

impl Member {
    /// Whether it served at the end of the minute that began at `start`.
    pub fn served_in(&self, start: Timestamp) -> bool {
        let end = start + SignedDuration::from_secs(60);
        self.served_from.is_some_and(|from| from < end) && self.served_until.is_none_or(|until| until >= end)
    }

    /// Start of the minute, and this instance's CPU and memory utilisation in it, 0 to 1.
    pub fn share_of(&self, minute: &MinuteRecord) -> (Timestamp, f64, f64) {
        (minute.start, minute.busy, minute.filled)
    }
}

/// One Auto Scaling group.
#[derive(Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// ARNs of its load balancer target groups, each `...:targetgroup/NAME/ID`.
    pub target_group_arns: Vec<String>,
    /// Its instances.
    pub members: Vec<Member>,
    /// Names of the group metrics that are collected, such as `GroupInServiceInstances`; none by default.
    pub enabled_metrics: std::collections::BTreeSet<String>,
    minutes: Minutes,
}

impl Group {
    /// Its complete minutes.
    pub fn minutes(&self) -> &Minutes {
        &self.minutes
    }

    /// Values of the `TargetGroup` and `LoadBalancer` dimensions under which its load balancer metrics stand: a
    /// target group `targetgroup/NAME/ID` belongs to the load balancer `app/NAME/ID`.
    pub fn load_balancing(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.target_group_arns.iter().filter_map(|arn| {
            let rest = arn.split_once(":targetgroup/")?.1;
            Some((format!("targetgroup/{rest}"), format!("app/{rest}")))
        })
    }
}
