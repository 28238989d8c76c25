//! The table at the end: the week as it was, and the same week under plain target tracking.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use comfy_table::presets::UTF8_BORDERS_ONLY;
use comfy_table::{CellAlignment, Table};
use scaling::Assembly;
use scaling_emulator::Emulator;
use scaling_fleet::fleet::BootModel;
use scaling_fleet::load::Load;
use scaling_simulator::competition::Course;
use scaling_simulator::conditions::{Conditions, Feed};
use scaling_simulator::play::Play;
use scaling_simulator::rivals::Rival;
use scaling_simulator::world::{MachineType, World};
use serde::Serialize;

use super::stage::{FIRST_REPLICAS, FIRST_TYPE, GROUP, MAX, MIN};
use super::{Ended, scenario};
use crate::arguments::DemoArguments;
use crate::output;

/// Target of the plain policy beside ours: 50 % CPU, AWS's own example.
const TARGET: f64 = 0.5;

/// Figures of one policy over the load.
#[derive(Debug, Serialize)]
struct Figures {
    requests: f64,
    minutes_over: f64,
    requests_over_share: f64,
    instance_hours: f64,
    cost_usd: f64,
    operations: u32,
    type_changes: u32,
}

/// Everything the demo says at the end.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    seed: u64,
    days: f64,
    #[serde(flatten)]
    ours: Figures,
    not_verified: u32,
    savings_usd: f64,
    savings_share: f64,
    target_tracking: Figures,
    sdk_calls: BTreeMap<String, u64>,
}

impl Summary {
    /// Collects the figures, and replays the load under target tracking. `before` is what the emulator had received when
    /// the controller began.
    pub(crate) fn new(
        arguments: &DemoArguments,
        emulator: &Emulator,
        assembly: &Assembly,
        load: &Load,
        ended: &Ended,
        before: &BTreeMap<String, u64>,
    ) -> Result<Self> {
        let totals = emulator.group_history(GROUP).context("the emulator has lost the demo's group")?;
        let ours = Figures {
            requests: totals.requests,
            minutes_over: totals.seconds_over / 60.0,
            requests_over_share: totals.requests_over / totals.requests.max(1.0),
            instance_hours: totals.instance_hours,
            cost_usd: totals.cost_usd,
            operations: ended.scales + ended.type_changes + ended.not_verified,
            type_changes: ended.type_changes,
        };
        let target_tracking = target_tracking(arguments, load)?;
        let sdk_calls = assembly.clients.counter().snapshot();
        check_calls(&sdk_calls, &emulator.request_log(), before)?;
        let savings_usd = target_tracking.cost_usd - ours.cost_usd;
        Ok(Self {
            seed: arguments.seed,
            days: super::load_days(load),
            savings_usd,
            savings_share: savings_usd / target_tracking.cost_usd.max(f64::MIN_POSITIVE),
            ours,
            not_verified: ended.not_verified,
            target_tracking,
            sdk_calls,
        })
    }

    /// Prints the table, or one line of JSON.
    pub(crate) fn print(&self, json: bool, took: Duration) -> Result<()> {
        if json {
            return output::line(serde_json::to_string(self)?);
        }
        output::line(self.table())?;
        let calls: u64 = self.sdk_calls.values().sum();
        output::line(format_args!(
            "{} in {:.1} s; {calls} calls through the AWS SDK, each seen by the emulator.",
            length(self.days),
            took.as_secs_f64()
        ))
    }

    fn table(&self) -> Table {
        let mut table = Table::new();
        table.load_preset(UTF8_BORDERS_ONLY);
        table.set_header(["", "this controller", "target tracking, 50 % CPU"]);
        let mut row = |name: &str, value: &dyn Fn(&Figures) -> String| {
            table.add_row([name.to_owned(), value(&self.ours), value(&self.target_tracking)]);
        };
        row("requests", &|f| format!("{:.0}", f.requests));
        row("minutes over 250 ms (p95)", &|f| format!("{:.1}", f.minutes_over));
        row("share of requests in them", &|f| format!("{:.3} %", f.requests_over_share * 100.0));
        row("instance hours", &|f| format!("{:.0}", f.instance_hours));
        row("cost", &|f| format!("{:.2} USD", f.cost_usd));
        row("operations", &|f| f.operations.to_string());
        row("type changes", &|f| f.type_changes.to_string());
        table.add_row(["savings".to_owned(), savings(self.savings_usd, self.savings_share), String::new()]);
        for column in [1, 2] {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table
    }
}

/// How long the load was, in the largest unit of which there is one.
fn length(days: f64) -> String {
    // What a person has typed is not a hair less than it says.
    let minutes = (days * 1440.0 * 1000.0).round() / 1000.0;
    match minutes {
        1440.0.. => format!("{:.1} days", minutes / 1440.0),
        60.0.. => format!("{:.1} hours", minutes / 60.0),
        _ => format!("{minutes:.0} minutes"),
    }
}

fn savings(usd: f64, share: f64) -> String {
    format!("{:.2} USD ({:.1} %)", rounded(usd, 2), rounded(share * 100.0, 1))
}

/// To so many decimals. What is then nothing has no sign.
fn rounded(value: f64, decimals: i32) -> f64 {
    let factor = 10.0_f64.powi(decimals);
    // Minus zero plus zero is zero.
    (value * factor).round() / factor + 0.0
}

/// The same arrivals on the same machines under target tracking, in the simulator's loop. It sees each minute as soon as
/// it is complete, which is kinder than CloudWatch is.
fn target_tracking(arguments: &DemoArguments, load: &Load) -> Result<Figures> {
    let machine =
        MachineType::of(FIRST_TYPE).context("the demo's type is in no catalogue or has no price")?;
    let conditions = Conditions {
        feed: Feed { period: 60, delay: 0, tick: 60 },
        service: scenario::service(arguments),
        boot: BootModel::default(),
        latency_target: scenario::LATENCY_TARGET,
        min: MIN,
        max: MAX,
        seed: arguments.seed,
        ..Conditions::product()
    };
    let course = Course::new(World::of_load("demo", load, conditions, Arc::from([machine]), 0));
    let mut policy = Rival::TargetTracking.start(&course.world, TARGET, course.peak());
    let mut play = Play::new(&course.world, FIRST_REPLICAS, policy.feed());
    for needed in &course.needed {
        play.advance(*needed, policy.as_mut());
    }
    let figures = play.figures((Rival::TargetTracking.name(), Some(TARGET)));
    Ok(Figures {
        requests: figures.requests,
        minutes_over: figures.violation_minutes,
        requests_over_share: figures.violation_requests_share,
        instance_hours: figures.instance_hours,
        cost_usd: figures.cost_usd,
        operations: figures.operations,
        type_changes: figures.type_changes,
    })
}

/// What the SDK sent and what the emulator received must be the same, or a figure here is not what it says.
/// `before` came while the stage was set, which nobody counts.
fn check_calls(
    sent: &BTreeMap<String, u64>,
    received: &BTreeMap<String, u64>,
    before: &BTreeMap<String, u64>,
) -> Result<()> {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, count) in received {
        let operation = name.rsplit_once('.').map_or(name.as_str(), |(_, operation)| operation);
        *seen.entry(operation).or_default() += count - before.get(name).copied().unwrap_or(0);
    }
    for operation in sent.keys().map(String::as_str).chain(seen.keys().copied()) {
        let (sent, received) = (sent.get(operation).copied(), seen.get(operation).copied());
        let (sent, received) = (sent.unwrap_or(0), received.unwrap_or(0));
        ensure!(sent == received, "{operation}: {sent} calls were sent and {received} received");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_of_less_than_a_day_is_told_in_hours_or_minutes() {
        for (days, said) in [
            (7.0, "7.0 days"),
            (1.0, "1.0 days"),
            (0.15, "3.6 hours"),
            (1.0 / 24.0, "1.0 hours"),
            (15.0 / 1440.0, "15 minutes"),
        ] {
            assert_eq!(length(days), said, "{days}");
        }
    }

    #[test]
    fn savings_of_nothing_have_no_sign() {
        for (usd, share, said) in [
            (-0.001, -0.0004, "0.00 USD (0.0 %)"),
            (0.0, -0.0, "0.00 USD (0.0 %)"),
            (-0.006, -0.0006, "-0.01 USD (-0.1 %)"),
            (65.218, 0.2514, "65.22 USD (25.1 %)"),
        ] {
            assert_eq!(savings(usd, share), said);
        }
    }
}
