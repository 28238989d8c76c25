//! Traffic sources of a group: load balancers of each kind under one name, and VPC Lattice. What is attached here is shown
//! by the operations on load balancers and target groups, too, and the other way round.

use serde::{Deserialize, Serialize};

use super::balancing::{MOST_AT_ONCE, Nothing, add, is_target_group, remove};
use super::page::{Sizes, listed};
use super::{at_most, check_stays, group, group_mut};
use crate::region::group::{Group, GroupSettings};
use crate::region::{Member, Region};
use crate::wire::AwsError;

/// A source as it is named in requests, and as a group shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TrafficSource {
    /// ARN of a target group, or name of a classic load balancer.
    pub identifier: String,
    /// `elb`, `elbv2` or `vpc-lattice`; may be left out with an ARN.
    pub r#type: Option<String>,
}

/// Input of AttachTrafficSources and DetachTrafficSources.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SourcesInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// The sources.
    pub traffic_sources: Vec<TrafficSource>,
}

/// Input of DescribeTrafficSources.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeInput {
    /// The group.
    pub auto_scaling_group_name: String,
    /// Only this kind.
    pub traffic_source_type: Option<String>,
    /// Size of the page, 50 by default, at most 100.
    pub max_records: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeTrafficSources.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DescribeOutput {
    /// The page.
    pub traffic_sources: Vec<SourceState>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A source with its state. The older member with the same text is kept for older clients.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct SourceState {
    pub identifier: String,
    pub traffic_source: String,
    pub r#type: &'static str,
    pub state: &'static str,
}

/// Kinds of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Classic,
    Targets,
    Lattice,
}

impl Kind {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Classic, "elb"), (Self::Targets, "elbv2"), (Self::Lattice, "vpc-lattice")];

    fn named(name: &str) -> Result<Self, AwsError> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind).ok_or_else(|| {
            AwsError::validation(format!(
                "Invalid traffic source type: {name}. The types are elb, elbv2 and vpc-lattice."
            ))
        })
    }

    /// The kind that a source is of: an ARN tells, a name has to say it.
    fn of(source: &TrafficSource) -> Result<Self, AwsError> {
        let id = source.identifier.as_str();
        let told = match id.split(':').nth(2) {
            Some("elasticloadbalancing") if is_target_group(id) => Some(Self::Targets),
            Some("vpc-lattice") if id.contains(":targetgroup/") => Some(Self::Lattice),
            _ => None,
        };
        match (source.r#type.as_deref().map(Self::named).transpose()?, told) {
            (None, Some(told)) => Ok(told),
            (Some(said), told) if told == (said != Self::Classic).then_some(said) => Ok(said),
            (None, None) => Err(AwsError::validation(format!(
                "The traffic source {id} must say its type: only the ARN of a target group tells it."
            ))),
            (Some(_), _) => {
                Err(AwsError::validation(format!("The traffic source {id} is not of the type it says.")))
            }
        }
    }

    fn list(self, settings: &GroupSettings) -> &Vec<String> {
        match self {
            Self::Classic => &settings.load_balancer_names,
            Self::Targets => &settings.target_group_arns,
            Self::Lattice => &settings.lattice_target_groups,
        }
    }

    fn list_mut(self, settings: &mut GroupSettings) -> &mut Vec<String> {
        match self {
            Self::Classic => &mut settings.load_balancer_names,
            Self::Targets => &mut settings.target_group_arns,
            Self::Lattice => &mut settings.lattice_target_groups,
        }
    }
}

/// Attaches sources, all or none.
pub fn attach(region: &mut Region, input: &SourcesInput) -> Result<Nothing, AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    check_stays(group)?;
    attached(&mut group.settings, &input.traffic_sources)?;
    Ok(Nothing {})
}

/// Attaches sources to the settings of a group, all or none.
pub(super) fn attached(settings: &mut GroupSettings, sources: &[TrafficSource]) -> Result<(), AwsError> {
    at_most(sources, MOST_AT_ONCE, "trafficSources")?;
    let mut changed = settings.clone();
    for source in sources {
        add(
            Kind::of(source)?.list_mut(&mut changed),
            std::slice::from_ref(&source.identifier),
            "trafficSources",
        )?;
    }
    *settings = changed;
    Ok(())
}

/// Detaches sources, all or none. They are gone at once: there is nothing to drain.
pub fn detach(region: &mut Region, input: &SourcesInput) -> Result<Nothing, AwsError> {
    let group = group_mut(region, &input.auto_scaling_group_name)?;
    at_most(&input.traffic_sources, MOST_AT_ONCE, "trafficSources")?;
    let mut changed = group.settings.clone();
    for source in &input.traffic_sources {
        remove(
            Kind::of(source)?.list_mut(&mut changed),
            std::slice::from_ref(&source.identifier),
            "traffic source",
        )?;
    }
    group.settings = changed;
    Ok(Nothing {})
}

/// Describes the sources of a group: in service where any instance is, which passes every health check as soon as it
/// serves.
pub fn describe(region: &mut Region, input: &DescribeInput) -> Result<DescribeOutput, AwsError> {
    let group = group(region, &input.auto_scaling_group_name)?;
    let only = input.traffic_source_type.as_deref().map(Kind::named).transpose()?;
    let state = if group.members.iter().any(Member::is_in_service) { "InService" } else { "Added" };
    let shown = |(kind, name): (Kind, &'static str)| {
        let state = move |id: &String| SourceState {
            identifier: id.clone(),
            traffic_source: id.clone(),
            r#type: name,
            state,
        };
        kind.list(&group.settings).iter().map(state).collect::<Vec<_>>()
    };
    let kinds = Kind::ALL.into_iter().filter(|(kind, _)| only.is_none_or(|only| only == *kind));
    let found: Vec<SourceState> = kinds.flat_map(shown).collect();
    let size = Sizes(50, 100).choose(input.max_records)?;
    let page = listed(found, |one| one.identifier.clone(), input.next_token.as_deref(), size)?;
    Ok(DescribeOutput { traffic_sources: page.items, next_token: page.next_token })
}

/// The sources of a group, as it shows them.
pub(super) fn shown(group: &Group) -> Vec<TrafficSource> {
    let of = |(kind, name): (Kind, &str)| {
        let source = |id: &String| TrafficSource { identifier: id.clone(), r#type: Some(name.to_owned()) };
        kind.list(&group.settings).iter().map(source).collect::<Vec<_>>()
    };
    Kind::ALL.into_iter().flat_map(of).collect()
}
