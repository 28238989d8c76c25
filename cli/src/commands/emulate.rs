//! `scaling emulate`: an emulator on a fixed address, for any AWS client.

use std::time::Duration;

use anyhow::{Context, Result};
use jiff::{Timestamp, Unit};
use scaling_emulator::signature::Credentials;
use scaling_emulator::{ClockMode, Emulator, Scenario, Schedule, Settings};
use serde_json::json;

use crate::arguments::{EmulateArguments, EmulatorTime};
use crate::interrupt::Interrupt;
use crate::{embedded, output};

/// Runs the emulator until it is told to stop.
pub(crate) async fn emulate(arguments: &EmulateArguments) -> Result<()> {
    let interrupt = Interrupt::listen()?;
    let emulator =
        Emulator::start(settings(arguments)?).await.context("the emulator could not be started")?;
    if arguments.demo_group {
        embedded::set_up(&emulator, arguments.seed)?;
    }
    if let Some(path) = &arguments.state {
        let document = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        emulator.read_state(&document).with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &arguments.scenario {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let scenario = Scenario::parse(&text).with_context(|| path.display().to_string())?;
        emulator.begin(scenario).with_context(|| path.display().to_string())?;
    }
    greet(arguments, &emulator)?;
    let ended = interrupt.wait().await;
    if let Some(path) = &arguments.save_state {
        std::fs::write(path, emulator.write_state()?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    emulator.stop();
    ended
}

fn settings(arguments: &EmulateArguments) -> Result<Settings> {
    let every_minute = |function: &String| Schedule {
        function: function.clone(),
        every: Duration::from_secs(60),
        payload: json!({"version": "0", "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}}),
    };
    let common = Settings {
        listen: arguments.listen,
        region: arguments.region.clone(),
        lambda_endpoint: arguments.lambda_endpoint.clone(),
        schedules: arguments.schedule.iter().map(every_minute).collect(),
        seed: arguments.seed,
        credentials: arguments.credentials.iter().map(|text| credentials(text)).collect::<Result<_>>()?,
        ..Settings::default()
    };
    Ok(match arguments.time()? {
        // Starts where every stepped emulator does, so that a script sees the same times each time.
        EmulatorTime::Stepped => common,
        EmulatorTime::Real => Settings { clock: ClockMode::Real, start: at_last(Unit::Second)?, ..common },
        EmulatorTime::Accelerated(speed) => {
            Settings { clock: ClockMode::Accelerated(speed), start: this_minute()?, ..common }
        }
    })
}

fn credentials(text: &str) -> Result<Credentials> {
    let (key, secret) = text.split_once(':').context("credentials are KEY:SECRET")?;
    Ok(Credentials { key: key.to_owned(), secret: secret.to_owned() })
}

/// The wall's time at the last full minute: where a clock that runs faster begins.
pub(crate) fn this_minute() -> Result<Timestamp> {
    at_last(Unit::Minute)
}

fn at_last(unit: Unit) -> Result<Timestamp> {
    let round = jiff::TimestampRound::new().smallest(unit).mode(jiff::RoundMode::Trunc);
    Ok(Timestamp::now().round(round)?)
}

fn greet(arguments: &EmulateArguments, emulator: &Emulator) -> Result<()> {
    let endpoint = emulator.endpoint();
    output::line(format_args!("{endpoint}\n"))?;
    let time = arguments.time()?;
    // Controllers look at the wall's clock: at another one, they would take every metric for one of the past or future.
    let ours = if time == EmulatorTime::Real { "`init`, `plan` and `run`" } else { "`init`" };
    output::line(format_args!(
        "In another terminal, for the aws command line, any SDK, and `scaling` with {ours}:\n"
    ))?;
    let region = &arguments.region;
    output::line(format_args!(
        "export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region}\n\
         export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test"
    ))?;
    output::line("aws autoscaling describe-auto-scaling-groups")?;
    if time == EmulatorTime::Stepped {
        output::line(format_args!(
            "curl -d '{{\"advance\": 60}}' -H 'content-type: application/json' {endpoint}/_emulator/clock"
        ))?;
    }
    let kept = arguments
        .save_state
        .as_ref()
        .map_or_else(|| "nothing is kept".to_owned(), |path| format!("the state goes to {}", path.display()));
    output::line(format_args!("\nThe fleet as it lives: {endpoint}/\nCtrl-C ends it; {kept}."))
}
