//! Commands for a controller that is deployed: its configuration's versions, its alarms, and what keeps it from
//! working.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ConfigArguments, StateArguments};

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:\n  scaling config push --table scaling-state --environment production\n  \
    scaling config diff --table scaling-state\n  scaling config history --table scaling-state\n  \
    scaling config rollback 3 --table scaling-state\n\nA version that has faults never becomes active, and one that \
    somebody else replaced meanwhile is not overwritten. A running controller takes a new version up with its next \
    evaluation.")]
pub(crate) struct ConfigCommandArguments {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Make the file's configuration the active one
    Push(PushArguments),
    /// Write the active configuration
    Pull(PullArguments),
    /// Compare the active configuration with the file
    Diff(DiffArguments),
    /// List the versions that became active last
    History(HistoryArguments),
    /// Make an earlier version active again
    Rollback(RollbackArguments),
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling config push --table scaling-state\n  scaling config push --expected 4\n\n\
    The file and its environment's file are pushed, without environment variables: those lie over it wherever the \
    controller runs."
)]
pub(crate) struct PushArguments {
    #[command(flatten)]
    pub(crate) source: ConfigArguments,
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// Push only if this version is active; 0 is the one that came with the deployment
    #[arg(long, value_name = "VERSION")]
    pub(crate) expected: Option<u64>,
    /// Show what would change and push nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who pushes; kept with the version
    #[arg(long, env = "USER", default_value = "unknown", value_name = "NAME")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:\n  scaling config pull --table scaling-state\n  \
    scaling config pull --version 2 --output old.json")]
pub(crate) struct PullArguments {
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// This version instead of the active one
    #[arg(long)]
    pub(crate) version: Option<u64>,
    /// File to write instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLE:\n  scaling config diff --table scaling-state --environment production\n\n\
    Ends with 1 where the two differ.")]
pub(crate) struct DiffArguments {
    #[command(flatten)]
    pub(crate) source: ConfigArguments,
    #[command(flatten)]
    pub(crate) state: StateArguments,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLE:\n  scaling config history --table scaling-state --json")]
pub(crate) struct HistoryArguments {
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLE:\n  scaling config rollback 3 --table scaling-state")]
pub(crate) struct RollbackArguments {
    /// The version whose content comes back, as a new version
    pub(crate) version: u64,
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// Show what would change and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who brings it back; kept with the version
    #[arg(long, env = "USER", default_value = "unknown", value_name = "NAME")]
    pub(crate) by: String,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:\n  scaling alarms sync --dry-run \\\n    \
    --function arn:aws:lambda:eu-central-1:123456789012:function:alarm\n  \
    scaling alarms sync \\\n    --function \"$(sam list stack-outputs ... AlarmFunctionArn)\"")]
pub(crate) struct AlarmsArguments {
    /// What to do
    #[command(subcommand)]
    pub(crate) command: AlarmsCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AlarmsCommand {
    /// Make the CloudWatch alarms that wake the groups what the configuration says
    Sync(SyncArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLE:\n  scaling alarms sync \\\n    \
    --function arn:aws:lambda:eu-central-1:123456789012:function:alarm\n\n\
    One alarm for each trigger that asks for capacity and has a fixed limit (CPU, memory, latency), named \
    scaling/<group>/<trigger>. The limit of request_count is per replica; the schedule looks at it. Needs \
    cloudwatch:DescribeAlarms, PutMetricAlarm and DeleteAlarms.")]
pub(crate) struct SyncArguments {
    #[command(flatten)]
    pub(crate) source: ConfigArguments,
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// ARN of the alarm function: the stack's output AlarmFunctionArn
    #[arg(long, env = "SCALING_ALARM_FUNCTION", value_name = "ARN", value_parser = arn)]
    pub(crate) function: String,
    /// Say what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also remove alarms of this function for groups that the configuration no longer names
    #[arg(long)]
    pub(crate) prune: bool,
    /// JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

fn arn(text: &str) -> Result<String, String> {
    if text.starts_with("arn:") && text.contains(":lambda:") {
        return Ok(text.to_owned());
    }
    Err("write the function's ARN: arn:aws:lambda:<region>:<account>:function:<name>".to_owned())
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling doctor\n  scaling doctor --table scaling-state --json\n  scaling doctor \
    --try-write\n\nLooks at the configuration, endpoints, the clock, permissions, the state, metrics, other controllers \
    and how the groups do, and says with each finding what to do. Ends with 1 where something is wrong. Changes nothing; \
    with --try-write it asks each group for the capacity it has."
)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    pub(crate) source: ConfigArguments,
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// Ask each group for the desired capacity that it has, to see whether changing it is permitted
    #[arg(long)]
    pub(crate) try_write: bool,
    /// JSON instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
