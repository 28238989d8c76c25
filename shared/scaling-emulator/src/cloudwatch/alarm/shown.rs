//! What is shown of every alarm, whatever it watches.

use serde::Serialize;

use super::{Alarm, StateValue};
use crate::cloudwatch::members::Seconds;

/// The members that metric alarms and composite alarms are both shown with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members of PutMetricAlarm, which are documented there, and of State")]
pub struct Common {
    pub alarm_name: String,
    pub alarm_arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm_description: Option<String>,
    pub alarm_configuration_updated_timestamp: Seconds,
    pub actions_enabled: bool,
    #[serde(rename = "OKActions")]
    pub ok_actions: Vec<String>,
    pub alarm_actions: Vec<String>,
    pub insufficient_data_actions: Vec<String>,
    pub state_value: StateValue,
    pub state_reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason_data: Option<String>,
    pub state_updated_timestamp: Seconds,
    pub state_transitioned_timestamp: Seconds,
}

impl From<&Alarm> for Common {
    fn from(alarm: &Alarm) -> Self {
        let Alarm { configuration, state, .. } = alarm;
        Self {
            alarm_name: alarm.name.clone(),
            alarm_arn: alarm.arn.clone(),
            alarm_description: configuration.description.clone(),
            alarm_configuration_updated_timestamp: alarm.configured.into(),
            actions_enabled: configuration.actions_enabled,
            ok_actions: configuration.ok_actions.clone(),
            alarm_actions: configuration.alarm_actions.clone(),
            insufficient_data_actions: configuration.insufficient_data_actions.clone(),
            state_value: state.value,
            state_reason: state.reason.clone(),
            state_reason_data: state.reason_data.clone(),
            state_updated_timestamp: state.updated.into(),
            state_transitioned_timestamp: state.updated.into(),
        }
    }
}
