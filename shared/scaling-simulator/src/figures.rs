//! What is measured of a play. Each figure's source stands beside it; the sources are
//!
//! - **SPEC**: the elasticity metrics of the SPEC Research Group (Herbst et al., *Quantifying cloud performance and
//!   dependability*, ACM TOMPECS 3(4), 2018), in percent, the accuracies relative to demand. Demand is the fewest replicas
//!   of the first type that hold the latency target in an interval, supply is what serves then: booting is no supply.
//! - **Autopilot**: Rzadca et al., *Autopilot: workload autoscaling at Google*, EuroSys 2020.
//! - **Control**: Hellerstein et al., *Feedback Control of Computing Systems*, 2004.
//! - **Service level**: what an owner is promised, counted by requests and by time. The share of requests "over" is that
//!   of requests in intervals whose 95th percentile is over the target, not of single requests: even a fleet without any
//!   queue has some of those.
//! - **Arithmetic**: a plain sum, count or quotient, which needs no source; where it counts something of ours, the
//!   definition stands beside it.

mod recovery;

use serde::Serialize;

use crate::STEP_SECONDS;
use crate::group::Interval;
use recovery::Recovery;

/// Two changes in opposite directions within this time are a reversal, in seconds.
const REVERSAL: u64 = 600;

/// Figures of one policy over one trace.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Figures {
    /// Trace.
    pub trace: String,
    /// Policy.
    pub policy: String,
    /// Its setting, where it has one.
    pub setting: Option<f64>,
    /// Length, in days. Arithmetic.
    pub days: f64,
    /// Money spent, in USD: every instance from its launch to its end, booting and surplus of a type change included, at
    /// the price of its type by the hour. Arithmetic.
    pub cost_usd: f64,
    /// Hours of instances, booting included. Arithmetic.
    pub instance_hours: f64,
    /// Time in intervals over the target, in minutes. Service level.
    pub violation_minutes: f64,
    /// The same a day. Arithmetic.
    pub violation_minutes_a_day: f64,
    /// Share of the requests that arrived in intervals over the target (psi), 0 to 1. Service level.
    pub violation_requests_share: f64,
    /// The same after the first two days; `None` where it did not last longer. Service level.
    pub violation_share_after_two_days: Option<f64>,
    /// The longest time over the target without a pause, in minutes. Service level.
    pub longest_violation_minutes: f64,
    /// Flash crowds: the load at least doubles within five minutes (see the module `recovery`). Arithmetic.
    pub flash_crowds: u32,
    /// Mean time from a flash crowd's begin to the last interval over the target before a quiet minute, in minutes; 0
    /// where the target held throughout. Control: the settling time after a step.
    pub recovery_minutes: f64,
    /// The longest of these times, in minutes. Control.
    pub longest_recovery_minutes: f64,
    /// Share of the requests given up after the time-out. Service level.
    pub timed_out_share: f64,
    /// Mean share of the serving capacity that was not needed, 0 to 1. Autopilot: the slack, there of limits over usage.
    pub slack: f64,
    /// Under-provisioning accuracy, in percent. SPEC.
    pub under_accuracy: f64,
    /// Over-provisioning accuracy, in percent. SPEC.
    pub over_accuracy: f64,
    /// Under-provisioning timeshare, in percent. SPEC.
    pub under_timeshare: f64,
    /// Over-provisioning timeshare, in percent. SPEC.
    pub over_timeshare: f64,
    /// Instability, in percent: how often supply does not move as demand does. SPEC; taken over minutes, because a demand
    /// of 15 s moves in most of them by chance.
    pub instability: f64,
    /// Changes of the desired capacity. Control.
    pub operations: u32,
    /// The same a day. Arithmetic.
    pub operations_a_day: f64,
    /// Changes that undid one of the last ten minutes. Control: oscillation.
    pub reversals: u32,
    /// The same a day. Arithmetic.
    pub reversals_a_day: f64,
    /// Changes of the type that replicas are launched with. Arithmetic.
    pub type_changes: u32,
    /// The types it ran on with their shares of the instance hours, the largest first, in words. Arithmetic.
    pub types: String,
    /// Requests that arrived. Arithmetic.
    pub requests: f64,
}

impl Figures {
    /// Whether at most half a percent of the requests arrived in intervals over the target.
    pub fn holds(&self) -> bool {
        self.violation_requests_share <= HELD
    }
}

/// Types with their shares of the hours, the largest first.
pub(crate) fn types_in_words<'a>(hours: impl Iterator<Item = (&'a str, f64)>) -> String {
    let mut used: Vec<(&str, f64)> = hours.filter(|(_, hours)| *hours > 0.0).collect();
    used.sort_by(|a, b| b.1.total_cmp(&a.1));
    let all: f64 = used.iter().map(|(_, hours)| hours).sum();
    let said = |(name, hours): &(&str, f64)| match hours / all {
        share if share >= 1.0 => (*name).to_owned(),
        share => format!("{name} {:.0} %", share * 100.0),
    };
    used.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// The share of requests over the target up to which it counts as held.
pub const HELD: f64 = 0.005;

/// Adds a play up.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    figures: Figures,
    target: f64,
    steps: u64,
    over: f64,
    over_later: f64,
    later: f64,
    timed_out: f64,
    run: u64,
    longest: u64,
    under: f64,
    surplus: f64,
    under_steps: u64,
    surplus_steps: u64,
    slack: f64,
    last_minute: Option<(u32, u32)>,
    minutes: u64,
    unstable: u64,
    last_change: Option<(u64, bool)>,
    recovery: Recovery,
}

impl Meter {
    /// A meter for intervals that are over at `target` seconds.
    pub fn new(target: f64) -> Self {
        Self { target, ..Self::default() }
    }

    /// Takes an interval in: what was needed, and what was.
    pub fn add(&mut self, needed: u32, interval: &Interval) {
        let requests = interval.requests;
        self.steps += 1;
        self.figures.requests += requests;
        self.figures.cost_usd += interval.cost_usd;
        self.figures.instance_hours += f64::from(interval.instances) * f64::from(STEP_SECONDS) / 3600.0;
        self.timed_out += interval.served.timed_out;
        let later = self.steps * u64::from(STEP_SECONDS) > 2 * 86_400;
        self.later += if later { requests } else { 0.0 };
        let over = interval.is_over(self.target);
        self.recovery.add(needed, over);
        if over {
            self.over += requests;
            self.over_later += if later { requests } else { 0.0 };
            self.figures.violation_minutes += f64::from(STEP_SECONDS) / 60.0;
            self.run += 1;
            self.longest = self.longest.max(self.run);
        } else {
            self.run = 0;
        }
        self.provision(needed, interval.serving);
    }

    fn provision(&mut self, needed: u32, serving: u32) {
        let (demand, supply) = (f64::from(needed.max(1)), f64::from(serving));
        self.under += (demand - supply).max(0.0) / demand;
        self.surplus += (supply - demand).max(0.0) / demand;
        self.under_steps += u64::from(supply < demand);
        self.surplus_steps += u64::from(supply > demand);
        self.slack += if supply > 0.0 { (1.0 - demand / supply).max(0.0) } else { 0.0 };
        if self.steps.is_multiple_of(4) {
            if let Some((needed_before, serving_before)) = self.last_minute {
                self.minutes += 1;
                self.unstable += u64::from(needed.cmp(&needed_before) != serving.cmp(&serving_before));
            }
            self.last_minute = Some((needed, serving));
        }
    }

    /// Notes a change of the desired capacity.
    pub fn change(&mut self, now: u64, up: bool) {
        self.figures.operations += 1;
        if self.last_change.is_some_and(|(at, last_up)| last_up != up && now - at <= REVERSAL) {
            self.figures.reversals += 1;
        }
        self.last_change = Some((now, up));
    }

    /// Notes a change of the type.
    pub fn retype(&mut self) {
        self.figures.type_changes += 1;
    }

    /// The figures.
    pub fn finish(self, trace: &str, policy: &str, setting: Option<f64>) -> Figures {
        let steps = (self.steps as f64).max(1.0);
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let percent = |sum: f64| 100.0 * sum / steps;
        let days = steps * f64::from(STEP_SECONDS) / 86_400.0;
        let recovered = self.recovery.finish();
        Figures {
            trace: trace.to_owned(),
            policy: policy.to_owned(),
            setting,
            days,
            violation_minutes_a_day: self.figures.violation_minutes / days,
            operations_a_day: f64::from(self.figures.operations) / days,
            reversals_a_day: f64::from(self.figures.reversals) / days,
            flash_crowds: recovered.crowds,
            recovery_minutes: recovered.mean,
            longest_recovery_minutes: recovered.longest,
            violation_requests_share: share(self.over, self.figures.requests),
            violation_share_after_two_days: (self.later > 0.0).then(|| self.over_later / self.later),
            longest_violation_minutes: self.longest as f64 * f64::from(STEP_SECONDS) / 60.0,
            timed_out_share: share(self.timed_out, self.figures.requests),
            slack: self.slack / steps,
            under_accuracy: percent(self.under),
            over_accuracy: percent(self.surplus),
            under_timeshare: percent(self.under_steps as f64),
            over_timeshare: percent(self.surplus_steps as f64),
            instability: 100.0 * share(self.unstable as f64, self.minutes as f64),
            ..self.figures
        }
    }
}

#[cfg(test)]
mod tests {
    use scaling_fleet::station::Served;

    use super::*;

    fn interval(serving: u32, p95: f64) -> Interval {
        let served = Served { latency_p95: Some(p95), ..Served::default() };
        Interval { requests: 10.0, served, serving, cost_usd: 1.0, instances: serving }
    }

    #[test]
    fn the_hand_check_of_the_elasticity_metrics() {
        // Demand 4 4 8 8, supply 4 6 6 8.
        let mut meter = Meter::new(0.25);
        for (needed, serving) in [(4, 4), (4, 6), (8, 6), (8, 8)] {
            meter.add(needed, &interval(serving, 0.2));
        }
        let figures = meter.finish("t", "p", None);
        assert_eq!((figures.under_accuracy, figures.over_accuracy), (6.25, 12.5));
        assert_eq!((figures.under_timeshare, figures.over_timeshare), (25.0, 25.0));
    }

    #[test]
    fn instability_is_the_share_of_minutes_in_which_supply_does_not_follow_demand() {
        let mut meter = Meter::new(0.25);
        for (needed, serving) in [(4, 4), (4, 6), (8, 6), (8, 8)] {
            (0..4).for_each(|_| meter.add(needed, &interval(serving, 0.2)));
        }
        assert_eq!(meter.finish("t", "p", None).instability, 100.0);
    }

    #[test]
    fn requests_in_intervals_over_the_target_are_counted_whole() {
        let mut meter = Meter::new(0.25);
        for p95 in [0.2, 0.3, 0.3, 0.2] {
            meter.add(4, &interval(4, p95));
        }
        let figures = meter.finish("t", "p", None);
        assert_eq!((figures.violation_requests_share, figures.violation_minutes), (0.5, 0.5));
        assert_eq!(figures.longest_violation_minutes, 0.5);
    }

    #[test]
    fn a_change_back_within_ten_minutes_is_a_reversal() {
        let mut meter = Meter::new(0.25);
        for (now, up) in [(0, true), (300, true), (600, false), (2000, true)] {
            meter.change(now, up);
        }
        let figures = meter.finish("t", "p", None);
        assert_eq!((figures.operations, figures.reversals), (4, 1));
    }

    #[test]
    fn what_came_after_two_days_is_nothing_where_there_was_none() {
        let played = |minutes: u32| {
            let mut meter = Meter::new(0.25);
            (0..minutes * 4)
                .for_each(|step| meter.add(4, &interval(4, if step >= 2880 * 4 { 0.3 } else { 0.2 })));
            meter.finish("t", "p", None).violation_share_after_two_days
        };
        assert_eq!((played(58), played(2880), played(2890)), (None, None, Some(1.0)));
    }

    #[test]
    fn the_types_are_named_with_their_shares_where_there_are_more() {
        let said = |hours: &[(&'static str, f64)]| types_in_words(hours.iter().copied());
        assert_eq!(said(&[("a", 3.0), ("b", 0.0)]), "a");
        assert_eq!(said(&[("a", 1.0), ("b", 3.0)]), "b 75 %, a 25 %");
        assert_eq!(said(&[]), "");
    }

    #[test]
    fn every_figure_names_its_source() {
        let figures = include_str!("figures.rs").split("pub struct Figures {").nth(1).unwrap();
        let figures = figures.split("\n}").next().unwrap();
        let sources = ["SPEC", "Autopilot", "Control", "Service level", "Arithmetic"];
        let mut documented = String::new();
        let mut named = 0;
        for line in figures.lines().map(str::trim) {
            if let Some(field) = line.strip_prefix("pub ").and_then(|line| line.split(':').next()) {
                let says_what_was_played = ["trace", "policy", "setting"].contains(&field);
                let is_named = sources.iter().any(|source| documented.contains(source));
                assert!(says_what_was_played || is_named, "{field}:{documented}");
                named += usize::from(is_named);
                documented.clear();
            } else {
                documented.push_str(line);
            }
        }
        assert_eq!(named, 25);
    }
}
