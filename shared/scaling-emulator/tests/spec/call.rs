//! Calls by operation and form, and what the fleet then looks like.

use scaling_emulator::region::Member;
use scaling_emulator::wire::form::Form;
use scaling_emulator::{AwsError, Emulator, autoscaling, ec2};
use serde_json::Value;

use crate::client::web;

/// Calls an operation on the group `web`.
pub(crate) fn tried(emulator: &Emulator, operation: &str, members: &str) -> Result<Value, AwsError> {
    let form = Form::parse(format!("AutoScalingGroupName=web&{members}").as_bytes());
    emulator.with_region(|region| autoscaling::dispatch(region, operation, &form))
}

/// The same, where it must succeed.
pub(crate) fn call(emulator: &Emulator, operation: &str, members: &str) -> Value {
    tried(emulator, operation, members).unwrap()
}

/// Code and message of a call that must fail.
pub(crate) fn refused(emulator: &Emulator, operation: &str, members: &str) -> (String, String) {
    let error = tried(emulator, operation, members).unwrap_err();
    (error.code.into_owned(), error.message)
}

/// Asserts that a call fails with a validation error whose message has `part` in it.
#[track_caller]
pub(crate) fn is_refused(emulator: &Emulator, operation: &str, members: &str, part: &str) {
    let (code, message) = refused(emulator, operation, members);
    assert_eq!(code, "ValidationError", "{operation} {members}: {message}");
    assert!(message.contains(part), "{operation} {members}: {message}");
}

/// Calls an operation of EC2.
pub(crate) fn tried_ec2(emulator: &Emulator, operation: &str, members: &str) -> Result<Value, AwsError> {
    emulator.with_region(|region| ec2::dispatch(region, operation, &Form::parse(members.as_bytes())))
}

/// The same, where it must succeed.
#[track_caller]
pub(crate) fn ec2(emulator: &Emulator, operation: &str, members: &str) -> Value {
    tried_ec2(emulator, operation, members).unwrap_or_else(|error| panic!("{operation} {members}: {error}"))
}

/// The lifecycle states of the instances as the service writes them, in order of launch.
pub(crate) fn states(emulator: &Emulator) -> Vec<String> {
    let state = |member: &Member| serde_json::to_value(member.state).unwrap().as_str().unwrap().to_owned();
    web(emulator, |group| group.members.iter().map(state).collect())
}

/// Causes of the newest activities, newest first.
pub(crate) fn causes(emulator: &Emulator, count: usize) -> Vec<String> {
    web(emulator, |group| {
        group.activities.iter().take(count).map(|activity| activity.cause.clone()).collect()
    })
}
