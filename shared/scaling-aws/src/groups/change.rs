//! The steps, each one call that changes something.

use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::error::SdkError;
use aws_sdk_autoscaling::operation::cancel_instance_refresh::CancelInstanceRefreshError;
use aws_sdk_autoscaling::types::RefreshStrategy;
use scaling_control::PortError;
use scaling_control::ports::Accepted;
use scaling_fleet::TypeName;
use scaling_policy::config::GroupName;
use scaling_policy::operation::Step;

use super::{describe, refresh};
use crate::error::Call;

const SET: Call = Call::autoscaling("SetDesiredCapacity");
const ROLL_BACK: Call = Call::autoscaling("RollbackInstanceRefresh");
const CANCEL: Call = Call::autoscaling("CancelInstanceRefresh");

/// Asks the service for one step.
pub(crate) async fn apply(client: &Client, group: &GroupName, step: &Step) -> Result<Accepted, PortError> {
    match step {
        Step::SetDesired { desired } => set_desired(client, group, *desired).await,
        Step::StartReplacement { types } => start(client, group, types).await,
        Step::RollBackReplacement => roll_back(client, group).await,
        Step::CancelReplacement => cancel(client, group).await,
    }
}

/// A step that is due does not wait for the cooldown of simple scaling policies, which are not ours.
async fn set_desired(client: &Client, group: &GroupName, desired: u32) -> Result<Accepted, PortError> {
    let desired = i32::try_from(desired).map_err(|_| PortError::Invalid {
        operation: SET.operation,
        message: format!("{desired} is more than a group can have"),
    })?;
    client
        .set_desired_capacity()
        .auto_scaling_group_name(group.as_str())
        .desired_capacity(desired)
        .honor_cooldown(false)
        .send()
        .await
        .map_err(|error| SET.error(&subject(group), error))?;
    Ok(Accepted::default())
}

/// Looks at the group just before it asks, so that a template which somebody has changed meanwhile is kept.
async fn start(client: &Client, group: &GroupName, types: &[TypeName]) -> Result<Accepted, PortError> {
    let wanted = refresh::wanted(&describe::one(client, group).await?, types)?;
    let answer = client
        .start_instance_refresh()
        .auto_scaling_group_name(group.as_str())
        .strategy(RefreshStrategy::Rolling)
        .desired_configuration(wanted.configuration)
        .preferences(wanted.preferences)
        .send()
        .await
        .map_err(|error| refresh::START.error(&subject(group), error))?;
    Ok(Accepted { platform_id: answer.instance_refresh_id })
}

/// Without a refresh to roll back the answer is `Conflict`: it has ended meanwhile.
async fn roll_back(client: &Client, group: &GroupName) -> Result<Accepted, PortError> {
    let answer = client
        .rollback_instance_refresh()
        .auto_scaling_group_name(group.as_str())
        .send()
        .await
        .map_err(|error| ROLL_BACK.error(&subject(group), error))?;
    Ok(Accepted { platform_id: answer.instance_refresh_id })
}

/// Without a refresh to cancel what was wanted is already so.
async fn cancel(client: &Client, group: &GroupName) -> Result<Accepted, PortError> {
    let answer = client.cancel_instance_refresh().auto_scaling_group_name(group.as_str()).send().await;
    match answer {
        Ok(answer) => Ok(Accepted { platform_id: answer.instance_refresh_id }),
        Err(error) if nothing_runs(&error) => Ok(Accepted::default()),
        Err(error) => Err(CANCEL.error(&subject(group), error)),
    }
}

fn nothing_runs<R>(error: &SdkError<CancelInstanceRefreshError, R>) -> bool {
    error
        .as_service_error()
        .is_some_and(CancelInstanceRefreshError::is_active_instance_refresh_not_found_fault)
}

fn subject(group: &GroupName) -> String {
    format!("group {group}")
}
