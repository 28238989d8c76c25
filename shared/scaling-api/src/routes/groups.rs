//! Groups and their decisions.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use scaling_control::ports::Record;
use scaling_control::record::{
    GroupRecord, KillSwitch, decisions_prefix, from_json, group_from_json, group_key,
};
use scaling_policy::config::{Config, GroupName};
use scaling_policy::decision::Decision;
use serde::{Deserialize, Serialize};

use super::{Path, Query};
use crate::cursor;
use crate::history::{History, LARGEST_LIMIT, Listed, Page, limit_of};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::views::{DecisionView, GroupView};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub(super) struct GroupsQuery {
    /// Most groups of a page, 1 to 500. Default 500.
    #[cfg_attr(test, param(minimum = 1, maximum = 500))]
    limit: Option<usize>,
    /// Only groups after the one of this name, in the configuration's order.
    after: Option<String>,
}

/// A page of groups, in the configuration's order.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct GroupPage<'a> {
    /// The version of the configuration in force.
    config_version: u64,
    /// Nothing is changed while this is set.
    #[cfg_attr(test, schema(value_type = Option<crate::openapi::schemas::KillSwitch>))]
    kill_switch: Option<KillSwitch>,
    /// The groups.
    groups: Vec<GroupView<'a>>,
    /// The `after` of the next page; null on the last one.
    next: Option<&'a str>,
}

#[cfg_attr(test, utoipa::path(
    get, path = "/groups", tag = "groups", params(GroupsQuery),
    responses((status = 200, description = "The groups", body = GroupPage<'_>)),
))]
/// The groups with state and figures
pub(super) async fn groups(
    State(state): State<ApiState>,
    Query(query): Query<GroupsQuery>,
) -> Result<Response, Problem> {
    let limit = limit_of(query.limit.or(Some(LARGEST_LIMIT)))?;
    // It also reads the configuration anew where somebody has replaced it.
    let kill_switch = state.control().kill_switch().await?;
    let config = state.control().config();
    let begin = match &query.after {
        None => 0,
        Some(name) => 1 + position(&config, name)?,
    };
    let page: Vec<_> = config.groups.iter().skip(begin).take(limit).collect();
    let keys: Vec<String> = page.iter().map(|group| group_key(&group.name)).collect();
    let stored = state.store().get_many(&keys).await?;
    let stored: HashMap<&str, &Record> = stored.iter().map(|record| (record.key.as_str(), record)).collect();
    let parse = |key: &String| {
        let record = stored.get(key.as_str()).map(|record| group_from_json(key, &record.body)).transpose()?;
        Ok(record.unwrap_or_default())
    };
    let records: Vec<GroupRecord> = keys.iter().map(parse).collect::<Result<_, Problem>>()?;
    let metrics = state.fresh_metrics(&config).await;
    let now = state.now();
    let mut groups = Vec::with_capacity(page.len());
    for (group, record) in page.iter().zip(&records) {
        groups.push(GroupView::new(group, record, metrics.figures(&group.name).as_ref(), now));
    }
    let next = page.last().filter(|_| begin + page.len() < config.groups.len());
    let next = next.map(|group| group.name.as_str());
    let config_version = config.version.0;
    Ok(Json(GroupPage { config_version, kill_switch, groups, next }).into_response())
}

fn position(config: &Config, name: &str) -> Result<usize, Problem> {
    known(config, name)?;
    Ok(config.groups.iter().position(|group| group.name.as_str() == name).unwrap_or_default())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(test, derive(utoipa::IntoParams), into_params(parameter_in = Query))]
pub(super) struct DecisionsQuery {
    /// Most decisions of a page, 1 to 500. Default 50.
    #[cfg_attr(test, param(minimum = 1, maximum = 500))]
    limit: Option<usize>,
    /// Only decisions before this one: the `next` of the page before.
    #[cfg_attr(test, param(max_length = 128, pattern = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[!-~]*$"))]
    before: Option<String>,
}

/// A page of decisions, newest first.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub(crate) struct DecisionPage<'a> {
    /// The decisions.
    decisions: Vec<DecisionView<'a>>,
    /// The `before` of the next page; null on the last one.
    next: Option<String>,
}

#[cfg_attr(test, utoipa::path(
    get, path = "/groups/{name}/decisions", tag = "groups",
    params(("name" = String, Path, description = "The group\'s name"), DecisionsQuery),
    responses((status = 200, description = "Decisions, newest first", body = DecisionPage<'_>)),
))]
/// Decisions of a group, newest first
///
/// A decision is kept, for 90 days, where its action, its reason or what people have set differs from the one before.
pub(super) async fn decisions(
    State(state): State<ApiState>,
    Path(name): Path,
    Query(query): Query<DecisionsQuery>,
) -> Result<Response, Problem> {
    let page = Page::new(query.limit, query.before)?;
    let name = known(&*state.control().refresh().await?, &name)?;
    let prefix = decisions_prefix(&name);
    let history = History { prefix: &prefix, day: cursor::Day::Dashed };
    let Listed { records, next } = history.page(&state, &page, |_| true).await?;
    let parse = |record: &Record| Ok(from_json(&record.key, &record.body)?);
    let decisions: Vec<Decision> = records.iter().map(parse).collect::<Result<_, Problem>>()?;
    let decisions = decisions.iter().map(DecisionView::from).collect();
    Ok(Json(DecisionPage { decisions, next }).into_response())
}

/// The group of that name.
pub(super) fn known(config: &Config, name: &str) -> Result<GroupName, Problem> {
    config.group(name).map(|group| group.name.clone()).ok_or_else(|| {
        let detail = format!("the configuration has no group {name:?}");
        Problem::new(Kind::NotFound, detail).with("groups", names(config))
    })
}

/// All names, for whoever has to choose one.
pub(super) fn names(config: &Config) -> Vec<String> {
    config.groups.iter().map(|group| group.name.to_string()).collect()
}
