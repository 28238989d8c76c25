//! Describing scaling activities.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::group;
use super::page::{Sizes, listed};
use super::tags::Filter;
use crate::region::Region;
use crate::region::activity::{Activity, Deleted};
use crate::wire::AwsError;

/// Input of DescribeScalingActivities.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ActivitiesInput {
    /// One group; all when absent.
    pub auto_scaling_group_name: Option<String>,
    /// These only, when there are any.
    pub activity_ids: Vec<String>,
    /// Whether those of deleted groups are shown, too: of all, or of the named one.
    pub include_deleted_groups: bool,
    /// 100 by default and at most.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
    /// `StartTimeLowerBound`, `StartTimeUpperBound`, `Status`.
    pub filters: Vec<Filter>,
}

/// Output of DescribeScalingActivities.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActivitiesOutput {
    /// The page, newest first.
    pub activities: Vec<ActivityDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// An activity as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ActivityDescription {
    /// As it was recorded.
    #[serde(flatten)]
    pub activity: Activity,
    /// Whether its group is still there: `InService` or `Deleted`.
    pub auto_scaling_group_state: &'static str,
}

impl ActivityDescription {
    fn of((activity, state): (&Activity, &'static str)) -> Self {
        Self { activity: activity.clone(), auto_scaling_group_state: state }
    }
}

/// What is said of a group that is not deleted.
const IN_SERVICE: &str = "InService";

/// Describes the activities of one group or all, newest first.
pub fn describe(region: &mut Region, input: &ActivitiesInput) -> Result<ActivitiesOutput, AwsError> {
    let size = Sizes(100, 100).choose(input.max_records)?;
    let name = input.auto_scaling_group_name.as_deref();
    let mut found: Vec<(&Activity, &'static str)> = match name {
        Some(name) if !input.include_deleted_groups => {
            group(region, name)?.activities.iter().map(|activity| (activity, IN_SERVICE)).collect()
        }
        _ => {
            let is_meant = |group: &str| name.is_none_or(|name| name == group);
            let groups = region.groups().filter(|group| is_meant(&group.name));
            groups.flat_map(|group| group.activities.iter()).map(|activity| (activity, IN_SERVICE)).collect()
        }
    };
    if input.include_deleted_groups {
        let is_meant = |deleted: &&Deleted| name.is_none_or(|name| name == deleted.name);
        let deleted = region.deleted.iter().rev().filter(is_meant);
        let activities = deleted.flat_map(|deleted| deleted.activities.iter());
        found.extend(activities.map(|activity| (activity, "Deleted")));
    }
    if !input.activity_ids.is_empty() {
        found.retain(|(activity, _)| input.activity_ids.contains(&activity.activity_id));
    }
    for filter in &input.filters {
        let takes = criterion(filter)?;
        found.retain(|(activity, _)| takes(activity));
    }
    if name.is_none() || input.include_deleted_groups {
        found.sort_by_key(|(activity, _)| std::cmp::Reverse(activity.start_time));
    }
    let key = |(activity, _): &(&Activity, &str)| activity.activity_id.clone();
    let page = listed(found, key, input.next_token.as_deref(), size)?;
    Ok(ActivitiesOutput {
        activities: page.items.into_iter().map(ActivityDescription::of).collect(),
        next_token: page.next_token,
    })
}

type Criterion<'a> = Box<dyn Fn(&Activity) -> bool + 'a>;

fn criterion(filter: &Filter) -> Result<Criterion<'_>, AwsError> {
    let time = || {
        let text = filter.values.first().map_or("", String::as_str);
        text.parse::<Timestamp>().map_err(|_| AwsError::validation(format!("'{text}' is not a valid time.")))
    };
    Ok(match filter.name.as_str() {
        "StartTimeLowerBound" => {
            let bound = time()?;
            Box::new(move |activity| activity.start_time >= bound)
        }
        "StartTimeUpperBound" => {
            let bound = time()?;
            Box::new(move |activity| activity.start_time <= bound)
        }
        "Status" => Box::new(|activity| {
            filter.values.iter().any(|status| *status == format!("{:?}", activity.status_code))
        }),
        other => return Err(AwsError::validation(format!("Filter type {other} is not supported."))),
    })
}
