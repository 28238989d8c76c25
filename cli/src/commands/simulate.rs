//! `scaling simulate`: policies over traces in virtual time, as a table, as JSON, and as a page with plots.

use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use comfy_table::{CellAlignment, Table};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use scaling_fleet::service::QueueModel;
use scaling_simulator::competition::{Contender, Course, compete};
use scaling_simulator::report::{Plotted, Report, Source};
use scaling_simulator::world::MachineType;
use scaling_simulator::{Conditions, Trace, World};

use crate::arguments::{MetricFeed, Queue, SimulateArguments};
use crate::output;

/// The type that everybody runs on where none is named.
const TYPE: &str = "m7i.xlarge";

/// Simulates.
pub(crate) fn simulate(arguments: &SimulateArguments) -> Result<()> {
    let contenders = contenders(&arguments.policies)?;
    let types = types(&arguments.types)?;
    let conditions = conditions(arguments)?;
    let traces: Vec<Trace> = arguments.trace.iter().map(|path| read(path)).collect::<Result<_>>()?;
    let courses: Vec<Course> = traces
        .iter()
        .map(|trace| Course::new(World::new(trace, conditions.clone(), Arc::clone(&types), 0)))
        .collect();
    let bar = progress(courses.len() * contenders.len());
    let results = compete(&courses, &contenders, &|| bar.inc(1));
    bar.finish_and_clear();
    let report = Report {
        held: format!("Simulated at {}", Timestamp::now().round(jiff::Unit::Second)?),
        conditions: in_words(arguments, &conditions),
        traces: traces.iter().map(Source::of).collect(),
        results: results.into_iter().flatten().flatten().collect(),
    };
    if let Some(folder) = &arguments.report {
        write(&report, &courses, folder)?;
    }
    if arguments.json { output::json(&report) } else { print(&report) }
}

fn contenders(names: &[String]) -> Result<Vec<Contender>> {
    if names.iter().any(|name| name == "all") {
        return Ok(Contender::all());
    }
    let known = || Contender::all().into_iter().map(Contender::name).collect::<Vec<_>>().join(", ");
    names
        .iter()
        .map(|name| {
            Contender::from_name(name)
                .with_context(|| format!("there is no policy `{name}`; there are: {}, and all", known()))
        })
        .collect()
}

fn types(names: &[String]) -> Result<Arc<[MachineType]>> {
    let names: Vec<&str> =
        if names.is_empty() { vec![TYPE] } else { names.iter().map(String::as_str).collect() };
    names
        .into_iter()
        .map(|name| {
            MachineType::of(name).with_context(|| {
                format!("`{name}` is no instance type with a known price; an example is {TYPE}")
            })
        })
        .collect()
}

fn conditions(arguments: &SimulateArguments) -> Result<Conditions> {
    ensure!(
        arguments.scale > 0.0 && arguments.scale <= 1000.0,
        "--scale must be over 0 and at most 1000, not {}",
        arguments.scale
    );
    let conditions = match arguments.metrics {
        MetricFeed::Cloudwatch => Conditions::product(),
        MetricFeed::Prompt => Conditions::prompt(),
    };
    let queue = match arguments.queue {
        Queue::Own => QueueModel::Own,
        Queue::Shared => QueueModel::Shared,
    };
    Ok(Conditions { scale: arguments.scale, seed: arguments.seed, ..conditions.with_queue(queue) })
}

fn read(path: &Path) -> Result<Trace> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read the trace {}", path.display()))?;
    let name = path.file_stem().map_or_else(|| "trace".into(), |stem| stem.to_string_lossy());
    Trace::from_csv(&name, &text).with_context(|| format!("the trace {}", path.display()))
}

fn progress(plays: usize) -> ProgressBar {
    let bar = ProgressBar::new(plays as u64);
    if !stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos} of {len} plays, {eta} left") {
        bar.set_style(style);
    }
    bar.tick();
    bar
}

fn in_words(arguments: &SimulateArguments, conditions: &Conditions) -> String {
    let feed = conditions.feed;
    let queue = match conditions.service.queue {
        QueueModel::Own => "a queue for each instance",
        QueueModel::Shared => "one queue for all instances",
    };
    format!(
        "Metrics of {} s readable after {} s, looked at every {} s; {:.0} ms a request, {queue}; 95th percentile within \
         {:.0} ms; boot {} s; at least {} replicas; highest load at {:.0} replicas of {}; seed {}.",
        feed.period,
        feed.delay,
        feed.tick,
        conditions.service.service_seconds * 1000.0,
        conditions.latency_target * 1000.0,
        conditions.boot.longest.as_secs(),
        conditions.min,
        scaling_simulator::world::HIGH_REPLICAS * conditions.scale,
        arguments.types.first().map_or(TYPE, String::as_str),
        conditions.seed,
    )
}

fn write(report: &Report, courses: &[Course], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let plotted: Vec<Plotted> = courses.iter().map(Plotted::of).collect();
    let files = [
        ("report.html", report.html(&plotted)?),
        ("results.csv", report.csv()?),
        ("results.json", serde_json::to_string_pretty(report)?),
    ];
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn print(report: &Report) -> Result<()> {
    if report.results.is_empty() {
        bail!("none of the policies has a setting that holds the target on any of the traces");
    }
    output::line(format_args!("{}. {}", report.held, report.conditions))?;
    for source in &report.traces {
        output::line(format_args!("{}  {} ({:.1} days)", source.sha256, source.trace, source.days))?;
        for repair in &source.repairs {
            output::line(format_args!("  {repair}"))?;
        }
    }
    output::line(figures(report))?;
    if report.traces.len() > 1 {
        output::line(summary(report))?;
    }
    Ok(())
}

fn figures(report: &Report) -> Table {
    let mut table = output::table([
        "Trace",
        "Policy",
        "Setting",
        "USD",
        "Over oracle",
        "psi %",
        "min/day over",
        "Changes/day",
        "Types",
    ]);
    for one in &report.results {
        table.add_row([
            one.trace.clone(),
            one.policy.clone(),
            one.setting.map_or_else(String::new, |setting| format!("{setting:.2}")),
            format!("{:.0}", one.cost_usd),
            report.over_oracle(one).map_or_else(String::new, |ratio| format!("{ratio:.3}")),
            format!("{:.3}", one.violation_requests_share * 100.0),
            format!("{:.2}", one.violation_minutes_a_day()),
            format!("{:.0}", one.operations_a_day()),
            one.type_changes.to_string(),
        ]);
    }
    right_aligned(&mut table, 2);
    table
}

fn summary(report: &Report) -> Table {
    let mut table = output::table(["Policy", "Median over oracle", "Held"]);
    for policy in report.policies() {
        let (median, held, of) = report.summary(policy);
        let median = median.map_or_else(String::new, |median| format!("{median:.3}"));
        table.add_row([policy.to_owned(), median, format!("{held} of {of}")]);
    }
    right_aligned(&mut table, 1);
    table
}

fn right_aligned(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_policy_is_answered_with_the_known_ones() {
        let error = contenders(&["hybird".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`hybird`") && error.contains("target-tracking-tuned"), "{error}");
        assert_eq!(contenders(&["all".to_owned()]).unwrap(), Contender::all());
    }

    #[test]
    fn an_unknown_type_is_refused_and_none_means_the_usual_one() {
        let error = types(&["m7i.huge".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("`m7i.huge`"), "{error}");
        assert_eq!(types(&[]).unwrap()[0].name.as_str(), TYPE);
    }

    #[test]
    fn a_trace_that_is_not_there_or_not_one_is_named() {
        let folder = std::env::temp_dir();
        let error = read(&folder.join("no-such-trace.csv")).unwrap_err().to_string();
        assert!(error.contains("no-such-trace.csv"), "{error}");
    }
}
