//! Images: enough for what chooses one for a launch template, and for what looks one up that is in use.
//!
//! There is one public image for each architecture, and every image that anything was made of. What an image holds has no
//! part in the simulation.

use std::collections::BTreeMap;

use scaling_fleet::{Architecture, InstanceType};
use serde::Deserialize;
use serde_json::{Value, json};

use super::filter::{Filter, Size, keep, page};
use crate::region::Region;
use crate::region::launch::{LaunchSource, MixedInstancesPolicy};
use crate::wire::AwsError;

/// The public images: id, architecture, the kernel's part of the name. Names follow Amazon Linux 2023.
const PUBLIC: [(&str, &str); 2] = [("ami-0a1b2c3d4e5f60001", "x86_64"), ("ami-0a1b2c3d4e5f60002", "arm64")];

/// What is said of an image that is named by what cannot be an image's id. `None` where it can.
pub(crate) fn malformed(id: &str) -> Option<String> {
    let is_id = ["ami-", "resolve:ssm:"].iter().any(|beginning| id.starts_with(beginning));
    (!is_id).then(|| format!("Invalid id: \"{id}\" (expecting \"ami-...\")"))
}

/// Account of the public images, whose alias is `amazon`.
const AMAZON: &str = "137112412989";

/// When the public images were made.
const CREATED: &str = "2025-12-01T00:00:00.000Z";

/// Input of DescribeImages.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImagesInput {
    /// All when empty.
    #[serde(rename = "ImageId")]
    pub ids: Vec<String>,
    /// Accounts, `self` or `amazon`; any when empty.
    #[serde(rename = "Owner")]
    pub owners: Vec<String>,
    /// Filters.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

struct Image {
    id: String,
    architecture: &'static str,
    public: bool,
}

/// Describes images. An unknown id is an error.
pub fn describe(region: &mut Region, input: &ImagesInput) -> Result<Value, AwsError> {
    let account = region.account_id.clone();
    let all = known(region);
    for id in &input.ids {
        if !id.starts_with("ami-") {
            return Err(AwsError::new("InvalidAMIID.Malformed", format!("Invalid id: \"{id}\"")));
        }
        if !all.contains_key(id) {
            let why = format!("The image id '[{id}]' does not exist");
            return Err(AwsError::new("InvalidAMIID.NotFound", why));
        }
    }
    let owner = |image: &Image| if image.public { AMAZON.to_owned() } else { account.clone() };
    let is_wanted = |image: &Image| {
        let is = |wanted: &String| match wanted.as_str() {
            "self" => !image.public,
            "amazon" => image.public,
            account => account == owner(image),
        };
        input.owners.is_empty() || input.owners.iter().any(is)
    };
    let mut found: Vec<Image> = all
        .into_values()
        .filter(|image| (input.ids.is_empty() || input.ids.contains(&image.id)) && is_wanted(image))
        .collect();
    keep(&mut found, &input.filters, |image, name| {
        let alias = || if image.public { vec!["amazon".to_owned()] } else { Vec::new() };
        Some(match name {
            "image-id" => vec![image.id.clone()],
            "architecture" => vec![image.architecture.to_owned()],
            "name" => vec![named(image)],
            "owner-id" => vec![owner(image)],
            "owner-alias" => alias(),
            "is-public" => vec![image.public.to_string()],
            "state" => vec!["available".to_owned()],
            "image-type" => vec!["machine".to_owned()],
            "root-device-type" => vec!["ebs".to_owned()],
            "virtualization-type" => vec!["hvm".to_owned()],
            "hypervisor" => vec!["xen".to_owned()],
            "platform-details" => vec!["Linux/UNIX".to_owned()],
            _ => return None,
        })
    })?;
    let shown = found.iter().map(|image| shown(image, &owner(image))).collect();
    let (page, next_token) =
        page::<Value>(shown, input.next_token.as_deref(), Size(input.max_results, 1, 1_000))?;
    Ok(json!({ "imagesSet": page, "nextToken": next_token }))
}

/// What a public image runs on; nothing is known of others by themselves.
pub(crate) fn architecture(id: &str) -> Option<Architecture> {
    let public = PUBLIC.iter().find(|(public, _)| *public == id);
    public.and_then(|(_, architecture)| architecture.parse().ok())
}

/// What is said where an image does not run on a type's architecture.
pub(crate) fn mismatch(wanted: &str, present: &str) -> String {
    format!(
        "The architecture '{wanted}' of the specified instance type does not match the architecture '{present}' of the \
         specified AMI. Specify an instance type and an AMI that have matching architectures, and try again. You can use \
         'describe-instance-types' or 'describe-images' to discover the architecture of the instance type or AMI."
    )
}

/// Why a type cannot be launched from an image. `None` where it can, as far as is known of the image.
pub(crate) fn unfit(image: &str, kind: &InstanceType) -> Option<String> {
    let present = architecture(image).filter(|present| *present != kind.architecture)?;
    Some(mismatch(kind.architecture.as_str(), present.as_str()))
}

/// The images by id: those in use have the architecture of the type that they are used with.
fn known(region: &Region) -> BTreeMap<String, Image> {
    let mut used: Vec<(&str, Option<&str>)> = Vec::new();
    for template in region.blueprints.templates() {
        let data = template.versions.values().map(|version| &version.data);
        used.extend(data.filter_map(|data| Some((data.image_id.as_deref()?, data.instance_type.as_deref()))));
    }
    let configurations = region.blueprints.configurations.values();
    used.extend(configurations.map(|made| (made.image_id.as_str(), Some(made.instance_type.as_str()))));
    let policies = region.groups().filter_map(|group| match &group.settings.source {
        LaunchSource::Mixed(policy) => Some(policy),
        _ => None,
    });
    used.extend(
        policies
            .flat_map(MixedInstancesPolicy::overrides)
            .filter_map(|choice| Some((choice.image_id.as_deref()?, choice.instance_type.as_deref()))),
    );
    let loose = region.loose.values();
    used.extend(
        loose.filter_map(|one| Some((one.image.as_deref()?, Some(one.member.instance_type.as_str())))),
    );
    let mut images = BTreeMap::new();
    for (id, kind) in used {
        let architecture = kind.and_then(|kind| region.machines.get(kind)).map(|kind| kind.architecture);
        let architecture = architecture.map_or("x86_64", |architecture| architecture.as_str());
        images.insert(id.to_owned(), Image { id: id.to_owned(), architecture, public: false });
    }
    for (id, architecture) in PUBLIC {
        images.insert(id.to_owned(), Image { id: id.to_owned(), architecture, public: true });
    }
    images
}

fn named(image: &Image) -> String {
    if image.public {
        format!("al2023-ami-2023.9.20251201.0-kernel-6.1-{}", image.architecture)
    } else {
        image.id.replacen("ami-", "image-", 1)
    }
}

fn shown(image: &Image, owner: &str) -> Value {
    let name = named(image);
    let mut shown = json!({
        "imageId": image.id,
        "imageLocation": format!("{owner}/{name}"),
        "imageState": "available",
        "imageOwnerId": owner,
        "creationDate": CREATED,
        "isPublic": image.public,
        "architecture": image.architecture,
        "imageType": "machine",
        "name": name,
        "description": "An image of the emulator",
        "platformDetails": "Linux/UNIX",
        "usageOperation": "RunInstances",
        "rootDeviceType": "ebs",
        "rootDeviceName": "/dev/xvda",
        "blockDeviceMapping": [{
            "deviceName": "/dev/xvda",
            "ebs": { "volumeSize": 8, "volumeType": "gp3", "deleteOnTermination": true, "encrypted": false },
        }],
        "virtualizationType": "hvm",
        "hypervisor": "xen",
        "enaSupport": true,
        "sriovNetSupport": "simple",
    });
    if let (true, Some(members)) = (image.public, shown.as_object_mut()) {
        members.insert("imageOwnerAlias".to_owned(), "amazon".into());
    }
    shown
}
