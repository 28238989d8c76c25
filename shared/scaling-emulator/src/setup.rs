//! Groups ready-made: for demos and tests that do not want to set them up over the wire.

use crate::autoscaling::group_input::GroupInput;
use crate::autoscaling::groups;
use crate::ec2::template_data::TemplateData;
use crate::ec2::templates;
use crate::region::Region;
use crate::region::blueprints::TemplateSpec;
use crate::wire::AwsError;

/// A group with its launch template and a target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSetup {
    /// Name of the group; its launch template has the same.
    pub name: String,
    /// Type of its instances.
    pub instance_type: String,
    /// Least desired capacity.
    pub min: u32,
    /// Most desired capacity.
    pub max: u32,
    /// Desired capacity; so many instances serve from the start.
    pub desired: u32,
    /// Tags by key and value.
    pub tags: Vec<(String, String)>,
}

impl GroupSetup {
    /// A group without tags.
    pub fn new(name: &str, instance_type: &str, (min, max, desired): (u32, u32, u32)) -> Self {
        let (name, instance_type) = (name.to_owned(), instance_type.to_owned());
        Self { name, instance_type, min, max, desired, tags: Vec::new() }
    }

    /// ARN of the target group that the group is given; `targetgroup/NAME/ID` and `app/NAME/ID` are the dimensions of
    /// its load balancer metrics.
    pub fn target_group_arn(&self, region: &Region) -> String {
        format!(
            "arn:aws:elasticloadbalancing:{}:{}:targetgroup/{}/0123456789abcdef",
            region.name, region.account_id, self.name
        )
    }

    /// Makes launch template and group; all instances serve at once. The group pins version 1 of its template, and
    /// collects its group metrics.
    pub fn make(&self, region: &mut Region) -> Result<(), AwsError> {
        let made = templates::create(
            region,
            &templates::CreateInput {
                client_token: None,
                launch_template_name: self.name.clone(),
                version_description: None,
                launch_template_data: TemplateData {
                    image_id: Some("ami-0123456789abcdef0".to_owned()),
                    instance_type: Some(self.instance_type.clone()),
                    ..TemplateData::default()
                },
                tags: Vec::new(),
            },
        )?;
        let tag = |(key, value): &(String, String)| crate::autoscaling::tags::TagInput {
            key: key.clone(),
            value: Some(value.clone()),
            ..Default::default()
        };
        // The limit is for callers.
        let limit = std::mem::replace(&mut region.group_limit, usize::MAX);
        let created = groups::create(
            region,
            &GroupInput {
                auto_scaling_group_name: self.name.clone(),
                launch_template: Some(TemplateSpec {
                    launch_template_id: Some(made.launch_template.launch_template_id),
                    launch_template_name: None,
                    version: Some("1".to_owned()),
                }),
                min_size: Some(i64::from(self.min)),
                max_size: Some(i64::from(self.max)),
                desired_capacity: Some(i64::from(self.desired)),
                availability_zones: region.zones().to_vec(),
                target_group_arns: vec![self.target_group_arn(region)],
                tags: self.tags.iter().map(tag).collect(),
                ..GroupInput::default()
            },
        );
        region.group_limit = limit;
        created?;
        let adopted = region.with_group(&self.name, |group, context| {
            let options = group.settings.source.options(context.blueprints, context.machines)?;
            if let Some(option) = options.first() {
                group.adopt(context, option, group.desired);
            }
            let all = crate::autoscaling::processes::METRICS;
            group.enabled_metrics.extend(all.map(str::to_owned));
            Ok(())
        });
        adopted.unwrap_or(Ok(()))
    }
}
