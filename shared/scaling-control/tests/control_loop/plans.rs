//! Plans that were not accepted: they are looked at again with the eyes of the present decision.

use std::time::Duration;

use scaling_control::ScaleRequest;
use scaling_control::controls::alone;
use scaling_control::fakes::Steps;
use scaling_control::record::KillSwitch;
use scaling_policy::decision::Reason;
use scaling_policy::operation::{Pause, Phase, Step};
use serde_json::json;

use crate::world::World;

/// A group whose scale-down has just been refused.
async fn refused_scale_down(world: &World) -> scaling_control::ControlLoop {
    let control = world.control();
    world.minutes(&control, 3).await;
    world.platform.group().busy_vcpu = Some(3.0);
    world.platform.group().steps = Steps::Refused;
    for _ in 0..30 {
        let report = world.minute(&control).await;
        if report.outcomes[0].acted.is_some() {
            world.platform.group().steps = Steps::Taken;
            return control;
        }
    }
    panic!("it never tried to scale down");
}

#[tokio::test]
async fn a_refused_scale_down_is_not_tried_again_once_the_load_is_high() {
    let world = World::new();
    let control = refused_scale_down(&world).await;
    world.platform.group().busy_vcpu = Some(15.5);
    world.minutes(&control, 3).await;
    let accepted = world.platform.group().accepted.clone();
    assert!(
        accepted.iter().all(|step| matches!(step, Step::SetDesired { desired } if *desired > 4)),
        "{accepted:?}"
    );
    assert!(!accepted.is_empty(), "a refused scale-down does not delay the scale-up either");
}

#[tokio::test]
async fn a_refused_scale_down_waits_while_the_group_is_paused_and_is_too_old_then() {
    let world = World::new();
    let control = refused_scale_down(&world).await;
    let pause = Pause { by: "ops".to_owned(), reason: "release".to_owned(), until: None };
    control.set_pause(&"web".into(), Some(pause), alone).await.unwrap();
    world.minutes(&control, 10).await;
    assert!(world.platform.group().accepted.is_empty());
}

#[tokio::test]
async fn a_refused_scale_down_is_given_up_when_the_data_stop() {
    let world = World::new();
    let control = refused_scale_down(&world).await;
    world.platform.group().busy_vcpu = None;
    world.minutes(&control, 10).await;
    assert!(world.platform.group().accepted.is_empty());
}

#[tokio::test]
async fn a_refused_scale_down_is_given_up_when_the_group_may_only_grow() {
    let world = World::new();
    refused_scale_down(&world).await;
    let only_up = World::with(json!({"control": "up_only"}));
    let control = scaling_control::ControlLoop::new(world.ports.clone(), only_up.config);
    world.minutes(&control, 10).await;
    assert!(world.platform.group().accepted.is_empty());
}

#[tokio::test]
async fn a_request_that_was_refused_is_tried_again_whatever_the_load_says() {
    let world = World::new();
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().steps = Steps::Conflicting;
    let to_nine = ScaleRequest {
        group: "web".into(),
        replicas: Some(9),
        instance_type: None,
        by: "ops".to_owned(),
        until: None,
        dry_run: false,
    };
    let _ = control.request(&to_nine).await;
    world.platform.group().steps = Steps::Taken;
    world.minute(&control).await;
    assert_eq!(world.platform.group().desired, 9);
}

#[tokio::test]
async fn replicas_in_their_warm_up_have_come() {
    let world = World::new();
    world.platform.group().warm_up_seconds = 900;
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().busy_vcpu = Some(15.5);
    let mut reasons = Vec::new();
    for _ in 0..30 {
        let report = world.minute(&control).await;
        let decision = &report.outcomes[0].evaluation().unwrap().decision;
        reasons.push(decision.reason.clone());
        reasons.extend(decision.guards.iter().map(|note| note.reason.clone()));
    }
    let took = reasons.iter().any(|reason| matches!(reason, Reason::NothingLaunches { .. }));
    assert!(!took, "{reasons:?}");
    let accepted = world.platform.group().accepted.clone();
    assert!(
        accepted.iter().all(|step| matches!(step, Step::SetDesired { desired } if *desired > 4)),
        "{accepted:?}"
    );
}

#[tokio::test]
async fn a_ramp_longer_than_the_launch_timeout_is_not_taken_for_launches_that_fail() {
    let world = World::new();
    world.platform.group().warm_up_seconds = 300;
    let control = world.control();
    world.minutes(&control, 2).await;
    let mut desired = 4;
    for minute in 0..40 {
        world.platform.group().busy_vcpu = Some(10.0 + 3.0 * f64::from(minute));
        world.minute(&control).await;
        let now = world.platform.group().desired;
        assert!(now >= desired, "minute {minute}: {desired} -> {now}");
        desired = now;
    }
}

#[tokio::test]
async fn refusals_of_the_start_leave_the_way_back_its_tries() {
    let world =
        World::with(json!({"groups": [{"name": "web", "ladder": {"types": ["m7i.xlarge", "r7i.xlarge"]}}]}));
    let control = world.control();
    world.minutes(&control, 2).await;
    world.platform.group().used_memory = 14_000.0;
    world.platform.group().no_capacity = vec!["r7i.xlarge".into()];
    world.platform.group().steps = Steps::Refused;
    world.minutes(&control, 2).await;
    world.platform.group().steps = Steps::Taken;
    let mut phases = Vec::new();
    for _ in 0..20 {
        let report = world.minute(&control).await;
        phases.extend(report.outcomes[0].ended.iter().map(|ended| ended.phase));
    }
    assert!(phases.contains(&Phase::RolledBack), "{phases:?}");
    let accepted = world.platform.group().accepted.clone();
    assert!(accepted.contains(&Step::RollBackReplacement), "the platform's own way first: {accepted:?}");
}

#[tokio::test]
async fn a_group_is_evaluated_once_in_its_period_and_with_every_tick_while_something_is_going_on() {
    let world = World::with(json!({"triggers": {"evaluation_period": 300}}));
    let control = world.control();
    let mut evaluated = Vec::new();
    for _ in 0..10 {
        let report = world.minute(&control).await;
        assert_eq!(
            report.outcomes.len() + report.not_due.len(),
            1,
            "it is told either way: nobody may take it for gone"
        );
        evaluated.push(report.outcomes.len());
    }
    assert_eq!(evaluated, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    // A person asks for more: the operation is followed with every tick.
    world.minutes(&control, 1).await;
    world.platform.group().busy_vcpu = Some(15.5);
    world.minutes(&control, 5).await;
    let mut following = 0;
    for _ in 0..3 {
        following += world.minute(&control).await.outcomes.len();
    }
    assert!(following >= 2, "{following}");
}

#[tokio::test]
async fn a_plan_is_no_evaluation_and_neither_is_learned_from_it_nor_a_tick_spared() {
    let (asked, alone) = (World::new(), World::new());
    let controls = [asked.control(), alone.control()];
    let mut learned = [const { Vec::new() }; 2];
    for _ in 0..5 {
        for ((world, control), learned) in [&asked, &alone].into_iter().zip(&controls).zip(&mut learned) {
            let report = world.minute(control).await;
            assert_eq!(report.outcomes.len(), 1, "{:?}", report.not_due);
            learned.push(report.outcomes[0].evaluation().unwrap().learned.clone());
        }
        for _ in 0..3 {
            asked.clock.advance_seconds(10);
            alone.clock.advance_seconds(10);
            controls[0].plan().await.unwrap();
        }
    }
    assert_eq!(learned[0], learned[1]);
}

#[tokio::test]
async fn a_wake_up_between_two_ticks_takes_neither_away() {
    let world = World::new();
    let control = world.control();
    for _ in 0..3 {
        world.clock.advance_seconds(30);
        assert_eq!(control.evaluate(&["web".into()]).await.unwrap().outcomes.len(), 1);
        world.clock.advance_seconds(30);
        assert_eq!(control.tick(Duration::from_secs(50)).await.unwrap().outcomes.len(), 1);
    }
}

#[tokio::test]
async fn a_tick_that_comes_half_a_minute_early_or_late_counts_for_the_minute_it_is_nearest_to() {
    let world = World::with(json!({"triggers": {"evaluation_period": 120}}));
    let control = world.control();
    let mut evaluated = Vec::new();
    for seconds in [60, 40, 55, 75, 50, 80, 60] {
        world.clock.advance_seconds(seconds);
        evaluated.push(control.tick(Duration::from_secs(50)).await.unwrap().outcomes.len());
    }
    assert_eq!(evaluated, [1, 0, 1, 0, 1, 0, 1]);
}

#[tokio::test]
async fn a_decision_names_what_people_have_set() {
    let entry = json!({"name": "launch", "cron": "0 * * * *", "duration": 3600, "min_replicas": 6});
    let world = World::with(json!({"calendar": [entry]}));
    let control = world.control();
    let switch = KillSwitch { by: "ada".to_owned(), reason: "an incident".to_owned() };
    control.set_kill_switch(Some(switch), alone).await.unwrap();
    let report = world.minute(&control).await;
    let decision = &report.outcomes[0].evaluation().unwrap().decision;
    assert_eq!(decision.in_force[0], "kill switch by ada: an incident");
    assert!(decision.in_force[1] == "calendar launch: min 6", "{decision:?}");
}

#[tokio::test]
async fn a_decision_is_stored_anew_where_what_people_have_set_has_changed() {
    let world = World::new();
    let control = world.control();
    world.minute(&control).await;
    let stored = || world.store.keys("decision/").len();
    let before = stored();
    world.minute(&control).await;
    assert_eq!(stored(), before);
    let switch = KillSwitch { by: "ada".to_owned(), reason: "an incident".to_owned() };
    control.set_kill_switch(Some(switch), alone).await.unwrap();
    world.minute(&control).await;
    world.minute(&control).await;
    assert_eq!(stored(), before + 1);
}
