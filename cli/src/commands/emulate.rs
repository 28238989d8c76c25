//! `scaling emulate`: the emulator as a process of its own.

use std::io::{Write, stdout};
use std::time::Duration;

use anyhow::{Context, Result};
use scaling_emulator::{ClockMode, Emulator, Schedule, Settings};
use serde_json::json;

use crate::arguments::{ClockKind, EmulateArguments};

/// Runs until Ctrl-C.
pub(crate) async fn emulate(arguments: &EmulateArguments) -> Result<()> {
    let clock = match arguments.clock {
        ClockKind::Real => ClockMode::Real,
        ClockKind::Accelerated => ClockMode::Accelerated(arguments.speed),
        ClockKind::Stepped => ClockMode::Stepped,
    };
    let start = match arguments.clock {
        // Clients compare with their own clock.
        ClockKind::Real => jiff::Timestamp::now(),
        ClockKind::Accelerated | ClockKind::Stepped => Settings::default().start,
    };
    let schedules = arguments.schedule.iter().map(|function| Schedule {
        function: function.clone(),
        every: Duration::from_secs(60),
        payload: json!({"version": "0", "detail-type": "Scheduled Event", "source": "aws.scheduler", "detail": "{}"}),
    });
    let settings = Settings {
        listen: arguments.listen,
        region: arguments.region.clone(),
        clock,
        start,
        lambda_endpoint: arguments.lambda_endpoint.clone(),
        schedules: schedules.collect(),
        seed: arguments.seed,
        ..Settings::default()
    };
    let emulator = Emulator::start(settings).await.context("the emulator could not be started")?;
    announce(&emulator.endpoint(), &arguments.region)?;
    tokio::signal::ctrl_c().await?;
    emulator.stop();
    Ok(())
}

fn announce(endpoint: &str, region: &str) -> Result<()> {
    let mut out = stdout().lock();
    writeln!(
        out,
        "Auto Scaling, EC2, CloudWatch and STS at {endpoint}; Ctrl-C ends it. In another terminal:\n"
    )?;
    writeln!(out, "  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}")?;
    writeln!(out, "  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test")?;
    writeln!(out, "  aws autoscaling describe-auto-scaling-groups")?;
    Ok(out.flush()?)
}
