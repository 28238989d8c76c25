//! Instance maintenance policies: whether a replacement comes before or after.

use scaling_emulator::region::LifecycleState::{InService, Terminating};
use scaling_emulator::{Emulator, Fault};

use crate::call::{call, refused};
use crate::client::{advance, emulator, ids, set, web};

fn policy(min: i32, max: i32) -> String {
    format!(
        "InstanceMaintenancePolicy.MinHealthyPercentage={min}&InstanceMaintenancePolicy.MaxHealthyPercentage={max}\
         &DefaultInstanceWarmup=60"
    )
}

fn unhealthy(emulator: &Emulator, id: &str) {
    call(emulator, "SetInstanceHealth", &format!("InstanceId={id}&HealthStatus=Unhealthy"));
}

fn alive(emulator: &Emulator) -> usize {
    web(emulator, |group| group.alive().count())
}

#[tokio::test]
async fn where_all_has_to_stay_healthy_the_replacement_comes_first() {
    let emulator = emulator(4).await;
    call(&emulator, "UpdateAutoScalingGroup", &policy(100, 150));
    advance(&emulator, 90).await;
    let lost = ids(&emulator, InService)[1].clone();
    unhealthy(&emulator, &lost);
    advance(&emulator, 30).await;
    assert_eq!((alive(&emulator), ids(&emulator, Terminating).len()), (5, 0));
    while ids(&emulator, InService).len() < 5 {
        advance(&emulator, 15).await;
        assert!(ids(&emulator, InService).contains(&lost));
    }
    advance(&emulator, 30).await;
    assert!(ids(&emulator, InService).contains(&lost), "the replacement warms up");
    advance(&emulator, 60).await;
    let left = ids(&emulator, InService);
    assert!(left.len() == 4 && !left.contains(&lost), "{left:?}");
    advance(&emulator, 600).await;
    assert_eq!((alive(&emulator), ids(&emulator, InService)), (4, left));
}

#[tokio::test]
async fn many_are_replaced_as_the_maximum_allows() {
    let emulator = emulator(4).await;
    call(&emulator, "UpdateAutoScalingGroup", &policy(100, 150));
    advance(&emulator, 90).await;
    let old = ids(&emulator, InService);
    for id in &old {
        unhealthy(&emulator, id);
    }
    for _ in 0..80 {
        advance(&emulator, 15).await;
        assert!(alive(&emulator) <= 6 && ids(&emulator, InService).len() >= 4);
    }
    let left = ids(&emulator, InService);
    assert!(left.len() == 4 && left.iter().all(|id| !old.contains(id)), "{left:?}");
}

#[tokio::test]
async fn what_runs_no_more_ends_at_once_and_so_does_all_with_another_policy() {
    let emulator = emulator(2).await;
    call(&emulator, "UpdateAutoScalingGroup", &policy(90, 120));
    unhealthy(&emulator, &ids(&emulator, InService)[0]);
    advance(&emulator, 15).await;
    assert_eq!(ids(&emulator, Terminating).len(), 1);
    advance(&emulator, 300).await;
    call(&emulator, "UpdateAutoScalingGroup", &policy(100, 200));
    let gone = ids(&emulator, InService)[0].clone();
    emulator.inject(Fault::SpotInterruption { instance_id: gone.clone() }).unwrap();
    advance(&emulator, 135).await;
    assert_eq!(ids(&emulator, Terminating), [gone]);
}

#[tokio::test]
async fn one_that_has_lived_long_enough_waits_for_its_replacement() {
    let emulator = emulator(2).await;
    let first = ids(&emulator, InService);
    call(&emulator, "UpdateAutoScalingGroup", &format!("MaxInstanceLifetime=86400&{}", policy(100, 150)));
    advance(&emulator, 86_400 - 30).await;
    for _ in 0..80 {
        advance(&emulator, 15).await;
        assert!(ids(&emulator, InService).len() >= 2 && alive(&emulator) <= 3);
    }
    assert!(ids(&emulator, InService).iter().all(|id| !first.contains(id)));
}

#[tokio::test]
async fn a_group_that_shrinks_meanwhile_gives_up_what_is_unhealthy_first() {
    let emulator = emulator(4).await;
    call(&emulator, "UpdateAutoScalingGroup", &policy(100, 150));
    advance(&emulator, 90).await;
    let lost = ids(&emulator, InService)[1].clone();
    unhealthy(&emulator, &lost);
    set(&emulator, 3).unwrap();
    advance(&emulator, 60).await;
    let left = ids(&emulator, InService);
    assert!(left.len() == 3 && !left.contains(&lost), "{left:?}");
}

#[tokio::test]
async fn the_cooldown_holds_from_the_moment_of_the_first_change() {
    let emulator = emulator(1).await;
    advance(&emulator, 600).await;
    call(&emulator, "SetDesiredCapacity", "DesiredCapacity=2&HonorCooldown=true");
    let (code, _) = refused(&emulator, "SetDesiredCapacity", "DesiredCapacity=3&HonorCooldown=true");
    assert_eq!(code, "ScalingActivityInProgress");
    advance(&emulator, 1200).await;
    let policy = "PolicyName=p&AdjustmentType=ChangeInCapacity&ScalingAdjustment=1";
    call(&emulator, "PutScalingPolicy", policy);
    call(&emulator, "ExecutePolicy", "PolicyName=p&HonorCooldown=true");
    assert_eq!(
        refused(&emulator, "ExecutePolicy", "PolicyName=p&HonorCooldown=true").0,
        "ScalingActivityInProgress"
    );
}
