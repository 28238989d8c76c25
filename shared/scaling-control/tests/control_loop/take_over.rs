//! Who else acts on the groups: when that is looked for, and what holds until it is known.

use std::collections::BTreeSet;
use std::time::Duration;

use scaling_control::TickReport;
use scaling_policy::decision::Reason;
use scaling_policy::snapshot::ForeignController;
use serde_json::json;

use crate::world::{World, config};

fn named(world: &mut World, names: impl IntoIterator<Item = String>) {
    let groups: Vec<_> = names.into_iter().map(|name| json!({"name": name})).collect();
    world.config = config(json!({"groups": groups}));
}

/// The groups that wait for a look.
fn unchecked(report: &TickReport) -> Vec<&str> {
    let waiting = report.outcomes.iter().filter(|outcome| {
        outcome.evaluation().is_some_and(|evaluation| evaluation.decision.reason == Reason::TakeOverUnchecked)
    });
    waiting.map(|outcome| outcome.config.name.as_str()).collect()
}

#[tokio::test]
async fn a_group_whose_other_controllers_could_not_be_looked_for_is_not_changed() {
    for busy_vcpu in [15.0, 2.0] {
        let world = World::new();
        world.platform.group().foreign = vec![ForeignController::ScalingPolicy { name: "cpu-50".to_owned() }];
        world.platform.group().blind = true;
        world.platform.group().busy_vcpu = Some(busy_vcpu);
        let control = world.control();
        let mut reasons = Vec::new();
        for _ in 0..20 {
            let report = world.minute(&control).await;
            reasons.push(report.outcomes[0].evaluation().unwrap().decision.reason.clone());
        }
        assert!(reasons.contains(&Reason::TakeOverUnchecked), "{reasons:?}");
        assert!(world.platform.group().accepted.is_empty());
        world.platform.group().blind = false;
        let report = world.minute(&control).await;
        let reason = report.outcomes[0].evaluation().unwrap().decision.reason.clone();
        assert_eq!(reason, Reason::ForeignController, "found as soon as it may be looked for");
    }
}

#[tokio::test]
async fn a_look_for_other_controllers_that_fails_later_keeps_what_was_found() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().blind = true;
    world.minutes(&control, 120).await;
    world.platform.group().busy_vcpu = Some(15.0);
    world.minute(&control).await;
    assert_eq!(world.platform.group().accepted.len(), 1, "nobody else was found, and that is still so");
}

#[tokio::test]
async fn whoever_tolerates_other_controllers_need_not_look_for_them() {
    let world = World::with(json!({
        "policy": {"triggers": ["cpu_usage", "memory_usage"], "priority_triggers": ["cpu_usage"], "coexist": true}
    }));
    world.platform.group().blind = true;
    world.platform.group().busy_vcpu = Some(15.0);
    world.minute(&world.control()).await;
    assert_eq!(world.platform.group().accepted.len(), 1);
}

#[tokio::test]
async fn many_groups_are_looked_at_in_turn_five_hundred_a_tick() {
    let mut world = World::new();
    named(&mut world, (0..1200).map(|number| format!("web-{number}")));
    let control = world.control();
    world.minutes(&control, 4).await;
    let looked_at = world.platform.group().looked_at.clone();
    assert_eq!(looked_at.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 200]);
    let distinct: BTreeSet<_> = looked_at.iter().flatten().collect();
    assert_eq!(distinct.len(), 1200, "each once");
}

#[tokio::test]
async fn what_is_found_of_one_group_is_kept_whatever_becomes_of_the_others() {
    let mut world = World::new();
    named(&mut world, ["veiled", "web"].map(str::to_owned));
    world.platform.group().busy_vcpu = Some(15.0);
    let control = world.control();
    let report = world.minute(&control).await;
    assert_eq!(unchecked(&report), ["veiled"]);
    assert_eq!(report.changed(), 1);
}

#[tokio::test]
async fn groups_that_cannot_be_looked_at_do_not_keep_the_others_waiting() {
    let mut world = World::new();
    let veiled = (0..500).map(|number| format!("veiled-{number}"));
    named(&mut world, veiled.chain(["web".to_owned()]));
    let control = world.control();
    world.minutes(&control, 2).await;
    let looked_at = world.platform.group().looked_at.clone();
    assert!(!looked_at[0].contains(&"web".into()));
    assert!(looked_at[1].contains(&"web".into()));
}

#[tokio::test(start_paused = true)]
async fn a_look_that_hangs_costs_a_tick_its_share_and_no_group_its_evaluation() {
    let world = World::new();
    world.platform.group().look_takes = Duration::from_secs(3600);
    world.platform.group().busy_vcpu = Some(15.0);
    let control = world.control();
    let began = tokio::time::Instant::now();
    let report = world.minute(&control).await;
    assert_eq!(began.elapsed().as_secs(), 12);
    assert_eq!(unchecked(&report), ["web"]);
    assert!(world.platform.group().accepted.is_empty());
}

#[tokio::test]
async fn a_plan_looks_at_every_group() {
    let mut world = World::new();
    named(&mut world, (0..1200).map(|number| format!("web-{number}")));
    world.platform.group().busy_vcpu = Some(15.0);
    let report = world.control().plan().await.unwrap();
    assert_eq!(unchecked(&report), [""; 0]);
}
