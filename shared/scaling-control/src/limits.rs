//! The limits over all groups: what may change in one minute, shared by scheduled and alarm-triggered invocations
//! through the store's fleet record.
//!
//! The record is read and written only where something would be changed and the configuration has limits; a quiet
//! evaluation costs nothing. Where the store does not answer, nothing that the limits are about is let through: the
//! limits are there for the bad days.

use std::collections::HashSet;

use jiff::Timestamp;
use scaling_policy::admit::{Spent, admit};
use scaling_policy::config::{FleetLimits, GroupName};
use scaling_policy::decision::Reason;

use crate::act::LONGEST_WRITE;
use crate::control_loop::{ControlLoop, lock};
use crate::error::PortError;
use crate::pass::{Pass, stop};
use crate::ports::{Expected, NewRecord};
use crate::reading::{LONGEST_READ, within};
use crate::record::{self, FLEET_KEY, FleetRecord};

/// Tries to take a share of the minute's budget while others take theirs.
const TRIES: usize = 5;

/// Length of the window that the limits are for, in seconds: a tick's.
const WINDOW_SECONDS: i64 = 60;

impl ControlLoop {
    /// Holds what exceeds the limits over all groups.
    pub(crate) async fn admit(&self, passes: &mut [Pass]) {
        let limits = self.config().limits;
        let unlimited = limits.max_groups_changed.is_none() && limits.max_added_cost.is_none();
        if unlimited || !passes.iter().any(Pass::has_fresh_plan) {
            return;
        }
        let admitted = match self.take_share(passes, limits).await {
            Ok(admitted) => admitted,
            Err(error) => {
                tracing::error!(target: "scaling::integration", %error, "the fleet record could not be used; changes wait");
                passes.iter().map(|pass| !pass.has_fresh_plan()).collect()
            }
        };
        let mut held = lock(&self.held);
        for (pass, admitted) in passes.iter_mut().zip(admitted) {
            held.remove(&pass.read.config.name);
            if !admitted {
                held.insert(pass.read.config.name.clone());
                pass.withdraw_plan();
                stop(&mut pass.decision, Reason::FleetLimit);
            }
        }
    }

    /// Takes what these passes need of the minute's budget, as far as it reaches.
    async fn take_share(&self, passes: &mut [Pass], limits: FleetLimits) -> Result<Vec<bool>, PortError> {
        let store = &self.ports().store;
        let mut last = PortError::Conflict { operation: "share the limits", message: String::new() };
        for _ in 0..TRIES {
            let stored = within(LONGEST_READ, "read the fleet record", store.get(FLEET_KEY)).await?;
            let before: FleetRecord = match &stored {
                Some(stored) => record::from_json(FLEET_KEY, &stored.body)?,
                None => FleetRecord::default(),
            };
            let held: HashSet<&GroupName> = before.held.iter().collect();
            passes.sort_by_key(|pass| !held.contains(&pass.read.config.name));
            let (admitted, after) = share(passes, limits, &before, self.ports().clock.now());
            let body = record::to_json("share the limits", &after)?;
            let expected = stored.map_or(Expected::Absent, |stored| Expected::Version(stored.version));
            let record = NewRecord { key: FLEET_KEY.to_owned(), body, expires: None };
            match within(LONGEST_WRITE, "share the limits", store.put(record, expected)).await {
                Ok(_) => return Ok(admitted),
                Err(error @ PortError::Conflict { .. }) => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }
}

/// Which passes may change their groups now, and the record after it.
fn share(
    passes: &[Pass],
    limits: FleetLimits,
    before: &FleetRecord,
    now: Timestamp,
) -> (Vec<bool>, FleetRecord) {
    let second = now.as_second().div_euclid(WINDOW_SECONDS) * WINDOW_SECONDS;
    let window = Timestamp::from_second(second).unwrap_or(now);
    let same = before.window == Some(window);
    let mut spent = if same {
        Spent { changed: before.changed, added: before.added_usd_per_hour }
    } else {
        Spent::default()
    };
    let plans: Vec<_> =
        passes.iter().filter(|pass| pass.has_fresh_plan()).map(|pass| &pass.decision).collect();
    let mut answers = admit(&plans, limits, &mut spent).into_iter();
    // What changes nothing, or goes on with what has begun, needs no share.
    let admitted: Vec<bool> =
        passes.iter().map(|pass| !pass.has_fresh_plan() || answers.next().unwrap_or(false)).collect();
    // Groups that were not looked at now stay where they were in the queue.
    let looked_at: HashSet<&GroupName> = passes.iter().map(|pass| &pass.read.config.name).collect();
    let mut held: Vec<GroupName> =
        before.held.iter().filter(|name| !looked_at.contains(name)).cloned().collect();
    let refused = passes.iter().zip(&admitted).filter(|(_, admitted)| !**admitted);
    held.extend(refused.map(|(pass, _)| pass.read.config.name.clone()));
    let after =
        FleetRecord { window: Some(window), changed: spent.changed, added_usd_per_hour: spent.added, held };
    (admitted, after)
}
