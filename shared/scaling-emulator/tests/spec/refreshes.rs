//! Instance refreshes: to another type, back, and what stops them.

use std::time::Duration;

use scaling_emulator::autoscaling::refreshes::{NamedInput, StartInput, cancel, roll_back, start};
use scaling_emulator::region::LifecycleState::InService;
use scaling_emulator::region::blueprints::TemplateSpec;
use scaling_emulator::region::launch::{LaunchSource, MixedInstancesPolicy, MixedTemplate, Override};
use scaling_emulator::region::refresh::{DesiredConfiguration, Preferences, RefreshStatus};
use scaling_emulator::{Emulator, Fault, Settings};

use crate::call::call;
use crate::client::{advance, emulator, emulator_with, ids, set, types, web};

/// A refresh of `web` to the first of `kinds` that can be had, that never lets capacity fall.
fn to(kinds: &[&str]) -> StartInput {
    let choice = |kind: &&str| Override { instance_type: Some((*kind).to_owned()), ..Override::default() };
    StartInput {
        auto_scaling_group_name: "web".to_owned(),
        strategy: Some("Rolling".to_owned()),
        desired_configuration: Some(DesiredConfiguration {
            launch_template: None,
            mixed_instances_policy: Some(MixedInstancesPolicy {
                launch_template: Some(MixedTemplate {
                    launch_template_specification: Some(TemplateSpec {
                        launch_template_name: Some("web".to_owned()),
                        version: Some("1".to_owned()),
                        ..TemplateSpec::default()
                    }),
                    overrides: kinds.iter().map(choice).collect(),
                }),
                instances_distribution: None,
            }),
        }),
        preferences: Preferences {
            min_healthy_percentage: Some(100),
            max_healthy_percentage: Some(200),
            instance_warmup: Some(60),
            skip_matching: Some(true),
            auto_rollback: Some(true),
            ..Preferences::default()
        },
    }
}

fn begin(emulator: &Emulator, input: &StartInput) {
    emulator.with_region(|region| start(region, input)).unwrap();
}

fn named() -> NamedInput {
    NamedInput { auto_scaling_group_name: "web".to_owned() }
}

fn status(emulator: &Emulator) -> RefreshStatus {
    web(emulator, |group| group.refreshes.last().unwrap().status)
}

/// Advances until the refresh has ended, and checks at every step that at least `least` instances serve.
async fn watch(emulator: &Emulator, least: usize) {
    for _ in 0..1000 {
        advance(emulator, 15).await;
        let serving = ids(emulator, InService).len();
        assert!(serving >= least, "{serving} serve");
        if !status(emulator).is_active() {
            return;
        }
    }
    panic!("the refresh does not end: {:?}", status(emulator));
}

#[tokio::test]
async fn every_instance_gets_the_new_type_and_serving_capacity_never_falls() {
    let emulator = emulator(4).await;
    let cost = |emulator: &Emulator| {
        web(emulator, |group| {
            group.alive().map(|member| member.instance_type.to_string()).collect::<Vec<_>>()
        })
    };
    assert_eq!(cost(&emulator), ["m7i.large"; 4]);
    begin(&emulator, &to(&["c7i.xlarge"]));
    watch(&emulator, 4).await;
    assert_eq!(status(&emulator), RefreshStatus::Successful);
    assert_eq!(types(&emulator), ["c7i.xlarge"; 4]);
    let source = web(&emulator, |group| group.settings.source.clone());
    assert!(
        matches!(source, LaunchSource::Mixed(_)),
        "the group launches the new type from now on: {source:?}"
    );
    set(&emulator, 5).unwrap();
    advance(&emulator, 150).await;
    assert_eq!(types(&emulator), ["c7i.xlarge"; 5]);
}

#[tokio::test]
async fn surplus_stays_within_the_maximum() {
    for (max, most) in [(100, 5), (110, 5), (150, 6), (200, 8)] {
        let emulator = emulator(4).await;
        let mut input = to(&["c7i.large"]);
        input.preferences.max_healthy_percentage = Some(max);
        begin(&emulator, &input);
        let mut largest = 0;
        while status(&emulator).is_active() {
            advance(&emulator, 15).await;
            largest = largest.max(types(&emulator).len());
        }
        assert_eq!((largest, status(&emulator)), (most, RefreshStatus::Successful), "at {max} %");
    }
}

#[tokio::test]
async fn with_the_default_preferences_groups_of_every_size_are_replaced_a_tenth_or_one_at_a_time() {
    for desired in [1, 2, 4, 9, 10] {
        let emulator = emulator(desired).await;
        let mut input = to(&["c7i.large"]);
        input.preferences = Preferences::default();
        begin(&emulator, &input);
        watch(&emulator, desired as usize - 1).await;
        assert_eq!(
            (status(&emulator), types(&emulator)),
            (RefreshStatus::Successful, vec!["c7i.large".to_owned(); desired as usize]),
            "{desired} instances"
        );
    }
}

#[tokio::test]
async fn one_that_gives_up_says_what_held_it() {
    let patience = Duration::from_secs(900);
    for (process, reason) in [("Launch", "process Launch"), ("Terminate", "process Terminate")] {
        let emulator = emulator_with(Settings { refresh_patience: patience, ..Settings::default() }, 2).await;
        let mut input = to(&["c7i.large"]);
        input.preferences = Preferences::default();
        call(&emulator, "SuspendProcesses", &format!("ScalingProcesses.member.1={process}"));
        begin(&emulator, &input);
        watch(&emulator, 1).await;
        let told = web(&emulator, |group| group.refreshes.last().unwrap().reason.clone().unwrap());
        assert!(status(&emulator) == RefreshStatus::Failed && told.contains(reason), "{told}");
    }
}

#[tokio::test]
async fn a_type_that_cannot_be_had_gives_way_to_the_next() {
    let emulator = emulator(2).await;
    emulator.inject(Fault::CapacityShortage { instance_type: "c7i.xlarge".to_owned() }).unwrap();
    begin(&emulator, &to(&["c7i.xlarge", "c6i.xlarge"]));
    watch(&emulator, 2).await;
    assert_eq!(types(&emulator), ["c6i.xlarge"; 2]);
}

#[tokio::test]
async fn a_type_that_cannot_launch_rolls_back_with_no_replica_lost() {
    let patience = Duration::from_secs(900);
    let emulator = emulator_with(Settings { refresh_patience: patience, ..Settings::default() }, 4).await;
    let before = ids(&emulator, InService);
    emulator.inject(Fault::CapacityShortage { instance_type: "c7i.xlarge".to_owned() }).unwrap();
    begin(&emulator, &to(&["c7i.xlarge"]));
    watch(&emulator, 4).await;
    assert_eq!(status(&emulator), RefreshStatus::RollbackSuccessful);
    assert_eq!(ids(&emulator, InService), before);
    let (rollback, source) = web(&emulator, |group| {
        (group.refreshes.last().unwrap().rollback.clone().unwrap(), group.settings.source.clone())
    });
    assert!(
        rollback.rollback_reason.contains("sufficient c7i.xlarge capacity"),
        "{}",
        rollback.rollback_reason
    );
    assert!(matches!(source, LaunchSource::Template(_)), "{source:?}");
}

#[tokio::test]
async fn without_auto_rollback_it_fails_and_the_group_is_as_it_was() {
    let patience = Duration::from_secs(900);
    let emulator = emulator_with(Settings { refresh_patience: patience, ..Settings::default() }, 2).await;
    emulator.inject(Fault::CapacityShortage { instance_type: "*".to_owned() }).unwrap();
    let mut input = to(&["c7i.xlarge"]);
    input.preferences.auto_rollback = Some(false);
    begin(&emulator, &input);
    watch(&emulator, 2).await;
    assert_eq!(
        (status(&emulator), types(&emulator)),
        (RefreshStatus::Failed, vec!["m7i.large".to_owned(); 2])
    );
}

#[tokio::test]
async fn half_way_it_can_be_turned_back_and_ends_where_it_began() {
    let emulator = emulator(4).await;
    let mut input = to(&["c7i.xlarge"]);
    input.preferences.max_healthy_percentage = Some(125);
    begin(&emulator, &input);
    while !types(&emulator).iter().filter(|kind| *kind == "c7i.xlarge").count().eq(&2) {
        advance(&emulator, 15).await;
    }
    emulator.with_region(|region| roll_back(region, &named())).unwrap();
    watch(&emulator, 4).await;
    assert_eq!(status(&emulator), RefreshStatus::RollbackSuccessful);
    assert_eq!(types(&emulator), ["m7i.large"; 4]);
}

#[tokio::test]
async fn cancelled_it_stops_and_the_group_goes_on_with_what_it_launched_before() {
    let emulator = emulator(2).await;
    begin(&emulator, &to(&["c7i.xlarge"]));
    advance(&emulator, 15).await;
    assert_eq!(types(&emulator).len(), 4);
    emulator.with_region(|region| cancel(region, &named())).unwrap();
    watch(&emulator, 2).await;
    assert_eq!(status(&emulator), RefreshStatus::Cancelled);
    advance(&emulator, 15).await;
    assert_eq!(types(&emulator), ["m7i.large"; 2]);
}

#[tokio::test]
async fn the_replacements_spread_over_the_zones_by_themselves() {
    let emulator = emulator(5).await;
    // Two in the last zone, one in each of the others.
    set(&emulator, 4).unwrap();
    advance(&emulator, 60).await;
    begin(&emulator, &to(&["c7i.xlarge"]));
    watch(&emulator, 4).await;
    advance(&emulator, 900).await;
    let balanced = web(&emulator, |group| {
        group.activities.iter().any(|activity| activity.cause.contains("balancing the group's zones"))
    });
    assert!(!balanced, "nothing is left to be balanced afterwards");
}

#[tokio::test]
async fn instances_that_match_are_left_alone() {
    let emulator = emulator(2).await;
    let before = ids(&emulator, InService);
    begin(&emulator, &to(&["m7i.large"]));
    watch(&emulator, 2).await;
    assert_eq!((status(&emulator), ids(&emulator, InService)), (RefreshStatus::Successful, before.clone()));
    let mut input = to(&["m7i.large"]);
    input.preferences.skip_matching = None;
    begin(&emulator, &input);
    watch(&emulator, 2).await;
    assert!(ids(&emulator, InService).iter().all(|id| !before.contains(id)));
}

#[tokio::test]
async fn a_group_may_grow_while_it_is_refreshed() {
    let emulator = emulator(2).await;
    begin(&emulator, &to(&["c7i.xlarge"]));
    advance(&emulator, 60).await;
    set(&emulator, 5).unwrap();
    watch(&emulator, 2).await;
    assert_eq!(types(&emulator), ["c7i.xlarge"; 5]);
}

#[tokio::test]
async fn an_instance_of_the_replacement_that_fails_is_replaced_again() {
    let emulator = emulator(2).await;
    begin(&emulator, &to(&["c7i.xlarge"]));
    advance(&emulator, 15).await;
    let pending = web(&emulator, |group| group.members[2].id.clone());
    emulator.inject(Fault::InstanceCrash { instance_id: pending }).unwrap();
    watch(&emulator, 2).await;
    assert_eq!(
        (status(&emulator), types(&emulator)),
        (RefreshStatus::Successful, vec!["c7i.xlarge".to_owned(); 2])
    );
}
