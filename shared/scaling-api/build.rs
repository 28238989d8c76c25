//! Takes the space out of `openapi.json`: half of what is stored for people to read is indentation, and the function
//! that serves it should be small.

use std::path::Path;

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=openapi.json");
    let stored = std::fs::read_to_string("openapi.json")?;
    let folder = std::env::var_os("OUT_DIR").unwrap_or_default();
    std::fs::write(Path::new(&folder).join("openapi.json"), without_space(&stored))
}

/// JSON without the space between its tokens.
fn without_space(json: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let kept = |c: &char| {
        let keep = in_text || !c.is_ascii_whitespace();
        (in_text, escaped) = match c {
            '"' if !escaped => (!in_text, false),
            '\\' => (in_text, in_text && !escaped),
            _ => (in_text, false),
        };
        keep
    };
    json.chars().filter(kept).collect()
}
