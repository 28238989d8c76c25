//! The command line, as clap reads it. The help texts are the first documentation a user sees.

mod control;
mod deployed;
mod seeing;
mod simulate;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use crate::failure::Misused;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;
use scaling::serve::document::Place;

use control::duration;
pub(crate) use control::{
    ApiArguments, HoldArguments, KillSwitchArguments, OverrideArguments, PauseArguments, ResumeArguments,
    Switch, TargetArguments,
};
pub(crate) use deployed::{
    AlarmsArguments, AlarmsCommand, ConfigCommand, ConfigCommandArguments, DiffArguments, DoctorArguments,
    HistoryArguments, PullArguments, PushArguments, RollbackArguments, SyncArguments,
};
pub(crate) use simulate::{MetricFeed, Planned, Queue, SimulateArguments};

pub(crate) use seeing::{ExplainArguments, ReportArguments, ReportFormat, StatusArguments};

/// Decides how many machines a group has and which instance type they are.
#[derive(Debug, Parser)]
#[command(
    name = "scaling",
    version,
    about = "Decides how many machines a group has and which instance type they are",
    long_about = "Holds a service's latency target at the lowest cost: decides both how many machines an Auto Scaling \
        group has and which instance type they are.\n\nStart with `scaling demo`: it needs no account, no Docker and no \
        configuration.",
    after_help = "EXIT CODES:\n  0  done, or stopped by SIGTERM; `status --watch` also where Ctrl-C ends it\n  1  failed, for example a cloud call\n  2  wrong command line\n  \
        3  the configuration has faults\n  4  refused: paused, kill switch, bounds or a running operation\n  \
        130  ended by Ctrl-C"
)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch the controller hold a latency target on a simulated fleet, a week in under a minute
    Demo(DemoArguments),
    /// Compare policies over load traces in virtual time: what each costs, and how often it misses the target
    Simulate(SimulateArguments),
    /// Run the controller in this process: loop, REST interface (8001) and Prometheus (8000)
    Run(RunArguments),
    /// Stand in for Auto Scaling, EC2, CloudWatch and STS on a local address
    Emulate(EmulateArguments),
    /// Write a configuration for existing groups
    Init(InitArguments),
    /// Check a configuration; all its faults are listed at once
    Validate(ValidateArguments),
    /// Show what would be done now and why; changes nothing
    Plan(PlanArguments),
    /// Ask for a count or an instance type
    Scale(ScaleArguments),
    /// Show the groups: capacity, load, the last decision
    Status(StatusArguments),
    /// Stop changing a group until it is resumed
    Pause(PauseArguments),
    /// Control a group again that was paused, or whose operations failed three times
    Resume(ResumeArguments),
    /// Set other bounds or another type for a while
    Override(OverrideArguments),
    /// Keep what a group has against scale-down for a while
    Hold(HoldArguments),
    /// Ask for no change of any group any more, at once
    KillSwitch(KillSwitchArguments),
    /// Explain one decision: what was seen, wanted, rejected and done, and what it costs
    Explain(ExplainArguments),
    /// Compare what a group cost with what it would have cost under this controller
    Report(ReportArguments),
    /// Push, pull, compare and roll back the configuration of a deployed controller
    Config(ConfigCommandArguments),
    /// Keep the CloudWatch alarms that wake the groups
    Alarms(AlarmsArguments),
    /// Find what keeps the controller from working, and what to do about it
    Doctor(DoctorArguments),
    /// Print a completion script for your shell
    Completions(CompletionsArguments),
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling completions bash > ~/.local/share/bash-completion/completions/scaling\n  \
    scaling completions zsh > ~/.zfunc/_scaling"
)]
pub(crate) struct CompletionsArguments {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:\n  scaling demo\n  scaling demo --seed 3 --plain\n  \
    scaling demo --trace requests.csv --rate 300\n  scaling demo --json | jq .cost_usd\n\nA trace is CSV of two \
    columns: times in ISO 8601 or seconds, on a uniform grid, and a count per period. Its first line names them, \
    `timestamp,value` or as you like.")]
pub(crate) struct DemoArguments {
    /// Draws the week's load, boots and noise; the same seed gives the same week
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Replay this load instead of the drawn week
    #[arg(long, value_name = "FILE.csv")]
    pub(crate) trace: Option<PathBuf>,
    /// Requests per second in the mean: of the drawn week, on a working day without its bursts (its weekend is lower); of a
    /// trace, over all of it [default: 300; a trace is taken as it is]
    #[arg(long, value_name = "REQUESTS", value_parser = rate, allow_negative_numbers = true)]
    pub(crate) rate: Option<f64>,
    /// Stop after this many days
    #[arg(long, default_value_t = 7.0, value_name = "DAYS", value_parser = days, allow_negative_numbers = true)]
    pub(crate) days: f64,
    /// Lines instead of the live view (the default when the output is no terminal)
    #[arg(long)]
    pub(crate) plain: bool,
    /// One line of JSON at the end and nothing else on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The configuration file
    #[arg(long, short, default_value = "config/scaling.json", env = "SCALING_CONFIG", value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// Lay config/scaling.NAME.json (beside the file) over it
    #[arg(long, env = "SCALING_ENVIRONMENT", value_name = "NAME")]
    pub(crate) environment: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling validate\n  scaling validate --config config/scaling.json \\\n    \
    --environment production\n  scaling validate --json | jq '.faults[].pointer'\n\nEnvironment variables such as \
    SCALING__REPLICAS__MAX_REPLICAS=12 lie over the file. A configuration with faults ends with exit code 3."
)]
pub(crate) struct ValidateArguments {
    #[command(flatten)]
    pub(crate) source: ConfigArguments,
    /// JSON instead of text: `valid`, `faults`, and the groups as they are understood
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:\n  scaling run --emulator\n  scaling run --config config/scaling.json\n  \
    scaling run --api 0.0.0.0:8001 --tls-certificate cert.pem \\\n    \
    --tls-key key.pem --tokens tokens.json\n  \
    scaling run --api 0.0.0.0:8001 --tls-certificate cert.pem \\\n    \
    --tls-key secretsmanager:scaling/key --tokens secretsmanager:scaling/tokens\n\nCredentials, \
    region and endpoints come from the standard AWS environment. Logs go to standard error and to three files; \
    SCALING_LOG=debug shows more. Ctrl-C or SIGTERM ends it; the next start goes on from the state.")]
pub(crate) struct RunArguments {
    #[command(flatten)]
    pub(crate) source: ConfigArguments,
    /// Start an emulator in this process and control the demo's group on it; needs no account and no configuration, and
    /// leaves no state behind
    #[arg(long, conflicts_with_all = ["config", "environment", "state", "table"])]
    pub(crate) emulator: bool,
    /// How many times as fast as on the wall the emulator's time passes
    #[arg(long, default_value_t = 60.0, value_name = "FACTOR", value_parser = speed, requires = "emulator")]
    pub(crate) speed: f64,
    #[command(flatten)]
    pub(crate) listen: ListenArguments,
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// Folder of the log files
    #[arg(long, default_value = "logs", value_name = "FOLDER")]
    pub(crate) logs: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct StateArguments {
    /// State file
    #[arg(long, default_value = "scaling.db", env = "SCALING_STATE", value_name = "FILE")]
    pub(crate) state: PathBuf,
    /// DynamoDB table that holds the state instead of a file: that of the deployed functions, for example
    #[arg(long, env = "SCALING_TABLE", value_name = "NAME")]
    pub(crate) table: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ListenArguments {
    /// Where the REST interface listens; port 0 takes a free one and prints it. Others than loopback need a certificate and
    /// a token file
    #[arg(long, default_value = "127.0.0.1:8001", value_name = "ADDRESS")]
    pub(crate) api: SocketAddr,
    /// Where Prometheus scrapes; the same holds
    #[arg(long, default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
    pub(crate) prometheus: SocketAddr,
    /// Certificate in PEM, the server's own first; read anew when it changes. This, the key and the tokens may each be a
    /// secret instead of a file: `secretsmanager:NAME` or its ARN, read at the start and once a minute
    #[arg(long, value_name = "FILE|SECRET", requires = "tls_key", env = "SCALING_TLS_CERTIFICATE")]
    pub(crate) tls_certificate: Option<Place>,
    /// Its key in PEM
    #[arg(long, value_name = "FILE|SECRET", requires = "tls_certificate", env = "SCALING_TLS_KEY")]
    pub(crate) tls_key: Option<Place>,
    /// Tokens with a role each (read, operate, admin), as JSON; read anew when it changes, and none is known any more 30
    /// seconds after it has gone. With it every request needs one, but for GET /health and the console's page and scripts,
    /// which hold no data
    #[arg(long, value_name = "FILE|SECRET", env = "SCALING_TOKENS")]
    pub(crate) tokens: Option<Place>,
    /// Requests a second of each client [default: none on loopback, 100 elsewhere]
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) rate_limit: Option<NonZeroU32>,
}

/// A factor that a clock can follow.
fn speed(text: &str) -> Result<f64, String> {
    number(text, 0.01, 10_000.0)
}

/// Days of a demo: from a quarter of an hour to a year.
fn days(text: &str) -> Result<f64, String> {
    number(text, 0.01, 366.0)
}

/// Mean requests per second that the demo's service can be given.
fn rate(text: &str) -> Result<f64, String> {
    number(text, 0.1, 100_000.0)
}

fn number(text: &str, least: f64, most: f64) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("must be a number from {least} to {most}"))
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLE:\n  scaling emulate --listen 127.0.0.1:4566 &\n  \
    export AWS_ENDPOINT_URL=http://127.0.0.1:4566 \\\n    \
    AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1\n  \
    export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test\n  aws autoscaling describe-auto-scaling-groups")]
pub(crate) struct EmulateArguments {
    /// Address to listen on; port 0 takes a free one and prints it
    #[arg(long, default_value = "127.0.0.1:4566")]
    pub(crate) listen: SocketAddr,
    /// How time passes [default: real, or accelerated with --speed]
    #[arg(long, value_enum)]
    pub(crate) clock: Option<ClockKind>,
    /// How many times as fast as on the wall time passes, of an accelerated clock [default: 60]
    #[arg(long, value_name = "FACTOR", value_parser = speed)]
    pub(crate) speed: Option<f64>,
    /// Where functions are invoked, such as http://127.0.0.1:9000 of `cargo lambda watch`
    #[arg(long, value_name = "URL")]
    pub(crate) lambda_endpoint: Option<String>,
    /// Invoke this function every minute; may be given several times
    #[arg(long, value_name = "FUNCTION", requires = "lambda_endpoint")]
    pub(crate) schedule: Vec<String>,
    /// Begin with this scenario: groups, load, calls, faults, and what happens when
    #[arg(long, value_name = "FILE.json")]
    pub(crate) scenario: Option<PathBuf>,
    /// Go on from this state, which --save-state or `curl ADDRESS/_emulator/state` has written
    #[arg(long, value_name = "FILE.json", conflicts_with = "demo_group")]
    pub(crate) state: Option<PathBuf>,
    /// Write the state to this file at the end
    #[arg(long, value_name = "FILE.json")]
    pub(crate) save_state: Option<PathBuf>,
    /// Check signatures, with these credentials; may be given several times [default: everybody may call]
    #[arg(long, value_name = "KEY:SECRET", env = "SCALING_EMULATOR_CREDENTIALS", hide_env_values = true)]
    pub(crate) credentials: Vec<String>,
    /// Begin with the demo's group on it, under the demo's week of load
    #[arg(long)]
    pub(crate) demo_group: bool,
    /// Region that it stands for
    #[arg(long, default_value = "us-east-1")]
    pub(crate) region: String,
    /// Everything random is drawn from it
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// How the emulator's time passes, with what each kind needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum EmulatorTime {
    Real,
    /// So many times as fast.
    Accelerated(f64),
    Stepped,
}

impl EmulateArguments {
    /// What `--clock` and `--speed` say together. A factor alone is of an accelerated clock; beside another kind it would
    /// say nothing, and is refused.
    pub(crate) fn time(&self) -> Result<EmulatorTime, Misused> {
        const USUAL: f64 = 60.0;
        match (self.clock, self.speed) {
            (None | Some(ClockKind::Real), None) => Ok(EmulatorTime::Real),
            (Some(ClockKind::Stepped), None) => Ok(EmulatorTime::Stepped),
            (None | Some(ClockKind::Accelerated), Some(speed)) => Ok(EmulatorTime::Accelerated(speed)),
            (Some(ClockKind::Accelerated), None) => Ok(EmulatorTime::Accelerated(USUAL)),
            (Some(ClockKind::Real | ClockKind::Stepped), Some(_)) => {
                Err(Misused("--speed is of an accelerated clock: leave it out, or say --clock accelerated"))
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ClockKind {
    /// As on the wall
    Real,
    /// Faster, see --speed
    Accelerated,
    /// Only by POST /_emulator/clock
    Stepped,
}

#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("groups").args(["group", "tag"]).required(true).multiple(true),
    after_help = "EXAMPLES:\n  scaling init --group web\n  scaling init --tag scaling:managed=true\n\nThe groups are read \
    with the standard AWS environment; every one begins in `observe`, which changes nothing.\nThen: scaling validate, \
    scaling plan, and `control` to `act` in the file when you agree with what it would do."
)]
pub(crate) struct InitArguments {
    /// Take these groups
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Vec<String>,
    /// Take every group that carries this tag
    #[arg(long, value_name = "KEY=VALUE", value_parser = tag)]
    pub(crate) tag: Option<(String, String)>,
    /// File to write
    #[arg(long, short, default_value = "config/scaling.json", value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Replace the file if it exists
    #[arg(long)]
    pub(crate) force: bool,
}

fn tag(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(key, _)| !key.is_empty());
    let (key, value) = pair.ok_or("write KEY=VALUE, such as scaling:managed=true")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[derive(Debug, Args)]
#[command(
    after_help = "EXAMPLES:\n  scaling plan\n  scaling plan --json | jq '.groups[].explanation'\n\nReads groups, \
    metrics and state as a tick does and changes nothing. The state is read for what was learned; it need not exist."
)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) source: ConfigArguments,
    #[command(flatten)]
    pub(crate) state: StateArguments,
    /// JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:\n  scaling scale --replicas 6\n  \
    scaling scale --group web --instance-type m7i.xlarge --dry-run\n\nAn explicit request acts in every control level, within the \
    bounds. Paused, kill switch, bounds and a running operation refuse it: exit code 4.",
    group = ArgGroup::new("wanted").args(["replicas", "instance_type"]).multiple(true).required(true))]
pub(crate) struct ScaleArguments {
    #[command(flatten)]
    pub(crate) api: ApiArguments,
    /// The group; may be left out while there is exactly one
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Replicas wanted
    #[arg(long)]
    pub(crate) replicas: Option<u32>,
    /// Instance type wanted
    #[arg(long)]
    pub(crate) instance_type: Option<String>,
    /// Keep count and type as asked for so long, such as 2h; without it the controller goes on from there
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(crate) duration: Option<SignedDuration>,
    /// Show what would be done
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// JSON instead of a sentence
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    /// Whoever copies an example from help that is as wide as most terminals must not copy a line break with it.
    #[test]
    fn examples_fit_the_width_of_a_terminal() {
        fn look(command: &clap::Command) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in help.lines().filter(|line| line.starts_with("  ")) {
                assert!(line.chars().count() < 80, "{}: {line}", command.get_name());
            }
            command.get_subcommands().for_each(look);
        }
        look(&Arguments::command());
    }

    #[test]
    fn a_factor_of_the_emulators_time_alone_accelerates_it_and_beside_another_clock_is_refused() {
        let time = |options: &[&str]| {
            let line = ["scaling", "emulate"].iter().chain(options);
            match Arguments::try_parse_from(line).unwrap().command {
                Command::Emulate(arguments) => arguments.time().map_err(|error| error.to_string()),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(time(&[]), Ok(EmulatorTime::Real));
        assert_eq!(time(&["--speed", "10"]), Ok(EmulatorTime::Accelerated(10.0)));
        assert_eq!(time(&["--clock", "accelerated"]), Ok(EmulatorTime::Accelerated(60.0)));
        assert_eq!(time(&["--clock", "stepped"]), Ok(EmulatorTime::Stepped));
        for clock in ["real", "stepped"] {
            let refused = time(&["--clock", clock, "--speed", "10"]).unwrap_err();
            assert!(refused.contains("--clock accelerated"), "{refused}");
        }
    }

    #[test]
    fn a_demo_is_of_a_length_and_a_load_that_can_be_played() {
        for (option, text) in [
            ("--days", "0"),
            ("--days", "-1"),
            ("--days", "NaN"),
            ("--days", "400"),
            ("--rate", "inf"),
            ("--rate", "0"),
        ] {
            let refused =
                Arguments::try_parse_from(["scaling", "demo", option, text]).unwrap_err().to_string();
            assert!(refused.contains("must be a number from"), "{option} {text}: {refused}");
            assert!(refused.contains(option), "{option} {text}: {refused}");
        }
        for (option, text) in [("--days", "0.01"), ("--days", "366"), ("--rate", "0.1"), ("--rate", "100000")]
        {
            Arguments::try_parse_from(["scaling", "demo", option, text]).unwrap();
        }
    }

    #[test]
    fn init_takes_groups_by_name_by_tag_or_both_and_names_both_where_neither_is_given() {
        let refused = Arguments::try_parse_from(["scaling", "init"]).unwrap_err().to_string();
        assert!(refused.contains("--group") && refused.contains("--tag"), "{refused}");
        for words in [vec!["--group", "web"], vec!["--tag", "a=b"], vec!["--group", "web", "--tag", "a=b"]] {
            Arguments::try_parse_from(["scaling", "init"].into_iter().chain(words)).unwrap();
        }
    }
}
