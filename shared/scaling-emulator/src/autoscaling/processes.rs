//! Suspending processes, and collecting group metrics.

use serde::Deserialize;

use super::{check_stays, group_mut};
use crate::region::group::PROCESSES;
use crate::region::scaling::second;
use crate::region::{Group, Region};
use crate::wire::AwsError;

/// The metrics of a group that can be collected: those of the *API Reference*, and `WarmPoolMinSize`, which the service
/// takes and collects as well.
pub const METRICS: [&str; 21] = [
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
    "GroupInServiceCapacity",
    "GroupPendingCapacity",
    "GroupStandbyCapacity",
    "GroupTerminatingCapacity",
    "GroupTotalCapacity",
    "WarmPoolMinSize",
    "WarmPoolDesiredCapacity",
    "WarmPoolWarmedCapacity",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolTotalCapacity",
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
];

/// Input of SuspendProcesses and ResumeProcesses.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProcessesInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// All processes when empty.
    #[serde(default)]
    pub scaling_processes: Vec<String>,
}

impl ProcessesInput {
    fn processes(&self) -> Result<Vec<&str>, AwsError> {
        if self.scaling_processes.is_empty() {
            return Ok(PROCESSES.to_vec());
        }
        let known = |name: &String| PROCESSES.contains(&name.as_str());
        if let Some(unknown) = self.scaling_processes.iter().find(|name| !known(name)) {
            return Err(AwsError::validation(format!("Unknown ScalingProcess: {unknown}")));
        }
        Ok(self.scaling_processes.iter().map(String::as_str).collect())
    }
}

/// Refuses to suspend or resume processes of a group that is being deleted.
fn check_processes(group: &Group, past: &str) -> Result<(), AwsError> {
    if group.deleting {
        return Err(AwsError::validation(format!(
            "Processes may not be {past} while the AutoScaling group is pending delete"
        )));
    }
    Ok(())
}

/// Suspends processes.
pub fn suspend(region: &mut Region, input: &ProcessesInput) -> Result<(), AwsError> {
    let now = region.now;
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    check_processes(group, "suspended")?;
    for name in input.processes()? {
        let reason = format!("User suspended at {}", second(now));
        group.suspended.entry(name.to_owned()).or_insert(reason);
    }
    Ok(())
}

/// Resumes processes.
pub fn resume(region: &mut Region, input: &ProcessesInput) -> Result<(), AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    check_processes(group, "resumed")?;
    for name in input.processes()? {
        group.suspended.remove(name);
    }
    Ok(())
}

/// Input of EnableMetricsCollection and DisableMetricsCollection.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricsInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// All metrics when empty.
    #[serde(default)]
    pub metrics: Vec<String>,
    /// `1Minute`, the only one; of enabling.
    pub granularity: Option<String>,
}

impl MetricsInput {
    fn names(&self) -> Vec<&str> {
        if self.metrics.is_empty() {
            METRICS.to_vec()
        } else {
            self.metrics.iter().map(String::as_str).collect()
        }
    }
}

/// Begins to collect group metrics.
pub fn enable_metrics(region: &mut Region, input: &MetricsInput) -> Result<(), AwsError> {
    let now = region.now;
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    check_stays(group)?;
    if let Some(unknown) = input.metrics.iter().find(|name| !METRICS.contains(&name.as_str())) {
        return Err(AwsError::validation(format!("Invalid metric name: {unknown}")));
    }
    let granularity = input.granularity.as_deref().ok_or_else(|| {
        AwsError::validation(
            "1 validation error detected: Value null at 'granularity' failed to satisfy constraint: Member must not be null",
        )
    })?;
    if let Some(other) = Some(granularity).filter(|one| *one != "1Minute") {
        return Err(AwsError::validation(format!(
            "Invalid granularity: {other}. The valid value is 1Minute."
        )));
    }
    input.names().into_iter().for_each(|name| group.collect(name, now));
    Ok(())
}

/// Stops to collect group metrics.
pub fn disable_metrics(region: &mut Region, input: &MetricsInput) -> Result<(), AwsError> {
    let now = region.now;
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    input.names().into_iter().for_each(|name| group.collect_no_more(name, now));
    Ok(())
}
