//! Attributes that choose instance types.
//!
//! Source: *Amazon EC2 Auto Scaling API Reference*, InstanceRequirements, for what is left out when nothing is said:
//! burstable and bare-metal types. An image runs on one architecture only.

use scaling_fleet::fleet::Machine;
use scaling_fleet::{Architecture, InstanceClass, InstanceType};
use serde::{Deserialize, Serialize};

use crate::ec2::filter::fits;
use crate::ec2::images;
use crate::ec2::template_data::TemplateData;
use crate::machines::{Machines, maker};
use crate::wire::AwsError;

/// Attributes that choose types. Types here have no disks, accelerators or figures of their networks of their own: what is
/// said of those is kept and shown, and where it asks for one, nothing fits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct Requirements {
    #[serde(rename = "VCpuCount")]
    pub vcpu: Bounds,
    #[serde(rename = "MemoryMiB")]
    pub memory: Bounds,
    #[serde(rename = "MemoryGiBPerVCpu", skip_serializing_if = "Option::is_none")]
    pub memory_per_vcpu: Option<Amounts>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cpu_manufacturers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allowed_instance_types: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub excluded_instance_types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burstable_performance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bare_metal: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub instance_generations: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot_max_price_percentage_over_lowest_price: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_spot_price_as_percentage_of_optimal_on_demand_price: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_demand_max_price_percentage_over_lowest_price: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_hibernate_support: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_interface_count: Option<Bounds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_bandwidth_gbps: Option<Amounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline_ebs_bandwidth_mbps: Option<Bounds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_storage: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub local_storage_types: Vec<String>,
    #[serde(rename = "TotalLocalStorageGB", skip_serializing_if = "Option::is_none")]
    pub total_local_storage: Option<Amounts>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accelerator_types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accelerator_count: Option<Bounds>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accelerator_manufacturers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accelerator_names: Vec<String>,
    #[serde(rename = "AcceleratorTotalMemoryMiB", skip_serializing_if = "Option::is_none")]
    pub accelerator_total_memory: Option<Bounds>,
}

/// Bounds of what is counted, both included.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Bounds {
    /// Least; nothing when absent.
    #[serde(default)]
    pub min: u32,
    /// Most; none when absent.
    pub max: Option<u32>,
}

impl Bounds {
    fn hold(&self, value: f64) -> bool {
        value >= f64::from(self.min) && self.max.is_none_or(|max| value <= f64::from(max))
    }
}

/// Bounds of what is measured, both included.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Amounts {
    /// Least; none when absent.
    pub min: Option<f64>,
    /// Most; none when absent.
    pub max: Option<f64>,
}

impl Amounts {
    fn hold(&self, value: f64) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// Whether types of a kind may, must or must not be chosen.
const CHOICES: [&str; 3] = ["included", "excluded", "required"];

/// Who makes processors.
const MANUFACTURERS: [&str; 4] = ["intel", "amd", "amazon-web-services", "apple"];

impl Requirements {
    /// Refuses words that there are not, and two lists of which only one can be given.
    pub(super) fn check(&self) -> Result<(), AwsError> {
        let choices = [
            ("BareMetal", &self.bare_metal),
            ("BurstablePerformance", &self.burstable_performance),
            ("LocalStorage", &self.local_storage),
        ];
        for (member, word) in choices {
            if let Some(word) = word.as_deref().filter(|word| !CHOICES.contains(word)) {
                return Err(AwsError::invalid_value(word, member));
            }
        }
        let known = |maker: &&String| !MANUFACTURERS.contains(&maker.as_str());
        if let Some(maker) = self.cpu_manufacturers.iter().find(known) {
            return Err(AwsError::invalid_value(maker, "CpuManufacturers"));
        }
        if !self.allowed_instance_types.is_empty() && !self.excluded_instance_types.is_empty() {
            return Err(AwsError::validation(
                "AllowedInstanceTypes and ExcludedInstanceTypes must not both be specified.",
            ));
        }
        Ok(())
    }

    /// The types that fit and run the image of a template, the cheapest first.
    pub(super) fn types(&self, template: &TemplateData, machines: Machines) -> Vec<String> {
        let architecture = self.architecture(template, machines);
        let fits = |kind: &&InstanceType| kind.architecture == architecture && self.fit(kind);
        let mut fitting: Vec<Machine> =
            machines.iter().filter(fits).filter_map(|kind| machines.machine(kind.name.as_str())).collect();
        fitting.sort_by(|a, b| a.price.0.total_cmp(&b.price.0));
        fitting.iter().map(|machine| machine.instance_type.to_string()).collect()
    }

    /// What the image runs on: what is known of it. Of another one nothing tells but an Arm type in its template, or that
    /// only Amazon's processors are asked for; x86 else.
    fn architecture(&self, template: &TemplateData, machines: Machines) -> Architecture {
        let own = template.instance_type.as_deref().and_then(|kind| machines.get(kind));
        let is_arm = own.is_some_and(|kind| kind.architecture == Architecture::Arm64);
        let only_amazon =
            matches!(self.cpu_manufacturers.as_slice(), [maker] if maker == "amazon-web-services");
        let guessed = if is_arm || only_amazon { Architecture::Arm64 } else { Architecture::X86_64 };
        template.image_id.as_deref().and_then(images::architecture).unwrap_or(guessed)
    }

    fn fit(&self, kind: &InstanceType) -> bool {
        let name = kind.name.as_str();
        let per_vcpu = kind.memory.0 / 1024.0 / kind.vcpu.0;
        let burstable = kind.class == InstanceClass::Burstable;
        // Only a star stands for anything here.
        let is_like = |pattern: &String| !pattern.contains('?') && fits(pattern, name);
        let listed = |list: &[String]| list.iter().any(is_like);
        let is_maker = |name: &String| name == maker(kind);
        self.vcpu.hold(kind.vcpu.0)
            && self.memory.hold(kind.memory.0)
            && self.memory_per_vcpu.as_ref().is_none_or(|bounds| bounds.hold(per_vcpu))
            && (self.cpu_manufacturers.is_empty() || self.cpu_manufacturers.iter().any(is_maker))
            && (self.allowed_instance_types.is_empty() || listed(&self.allowed_instance_types))
            && !listed(&self.excluded_instance_types)
            && match self.burstable_performance.as_deref() {
                Some("included") => true,
                Some("required") => burstable,
                _ => !burstable,
            }
            && !self.asks_for_more()
    }

    /// Whether it asks for what no type here has.
    fn asks_for_more(&self) -> bool {
        let required = |word: &Option<String>| word.as_deref() == Some("required");
        let accelerated = self.accelerator_count.as_ref().is_some_and(|count| count.min > 0);
        required(&self.bare_metal) || required(&self.local_storage) || accelerated
    }
}
