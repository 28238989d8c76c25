//! `scaling run`: the controller as one process.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;

use anyhow::Result;
use scaling::serve::Server;
use scaling::{Assembly, Controller, StoreChoice};
use scaling_api::{ApiState, FindingsWatch};
use scaling_aws::AwsSettings;
use scaling_console::Console;
use scaling_control::ControlLoop;
use scaling_emulator::Emulator;
use scaling_telemetry::Metrics;
use scaling_telemetry::logs::{COLLECTOR, LogGuard, StandaloneLogs, directives, init_standalone};
use scaling_telemetry::metrics::Tick;

use crate::arguments::{RunArguments, StateArguments};
use crate::commands::past::Past;
use crate::commands::protection;
use crate::interrupt::Interrupt;
use crate::{embedded, output};

/// What is controlled: the parts, how fast its time passes, and the emulator where it is one's own.
struct Stage {
    assembly: Assembly,
    pace: f64,
    emulator: Option<Arc<Emulator>>,
}

/// Runs until it is told to stop.
pub(crate) async fn run(arguments: &RunArguments) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let protection = protection::protection(&arguments.listen).await?;
    for address in [arguments.listen.api, arguments.listen.prometheus] {
        protection.check(address)?;
    }
    let Stage { assembly, pace, emulator } = set(arguments).await?;
    let metrics = Metrics::new();
    let assembly = assembly.counted(&metrics);
    let state = ApiState::new(Arc::clone(&assembly.control), metrics.clone()).streaming();
    let findings = FindingsWatch::new(state.clone());
    let console = Console::new();
    let rest = Server::rest_with(arguments.listen.api, state, console.router(), &protection).await?;
    let prometheus = Server::prometheus(arguments.listen.prometheus, metrics.clone(), &protection).await?;
    // After everything that can refuse to start, and held to the end: what is buffered is written when it goes.
    let _logs = start_logs(arguments)?;
    findings.look_at_configuration().await;
    greet(arguments, [&rest, &prometheus], emulator.as_deref())?;
    tell_version(&assembly.control, arguments).await?;
    let control = Arc::clone(&assembly.control);
    let past = Past::new(console.clone(), Arc::clone(&control));
    past.recall();
    let (keeping, mut kept) = (past.clone(), None);
    let seen = move |report: &Arc<scaling_control::TickReport>, took| {
        let config = control.config();
        metrics.keep_groups(config.groups.iter().map(|group| &group.name));
        let ended = control.ports().clock.now();
        let tick = Tick { ended, took, config_version: config.version };
        let recorded = metrics.record_tick(report, tick);
        console.record(report, &recorded, ended);
        keeping.keep_if_due(&mut kept);
        scaling::narrate::narrate(report);
        let (findings, report) = (findings.clone(), Arc::clone(report));
        tokio::spawn(async move { findings.look(&report).await });
    };
    let running = Controller::from_assembly(assembly).at_pace(pace).start_with(seen).await;
    let ended = interrupt.wait().await;
    rest.stop().await;
    prometheus.stop().await;
    drop(running);
    past.keep().await;
    ended
}

async fn set(arguments: &RunArguments) -> Result<Stage> {
    if arguments.emulator {
        let emulator = embedded::start(arguments.speed, 1).await?;
        let assembly = embedded::assemble(&emulator)?;
        let pace = arguments.speed;
        return Ok(Stage { assembly, pace, emulator: Some(emulator) });
    }
    let source = &arguments.source;
    let config = scaling::configuration::load(&source.config, source.environment.as_deref())?.config;
    let assembly = Assembly::new(config, AwsSettings::default(), &store(&arguments.state))?;
    Ok(Stage { assembly, pace: 1.0, emulator: None })
}

/// Where the arguments say that the state is.
pub(super) fn store(arguments: &StateArguments) -> StoreChoice {
    match &arguments.table {
        Some(table) if !table.is_empty() => StoreChoice::Table(table.clone()),
        _ => StoreChoice::File(arguments.state.clone()),
    }
}

/// The same for what only looks: a state file that does not exist is not made.
pub(super) fn existing_store(arguments: &StateArguments) -> StoreChoice {
    match store(arguments) {
        StoreChoice::File(path) if !path.exists() => StoreChoice::Memory,
        other => other,
    }
}

fn start_logs(arguments: &RunArguments) -> Result<LogGuard> {
    Ok(init_standalone(&StandaloneLogs {
        directives: directives(|name| std::env::var(name).ok()),
        folder: Some(arguments.logs.clone()),
        terminal: true,
        colour: stderr().is_terminal(),
        collector: std::env::var(COLLECTOR).ok().filter(|address| !address.is_empty()),
    })?)
}

/// Says so where a stored version is active, and not the file: whoever edits the file would wonder.
async fn tell_version(control: &ControlLoop, arguments: &RunArguments) -> Result<()> {
    // The loop tells of a store that does not answer.
    let Ok(config) = control.refresh().await else { return Ok(()) };
    if config.version.0 == 0 {
        return Ok(());
    }
    let (version, file) = (config.version.0, arguments.source.config.display());
    tracing::warn!(target: "scaling::validator", version, "a stored configuration is active, and not the file");
    output::line(format_args!(
        "Configuration   version {version} of the store, not {file}: see `scaling config diff`, and `scaling config push` \
         to make the file the active one"
    ))
}

fn greet(
    arguments: &RunArguments,
    [rest, prometheus]: [&Server; 2],
    emulator: Option<&Emulator>,
) -> Result<()> {
    let api = rest.url();
    output::line(format_args!("REST interface  {api}"))?;
    output::line(format_args!("Prometheus      {}/metrics", prometheus.url()))?;
    output::line(format_args!("Console         {api}/   (in a browser)"))?;
    if let Some(emulator) = emulator {
        let (endpoint, speed) = (emulator.endpoint(), arguments.speed);
        output::line(format_args!("Emulator        {endpoint}   {speed} times as fast as on the wall"))?;
    }
    output::line(format_args!("Logs            {}/scaling_*.log", arguments.logs.display()))?;
    // Beyond loopback there is a certificate, whose name the client has to use.
    let status = match api.strip_prefix("https://").and_then(|address| address.rsplit_once(':')) {
        Some((_, port)) => format!("--api https://NAME:{port} --ca FILE.pem --token-file FILE"),
        None => format!("--api {api}"),
    };
    output::line(format_args!("\nSee the groups with `scaling status {status}`. Ctrl-C ends it."))
}
