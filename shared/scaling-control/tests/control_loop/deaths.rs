//! A controller that dies between any two steps: the next one ends where an undisturbed one would have ended, and
//! each change is made once.

use std::time::Duration;

use scaling_control::ControlLoop;
use scaling_control::fakes::{Moment, dying};
use scaling_policy::operation::Step;
use serde_json::json;

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

/// Load to scale down for, from the third minute on.
async fn falling(world: &World, control: &ControlLoop) {
    world.minutes(control, 2).await;
    world.platform.group().busy_vcpu = Some(3.0);
}

/// The same memory, and no capacity for the type that could carry it: there and back.
async fn stuck(world: &World, control: &ControlLoop) {
    growing(world, control).await;
    world.platform.group().no_capacity = vec!["r7i.xlarge".into()];
}

#[derive(Debug, Clone, Copy)]
enum Story {
    Rising,
    Falling,
    Growing,
    Stuck,
}

/// Where the first controller dies: at its `call`-th call of the `minute`-th minute after the story has begun.
#[derive(Debug, Clone, Copy)]
struct Death {
    minute: usize,
    call: usize,
    moment: Moment,
}

/// Plays a story with a controller that dies, and the next one after it.
async fn play(story: Story, death: Option<Death>) -> End {
    let world = match story {
        Story::Stuck => {
            let ladder = json!([{"name": "web", "ladder": {"types": ["m7i.xlarge", "r7i.xlarge"]}}]);
            World::with(json!({"groups": ladder}))
        }
        Story::Rising | Story::Falling | Story::Growing => World::new(),
    };
    let first = world.control();
    match story {
        Story::Rising => rising(&world, &first).await,
        Story::Falling => falling(&world, &first).await,
        Story::Growing => growing(&world, &first).await,
        Story::Stuck => stuck(&world, &first).await,
    }
    if let Some(Death { minute, call, moment }) = death {
        world.minutes(&first, minute).await;
        let mortal = ControlLoop::new(dying(world.ports.clone(), call, moment), world.config.clone());
        world.clock.advance_seconds(60);
        // It may end with an error or without: the point is what it leaves behind.
        let _ = mortal.tick(Duration::from_secs(50)).await;
    }
    let next = world.control();
    world.minutes(&next, 30).await;
    let mut end = end(&world);
    if matches!(story, Story::Stuck) {
        // The memory stays too high, so that the count is tried too: a minute sooner or later than undisturbed.
        end.changes.retain(|step| !matches!(step, Step::SetDesired { .. }));
    }
    end
}

/// Dies before and after every call of the first minutes, in which everything that the story asks for happens.
async fn every_death(story: Story, minutes: usize) {
    let undisturbed = play(story, None).await;
    assert!(!undisturbed.changes.is_empty(), "the story changes something");
    for minute in 0..minutes {
        for call in 1..=12 {
            for moment in [Moment::Before, Moment::After] {
                let death = Death { minute, call, moment };
                assert_eq!(play(story, Some(death)).await, undisturbed, "{death:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_scale_up_is_made_once_wherever_the_first_controller_dies() {
    every_death(Story::Rising, 4).await;
}

#[tokio::test]
async fn a_scale_down_is_made_once_wherever_the_first_controller_dies() {
    every_death(Story::Falling, 8).await;
}

#[tokio::test]
async fn a_type_change_is_made_once_wherever_the_first_controller_dies() {
    every_death(Story::Growing, 5).await;
}

#[tokio::test]
async fn a_way_back_is_made_once_wherever_the_first_controller_dies() {
    every_death(Story::Stuck, 8).await;
}
