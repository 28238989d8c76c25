//! Response times of a minute from the quantiles of its steps.
//!
//! A step is known by its median and 95th percentile. Between and beyond them a Weibull distribution is taken,
//! which is exact for the exponential response times of a single server, and close for the others. A minute is
//! the mixture of its steps, weighted by requests: one step of overload must show in the minute's tail.

use super::minutes::Latency;

/// -ln(1 - q) of the median and of the 95th percentile.
const EXPONENTS: (f64, f64) = (std::f64::consts::LN_2, 2.995_732_273_553_991);

/// Below this a scale is no scale.
const SHORTEST: f64 = 1e-12;

/// How exactly quantiles are found, relative to their value.
const EXACT: f64 = 1e-6;

/// A step: its requests, and their response times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Part {
    requests: f64,
    /// The logarithm of the scale in seconds: a mixture is searched on the logarithm of time.
    scale: f64,
    shape: f64,
}

impl Part {
    /// A step with requests, its median and 95th percentile in seconds.
    pub(crate) fn new(requests: f64, p50: f64, p95: f64) -> Self {
        let ratio = (p95 / p50.max(1e-9)).max(1.0);
        // Equal quantiles (all requests at the time-out) would need an infinite shape.
        let shape = ((EXPONENTS.1 / EXPONENTS.0).ln() / ratio.ln().max(1e-3)).min(100.0);
        let scale = (p50 / EXPONENTS.0.powf(1.0 / shape)).max(SHORTEST).ln();
        Self { requests, scale, shape }
    }

    fn mean(&self) -> f64 {
        self.scale.exp() * gamma_1p(1.0 / self.shape)
    }
}

/// The response times of all requests of the parts; `None` without requests.
pub(crate) fn mix(parts: &[Part]) -> Option<Latency> {
    let requests: f64 = parts.iter().map(|part| part.requests).sum();
    if requests <= 0.0 {
        return None;
    }
    let quantile = |q: f64| mixed_quantile(parts, requests, q);
    Some(Latency {
        sum: parts.iter().map(|part| part.requests * part.mean()).sum(),
        min: quantile(0.01),
        max: quantile(0.999),
        p50: quantile(0.5),
        p90: quantile(0.9),
        p95: quantile(0.95),
        p99: quantile(0.99),
    })
}

/// By Newton's method on the logarithm of time, where the mixture's tail is almost a straight line; by halving where
/// that would leave the span between the parts' own quantiles.
fn mixed_quantile(parts: &[Part], requests: f64, quantile: f64) -> f64 {
    const MOST_STEPS: u32 = 60;
    let exponent = (-(1.0 - quantile).ln()).ln();
    let each = parts.iter().filter(|part| part.requests > 0.0).map(|part| part.scale + exponent / part.shape);
    let (mut low, mut high) =
        each.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (at.min(low), at.max(high)));
    let mut at = f64::midpoint(low, high);
    for _ in 0..MOST_STEPS {
        if high - low <= EXACT {
            break;
        }
        let (mut above, mut slope) = (-(1.0 - quantile) * requests, 0.0);
        for part in parts {
            let power = (part.shape * (at - part.scale)).exp();
            let slower = part.requests * (-power).exp();
            above += slower;
            slope += slower * power * part.shape;
        }
        if above > 0.0 {
            low = at;
        } else {
            high = at;
        }
        let next = at + above / slope;
        let next = if next > low && next < high { next } else { f64::midpoint(low, high) };
        let moved = (next - at).abs();
        at = next;
        if moved <= EXACT {
            break;
        }
    }
    at.exp()
}

/// The gamma function at `1 + x` for positive `x`, to 5e-5. Abramowitz and Stegun 6.1.35.
fn gamma_1p(x: f64) -> f64 {
    if x > 1.0 {
        return x * gamma_1p(x - 1.0);
    }
    let coefficients = [-0.101_067_8, 0.424_554_9, -0.699_858_8, 0.951_236_3, -0.574_864_6, 1.0];
    coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(actual: f64, expected: f64) {
        assert!((actual / expected - 1.0).abs() < 2e-3, "{actual} is not {expected}");
    }

    #[test]
    fn an_exponential_minute_is_met_exactly() {
        let latency = mix(&[Part::new(10.0, 0.5_f64.ln().abs(), 0.05_f64.ln().abs()); 4]).unwrap();
        near(latency.sum, 40.0);
        near(latency.p50, std::f64::consts::LN_2);
        near(latency.p99, 4.605_17);
    }

    #[test]
    fn one_step_of_overload_shows_in_the_tail_and_not_in_the_median() {
        let calm = Part::new(100.0, 0.04, 0.16);
        let latency = mix(&[calm, calm, calm, Part::new(100.0, 9.0, 10.0)]).unwrap();
        assert!(latency.p95 > 8.0 && latency.p50 < 0.1, "{latency:?}");
    }

    #[test]
    fn as_many_requests_are_slower_than_a_quantile_as_it_says() {
        let parts = [Part::new(10.0, 0.04, 0.1), Part::new(300.0, 0.05, 0.4), Part::new(1.0, 2.0, 9.0)];
        for quantile in [0.01, 0.5, 0.9, 0.99, 0.999] {
            let time = mixed_quantile(&parts, 311.0, quantile);
            let slower: f64 = parts
                .iter()
                .map(|part| part.requests * (-(time / part.scale.exp()).powf(part.shape)).exp())
                .sum();
            near(slower, (1.0 - quantile) * 311.0);
        }
    }

    #[test]
    fn a_minute_without_requests_has_no_latency() {
        assert_eq!(mix(&[]), None);
        assert_eq!(mix(&[Part::new(0.0, 0.0, 0.0)]), None);
    }

    #[test]
    fn a_minute_at_the_time_out_stays_there() {
        near(mix(&[Part::new(5.0, 10.0, 10.0)]).unwrap().p50, 10.0);
    }
}
