//! `scaling run`: the controller as one process.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use jiff::Timestamp;
use scaling::serve::Server;
use scaling::{Assembly, Controller, StoreChoice};
use scaling_api::ApiState;
use scaling_aws::{AwsSettings, Credentials};
use scaling_emulator::{ClockMode, Emulator, Settings};
use scaling_policy::config::Config;
use scaling_telemetry::Metrics;
use scaling_telemetry::logs::{StandaloneLogs, directives, init_standalone};
use scaling_telemetry::metrics::Tick;

use crate::arguments::RunArguments;
use crate::demo;

/// Runs until Ctrl-C.
pub(crate) async fn run(arguments: &RunArguments) -> Result<()> {
    let _guard = init_standalone(&StandaloneLogs {
        directives: directives(|name| std::env::var(name).ok()),
        folder: Some(arguments.logs.clone()),
        terminal: true,
        colour: stderr().is_terminal(),
    })?;
    let (config, aws, _emulator) = if arguments.emulator {
        let emulator = embedded().await?;
        let aws = demo_settings(&emulator);
        (demo::config()?, aws, Some(emulator))
    } else {
        (configured(arguments)?, AwsSettings::default(), None)
    };
    let store =
        if arguments.emulator { StoreChoice::Memory } else { StoreChoice::File(arguments.state.clone()) };
    let metrics = Metrics::new();
    let assembly = Assembly::new(config, aws, &store)?.counted(&metrics);
    let state = ApiState::new(Arc::clone(&assembly.control), metrics.clone());
    let api = Server::rest(arguments.api, state).await?;
    let scraped = Server::prometheus(arguments.prometheus, metrics.clone()).await?;
    announce(api.address(), scraped.address())?;
    let control = Arc::clone(&assembly.control);
    let running = Controller::from_assembly(assembly)
        .start_with(move |report, took| {
            let tick = Tick { ended: Timestamp::now(), took, config_version: control.config().version };
            metrics.record_tick(report, tick);
            scaling::narrate::narrate(report);
        })
        .await;
    tokio::signal::ctrl_c().await?;
    drop(running);
    api.stop().await;
    scraped.stop().await;
    Ok(())
}

fn configured(arguments: &RunArguments) -> Result<Config> {
    let source = &arguments.source;
    let loaded = scaling::configuration::load(&source.config, source.environment.as_deref())?;
    for warning in &loaded.warnings {
        tracing::warn!(target: "scaling::validator", %warning, "configuration");
    }
    Ok(loaded.config)
}

/// An emulator in real time with the demo's group and load.
async fn embedded() -> Result<Emulator> {
    let settings = Settings { clock: ClockMode::Real, start: Timestamp::now(), ..Settings::default() };
    let emulator = Emulator::start(settings).await.context("the emulator could not be started")?;
    demo::create_group(&emulator.endpoint()).await?;
    demo::start_load(&emulator);
    Ok(emulator)
}

fn demo_settings(emulator: &Emulator) -> AwsSettings {
    AwsSettings {
        endpoint: Some(emulator.endpoint()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(Credentials::new("demo", "demo", None, None, "demo")),
        ..AwsSettings::default()
    }
}

fn announce(api: SocketAddr, prometheus: SocketAddr) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "REST interface at http://{api}, Prometheus at http://{prometheus}/metrics; Ctrl-C ends it."
    )?;
    Ok(out.flush()?)
}
