//! What holds a refresh back, ends it, and refuses it: checkpoints, alarms, standby, preferences that cannot be.

use scaling_emulator::Emulator;
use scaling_emulator::cloudwatch;
use scaling_emulator::region::LifecycleState::InService;
use scaling_emulator::region::refresh::RefreshStatus;
use serde_json::json;

use crate::call::{call, ec2, is_refused, refused};
use crate::client::{advance, emulator, ids, types, web};

const LAUNCH: &str = "DesiredConfiguration.MixedInstancesPolicy.LaunchTemplate";
const FULL: &str = "Preferences.MinHealthyPercentage=100&Preferences.MaxHealthyPercentage=200\
    &Preferences.InstanceWarmup=0";

fn to_c7i(preferences: &str) -> String {
    format!(
        "{LAUNCH}.LaunchTemplateSpecification.LaunchTemplateName=web&{LAUNCH}.LaunchTemplateSpecification.Version=1\
         &{LAUNCH}.Overrides.member.1.InstanceType=c7i.large&{FULL}&{preferences}"
    )
}

fn status(emulator: &Emulator) -> RefreshStatus {
    web(emulator, |group| group.refreshes.last().unwrap().status)
}

fn replaced(emulator: &Emulator) -> usize {
    types(emulator).iter().filter(|kind| *kind == "c7i.large").count()
}

#[tokio::test]
async fn a_refresh_pauses_at_each_of_its_checkpoints() {
    let emulator = emulator(4).await;
    let preferences = "Preferences.CheckpointPercentages.member.1=25&Preferences.CheckpointPercentages.member.2=50\
        &Preferences.CheckpointPercentages.member.3=100&Preferences.CheckpointDelay=1800";
    call(&emulator, "StartInstanceRefresh", &to_c7i(preferences));
    for (seconds, expected) in [(600, 1), (1200, 1), (600, 2), (1200, 2), (900, 4)] {
        advance(&emulator, seconds).await;
        assert_eq!(replaced(&emulator), expected);
        assert_eq!(status(&emulator), RefreshStatus::InProgress);
        assert!(ids(&emulator, InService).len() >= 4);
    }
    advance(&emulator, 1800).await;
    assert_eq!((status(&emulator), replaced(&emulator)), (RefreshStatus::Successful, 4));
}

#[tokio::test]
async fn a_last_checkpoint_below_the_whole_ends_it_there() {
    let emulator = emulator(4).await;
    let preferences = "Preferences.CheckpointPercentages.member.1=50&Preferences.CheckpointDelay=0";
    call(&emulator, "StartInstanceRefresh", &to_c7i(preferences));
    advance(&emulator, 900).await;
    assert_eq!((status(&emulator), replaced(&emulator)), (RefreshStatus::Successful, 2));
}

#[tokio::test]
async fn an_alarm_that_goes_off_turns_it_back() {
    let emulator = emulator(2).await;
    let alarm = json!({
        "AlarmName": "errors", "Namespace": "Shop", "MetricName": "Errors", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "ignore",
    });
    emulator.with_region(|region| cloudwatch::dispatch(region, "PutMetricAlarm", alarm)).unwrap();
    let watching = "Preferences.AlarmSpecification.Alarms.member.1=errors&Preferences.AutoRollback=true";
    // The group names its version, so that it can be turned back.
    call(&emulator, "StartInstanceRefresh", &to_c7i(watching));
    advance(&emulator, 60).await;
    let on = json!({ "AlarmName": "errors", "StateValue": "ALARM", "StateReason": "test" });
    emulator.with_region(|region| cloudwatch::dispatch(region, "SetAlarmState", on)).unwrap();
    advance(&emulator, 15).await;
    assert_eq!(status(&emulator), RefreshStatus::RollbackInProgress);
    advance(&emulator, 600).await;
    assert_eq!((status(&emulator), replaced(&emulator)), (RefreshStatus::RollbackSuccessful, 0));
    let reason = web(&emulator, |group| group.refreshes[0].rollback.clone().unwrap().rollback_reason);
    assert_eq!(reason, "Alarm errors is in state ALARM.");
}

#[tokio::test]
async fn it_waits_for_instances_in_standby_unless_told_otherwise() {
    for (word, expected) in [
        ("Wait", RefreshStatus::InProgress),
        ("Ignore", RefreshStatus::Successful),
        ("Terminate", RefreshStatus::Successful),
    ] {
        let emulator = emulator(3).await;
        let id = ids(&emulator, InService)[0].clone();
        call(
            &emulator,
            "EnterStandby",
            &format!("InstanceIds.member.1={id}&ShouldDecrementDesiredCapacity=true"),
        );
        advance(&emulator, 30).await;
        call(&emulator, "StartInstanceRefresh", &to_c7i(&format!("Preferences.StandbyInstances={word}")));
        advance(&emulator, 900).await;
        assert_eq!(status(&emulator), expected, "{word}");
        assert_eq!(web(&emulator, |group| group.member(&id).is_some()), word != "Terminate", "{word}");
    }
}

#[tokio::test]
async fn what_a_refresh_is_bringing_about_cannot_be_changed_meanwhile() {
    let emulator = emulator(2).await;
    call(&emulator, "StartInstanceRefresh", &to_c7i(""));
    advance(&emulator, 30).await;
    let source = "LaunchTemplate.LaunchTemplateName=web&LaunchTemplate.Version=1";
    let (code, message) = refused(&emulator, "UpdateAutoScalingGroup", source);
    assert_eq!(code, "ValidationError");
    assert!(
        message.starts_with("An active instance refresh with a desired configuration exists."),
        "{message}"
    );
    call(&emulator, "UpdateAutoScalingGroup", "MaxSize=12");
    advance(&emulator, 900).await;
    assert_eq!(status(&emulator), RefreshStatus::Successful);
    call(&emulator, "UpdateAutoScalingGroup", source);
    // One without a desired configuration leaves the group's own to be changed.
    call(&emulator, "StartInstanceRefresh", FULL);
    call(&emulator, "UpdateAutoScalingGroup", source);
}

#[tokio::test]
async fn preferences_that_cannot_be_are_refused() {
    let emulator = emulator(1).await;
    for (preferences, part) in [
        (
            "Preferences.CheckpointPercentages.member.1=50&Preferences.CheckpointPercentages.member.2=20",
            "ascending",
        ),
        ("Preferences.CheckpointPercentages.member.1=0", "from 1 to 100"),
        ("Preferences.CheckpointDelay=60", "requires CheckpointPercentages"),
        ("Preferences.BakeTime=200000", "BakeTime must be from 0 to 172800"),
        ("Preferences.StandbyInstances=Keep", "Invalid value 'Keep'"),
    ] {
        is_refused(&emulator, "StartInstanceRefresh", &to_c7i(preferences), part);
    }
}

#[tokio::test]
async fn a_suspended_refresh_rests_and_goes_on_when_it_is_resumed() {
    let emulator = emulator(2).await;
    call(&emulator, "SuspendProcesses", "ScalingProcesses.member.1=InstanceRefresh");
    call(&emulator, "StartInstanceRefresh", &to_c7i(""));
    advance(&emulator, 7200).await;
    assert_eq!((types(&emulator).len(), replaced(&emulator)), (2, 0));
    assert!(status(&emulator).is_active(), "it is not cancelled");
    call(&emulator, "ResumeProcesses", "ScalingProcesses.member.1=InstanceRefresh");
    advance(&emulator, 900).await;
    assert_eq!((status(&emulator), replaced(&emulator)), (RefreshStatus::Successful, 2));
}

#[tokio::test]
async fn what_is_launched_by_an_image_that_a_parameter_names_cannot_come_back() {
    let emulator = emulator(2).await;
    let template = "LaunchTemplateName=by-parameter&LaunchTemplateData.InstanceType=m7i.large\
        &LaunchTemplateData.ImageId=resolve:ssm:/aws/service/ami";
    ec2(&emulator, "CreateLaunchTemplate", template);
    let by_parameter = "LaunchTemplate.LaunchTemplateName=by-parameter&LaunchTemplate.Version=1";
    call(&emulator, "UpdateAutoScalingGroup", by_parameter);
    let (_, message) = refused(&emulator, "StartInstanceRefresh", &to_c7i("Preferences.AutoRollback=true"));
    assert!(message.contains("SSM parameter"), "{message}");
    call(&emulator, "StartInstanceRefresh", &to_c7i(""));
    advance(&emulator, 30).await;
    let (code, _) = refused(&emulator, "RollbackInstanceRefresh", "");
    assert_eq!(code, "IrreversibleInstanceRefresh");
}
