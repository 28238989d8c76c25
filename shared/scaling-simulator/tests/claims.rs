//! What is said of the policies, as far as it can be tested without the real traces.

#![expect(clippy::unwrap_used, reason = "functions of a test crate outside its tests are still tests")]

use std::sync::Arc;

use scaling_simulator::competition::{Contender, Course};
use scaling_simulator::disturbance::Disturbance;
use scaling_simulator::ranking::{agreement, headlines, place, standings};
use scaling_simulator::rivals::Rival;
use scaling_simulator::trace::PROFILE;
use scaling_simulator::type_cases::{self, Gain};
use scaling_simulator::world::MachineType;
use scaling_simulator::{Conditions, Figures, Trace, World};

fn types(names: &[&str]) -> Arc<[MachineType]> {
    names.iter().map(|name| MachineType::of(name).unwrap()).collect()
}

fn course(trace: &Trace, conditions: Conditions, names: &[&str]) -> Course {
    Course::new(World::new(trace, conditions, types(names), 0))
}

/// The first days of the shipped profile.
fn profile(days: usize) -> Trace {
    let mut trace = Trace::profile(1);
    trace.values.truncate(days * 1440);
    trace
}

fn everybody_untuned(course: &Course) -> Vec<Figures> {
    let rivals = Rival::ALL.map(Contender::Usual);
    let contenders = [Contender::Hybrid, Contender::Oracle, Contender::NoiseBlind].into_iter().chain(rivals);
    contenders.map(|contender| course.enter(contender).unwrap()).collect()
}

/// On the real traces that the profile was fitted from, and on which rivals hold the target, the policy is cheaper than each
/// of them at its usual setting; `make policy-table` says how far the whole order agrees.
#[test]
fn the_shipped_profile_ranks_the_policies_as_the_traces_do_that_it_was_fitted_from() {
    let results = everybody_untuned(&course(&Trace::profile(3), Conditions::product(), &["m7i.xlarge"]));
    let of = |name: &str| results.iter().find(|one| one.policy == name).unwrap();
    let hybrid = of("hybrid");
    assert!(hybrid.holds(), "{hybrid:?}");
    for rival in Rival::ALL.map(Rival::name) {
        let other = of(rival);
        assert!(!other.holds() || other.cost_usd > hybrid.cost_usd, "{rival}: {other:?}");
    }
    assert!(of("oracle").cost_usd < of("noise-blind").cost_usd);
    assert!(of("noise-blind").cost_usd < hybrid.cost_usd);
    assert_eq!(place(&standings(&results, |_| true), "hybrid"), Some(1));
    assert_eq!(agreement(&results, PROFILE, PROFILE).turned, vec![]);
    assert!(headlines(&results)[0].tracking.unwrap().0 > headlines(&results)[0].hybrid);
}

#[test]
fn the_target_holds_with_another_service_time_another_queue_and_another_memory() {
    for disturbance in [
        Disturbance::ShortRequests,
        Disturbance::LongRequests,
        Disturbance::OtherQueue,
        Disturbance::MoreMemory,
    ] {
        let conditions = disturbance.of(&Conditions::product());
        let figures = course(&profile(4), conditions, &["m7i.xlarge"]).enter(Contender::Hybrid).unwrap();
        assert!(figures.holds(), "{disturbance:?}: {figures:?}");
    }
}

#[test]
fn vpa_beside_hpa_changes_nothing_where_there_is_one_type_and_takes_the_fitting_family_where_there_are_more()
{
    let enter = |rival: Rival, names: &[&str]| {
        let figures =
            course(&profile(2), Conditions::product(), names).enter(Contender::Usual(rival)).unwrap();
        Figures { policy: String::new(), ..figures }
    };
    let alone = ["m7i.xlarge"];
    assert_eq!(enter(Rival::HpaVpa, &alone), enter(Rival::Hpa, &alone));
    // 2 GiB in use: the memory of c7i is enough; fewer vCPU are never taken.
    let sized = enter(Rival::HpaVpa, &["m7i.xlarge", "c7i.xlarge", "m7i.large"]);
    assert_eq!(sized.type_changes, 1, "{sized:?}");
    assert!(sized.cost_usd < enter(Rival::Hpa, &alone).cost_usd, "{sized:?}");
}

#[test]
fn choosing_the_type_is_never_dearer_than_the_default_type_where_a_day_shows_what_fits() {
    let traces = [profile(2)];
    let ladder = types(&["m7i.xlarge", "m7i.large"]);
    let cases = type_cases::play_all(&traces, &Conditions::product(), &ladder, &|| ());
    assert_eq!(cases.len(), type_cases::count(traces.len()));
    let settled = Gain::of(cases.iter().filter(|case| !case.growing)).unwrap();
    assert!(settled.over_default <= 1.0 && settled.worst_over_default <= 1.02, "{settled:?}");
    let growing = cases.iter().find(|case| case.growing).unwrap();
    assert!(growing.clairvoyant_usd <= growing.best_usd * 1.001, "{growing:?}");
}
