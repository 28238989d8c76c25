//! The part of EC2 that setting up and looking at a group needs: one typed function an operation, and the table of
//! their names.

pub mod attributes;
pub mod filter;
pub mod hardware;
pub mod images;
mod instance_filters;
pub mod instances;
pub mod lifecycle;
pub mod market;
pub mod network;
pub mod removal;
pub mod rules;
pub mod running;
pub mod spot;
pub mod spot_requests;
pub mod status;
pub mod tags;
pub mod template_data;
pub mod templates;
pub mod types;
pub mod versions;
pub mod zones;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::running::RunInput;
use crate::cloudwatch::paging::checksum;
use crate::region::Region;
use crate::wire::AwsError;
use crate::wire::form::{Form, FormError};
use crate::wire::query::uncapitalised;

/// An operation as the wire sees it.
type Operation = fn(&mut Region, &Form) -> Result<Value, AwsError>;

/// Every operation of this service.
const OPERATIONS: &[(&str, Operation)] = &[
    ("CreateLaunchTemplate", |region, form| call(region, form, templates::create)),
    ("DescribeLaunchTemplates", |region, form| call(region, form, templates::describe)),
    ("ModifyLaunchTemplate", |region, form| call(region, form, templates::modify)),
    ("DeleteLaunchTemplate", |region, form| call(region, form, templates::delete)),
    ("CreateLaunchTemplateVersion", |region, form| call(region, form, versions::create)),
    ("DescribeLaunchTemplateVersions", |region, form| call(region, form, versions::describe)),
    ("DeleteLaunchTemplateVersions", |region, form| call(region, form, removal::delete)),
    ("DescribeInstanceStatus", |region, form| call(region, form, status::describe)),
    ("DescribeRegions", |region, _| Ok(status::regions(region))),
    ("RunInstances", run),
    ("StartInstances", |region, form| call(region, form, lifecycle::start)),
    ("StopInstances", |region, form| call(region, form, lifecycle::stop)),
    ("RebootInstances", |region, form| call(region, form, lifecycle::reboot)),
    ("TerminateInstances", |region, form| call(region, form, lifecycle::terminate)),
    ("ModifyInstanceAttribute", |region, form| call(region, form, attributes::modify)),
    ("DescribeInstanceAttribute", |region, form| call(region, form, attributes::describe)),
    ("DescribeVpcs", |region, form| call(region, form, network::vpcs)),
    ("DescribeSubnets", |region, form| call(region, form, network::subnets)),
    ("DescribeSecurityGroups", |region, form| call(region, form, network::security_groups)),
    ("CreateSecurityGroup", |region, form| call(region, form, network::create_group)),
    ("DeleteSecurityGroup", |region, form| call(region, form, network::delete_group)),
    ("AuthorizeSecurityGroupIngress", |region, form| call(region, form, rules::let_in)),
    ("AuthorizeSecurityGroupEgress", |region, form| call(region, form, rules::let_out)),
    ("RevokeSecurityGroupIngress", |region, form| call(region, form, rules::keep_out)),
    ("RevokeSecurityGroupEgress", |region, form| call(region, form, rules::keep_in)),
    ("DescribeSecurityGroupRules", |region, form| call(region, form, rules::describe)),
    ("DescribeTags", |region, form| call(region, form, tags::describe)),
    ("CreateTags", |region, form| call(region, form, tags::create)),
    ("DeleteTags", |region, form| call(region, form, tags::delete)),
    ("DescribeInstances", |region, form| call(region, form, instances::describe)),
    ("DescribeImages", |region, form| call(region, form, images::describe)),
    ("DescribeSpotPriceHistory", |region, form| call(region, form, spot::history)),
    ("DescribeSpotInstanceRequests", |region, form| call(region, form, spot_requests::describe)),
    ("CancelSpotInstanceRequests", |region, form| call(region, form, spot_requests::cancel)),
    ("DescribeInstanceTypes", |region, form| call(region, form, types::describe)),
    ("DescribeInstanceTypeOfferings", |region, form| call(region, form, types::offerings)),
    ("DescribeAvailabilityZones", |region, form| call(region, form, zones::describe)),
];

/// The names of all operations.
pub(crate) fn names() -> Vec<&'static str> {
    OPERATIONS.iter().map(|(name, _)| *name).collect()
}

/// Carries out one operation.
pub fn dispatch(region: &mut Region, operation: &str, form: &Form) -> Result<Value, AwsError> {
    let Some((_, act)) = OPERATIONS.iter().find(|(name, _)| *name == operation) else {
        let message = format!("The action {operation} is not valid for this web service.");
        return Err(AwsError::new("InvalidAction", message));
    };
    match form.get("DryRun") {
        Some("true" | "True" | "1") => Err(dry_run(region, operation, form, *act)),
        _ => act(region, form),
    }
}

/// What a call with `DryRun` is told: what is wrong with it, or that it would have succeeded. It changes nothing.
fn dry_run(region: &mut Region, operation: &str, form: &Form, act: Operation) -> AwsError {
    let tried =
        if operation.starts_with("Describe") { act(region, form) } else { act(&mut region.clone(), form) };
    let succeeds =
        || AwsError::new("DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
    tried.map_or_else(|error| error, |_| succeeds().with_status(412))
}

/// `RunInstances`, which tells calls with the same token apart by everything that they say.
fn run(region: &mut Region, form: &Form) -> Result<Value, AwsError> {
    let input = RunInput { call: checksum(form.said().as_bytes()), ..read(form)? };
    written(running::run(region, &input)?)
}

fn call<I: DeserializeOwned, O: Serialize>(
    region: &mut Region,
    form: &Form,
    act: fn(&mut Region, &I) -> Result<O, AwsError>,
) -> Result<Value, AwsError> {
    written(act(region, &read(form)?)?)
}

/// What a form says, in the service's words where it cannot be so.
fn read<I: DeserializeOwned>(form: &Form) -> Result<I, AwsError> {
    form.read().map_err(|error| match error {
        FormError::Missing(member) => {
            AwsError::new("MissingParameter", format!("The request must contain the parameter {member}"))
        }
        FormError::Kind { member, value, wanted } => {
            invalid(&member, &value, &format!("Expecting {wanted}."))
        }
        FormError::Constraint { member, value, rule } => invalid(&member, &value, &format!("{rule}.")),
        FormError::Invalid { .. } => AwsError::new("InvalidParameterValue", error.to_string()),
    })
}

fn written<O: Serialize>(output: O) -> Result<Value, AwsError> {
    serde_json::to_value(output)
        .map_err(|error| AwsError::new("InternalError", error.to_string()).with_status(500))
}

/// A value that a parameter cannot have, in the service's words.
fn invalid(member: &str, value: &str, why: &str) -> AwsError {
    let member = uncapitalised(member);
    AwsError::new(
        "InvalidParameterValue",
        format!("Value ( {value} ) for parameter {member} is invalid. {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn every_operation_answers_an_empty_form_with_a_fault_of_the_caller_or_an_answer() {
        for (name, _) in OPERATIONS {
            let mut region = Region::new(&Settings::default());
            if let Err(error) = dispatch(&mut region, name, &Form::default()) {
                assert_eq!((error.status, error.sender), (400, true), "{name}: {error}");
            }
        }
    }
}
