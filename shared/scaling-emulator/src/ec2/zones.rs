//! Availability zones.

use serde::{Deserialize, Serialize};

use super::filter::{Filter, keep};
use crate::region::Region;
use crate::wire::AwsError;

/// Input of DescribeAvailabilityZones.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ZonesInput {
    /// By name,
    #[serde(rename = "ZoneName")]
    pub names: Vec<String>,
    /// or by id; all when both are empty.
    #[serde(rename = "ZoneId")]
    pub ids: Vec<String>,
    /// Filters.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
}

/// Output of DescribeAvailabilityZones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ZonesOutput {
    /// All of them.
    pub availability_zone_info: Vec<ZoneDescription>,
}

/// A zone as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct ZoneDescription {
    pub zone_state: &'static str,
    pub message_set: [(); 0],
    pub region_name: String,
    pub zone_name: String,
    pub zone_id: String,
    pub group_name: String,
    pub network_border_group: String,
    pub zone_type: &'static str,
    pub opt_in_status: &'static str,
}

/// Describes the zones. An unknown name or id is an error.
pub fn describe(region: &mut Region, input: &ZonesInput) -> Result<ZonesOutput, AwsError> {
    let mut found: Vec<ZoneDescription> =
        (1..).zip(region.zones()).map(|(number, name)| shown(region, number, name)).collect();
    refuse_unknown(&input.names, &found, |zone| &zone.zone_name, "availability zone")?;
    refuse_unknown(&input.ids, &found, |zone| &zone.zone_id, "availability zone-id")?;
    found.retain(|zone| {
        let named = input.names.is_empty() || input.names.contains(&zone.zone_name);
        named && (input.ids.is_empty() || input.ids.contains(&zone.zone_id))
    });
    keep(&mut found, &input.filters, values)?;
    Ok(ZonesOutput { availability_zone_info: found })
}

fn shown(region: &Region, number: usize, zone_name: String) -> ZoneDescription {
    ZoneDescription {
        zone_state: "available",
        message_set: [],
        region_name: region.name.clone(),
        zone_name,
        zone_id: zone_id(region, number),
        group_name: region.name.clone(),
        network_border_group: region.name.clone(),
        zone_type: "availability-zone",
        opt_in_status: "opt-in-not-required",
    }
}

fn refuse_unknown(
    asked: &[String],
    known: &[ZoneDescription],
    member: fn(&ZoneDescription) -> &String,
    what: &str,
) -> Result<(), AwsError> {
    match asked.iter().find(|asked| !known.iter().any(|zone| member(zone) == *asked)) {
        Some(unknown) => Err(AwsError::new("InvalidParameterValue", format!("Invalid {what}: [{unknown}]"))),
        None => Ok(()),
    }
}

fn values(zone: &ZoneDescription, filter: &str) -> Option<Vec<String>> {
    Some(match filter {
        "zone-name" => vec![zone.zone_name.clone()],
        "zone-id" => vec![zone.zone_id.clone()],
        "region-name" => vec![zone.region_name.clone()],
        "group-name" => vec![zone.group_name.clone()],
        "state" => vec![zone.zone_state.to_owned()],
        "zone-type" => vec![zone.zone_type.to_owned()],
        "opt-in-status" => vec![zone.opt_in_status.to_owned()],
        // What no zone of this region has: there is never a message, and local zones have parents.
        "message" | "parent-zone-id" | "parent-zone-name" => Vec::new(),
        _ => return None,
    })
}

/// Such as `use1-az1` in us-east-1.
pub(super) fn zone_id(region: &Region, number: impl std::fmt::Display) -> String {
    id_in(&region.name, number)
}

/// The id of a zone by its name, which is the region's with a letter.
pub(crate) fn id_of(zone: &str) -> String {
    let mut name = zone.chars();
    let letter = name.next_back().unwrap_or('a');
    id_in(name.as_str(), u32::from(letter).saturating_sub(u32::from('a')) + 1)
}

fn id_in(region: &str, number: impl std::fmt::Display) -> String {
    let mut parts = region.split('-');
    let place = parts.next().unwrap_or_default();
    let side = parts.next().unwrap_or_default().chars().next().unwrap_or('x');
    format!("{place}{side}{}-az{number}", parts.next().unwrap_or_default())
}
