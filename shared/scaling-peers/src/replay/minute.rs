//! One minute as metrics would show it.

use jiff::Timestamp;
use scaling_fleet::fleet::Interval;

/// A complete minute of a replayed group, as its metrics would show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
    /// When it ended.
    pub ended: Timestamp,
    /// Requests that arrived.
    pub requests: f64,
    /// Mean CPU utilisation of the instances that served, 0 to 1; `None` when none did.
    pub cpu: Option<f64>,
    /// Mean memory utilisation of the instances that served, 0 to 1; `None` when none did.
    pub memory: Option<f64>,
    /// 95th percentile of the response time over all requests, in seconds; `None` without requests.
    pub latency_p95: Option<f64>,
}

impl Minute {
    /// Summarises intervals of equal length.
    pub(super) fn of(ended: Timestamp, intervals: &[Interval]) -> Self {
        let mean = |value: fn(&Interval) -> Option<f64>| {
            let known: Vec<f64> = intervals.iter().filter_map(value).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        Self {
            ended,
            requests: intervals.iter().map(|interval| interval.requests).sum(),
            cpu: mean(|interval| interval.cpu),
            memory: mean(|interval| interval.memory),
            latency_p95: latency_p95(intervals),
        }
    }
}

/// The 95th percentile of all requests together. Each interval is taken as a Weibull distribution through its
/// median and 95th percentile, which is exact for the exponential response times of one server.
fn latency_p95(intervals: &[Interval]) -> Option<f64> {
    let parts: Vec<(f64, f64, f64)> = intervals
        .iter()
        .filter(|interval| interval.requests > 0.0)
        .filter_map(|interval| {
            let (p50, p95) = (interval.latency_p50?.max(1e-9), interval.latency_p95?);
            // Equal quantiles (all requests at the time-out) would need an infinite shape.
            let spread = (p95 / p50).ln().max(0.015);
            let shape = (EXPONENT_P95 / std::f64::consts::LN_2).ln() / spread;
            Some((interval.requests, p95 / EXPONENT_P95.powf(1.0 / shape), shape))
        })
        .collect();
    let requests: f64 = parts.iter().map(|(requests, ..)| requests).sum();
    let (mut low, mut high) = (0.0, parts.iter().map(|(_, scale, _)| scale * 100.0).fold(0.0, f64::max));
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        let above: f64 =
            parts.iter().map(|(count, scale, shape)| count * (-(middle / scale).powf(*shape)).exp()).sum();
        if above > 0.05 * requests { low = middle } else { high = middle }
    }
    (requests > 0.0).then_some(f64::midpoint(low, high))
}

/// -ln(1 - 0.95).
const EXPONENT_P95: f64 = 2.995_732_273_553_991;

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(requests: f64, p50: f64, p95: f64) -> Interval {
        Interval { requests, latency_p50: Some(p50), latency_p95: Some(p95), ..Interval::default() }
    }

    #[test]
    fn equal_intervals_make_a_minute_like_each_of_them() {
        let minute = Minute::of(
            Timestamp::UNIX_EPOCH,
            &std::array::from_fn::<_, 4, _>(|_| interval(10.0, 0.04, 0.16)),
        );
        assert!((minute.latency_p95.unwrap() - 0.16).abs() < 1e-6, "{minute:?}");
    }

    #[test]
    fn one_interval_of_overload_shows_in_the_minute() {
        let calm = interval(10.0, 0.04, 0.16);
        let minute =
            Minute::of(Timestamp::UNIX_EPOCH, &[calm.clone(), calm.clone(), calm, interval(10.0, 9.0, 10.0)]);
        assert!(minute.latency_p95.unwrap() > 8.0, "{minute:?}");
    }

    #[test]
    fn a_minute_without_requests_has_no_latency() {
        let minute = Minute::of(Timestamp::UNIX_EPOCH, &[Interval::default()]);
        assert_eq!((minute.latency_p95, minute.cpu), (None, None));
    }
}
