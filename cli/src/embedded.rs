//! The demo's group and load on an emulator whose time passes by itself.

use std::sync::Arc;

use anyhow::{Context, Result};
use jiff::Timestamp;
use scaling::{Assembly, StoreChoice};
use scaling_aws::{AwsSettings, Credentials};
use scaling_control::ports::Clock;
use scaling_emulator::{ClockMode, Emulator, GroupSetup, Settings, Workload};
use scaling_fleet::service::ServiceModel;

use crate::commands::emulate::this_minute;
use crate::demo::{FIRST_REPLICAS, FIRST_TYPE, GROUP, LATENCY_TARGET, MAX, MIN, config, week};

/// The emulator's clock is the controller's clock.
struct EmulatorClock(Arc<Emulator>);

impl Clock for EmulatorClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// An emulator with the group on it, so many times as fast as on the wall.
pub(crate) async fn start(factor: f64, seed: u64) -> Result<Arc<Emulator>> {
    let settings = Settings {
        clock: ClockMode::Accelerated(factor),
        start: this_minute()?,
        seed,
        ..Settings::default()
    };
    let emulator = Emulator::start(settings).await.context("the emulator could not be started")?;
    set_up(&emulator, seed)?;
    Ok(Arc::new(emulator))
}

/// Makes the group, all of it serving, and puts the demo's week of load on it from now on.
pub(crate) fn set_up(emulator: &Emulator, seed: u64) -> Result<()> {
    let mut setup = GroupSetup::new(GROUP, FIRST_TYPE, (MIN, MAX, FIRST_REPLICAS));
    setup.tags.push(("scaling:managed".to_owned(), "true".to_owned()));
    emulator.with_region(|region| setup.make(region)).context("the demo's group could not be made")?;
    let mut workload = Workload::new(week(seed, emulator.now()), ServiceModel::demo());
    workload.seed = seed;
    workload.latency_target = LATENCY_TARGET;
    emulator.set_workload(GROUP, workload);
    Ok(())
}

/// A controller of that group which reaches the emulator over its socket. Nothing of its state outlives it.
pub(crate) fn assemble(emulator: &Arc<Emulator>) -> Result<Assembly> {
    let aws = AwsSettings {
        endpoint: Some(emulator.endpoint()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(Credentials::new("test", "test", None, None, "emulator")),
        ..AwsSettings::default()
    };
    let clock = Arc::new(EmulatorClock(Arc::clone(emulator)));
    Ok(Assembly::with_clock(config()?, aws, &StoreChoice::Memory, clock)?)
}
