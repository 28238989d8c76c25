//! What a person sets until it is taken back or runs out: a pause, an override, the kill switch. Each says what was
//! before, as of the same write, and takes records along in it: an audit of the change is written with it or not at all.

use scaling_policy::OperationState;
use scaling_policy::config::GroupName;
use scaling_policy::operation::{Breaker, Override, Pause};

use crate::act::LONGEST_WRITE;
use crate::control_loop::ControlLoop;
use crate::error::PortError;
use crate::ports::{Expected, NewRecord};
use crate::reading::{LONGEST_READ, within};
use crate::record::{self, GroupRecord, KillSwitch, group_from_json, group_key};
use crate::request::{Obstacle, Refusal, TRIES, conflict};

/// Nothing goes along with a change.
///
/// # Errors
/// None.
pub fn alone<T>(_: &T) -> Result<Vec<NewRecord>, PortError> {
    Ok(Vec::new())
}

/// What kept a group from being controlled, before that was set anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// A person had paused it.
    pub pause: Option<Pause>,
    /// Its breaker; open after three operations that failed in a row.
    pub breaker: Breaker,
}

impl ControlLoop {
    /// The override of a group, in force or past.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn override_of(&self, group: &GroupName) -> Result<Option<Override>, PortError> {
        let key = group_key(group);
        let stored = within(LONGEST_READ, "read a group's record", self.ports().store.get(&key)).await?;
        let record = stored.map(|stored| group_from_json(&key, &stored.body)).transpose()?;
        Ok(record.and_then(|record| record.state.temporary))
    }

    /// Pauses a group, or resumes it with `None`, and returns what stopped it before. To resume also closes an open
    /// breaker: a person has looked. What `along` makes of what stopped it before is written in the same transaction.
    ///
    /// # Errors
    /// An unknown group, or a failing store; nothing is changed then.
    pub async fn set_pause(
        &self,
        group: &GroupName,
        pause: Option<Pause>,
        along: impl Fn(&Stopped) -> Result<Vec<NewRecord>, PortError>,
    ) -> Result<Stopped, Refusal> {
        let change = |state: &mut OperationState| {
            let breaker = state.breaker;
            if pause.is_none() {
                state.breaker = Breaker::default();
            }
            Stopped { pause: std::mem::replace(&mut state.pause, pause.clone()), breaker }
        };
        self.change_state(group, change, along).await
    }

    /// Sets other bounds or another type for a while, or ends that with `None`, and returns the override before. What
    /// `along` makes of it is written in the same transaction.
    ///
    /// # Errors
    /// An unknown group, or a failing store; nothing is changed then.
    pub async fn set_override(
        &self,
        group: &GroupName,
        temporary: Option<Override>,
        along: impl Fn(&Option<Override>) -> Result<Vec<NewRecord>, PortError>,
    ) -> Result<Option<Override>, Refusal> {
        let change = |state: &mut OperationState| std::mem::replace(&mut state.temporary, temporary.clone());
        self.change_state(group, change, along).await
    }

    /// Throws the kill switch, or releases it with `None`, and returns how it was before. What `along` makes of it is
    /// written in the same transaction.
    ///
    /// # Errors
    /// A failing store; nothing is changed then.
    pub async fn set_kill_switch(
        &self,
        switch: Option<KillSwitch>,
        along: impl Fn(&Option<KillSwitch>) -> Result<Vec<NewRecord>, PortError>,
    ) -> Result<Option<KillSwitch>, PortError> {
        self.change_control(|control| {
            let before = std::mem::replace(&mut control.kill_switch, switch.clone());
            let along = along(&before)?;
            Ok((before, along))
        })
        .await
    }

    /// The kill switch with its author, while it is on.
    ///
    /// # Errors
    /// A failing store.
    pub async fn kill_switch(&self) -> Result<Option<KillSwitch>, PortError> {
        Ok(self.control().await?.kill_switch)
    }

    async fn change_state<T>(
        &self,
        group: &GroupName,
        change: impl Fn(&mut OperationState) -> T,
        along: impl Fn(&T) -> Result<Vec<NewRecord>, PortError>,
    ) -> Result<T, Refusal> {
        self.known_group(group)?;
        let key = record::group_key(group);
        for _ in 0..TRIES {
            let stored = within(LONGEST_READ, "read a group's record", self.ports().store.get(&key)).await?;
            let mut record = match &stored {
                Some(stored) => group_from_json(&key, &stored.body)?,
                None => GroupRecord::default(),
            };
            let answer = change(&mut record.state);
            let expected = stored.map_or(Expected::Absent, |stored| Expected::Version(stored.version));
            let body = record::to_json("change a group's state", &record)?;
            let record = NewRecord { key: key.clone(), body, expires: None };
            let put = self.ports().store.put_with(record, expected, along(&answer)?);
            match within(LONGEST_WRITE, "change a group's state", put).await {
                Ok(_) => return Ok(answer),
                Err(PortError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let reason = "the group is being changed all the time; try again".to_owned();
        Err(conflict(Obstacle::Busy, reason))
    }
}
