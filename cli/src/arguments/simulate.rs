//! `scaling simulate`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling simulate --trace load.csv\n  scaling simulate --trace a.csv b.csv --report out \\\n    \
    --policies hybrid,target-tracking,oracle\n  \
    scaling simulate --trace load.csv --types m7i.large,m7i.xlarge,m7i.2xlarge\n\nA trace is CSV of two columns: times in \
    ISO 8601 or seconds, and a load. Its first line names them, `timestamp,value` or as you like. Its highest \
    loads (99.9 %) are put at 40 replicas of 4 vCPU. Nothing is sent anywhere."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub(crate) struct SimulateArguments {
    /// Files with traces
    #[arg(long, required_unless_present = "profile", num_args = 1.., value_name = "FILE")]
    pub(crate) trace: Vec<PathBuf>,
    /// So many weeks of the load that the demo plays, as one more trace; says how far its ranking is that of the others
    #[arg(long, value_name = "WEEKS", value_parser = clap::value_parser!(u64).range(1..=520))]
    pub(crate) profile: Option<u64>,
    /// Names of traces that nothing was tuned on, reported apart
    #[arg(long, value_delimiter = ',', value_name = "TRACE")]
    pub(crate) held_out: Vec<String>,
    /// Who takes part; `all` is everybody
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "hybrid,target-tracking,hpa,target-tracking-tuned,hpa-tuned,oracle,noise-blind"
    )]
    pub(crate) policies: Vec<String>,
    /// Types, at most 8, that `hybrid`, `hpa-vpa` and `oracle` choose from (the oracle changes at most hourly); the first is
    /// what everybody begins with, and the others keep to; without it all run on m7i.xlarge
    #[arg(long, value_delimiter = ',')]
    pub(crate) types: Vec<String>,
    /// What the controller can read of its group, and when
    #[arg(long, value_enum, default_value = "cloudwatch")]
    pub(crate) metrics: MetricFeed,
    /// How requests find a free vCPU
    #[arg(long, value_enum, default_value = "own")]
    pub(crate) queue: Queue,
    /// Size of the load over 40 replicas at its highest
    #[arg(long, default_value_t = 1.0)]
    pub(crate) scale: f64,
    /// Everything random is drawn from it
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The `cpu_threshold` of the hybrid policy, where it is not the default
    #[arg(long)]
    pub(crate) cpu_threshold: Option<f64>,
    #[command(flatten)]
    pub(crate) planned: Planned,
    /// Everything once more under conditions other than planned, tuned rivals at the settings of before
    #[arg(long)]
    pub(crate) disturbed: bool,
    /// `hybrid` and `oracle` once more with metrics that come sooner and with a shared queue: what the delay costs each trace
    #[arg(long)]
    pub(crate) delays: bool,
    /// What choosing the type is worth: four sizes of each load, five appetites for memory, and a service that grows 40-fold
    #[arg(long)]
    pub(crate) type_cases: bool,
    /// JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
    /// Write report.html, results.csv, results.json and each plot into this folder; without `oracle` among the policies its
    /// costs are in USD
    #[arg(long, value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
    /// Draw into the plots what this project aims at, for its own table
    #[arg(long, hide = true, requires = "report")]
    pub(crate) aims: bool,
}

/// The service, its instances and what is measured of them.
#[derive(Debug, Args)]
pub(crate) struct Planned {
    /// Seconds between two looks of the controller, a multiple of 15; rivals keep their own [default: as --metrics]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(15..=3600))]
    pub(crate) interval: Option<u32>,
    /// Seconds that a metric's period lasts, a multiple of 15 [default: as --metrics]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(15..=3600))]
    pub(crate) metric_period: Option<u32>,
    /// Seconds after its end at which a period can be read [default: as --metrics]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub(crate) metric_delay: Option<u32>,
    /// Standard deviation of what is measured, as a share of it, 0 to 1: each value of each period is off by a normal factor
    /// of its own, drawn from the seed; 0 is exact. What chance does to arrivals is apart from it
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) noise: f64,
    /// Seconds that an instance boots for; it is billed meanwhile
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) boot: u64,
    /// Seconds that an instance warms up for after its boot: billed, seen as warming, without load, and in no metric
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub(crate) warm_up: u64,
    /// Seconds that a request keeps a vCPU busy, in the mean (exponential), 0.001 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 0.05)]
    pub(crate) service_time: f64,
    /// Seconds that the 95th percentile of the response time may take, more than 3 times the service time, at most 10
    #[arg(long, value_name = "SECONDS", default_value_t = 0.25)]
    pub(crate) latency_target: f64,
    /// Fewest instances
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub(crate) min: u32,
    /// Most instances
    #[arg(long, value_name = "COUNT", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub(crate) max: u32,
}

/// What the controller can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum MetricFeed {
    /// Minutes, 60 s after they ended, looked at every minute
    Cloudwatch,
    /// 15 s without delay, looked at every 15 s
    Prompt,
}

/// How requests queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Queue {
    /// A queue for each instance
    Own,
    /// One for all
    Shared,
}
