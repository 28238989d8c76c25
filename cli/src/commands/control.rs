//! What a person sets until it is taken back or runs out: `scaling pause`, `resume`, `override`, `hold`, `kill-switch`.

use anyhow::{Result, bail};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::rest::{self, Controller};
use crate::arguments::{
    HoldArguments, KillSwitchArguments, OverrideArguments, PauseArguments, ResumeArguments, Switch,
    TargetArguments,
};
use crate::output;

/// Pauses a group.
pub(crate) async fn pause(arguments: &PauseArguments) -> Result<()> {
    let target = &arguments.target;
    let (controller, group) = found(target).await?;
    let body = body([
        ("reason", json!(arguments.reason)),
        ("until", json!(until(&controller, arguments.duration).await)),
    ]);
    let answer = controller.post(&path(&group, "pause"), &body).await?;
    tell(target, &answer, || format!("{group} is paused{}", ends(&answer["pause"]["until"])))
}

/// Resumes a group.
pub(crate) async fn resume(arguments: &ResumeArguments) -> Result<()> {
    let target = &arguments.target;
    let (controller, group) = found(target).await?;
    let answer = controller.post(&path(&group, "resume"), &body([])).await?;
    tell(target, &answer, || format!("{group} is controlled again"))
}

/// Sets other bounds or another type for a while, or ends that.
pub(crate) async fn set_override(arguments: &OverrideArguments) -> Result<()> {
    let target = &arguments.target;
    let (controller, group) = found(target).await?;
    if arguments.end {
        let answer = controller.delete(&path(&group, "override"), &body([])).await?;
        return tell(target, &answer, || format!("{group} has the bounds of its configuration again"));
    }
    let body = body([
        ("min", json!(arguments.min)),
        ("max", json!(arguments.max)),
        ("instance_type", json!(arguments.instance_type)),
        ("until", json!(until(&controller, arguments.duration).await)),
        ("reason", json!(arguments.reason)),
    ]);
    let answer = controller.put(&path(&group, "override"), &body).await?;
    tell(target, &answer, || {
        let note = answer["note"].as_str().map_or_else(String::new, |note| format!("\nNote: {note}."));
        format!("{group} is overridden{}{note}", ends(&answer["override"]["until"]))
    })
}

/// Keeps what a group has against scale-down.
pub(crate) async fn hold(arguments: &HoldArguments) -> Result<()> {
    let target = &arguments.target;
    let (controller, group) = found(target).await?;
    let body = body([
        ("reason", json!(arguments.reason)),
        ("until", json!(until(&controller, arguments.duration).await)),
    ]);
    let answer = controller.post(&path(&group, "hold"), &body).await?;
    let held = &answer["override"];
    tell(target, &answer, || {
        format!("{group} keeps at least {} replicas{}", held["min"], ends(&held["until"]))
    })
}

/// Throws or releases the kill switch, or says whether it is on.
pub(crate) async fn kill_switch(arguments: &KillSwitchArguments) -> Result<()> {
    let controller = Controller::new(&arguments.api)?;
    let answer = match arguments.switch {
        Some(Switch::On) => {
            controller.put("/kill-switch", &body([("reason", json!(arguments.reason))])).await?
        }
        Some(Switch::Off) => controller.delete("/kill-switch", &body([])).await?,
        None => controller.get("/kill-switch").await?,
    };
    if arguments.json {
        return output::json(&answer);
    }
    let switch = &answer["kill_switch"];
    let said = |member: &str| switch[member].as_str().unwrap_or("-").to_owned();
    output::line(if switch.is_null() {
        "the kill switch is off".to_owned()
    } else {
        format!(
            "the kill switch is on: {} ({}); no change is asked for, and what the platform has begun goes on",
            said("reason"),
            said("by")
        )
    })
}

/// The controller, and the group that is meant: the one that is named, or the only one.
async fn found(target: &TargetArguments) -> Result<(Controller, String)> {
    let controller = Controller::new(&target.api)?;
    if let Some(name) = &target.group {
        return Ok((controller, name.clone()));
    }
    let answer = controller.get("/groups").await?;
    let groups = rest::array(&answer, "groups")?.iter().filter_map(|group| group["name"].as_str());
    let names: Vec<String> = groups.map(str::to_owned).collect();
    match names.as_slice() {
        [only] => Ok((controller, only.clone())),
        names => bail!("name the group with --group; they are {}", names.join(", ")),
    }
}

fn path(group: &str, what: &str) -> String {
    format!("/groups/{}/{what}", rest::escaped(group))
}

/// A body of what is set, and of who asks.
fn body<const N: usize>(members: [(&str, Value); N]) -> Value {
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
    let all = members.into_iter().chain([("by", json!(user))]).filter(|(_, value)| !value.is_null());
    all.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>().into()
}

pub(super) async fn until(controller: &Controller, duration: Option<SignedDuration>) -> Option<Timestamp> {
    let duration = duration?;
    let until = controller.now().await + duration;
    // Whole seconds read better, and nobody counts fractions of them here.
    Some(Timestamp::from_second(until.as_second()).unwrap_or(until))
}

fn ends(until: &Value) -> String {
    until.as_str().map_or_else(String::new, |until| format!(" until {until}"))
}

fn tell(target: &TargetArguments, answer: &Value, sentence: impl FnOnce() -> String) -> Result<()> {
    if target.json { output::json(answer) } else { output::line(sentence()) }
}
