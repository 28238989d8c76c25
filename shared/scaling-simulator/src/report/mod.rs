//! What is shown of a competition: JSON, CSV, and one HTML page with its plots inside.

mod choice;
mod costs;
mod dots;
pub mod grid;
mod key;
mod labels;
mod missed;
mod page;
mod plots;
#[cfg(test)]
mod sample;
mod violations;

pub use plots::PlotError;

use serde::Serialize;

use crate::competition::{Contender, Course};
use crate::delays::Delayed;
use crate::figures::Figures;
use crate::ranking::{self, Agreement, OneSetting, Standing};
use crate::rivals::Rival;
use crate::trace::Trace;
use crate::type_cases::TypeCase;

/// A trace as the report names it.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// Name.
    pub trace: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Length, in days.
    pub days: f64,
    /// Whether the policy was not tuned on it.
    pub held_out: bool,
    /// What had to be put right.
    pub repairs: Vec<String>,
}

impl Source {
    /// What the report says of a trace.
    pub fn of(trace: &Trace) -> Self {
        Self {
            trace: trace.name.clone(),
            sha256: trace.sha256.clone(),
            days: trace.days(),
            held_out: false,
            repairs: trace.repairs.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The same competition under other conditions.
#[derive(Debug, Clone, Serialize)]
pub struct Disturbed {
    /// What is otherwise than planned.
    pub disturbance: &'static str,
    /// Place of the hybrid policy among those that know no future, from 1.
    pub place: Option<usize>,
    /// How everybody did.
    pub standings: Vec<Standing>,
    /// The results, trace by trace.
    pub results: Vec<Figures>,
}

impl Disturbed {
    /// What the results of a disturbed competition say.
    pub fn of(disturbance: &'static str, results: Vec<Figures>) -> Self {
        let standings = ranking::standings(&results, |_| true);
        let place = ranking::place(&standings, &Contender::Hybrid.name());
        Self { disturbance, place, standings, results }
    }
}

/// A competition with its results.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// When, in ISO 8601.
    pub simulated_at: String,
    /// By which commit, where the build was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Under which conditions, in words.
    pub conditions: String,
    /// What somebody should know before reading on, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// The traces.
    pub traces: Vec<Source>,
    /// The results, trace by trace.
    pub results: Vec<Figures>,
    /// The cheapest single setting of a rival, by how many traces it holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub one_setting: Vec<OneSetting>,
    /// The same under disturbed conditions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disturbed: Vec<Disturbed>,
    /// The policy and the oracle with metrics sooner and later, and with the other queue.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub delays: Vec<Delayed>,
    /// How far the order on the shipped profile agrees with that on the traces.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub agreements: Vec<Agreement>,
    /// What choosing the type is worth.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub type_cases: Vec<TypeCase>,
    /// Whether the plots show the figures that this project aims at: they belong to its own table, and to nobody else's.
    #[serde(skip)]
    pub aims: bool,
}

/// What the plots of one trace need besides the results.
#[derive(Debug, Clone)]
pub struct Plotted {
    /// The trace.
    pub trace: String,
    /// Demand and capacity under the policy of that name; `None` where nobody took part that is a single play.
    pub played: Option<(String, Vec<crate::play::Point>)>,
    /// Those that were tuned of the rivals whose settings are drawn, at all of them.
    pub sweeps: Vec<(Rival, Vec<Figures>)>,
}

impl Plotted {
    /// Plays what the plots of a course need: who took part, the hybrid policy if it did. `sweeps` are rivals at each
    /// setting that they were tuned by.
    pub fn of(course: &Course, contenders: &[Contender], sweeps: &[Figures]) -> Self {
        let trace = &course.world.name;
        let hybrid = contenders.iter().find(|one| **one == Contender::Hybrid);
        let others = contenders.iter();
        let played = hybrid.into_iter().chain(others).find_map(|contender| {
            let points = course.points(*contender);
            (!points.is_empty()).then(|| (contender.name(), points))
        });
        let settings = |rival: Rival| {
            let of = sweeps.iter().filter(|one| one.trace == *trace && one.policy == rival.name());
            let found: Vec<Figures> = of.cloned().collect();
            (!found.is_empty()).then_some((rival, found))
        };
        let sweeps = [Rival::TargetTracking, Rival::Hpa].into_iter().filter_map(settings).collect();
        Self { trace: trace.clone(), played, sweeps }
    }

    /// The plots, by name: what was needed and served over time, and cost against violations. Those that have nothing to
    /// show are left out.
    pub fn plots(&self, results: &[Figures]) -> Result<Vec<(String, String)>, PlotError> {
        let of: Vec<&Figures> = results.iter().filter(|figures| figures.trace == self.trace).collect();
        let over_time = match &self.played {
            Some((name, points)) => plots::over_time(name, points)?,
            None => String::new(),
        };
        let violations = violations::draw(self, &of)?;
        let all = [
            ("load", "Replicas needed and serving over time", over_time),
            ("violations", "Cost against violations", violations),
        ];
        let drawn = all.into_iter().filter(|(.., svg)| !svg.is_empty());
        let named = |(what, shows, svg): (&str, &str, String)| {
            (format!("{what}-{}", self.trace), plots::titled(&svg, &format!("{shows}: {}", self.trace)))
        };
        Ok(drawn.map(named).collect())
    }
}

impl Report {
    /// The results as CSV with a header.
    pub fn csv(&self) -> Result<String, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        for figures in &self.results {
            writer.serialize(figures)?;
        }
        let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The whole report as one page that needs nothing else.
    pub fn html(&self, plotted: &[Plotted]) -> Result<String, PlotError> {
        page::page(self, plotted)
    }

    /// The plots that are of all traces together, by name: what each costs and misses, how often its count changes, what
    /// one setting for all is worth, what delay and disturbances do, and what choosing the type is worth. Those that have
    /// nothing to show are left out.
    pub fn plots(&self) -> Result<Vec<(&'static str, String)>, PlotError> {
        let all = [
            ("cost-by-trace", "Cost over the clairvoyant oracle's, by trace", costs::cost(self)?),
            ("changes-by-trace", "Changes of the count a day, by trace", costs::changes(self)?),
            (
                "missed-by-trace",
                "Requests over the target, by trace: the policy and target tracking",
                missed::beside_tracking(self)?,
            ),
            (
                "missed-after-two-days",
                "Requests over the target in all and after two days, by trace",
                missed::after_two_days(self)?,
            ),
            (
                "one-setting",
                "Cost of the cheapest single setting by the number of traces that it holds, beside the policy",
                costs::one_setting(self)?,
            ),
            (
                "missed-disturbed",
                "Requests over the target under other conditions, by trace",
                missed::disturbed(self)?,
            ),
            (
                "cost-of-delay",
                "Cost over the clairvoyant oracle's, by metrics and queue, for each trace",
                costs::delays(self)?,
            ),
            (
                "type-choice",
                "Cost with the choice of the type over that on one type, by memory and size of the load",
                choice::types(self)?,
            ),
            (
                "type-growing",
                "Cost over the clairvoyant choice of the type, of a service that grows 40-fold",
                choice::growing(self)?,
            ),
        ];
        let drawn = all.into_iter().filter(|(.., svg)| !svg.is_empty());
        Ok(drawn.map(|(name, shows, svg)| (name, plots::titled(&svg, shows))).collect())
    }

    /// When it was simulated, and by which commit, in words.
    pub fn held(&self) -> String {
        let commit = self.commit.as_ref().map_or_else(String::new, |commit| format!(", commit {commit}"));
        format!("Simulated at {}{commit}", self.simulated_at)
    }

    /// Whether the clairvoyant oracle took part: without it there are no costs over its.
    pub fn has_oracle(&self) -> bool {
        let name = Contender::Oracle.name();
        self.results.iter().any(|one| one.policy == name)
    }

    /// The traces that plots have rows of: those that count in medians, or all where none does.
    fn drawn(&self) -> Vec<&Source> {
        let long = |source: &&Source| !ranking::is_brief(source.days);
        let found: Vec<&Source> = self.traces.iter().filter(long).collect();
        if found.is_empty() { self.traces.iter().collect() } else { found }
    }

    /// Cost over the oracle's, where the oracle took part.
    pub fn over_oracle(&self, figures: &Figures) -> Option<f64> {
        ranking::over_oracle(&self.results, figures)
    }

    /// How everybody did over all traces; and, where some were held out of the tuning, over those that were not and those
    /// that were.
    pub fn standings(&self) -> Vec<(&'static str, Vec<Standing>)> {
        let held_out =
            |trace: &str| self.traces.iter().any(|source| source.held_out && source.trace == trace);
        let mut all = vec![("all traces", ranking::standings(&self.results, |_| true))];
        if self.traces.iter().any(|source| source.held_out) {
            all.push(("tuned on", ranking::standings(&self.results, |trace| !held_out(trace))));
            all.push(("held out", ranking::standings(&self.results, held_out)));
        }
        all.retain(|(_, standings)| standings.iter().any(|one| one.traces > 0));
        all
    }
}
