//! Running instances that belong to no group.

use std::collections::BTreeMap;
use std::sync::Arc;

use scaling_fleet::fleet::Machine;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::instances::{InstanceDescription, InstanceState, shown_loose};
use super::market::{self, MarketOptions, SpotRequest};
use super::template_data::{TagSpecification, TemplateData};
use super::templates::mismatch;
use super::{images, invalid, network, spot, spot_requests};
use crate::region::Region;
use crate::region::blueprints::TemplateSpec;
use crate::region::loose::Loose;
use crate::region::stamp;
use crate::wire::AwsError;
use crate::wire::form::truth;

/// Most instances of one call.
const MOST: u32 = 1_000;

/// Input of RunInstances.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RunInput {
    /// Least number of instances.
    pub min_count: Option<u32>,
    /// Most of them; so many are run.
    pub max_count: Option<u32>,
    /// Image.
    pub image_id: Option<String>,
    /// Type.
    pub instance_type: Option<String>,
    /// Or a template for both.
    pub launch_template: Option<TemplateSpec>,
    /// Where,
    pub placement: Placement,
    /// by zone or by the subnet that each zone has.
    pub subnet_id: Option<String>,
    /// Network interfaces, of which the first tells subnet and security groups where the call itself does not.
    #[serde(rename = "NetworkInterface")]
    pub network_interfaces: Vec<NetworkInterface>,
    /// Key pair.
    pub key_name: Option<String>,
    /// Security groups by id,
    #[serde(rename = "SecurityGroupId")]
    pub security_group_ids: Vec<String>,
    /// or by name.
    #[serde(rename = "SecurityGroup")]
    pub security_groups: Vec<String>,
    /// Whether they are Spot Instances.
    pub instance_market_options: MarketOptions,
    /// Whether calls may not end them.
    pub disable_api_termination: Option<bool>,
    /// What a shutdown from within does.
    pub instance_initiated_shutdown_behavior: Option<String>,
    /// Start script, base64.
    pub user_data: Option<String>,
    /// The same call again, which this tells, runs nothing more.
    pub client_token: Option<String>,
    /// Tags.
    #[serde(rename = "TagSpecification")]
    pub tags: Vec<TagSpecification>,
    /// What tells this call from another one with the same token: a checksum of everything that it says.
    #[serde(skip)]
    pub call: u64,
}

/// Where instances run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Placement {
    /// The zone, the region's first when absent.
    pub availability_zone: Option<String>,
}

/// A network interface of what is run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct NetworkInterface {
    /// Its subnet.
    pub subnet_id: Option<String>,
    /// Its security groups by id.
    #[serde(rename = "SecurityGroupId")]
    pub security_group_ids: Vec<String>,
}

/// Output of RunInstances.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the members are the service's own, documented there")]
pub struct RunOutput {
    pub reservation_id: String,
    pub owner_id: String,
    pub group_set: [(); 0],
    pub instances_set: Vec<InstanceDescription>,
}

/// What a call asks for, checked.
struct Asked {
    kind: Machine,
    image: String,
    template: Option<TemplateSpec>,
    zone: String,
    /// `None` for on-demand instances.
    spot: Option<SpotRequest>,
    attributes: Attributes,
    /// Tags of the call behind those of its template.
    specifications: Vec<TagSpecification>,
    tags: BTreeMap<String, String>,
    security_groups: Vec<String>,
}

/// Runs instances that belong to no group.
pub fn run(region: &mut Region, input: &RunInput) -> Result<RunOutput, AwsError> {
    if let Some(before) = run_before(region, input)? {
        return Ok(before);
    }
    let (least, most) = (
        input.min_count.ok_or_else(|| missing("MinCount"))?,
        input.max_count.ok_or_else(|| missing("MaxCount"))?,
    );
    if least == 0 || most < least || most > MOST {
        return Err(AwsError::new(
            "InvalidParameterValue",
            format!("Value ({least}) for parameter minCount, or ({most}) for maxCount, is invalid."),
        ));
    }
    let asked = asked(region, input)?;
    // A quota lets in as many as it has room for, and none where that is too few. It is of on-demand instances.
    let mut room = region.room();
    let mut fitting = 0;
    while fitting < most {
        match if asked.spot.is_some() { Ok(()) } else { room.take(&asked.kind) } {
            Ok(()) => fitting += 1,
            Err(error) if fitting < least => return Err(error),
            Err(_) => break,
        }
    }
    let reservation = region.ids.instance().replacen("i-", "r-", 1);
    let mut instances_set = Vec::new();
    for launch_index in 0..fitting {
        let mut loose = Loose::new(&mut region.ids, &asked.kind, asked.zone.clone(), region.now);
        loose.member.template.clone_from(&asked.template);
        (loose.member.spot, loose.launch_index) = (asked.spot.is_some(), launch_index);
        if let Some(request) = &asked.spot {
            loose.member.persistent = request.persistent;
            loose.member.interruption = request.interruption;
        }
        loose.security_groups.clone_from(&asked.security_groups);
        (loose.image, loose.tags) = (Some(asked.image.clone()), asked.tags.clone());
        loose.reservation = Some(reservation.clone());
        (loose.client_token, loose.key_name) = (input.client_token.clone(), input.key_name.clone());
        loose.call = input.client_token.is_some().then_some(input.call);
        stamp::complete(&region.blueprints, &mut loose);
        keep_attributes(&mut loose, input, &asked.attributes);
        if asked.spot.is_some() {
            spot_requests::give_tags(region, &loose.member.id, &asked.specifications);
        }
        instances_set.push(InstanceDescription {
            instance_state: InstanceState { code: 0, name: "pending" },
            ..shown_loose(region, &loose)
        });
        region.loose.insert(loose.member.id.clone(), loose);
    }
    Ok(RunOutput {
        reservation_id: reservation,
        owner_id: region.account_id.clone(),
        group_set: [],
        instances_set,
    })
}

fn missing(name: &str) -> AwsError {
    AwsError::new("MissingParameter", format!("The request must contain the parameter {name}"))
}

/// What the call says, and its template where it says nothing.
fn asked(region: &Region, input: &RunInput) -> Result<Asked, AwsError> {
    let (mut image, mut kind) = (input.image_id.clone(), input.instance_type.clone());
    let mut template = None;
    let mut data = None;
    let mut tags = BTreeMap::<String, String>::new();
    let mut place = Place { subnet: subnet(input)?, zone: input.placement.availability_zone.clone() };
    if let Some(spec) = &input.launch_template {
        let (found, version) = region.blueprints.resolve(spec)?;
        image = image.or_else(|| version.data.image_id.clone());
        kind = kind.or_else(|| version.data.instance_type.clone());
        template = Some(found.spec(version.number));
        data = Some(&version.data);
        place = place.or(&version.data);
        tags.extend(version.data.instance_tags().map(|tag| (tag.key.clone(), tag.value.clone())));
    }
    let spot = market::request(&input.instance_market_options, data)?;
    let attributes = attributes(input, data, spot.is_some())?;
    let of_template = data.into_iter().flat_map(|data| &data.tag_specifications);
    let specifications = of_template.chain(&input.tags).cloned().collect();
    let image = image.ok_or_else(|| missing("ImageId"))?;
    if let Some(message) = images::malformed(&image) {
        return Err(AwsError::new("InvalidAMIID.Malformed", message));
    }
    // What EC2 takes when nothing is said.
    let kind = kind.unwrap_or_else(|| "m1.small".to_owned());
    let kind = region.machines.machine(&kind).ok_or_else(|| {
        AwsError::new("InvalidParameterValue", format!("Invalid value '{kind}' for InstanceType."))
    })?;
    let known = region.machines.get(kind.instance_type.as_str());
    if let Some(why) = known.and_then(|known| images::unfit(&image, known)) {
        return Err(AwsError::new("InvalidParameterValue", why));
    }
    let offer = spot.as_ref().and_then(|request| request.max_price.as_deref());
    if let Some(why) = offer.and_then(|offer| spot::too_low(offer, kind.price.0 * spot::SHARE)) {
        return Err(AwsError::new("SpotMaxPriceTooLow", why));
    }
    let zone = zone(region, place, kind.instance_type.as_str())?;
    let tagged = input.tags.iter().filter(|one| one.resource_type.as_deref() == Some("instance"));
    tags.extend(tagged.flat_map(|one| &one.tags).map(|tag| (tag.key.clone(), tag.value.clone())));
    let of_interfaces = input.network_interfaces.iter().flat_map(|one| &one.security_group_ids);
    let ids: Vec<String> = input.security_group_ids.iter().chain(of_interfaces).cloned().collect();
    let security_groups = network::named(region, &ids, &input.security_groups)?;
    Ok(Asked { kind, image, template, zone, spot, attributes, specifications, tags, security_groups })
}

/// What a call says of attributes, and its template where it says nothing.
struct Attributes {
    end_protected: bool,
    shutdown: Option<String>,
}

fn attributes(input: &RunInput, data: Option<&TemplateData>, spot: bool) -> Result<Attributes, AwsError> {
    let of_template = |member: &str| data.and_then(|data| data.rest.get(member));
    let end_protected = match (input.disable_api_termination, of_template("disableApiTermination")) {
        (Some(said), _) => said,
        (None, Some(said)) => is_protected(said)?,
        (None, None) => false,
    };
    if end_protected && spot {
        return Err(AwsError::new(
            "InvalidParameterCombination",
            "DisableApiTermination can't be true for Spot Instances: they have no termination protection.",
        ));
    }
    let of_template = of_template("instanceInitiatedShutdownBehavior").and_then(Value::as_str);
    let of_call = input.instance_initiated_shutdown_behavior.as_deref();
    let shutdown = of_call.filter(|said| !said.is_empty()).or(of_template);
    if let Some(wrong) = shutdown.filter(|shutdown| !matches!(*shutdown, "stop" | "terminate")) {
        return Err(invalid("InstanceInitiatedShutdownBehavior", wrong, "Expecting stop or terminate."));
    }
    Ok(Attributes { end_protected, shutdown: shutdown.map(str::to_owned) })
}

/// Whether a template protects its instances, as a form writes it or as a state does.
fn is_protected(said: &Value) -> Result<bool, AwsError> {
    let text = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
    truth(&text).ok_or_else(|| invalid("DisableApiTermination", &text, "Expecting true or false."))
}

fn keep_attributes(loose: &mut Loose, input: &RunInput, attributes: &Attributes) {
    let stamp = Arc::make_mut(loose.member.stamp.get_or_insert_default());
    stamp.end_protected = attributes.end_protected;
    stamp.shutdown.clone_from(&attributes.shutdown);
    stamp.user_data = input.user_data.clone().or(stamp.user_data.take());
}

/// What a call with the same token ran before; the token of another call is refused.
fn run_before(region: &Region, input: &RunInput) -> Result<Option<RunOutput>, AwsError> {
    let Some(token) = input.client_token.as_deref().filter(|token| !token.is_empty()) else {
        return Ok(None);
    };
    let before: Vec<&Loose> =
        region.loose.values().filter(|loose| loose.client_token.as_deref() == Some(token)).collect();
    let Some(first) = before.first() else { return Ok(None) };
    let kind = first.member.instance_type.to_string();
    let other = input.instance_type.as_ref().is_some_and(|wanted| *wanted != kind)
        || input.image_id.is_some() && input.image_id != first.image
        || input.max_count.is_some_and(|most| before.len() > most as usize)
        // What an older state knows of the call is the above.
        || first.call.is_some_and(|call| call != input.call);
    if other {
        return Err(mismatch());
    }
    Ok(Some(RunOutput {
        reservation_id: first.reservation.clone().unwrap_or_default(),
        owner_id: region.account_id.clone(),
        group_set: [],
        instances_set: before.iter().map(|loose| shown_loose(region, loose)).collect(),
    }))
}

/// The subnet that a call names, itself or by a network interface.
fn subnet(input: &RunInput) -> Result<Option<String>, AwsError> {
    let both = |what: &str| {
        let why = format!(
            "Network interfaces and an instance-level {what} may not be specified on the same request"
        );
        Err(AwsError::new("InvalidParameterCombination", why))
    };
    let Some(interface) = input.network_interfaces.first() else { return Ok(input.subnet_id.clone()) };
    if input.subnet_id.is_some() {
        return both("subnet ID");
    }
    if !input.security_group_ids.is_empty() || !input.security_groups.is_empty() {
        return both("security groups");
    }
    Ok(interface.subnet_id.clone())
}

/// Where instances are asked for.
struct Place {
    subnet: Option<String>,
    zone: Option<String>,
}

impl Place {
    /// This, or what a template says where this says nothing.
    fn or(self, data: &TemplateData) -> Self {
        if self.subnet.is_some() || self.zone.is_some() {
            return self;
        }
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let interface = data.rest.get("networkInterfaceSet").and_then(|all| all.get(0));
        Self {
            subnet: text(interface.and_then(|one| one.get("subnetId"))),
            zone: text(data.rest.get("placement").and_then(|placement| placement.get("availabilityZone"))),
        }
    }
}

/// Where instances are run, if they can be there.
fn zone(region: &Region, place: Place, kind: &str) -> Result<String, AwsError> {
    let zones = region.zones();
    let zone = match place.subnet.as_deref() {
        None => place.zone.unwrap_or_else(|| zones[0].clone()),
        Some(subnet) => {
            let own = (0..zones.len()).find(|place| network::subnet(*place) == subnet);
            own.and_then(|place| zones.get(place)).cloned().ok_or_else(|| {
                AwsError::new("InvalidSubnetID.NotFound", format!("The subnet ID '{subnet}' does not exist"))
            })?
        }
    };
    if !zones.contains(&zone) {
        return Err(AwsError::new("InvalidParameterValue", format!("Invalid availability zone: [{zone}]")));
    }
    region.launch_faults.refusal(kind, &zone).map_or(Ok(zone), Err)
}
