//! A small report, for the tests of what is shown of it.

use super::{Disturbed, Report, Source};
use crate::figures::Figures;
use crate::trace::Trace;

/// The policy, a tuned rival and the oracle on one trace, and under one more condition.
pub(super) fn report() -> Report {
    let of = |policy: &str, cost_usd: f64, later: Option<f64>| Figures {
        trace: "load".to_owned(),
        policy: policy.to_owned(),
        setting: policy.ends_with("-tuned").then_some(0.4),
        cost_usd,
        violation_share_after_two_days: later,
        ..Figures::default()
    };
    let results =
        vec![of("hybrid", 12.0, Some(0.002)), of("hpa-tuned", 15.0, None), of("oracle", 10.0, None)];
    let trace = Trace { name: "load".to_owned(), ..Trace::profile(1) };
    Report {
        simulated_at: "2026-11-30T12:00:00Z".to_owned(),
        commit: None,
        conditions: String::new(),
        notes: Vec::new(),
        traces: vec![Source::of(&trace)],
        disturbed: ["as planned", "boot x2"].map(|name| Disturbed::of(name, results.clone())).into(),
        delays: Vec::new(),
        results,
        one_setting: Vec::new(),
        agreements: Vec::new(),
        type_cases: Vec::new(),
        aims: false,
    }
}
