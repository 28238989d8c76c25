//! Dashboards: JSON under a name.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::members::Seconds;
use super::metric::required;
use super::{Empty, dashboard_body, paging};
use crate::region::Region;
use crate::wire::AwsError;

/// Dashboards of a page.
const PAGE: usize = 1000;

/// A dashboard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dashboard {
    /// As JSON.
    pub body: String,
    /// When it was last put.
    pub modified: Timestamp,
}

/// Dashboards by name.
pub type Dashboards = BTreeMap<String, Dashboard>;

/// Input of `PutDashboard` and `GetDashboard`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DashboardInput {
    /// Its name.
    pub dashboard_name: Option<String>,
    /// As JSON; when putting.
    pub dashboard_body: Option<String>,
}

/// Input of `ListDashboards`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ListInput {
    /// Only those whose names begin so.
    pub dashboard_name_prefix: Option<String>,
    /// From the page before.
    pub next_token: Option<String>,
}

/// Input of `DeleteDashboards`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DeleteInput {
    /// Which.
    pub dashboard_names: Vec<String>,
}

/// Output of `PutDashboard`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PutOutput {
    /// None: a body that is not as it must be is refused.
    pub dashboard_validation_messages: Vec<Empty>,
}

/// Output of `GetDashboard`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct GetOutput {
    pub dashboard_arn: String,
    pub dashboard_body: String,
    pub dashboard_name: String,
}

/// Output of `ListDashboards`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListOutput {
    /// The page.
    pub dashboard_entries: Vec<Entry>,
    /// Where the next page begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
}

/// A dashboard in a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Entry {
    pub dashboard_name: String,
    pub dashboard_arn: String,
    pub last_modified: Seconds,
    pub size: usize,
}

fn arn(region: &Region, name: &str) -> String {
    format!("arn:aws:cloudwatch::{}:dashboard/{name}", region.account_id)
}

fn unknown(name: &str) -> AwsError {
    AwsError::new("ResourceNotFound", format!("Dashboard {name} does not exist")).with_status(404)
}

/// Stores a dashboard.
///
/// # Errors
/// `InvalidParameterInput` for a name or body that cannot be.
pub fn put_dashboard(region: &mut Region, input: DashboardInput) -> Result<PutOutput, AwsError> {
    let name = required(input.dashboard_name, "DashboardName")?;
    let body = required(input.dashboard_body, "DashboardBody")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(allowed) {
        return Err(AwsError::new(
            "InvalidParameterInput",
            format!("The value {name} is no dashboard name."),
        ));
    }
    dashboard_body::check(&body).map_err(|why| AwsError::new("InvalidParameterInput", why))?;
    let modified = region.now;
    region.cloudwatch.dashboards.insert(name, Dashboard { body, modified });
    Ok(PutOutput::default())
}

/// Shows a dashboard.
///
/// # Errors
/// `ResourceNotFound`.
pub fn get_dashboard(region: &mut Region, input: DashboardInput) -> Result<GetOutput, AwsError> {
    let name = required(input.dashboard_name, "DashboardName")?;
    let dashboard = region.cloudwatch.dashboards.get(&name).ok_or_else(|| unknown(&name))?;
    Ok(GetOutput {
        dashboard_arn: arn(region, &name),
        dashboard_body: dashboard.body.clone(),
        dashboard_name: name,
    })
}

/// Lists dashboards by name.
///
/// # Errors
/// `InvalidNextToken`.
pub fn list_dashboards(region: &mut Region, input: &ListInput) -> Result<ListOutput, AwsError> {
    let prefix = input.dashboard_name_prefix.as_deref().unwrap_or_default();
    let dashboards = region.cloudwatch.dashboards.iter().filter(|(name, _)| name.starts_with(prefix));
    let entry = |(name, dashboard): (&String, &Dashboard)| Entry {
        dashboard_name: name.clone(),
        dashboard_arn: arn(region, name),
        last_modified: dashboard.modified.into(),
        size: dashboard.body.len(),
    };
    let (dashboard_entries, next_token) =
        paging::page(dashboards.map(entry).collect(), PAGE, input.next_token.as_deref())?;
    Ok(ListOutput { dashboard_entries, next_token })
}

/// Deletes dashboards, all of them or none.
///
/// # Errors
/// `ResourceNotFound`.
pub fn delete_dashboards(region: &mut Region, input: DeleteInput) -> Result<Empty, AwsError> {
    let known = &region.cloudwatch.dashboards;
    if let Some(name) = input.dashboard_names.iter().find(|name| !known.contains_key(*name)) {
        return Err(unknown(name));
    }
    for name in input.dashboard_names {
        region.cloudwatch.dashboards.remove(&name);
    }
    Ok(Empty {})
}
