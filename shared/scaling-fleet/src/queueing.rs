//! Textbook queueing formulas: the M/M/c station that both the simulated fleet and the policy's sizing use.
//!
//! Steady state only: they hold for a utilisation under 1 and say nothing about a transient.
//! Source: any queueing text, for example Kleinrock, *Queueing Systems* I, chapter 3; the recursion for
//! Erlang B is the standard stable form `B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1))`.

/// A response time beyond this, in units of the mean service time, is taken as infinite.
const LONGEST: f64 = 1e9;

/// Probability that a request finds all `servers` busy and has to wait (Erlang C).
///
/// `offered` is arrival rate times mean service time, in busy servers. At or above `servers` the answer is 1.
pub fn erlang_c(servers: u32, offered: f64) -> f64 {
    if offered >= f64::from(servers) {
        return 1.0;
    }
    let blocking = (1..=servers).fold(1.0, |b, k| offered * b / (f64::from(k) + offered * b));
    let utilisation = offered / f64::from(servers);
    blocking / (1.0 - utilisation * (1.0 - blocking))
}

/// Mean time a request waits before service, in units of the mean service time. Infinite at or above
/// utilisation 1.
pub fn mean_wait(servers: u32, offered: f64) -> f64 {
    let free = f64::from(servers) - offered;
    if free <= 0.0 { f64::INFINITY } else { erlang_c(servers, offered) / free }
}

/// The response time of a station at one load: what [`response_exceeds`] and [`response_quantile`] have in common is
/// worked out once. Response time is waiting plus service, first come first served, exponential service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ResponseTime {
    wait: f64,
    gap: f64,
}

impl ResponseTime {
    /// The station at that offered load, in busy servers; `None` at or above utilisation 1.
    pub fn of(servers: u32, offered: f64) -> Option<Self> {
        let free = f64::from(servers) - offered;
        (free > 0.0).then(|| Self { wait: erlang_c(servers, offered), gap: free - 1.0 })
    }

    /// Probability that the response time exceeds `time`, in units of the mean service time.
    pub fn exceeds(self, time: f64) -> f64 {
        // The general form divides by `gap`; near zero its limit is `wait * time`.
        let waited = if self.gap.abs() < 1e-9 {
            self.wait * time
        } else {
            self.wait * (1.0 - (-self.gap * time).exp()) / self.gap
        };
        ((-time).exp() * (1.0 + waited)).clamp(0.0, 1.0)
    }

    /// The `quantile` (0 to 1, exclusive), in units of the mean service time.
    ///
    /// By Newton's method on the logarithm of the tail, which is almost a straight line, from the quantile of the service
    /// alone, which is never above it. Simulations ask for it at every step.
    pub fn quantile(self, quantile: f64) -> f64 {
        /// A step so small, relative to the value, was the last: the error left is about its square.
        const LAST_STEP: f64 = 1e-6;
        const MOST_STEPS: u32 = 100;
        let tail = 1.0 - quantile;
        let goal = tail.ln();
        let (mut low, mut high) = (-goal, f64::INFINITY);
        let mut at = low;
        for _ in 0..MOST_STEPS {
            let exceeds = self.exceeds(at);
            if exceeds > tail {
                low = at;
            } else {
                high = at;
            }
            let slope = self.wait * (-(1.0 + self.gap) * at).exp() / exceeds - 1.0;
            let newton = at - (exceeds.ln() - goal) / slope;
            if (newton - at).abs() <= LAST_STEP * at {
                return newton;
            }
            at = match (newton > low && newton < high, high.is_finite()) {
                (true, _) => newton,
                (false, true) => 0.5 * (low + high),
                (false, false) => 2.0 * at,
            };
            if at > LONGEST {
                return f64::INFINITY;
            }
        }
        at
    }
}

/// Probability that the response time exceeds `time`, both in units of the mean service time. 1 at or above
/// utilisation 1.
pub fn response_exceeds(servers: u32, offered: f64, time: f64) -> f64 {
    ResponseTime::of(servers, offered).map_or(1.0, |response| response.exceeds(time))
}

/// The `quantile` (0 to 1, exclusive) of the response time, in units of the mean service time.
/// Infinite at or above utilisation 1.
pub fn response_quantile(servers: u32, offered: f64, quantile: f64) -> f64 {
    ResponseTime::of(servers, offered).map_or(f64::INFINITY, |response| response.quantile(quantile))
}

/// The largest utilisation (0 to 1) at which the `quantile` of the response time is still at most `target`, in
/// units of the mean service time. 0 when even an idle station is slower.
pub fn usable_utilisation(servers: u32, quantile: f64, target: f64) -> f64 {
    let tail = 1.0 - quantile;
    if response_exceeds(servers, 0.0, target) > tail {
        return 0.0;
    }
    bisect(0.0, 1.0, |utilisation| {
        response_exceeds(servers, utilisation * f64::from(servers), target) <= tail
    })
}

/// The boundary in `[low, high]` below which `below` holds, to about 1e-9 of the width.
fn bisect(mut low: f64, mut high: f64, below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..32 {
        let middle = 0.5 * (low + high);
        if below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(actual: f64, expected: f64, tolerance: f64) {
        assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected} within {tolerance}");
    }

    #[test]
    fn one_server_waits_with_probability_of_its_utilisation() {
        for utilisation in [0.1, 0.5, 0.9] {
            near(erlang_c(1, utilisation), utilisation, 1e-12);
            near(mean_wait(1, utilisation), utilisation / (1.0 - utilisation), 1e-9);
        }
    }

    #[test]
    fn two_servers_match_the_closed_form() {
        // C(2, a) = a^2 / (2 + a)
        for offered in [0.2, 1.0, 1.8] {
            near(erlang_c(2, offered), offered * offered / (2.0 + offered), 1e-12);
        }
    }

    #[test]
    fn one_server_answers_exponentially() {
        // M/M/1: response time is exponential with rate 1 - rho.
        near(response_quantile(1, 0.5, 0.95), -(0.05_f64.ln()) / 0.5, 1e-6);
    }

    #[test]
    fn a_quantile_is_exceeded_as_often_as_it_says() {
        for servers in [1, 2, 3, 8, 64] {
            for percent in 0..100 {
                let response =
                    ResponseTime::of(servers, f64::from(percent) / 100.0 * f64::from(servers)).unwrap();
                for quantile in [0.01, 0.5, 0.95, 0.999] {
                    let exceeds = response.exceeds(response.quantile(quantile));
                    near(exceeds / (1.0 - quantile), 1.0, 1e-9);
                }
            }
        }
        assert!(ResponseTime::of(4, 4.0 - 1e-12).unwrap().quantile(0.95).is_infinite());
    }

    #[test]
    fn usable_cpu_for_a_p95_of_five_service_times_grows_with_the_size() {
        // 50 ms mean, 250 ms target: 2, 4, 8 and 16 vCPU.
        for (servers, expected) in [(2, 0.657), (4, 0.815), (8, 0.901), (16, 0.949)] {
            near(usable_utilisation(servers, 0.95, 5.0), expected, 0.002);
        }
    }

    #[test]
    fn overload_has_no_finite_answer() {
        near(erlang_c(4, 4.0), 1.0, 0.0);
        assert!(mean_wait(4, 5.0).is_infinite());
        assert!(response_quantile(4, 4.0, 0.95).is_infinite());
    }

    #[test]
    fn a_target_below_the_service_itself_leaves_nothing_usable() {
        near(usable_utilisation(4, 0.95, 2.0), 0.0, 0.0);
    }
}
