//! Instances that belong to no group.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use scaling_fleet::fleet::{InstanceNumber, Machine};
use serde::{Deserialize, Serialize};

use super::ids::Ids;
use super::member::{Condition, LifecycleState, Member};
use super::place_of;
use super::stamp::{Run, Tags};
use crate::ec2::market::Interruption;

/// An instance that belongs to no group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Loose {
    /// What it would be in a group: in service when it runs, stopped, or terminated.
    pub member: Member,
    /// Its image.
    pub image: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What it was run together with; by itself where there is none.
    #[serde(default)]
    pub reservation: Option<String>,
    /// What the call that ran it said, so that the same call again runs nothing more.
    #[serde(default)]
    pub client_token: Option<String>,
    /// What tells that call from another one with the same token: a checksum of its parameters. Another one, `call` by name,
    /// stands in older states and is compared with nothing.
    #[serde(default, rename = "parameters", skip_serializing_if = "Option::is_none")]
    pub call: Option<u64>,
    /// Its key pair.
    #[serde(default)]
    pub key_name: Option<String>,
    /// Its security groups by id; the default one where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
    /// Its place among those that were run together.
    #[serde(default)]
    pub launch_index: u32,
}

impl Loose {
    /// A new one, running.
    pub fn new(ids: &mut Ids, machine: &Machine, zone: String, now: Timestamp) -> Self {
        Self::from(Member {
            id: ids.instance(),
            number: InstanceNumber(0),
            instance_type: machine.instance_type.clone(),
            address: ids.address(place_of(&zone)),
            zone,
            state: LifecycleState::InService,
            healthy: true,
            condition: Condition::Sound,
            protected: false,
            template: None,
            configuration: None,
            image: None,
            weight: 1,
            launched: now,
            served_from: None,
            served_until: None,
            gone_at: None,
            activity: String::new(),
            hooks: Vec::new(),
            ready_at: None,
            spot: false,
            persistent: false,
            interruption: Interruption::default(),
            request_cancelled: false,
            request_changed: None,
            at_risk: false,
            interrupted: false,
            tags: Tags::default(),
            stamp: None,
        })
    }

    /// Takes its machine away, or its soundness.
    pub(crate) fn lose(&mut self, condition: Condition, now: Timestamp) {
        let member = &mut self.member;
        if matches!(condition, Condition::Terminated | Condition::Stopped) {
            member.change_request(now);
        }
        match condition {
            Condition::Terminated => {
                (member.state, member.gone_at) = (LifecycleState::Terminated, member.gone_at.or(Some(now)));
            }
            Condition::Stopped => member.state = LifecycleState::WarmedStopped,
            Condition::Failed | Condition::Sound => member.condition = condition,
        }
    }
}

impl From<Member> for Loose {
    fn from(mut member: Member) -> Self {
        let stamp = member.stamp.clone().unwrap_or_default();
        let run = stamp.run.clone().unwrap_or_default();
        Self {
            tags: Arc::unwrap_or_clone(std::mem::take(&mut member.tags)),
            member,
            image: stamp.image.clone(),
            reservation: run.reservation,
            client_token: run.client_token,
            call: run.call,
            key_name: stamp.key_name.clone(),
            security_groups: stamp.security_groups.clone(),
            launch_index: run.launch_index,
        }
    }
}

impl From<Loose> for Member {
    fn from(loose: Loose) -> Self {
        let Loose { mut member, image, tags, key_name, security_groups, .. } = loose;
        let stamp = Arc::make_mut(member.stamp.get_or_insert_default());
        stamp.image = image.or(stamp.image.take());
        stamp.key_name = key_name.or(stamp.key_name.take());
        if !security_groups.is_empty() {
            stamp.security_groups = security_groups;
        }
        stamp.run = Some(Run {
            reservation: loose.reservation,
            client_token: loose.client_token,
            call: loose.call,
            launch_index: loose.launch_index,
        });
        member.tags = Arc::new(tags);
        member
    }
}
