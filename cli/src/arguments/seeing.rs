//! Commands that show what the controller sees, decides and costs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::{ApiArguments, ConfigArguments, StateArguments};

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling status\n  scaling status --watch\n  scaling status web --watch\n  scaling status --api \
    http://127.0.0.1:9001 --json"
)]
pub(crate) struct StatusArguments {
    /// Only this group, in full: as `scaling explain` shows it
    pub(crate) group: Option<String>,
    #[command(flatten)]
    pub(crate) api: ApiArguments,
    /// JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Show it again and again, every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = interval)]
    pub(crate) watch: Option<f64>,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:\n  scaling explain web\n  scaling explain web --at '2026-03-02 08:15'\n  \
    scaling explain web --at 2026-03-02T09:15:00+01:00 --json\n\nDecisions are kept for 90 days, where they differ from \
    the one before. A time without an offset is UTC.")]
pub(crate) struct ExplainArguments {
    /// The group
    pub(crate) group: String,
    /// The decision that held at this time, instead of the latest
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) api: ApiArguments,
    /// JSON instead of text: the decision, the operation that carried it out, and what the console has of the group
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling report web\n  scaling report web --days 14 --format html --output web.html\n  \
    scaling report web --discount 0.28\n\nReads the group's metrics and plays the policy over them; changes nothing. The \
    metrics are paid for (GetMetricData): some cents for 14 days of one group."
)]
pub(crate) struct ReportArguments {
    /// The group; it may well be one that is only observed
    pub(crate) group: String,
    #[command(flatten)]
    pub(crate) source: ConfigArguments,
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// How many days back; CloudWatch keeps minutes for 15
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=15))]
    pub(crate) days: u16,
    /// Markdown, or HTML with plots
    #[arg(long, value_enum, default_value_t = ReportFormat::Markdown)]
    pub(crate) format: ReportFormat,
    /// Write it to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Share of the on-demand price that a savings plan takes off, such as 0.28, instead of the configuration's `discount`
    #[arg(long, value_name = "SHARE")]
    pub(crate) discount: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// Text with a table
    Markdown,
    /// One page with plots
    Html,
}

/// A moment with an offset, or in UTC.
fn moment(text: &str) -> Result<Timestamp, String> {
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp());
    text.parse().ok().or_else(civil).ok_or_else(|| "write a time such as 2026-03-02T08:15:00Z".to_owned())
}

/// Seconds between two looks.
fn interval(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.2..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "must be a number of seconds from 0.2 to 3600".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_may_have_an_offset_and_is_utc_without_one() {
        let expected: Timestamp = "2026-03-02T08:15:00Z".parse().unwrap();
        for text in
            ["2026-03-02T08:15:00Z", "2026-03-02T09:15:00+01:00", "2026-03-02 08:15", "2026-03-02T08:15:00"]
        {
            assert_eq!(moment(text), Ok(expected), "{text}");
        }
        assert!(moment("yesterday").is_err());
    }
}
