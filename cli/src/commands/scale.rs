//! `scaling scale`: asks a running controller for a count or a type.

use anyhow::Result;
use jiff::Timestamp;
use scaling::narrate;
use scaling_policy::Action;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::control::until;
use super::rest::Controller;
use crate::arguments::ScaleArguments;
use crate::output;

/// Asks.
pub(crate) async fn scale(arguments: &ScaleArguments) -> Result<()> {
    let controller = Controller::new(&arguments.api)?;
    let until = until(&controller, arguments.duration).await;
    let answer = controller.post("/scale", &wish(arguments, until)).await?;
    if arguments.json {
        return output::json(&answer);
    }
    let action = Action::deserialize(&answer["decision"]["action"]);
    let wanted = action.map_or_else(|_| "as asked".to_owned(), |action| narrate::action(&action));
    output::line(match answer["operation"]["id"].as_str() {
        Some(id) => {
            format!("accepted: {wanted}; operation {id}, see GET {}/operations/{id}", arguments.api.api)
        }
        None if arguments.dry_run => format!("would do: {wanted}"),
        None if let Some(until) = until => {
            format!("the group is as asked for already, and is kept so until {until}")
        }
        None => "nothing to do: the group is as asked for already".to_owned(),
    })?;
    let before = &answer["replaced"];
    if before.is_null() {
        return Ok(());
    }
    let said = |member: &str| before[member].as_str().unwrap_or("-");
    output::line(format_args!(
        "it takes the place of the request by {} that held until {}: its count and type are not kept any more",
        said("by"),
        said("until")
    ))
}

fn wish(arguments: &ScaleArguments, until: Option<Timestamp>) -> Value {
    let mut wish = Map::new();
    wish.insert("dry_run".to_owned(), arguments.dry_run.into());
    let user = std::env::var("USER").ok().filter(|user| !user.is_empty());
    for (member, value) in [
        ("group", json!(arguments.group)),
        ("replicas", json!(arguments.replicas)),
        ("instance_type", json!(arguments.instance_type)),
        ("expires", json!(until)),
        ("by", json!(user)),
    ] {
        if !value.is_null() {
            wish.insert(member.to_owned(), value);
        }
    }
    Value::Object(wish)
}
