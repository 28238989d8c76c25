//! `scaling demo`: emulator, controller and load in one process, a week in under a minute.
//!
//! The controller reaches the emulator only through the AWS SDK over its socket. Time is stepped: a minute of load,
//! then one evaluation, so that the same seed plays the same week on any machine.

mod scenario;
mod stage;
mod summary;
mod view;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jiff::Timestamp;
use scaling::{Assembly, StoreChoice};
use scaling_aws::{AwsSettings, Credentials};
use scaling_control::ports::Clock;
use scaling_control::{GroupOutcome, Outcome};
use scaling_emulator::{ClockMode, Emulator, Settings, Workload};
use scaling_fleet::load::Load;
use scaling_policy::decision::Decision;
use scaling_policy::operation::{OperationKind, Phase};
use scaling_policy::trigger::Trigger;

use crate::arguments::DemoArguments;
use crate::interrupt::Interrupt;
pub(crate) use scenario::{LATENCY_TARGET, config, week};
pub(crate) use stage::{FIRST_REPLICAS, FIRST_TYPE, GROUP, MAX, MIN};
use summary::Summary;
use view::{Minute, View};

const MINUTE: Duration = Duration::from_secs(60);

/// Time before the load begins.
const BOOT: Duration = Duration::from_secs(300);

/// Monday, 5 January 2026, 00:00 UTC.
const START: i64 = 1_767_571_200;

/// The emulator's clock is the controller's clock.
struct EmulatorClock(Arc<Emulator>);

impl Clock for EmulatorClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// Operations that came to an end, by kind.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    scales: u32,
    type_changes: u32,
    not_verified: u32,
}

/// Plays the demo.
pub(crate) async fn run(arguments: &DemoArguments) -> Result<()> {
    let began = Instant::now();
    let interrupt = Interrupt::listen()?;
    let start = Timestamp::from_second(START)?;
    let load = scenario::load(arguments, start)?;
    let emulator = Arc::new(open_emulator(arguments, start, &load).await?);
    let assembly = assemble(&emulator)?;
    let before = emulator.request_log();
    let mut view = View::open(arguments.plain, arguments.json, load_days(&load));
    let played = tokio::select! {
        played = play(&emulator, &assembly, &load, &mut view) => played.map(Some),
        ended = interrupt.wait() => ended.map(|()| None),
    };
    view.close();
    let Some(ended) = played? else { return Ok(()) };
    let summary = Summary::new(arguments, &emulator, &assembly, &load, &ended, &before)?;
    summary.print(arguments.json, began.elapsed())
}

async fn open_emulator(arguments: &DemoArguments, start: Timestamp, load: &Load) -> Result<Emulator> {
    // The instances of a new group launch in the first step and need their boot; the week starts with them serving.
    let early = start - BOOT;
    let settings =
        Settings { clock: ClockMode::Stepped, start: early, seed: arguments.seed, ..Settings::default() };
    let emulator = Emulator::start(settings).await.context("the emulator could not be started")?;
    stage::create_group(&emulator.endpoint()).await?;
    emulator.advance(BOOT).await?;
    let mut workload = Workload::new(load.clone(), scenario::service(arguments));
    workload.seed = arguments.seed;
    workload.latency_target = scenario::LATENCY_TARGET;
    emulator.set_workload(GROUP, workload);
    Ok(emulator)
}

fn assemble(emulator: &Arc<Emulator>) -> Result<Assembly> {
    let aws = AwsSettings {
        endpoint: Some(emulator.endpoint()),
        region: Some("us-east-1".to_owned()),
        credentials: Some(Credentials::new("demo", "demo", None, None, "demo")),
        ..AwsSettings::default()
    };
    let clock = Arc::new(EmulatorClock(Arc::clone(emulator)));
    Ok(Assembly::with_clock(scenario::config()?, aws, &StoreChoice::Memory, clock)?)
}

fn load_days(load: &Load) -> f64 {
    load.end().duration_since(load.start()).as_secs_f64() / 86_400.0
}

async fn play(emulator: &Emulator, assembly: &Assembly, load: &Load, view: &mut View) -> Result<Ended> {
    let mut ended = Ended::default();
    let length = load.end().duration_since(load.start()).as_secs_f64();
    while emulator.now() < load.end() {
        emulator.advance(MINUTE).await?;
        let report = assembly.control.tick(Duration::from_secs(3600)).await?;
        let outcome = report.outcomes.first().context("the demo's group was not evaluated")?;
        count_ended(&mut ended, outcome);
        let elapsed = emulator.now().duration_since(load.start()).as_secs_f64();
        if let Some(minute) = minute(emulator, outcome, elapsed) {
            view.show(minute, elapsed / length)?;
        }
    }
    Ok(ended)
}

fn count_ended(ended: &mut Ended, outcome: &GroupOutcome) {
    for operation in &outcome.ended {
        match (operation.phase, &operation.kind) {
            (Phase::Verified, OperationKind::Scale { .. }) => ended.scales += 1,
            (Phase::Verified, OperationKind::Retype { .. }) => ended.type_changes += 1,
            (Phase::Superseded, _) => {}
            _ => ended.not_verified += 1,
        }
    }
}

fn minute(emulator: &Emulator, outcome: &GroupOutcome, elapsed: f64) -> Option<Minute> {
    let Outcome::Decided(evaluation) = &outcome.result else { return None };
    let (group, decision) = (&evaluation.snapshot.group, &evaluation.decision);
    let totals = emulator.group_history(GROUP).unwrap_or_default();
    let cpu = evaluation.snapshot.readings[Trigger::CpuUsage].value().unwrap_or(0.0);
    Some(Minute {
        at: decision.at,
        day: elapsed / 86_400.0,
        busy_vcpu: cpu * group.serving_vcpu().0,
        serving_vcpu: group.serving_vcpu().0,
        serving: group.serving(),
        desired: group.desired,
        instance_type: group.launch_type.name.to_string(),
        latency_ms: evaluation.snapshot.readings[Trigger::RequestLatency]
            .value()
            .map(|seconds| seconds * 1000.0),
        cost_usd: totals.cost_usd,
        share_over: if totals.requests > 0.0 { totals.requests_over / totals.requests } else { 0.0 },
        decision: outcome.acted.as_ref().map(|_| sentence(decision)),
    })
}

/// One decision as a person reads it.
pub(crate) fn sentence(decision: &Decision) -> String {
    use scaling_policy::Action;
    let (before, after) = (decision.cost_before.0, decision.cost_after.0);
    let money = format!("{before:.2} -> {after:.2} USD/h");
    match &decision.action {
        Action::Hold => format!("hold: {}", decision.reason),
        Action::Scale { from, to } => format!("{from} -> {to} replicas ({money}): {}", decision.reason),
        Action::Retype { from, to, to_replicas, .. } => {
            format!("{from} -> {to} x {to_replicas} ({money}): {}", decision.reason)
        }
    }
}
