//! What a group launches from, and which instances that may give, in the order in which they are tried.
//!
//! Source of the shares: *Amazon EC2 Auto Scaling User Guide*, "Auto Scaling groups with multiple instance types and purchase
//! options": a base of on-demand capacity, and above it a share, rounded up; the rest is Spot.

use scaling_fleet::fleet::Machine;
use serde::{Deserialize, Serialize};

use super::blueprints::{Blueprints, TemplateSpec};
use super::requirements::Requirements;
use crate::ec2::template_data::TemplateData;
use crate::ec2::{images, spot};
use crate::machines::Machines;
use crate::wire::AwsError;

/// What a group launches from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum LaunchSource {
    /// A launch template alone.
    Template(TemplateSpec),
    /// A launch template with a choice of types.
    Mixed(MixedInstancesPolicy),
    /// A launch configuration by name.
    Configuration(String),
}

/// A launch template with a choice of types.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MixedInstancesPolicy {
    /// Template and types.
    pub launch_template: Option<MixedTemplate>,
    /// How to choose among them.
    pub instances_distribution: Option<InstancesDistribution>,
}

/// Template and types of a mixed instances policy.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MixedTemplate {
    /// The template.
    pub launch_template_specification: Option<TemplateSpec>,
    /// The types; none means the template's own.
    #[serde(default)]
    pub overrides: Vec<Override>,
}

/// One type that may be launched instead of the template's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Override {
    /// The type; this or requirements.
    pub instance_type: Option<String>,
    /// How much of the desired capacity one instance stands for; 1 when absent.
    pub weighted_capacity: Option<String>,
    /// Another template for this type.
    pub launch_template_specification: Option<TemplateSpec>,
    /// Attributes that choose the types.
    pub instance_requirements: Option<Requirements>,
    /// Another image than the template's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
}

/// How a mixed instances policy chooses among its types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct InstancesDistribution {
    /// `prioritized` (the overrides' order) or `lowest-price`; the latter where attributes choose, else the former, when
    /// absent.
    pub on_demand_allocation_strategy: String,
    /// Instances that are on-demand in any case.
    pub on_demand_base_capacity: u32,
    /// Share of on-demand instances above the base, in percent; the others are Spot Instances.
    pub on_demand_percentage_above_base_capacity: u32,
    /// `capacity-optimized-prioritized` (the overrides' order), or another: every type has as much Spot capacity, so that
    /// the cheapest comes first.
    pub spot_allocation_strategy: String,
    /// Kept and shown, with `lowest-price` alone.
    pub spot_instance_pools: Option<u32>,
    /// The most that is paid an hour for a Spot Instance; its price when absent or empty.
    pub spot_max_price: Option<String>,
}

impl Default for InstancesDistribution {
    fn default() -> Self {
        Self {
            on_demand_allocation_strategy: String::new(),
            on_demand_base_capacity: 0,
            on_demand_percentage_above_base_capacity: 100,
            spot_allocation_strategy: "lowest-price".to_owned(),
            spot_instance_pools: None,
            spot_max_price: None,
        }
    }
}

/// One instance that a source may give.
#[derive(Debug, Clone, PartialEq)]
pub struct LaunchOption {
    /// What it is made of.
    pub machine: Machine,
    /// The exact template version; `None` with a launch configuration.
    pub template: Option<TemplateSpec>,
    /// The launch configuration; `None` with a template.
    pub configuration: Option<String>,
    /// The image that an override says.
    pub image: Option<String>,
    /// How much of the desired capacity it stands for.
    pub weight: u32,
    /// Whether it is a Spot Instance.
    pub spot: bool,
    /// The most that is paid an hour for it as a Spot Instance; its price where nothing is said.
    pub max_price: Option<String>,
}

impl LaunchOption {
    /// The same as a Spot Instance.
    fn as_spot(&self) -> Self {
        let mut option = self.clone();
        option.machine.price.0 *= spot::SHARE;
        option.spot = true;
        option
    }

    /// The same where no more than this is paid for it.
    fn paid_at_most(self, price: Option<&str>) -> Self {
        Self { max_price: price.filter(|price| !price.is_empty()).map(str::to_owned), ..self }
    }

    /// Why nobody gets this for what is paid, as the activity's status message says it. `None` if it is enough.
    pub(super) fn too_dear(&self) -> Option<String> {
        let offer = self.max_price.as_deref().filter(|_| self.spot)?;
        let why = spot::too_low(offer, self.machine.price.0)?;
        Some(format!(
            "Could not launch Spot Instances. SpotMaxPriceTooLow - {why} Launching EC2 instance failed."
        ))
    }
}

impl LaunchSource {
    /// The instances that this may give, in the order in which they are tried; never empty.
    ///
    /// The error is Auto Scaling's for a template or type that does not exist.
    pub fn options(
        &self,
        blueprints: &Blueprints,
        machines: Machines,
    ) -> Result<Vec<LaunchOption>, AwsError> {
        match self {
            Self::Template(spec) => {
                Ok(vec![template_option(spec, &Override::default(), None, blueprints, machines)?])
            }
            Self::Mixed(policy) => policy.options(blueprints, machines),
            Self::Configuration(name) => {
                let configuration = blueprints.configurations.get(name).ok_or_else(|| {
                    AwsError::validation(format!("Launch configuration name not found - {name}"))
                })?;
                let option = LaunchOption {
                    machine: machine(&configuration.instance_type, machines)?,
                    template: None,
                    configuration: Some(name.clone()),
                    image: None,
                    weight: 1,
                    spot: false,
                    max_price: None,
                };
                let offer = configuration.spot_price();
                Ok(vec![if offer.is_some() { option.as_spot().paid_at_most(offer) } else { option }])
            }
        }
    }

    /// How much of a group's capacity should be on-demand. `None` where the source gives only what it gives.
    pub(crate) fn on_demand(&self, desired: u32) -> Option<u32> {
        let Self::Mixed(policy) = self else { return None };
        let distribution = policy.instances_distribution.as_ref()?;
        let base = distribution.on_demand_base_capacity.min(desired);
        let share = (desired - base).saturating_mul(distribution.on_demand_percentage_above_base_capacity);
        Some(base + share.div_ceil(100))
    }

    /// The same instances as Spot Instances, in the order in which they are tried.
    pub(crate) fn as_spot(&self, options: &[LaunchOption]) -> Vec<LaunchOption> {
        let strategy = match self {
            Self::Mixed(policy) => policy.instances_distribution.as_ref(),
            _ => None,
        };
        let offer = strategy.and_then(|one| one.spot_max_price.as_deref());
        let as_spot = |option: &LaunchOption| option.as_spot().paid_at_most(offer);
        let mut options: Vec<LaunchOption> = options.iter().map(as_spot).collect();
        if strategy.is_none_or(|one| one.spot_allocation_strategy != "capacity-optimized-prioritized") {
            options.sort_by(|a, b| unit_price(a).total_cmp(&unit_price(b)));
        }
        options
    }

    /// The template reference; `None` with a launch configuration.
    pub fn template(&self) -> Option<&TemplateSpec> {
        match self {
            Self::Template(spec) => Some(spec),
            Self::Mixed(policy) => policy.launch_template.as_ref()?.launch_template_specification.as_ref(),
            Self::Configuration(_) => None,
        }
    }

    /// Whether the template's version is a number, so that the same instances can be launched again later.
    pub fn is_repeatable(&self) -> bool {
        let version = self.template().and_then(|spec| spec.version.as_deref());
        version.is_some_and(|version| version.parse::<u32>().is_ok())
    }
}

/// Most overrides of a policy, and most of them that choose by attributes.
const MOST_OVERRIDES: usize = 40;
const MOST_REQUIREMENTS: usize = 4;

/// The strategy of Spot Instances that knows pools, how many of them there are where nothing is said, and may be.
const LOWEST_PRICE: &str = "lowest-price";
const POOLS: u32 = 2;
const MOST_POOLS: u32 = 20;

/// The strategies of on-demand instances and of Spot Instances.
const ON_DEMAND: [&str; 2] = ["lowest-price", "prioritized"];
const SPOT: [&str; 4] =
    ["capacity-optimized", "capacity-optimized-prioritized", "lowest-price", "price-capacity-optimized"];

impl MixedInstancesPolicy {
    /// This with what was left open filled in.
    #[must_use]
    pub fn with_defaults(mut self) -> Self {
        let by_attributes = self.overrides().iter().any(|choice| choice.instance_requirements.is_some());
        let distribution = self.instances_distribution.get_or_insert_default();
        if distribution.on_demand_allocation_strategy.is_empty() {
            let strategy = if by_attributes { "lowest-price" } else { "prioritized" };
            strategy.clone_into(&mut distribution.on_demand_allocation_strategy);
        }
        let pools = distribution.spot_instance_pools.unwrap_or(POOLS);
        let lowest = distribution.spot_allocation_strategy == LOWEST_PRICE;
        distribution.spot_instance_pools = lowest.then_some(pools);
        // An empty one takes back what was said before.
        distribution.spot_max_price = distribution.spot_max_price.take().filter(|price| !price.is_empty());
        self
    }

    /// What may be launched instead of the template's type.
    pub(crate) fn overrides(&self) -> &[Override] {
        self.launch_template.as_ref().map_or(&[], |mixed| &mixed.overrides)
    }

    /// Refuses what no policy can say, whatever templates and types there are.
    ///
    /// # Errors
    /// A `ValidationError`.
    pub fn check(&self) -> Result<(), AwsError> {
        let overrides = self.overrides();
        let by_attributes = overrides.iter().filter(|choice| choice.instance_requirements.is_some()).count();
        let weighted = overrides.iter().filter(|choice| choice.weighted_capacity.is_some()).count();
        let mut kinds: Vec<&str> =
            overrides.iter().filter_map(|choice| choice.instance_type.as_deref()).collect();
        kinds.sort_unstable();
        let twice =
            kinds.windows(2).find(|pair| matches!(pair, [a, b] if a == b)).and_then(|pair| pair.first());
        let both =
            |choice: &Override| choice.instance_type.is_some() && choice.instance_requirements.is_some();
        if overrides.len() > MOST_OVERRIDES || by_attributes > MOST_REQUIREMENTS {
            return Err(AwsError::validation(format!(
                "A MixedInstancesPolicy must not have more than {MOST_OVERRIDES} overrides, {MOST_REQUIREMENTS} of them \
                 with InstanceRequirements."
            )));
        }
        if let Some(kind) = twice {
            return Err(AwsError::validation(format!(
                "The overrides of a MixedInstancesPolicy must be unique: {kind} is there more than once."
            )));
        }
        if overrides.iter().any(both) {
            return Err(AwsError::validation(
                "An override must have either InstanceType or InstanceRequirements, not both.",
            ));
        }
        if weighted > 0 && weighted < overrides.len() {
            return Err(AwsError::validation(
                "If WeightedCapacity is specified for one override, it must be specified for all of them.",
            ));
        }
        for choice in overrides.iter().filter_map(|choice| choice.instance_requirements.as_ref()) {
            choice.check()?;
        }
        self.check_strategies(by_attributes > 0)
    }

    fn check_strategies(&self, by_attributes: bool) -> Result<(), AwsError> {
        let Some(distribution) = &self.instances_distribution else { return Ok(()) };
        let on_demand = distribution.on_demand_allocation_strategy.as_str();
        if !on_demand.is_empty() && !ON_DEMAND.contains(&on_demand) {
            return Err(AwsError::validation(format!("Invalid OnDemandAllocationStrategy: {on_demand}")));
        }
        let of_spot = distribution.spot_allocation_strategy.as_str();
        if !SPOT.contains(&of_spot) {
            return Err(AwsError::validation(format!("Invalid SpotAllocationStrategy: {of_spot}")));
        }
        let pools = distribution.spot_instance_pools;
        if pools.is_some() && of_spot != LOWEST_PRICE {
            return Err(AwsError::validation(
                "SpotInstancePools option is only available with the lowest-price allocation strategy.",
            ));
        }
        if let Some(wrong) = pools.filter(|pools| !(1..=MOST_POOLS).contains(pools)) {
            return Err(AwsError::validation(format!(
                "Invalid SpotInstancePools: {wrong}. It must be from 1 to {MOST_POOLS}."
            )));
        }
        let offer = distribution.spot_max_price.as_deref().filter(|price| !price.is_empty());
        if let Some(wrong) = offer.filter(|offer| spot::offered(offer).is_none()) {
            return Err(AwsError::validation(format!(
                "Invalid SpotMaxPrice: {wrong}. It must be a number of at least 0.001."
            )));
        }
        if by_attributes && on_demand == "prioritized" {
            return Err(AwsError::validation(
                "OnDemandAllocationStrategy must be lowest-price where InstanceRequirements are specified.",
            ));
        }
        Ok(())
    }

    fn options(&self, blueprints: &Blueprints, machines: Machines) -> Result<Vec<LaunchOption>, AwsError> {
        let mixed = self.launch_template.as_ref();
        let spec = mixed.and_then(|mixed| mixed.launch_template_specification.as_ref()).ok_or_else(|| {
            AwsError::validation("MixedInstancesPolicy must include a launch template specification.")
        })?;
        let plain = [Override::default()];
        let overrides = mixed.map_or(&[][..], |mixed| &mixed.overrides);
        let overrides = if overrides.is_empty() { &plain } else { overrides };
        let mut options = Vec::new();
        for choice in overrides {
            let spec = choice.launch_template_specification.as_ref().unwrap_or(spec);
            let (_, version) = blueprints.resolve(spec).map_err(|error| invalid_template(&error.message))?;
            for kind in choice.types(&version.data, machines) {
                options.push(template_option(spec, choice, kind.as_deref(), blueprints, machines)?);
            }
        }
        if options.is_empty() {
            return Err(AwsError::validation("No available instance types match the instance requirements."));
        }
        if options.iter().any(|option| option.spot) {
            return Err(AwsError::validation(
                "Incompatible launch template: a launch template that requests Spot Instances cannot be used with a mixed \
                 instances policy.",
            ));
        }
        if let Some(distribution) = &self.instances_distribution {
            let share = distribution.on_demand_percentage_above_base_capacity;
            if share > 100 {
                return Err(AwsError::validation(format!(
                    "1 validation error detected: Value '{share}' at 'onDemandPercentageAboveBaseCapacity' failed to \
                     satisfy constraint: Member must have value less than or equal to 100"
                )));
            }
        }
        let strategy = self.instances_distribution.as_ref().map(|d| d.on_demand_allocation_strategy.as_str());
        if strategy == Some("lowest-price") {
            options.sort_by(|a, b| unit_price(a).total_cmp(&unit_price(b)));
        }
        Ok(options)
    }
}

impl Override {
    /// The types it means, `None` standing for the template's own; cheapest first where attributes choose.
    fn types(&self, template: &TemplateData, machines: Machines) -> Vec<Option<String>> {
        let Some(wanted) = &self.instance_requirements else { return vec![self.instance_type.clone()] };
        let image_id = self.image(template).cloned();
        let template = TemplateData { image_id, ..template.clone() };
        wanted.types(&template, machines).into_iter().map(Some).collect()
    }

    /// The image that it launches: its own, else the template's.
    fn image<'a>(&'a self, template: &'a TemplateData) -> Option<&'a String> {
        self.image_id.as_ref().or(template.image_id.as_ref())
    }

    fn weight(&self) -> Result<u32, AwsError> {
        let Some(text) = &self.weighted_capacity else { return Ok(1) };
        text.parse().ok().filter(|weight| (1..=999).contains(weight)).ok_or_else(|| {
            AwsError::validation(format!(
                "Invalid weighted capacity '{text}': it must be a whole number from 1 to 999."
            ))
        })
    }
}

fn unit_price(option: &LaunchOption) -> f64 {
    option.machine.price.0 / f64::from(option.weight)
}

fn template_option(
    spec: &TemplateSpec,
    choice: &Override,
    kind: Option<&str>,
    blueprints: &Blueprints,
    machines: Machines,
) -> Result<LaunchOption, AwsError> {
    let (template, version) = blueprints.resolve(spec).map_err(|error| invalid_template(&error.message))?;
    let Some(image) = choice.image(&version.data) else {
        return Err(invalid_template("The request must contain the parameter ImageId"));
    };
    if let Some(why) = images::malformed(image) {
        return Err(invalid_template(&why));
    }
    let kind = kind
        .or(version.data.instance_type.as_deref())
        .ok_or_else(|| invalid_template("The launch template must specify an instance type."))?;
    if let Some(why) = machines.get(kind).and_then(|known| images::unfit(image, known)) {
        return Err(invalid_template(&why));
    }
    let option = LaunchOption {
        machine: machine(kind, machines)?,
        template: Some(template.spec(version.number)),
        configuration: None,
        image: choice.image_id.clone(),
        weight: choice.weight()?,
        spot: false,
        max_price: None,
    };
    let offer = version.data.spot_max_price();
    if let Some(wrong) = offer.filter(|offer| spot::offered(offer).is_none()) {
        return Err(invalid_template(&format!("Value ( {wrong} ) for parameter maxPrice is invalid.")));
    }
    check_request(&version.data)?;
    let asks_for_spot = version.data.asks_for_spot();
    Ok(if asks_for_spot { option.as_spot().paid_at_most(offer) } else { option })
}

/// Refuses requests for Spot Instances that are no group's: it makes one-time requests, and new ones itself.
fn check_request(data: &TemplateData) -> Result<(), AwsError> {
    let lasts = data.spot_option("spotInstanceType").is_some_and(|kind| kind == "persistent");
    if data.asks_for_spot() && (lasts || data.spot_option("blockDurationMinutes").is_some()) {
        return Err(AwsError::new(
            "InvalidQueryParameter",
            "Incompatible launch template: Auto Scaling only supports the 'one-time' Spot instance type with no duration.",
        ));
    }
    Ok(())
}

fn machine(kind: &str, machines: Machines) -> Result<Machine, AwsError> {
    machines
        .machine(kind)
        .ok_or_else(|| invalid_template(&format!("Invalid value '{kind}' for InstanceType.")))
}

fn invalid_template(why: &str) -> AwsError {
    AwsError::validation(format!("You must use a valid fully-formed launch template. {why}"))
}
