//! A controller that dies between any two steps: the next one ends where an undisturbed one would have ended, and
//! each change is made once.

use std::time::Duration;

use scaling_control::ControlLoop;
use scaling_control::fakes::{Moment, dying};
use scaling_policy::operation::Step;

use crate::world::World;

/// What counts at the end: capacity, type, and the changes in their order.
#[derive(Debug, PartialEq, Eq)]
struct End {
    desired: u32,
    launch_type: String,
    changes: Vec<Step>,
}

fn end(world: &World) -> End {
    let group = world.platform.group();
    End {
        desired: group.desired,
        launch_type: group.launch_type.to_string(),
        changes: group.accepted.clone(),
    }
}

/// Load to scale up for, from the third minute on.
async fn rising(world: &World, control: &ControlLoop) {
    world.minutes(control, 2).await;
    world.platform.group().busy_vcpu = Some(15.0);
}

/// Memory that no count can carry, from the third minute on.
async fn growing(world: &World, control: &ControlLoop) {
    world.minutes(control, 2).await;
    world.platform.group().used_memory = 14_000.0;
}

#[derive(Clone, Copy)]
enum Story {
    Rising,
    Growing,
}

/// Plays a story with a first controller that dies at its `fatal`-th call after the story has begun.
async fn play(story: Story, fatal: Option<(usize, Moment)>) -> End {
    let world = World::new();
    let first = world.control();
    match story {
        Story::Rising => rising(&world, &first).await,
        Story::Growing => growing(&world, &first).await,
    }
    if let Some((fatal, moment)) = fatal {
        let mortal = ControlLoop::new(dying(world.ports.clone(), fatal, moment), world.config.clone());
        world.clock.advance_seconds(60);
        // It may end with an error or without: the point is what it leaves behind.
        let _ = mortal.tick(Duration::from_secs(50)).await;
    }
    let next = world.control();
    world.minutes(&next, 25).await;
    end(&world)
}

async fn every_death(story: Story) {
    let undisturbed = play(story, None).await;
    assert!(!undisturbed.changes.is_empty(), "the story changes something");
    for fatal in 1..=12 {
        for moment in [Moment::Before, Moment::After] {
            let disturbed = play(story, Some((fatal, moment))).await;
            assert_eq!(disturbed, undisturbed, "dead {moment:?} call {fatal}");
        }
    }
}

#[tokio::test]
async fn a_scale_up_is_made_once_wherever_the_first_controller_dies() {
    every_death(Story::Rising).await;
}

#[tokio::test]
async fn a_type_change_is_made_once_wherever_the_first_controller_dies() {
    every_death(Story::Growing).await;
}
