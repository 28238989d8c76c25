//! What is shown of a competition: JSON, CSV, and one HTML page with its plots inside.

mod page;
mod plots;

pub use plots::PlotError;

use serde::Serialize;

use crate::competition::{Contender, Course};
use crate::figures::Figures;
use crate::rivals::Rival;
use crate::trace::Trace;

/// A trace as the report names it.
#[derive(Debug, Clone, Serialize)]
pub struct Source {
    /// Name.
    pub trace: String,
    /// SHA-256 of the file.
    pub sha256: String,
    /// Length, in days.
    pub days: f64,
    /// What had to be put right.
    pub repairs: Vec<String>,
}

impl Source {
    /// What the report says of a trace.
    pub fn of(trace: &Trace) -> Self {
        Self {
            trace: trace.name.clone(),
            sha256: trace.sha256.clone(),
            days: trace.length().as_secs_f64() / 86_400.0,
            repairs: trace.repairs.iter().map(ToString::to_string).collect(),
        }
    }
}

/// A competition with its results.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// When it was held, and of which commit, in words.
    pub held: String,
    /// Under which conditions, in words.
    pub conditions: String,
    /// The traces.
    pub traces: Vec<Source>,
    /// The results, trace by trace.
    pub results: Vec<Figures>,
}

/// What the plots of one trace need besides the results.
#[derive(Debug, Clone)]
pub struct Plotted {
    /// The trace.
    pub trace: String,
    /// Demand and capacity of the first policy that is a single play.
    pub points: Vec<crate::play::Point>,
    /// Rivals at all their settings.
    pub sweeps: Vec<(Rival, Vec<Figures>)>,
}

impl Plotted {
    /// Plays what the plots of a course need.
    pub fn of(course: &Course) -> Self {
        let sweeps = [Rival::TargetTracking, Rival::Hpa].map(|rival| (rival, course.sweep(rival)));
        Self {
            trace: course.world.name.clone(),
            points: course.points(Contender::Hybrid),
            sweeps: sweeps.into(),
        }
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

    /// Cost over the oracle's, where the oracle took part.
    pub fn over_oracle(&self, figures: &Figures) -> Option<f64> {
        let oracle = self
            .results
            .iter()
            .find(|other| other.trace == figures.trace && other.policy == Contender::Oracle.name())?;
        Some(figures.cost_usd / oracle.cost_usd)
    }

    /// The policies in the order in which they stand in the results.
    pub fn policies(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for figures in &self.results {
            if !names.contains(&figures.policy.as_str()) {
                names.push(&figures.policy);
            }
        }
        names
    }

    /// Median of a policy's cost over the oracle's, on how many traces it held the target, and of how many. Traces
    /// shorter than a day say little of a policy that learns and are left out, unless there are no others.
    pub fn summary(&self, policy: &str) -> (Option<f64>, usize, usize) {
        let long = self.traces.iter().filter(|source| source.days >= LEAST_DAYS).count();
        let counts = |figures: &Figures| long == 0 || figures.days >= LEAST_DAYS;
        let of: Vec<&Figures> =
            self.results.iter().filter(|figures| figures.policy == policy && counts(figures)).collect();
        let mut ratios: Vec<f64> = of.iter().filter_map(|figures| self.over_oracle(figures)).collect();
        ratios.sort_by(f64::total_cmp);
        let held = of.iter().filter(|figures| figures.holds()).count();
        let traces = if long == 0 { self.traces.len() } else { long };
        (ratios.get(ratios.len() / 2).copied(), held, traces)
    }
}

/// Traces shorter than this are left out of medians, in days.
const LEAST_DAYS: f64 = 0.99;
