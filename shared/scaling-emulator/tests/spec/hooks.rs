//! Lifecycle hooks: they hold instances that boot or end.

use scaling_emulator::Emulator;
use scaling_emulator::region::LifecycleState::InService;
use scaling_emulator::region::activity::ActivityStatus;
use serde_json::Value;

use crate::call::{call, is_refused, refused, states};
use crate::client::{advance, emulator, ids, set, web};

const LAUNCH: &str =
    "LifecycleHookName=boot&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING&HeartbeatTimeout=600";
const END: &str =
    "LifecycleHookName=drain&LifecycleTransition=autoscaling:EC2_INSTANCE_TERMINATING&HeartbeatTimeout=120";

fn newest(emulator: &Emulator) -> String {
    web(emulator, |group| group.members.last().unwrap().id.clone())
}

#[tokio::test]
async fn a_launch_waits_until_it_is_completed_and_then_serves() {
    let emulator = emulator(1).await;
    call(&emulator, "PutLifecycleHook", LAUNCH);
    set(&emulator, 2).unwrap();
    advance(&emulator, 300).await;
    assert_eq!(states(&emulator), ["InService", "Pending:Wait"]);
    let status = web(&emulator, |group| group.activities.iter().next().unwrap().status_code);
    assert_eq!(status, ActivityStatus::MidLifecycleAction);
    let id = newest(&emulator);
    call(
        &emulator,
        "CompleteLifecycleAction",
        &format!("LifecycleHookName=boot&LifecycleActionResult=CONTINUE&InstanceId={id}"),
    );
    advance(&emulator, 30).await;
    assert_eq!(states(&emulator), ["InService", "InService"]);
}

#[tokio::test]
async fn an_event_carries_the_token_that_completes_the_action() {
    let emulator = emulator(1).await;
    call(&emulator, "PutLifecycleHook", &format!("{LAUNCH}&NotificationMetadata=blue"));
    set(&emulator, 2).unwrap();
    advance(&emulator, 150).await;
    let event = emulator.with_region(|region| {
        let events: Vec<_> = region.events.after(0).cloned().collect();
        events.into_iter().find(|event| event.detail_type == "EC2 Instance-launch Lifecycle Action").unwrap()
    });
    assert_eq!(event.detail["NotificationMetadata"], "blue");
    let token = event.detail["LifecycleActionToken"].as_str().unwrap();
    let named = format!("LifecycleHookName=boot&LifecycleActionToken={token}");
    call(&emulator, "RecordLifecycleActionHeartbeat", &named);
    call(&emulator, "CompleteLifecycleAction", &format!("{named}&LifecycleActionResult=CONTINUE"));
    let again =
        refused(&emulator, "CompleteLifecycleAction", &format!("{named}&LifecycleActionResult=CONTINUE"));
    assert!(again.1.contains("No active Lifecycle Action found with token"), "{}", again.1);
    advance(&emulator, 30).await;
    assert_eq!(ids(&emulator, InService).len(), 2);
}

#[tokio::test]
async fn an_abandoned_launch_is_ended_and_replaced() {
    let emulator = emulator(1).await;
    call(&emulator, "PutLifecycleHook", LAUNCH);
    set(&emulator, 2).unwrap();
    advance(&emulator, 30).await;
    let id = newest(&emulator);
    call(
        &emulator,
        "CompleteLifecycleAction",
        &format!("LifecycleHookName=boot&LifecycleActionResult=ABANDON&InstanceId={id}"),
    );
    advance(&emulator, 15).await;
    assert_eq!(states(&emulator), ["InService", "Terminating", "Pending:Wait"]);
}

#[tokio::test]
async fn a_launch_whose_time_is_up_goes_by_the_default_result_and_heartbeats_prolong_it() {
    for (result, expected) in [("CONTINUE", "InService"), ("ABANDON", "Terminating")] {
        let emulator = emulator(1).await;
        call(&emulator, "PutLifecycleHook", &format!("{LAUNCH}&DefaultResult={result}"));
        set(&emulator, 2).unwrap();
        advance(&emulator, 300).await;
        let id = newest(&emulator);
        call(&emulator, "RecordLifecycleActionHeartbeat", &format!("LifecycleHookName=boot&InstanceId={id}"));
        advance(&emulator, 585).await;
        assert_eq!(states(&emulator)[1], "Pending:Wait", "{result}");
        advance(&emulator, 30).await;
        assert_eq!(states(&emulator)[1], expected, "{result}");
    }
}

#[tokio::test]
async fn an_instance_that_ends_is_held_out_of_service_until_its_time_is_up() {
    let emulator = emulator(2).await;
    call(&emulator, "PutLifecycleHook", END);
    set(&emulator, 1).unwrap();
    advance(&emulator, 30).await;
    assert_eq!(states(&emulator), ["Terminating:Wait", "InService"]);
    advance(&emulator, 75).await;
    assert_eq!(states(&emulator).len(), 2);
    advance(&emulator, 75).await;
    assert_eq!(states(&emulator), ["InService"]);
}

#[tokio::test]
async fn hooks_are_stored_shown_and_deleted_by_the_services_rules() {
    let emulator = emulator(1).await;
    call(
        &emulator,
        "PutLifecycleHook",
        "LifecycleHookName=b&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING",
    );
    let shown = call(&emulator, "DescribeLifecycleHooks", "");
    let hook = &shown["LifecycleHooks"][0];
    assert_eq!((&hook["HeartbeatTimeout"], &hook["GlobalTimeout"]), (&3600.into(), &172_800.into()));
    assert_eq!(hook["DefaultResult"], "ABANDON");
    for (operation, members, part) in [
        ("PutLifecycleHook", "LifecycleHookName=x", "LifecycleTransition is required"),
        ("PutLifecycleHook", &format!("{LAUNCH}00"), "between 30 and 7200"),
        ("DeleteLifecycleHook", "LifecycleHookName=x", "No Lifecycle Hook found with name: x"),
        (
            "CompleteLifecycleAction",
            "LifecycleHookName=b&LifecycleActionResult=CONTINUE",
            "LifecycleActionToken",
        ),
        ("CompleteLifecycleAction", "LifecycleHookName=b&InstanceId=i-1", "'lifecycleActionResult'"),
        (
            "RecordLifecycleActionHeartbeat",
            "LifecycleHookName=b&InstanceId=i-1",
            "No active Lifecycle Action found with instance ID i-1",
        ),
    ] {
        is_refused(&emulator, operation, members, part);
    }
    call(&emulator, "DeleteLifecycleHook", "LifecycleHookName=b");
    assert_eq!(call(&emulator, "DescribeLifecycleHooks", "")["LifecycleHooks"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_hook_holds_an_instance_on_its_way_into_the_warm_pool_and_again_on_its_way_out() {
    let emulator = emulator(1).await;
    call(&emulator, "PutWarmPool", "MinSize=1&MaxGroupPreparedCapacity=2");
    let hook =
        "LifecycleHookName=h&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING&DefaultResult=CONTINUE";
    call(&emulator, "PutLifecycleHook", hook);
    advance(&emulator, 300).await;
    assert_eq!(states(&emulator), ["InService", "Warmed:Pending:Wait"]);
    let id = web(&emulator, |group| group.members[1].id.clone());
    let complete = format!("LifecycleHookName=h&InstanceId={id}&LifecycleActionResult=CONTINUE");
    call(&emulator, "CompleteLifecycleAction", &complete);
    advance(&emulator, 60).await;
    assert_eq!(states(&emulator), ["InService", "Warmed:Stopped"]);
    set(&emulator, 2).unwrap();
    advance(&emulator, 60).await;
    assert_eq!(states(&emulator)[1], "Pending:Wait");
    call(&emulator, "CompleteLifecycleAction", &complete);
    advance(&emulator, 60).await;
    assert_eq!(states(&emulator)[1], "InService");
    assert_eq!(
        ways(&emulator, &id, "EC2 Instance-launch Lifecycle Action"),
        ["EC2 to WarmPool", "WarmPool to AutoScalingGroup"]
    );
}

#[tokio::test]
async fn a_hook_holds_an_instance_on_its_way_back_into_the_warm_pool_and_when_it_ends_there() {
    let emulator = emulator(2).await;
    call(&emulator, "PutWarmPool", "MaxGroupPreparedCapacity=2&InstanceReusePolicy.ReuseOnScaleIn=true");
    call(&emulator, "PutLifecycleHook", END);
    let first = ids(&emulator, InService)[0].clone();
    let state = |emulator: &Emulator| {
        let member = web(emulator, |group| group.member(&first).map(|member| member.state));
        member.map(|state| serde_json::to_value(state).unwrap().as_str().unwrap().to_owned())
    };
    let complete = format!("LifecycleHookName=drain&InstanceId={first}&LifecycleActionResult=CONTINUE");
    set(&emulator, 1).unwrap();
    advance(&emulator, 60).await;
    assert_eq!(state(&emulator).as_deref(), Some("Warmed:Pending:Wait"));
    call(&emulator, "CompleteLifecycleAction", &complete);
    advance(&emulator, 30).await;
    assert_eq!(state(&emulator).as_deref(), Some("Warmed:Stopped"));
    call(&emulator, "DeleteWarmPool", "ForceDelete=true");
    advance(&emulator, 60).await;
    assert_eq!(state(&emulator).as_deref(), Some("Warmed:Terminating:Wait"));
    let shown = call(&emulator, "DescribeWarmPool", "");
    assert_eq!(shown["WarmPoolConfiguration"]["Status"], "PendingDelete");
    assert_eq!(shown["Instances"][0]["LifecycleState"], "Warmed:Terminating:Wait");
    call(&emulator, "CompleteLifecycleAction", &complete);
    advance(&emulator, 60).await;
    assert_eq!(state(&emulator), None);
    assert_eq!(
        ways(&emulator, &first, "EC2 Instance-terminate Lifecycle Action"),
        ["AutoScalingGroup to WarmPool", "WarmPool to EC2"]
    );
}

/// Where an instance was on its way from and to, each time that a hook held it.
fn ways(emulator: &Emulator, id: &str, event: &str) -> Vec<String> {
    emulator.with_region(|region| {
        let told = region.events.after(0).map(|event| serde_json::to_value(event).unwrap());
        let way = |told: serde_json::Value| {
            let detail = &told["detail"];
            let meant = detail["EC2InstanceId"] == id && told["detail-type"] == event;
            meant.then(|| format!("{} to {}", detail["Origin"], detail["Destination"]).replace('"', ""))
        };
        told.filter_map(way).collect()
    })
}

#[tokio::test]
async fn a_launch_into_the_warm_pool_that_is_abandoned_ends_the_instance() {
    let emulator = emulator(1).await;
    let hook = "LifecycleHookName=h&LifecycleTransition=autoscaling:EC2_INSTANCE_LAUNCHING";
    call(&emulator, "PutLifecycleHook", hook);
    call(&emulator, "PutWarmPool", "MinSize=1&MaxGroupPreparedCapacity=2");
    advance(&emulator, 60).await;
    let id = web(&emulator, |group| group.members[1].id.clone());
    let abandon = format!("LifecycleHookName=h&InstanceId={id}&LifecycleActionResult=ABANDON");
    call(&emulator, "CompleteLifecycleAction", &abandon);
    advance(&emulator, 60).await;
    assert!(web(&emulator, |group| group.member(&id).is_none()));
}

#[tokio::test]
async fn an_abandoned_end_waits_for_no_other_hook() {
    for abandons in [true, false] {
        let emulator = emulator(2).await;
        call(&emulator, "PutLifecycleHook", &END.replace("drain", "other").replace("120", "3600"));
        call(&emulator, "PutLifecycleHook", &format!("{END}&DefaultResult=ABANDON"));
        set(&emulator, 1).unwrap();
        advance(&emulator, 30).await;
        if abandons {
            let id = web(&emulator, |group| group.members[0].id.clone());
            let done = format!("LifecycleHookName=drain&LifecycleActionResult=ABANDON&InstanceId={id}");
            call(&emulator, "CompleteLifecycleAction", &done);
            advance(&emulator, 15).await;
            assert_eq!(states(&emulator)[0], "Terminating:Proceed");
        } else {
            advance(&emulator, 105).await;
            assert_eq!(states(&emulator), ["Terminating:Proceed", "InService"], "its time is up");
        }
        advance(&emulator, 45).await;
        assert_eq!(states(&emulator), ["InService"]);
    }
}

#[tokio::test]
async fn the_activity_of_an_abandoned_launch_says_so() {
    for (abandons, end) in
        [(true, "Lifecycle Action Completed with ABANDON Result"), (false, "Heartbeat Timeout")]
    {
        let emulator = emulator(1).await;
        call(&emulator, "PutLifecycleHook", LAUNCH);
        set(&emulator, 2).unwrap();
        advance(&emulator, 30).await;
        let id = newest(&emulator);
        if abandons {
            let done = format!("LifecycleHookName=boot&LifecycleActionResult=ABANDON&InstanceId={id}");
            call(&emulator, "CompleteLifecycleAction", &done);
        } else {
            advance(&emulator, 600).await;
        }
        let shown = call(&emulator, "DescribeScalingActivities", "");
        let launch = format!("Launching a new EC2 instance: {id}");
        let shown = shown["Activities"].as_array().unwrap().clone();
        let is_launch = |activity: &&Value| activity["Description"].as_str().unwrap().starts_with(&launch);
        let activity = shown.iter().find(is_launch).unwrap();
        let told = activity["StatusMessage"].as_str().unwrap();
        let beginning = "Instance failed to complete user's Lifecycle Action: Lifecycle Action with token ";
        assert!(told.starts_with(beginning) && told.ends_with(&format!(" was abandoned: {end}")), "{told}");
        assert_eq!(activity["Description"], format!("{launch}.  Status Reason: {told}"));
    }
}
