//! The group against its bounds, the catalogue, the account's quotas and what is really used.

use scaling_control::Evaluation;
use scaling_control::observe::UNKNOWN_TYPE;
use scaling_fleet::Catalogue;
use scaling_policy::config::{ControlLevel, Mode};
use scaling_policy::decide::demand::is_wanted_known;
use scaling_policy::decision::counted;
use scaling_policy::operation::LaunchFailureKind;
use scaling_policy::snapshot::RetypeSupport;

use super::{Facts, Findings};

/// The least number of replicas is too many when this share of it would carry the load.
const USED_SHARE: f64 = 0.5;

pub(super) fn look(evaluation: &Evaluation, facts: &Facts, findings: &mut Findings<'_>) {
    // Where nothing runs, and nothing says which type will, there is nothing to mend: what holds of the type is told then.
    if evaluation.snapshot.group.launch_type.name.as_str() != UNKNOWN_TYPE {
        of_type(evaluation, facts, findings);
        of_type_changes(evaluation, findings);
    }
    of_bounds(evaluation, findings);
    of_quota(evaluation, facts, findings);
    of_launches(facts, findings);
    of_tags(evaluation, findings);
}

fn of_type_changes(evaluation: &Evaluation, findings: &mut Findings<'_>) {
    if let RetypeSupport::CountOnly { why } = &evaluation.snapshot.group.retype
        && findings.config.mode != Mode::Horizontal
    {
        let fix = "mend what it says, such as by a launch template with one type, or by the parameter \
            AllowTypeChanges of the stack; or set `mode` to `horizontal`";
        findings.warn("count_only", why.clone(), fix);
    }
}

fn of_type(evaluation: &Evaluation, facts: &Facts, findings: &mut Findings<'_>) {
    let (config, offer) = (findings.config, &evaluation.snapshot.group.launch_type);
    if Catalogue::embedded().get(&offer.name).is_none() {
        let detail = format!("{} is not in the catalogue, so its vCPU and memory are not known", offer.name);
        findings.warn("type_unknown", detail, "take a type of the catalogue, or count on count changes only");
    } else if offer.price.0 <= 0.0 {
        let detail =
            format!("{} has no known price in this region, so cost and savings leave it out", offer.name);
        findings.warn("no_price", detail, "state its price under `prices` in the configuration");
    } else if evaluation.spot_share > 0.0 && !facts.spot_is_priced {
        let share = evaluation.spot_share * 100.0;
        let detail = format!(
            "{share:.0} % of the group are spot instances of {}, whose spot price is not known: they count at the \
             on-demand price",
            offer.name
        );
        findings.warn(
            "no_spot_price",
            detail,
            "state what it costs under `spot_prices` in the configuration",
        );
    }
    if !config.resources.allow(offer.vcpu, offer.memory) {
        let detail = format!("{} is outside the bounds, so only the count changes", offer.name);
        findings.warn("type_outside_bounds", detail, "widen `resources`, or change to a type within them");
    }
}

fn of_bounds(evaluation: &Evaluation, findings: &mut Findings<'_>) {
    let (config, group) = (findings.config, &evaluation.snapshot.group);
    let ours = config.replicas;
    if ours.max < group.min || ours.min > group.max {
        let own = format!("{} to {}", group.min, group.max);
        let detail =
            format!("the group's own bounds ({own}) and ours ({} to {}) do not meet", ours.min, ours.max);
        findings.error("bounds_apart", detail, "change one of them so that they overlap");
    } else if ours.max > group.max {
        let allowed = counted(group.max, "replica", "replicas");
        let detail = format!("the group allows {allowed}, the configuration {}", ours.max);
        findings.warn("group_max_lower", detail, "raise the group's own maximum, or lower `max_replicas`");
    }
    let wanted = evaluation.decision.wanted.replicas;
    let is_known = is_wanted_known(config, &evaluation.snapshot, &evaluation.decision);
    if is_known && ours.min > 1 && f64::from(wanted) <= f64::from(ours.min) * USED_SHARE {
        let wanted = counted(wanted, "replica", "replicas");
        let detail = format!("{wanted} would carry the load now; `min_replicas` is {}", ours.min);
        findings.warn("min_above_use", detail, "lower `min_replicas` where the reserve is not wanted");
    }
}

/// Whether the group may grow to its maximum beside everything else that the account runs.
fn of_quota(evaluation: &Evaluation, facts: &Facts, findings: &mut Findings<'_>) {
    let Some(quota) = &facts.quota else { return };
    let group = &evaluation.snapshot.group;
    let most = findings.config.replicas.max.min(group.max);
    let needed = f64::from(most) * group.launch_type.vcpu.0;
    let others = (quota.used_vcpu - group.serving_vcpu().0).max(0.0);
    if others + needed > quota.limit_vcpu {
        let detail = format!(
            "{most} replicas of {} need {needed} vCPU; the account may run {} of {}, and {others} run elsewhere",
            group.launch_type.name, quota.limit_vcpu, quota.class
        );
        let fix = "ask for a higher quota in Service Quotas, or lower `max_replicas` to what it allows";
        findings.warn("quota_below_max", detail, fix);
    }
}

/// The role of the template's functions ends where the tag is missing; another role may reach further, so that it is no error.
fn of_tags(evaluation: &Evaluation, findings: &mut Findings<'_>) {
    let Some(tag) = &evaluation.missing_tag else { return };
    if findings.config.control == ControlLevel::Observe {
        return;
    }
    let detail = format!("it has no tag {tag}, and the functions' role may change only groups that have it");
    let fix = "add the tag to the group; a controller that runs under a role of your own may need none";
    findings.warn("tag_missing", detail, fix);
}

fn of_launches(facts: &Facts, findings: &mut Findings<'_>) {
    let Some(failure) = facts.failures.last() else { return };
    let detail = format!("launches fail: {}", failure.message);
    match failure.kind {
        LaunchFailureKind::Quota => {
            findings.error(
                "quota",
                detail,
                "ask for a higher quota, or lower `max_replicas` to what it allows",
            );
        }
        LaunchFailureKind::Template => {
            findings.error("template", detail, "correct the launch template: image, key, profile or network");
        }
        LaunchFailureKind::Capacity => {
            findings.warn(
                "no_capacity",
                detail,
                "add zones or types to the ladder; it is tried again by itself",
            );
        }
        LaunchFailureKind::Other => {
            findings.warn("launch_failed", detail, "look at the group's scaling activities");
        }
    }
}
