//! Bodies of dashboards, checked as far as their structure is documented: the list of widgets, where each stands, its type,
//! and what a widget of that type must say.

use serde_json::{Value, json};

/// Most widgets of a dashboard.
const MAX_WIDGETS: usize = 500;

/// Types of widgets, each with what its properties must have: one of these members, all when there are none.
const TYPES: [(&str, &[&str]); 7] = [
    ("alarm", &["alarms"]),
    ("chart", &[]),
    ("custom", &["endpoint"]),
    ("explorer", &["metrics"]),
    ("log", &["query"]),
    ("metric", &["metrics", "annotations"]),
    ("text", &["markdown"]),
];

/// Where a widget stands and how large it is: the least and the most of each number.
const NUMBERS: [(&str, u64, u64); 4] =
    [("x", 0, 23), ("y", 0, u64::MAX), ("width", 1, 24), ("height", 1, 1000)];

/// What is wrong, and where in the body.
struct Fault {
    path: String,
    message: String,
}

impl Fault {
    fn missing(path: &str, member: &str) -> Self {
        Self { path: path.to_owned(), message: format!("Should have required property '{member}'") }
    }

    fn new(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), message: message.into() }
    }
}

/// Checks a body.
///
/// # Errors
/// All that is wrong with it, in one sentence with a list.
pub(super) fn check(body: &str) -> Result<(), String> {
    let Ok(body @ Value::Object(_)) = serde_json::from_str(body) else {
        return Err("The field DashboardBody must be a valid JSON object".to_owned());
    };
    let mut faults = Vec::new();
    check_whole(&body, &mut faults);
    if faults.is_empty() {
        return Ok(());
    }
    let told: Vec<Value> =
        faults.iter().map(|fault| json!({ "dataPath": fault.path, "message": fault.message })).collect();
    Err(format!(
        "The dashboard body is invalid, there are {} validation errors: {}",
        told.len(),
        Value::Array(told)
    ))
}

fn check_whole(body: &Value, faults: &mut Vec<Fault>) {
    match body.get("widgets") {
        None => faults.push(Fault::missing("", "widgets")),
        Some(Value::Array(widgets)) if widgets.len() > MAX_WIDGETS => {
            faults.push(Fault::new("/widgets", format!("Should NOT have more than {MAX_WIDGETS} items")));
        }
        Some(Value::Array(widgets)) => {
            for (number, widget) in widgets.iter().enumerate() {
                check_widget(widget, &format!("/widgets/{number}"), faults);
            }
        }
        Some(_) => faults.push(Fault::new("/widgets", "Should be array")),
    }
    let inherits = body.get("periodOverride").is_none_or(|value| value == "auto" || value == "inherit");
    if !inherits {
        faults.push(Fault::new("/periodOverride", "Should be equal to one of the allowed values"));
    }
}

fn check_widget(widget: &Value, path: &str, faults: &mut Vec<Fault>) {
    if !widget.is_object() {
        return faults.push(Fault::new(path, "Should be object"));
    }
    for (name, least, most) in NUMBERS {
        let Some(number) = widget.get(name) else { continue };
        let at = format!("{path}/{name}");
        faults.extend(number_fault(number, least, most).map(|message| Fault::new(&at, message)));
    }
    let placed = |name: &str| widget.get(name).is_some();
    if placed("x") != placed("y") {
        faults.push(Fault::missing(path, if placed("x") { "y" } else { "x" }));
    }
    let properties = widget.get("properties");
    if properties.is_none() {
        faults.push(Fault::missing(path, "properties"));
    }
    let kind = widget.get("type").and_then(Value::as_str);
    match TYPES.iter().find(|(known, _)| Some(*known) == kind) {
        Some((_, members)) => {
            faults.extend(properties.and_then(|given| properties_fault(given, members, path)));
        }
        None if widget.get("type").is_none() => faults.push(Fault::missing(path, "type")),
        None => {
            faults.push(Fault::new(&format!("{path}/type"), "Should be equal to one of the allowed values"));
        }
    }
}

fn number_fault(number: &Value, least: u64, most: u64) -> Option<String> {
    match number.as_i64() {
        None => Some("Should be integer".to_owned()),
        Some(number) if u64::try_from(number).is_ok_and(|number| number > most) => {
            Some(format!("Should be <= {most}"))
        }
        Some(number) if !u64::try_from(number).is_ok_and(|number| number >= least) => {
            Some(format!("Should be >= {least}"))
        }
        Some(_) => None,
    }
}

/// What the properties of a widget lack: one of the members that its type asks for.
fn properties_fault(given: &Value, members: &[&str], path: &str) -> Option<Fault> {
    let at = format!("{path}/properties");
    if !given.is_object() {
        return Some(Fault::new(&at, "Should be object"));
    }
    let there = members.is_empty() || members.iter().any(|member| given.get(member).is_some());
    members.first().filter(|_| !there).map(|member| Fault::missing(&at, member))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn widget(changes: &Value) -> String {
        let mut widget = json!({
            "type": "metric", "x": 0, "y": 0, "width": 12, "height": 6,
            "properties": { "metrics": [["AWS/EC2", "CPUUtilization"]], "region": "us-east-1" },
        });
        for (name, value) in changes.as_object().unwrap() {
            widget[name] = value.clone();
        }
        json!({ "widgets": [widget] }).to_string()
    }

    #[test]
    fn a_body_as_it_is_documented_is_taken() {
        for body in [
            json!({ "widgets": [] }).to_string(),
            json!({ "widgets": [], "periodOverride": "inherit", "start": "-PT6H" }).to_string(),
            widget(&json!({})),
            widget(&json!({ "type": "text", "properties": { "markdown": "hello" } })),
            widget(&json!({ "x": 23, "width": 24, "height": 1000 })),
            widget(&json!({ "type": "log", "properties": { "query": "SOURCE 'a'", "region": "us-east-1" } })),
            widget(&json!({ "type": "alarm", "properties": { "alarms": ["arn"] } })),
            widget(&json!({ "properties": { "annotations": { "alarms": ["arn"] } } })),
        ] {
            assert_eq!(check(&body), Ok(()), "{body}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (body, path, message) in [
            ("{}".to_owned(), "", "Should have required property 'widgets'"),
            (
                widget(&json!({ "type": "pie" })),
                "/widgets/0/type",
                "Should be equal to one of the allowed values",
            ),
            (widget(&json!({ "width": 25 })), "/widgets/0/width", "Should be <= 24"),
            (widget(&json!({ "x": -1 })), "/widgets/0/x", "Should be >= 0"),
            (widget(&json!({ "x": 24 })), "/widgets/0/x", "Should be <= 23"),
            (widget(&json!({ "height": "6" })), "/widgets/0/height", "Should be integer"),
            (
                widget(&json!({ "type": "text", "properties": {} })),
                "/widgets/0/properties",
                "Should have required property 'markdown'",
            ),
            (json!({ "widgets": {} }).to_string(), "/widgets", "Should be array"),
            (json!({ "widgets": [1] }).to_string(), "/widgets/0", "Should be object"),
        ] {
            let told = check(&body).unwrap_err();
            let expected = json!([{ "dataPath": path, "message": message }]).to_string();
            assert!(
                told.contains("there are 1 validation errors") && told.ends_with(&expected),
                "{body}: {told}"
            );
        }
        let two = check(&json!({ "widgets": [{ "x": 1 }] }).to_string()).unwrap_err();
        assert!(two.contains("there are 3 validation errors"), "{two}");
    }
}
