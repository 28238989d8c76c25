//! Scheduled actions that act. The emulator starts at midnight UTC of Monday, 5 January 2026.

use crate::call::{call, causes, is_refused, refused};
use crate::client::{advance, emulator, web};

fn sizes(emulator: &scaling_emulator::Emulator) -> (u32, u32, u32) {
    web(emulator, |group| (group.settings.min, group.settings.max, group.desired))
}

#[tokio::test]
async fn an_action_once_sets_sizes_at_its_time_and_is_gone() {
    let emulator = emulator(2).await;
    call(
        &emulator,
        "PutScheduledUpdateGroupAction",
        "ScheduledActionName=up&StartTime=2026-01-05T00:10:00Z&MinSize=3&MaxSize=8&DesiredCapacity=4",
    );
    advance(&emulator, 9 * 60).await;
    assert_eq!(sizes(&emulator), (1, 10, 2));
    advance(&emulator, 2 * 60).await;
    assert_eq!(sizes(&emulator), (3, 8, 4));
    let cause = &causes(&emulator, 1)[0];
    assert!(
        cause.contains("a scheduled action update of AutoScalingGroup constraints to min: 3, max: 8"),
        "{cause}"
    );
    let left = call(&emulator, "DescribeScheduledActions", "");
    assert_eq!(left["ScheduledUpdateGroupActions"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_recurring_action_acts_in_its_time_zone_until_its_end() {
    let emulator = emulator(1).await;
    let zone = "TimeZone=America/New_York&EndTime=2026-01-06T12:00:00Z";
    call(
        &emulator,
        "PutScheduledUpdateGroupAction",
        &format!("ScheduledActionName=evening&Recurrence=0+19+*+*+*&DesiredCapacity=5&{zone}"),
    );
    call(
        &emulator,
        "PutScheduledUpdateGroupAction",
        "ScheduledActionName=noon&Recurrence=0+12+*+*+*&DesiredCapacity=2",
    );
    advance(&emulator, 12 * 3600 + 60).await;
    assert_eq!(sizes(&emulator).2, 2);
    advance(&emulator, 12 * 3600).await;
    assert_eq!(sizes(&emulator).2, 5, "seven in the evening in New York is midnight UTC");
    advance(&emulator, 12 * 3600).await;
    let left = call(&emulator, "DescribeScheduledActions", "");
    assert_eq!(left["ScheduledUpdateGroupActions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bounds_take_the_desired_capacity_along_and_a_suspended_schedule_does_nothing() {
    let emulator = emulator(2).await;
    call(&emulator, "SuspendProcesses", "ScalingProcesses.member.1=ScheduledActions");
    call(
        &emulator,
        "PutScheduledUpdateGroupAction",
        "ScheduledActionName=min&Recurrence=*/10+*+*+*+*&MinSize=6",
    );
    advance(&emulator, 15 * 60).await;
    assert_eq!(sizes(&emulator), (1, 10, 2));
    call(&emulator, "ResumeProcesses", "");
    advance(&emulator, 10 * 60).await;
    assert_eq!(sizes(&emulator), (6, 10, 6));
}

#[tokio::test]
async fn what_cannot_be_scheduled_is_refused() {
    let emulator = emulator(2).await;
    for (members, part) in [
        ("ScheduledActionName=a&MinSize=1", "Start time or recurrence"),
        ("ScheduledActionName=a&Recurrence=0+0+*+*+*", "At least one of"),
        ("ScheduledActionName=a&StartTime=2020-01-01T00:00:00Z&MinSize=1", "in the past"),
        ("ScheduledActionName=a&Recurrence=0+0+*+*&MinSize=1", "recurrence string"),
        ("ScheduledActionName=a&Recurrence=0+0+*+*+*&TimeZone=Mars&MinSize=1", "time zone"),
        ("ScheduledActionName=a&Recurrence=0+0+*+*+*&MinSize=5&MaxSize=1", "MinSize is above MaxSize"),
    ] {
        is_refused(&emulator, "PutScheduledUpdateGroupAction", members, part);
    }
}

#[tokio::test]
async fn a_group_has_a_limited_number_of_actions_and_policies() {
    let emulator = emulator(1).await;
    for number in 0..125 {
        let action = format!("ScheduledActionName=a{number}&Recurrence=0+8+*+*+*&MinSize=1");
        call(&emulator, "PutScheduledUpdateGroupAction", &action);
    }
    let over = "ScheduledActionName=over&Recurrence=0+8+*+*+*&MinSize=1";
    assert_eq!(refused(&emulator, "PutScheduledUpdateGroupAction", over).0, "LimitExceeded");
    call(&emulator, "PutScheduledUpdateGroupAction", &over.replace("over", "a0"));
    let policy = |name: &str| format!("PolicyName={name}&AdjustmentType=ExactCapacity&ScalingAdjustment=1");
    for number in 0..50 {
        call(&emulator, "PutScalingPolicy", &policy(&number.to_string()));
    }
    assert_eq!(refused(&emulator, "PutScalingPolicy", &policy("over")).0, "LimitExceeded");
}

#[tokio::test]
async fn a_batch_tells_which_of_its_actions_failed() {
    let emulator = emulator(2).await;
    let first = "ScheduledUpdateGroupActions.member.1.ScheduledActionName=good\
        &ScheduledUpdateGroupActions.member.1.Recurrence=0+8+*+*+*&ScheduledUpdateGroupActions.member.1.MinSize=2";
    let second = "ScheduledUpdateGroupActions.member.2.ScheduledActionName=bad&\
        ScheduledUpdateGroupActions.member.2.MinSize=2";
    let answer = call(&emulator, "BatchPutScheduledUpdateGroupAction", &format!("{first}&{second}"));
    let failed = &answer["FailedScheduledUpdateGroupActions"];
    assert_eq!((failed.as_array().unwrap().len(), &failed[0]["ScheduledActionName"]), (1, &"bad".into()));
    let answer = call(
        &emulator,
        "BatchDeleteScheduledAction",
        "ScheduledActionNames.member.1=good&ScheduledActionNames.member.2=bad",
    );
    assert_eq!(answer["FailedScheduledActions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_action_acts_at_its_second_however_time_is_cut() {
    for (start, step) in [("00:10:07", 1), ("00:10:07", 15), ("00:10:07", 660), ("00:10:00", 660)] {
        let emulator = emulator(2).await;
        let once = format!("ScheduledActionName=up&StartTime=2026-01-05T{start}Z&DesiredCapacity=4");
        call(&emulator, "PutScheduledUpdateGroupAction", &once);
        for _ in 0..660 / step {
            advance(&emulator, step).await;
        }
        let at = format!("2026-01-05T{start}Z");
        let started = web(&emulator, |group| {
            group.activities.iter().take(2).map(|one| one.start_time.to_string()).collect::<Vec<_>>()
        });
        assert_eq!(started, [at.as_str(); 2], "{start} by {step} s");
        let cause = &causes(&emulator, 1)[0];
        assert!(cause.starts_with(&format!("At {at} a scheduled action")), "{cause}");
        assert!(cause.contains(&format!("At {at} an instance was started")), "{cause}");
    }
}

#[tokio::test]
async fn sizes_change_at_the_scheduled_second_and_not_before() {
    let emulator = emulator(2).await;
    let once = "ScheduledActionName=up&StartTime=2026-01-05T00:10:07Z&MinSize=3&MaxSize=8";
    call(&emulator, "PutScheduledUpdateGroupAction", once);
    advance(&emulator, 606).await;
    assert_eq!(sizes(&emulator), (1, 10, 2));
    advance(&emulator, 1).await;
    assert_eq!(sizes(&emulator), (3, 8, 3));
}

#[tokio::test]
async fn an_action_that_is_deleted_or_set_anew_acts_no_more_at_its_old_time() {
    let emulator = emulator(2).await;
    let put = |name: &str, at: &str, size: u32| {
        let action = format!("ScheduledActionName={name}&StartTime=2026-01-05T{at}Z&DesiredCapacity={size}");
        call(&emulator, "PutScheduledUpdateGroupAction", &action);
    };
    put("later", "00:05:00", 5);
    put("gone", "00:02:00", 9);
    advance(&emulator, 60).await;
    put("later", "00:03:05", 4);
    call(&emulator, "DeleteScheduledAction", "ScheduledActionName=gone");
    advance(&emulator, 124).await;
    assert_eq!(sizes(&emulator).2, 2);
    advance(&emulator, 1).await;
    assert_eq!(sizes(&emulator).2, 4);
    advance(&emulator, 300).await;
    assert_eq!(sizes(&emulator).2, 4);
}

#[tokio::test]
async fn a_kept_state_keeps_the_times_of_its_actions() {
    let emulator = emulator(2).await;
    let once = "ScheduledActionName=up&StartTime=2026-01-05T00:10:07Z&DesiredCapacity=4";
    call(&emulator, "PutScheduledUpdateGroupAction", once);
    advance(&emulator, 60).await;
    let state = emulator.write_state().unwrap();
    advance(&emulator, 600).await;
    let first = emulator.write_state().unwrap();
    emulator.read_state(&state).unwrap();
    advance(&emulator, 600).await;
    assert!(emulator.write_state().unwrap() == first);
}

#[tokio::test]
async fn a_day_that_never_comes_is_no_recurrence() {
    let emulator = emulator(1).await;
    for never in ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"] {
        let members = format!("ScheduledActionName=never&DesiredCapacity=1&Recurrence={never}");
        is_refused(&emulator, "PutScheduledUpdateGroupAction", &members, "recurrence");
    }
    for comes in ["0 0 29 2 *", "0 0 31 2,3 *", "0 0 31 2 1"] {
        let members = format!("ScheduledActionName=comes&DesiredCapacity=1&Recurrence={comes}");
        call(&emulator, "PutScheduledUpdateGroupAction", &members);
    }
}
