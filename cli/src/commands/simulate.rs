//! `scaling simulate`: policies over traces in virtual time, as a table, as JSON, and as a page with plots.

mod conditions;
mod inputs;
mod left_out;
mod reach;
mod tables;

use std::fs;
use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use scaling_simulator::competition::{Contender, Course, Results, compete, compete_as_tuned};
use scaling_simulator::delays::{self, Delayed};
use scaling_simulator::disturbance::Disturbance;
use scaling_simulator::ranking::{Agreement, agreement, is_brief, one_setting_for_all};
use scaling_simulator::report::{Disturbed, Plotted, Report, Source};
use scaling_simulator::trace::PROFILE;
use scaling_simulator::type_cases::{self, TypeCase};
use scaling_simulator::world::MachineType;
use scaling_simulator::{Conditions, Figures, Trace, World};

use crate::arguments::SimulateArguments;
use crate::output;

/// The page of a report, in its folder.
const PAGE: &str = "report.html";

/// What is played: everything that the arguments come to.
struct Setup {
    contenders: Vec<Contender>,
    types: Arc<[MachineType]>,
    conditions: Conditions,
    traces: Vec<Trace>,
}

/// Simulates.
pub(crate) fn simulate(arguments: &SimulateArguments) -> Result<()> {
    let began = Instant::now();
    let setup = Setup::of(arguments)?;
    let cases = setup.long_traces();
    let bar = progress(setup.plays(arguments, cases.len()));
    let done = || bar.inc(1);
    let courses = setup.courses(&setup.conditions);
    let mut notes = reach::notes(&courses, &setup.traces)?;
    notes.extend(left_out::of_medians(&setup.traces, &arguments.held_out));
    notes.extend(left_out::of_type_cases(&setup.traces, arguments.type_cases, cases.len()));
    let Results { figures: results, sweeps } = compete(&courses, &setup.contenders, &done);
    let report = Report {
        simulated_at: Timestamp::now().round(jiff::Unit::Second)?.to_string(),
        commit: option_env!("SCALING_COMMIT").map(str::to_owned),
        conditions: conditions::in_words(
            &setup.conditions,
            &setup.types,
            (&setup.traces, &arguments.held_out),
        ),
        notes,
        traces: setup.sources(arguments)?,
        one_setting: one_setting_for_all(&results, &real(&sweeps)),
        disturbed: if arguments.disturbed { setup.disturbed(&results, &done) } else { Vec::new() },
        delays: if arguments.delays { setup.delays(&done) } else { Vec::new() },
        agreements: setup.agreements(&results),
        type_cases: if arguments.type_cases { setup.type_cases(&cases, &done)? } else { Vec::new() },
        results,
        aims: arguments.aims,
    };
    if let Some(folder) = &arguments.report {
        let plotted = |course: &Course| {
            let plotted = Plotted::of(course, &setup.contenders, &sweeps);
            done();
            plotted
        };
        write(&report, &courses.iter().map(plotted).collect::<Vec<_>>(), folder)?;
    }
    bar.finish_and_clear();
    if arguments.json {
        output::json(&report)?;
    } else {
        tables::print(&report, began.elapsed())?;
    }
    let Some(folder) = &arguments.report else { return Ok(()) };
    let written = format!("the report is in {}", folder.join(PAGE).display());
    // What is printed as JSON is read by a program.
    if arguments.json {
        output::warn(written);
        Ok(())
    } else {
        output::line(written)
    }
}

impl Setup {
    fn of(arguments: &SimulateArguments) -> Result<Self> {
        Ok(Self {
            contenders: inputs::contenders(&arguments.policies)?,
            types: inputs::types(&arguments.types)?,
            conditions: conditions::of(arguments)?,
            traces: inputs::traces(&arguments.trace, arguments.profile)?,
        })
    }

    fn courses(&self, conditions: &Conditions) -> Vec<Course> {
        let world = |trace| World::new(trace, conditions.clone(), Arc::clone(&self.types), 0);
        self.traces.iter().map(|trace| Course::new(world(trace))).collect()
    }

    /// Traces of which cases of the type choice are played: real ones that last a day.
    fn long_traces(&self) -> Vec<Trace> {
        let counts = |trace: &&Trace| trace.name != PROFILE && !is_brief(trace.days());
        self.traces.iter().filter(counts).cloned().collect()
    }

    fn plays(&self, arguments: &SimulateArguments, cases: usize) -> usize {
        let once = self.traces.len() * self.contenders.len();
        let times = if arguments.disturbed { Disturbance::ALL.len() + 1 } else { 1 };
        let cases = if arguments.type_cases { type_cases::count(cases) } else { 0 };
        let delays = delays::VARIANTS.len() * delays::CONTENDERS.len() * self.traces.len();
        let delays = if arguments.delays { delays } else { 0 };
        let plotted = if arguments.report.is_some() { self.traces.len() } else { 0 };
        once * times + cases + delays + plotted
    }

    fn sources(&self, arguments: &SimulateArguments) -> Result<Vec<Source>> {
        for name in &arguments.held_out {
            ensure!(
                self.traces.iter().any(|trace| trace.name == *name),
                "--held-out names `{name}`, which is none of the traces: {}",
                self.traces.iter().map(|trace| trace.name.as_str()).collect::<Vec<_>>().join(", ")
            );
        }
        let held_out = |trace: &Trace| arguments.held_out.contains(&trace.name);
        Ok(self
            .traces
            .iter()
            .map(|trace| Source { held_out: held_out(trace), ..Source::of(trace) })
            .collect())
    }

    fn disturbed(&self, results: &[Figures], done: &(impl Fn() + Sync)) -> Vec<Disturbed> {
        let others = Disturbance::ALL.iter().map(|disturbance| {
            let courses = self.courses(&disturbance.of(&self.conditions));
            let results = compete_as_tuned(&courses, &self.contenders, results, done);
            Disturbed::of(disturbance.name(), results)
        });
        let planned = Disturbed { results: Vec::new(), ..Disturbed::of("as planned", results.to_vec()) };
        std::iter::once(planned).chain(others).collect()
    }

    fn delays(&self, done: &(impl Fn() + Sync)) -> Vec<Delayed> {
        delays::play_all(&self.conditions, |conditions| self.courses(conditions), done)
    }

    /// The order on the shipped profile against that on each trace, where the profile takes part.
    fn agreements(&self, results: &[Figures]) -> Vec<Agreement> {
        if !self.traces.iter().any(|trace| trace.name == PROFILE) {
            return Vec::new();
        }
        let others = self.traces.iter().filter(|trace| trace.name != PROFILE);
        others.map(|trace| agreement(results, PROFILE, &trace.name)).collect()
    }

    fn type_cases(&self, traces: &[Trace], done: &(impl Fn() + Sync)) -> Result<Vec<TypeCase>> {
        let ladder = if self.types.len() > 1 {
            Arc::clone(&self.types)
        } else {
            inputs::types(&type_cases::LADDER.map(str::to_owned))?
        };
        Ok(type_cases::play_all(traces, &self.conditions, &ladder, done))
    }
}

/// Those of traces that are not drawn.
fn real(figures: &[Figures]) -> Vec<Figures> {
    figures.iter().filter(|one| one.trace != PROFILE).cloned().collect()
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

fn write(report: &Report, plotted: &[Plotted], folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut files = vec![
        (PAGE.to_owned(), report.html(plotted)?),
        ("results.csv".to_owned(), report.csv()?),
        ("results.json".to_owned(), serde_json::to_string_pretty(report)?),
    ];
    files.extend(report.plots()?.into_iter().map(|(name, svg)| (format!("{name}.svg"), svg)));
    for plotted in plotted {
        let drawn = plotted.plots(&report.results)?;
        files.extend(drawn.into_iter().map(|(name, svg)| (format!("{name}.svg"), svg)));
    }
    for (name, text) in files {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}
