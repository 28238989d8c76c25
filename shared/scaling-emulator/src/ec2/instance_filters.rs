//! Filters of DescribeInstances beside the common ones: what an instance has by its type and its network, and what none here
//! has.

use serde_json::Value;

use super::instances::InstanceDescription;
use super::tags;

/// Filters that the service knows and no instance here has a value for: they let nothing through.
const OF_NOTHING: &[&str] = &[
    "affinity",
    "block-device-mapping.attach-time",
    "block-device-mapping.delete-on-termination",
    "block-device-mapping.device-name",
    "block-device-mapping.status",
    "block-device-mapping.volume-id",
    "boot-mode",
    "capacity-reservation-id",
    "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-id",
    "capacity-reservation-specification.capacity-reservation-target.capacity-reservation-resource-group-arn",
    "host-id",
    "iam-instance-profile.id",
    "ip-address",
    "ipv6-address",
    "kernel-id",
    "metadata-options.http-protocol-ipv4",
    "network-interface.addresses.association.allocation-id",
    "network-interface.addresses.association.association-id",
    "network-interface.addresses.association.carrier-ip",
    "network-interface.addresses.association.customer-owned-ip",
    "network-interface.addresses.association.ip-owner-id",
    "network-interface.addresses.association.public-dns-name",
    "network-interface.addresses.association.public-ip",
    "network-interface.addresses.primary",
    "network-interface.association.allocation-id",
    "network-interface.association.association-id",
    "network-interface.association.carrier-ip",
    "network-interface.association.customer-owned-ip",
    "network-interface.association.ip-owner-id",
    "network-interface.association.public-dns-name",
    "network-interface.association.public-ip",
    "network-interface.attachment.attach-time",
    "network-interface.attachment.attachment-id",
    "network-interface.attachment.delete-on-termination",
    "network-interface.attachment.device-index",
    "network-interface.attachment.network-card-index",
    "network-interface.attachment.status",
    "network-interface.deny-all-igw-traffic",
    "network-interface.description",
    "network-interface.ipv4-prefixes.ipv4-prefix",
    "network-interface.ipv6-address",
    "network-interface.ipv6-addresses.ipv6-address",
    "network-interface.ipv6-addresses.is-primary-ipv6",
    "network-interface.ipv6-native",
    "network-interface.ipv6-prefixes.ipv6-prefix",
    "network-interface.mac-address",
    "network-interface.network-interface-id",
    "network-interface.operator.managed",
    "network-interface.operator.principal",
    "network-interface.outpost-arn",
    "network-interface.public-dns-name",
    "network-interface.requester-id",
    "network-interface.requester-managed",
    "network-interface.source-dest-check",
    "network-interface.status",
    "network-interface.tag-key",
    "network-interface.tag-value",
    "network-performance-options.bandwidth-weighting",
    "operator.managed",
    "operator.principal",
    "outpost-arn",
    "placement-group-name",
    "placement-partition-number",
    "platform",
    "private-dns-name-options.enable-resource-name-dns-a-record",
    "private-dns-name-options.enable-resource-name-dns-aaaa-record",
    "private-dns-name-options.hostname-type",
    "product-code",
    "product-code.type",
    "ramdisk-id",
    "tpm-support",
    "usage-operation-update-time",
];

/// An instance's values under a filter's name. `None`: the service knows no such filter.
pub(super) fn values(instance: &InstanceDescription, name: &str) -> Option<Vec<String>> {
    if let Some(part) = name.strip_prefix("network-interface.")
        && let Some(values) = of_interface(instance, part)
    {
        return Some(values);
    }
    if let Some(part) = name.strip_prefix("metadata-options.")
        && let Some(value) = instance.metadata_options.get(member(part))
    {
        return Some(vec![text(value)]);
    }
    if OF_NOTHING.contains(&name) {
        return Some(Vec::new());
    }
    of_machine(instance, name)
        .or_else(|| of_state(instance, name))
        .or_else(|| tags::values(&instance.tag_set, name))
}

/// What the one network interface of an instance would have.
fn of_interface(instance: &InstanceDescription, part: &str) -> Option<Vec<String>> {
    Some(match part {
        "subnet-id" => vec![instance.subnet_id.clone()],
        "availability-zone" => vec![instance.placement.availability_zone.clone()],
        "group-id" => instance.group_set.iter().map(|group| group.group_id.clone()).collect(),
        "group-name" => instance.group_set.iter().map(|group| group.group_name.clone()).collect(),
        "owner-id" | "attachment.instance-owner-id" => vec![instance.owner.clone()],
        "attachment.instance-id" => vec![instance.instance_id.clone()],
        "private-dns-name" | "addresses.private-dns-name" => vec![instance.private_dns_name.clone()],
        "private-ip-address" | "addresses.private-ip-address" => vec![instance.private_ip_address.clone()],
        _ => return None,
    })
}

fn of_machine(instance: &InstanceDescription, name: &str) -> Option<Vec<String>> {
    Some(vec![match name {
        "availability-zone-id" => instance.placement.availability_zone_id.clone(),
        "root-device-type" => instance.root_device_type.to_owned(),
        "root-device-name" => instance.root_device_name.to_owned(),
        "hypervisor" => instance.hypervisor.to_owned(),
        "virtualization-type" => instance.virtualization_type.to_owned(),
        "platform-details" => instance.platform_details.to_owned(),
        "monitoring-state" => instance.monitoring.state.to_owned(),
        "launch-index" => instance.ami_launch_index.to_string(),
        "ebs-optimized" => instance.ebs_optimized.to_string(),
        "source-dest-check" => instance.source_dest_check.to_string(),
        "dns-name" => common(instance, "/dnsName")?,
        "ena-support" => common(instance, "/enaSupport")?,
        "usage-operation" => common(instance, "/usageOperation")?,
        "current-instance-boot-mode" => common(instance, "/currentInstanceBootMode")?,
        "enclave-options.enabled" => common(instance, "/enclaveOptions/enabled")?,
        "hibernation-options.configured" => common(instance, "/hibernationOptions/configured")?,
        "maintenance-options.auto-recovery" => common(instance, "/maintenanceOptions/autoRecovery")?,
        "capacity-reservation-specification.capacity-reservation-preference" => {
            common(instance, "/capacityReservationSpecification/capacityReservationPreference")?
        }
        _ => return None,
    }])
}

fn of_state(instance: &InstanceDescription, name: &str) -> Option<Vec<String>> {
    let reason = instance.state_reason;
    Some(match name {
        "reason" => vec![instance.reason.clone()],
        "requester-id" => instance.requester().map(str::to_owned).into_iter().collect(),
        "state-reason-code" => reason.map(|reason| reason.code.to_owned()).into_iter().collect(),
        "state-reason-message" => reason.map(|reason| reason.message.to_owned()).into_iter().collect(),
        _ => return None,
    })
}

fn common(instance: &InstanceDescription, pointer: &str) -> Option<String> {
    instance.common.pointer(pointer).map(text)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The name of a member in a filter's words: `http-tokens` is `httpTokens`.
pub(super) fn member(filter: &str) -> String {
    let mut parts = filter.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |mut member, part| {
        let mut letters = part.chars();
        member.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        member.push_str(letters.as_str());
        member
    })
}
