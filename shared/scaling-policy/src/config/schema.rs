//! The JSON Schema of the file format, for editors and for whoever writes a configuration by program.

use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::read::SCHEMA_KEY;
use super::source::Document;

/// The schema (draft 2020-12), generated from the types of [`super::source`]: every key with its description,
/// unit, range and default. It checks the form; rules between two keys are [`super::Config::parse`]'s.
pub fn schema() -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "Service Scaling Framework configuration".into());
    let mut schema = schema.to_value();
    schema["properties"][SCHEMA_KEY] = json!({
        "type": "string",
        "description": "Where an editor finds this schema; it has no effect. Default: none.",
    });
    // An empty list is refused: with no group there is nothing to do.
    schema["properties"]["groups"]["minItems"] = 1.into();
    schema
}
