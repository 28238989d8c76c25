//! The configuration reference out of the JSON Schema.

use serde_json::Value;

const HEAD: &str = "\
# Configuration

A JSON file, by default `config/scaling.json`. Over it lie the file of an environment and environment variables:
`SCALING__REPLICAS__MAX_REPLICAS=12` sets `/replicas/max_replicas`. All faults are reported at once, each with its place, the
rule and a fix (`scaling validate`). CPU is in vCPU, memory in MiB, utilisation a fraction of 1, time in seconds, money in
USD. What stands at the top level holds for every group; a group overrides any section.

This chapter is generated from `config/config.schema.json`.
";

/// The chapter.
pub(crate) fn of(schema: &Value) -> String {
    let mut parts = vec![HEAD.to_owned(), section("Top level", schema)];
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        if definition["properties"].is_object() {
            parts.push(section(&title(schema, name), definition));
        } else if definition["oneOf"].is_array() || definition["enum"].is_array() {
            parts.push(choices(name, definition));
        }
    }
    parts.join("\n")
}

/// The sections are named by the key that they stand under.
fn title(schema: &Value, name: &str) -> String {
    let target = format!("#/$defs/{name}");
    let is_of = |value: &Value| value.to_string().contains(&target);
    let key = schema["properties"].as_object().unwrap().iter().find(|(_, value)| is_of(value));
    match key {
        Some((key, value)) if value["items"].is_object() => format!("`{key}[]`"),
        Some((key, _)) => format!("`{key}`"),
        None => format!("`{}`", name.trim_end_matches("Source")),
    }
}

fn section(title: &str, definition: &Value) -> String {
    let mut lines = vec![format!("## {title}\n"), "| Key | Type | Meaning |\n|---|---|---|".to_owned()];
    for (key, value) in definition["properties"].as_object().unwrap() {
        let meaning =
            value["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
        lines.push(format!("| `{key}` | {} | {meaning} |", kind(value)));
    }
    lines.join("\n") + "\n"
}

fn choices(name: &str, definition: &Value) -> String {
    let one = |value: &Value| match value["const"].as_str() {
        Some(word) => {
            let meaning = value["description"].as_str().unwrap_or_default().replace('\n', " ");
            vec![format!("| `{word}` | {meaning} |")]
        }
        None => value["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|word| format!("| `{}` | |", word.as_str().unwrap()))
            .collect(),
    };
    let listed: Vec<String> = match definition["oneOf"].as_array() {
        Some(list) => list.iter().flat_map(one).collect(),
        None => one(definition),
    };
    format!("## Words of {name}\n\n| Word | Meaning |\n|---|---|\n{}\n", listed.join("\n"))
}

/// The type of a value in a word.
fn kind(value: &Value) -> String {
    if let Some(target) = value["$ref"].as_str() {
        return target.rsplit('/').next().unwrap().trim_end_matches("Source").to_owned();
    }
    let list = |item: &Value| format!("list of {}", kind(item));
    let of_word = |word: &str| if word == "array" { list(&value["items"]) } else { word.to_owned() };
    match (&value["type"], value["anyOf"].as_array()) {
        (Value::String(word), _) => of_word(word),
        (Value::Array(words), _) => {
            let words = words.iter().filter_map(Value::as_str).filter(|word| *word != "null");
            words.map(of_word).collect::<Vec<_>>().join(" or ")
        }
        (_, Some(any)) => {
            let kinds: Vec<String> = any.iter().filter(|one| one["type"] != "null").map(kind).collect();
            kinds.join(" or ")
        }
        _ => "any".to_owned(),
    }
}
