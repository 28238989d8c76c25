//! The versions of the configuration: what became active when and by whom, and the way back to an earlier one.

use jiff::Timestamp;
use scaling_policy::config::ConfigVersion;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control_loop::ControlLoop;
use crate::error::PortError;
use crate::ports::NewRecord;
use crate::record;
use crate::request::ConfigRefusal;

/// Changes that are remembered in the control record, which every tick reads. Older versions stay stored.
pub(crate) const CHANGES_KEPT: usize = 20;

/// One version that became active.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigChange {
    /// The version.
    pub version: u64,
    /// Key of its record.
    pub key: String,
    /// When it became active.
    pub at: Timestamp,
    /// Who made it active, as far as known.
    pub by: String,
    /// The version whose content it brought back, for a roll-back.
    pub restored: Option<u64>,
}

impl ControlLoop {
    /// The versions that became active last, newest first; at most 20. Version 0, which came with the deployment, is
    /// not among them.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn config_changes(&self) -> Result<Vec<ConfigChange>, PortError> {
        let mut changes = self.control().await?.changes;
        changes.reverse();
        Ok(changes)
    }

    /// The content of a version that was active lately.
    ///
    /// # Errors
    /// `NotFound` for one that is not among [`ControlLoop::config_changes`]; the store does not answer.
    pub async fn stored_config(&self, version: ConfigVersion) -> Result<Value, PortError> {
        let changes = self.config_changes().await?;
        let change = changes.iter().find(|change| change.version == version.0);
        let missing = || PortError::NotFound {
            what: format!("version {} of the configuration among the last {CHANGES_KEPT}", version.0),
        };
        let key = &change.ok_or_else(missing)?.key;
        let stored = self.ports().store.get(key).await?.ok_or_else(missing)?;
        record::from_json(key, &stored.body)
    }

    /// Makes the content of an earlier version active again, as a new version. It is checked like any other: a newer
    /// program may find faults in it. What `along` makes of the new version is written in the same transaction.
    ///
    /// # Errors
    /// [`ConfigRefusal`]; nothing is changed then.
    pub async fn roll_back_config(
        &self,
        to: ConfigVersion,
        by: &str,
        along: impl Fn(&ConfigVersion) -> Result<Vec<NewRecord>, PortError>,
    ) -> Result<ConfigVersion, ConfigRefusal> {
        let source = self.stored_config(to).await?;
        self.refresh().await?;
        self.activate(source, self.stored_version(), (by, Some(to.0)), along).await
    }
}
