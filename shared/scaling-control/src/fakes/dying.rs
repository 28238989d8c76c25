//! A process that dies at its n-th call: everything it asks for after that has no effect and no answer.

use std::sync::Arc;

use async_trait::async_trait;

use super::around::{Around, Call, around};
use crate::error::PortError;
use crate::ports_set::Ports;

/// When the fatal call dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before it had its effect.
    Before,
    /// After its effect, before its answer.
    After,
}

struct Dying {
    fatal: usize,
    moment: Moment,
}

/// The same ports, dead from the `fatal`-th call on (counted from 1 over all of them).
pub fn dying(inner: Ports, fatal: usize, moment: Moment) -> Ports {
    around(inner, Arc::new(Dying { fatal, moment }))
}

#[async_trait]
impl Around for Dying {
    async fn before(&self, call: Call<'_>) -> Result<(), PortError> {
        let is_dead =
            call.number > self.fatal || (call.number == self.fatal && self.moment == Moment::Before);
        if is_dead { Err(dead()) } else { Ok(()) }
    }

    async fn after(&self, call: Call<'_>) -> Result<(), PortError> {
        if call.number == self.fatal { Err(dead()) } else { Ok(()) }
    }
}

fn dead() -> PortError {
    let message = "the process has died".to_owned();
    PortError::Unavailable { operation: "call", message, source: None }
}
