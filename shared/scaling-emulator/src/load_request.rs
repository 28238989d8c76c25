//! Workloads as JSON: in `POST /_emulator/workload` and in scenarios.

use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::fleet::BootModel;
use scaling_fleet::load::{Load, WeekProfile};
use scaling_fleet::service::ServiceModel;
use serde::{Deserialize, Serialize};

use crate::workload::Workload;

/// A workload as JSON.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadRequest {
    /// The group; it may be made later.
    pub group: String,
    /// Requests per second over time.
    pub load: LoadRequest,
    /// The service, the demo's when absent.
    pub service: Option<ServiceModel>,
    /// Shortest and longest boot in seconds.
    pub boot_seconds: Option<(f64, f64)>,
    /// Of arrivals and boots.
    pub seed: Option<u64>,
    /// 95th percentile in seconds.
    pub latency_target: Option<f64>,
}

/// Requests per second over time.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadRequest {
    /// The same rate for ever.
    Constant(f64),
    /// Rates at the start of each step of so many seconds, from now.
    Rates {
        /// Seconds.
        step: f64,
        /// Requests per second.
        rates: Vec<f64>,
    },
    /// The shipped week, from now.
    Week {
        /// Requests per second of a working day, in the mean and without bursts.
        mean_rate: f64,
        /// Of the week's noise.
        seed: u64,
    },
}

impl WorkloadRequest {
    /// The workload that begins at `now`.
    ///
    /// # Errors
    /// What cannot be, for people.
    pub fn workload(&self, now: Timestamp) -> Result<Workload, &'static str> {
        let service = self.service.clone().unwrap_or_else(ServiceModel::demo);
        let mut made = Workload::new(self.load.load(now)?, service);
        if let Some((shortest, longest)) = self.boot_seconds {
            let seconds = (Duration::try_from_secs_f64(shortest), Duration::try_from_secs_f64(longest));
            let (Ok(shortest), Ok(longest)) = seconds else {
                return Err("`boot_seconds` must be two numbers of at least 0");
            };
            made.boot = BootModel { shortest, longest };
        }
        made.seed = self.seed.unwrap_or(made.seed);
        made.latency_target = self.latency_target.unwrap_or(made.latency_target);
        Ok(made)
    }
}

impl LoadRequest {
    fn load(&self, now: Timestamp) -> Result<Load, &'static str> {
        let usable = |rate: &f64| rate.is_finite() && *rate >= 0.0;
        match self {
            Self::Constant(rate) if usable(rate) => Ok(Load::constant(now, *rate)),
            Self::Rates { step, rates } if *step > 0.0 && rates.iter().all(usable) => {
                match Duration::try_from_secs_f64(*step) {
                    Ok(step) if !step.is_zero() => Ok(Load::new(now, step, rates.clone())),
                    _ => Err("`step` must be seconds above 0"),
                }
            }
            Self::Week { mean_rate, seed } if usable(mean_rate) => {
                Ok(WeekProfile { mean_rate: *mean_rate, seed: *seed }.draw(now))
            }
            _ => Err("rates must be numbers of at least 0, `step` above 0"),
        }
    }
}
