//! Scaling in where protection leaves nothing to end.

use scaling_emulator::region::Group;

use crate::call::call;
use crate::client::{advance, emulator, set, web};

const TOLD: &str =
    "Could not scale to desired capacity because all remaining instances are protected from scale-in.";

/// Protects the first so many instances, or no longer.
fn protect(emulator: &scaling_emulator::Emulator, count: usize, protected: bool) {
    let ids: Vec<String> =
        web(emulator, |group| group.members.iter().take(count).map(|member| member.id.clone()).collect());
    let ids = (1..).zip(ids).map(|(number, id)| format!("InstanceIds.member.{number}={id}"));
    let members = ids.collect::<Vec<_>>().join("&");
    call(emulator, "SetInstanceProtection", &format!("{members}&ProtectedFromScaleIn={protected}"));
}

/// Status and cause of the activities that tell so, newest first.
fn told(emulator: &scaling_emulator::Emulator) -> Vec<(String, String)> {
    let shown = call(emulator, "DescribeScalingActivities", "");
    let of = |one: &serde_json::Value| {
        let text = |member: &str| one[member].as_str().unwrap().to_owned();
        (text("Description") == TOLD).then(|| (text("StatusCode"), text("Cause")))
    };
    shown["Activities"].as_array().unwrap().iter().filter_map(of).collect()
}

#[tokio::test]
async fn that_all_instances_are_protected_is_told_once_for_each_wish() {
    let emulator = emulator(3).await;
    protect(&emulator, 3, true);
    set(&emulator, 2).unwrap();
    advance(&emulator, 300).await;
    let first = told(&emulator);
    let [(status, cause)] = first.as_slice() else { panic!("{first:?}") };
    assert_eq!(status, "Cancelled");
    assert_eq!(
        cause,
        "At 2026-01-05T00:00:00Z a user request explicitly set group desired capacity changing the desired capacity \
         from 3 to 2.  At 2026-01-05T00:00:00Z group reached equilibrium."
    );
    assert_eq!(web(&emulator, Group::capacity), 3);
    set(&emulator, 1).unwrap();
    advance(&emulator, 300).await;
    assert_eq!(told(&emulator).len(), 2);
    let honoured = "DesiredCapacity=2&HonorCooldown=true";
    call(&emulator, "SetDesiredCapacity", honoured);
    advance(&emulator, 60).await;
    assert_eq!(told(&emulator).len(), 3);
    protect(&emulator, 1, false);
    advance(&emulator, 60).await;
    assert_eq!((web(&emulator, Group::capacity), told(&emulator).len()), (2, 3));
}

#[tokio::test]
async fn those_without_protection_end_before_it_is_told() {
    let emulator = emulator(3).await;
    protect(&emulator, 2, true);
    set(&emulator, 1).unwrap();
    advance(&emulator, 120).await;
    assert_eq!((web(&emulator, Group::capacity), told(&emulator).len()), (2, 1));
}

#[tokio::test]
async fn nothing_is_told_where_the_group_gets_what_it_wants() {
    let emulator = emulator(3).await;
    protect(&emulator, 2, true);
    set(&emulator, 2).unwrap();
    advance(&emulator, 120).await;
    assert_eq!((web(&emulator, Group::capacity), told(&emulator).len()), (2, 0));
}
