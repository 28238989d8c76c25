//! Notifications of a group: which kinds go to which topic. What would be sent is told at `/_emulator/events`.

use serde::{Deserialize, Serialize};

use super::page::{Sizes, sorted};
use super::policies::selected;
use super::{check_stays, group_mut};
use crate::region::Region;
use crate::wire::AwsError;

/// The kinds of notification.
pub const KINDS: [&str; 5] = [
    "autoscaling:EC2_INSTANCE_LAUNCH",
    "autoscaling:EC2_INSTANCE_LAUNCH_ERROR",
    "autoscaling:EC2_INSTANCE_TERMINATE",
    "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
    "autoscaling:TEST_NOTIFICATION",
];

/// Most topics of a group.
const MOST: usize = 10;

/// Input of PutNotificationConfiguration and DeleteNotificationConfiguration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The topic.
    #[serde(rename = "TopicARN")]
    pub topic_arn: String,
    /// The kinds; replaced as a whole.
    #[serde(default)]
    pub notification_types: Vec<String>,
}

/// Sets what goes to a topic.
pub fn put(region: &mut Region, input: &PutInput) -> Result<(), AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    check_stays(group)?;
    if input.notification_types.is_empty() {
        return Err(AwsError::validation(
            "1 validation error detected: Value null at 'notificationTypes' failed to satisfy constraint: Member must not \
             be null",
        ));
    }
    if let Some(kind) = input.notification_types.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
        return Err(AwsError::validation(format!("\"{kind}\" is not a valid Notification Type")));
    }
    if !input.topic_arn.starts_with("arn:") || !input.topic_arn.contains(":sns:") {
        return Err(AwsError::validation(format!("Invalid SNS Topic ARN: '{}'", input.topic_arn)));
    }
    if group.notifications.len() >= MOST && !group.notifications.contains_key(&input.topic_arn) {
        return Err(AwsError::new(
            "LimitExceeded",
            format!("A group must not have more than {MOST} topics."),
        ));
    }
    group.notifications.insert(input.topic_arn.clone(), input.notification_types.iter().cloned().collect());
    region.with_group(&input.auto_scaling_group_name, |group, context| {
        group.notify_test(context.events, context.now, &input.topic_arn);
    });
    Ok(())
}

/// Ends what goes to a topic.
pub fn delete(region: &mut Region, input: &PutInput) -> Result<(), AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    match group.notifications.remove(&input.topic_arn) {
        Some(_) => Ok(()),
        None => Err(AwsError::validation(format!(
            "Notification Topic '{}' doesn't exist for AutoScalingGroup {}",
            input.topic_arn, input.auto_scaling_group_name
        ))),
    }
}

/// Input of DescribeNotificationConfigurations.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DescribeInput {
    /// All groups when empty.
    pub auto_scaling_group_names: Vec<String>,
    /// 50 by default, at most 100.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeNotificationConfigurations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeOutput {
    /// One a group, topic and kind.
    pub notification_configurations: Vec<Configuration>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// One kind that goes to one topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Configuration {
    pub auto_scaling_group_name: String,
    #[serde(rename = "TopicARN")]
    pub topic_arn: String,
    pub notification_type: String,
}

/// Describes what goes where.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let size = Sizes(50, 100).choose(input.max_records)?;
    let names = &input.auto_scaling_group_names;
    let mut all = Vec::new();
    for group in selected(region, None)? {
        if !names.is_empty() && !names.contains(&group.name) {
            continue;
        }
        for (topic, kinds) in &group.notifications {
            all.extend(kinds.iter().map(|kind| Configuration {
                auto_scaling_group_name: group.name.clone(),
                topic_arn: topic.clone(),
                notification_type: kind.clone(),
            }));
        }
    }
    let key = |one: &Configuration| {
        format!("{}\t{}\t{}", one.auto_scaling_group_name, one.topic_arn, one.notification_type)
    };
    all.sort_by_key(key);
    let page = sorted(all, key, input.next_token.as_deref(), size)?;
    Ok(DescribeOutput { notification_configurations: page.items, next_token: page.next_token })
}
