//! The guard after a type change: what takes it back, and what does not.

use scaling_policy::Trigger;
use scaling_policy::config::{GroupConfig, Mode};
use scaling_policy::decision::Reason;
use scaling_policy::operation::{Before, OperationKind, Phase};

use crate::support::case::{Case, type_after, type_change};

/// Eight replicas that were changed from m7i.xlarge to r7i.xlarge (as many vCPU) `seconds` ago, from a CPU load of
/// 0.56 of 0.8, and that run at `cpu` now.
fn changed(seconds: u64, cpu: f64) -> Case {
    let case = Case::of(Mode::Hybrid, 8, 0.56).running("r7i.xlarge", 8).cpu(cpu);
    let case = case.next().taken_in().next().taken_in();
    let (planned, ended) = (case.ago(seconds + 300), case.ago(seconds));
    case.state(|state| {
        let mut change = type_change("r7i.xlarge", planned);
        (change.phase, change.ended_at) = (Phase::Verified, Some(ended));
        change.before = Some(Before { load: 0.7, serving_vcpu: 32.0, requests: None });
        state.type_change = Some(change);
        state.last_type_change = Some(ended);
    })
}

fn back(case: &Case) -> bool {
    let decision = case.decide();
    decision.reason == Reason::UndoneTypeChange && type_after(&decision).as_deref() == Some("m7i.xlarge")
}

#[test]
fn more_load_than_the_change_explains_takes_it_back() {
    assert!(back(&changed(60, 0.85)), "{:?}", changed(60, 0.85).decide());
}

#[test]
fn a_load_under_its_limit_is_no_reason() {
    assert!(!back(&changed(60, 0.75)));
}

#[test]
fn only_the_first_window_after_the_change_counts() {
    assert!(!back(&changed(600, 0.85)));
}

#[test]
fn more_requests_explain_more_load() {
    let more = |before: f64| {
        changed(60, 0.85).state(move |state| {
            let change = state.type_change.as_mut().unwrap();
            change.before = Some(Before { load: 0.7, serving_vcpu: 32.0, requests: Some(before) });
        })
    };
    let now = 0.85 * 32.0 / 0.05 * 60.0;
    assert!(back(&more(now)), "as many requests as before");
    assert!(!back(&more(now / 1.5)), "half as many again");
}

#[test]
fn more_replicas_are_not_more_requests() {
    // Half as many replicas served before, with the same requests of the whole group: the new type does less.
    let case = changed(60, 0.85).state(|state| {
        let change = state.type_change.as_mut().unwrap();
        let requests = Some(0.85 * 32.0 / 0.05 * 60.0);
        change.before = Some(Before { load: 0.7, serving_vcpu: 32.0, requests });
    });
    assert!(back(&case), "{:?}", case.decide());
}

#[test]
fn less_capacity_explains_more_load() {
    let halved = changed(60, 0.85).state(|state| {
        let change = state.type_change.as_mut().unwrap();
        change.before = Some(Before { load: 0.7, serving_vcpu: 64.0, requests: None });
    });
    assert!(!back(&halved));
}

#[test]
fn a_way_back_is_not_taken_back() {
    let case = changed(60, 0.85).state(|state| {
        state.type_change.as_mut().unwrap().reason = Reason::UndoneTypeChange;
    });
    assert!(!back(&case));
}

#[test]
fn a_former_type_that_may_not_be_chosen_is_not_gone_back_to() {
    assert!(!back(&changed(60, 0.85).ladder(&["r7i.xlarge", "r7i.2xlarge"])));
}

/// Five m7i.large that a person has changed to m7i.xlarge a minute ago, and that serve at `cpu` now; at most `max`.
fn enlarged(max: u32, cpu: f64) -> Case {
    let case = Case::of(Mode::Hybrid, 5, 0.3).ladder(&["m7i.large", "m7i.xlarge", "m7i.2xlarge"]);
    let case = case.cpu(cpu).config(without_requests).next().taken_in();
    let (planned, ended) = (case.ago(360), case.ago(60));
    case.config(|config| config.replicas.max = max).state(|state| {
        let mut change = type_change("m7i.xlarge", planned);
        if let OperationKind::Retype { from, .. } = &mut change.kind {
            *from = "m7i.large".into();
        }
        (change.phase, change.ended_at) = (Phase::Verified, Some(ended));
        change.before = Some(Before { load: 0.6, serving_vcpu: 10.0, requests: None });
        state.type_change = Some(change);
        state.last_type_change = Some(ended);
    })
}

fn without_requests(config: &mut GroupConfig) {
    config.triggers.request_count.asks = false;
}

#[test]
fn a_smaller_type_that_cannot_carry_the_load_is_not_gone_back_to() {
    let decision = enlarged(10, 0.99).decide();
    assert_ne!(decision.reason, Reason::UndoneTypeChange, "{decision:?}");
    let decision = enlarged(40, 0.99).decide();
    assert_eq!(decision.reason, Reason::UndoneTypeChange, "as many as carry it are allowed: {decision:?}");
}

#[test]
fn a_type_of_the_same_size_is_gone_back_to_whatever_the_worse_one_makes_of_the_load() {
    let case = changed(60, 0.99).config(|config| config.replicas.max = 8);
    assert!(back(&case), "{:?}", case.decide());
    let without_room = case.reading(Trigger::MemoryUsage, 0.7);
    assert!(!back(&without_room), "that one would have 16 GiB for what fills 22");
}
