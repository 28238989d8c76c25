//! Instance types, and where they are offered.

use scaling_fleet::{InstanceClass, InstanceType};
use serde::{Deserialize, Serialize};

use super::filter::{Filter, Size, keep, page};
use super::hardware::CpuOptions;
use super::zones::zone_id;
use crate::region::Region;
use crate::wire::AwsError;

/// Input of DescribeInstanceTypes and DescribeInstanceTypeOfferings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TypesInput {
    /// All when empty.
    #[serde(rename = "InstanceType")]
    pub names: Vec<String>,
    /// `region` (the default), `availability-zone` or `availability-zone-id`; of offerings.
    pub location_type: Option<String>,
    /// Filters.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Size of the page, 100 by default.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Output of DescribeInstanceTypes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TypesOutput {
    /// The page.
    pub instance_type_set: Vec<TypeDescription>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A type as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct TypeDescription {
    pub instance_type: String,
    pub current_generation: bool,
    pub supported_usage_classes: Vec<&'static str>,
    pub supported_virtualization_types: Vec<&'static str>,
    pub bare_metal: bool,
    pub hypervisor: &'static str,
    pub processor_info: ProcessorInfo,
    pub v_cpu_info: VcpuInfo,
    pub memory_info: MemoryInfo,
    pub burstable_performance_supported: bool,
}

/// Its processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct ProcessorInfo {
    pub supported_architectures: Vec<&'static str>,
}

/// Its vCPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct VcpuInfo {
    pub default_v_cpus: u64,
    pub default_cores: u64,
    pub default_threads_per_core: u64,
}

/// Its memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct MemoryInfo {
    #[serde(rename = "sizeInMiB")]
    pub size_in_mib: u64,
}

/// Describes types of the catalogue.
pub fn describe(region: &mut Region, input: &TypesInput) -> Result<TypesOutput, AwsError> {
    let found = selected(region, input)?;
    let (found, next_token) =
        page(found, input.next_token.as_deref(), Size(input.max_results.or(Some(100)), 5, 100))?;
    Ok(TypesOutput { instance_type_set: found.into_iter().map(shown).collect(), next_token })
}

fn selected(region: &Region, input: &TypesInput) -> Result<Vec<&'static InstanceType>, AwsError> {
    let mut found: Vec<&InstanceType> = Vec::new();
    for name in &input.names {
        found.push(region.machines.get(name).ok_or_else(|| {
            AwsError::new(
                "InvalidInstanceType",
                format!("The following supplied instance types do not exist: [{name}]"),
            )
        })?);
    }
    if input.names.is_empty() {
        found = region.machines.iter().collect();
    }
    let zones = region.zones();
    keep(&mut found, &input.filters, |kind, name| match name {
        "instance-type" => Some(vec![kind.name.to_string()]),
        "processor-info.supported-architecture" => Some(vec![kind.architecture.as_str().to_owned()]),
        "vcpu-info.default-vcpus" => Some(vec![whole(kind.vcpu.0).to_string()]),
        "memory-info.size-in-mib" => Some(vec![whole(kind.memory.0).to_string()]),
        "burstable-performance-supported" => Some(vec![(kind.class == InstanceClass::Burstable).to_string()]),
        "current-generation" => Some(vec!["true".to_owned()]),
        "supported-usage-class" => Some(vec!["on-demand".to_owned(), "spot".to_owned()]),
        "supported-virtualization-type" => Some(vec!["hvm".to_owned()]),
        "supported-root-device-type" => Some(vec!["ebs".to_owned()]),
        "hypervisor" => Some(vec!["nitro".to_owned()]),
        "bare-metal" => Some(vec!["false".to_owned()]),
        "vcpu-info.default-cores" => Some(vec![CpuOptions::of(kind).core_count.to_string()]),
        "vcpu-info.default-threads-per-core" => Some(vec![CpuOptions::of(kind).threads_per_core.to_string()]),
        "location" => Some(zones.iter().cloned().chain([region.name.clone()]).collect()),
        _ => None,
    })?;
    Ok(found)
}

fn shown(kind: &InstanceType) -> TypeDescription {
    let cpu = CpuOptions::of(kind);
    TypeDescription {
        instance_type: kind.name.to_string(),
        current_generation: true,
        supported_usage_classes: vec!["on-demand", "spot"],
        supported_virtualization_types: vec!["hvm"],
        bare_metal: false,
        hypervisor: "nitro",
        processor_info: ProcessorInfo { supported_architectures: vec![kind.architecture.as_str()] },
        v_cpu_info: VcpuInfo {
            default_v_cpus: whole(kind.vcpu.0),
            default_cores: cpu.core_count,
            default_threads_per_core: cpu.threads_per_core,
        },
        memory_info: MemoryInfo { size_in_mib: whole(kind.memory.0) },
        burstable_performance_supported: kind.class == InstanceClass::Burstable,
    }
}

pub(super) fn whole(value: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "catalogue figures are small"
    )]
    let whole = value.round() as u64;
    whole
}

/// Output of DescribeInstanceTypeOfferings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OfferingsOutput {
    /// The page.
    pub instance_type_offering_set: Vec<Offering>,
    /// Of the next page.
    pub next_token: Option<String>,
}

/// A type at a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Offering {
    pub instance_type: String,
    pub location_type: String,
    pub location: String,
}

/// Describes where types are offered: every type in every zone.
pub fn offerings(region: &mut Region, input: &TypesInput) -> Result<OfferingsOutput, AwsError> {
    let kind = input.location_type.clone().unwrap_or_else(|| "region".to_owned());
    let mut places = match kind.as_str() {
        "region" => vec![region.name.clone()],
        "availability-zone" => region.zones().to_vec(),
        "availability-zone-id" => (1..=3).map(|number| zone_id(region, number)).collect(),
        other => {
            let message = format!("Invalid value '{other}' for LocationType.");
            return Err(AwsError::new("InvalidParameterValue", message));
        }
    };
    let (by_place, others): (Vec<Filter>, Vec<Filter>) =
        input.filters.iter().cloned().partition(|filter| filter.name == "location");
    keep(&mut places, &by_place, |place, _| Some(vec![place.clone()]))?;
    let found = selected(region, &TypesInput { filters: others, ..input.clone() })?;
    let all = found.into_iter().flat_map(|one| {
        places.iter().map(|place| Offering {
            instance_type: one.name.to_string(),
            location_type: kind.clone(),
            location: place.clone(),
        })
    });
    let size = Size(input.max_results.or(Some(1_000)), 5, 1_000);
    let (offered, next_token) = page(all.collect(), input.next_token.as_deref(), size)?;
    Ok(OfferingsOutput { instance_type_offering_set: offered, next_token })
}
