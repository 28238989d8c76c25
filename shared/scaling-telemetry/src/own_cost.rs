//! What the controller itself costs. Reading metrics is nearly all of it: GetMetricData is paid for by the metric, each
//! time it is read. Beside it a function that runs a fraction of a second a minute, and a few table writes, come to
//! cents a month.

use scaling_policy::config::{GroupConfig, Platform};

/// GetMetricData: 0.01 USD per 1,000 metrics requested, in every region where it is sold for that.
pub const USD_PER_METRIC_READ: f64 = 0.01 / 1000.0;

/// A custom metric of CloudWatch for a month, in USD: the price of the first 10,000.
pub const USD_PER_CUSTOM_METRIC: f64 = 0.30;

/// A month as price lists count it: 730 hours, in seconds.
pub const SECONDS_PER_MONTH: f64 = 730.0 * 3600.0;

/// What reading the metrics of every evaluation of a group costs in a month, in USD. Programs cost nothing to ask.
pub fn of_group(group: &GroupConfig) -> f64 {
    if group.platform != Platform::Aws {
        return 0.0;
    }
    let bound = group.triggers.iter().filter(|(_, trigger)| trigger.binding.is_some()).count();
    bound as f64 * SECONDS_PER_MONTH / group.evaluation_period.as_secs_f64() * USD_PER_METRIC_READ
}

#[cfg(test)]
mod tests {
    use scaling_policy::config::{Config, Layers};
    use serde_json::{Value, json};

    use super::*;

    fn cost(file: &Value) -> f64 {
        let config = Config::parse(file.to_string().as_bytes(), &Layers::none()).unwrap().config;
        config.groups.iter().map(|group| of_group(group)).sum()
    }

    #[test]
    fn every_bound_metric_is_paid_for_at_every_evaluation() {
        // CPU and memory, once a minute: 2 x 43,800 metrics a month.
        let one = cost(&json!({"mode": "hybrid", "group": "web"}));
        assert!((one - 0.876).abs() < 1e-9, "{one}");
        let slower = cost(&json!({"mode": "hybrid", "group": "web", "triggers": {"evaluation_period": 120}}));
        assert!((slower - 0.438).abs() < 1e-9, "{slower}");
    }
}
