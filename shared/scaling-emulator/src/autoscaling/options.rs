//! What is refused of a group's options: words that there are not, and what the emulator does not act on.

use crate::region::options::Options;
use crate::wire::AwsError;

/// Checks the options that a call gives.
pub(super) fn check(options: &Options) -> Result<(), AwsError> {
    let distribution = options.availability_zone_distribution.as_ref();
    let impairment = options.availability_zone_impairment_policy.as_ref();
    let reservations = options.capacity_reservation_specification.as_ref();
    let triggers = options.instance_lifecycle_policy.as_ref().and_then(|one| one.retention_triggers.as_ref());
    word(
        "DesiredCapacityType",
        options.desired_capacity_type.as_deref(),
        &["units"],
        &["vcpu", "memory-mib"],
    )?;
    word(
        "CapacityDistributionStrategy",
        distribution.and_then(|one| one.capacity_distribution_strategy.as_deref()),
        &["balanced-only", "balanced-best-effort"],
        &[],
    )?;
    word(
        "ImpairedZoneHealthCheckBehavior",
        impairment.and_then(|one| one.impaired_zone_health_check_behavior.as_deref()),
        &["ReplaceUnhealthy", "IgnoreUnhealthy"],
        &[],
    )?;
    word(
        "CapacityReservationPreference",
        reservations.and_then(|one| one.capacity_reservation_preference.as_deref()),
        &["capacity-reservations-first", "none", "default"],
        &["capacity-reservations-only"],
    )?;
    word(
        "TerminateHookAbandon",
        triggers.and_then(|one| one.terminate_hook_abandon.as_deref()),
        &["terminate"],
        &["retain"],
    )?;
    word(
        "DeletionProtection",
        options.deletion_protection.as_deref(),
        &["none", "prevent-force-deletion", "prevent-all-deletion"],
        &[],
    )
}

/// Refuses a word that is none of `known`, and says so where it is the emulator that lacks it.
fn word(member: &str, given: Option<&str>, known: &[&str], lacking: &[&str]) -> Result<(), AwsError> {
    match given.filter(|word| !known.contains(word)) {
        None => Ok(()),
        Some(word) if lacking.contains(&word) => Err(AwsError::validation(format!(
            "This emulator does not act on {member} {word}; it knows {}.",
            known.join(", ")
        ))),
        Some(word) => Err(AwsError::invalid_value(word, member)),
    }
}
