//! Who is better: policies in order, over many traces or on one, and how far two orders agree.
//!
//! A policy that holds the target on more traces is better; among equals the one whose median cost over the clairvoyant
//! oracle's is lower. On one trace: who holds the target is better than who does not; among those who do the cheaper one,
//! among those who don't the one who misses less.

use std::cmp::Ordering;
use std::fmt;

use serde::Serialize;

use crate::competition::Contender;
use crate::figures::{Figures, HELD};
use crate::rivals::Rival;
use crate::trace::PROFILE;

/// Traces shorter than this are left out of medians, in days: they say little of a policy that learns.
const LEAST_DAYS: f64 = 0.99;

/// How a policy did over many traces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// Policy.
    pub policy: String,
    /// Traces on which it held the target.
    pub held: usize,
    /// Traces that count.
    pub traces: usize,
    /// Median of its cost over the oracle's; `None` where the oracle took no part.
    pub median_over_oracle: Option<f64>,
}

/// The median of sorted values, the mean of the two in the middle where their number is even. `None` without any.
pub fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = if sorted.len().is_multiple_of(2) { sorted.get(sorted.len() / 2 - 1)? } else { upper };
    Some(f64::midpoint(*lower, *upper))
}

/// Whether a policy knows the future: a bound, and no policy.
pub fn is_bound(policy: &str) -> bool {
    [Contender::Oracle, Contender::NoiseBlind].iter().any(|bound| bound.name() == policy)
}

/// Cost over the oracle's on the same trace, where the oracle took part.
pub fn over_oracle(results: &[Figures], figures: &Figures) -> Option<f64> {
    let name = Contender::Oracle.name();
    let oracle = results.iter().find(|other| other.trace == figures.trace && other.policy == name)?;
    Some(figures.cost_usd / oracle.cost_usd)
}

/// The policies in the order in which they stand in the results.
pub fn policies(results: &[Figures]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for figures in results {
        if !names.contains(&figures.policy.as_str()) {
            names.push(&figures.policy);
        }
    }
    names
}

/// Whether a trace of so many days says too little to count beside longer ones.
pub fn is_brief(days: f64) -> bool {
    days < LEAST_DAYS
}

/// Why a trace is in no median and in no count of traces held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// It is the shipped profile, and there are real ones.
    Drawn,
    /// It is brief, and there are longer ones.
    Brief,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drawn => "is drawn",
            Self::Brief => "is shorter than a day",
        })
    }
}

/// Which of some traces count: brief ones and the shipped profile do only where there are no others.
#[derive(Debug, Clone, Copy)]
pub struct Counting {
    any_real: bool,
    any_long: bool,
}

impl Counting {
    /// Of these traces, by name and length in days.
    pub fn of<'a>(traces: impl Iterator<Item = (&'a str, f64)> + Clone) -> Self {
        let any_real = traces.clone().any(|(name, _)| name != PROFILE);
        let mut of_these = traces.filter(|(name, _)| !any_real || *name != PROFILE);
        Self { any_real, any_long: of_these.any(|(_, days)| !is_brief(days)) }
    }

    /// Why this one of them is left out; `None` where it counts.
    pub fn left_out(self, name: &str, days: f64) -> Option<LeftOut> {
        if self.any_real && name == PROFILE {
            return Some(LeftOut::Drawn);
        }
        (self.any_long && is_brief(days)).then_some(LeftOut::Brief)
    }
}

/// Every policy over the traces that `counts`, in the order of the results. Of all traces those that are left out of medians
/// ([`Counting`]) are never among them.
pub fn standings(results: &[Figures], counts: impl Fn(&str) -> bool) -> Vec<Standing> {
    let counting = Counting::of(results.iter().map(|one| (one.trace.as_str(), one.days)));
    let counted: Vec<&Figures> = results
        .iter()
        .filter(|one| counting.left_out(&one.trace, one.days).is_none() && counts(&one.trace))
        .collect();
    let mut traces: Vec<&str> = counted.iter().map(|figures| figures.trace.as_str()).collect();
    traces.sort_unstable();
    traces.dedup();
    policies(results)
        .into_iter()
        .map(|policy| {
            let of: Vec<&Figures> = counted.iter().copied().filter(|one| one.policy == policy).collect();
            let mut ratios: Vec<f64> = of.iter().filter_map(|one| over_oracle(results, one)).collect();
            ratios.sort_by(f64::total_cmp);
            Standing {
                policy: policy.to_owned(),
                held: of.iter().filter(|one| one.holds()).count(),
                traces: traces.len(),
                median_over_oracle: median(&ratios),
            }
        })
        .collect()
}

/// The cheapest single setting of any rival that holds the target on so many traces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OneSetting {
    /// Traces on which it holds the target: at least so many were asked for.
    pub held: usize,
    /// Rival.
    pub policy: String,
    /// Its setting on all traces.
    pub setting: f64,
    /// Median of its cost over the oracle's.
    pub median_over_oracle: f64,
}

impl fmt::Display for OneSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { held, policy, setting, median_over_oracle } = self;
        let traces = if *held == 1 { "trace" } else { "traces" };
        write!(
            f,
            "One setting for all: {policy} at {setting:.2} holds {held} {traces} at {median_over_oracle:.2} times the oracle's cost"
        )
    }
}

/// For every number of traces, from all of them down to one, the cheapest single setting of a rival that holds the target on
/// as many. `sweeps` are rivals at their settings, `results` has the oracle.
pub fn one_setting_for_all(results: &[Figures], sweeps: &[Figures]) -> Vec<OneSetting> {
    let any_long = sweeps.iter().any(|figures| !is_brief(figures.days));
    let mut groups: Vec<(&str, f64, usize, Vec<f64>)> = Vec::new();
    for one in sweeps.iter().filter(|one| !any_long || !is_brief(one.days)) {
        let (Some(setting), Some(ratio)) = (one.setting, over_oracle(results, one)) else { continue };
        let same = |group: &&mut (&str, f64, usize, Vec<f64>)| {
            group.0 == one.policy && group.1.total_cmp(&setting) == Ordering::Equal
        };
        let held = usize::from(one.holds());
        match groups.iter_mut().find(same) {
            Some((.., count, ratios)) => {
                *count += held;
                ratios.push(ratio);
            }
            None => groups.push((&one.policy, setting, held, vec![ratio])),
        }
    }
    let settings: Vec<OneSetting> = groups
        .into_iter()
        .filter_map(|(policy, setting, held, mut ratios)| {
            ratios.sort_by(f64::total_cmp);
            let median_over_oracle = median(&ratios)?;
            Some(OneSetting { held, policy: policy.to_owned(), setting, median_over_oracle })
        })
        .collect();
    let most = settings.iter().map(|one| one.held).max().unwrap_or(0);
    let cheapest = |held: usize| {
        let able = settings.iter().filter(|one| one.held >= held);
        able.min_by(|a, b| a.median_over_oracle.total_cmp(&b.median_over_oracle)).cloned()
    };
    (1..=most).rev().filter_map(cheapest).collect()
}

/// The hybrid policy beside the references on one trace. Costs are over the clairvoyant oracle's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headline {
    /// Trace.
    pub trace: String,
    /// Cost of the hybrid policy.
    pub hybrid: f64,
    /// Its share of requests over the target.
    pub share: f64,
    /// Cost of target tracking at 50 %, and its share.
    pub tracking: Option<(f64, f64)>,
    /// The cheapest tuned rival, its setting and cost.
    pub best_tuned: Option<(String, f64, f64)>,
    /// Cost of the noise-blind oracle.
    pub noise_blind: Option<f64>,
}

/// One line for each trace on which the hybrid policy and the oracle took part.
pub fn headlines(results: &[Figures]) -> Vec<Headline> {
    let hybrids = results.iter().filter(|one| one.policy == Contender::Hybrid.name());
    hybrids
        .filter_map(|hybrid| {
            let here = || results.iter().filter(|one| one.trace == hybrid.trace);
            let of = |name: &str| here().find(|one| one.policy == name);
            let tuned = here().filter(|one| one.policy.ends_with("-tuned"));
            let best = tuned.min_by(|a, b| a.cost_usd.total_cmp(&b.cost_usd));
            let cost = |one: &Figures| over_oracle(results, one);
            let tracking = of(Contender::Usual(Rival::TargetTracking).name().as_str());
            Some(Headline {
                trace: hybrid.trace.clone(),
                hybrid: cost(hybrid)?,
                share: hybrid.violation_requests_share,
                tracking: tracking.and_then(|one| Some((cost(one)?, one.violation_requests_share))),
                best_tuned: best.and_then(|one| Some((one.policy.clone(), one.setting?, cost(one)?))),
                noise_blind: of(&Contender::NoiseBlind.name()).and_then(cost),
            })
        })
        .collect()
}

/// The place of a policy among those that know no future, from 1.
pub fn place(standings: &[Standing], policy: &str) -> Option<usize> {
    let mut order: Vec<&Standing> = standings.iter().filter(|one| !is_bound(&one.policy)).collect();
    let median = |one: &Standing| one.median_over_oracle.unwrap_or(f64::INFINITY);
    order.sort_by(|a, b| b.held.cmp(&a.held).then(median(a).total_cmp(&median(b))));
    order.iter().position(|one| one.policy == policy).map(|index| index + 1)
}

/// How far the order of the policies on two traces agrees.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Agreement {
    /// The other trace.
    pub with: String,
    /// Pairs of policies that both traces rank.
    pub pairs: usize,
    /// Pairs that stand the other way round there, the better one here first.
    pub turned: Vec<(String, String)>,
    /// Pairs that both traces rank clearly: the costs are [`CLEAR`] of the larger apart, or the one that misses the target
    /// misses it by more than twice what is allowed, or both miss it and their shares are so far apart.
    pub clear: usize,
    /// Those of them that stand the other way round there.
    pub clear_turned: Vec<(String, String)>,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { with, pairs, turned, clear, clear_turned } = self;
        let (agreed, clearly) = (pairs - turned.len(), clear - clear_turned.len());
        write!(
            f,
            "The shipped profile ranks {agreed} of {pairs} pairs of policies as {with} does, {clearly} of the {clear} that \
             differ clearly on both"
        )?;
        let turned: Vec<String> = turned.iter().map(|(a, b)| format!("{a} before {b}")).collect();
        if turned.is_empty() { Ok(()) } else { write!(f, "; only on the profile: {}", turned.join(", ")) }
    }
}

/// Policies whose costs are closer than this count as equal.
const ALIKE: f64 = 0.02;

/// Policies whose costs, or shares over the target, are further apart than this share of the larger differ clearly.
pub const CLEAR: f64 = 0.1;

/// Compares the order on `trace` with that on `with`.
pub fn agreement(results: &[Figures], trace: &str, with: &str) -> Agreement {
    let of = |trace: &str| -> Vec<&Figures> {
        results.iter().filter(|one| one.trace == trace && !is_bound(&one.policy)).collect()
    };
    let (here, there) = (of(trace), of(with));
    let find = |policy: &str| there.iter().copied().find(|one| one.policy == policy);
    let mut agreement = Agreement { with: with.to_owned(), ..Agreement::default() };
    let pair = |first: &Figures, second: &Figures, order: Ordering| {
        let (best, worst) = if order == Ordering::Less { (first, second) } else { (second, first) };
        (best.policy.clone(), worst.policy.clone())
    };
    for (index, first) in here.iter().enumerate() {
        for second in &here[index + 1..] {
            let (Some(a), Some(b)) = (find(&first.policy), find(&second.policy)) else { continue };
            agreement.pairs += 1;
            let (now, other) = (better(first, second), better(a, b));
            if now != Ordering::Equal && other == now.reverse() {
                agreement.turned.push(pair(first, second, now));
            }
            if is_clear(first, second) && is_clear(a, b) {
                agreement.clear += 1;
                if other == now.reverse() {
                    agreement.clear_turned.push(pair(first, second, now));
                }
            }
        }
    }
    agreement
}

/// Less where `a` is better.
fn better(a: &Figures, b: &Figures) -> Ordering {
    let (x, y) = match (a.holds(), b.holds()) {
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        (true, true) => (a.cost_usd, b.cost_usd),
        (false, false) => (a.violation_requests_share, b.violation_requests_share),
    };
    if (x - y).abs() <= ALIKE * x.max(y) { Ordering::Equal } else { x.total_cmp(&y) }
}

/// Whether it takes more than a little to turn the order of these two.
fn is_clear(a: &Figures, b: &Figures) -> bool {
    let (x, y) = match (a.holds(), b.holds()) {
        (true, true) => (a.cost_usd, b.cost_usd),
        (false, false) => (a.violation_requests_share, b.violation_requests_share),
        _ => return a.violation_requests_share.max(b.violation_requests_share) > 2.0 * HELD,
    };
    (x - y).abs() > CLEAR * x.max(y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(trace: &str, policy: &str, cost_usd: f64, share: f64) -> Figures {
        Figures {
            trace: trace.to_owned(),
            policy: policy.to_owned(),
            days: 7.0,
            cost_usd,
            violation_requests_share: share,
            ..Figures::default()
        }
    }

    fn results() -> Vec<Figures> {
        [("a", 1.0), ("b", 2.0)]
            .into_iter()
            .flat_map(|(trace, cost)| {
                [
                    figures(trace, "oracle", 10.0 * cost, 0.0),
                    figures(trace, "hybrid", 12.0 * cost, 0.004),
                    figures(trace, "hpa", 11.0 * cost, if trace == "a" { 0.02 } else { 0.0 }),
                    figures(trace, "fixed", 30.0 * cost, 0.0),
                ]
            })
            .collect()
    }

    #[test]
    fn who_holds_more_traces_is_better_and_then_who_is_cheaper() {
        let standings = standings(&results(), |_| true);
        let places = ["hybrid", "fixed", "hpa", "oracle"].map(|policy| place(&standings, policy));
        assert_eq!(places, [Some(1), Some(2), Some(3), None]);
        assert_eq!(standings[1].median_over_oracle, Some(1.2));
        assert_eq!((standings[2].held, standings[2].traces), (1, 2));
    }

    #[test]
    fn the_cheapest_single_setting_is_found_for_each_number_of_traces() {
        let swept = |setting: f64, cost: f64, shares: [f64; 2]| {
            ["a", "b"].into_iter().zip(shares).zip([1.0, 2.0]).map(move |((trace, share), scale)| Figures {
                setting: Some(setting),
                ..figures(trace, "hpa", cost * scale, share)
            })
        };
        let sweeps: Vec<Figures> =
            swept(0.5, 12.0, [0.0, 0.02]).chain(swept(0.3, 18.0, [0.0, 0.0])).collect();
        let found = one_setting_for_all(&results(), &sweeps);
        let brief: Vec<(usize, f64, f64)> =
            found.iter().map(|one| (one.held, one.setting, one.median_over_oracle)).collect();
        assert_eq!(brief, vec![(2, 0.3, 1.8), (1, 0.5, 1.2)]);
    }

    #[test]
    fn one_trace_is_no_traces() {
        let said = |held| {
            let policy = "hpa".to_owned();
            OneSetting { held, policy, setting: 0.5, median_over_oracle: 1.5 }.to_string()
        };
        assert!(said(1).contains("holds 1 trace at") && said(2).contains("holds 2 traces at"));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        for (values, expected) in [
            (vec![], None),
            (vec![1.0], Some(1.0)),
            (vec![1.0, 3.0], Some(2.0)),
            (vec![1.0, 2.0, 9.0], Some(2.0)),
            (vec![1.0, 2.0, 4.0, 9.0], Some(3.0)),
        ] {
            assert_eq!(median(&values), expected, "{values:?}");
        }
    }

    #[test]
    fn a_headline_sets_the_policy_beside_the_cheapest_tuned_rival() {
        let mut results = results();
        for (policy, cost) in [("hpa-tuned", 13.0), ("threshold-tuned", 15.0)] {
            results.push(Figures { setting: Some(0.4), ..figures("a", policy, cost, 0.0) });
        }
        let found = &headlines(&results)[0];
        assert_eq!((found.hybrid, found.noise_blind), (1.2, None));
        assert_eq!(found.best_tuned, Some(("hpa-tuned".to_owned(), 0.4, 1.3)));
    }

    #[test]
    fn only_the_traces_that_count_are_counted() {
        let standings = standings(&results(), |trace| trace == "b");
        assert_eq!((standings[2].held, standings[2].traces), (1, 1));
        assert_eq!(place(&standings, "hpa"), Some(1));
    }

    #[test]
    fn a_trace_is_left_out_only_beside_others_that_count() {
        let of = |traces: &[(&str, f64)]| -> Vec<Option<LeftOut>> {
            let counting = Counting::of(traces.iter().copied());
            traces.iter().map(|(name, days)| counting.left_out(name, *days)).collect()
        };
        let (long, brief, drawn) = (("a", 1.0), ("b", 0.04), (PROFILE, 7.0));
        assert_eq!(of(&[long, brief, drawn]), [None, Some(LeftOut::Brief), Some(LeftOut::Drawn)]);
        assert_eq!(of(&[brief, drawn]), [None, Some(LeftOut::Drawn)]);
        assert_eq!((of(&[brief]), of(&[drawn]), of(&[])), (vec![None], vec![None], vec![]));
    }

    #[test]
    fn two_orders_agree_but_for_the_pairs_that_are_turned() {
        let found = agreement(&results(), "a", "b");
        let turned = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!((found.pairs, found.turned), (3, vec![turned("hybrid", "hpa"), turned("fixed", "hpa")]));
    }

    #[test]
    fn nearly_the_same_cost_is_no_order() {
        let results = [
            figures("a", "x", 100.0, 0.0),
            figures("a", "y", 101.0, 0.0),
            figures("b", "x", 110.0, 0.0),
            figures("b", "y", 100.0, 0.0),
        ];
        assert_eq!(agreement(&results, "a", "b").turned, vec![]);
    }

    #[test]
    fn a_pair_is_clear_where_costs_are_a_tenth_apart_or_who_misses_misses_by_twice_what_is_allowed() {
        let clear = |a: (f64, f64), b: (f64, f64)| {
            is_clear(&figures("a", "x", a.0, a.1), &figures("a", "y", b.0, b.1))
        };
        assert!(clear((100.0, 0.0), (112.0, 0.004)) && !clear((100.0, 0.0), (109.0, 0.004)));
        assert!(clear((100.0, 0.0), (50.0, 0.011)) && !clear((100.0, 0.0), (50.0, 0.009)));
        assert!(clear((100.0, 0.02), (100.0, 0.03)) && !clear((100.0, 0.02), (100.0, 0.021)));
    }

    #[test]
    fn clear_pairs_are_counted_apart() {
        let found = agreement(&results(), "a", "b");
        // "hpa" misses by four times what is allowed on "a" and is 8 % cheaper than "hybrid" on "b": only against "fixed"
        // is the difference clear on both.
        assert_eq!((found.clear, found.clear_turned), (2, vec![("fixed".to_owned(), "hpa".to_owned())]));
    }
}
