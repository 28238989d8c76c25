//! What a person sets until it is taken back or runs out: a pause, an override, the kill switch. Each says what was
//! before, as of the same write.

use scaling_policy::OperationState;
use scaling_policy::config::GroupName;
use scaling_policy::operation::{Breaker, Override, Pause};

use crate::control_loop::ControlLoop;
use crate::error::PortError;
use crate::ports::{Expected, NewRecord};
use crate::record::{self, GroupRecord, KillSwitch};
use crate::request::{Obstacle, Refusal, TRIES, conflict};

impl ControlLoop {
    /// Pauses a group, or resumes it with `None`, and returns the pause before. To resume also closes an open breaker: a
    /// person has looked.
    ///
    /// # Errors
    /// An unknown group, or a failing store.
    pub async fn set_pause(&self, group: &GroupName, pause: Option<Pause>) -> Result<Option<Pause>, Refusal> {
        self.change_state(group, |state| {
            if pause.is_none() {
                state.breaker = Breaker::default();
            }
            std::mem::replace(&mut state.pause, pause.clone())
        })
        .await
    }

    /// Sets other bounds or another type for a while, or ends that with `None`, and returns the override before.
    ///
    /// # Errors
    /// An unknown group, or a failing store.
    pub async fn set_override(
        &self,
        group: &GroupName,
        temporary: Option<Override>,
    ) -> Result<Option<Override>, Refusal> {
        self.change_state(group, |state| std::mem::replace(&mut state.temporary, temporary.clone())).await
    }

    /// Throws the kill switch, or releases it with `None`, and returns how it was before.
    ///
    /// # Errors
    /// A failing store.
    pub async fn set_kill_switch(&self, switch: Option<KillSwitch>) -> Result<Option<KillSwitch>, PortError> {
        self.change_control(|control| Ok(std::mem::replace(&mut control.kill_switch, switch.clone()))).await
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
    ) -> Result<T, Refusal> {
        self.known_group(group)?;
        let key = record::group_key(group);
        for _ in 0..TRIES {
            let stored = self.ports().store.get(&key).await?;
            let mut record = match &stored {
                Some(stored) => record::from_json::<GroupRecord>(&key, &stored.body)?,
                None => GroupRecord::default(),
            };
            let answer = change(&mut record.state);
            let expected = stored.map_or(Expected::Absent, |stored| Expected::Version(stored.version));
            let body = record::to_json("change a group's state", &record)?;
            match self.ports().store.put(NewRecord { key: key.clone(), body, expires: None }, expected).await
            {
                Ok(_) => return Ok(answer),
                Err(PortError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let reason = "the group is being changed all the time; try again".to_owned();
        Err(conflict(Obstacle::Busy, reason))
    }
}
