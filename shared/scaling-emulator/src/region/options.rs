//! Options of a group that are kept and shown, and the few of them that something follows from.

use serde::{Deserialize, Serialize};

/// What a group is told besides its sizes, its source and its zones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Options {
    /// What desired capacity counts: `units`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub desired_capacity_type: Option<String>,
    /// How launches spread over the zones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone_distribution: Option<ZoneDistribution>,
    /// What is done about an impaired zone; kept and shown, since traffic is never shifted here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub availability_zone_impairment_policy: Option<ZoneImpairment>,
    /// Which Capacity Reservations are used first; kept and shown, since there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_reservation_specification: Option<Reservations>,
    /// What is kept of instances whose end is abandoned; `terminate`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_lifecycle_policy: Option<LifecyclePolicy>,
    /// Whether it may be deleted: `none`, `prevent-force-deletion`, `prevent-all-deletion`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_protection: Option<String>,
    /// Kept and shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Kept and shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placement_group: Option<String>,
    /// The role that the service has; its own when absent.
    #[serde(rename = "ServiceLinkedRoleARN", skip_serializing_if = "Option::is_none")]
    pub service_linked_role_arn: Option<String>,
}

/// How launches spread over the zones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ZoneDistribution {
    /// `balanced-best-effort` tries other zones where a launch fails, `balanced-only` the same again.
    pub capacity_distribution_strategy: Option<String>,
}

/// What is done about an impaired zone.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ZoneImpairment {
    /// Whether traffic may be shifted away.
    pub zonal_shift_enabled: Option<bool>,
    /// `ReplaceUnhealthy` or `IgnoreUnhealthy`.
    pub impaired_zone_health_check_behavior: Option<String>,
}

/// Which Capacity Reservations are used first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Reservations {
    /// `capacity-reservations-first`, `none` or `default`.
    pub capacity_reservation_preference: Option<String>,
    /// Which.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_reservation_target: Option<ReservationTarget>,
}

/// Capacity Reservations by id and by group.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ReservationTarget {
    /// By id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capacity_reservation_ids: Vec<String>,
    /// By group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub capacity_reservation_resource_group_arns: Vec<String>,
}

/// What is kept of instances.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LifecyclePolicy {
    /// When.
    pub retention_triggers: Option<RetentionTriggers>,
}

/// When instances are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct RetentionTriggers {
    /// Where a hook of their end is abandoned: `terminate`.
    pub terminate_hook_abandon: Option<String>,
}

impl Options {
    /// Whether a launch that fails is tried again in the same zone instead of another.
    pub(crate) fn keeps_balance(&self) -> bool {
        let distribution = self.availability_zone_distribution.as_ref();
        let strategy = distribution.and_then(|one| one.capacity_distribution_strategy.as_deref());
        strategy == Some("balanced-only")
    }

    /// Whether it must not be deleted, or not by force.
    pub(crate) fn is_protected(&self, by_force: bool) -> bool {
        match self.deletion_protection.as_deref() {
            Some("prevent-all-deletion") => true,
            Some("prevent-force-deletion") => by_force,
            _ => false,
        }
    }

    /// These with everything replaced that `newer` says.
    #[must_use]
    pub(crate) fn overlaid(self, newer: Self) -> Self {
        let text = |old: Option<String>, new: Option<String>| new.or(old).filter(|text| !text.is_empty());
        Self {
            desired_capacity_type: newer.desired_capacity_type.or(self.desired_capacity_type),
            availability_zone_distribution: newer
                .availability_zone_distribution
                .or(self.availability_zone_distribution),
            availability_zone_impairment_policy: newer
                .availability_zone_impairment_policy
                .or(self.availability_zone_impairment_policy),
            capacity_reservation_specification: newer
                .capacity_reservation_specification
                .or(self.capacity_reservation_specification),
            instance_lifecycle_policy: newer.instance_lifecycle_policy.or(self.instance_lifecycle_policy),
            deletion_protection: newer.deletion_protection.or(self.deletion_protection),
            // An empty text takes these away.
            context: text(self.context, newer.context),
            placement_group: text(self.placement_group, newer.placement_group),
            service_linked_role_arn: newer.service_linked_role_arn.or(self.service_linked_role_arn),
        }
    }
}
