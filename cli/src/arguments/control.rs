//! Which controller is asked, and what a person sets until it is taken back or runs out.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::SignedDuration;

/// Which controller, and how to come in.
#[derive(Debug, Args)]
pub(crate) struct ApiArguments {
    /// Address of a running controller
    #[arg(long, default_value = "http://127.0.0.1:8001", env = "SCALING_API", value_name = "URL")]
    pub(crate) api: String,
    /// Certificates to trust for https:// instead of the system's
    #[arg(long, env = "SCALING_CA", value_name = "FILE.pem")]
    pub(crate) ca: Option<PathBuf>,
    /// File with the token, where the controller asks for one; SCALING_TOKEN holds it, too
    #[arg(long, env = "SCALING_TOKEN_FILE", value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Sign requests (SigV4) by the standard AWS credentials: for the deployed stack behind a domain of your own. At API
    /// Gateway's own addresses it is always done. SCALING_API_KEY holds the key that goes along; no token does
    #[arg(long, env = "SCALING_SIGN")]
    pub(crate) sign: bool,
}

/// Which group of which controller.
#[derive(Debug, Args)]
pub(crate) struct TargetArguments {
    #[command(flatten)]
    pub(crate) api: ApiArguments,
    /// The group; may be left out while there is exactly one
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// JSON instead of a sentence
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling pause --reason 'database migration'\n  scaling pause --group web --for 2h \
    --reason 'load test'\n\nA paused group is observed and not changed, not even on request."
)]
pub(crate) struct PauseArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Why; everybody sees it
    #[arg(long)]
    pub(crate) reason: String,
    /// For how long, such as 30m, 2h or 1d; without it until resumed
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<SignedDuration>,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLE:\n  scaling resume --group web")]
pub(crate) struct ResumeArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling override --min 6 --for 3h --reason 'launch day'\n  scaling override --group web --for 1d \\\n    \
    --instance-type m7i.xlarge --reason comparison\n  scaling override --end\n\nIt takes the place of the \
    configuration's bounds; the group's own still hold."
)]
#[command(group = clap::ArgGroup::new("wanted").args(["min", "max", "instance_type", "end"]).multiple(true).required(true))]
pub(crate) struct OverrideArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Least replicas meanwhile
    #[arg(long, conflicts_with = "end")]
    pub(crate) min: Option<u32>,
    /// Most replicas meanwhile
    #[arg(long, conflicts_with = "end")]
    pub(crate) max: Option<u32>,
    /// Instance type meanwhile
    #[arg(long, conflicts_with = "end")]
    pub(crate) instance_type: Option<String>,
    /// For how long, such as 30m, 2h or 1d
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, required_unless_present = "end")]
    pub(crate) duration: Option<SignedDuration>,
    /// Why; everybody sees it
    #[arg(long, required_unless_present = "end")]
    pub(crate) reason: Option<String>,
    /// End it, or a hold, now
    #[arg(long)]
    pub(crate) end: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLE:\n  scaling hold --for 2h --reason 'warming caches'\n\nMore may be added meanwhile. \
    `scaling override --end` ends it."
)]
pub(crate) struct HoldArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// For how long, such as 30m, 2h or 1d [default: the configuration's manual_hold]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<SignedDuration>,
    /// Why; everybody sees it
    #[arg(long)]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling kill-switch on --reason incident\n  scaling kill-switch off\n  scaling \
    kill-switch\n\nGroups are observed as before; what the platform has begun goes on."
)]
pub(crate) struct KillSwitchArguments {
    #[command(flatten)]
    pub(crate) api: ApiArguments,
    /// Without it: whether it is on
    #[arg(value_enum)]
    pub(crate) switch: Option<Switch>,
    /// Why; everybody sees it
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// JSON instead of a sentence
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Throw it
    On,
    /// Release it
    Off,
}

/// A time to come, in words that clocks and people use.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    let span: Option<SignedDuration> = match text.strip_suffix('d').map(str::parse::<i64>) {
        Some(Ok(days)) => days.checked_mul(24).map(SignedDuration::from_hours),
        _ => text.parse().ok(),
    };
    let most = SignedDuration::from_hours(24 * 366);
    let span = span.filter(|span| span.is_positive() && *span <= most);
    span.ok_or_else(|| "write a duration such as 30m, 2h or 1d, up to a year".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [("90s", 90), ("30m", 1800), ("2h", 7200), ("1d", 86_400), ("1h 30m", 5400)] {
            assert_eq!(duration(text).unwrap(), SignedDuration::from_secs(seconds), "{text}");
        }
        for bad in ["", "2", "0s", "-1h", "400d", "soon", "99999999999999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
