//! Interruptions, as of Spot Instances: an instance is told, and two minutes later its machine is taken away. It ends, or is
//! stopped where its request says so.

use jiff::{SignedDuration, Timestamp};

use super::Region;
use super::member::{Condition, Member};

/// Time between the warning of an interruption and the interruption, as for Spot Instances.
const NOTICE: SignedDuration = SignedDuration::from_secs(120);

impl Region {
    /// Tells an instance that it will be interrupted, and lets it fail two minutes later. Unknown ones are ignored, and so are
    /// those that are told already: there is no second machine to take away.
    pub fn interrupt(&mut self, id: &str) {
        let is_told = self.interruptions.iter().any(|(_, told)| told == id);
        if is_told || !self.may_be_interrupted(id) {
            return;
        }
        let action = self.member(id).map_or("terminate", |member| member.interruption.name());
        let detail = serde_json::json!({ "instance-id": id, "instance-action": action });
        self.events.push(self.now, "aws.ec2", "EC2 Spot Instance Interruption Warning", detail);
        let risk = serde_json::json!({ "instance-id": id });
        self.events.push(self.now, "aws.ec2", "EC2 Instance Rebalance Recommendation", risk);
        let now = self.now;
        if let Some(member) = self.present_mut(id) {
            member.warn(true, now);
        }
        self.interruptions.push((self.now + NOTICE, id.to_owned()));
    }

    /// Whether there is such an instance, in a group or not, that has not ended.
    pub(crate) fn may_fail(&self, id: &str) -> bool {
        self.member(id).is_some_and(is_left)
    }

    /// Whether its machine can be taken away: what is stopped has none, and starts on another.
    pub(crate) fn may_be_interrupted(&self, id: &str) -> bool {
        self.member(id).is_some_and(|one| is_left(one) && !one.is_stopped())
    }

    /// When which instance will be interrupted.
    pub(crate) fn interruptions_to_come(&self) -> impl Iterator<Item = serde_json::Value> + '_ {
        let to_come = self.interruptions.iter().filter(|(_, id)| self.may_be_interrupted(id));
        to_come.map(|(at, id)| serde_json::json!({ "at": at, "instance": id }))
    }

    /// Lets no interruption come that has not come yet.
    pub(crate) fn withdraw_interruptions(&mut self) {
        let now = self.now;
        for (_, id) in std::mem::take(&mut self.interruptions) {
            let runs = self.may_be_interrupted(&id);
            match self.present_mut(&id) {
                Some(member) if runs => member.warn(false, now),
                Some(member) => member.at_risk = false,
                None => {}
            }
        }
    }

    pub(super) fn carry_out_interruptions(&mut self) {
        let now = self.now;
        let due = |(at, _): &mut (Timestamp, String)| *at <= now;
        let due: Vec<(Timestamp, String)> = self.interruptions.extract_if(.., due).collect();
        for (_, id) in due {
            let strikes = self.may_be_interrupted(&id);
            let mut condition = Condition::Terminated;
            if let Some(member) = self.present_mut(&id) {
                (member.at_risk, member.interrupted) = (strikes, strikes);
                if !member.interruption.is_usual() {
                    condition = Condition::Stopped;
                }
            }
            if strikes {
                self.lose(&id, condition);
            }
        }
    }

    /// An instance, in a group that it has not left or in none.
    pub(crate) fn present_mut(&mut self, id: &str) -> Option<&mut Member> {
        let loose = self.loose.get_mut(id).map(|loose| &mut loose.member);
        let owned = self.groups.values_mut().flat_map(|group| &mut group.members);
        loose.into_iter().chain(owned).find(|member| member.id == id)
    }
}

/// Whether it has not ended.
fn is_left(member: &Member) -> bool {
    !member.state.is_ending() && member.condition != Condition::Terminated
}
