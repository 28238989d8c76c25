//! Values as XML: a structure becomes elements, a list becomes repeated `member` or `item` elements, a map (a structure
//! with the one list `entry`) becomes repeated `entry` elements, an absent value becomes nothing.

use quick_xml::escape::escape;
use serde_json::Value;

/// Text with the characters escaped that XML gives a meaning.
pub fn escaped(text: &str) -> String {
    let allowed = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..);
    escape(text.chars().filter(allowed).collect::<String>()).into_owned()
}

/// The members of a structure as elements; lists with elements named `item`.
pub fn members(structure: &Value, item: &str) -> String {
    let mut out = String::new();
    content(&mut out, structure, item);
    out
}

fn content(out: &mut String, value: &Value, item: &str) {
    match value {
        Value::Null => {}
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::String(text) => out.push_str(&escaped(text)),
        Value::Array(values) => values.iter().for_each(|value| element(out, item, value, item)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::Array(entries) if name == "entry" => {
                for entry in entries {
                    element(out, name, entry, item);
                }
            }
            value => element(out, name, value, item),
        }),
    }
}

fn element(out: &mut String, name: &str, value: &Value, item: &str) {
    if value.is_null() {
        return;
    }
    out.push('<');
    out.push_str(name);
    out.push('>');
    content(out, value, item);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn structures_lists_and_absent_values_have_their_forms() {
        let entries = json!([{ "key": "a", "value": 1 }, { "key": "b", "value": 2 }]);
        let value = json!({
            "A": [1, { "B": "x<&\u{1}>" }], "C": null, "D": true, "E": [], "F": { "entry": entries },
        });
        assert_eq!(
            members(&value, "member"),
            "<A><member>1</member><member><B>x&lt;&amp;&gt;</B></member></A><D>true</D><E></E>\
             <F><entry><key>a</key><value>1</value></entry><entry><key>b</key><value>2</value></entry></F>"
        );
    }
}
