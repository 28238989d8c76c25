//! What people have set, or not set up, that keeps groups from being changed.

use std::sync::Arc;

use scaling_aws::AwsPlatform;
use scaling_control::ControlLoop;
use scaling_control::record::{GroupRecord, KillSwitch, group_from_json, group_key};
use scaling_policy::config::{Config, ControlLevel, GroupConfig};
use scaling_policy::decide::in_force::in_force;

use super::checks::failed;
use super::{Check, Verdict};

/// The kill switch; and of each group its pause, override and calendar, and whether it is only observed.
pub(super) async fn controls(control: &ControlLoop, config: &Config, checks: &mut Vec<Check>) {
    match control.kill_switch().await {
        Ok(Some(KillSwitch { by, reason })) => {
            let detail = format!(
                "on by {by}: {reason}; no change is asked for, and what the platform has begun goes on"
            );
            checks.push(Check::of(
                Verdict::Warning,
                "kill switch",
                detail,
                "`scaling kill-switch off` releases it",
            ));
        }
        Ok(None) => {}
        Err(error) => checks.push(failed("kill switch", &error)),
    }
    let keys: Vec<String> = config.groups.iter().map(|group| group_key(&group.name)).collect();
    let stored = match control.ports().store.get_many(&keys).await {
        Ok(stored) => stored,
        Err(error) => return checks.push(failed("state", &error)),
    };
    let now = control.ports().clock.now();
    for group in &config.groups {
        let key = group_key(&group.name);
        let record = stored.iter().find(|stored| stored.key == key);
        let record: Option<GroupRecord> = record.and_then(|stored| group_from_json(&key, &stored.body).ok());
        let state = record.unwrap_or_default().state;
        let warn = |detail: String, fix: &str| {
            Check::of(Verdict::Warning, format!("controls of {}", group.name), detail, fix)
        };
        checks.extend(in_force(group, &state, now).into_iter().map(|said| {
            // Nobody has to take back what the configuration says.
            if said.starts_with("calendar ") {
                return Check::good(format!("controls of {}", group.name), said);
            }
            warn(
                said,
                "`scaling status` shows it; `scaling resume` and `scaling override --end` take it back",
            )
        }));
        if group.control == ControlLevel::Observe {
            let fix = "look at `scaling plan`, then set `control` to up_only or act";
            checks.push(warn("it is only observed: nothing is changed".to_owned(), fix));
        }
    }
}

/// Alarms that should wake the groups of a deployed controller.
pub(super) async fn alarms(platform: &AwsPlatform, groups: &[Arc<GroupConfig>], checks: &mut Vec<Check>) {
    let name = "alarms";
    checks.push(match platform.missing_alarms(groups).await {
        Ok(missing) if missing.is_empty() => Check::good(name, "each group has those that wake it"),
        Ok(missing) => Check::of(
            Verdict::Warning,
            name,
            format!("missing: {}; these groups are looked at by the schedule alone", missing.join(", ")),
            "`scaling alarms sync --table NAME --function ARN` makes them; the schedule does so hourly",
        ),
        Err(error) => failed(name, &error),
    });
}
