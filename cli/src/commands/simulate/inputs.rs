//! What the arguments of `scaling simulate` mean.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use scaling_fleet::service::QueueModel;
use scaling_simulator::competition::Contender;
use scaling_simulator::world::{HIGH_REPLICAS, MachineType};
use scaling_simulator::{Conditions, Trace};

use crate::arguments::{MetricFeed, Queue, SimulateArguments};

/// The type that everybody runs on where none is named.
const TYPE: &str = "m7i.xlarge";

pub(super) fn contenders(names: &[String]) -> Result<Vec<Contender>> {
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

pub(super) fn types(names: &[String]) -> Result<Arc<[MachineType]>> {
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

pub(super) fn conditions(arguments: &SimulateArguments) -> Result<Conditions> {
    ensure!(
        arguments.scale > 0.0 && arguments.scale <= 1000.0,
        "--scale must be over 0 and at most 1000, not {}",
        arguments.scale
    );
    let mut conditions = match arguments.metrics {
        MetricFeed::Cloudwatch => Conditions::product(),
        MetricFeed::Prompt => Conditions::prompt(),
    };
    if let Some(threshold) = arguments.cpu_threshold {
        ensure!(
            threshold > 0.0 && threshold <= 1.0,
            "--cpu-threshold must be over 0 and at most 1, not {threshold}"
        );
        conditions.cpu_threshold = threshold;
    }
    let queue = match arguments.queue {
        Queue::Own => QueueModel::Own,
        Queue::Shared => QueueModel::Shared,
    };
    Ok(Conditions { scale: arguments.scale, seed: arguments.seed, ..conditions.with_queue(queue) })
}

pub(super) fn read(path: &Path) -> Result<Trace> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read the trace {}", path.display()))?;
    let name = path.file_stem().map_or_else(|| "trace".into(), |stem| stem.to_string_lossy());
    Trace::from_csv(&name, &text).with_context(|| format!("the trace {}", path.display()))
}

/// When the report was made, and by which commit where the build was told (`SCALING_COMMIT`).
pub(super) fn held(now: Timestamp) -> String {
    let commit =
        option_env!("SCALING_COMMIT").map_or_else(String::new, |commit| format!(", commit {commit}"));
    format!("Simulated at {now}{commit}")
}

/// Which of the traces the policy may have been tuned on, where some were held out of it.
fn split(traces: &[Trace], held_out: &[String]) -> String {
    let names = |held: bool| {
        let of = traces.iter().filter(|trace| held_out.contains(&trace.name) == held);
        of.map(|trace| trace.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    if held_out.is_empty() {
        return String::new();
    }
    let tuned_on = if names(false).is_empty() { "none of these".to_owned() } else { names(false) };
    format!(" Tuned on: {tuned_on}. Held out of the tuning: {}.", names(true))
}

pub(super) fn in_words(arguments: &SimulateArguments, conditions: &Conditions, traces: &[Trace]) -> String {
    let feed = conditions.feed;
    let queue = match conditions.service.queue {
        QueueModel::Own => "a queue for each instance",
        QueueModel::Shared => "one queue for all instances",
    };
    format!(
        "Metrics of {} s readable after {} s, looked at every {} s; {:.0} ms a request, {queue}; 95th percentile within \
         {:.0} ms; boot {} s; at least {} replicas; highest load at {:.0} replicas of {}; seed {}.{}",
        feed.period,
        feed.delay,
        feed.tick,
        conditions.service.service_seconds * 1000.0,
        conditions.latency_target * 1000.0,
        conditions.boot.longest.as_secs(),
        conditions.min,
        HIGH_REPLICAS * conditions.scale,
        arguments.types.first().map_or(TYPE, String::as_str),
        conditions.seed,
        split(traces, &arguments.held_out),
    )
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
    fn the_split_names_what_was_tuned_on_and_what_was_held_out() {
        let trace = |name: &str| Trace { name: name.to_owned(), ..Trace::profile(1) };
        let traces = [trace("a"), trace("b"), trace("c")];
        let held_out = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(split(&traces, &[]), "");
        assert_eq!(split(&traces, &held_out(&["b"])), " Tuned on: a, c. Held out of the tuning: b.");
        assert_eq!(
            split(&traces, &held_out(&["a", "b", "c"])),
            " Tuned on: none of these. Held out of the tuning: a, b, c."
        );
    }

    #[test]
    fn every_competitor_takes_part_at_its_usual_setting_and_tuned() {
        let names = ["fixed", "target-tracking", "step-scaling", "predictive", "hpa", "hpa-vpa", "threshold"];
        for name in names {
            assert!(contenders(&[name.to_owned(), format!("{name}-tuned")]).is_ok(), "{name}");
        }
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
