//! What a refresh counts as replaced: in the group, at its checkpoints, in the warm pool, and on the way back.

use scaling_emulator::Emulator;
use scaling_emulator::region::LifecycleState::InService;
use serde_json::Value;

use crate::call::call;
use crate::client::{advance, emulator, ids, types, web};

const LAUNCH: &str = "DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate";
const FULL: &str = "Preferences.MinHealthyPercentage=100&Preferences.MaxHealthyPercentage=200";

fn to_c7i(preferences: &str) -> String {
    format!(
        "{LAUNCH}.LaunchTemplateSpecification.LaunchTemplateName=web&{LAUNCH}.LaunchTemplateSpecification.Version=1\
         &{LAUNCH}.Overrides.member.1.InstanceType=c7i.large&{preferences}"
    )
}

fn shown(emulator: &Emulator) -> Value {
    call(emulator, "DescribeInstanceRefreshes", "")["InstanceRefreshes"][0].clone()
}

fn progress(shown: &Value) -> (u64, u64) {
    let number = |member: &str| shown[member].as_u64().unwrap();
    (number("PercentageComplete"), number("InstancesToUpdate"))
}

/// Types of the instances in the warm pool that are ready.
fn pooled(emulator: &Emulator) -> Vec<String> {
    web(emulator, |group| {
        let ready = group.members.iter().filter(|member| member.state.is_warmed());
        ready.map(|member| member.instance_type.to_string()).collect()
    })
}

async fn to_the_end(emulator: &Emulator) -> String {
    for _ in 0..400 {
        advance(emulator, 15).await;
        let refresh = shown(emulator);
        if !refresh["EndTime"].is_null() {
            return refresh["Status"].as_str().unwrap().to_owned();
        }
    }
    panic!("it does not end: {:?}", shown(emulator));
}

#[tokio::test]
async fn an_instance_counts_when_its_replacement_has_warmed_up() {
    let emulator = emulator(4).await;
    call(&emulator, "StartInstanceRefresh", &to_c7i("Preferences.InstanceWarmup=120"));
    advance(&emulator, 60).await;
    assert_eq!(types(&emulator).iter().filter(|kind| *kind == "c7i.large").count(), 1, "one is on its way");
    assert_eq!(progress(&shown(&emulator)), (0, 4));
    while web(&emulator, |group| group.alive().filter(|member| member.is_in_service()).count()) < 4 {
        advance(&emulator, 15).await;
    }
    assert_eq!(progress(&shown(&emulator)), (0, 4), "it warms up");
    advance(&emulator, 135).await;
    assert_eq!(progress(&shown(&emulator)), (25, 3));
    assert_eq!(to_the_end(&emulator).await, "Successful");
    assert_eq!(progress(&shown(&emulator)), (100, 0));
}

#[tokio::test]
async fn it_pauses_at_a_checkpoint_with_the_whole_capacity() {
    let emulator = emulator(4).await;
    let checkpoints =
        "Preferences.CheckpointPercentages.member.1=50&Preferences.CheckpointPercentages.member.2=100";
    call(&emulator, "StartInstanceRefresh", &to_c7i(checkpoints));
    assert_eq!(shown(&emulator)["Preferences"]["CheckpointDelay"], 3600);
    while shown(&emulator)["StatusReason"] != "Waiting for the checkpoint delay to elapse." {
        advance(&emulator, 15).await;
    }
    for _ in 0..4 {
        assert_eq!(ids(&emulator, InService).len(), 4);
        assert_eq!(progress(&shown(&emulator)), (50, 2));
        advance(&emulator, 600).await;
    }
    // What is lost there is launched again.
    let lost = ids(&emulator, InService)[3].clone();
    call(&emulator, "SetInstanceHealth", &format!("InstanceId={lost}&HealthStatus=Unhealthy"));
    advance(&emulator, 600).await;
    assert_eq!((ids(&emulator, InService).len(), progress(&shown(&emulator))), (4, (50, 2)));
    assert_eq!(to_the_end(&emulator).await, "Successful");
}

#[tokio::test]
async fn the_warm_pool_is_replaced_too_and_nothing_old_is_taken_out_of_it() {
    let emulator = emulator(2).await;
    call(&emulator, "PutWarmPool", "MaxGroupPreparedCapacity=4");
    advance(&emulator, 300).await;
    assert_eq!(pooled(&emulator), ["m7i.large"; 2]);
    call(&emulator, "StartInstanceRefresh", &to_c7i(&format!("{FULL}&Preferences.InstanceWarmup=0")));
    advance(&emulator, 15).await;
    let begun = shown(&emulator);
    assert_eq!(progress(&begun), (0, 4));
    for pool in ["LivePoolProgress", "WarmPoolProgress"] {
        assert_eq!(progress(&begun["ProgressDetails"][pool]), (0, 2), "{pool}");
    }
    assert_eq!(to_the_end(&emulator).await, "Successful");
    assert_eq!(
        (types(&emulator), pooled(&emulator)),
        (vec!["c7i.large".to_owned(); 2], vec!["c7i.large".to_owned(); 2])
    );
    let done = shown(&emulator);
    assert_eq!(
        (progress(&done), progress(&done["ProgressDetails"]["WarmPoolProgress"])),
        ((100, 0), (100, 0))
    );
}

#[tokio::test]
async fn a_suspended_refresh_takes_nothing_old_out_of_the_pool() {
    let emulator = emulator(2).await;
    call(&emulator, "PutWarmPool", "MaxGroupPreparedCapacity=4");
    advance(&emulator, 300).await;
    call(&emulator, "SuspendProcesses", "ScalingProcesses.member.1=InstanceRefresh");
    call(&emulator, "StartInstanceRefresh", &to_c7i(FULL));
    call(&emulator, "SetDesiredCapacity", "DesiredCapacity=3");
    advance(&emulator, 30).await;
    assert_eq!(types(&emulator), ["m7i.large", "m7i.large", "c7i.large"]);
}

#[tokio::test]
async fn on_its_way_back_the_percentage_falls_to_nothing_and_no_reason_is_left() {
    let emulator = emulator(4).await;
    call(&emulator, "PutWarmPool", "MaxGroupPreparedCapacity=5");
    advance(&emulator, 300).await;
    call(&emulator, "StartInstanceRefresh", &to_c7i("Preferences.InstanceWarmup=0"));
    while progress(&shown(&emulator)["ProgressDetails"]["LivePoolProgress"]).1 > 2 {
        advance(&emulator, 15).await;
    }
    call(&emulator, "RollbackInstanceRefresh", "");
    let turned = shown(&emulator);
    let (percent, left) = progress(&turned);
    let details = &turned["RollbackDetails"];
    assert_eq!(
        (&details["PercentageCompleteOnRollback"], &details["InstancesToUpdateOnRollback"]),
        (&percent.into(), &left.into())
    );
    let mut last = percent;
    assert!(last > 0);
    while shown(&emulator)["EndTime"].is_null() {
        advance(&emulator, 15).await;
        let now = progress(&shown(&emulator)).0;
        assert!(now <= last, "{now} after {last}");
        last = now;
    }
    let back = shown(&emulator);
    assert_eq!((&back["Status"], &back["StatusReason"]), (&"RollbackSuccessful".into(), &Value::Null));
    assert_eq!(progress(&back), (0, 5));
    assert_eq!(
        (types(&emulator), pooled(&emulator)),
        (vec!["m7i.large".to_owned(); 4], vec!["m7i.large".to_owned()])
    );
}
