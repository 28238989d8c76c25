//! The description from handlers, bodies and the table of endpoints; and the test that the stored one is this.

use std::collections::BTreeMap;

use scaling_policy::config;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::access::{ENDPOINTS, Endpoint};
use crate::problem::{Kind, MEDIA_TYPE, TYPE_PREFIX};
use crate::routes::Described;

/// The whole description.
fn document() -> Value {
    let mut document = serde_json::to_value(Described::openapi()).unwrap();
    let mut refusals = Map::new();
    for endpoint in ENDPOINTS {
        let operation = operation(&mut document, endpoint);
        leave_out_bodies(operation);
        add_headers(operation, endpoint);
        add_problems(operation, endpoint, &mut refusals);
        operation["operationId"] = name(endpoint).into();
        operation["x-required-role"] = json!(endpoint.role);
        if endpoint.role.is_none() {
            operation["security"] = json!([]);
        }
    }
    document["components"]["responses"] = refusals.into();
    document["components"]["headers"] = json!({
        "RequestId": {
            "description": "The id of the request: its own, or a new one", "schema": {"type": "string"},
        },
        "RetryAfter": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}},
    });
    document["components"]["securitySchemes"] = json!({
        "token": {
            "type": "http", "scheme": "bearer",
            "description": "A token of the token file. Without one, and on a loopback address, the interface asks for none.",
        },
        // As API Gateway itself writes it, so that generated clients of AWS know it.
        "sigv4": {
            "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": "awsSigv4",
            "description": "On AWS, in a token's place: AWS Signature Version 4 for the service execute-api.",
        },
        "api_key": {
            "type": "apiKey", "name": "x-api-key", "in": "header",
            "description": "On AWS, beside the signature: whose share of the usage plan a request takes.",
        },
    });
    document["security"] = json!([{}, {"token": []}, {"sigv4": [], "api_key": []}]);
    document["servers"] = servers();
    add_configuration(&mut document);
    document
}

/// Where the interface is. Tools take the first, so that it is the one that is always right but behind a gateway's stage.
fn servers() -> Value {
    json!([
        {
            "url": "/",
            "description": "The host that this description was read from: a process, or a domain of one's own",
        },
        {
            "url": "https://{api}.execute-api.{region}.amazonaws.com/v1",
            "description": "The deployed stack: its output ApiUrl",
            "variables": {
                "api": {"default": "a1b2c3d4e5", "description": "The id of its REST API"},
                "region": {"default": "us-east-1", "description": "Its region"},
            },
        },
    ])
}

/// A name for clients that are generated: `get_groups`, `post_groups_name_pause`.
fn name(endpoint: &Endpoint) -> String {
    let path = endpoint.path.replace(['{', '}'], "").replace(['/', '-', '.'], "_");
    endpoint.method.to_lowercase() + &path
}

fn operation<'a>(document: &'a mut Value, endpoint: &Endpoint) -> &'a mut Value {
    let operation = &mut document["paths"][endpoint.path][endpoint.method.to_lowercase()];
    assert!(operation.is_object(), "{} {} is not described", endpoint.method, endpoint.path);
    operation
}

/// A body that may be left out is described as one that may be null, which is another thing.
fn leave_out_bodies(operation: &mut Value) {
    let Some(body) = operation.get_mut("requestBody") else { return };
    let schema = &mut body["content"]["application/json"]["schema"];
    let is_null = |one: &Value| one["type"] == "null";
    let other = schema["oneOf"].as_array().filter(|all| all.iter().any(is_null));
    if let Some(other) = other.and_then(|all| all.iter().find(|one| !is_null(one)).cloned()) {
        *schema = other;
        body["required"] = false.into();
    }
}

/// One answer for each status, with the types that it may have. Most endpoints have most of them in common.
fn add_problems(operation: &mut Value, endpoint: &Endpoint, refusals: &mut Map<String, Value>) {
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in endpoint.problems() {
        by_status.entry(kind.status().as_u16()).or_default().push(kind);
    }
    for (status, kinds) in by_status {
        let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
        let name = names.join(".");
        operation["responses"][status.to_string()] =
            json!({"$ref": format!("#/components/responses/{name}")});
        let lines = kinds.iter().map(|kind| format!("`{TYPE_PREFIX}{}`: {}", kind.name(), kind.title()));
        let mut refusal = json!({
            "description": lines.collect::<Vec<_>>().join("\n\n"),
            "headers": {"x-request-id": {"$ref": "#/components/headers/RequestId"}},
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        });
        if kinds.contains(&Kind::TooManyRequests) {
            refusal["headers"]["Retry-After"] = json!({"$ref": "#/components/headers/RetryAfter"});
        }
        refusals.insert(name, refusal);
    }
}

fn add_headers(operation: &mut Value, endpoint: &Endpoint) {
    let mut add = |name: &str, description: &str, schema: Value| {
        let parameter = json!({
            "name": name, "in": "header", "required": false, "description": description, "schema": schema,
        });
        let parameters = &mut operation["parameters"];
        if parameters.is_null() {
            *parameters = json!([]);
        }
        parameters.as_array_mut().unwrap().push(parameter);
    };
    if endpoint.is_write() {
        let description = "The same key with the same request gets the first answer again, for a day";
        add(
            "Idempotency-Key",
            description,
            json!({
                "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$",
            }),
        );
    }
    for response in operation["responses"].as_object_mut().unwrap().values_mut() {
        response["headers"]["x-request-id"] = json!({"$ref": "#/components/headers/RequestId"});
    }
}

/// The configuration's own schema, with its definitions among the others.
fn add_configuration(document: &mut Value) {
    let mut schema = config::schema();
    let members = schema.as_object_mut().unwrap();
    members.remove("$schema");
    let definitions = members.remove("$defs").unwrap_or_default();
    let schemas = document["components"]["schemas"].as_object_mut().unwrap();
    for (name, definition) in definitions.as_object().into_iter().flatten() {
        schemas.insert(format!("Configuration.{name}"), definition.clone());
    }
    schemas.insert("Configuration".to_owned(), schema);
    let moved = document.to_string().replace("\"#/$defs/", "\"#/components/schemas/Configuration.");
    *document = serde_json::from_str(&moved).unwrap();
}

#[test]
fn the_stored_description_is_what_the_code_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let text = format!("{:#}\n", document());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert!(
        text == std::fs::read_to_string(path).unwrap(),
        "openapi.json is not what the code says; UPDATE_GOLDEN=1 cargo test -p scaling-api openapi writes it"
    );
}

#[test]
fn what_is_served_is_what_is_stored() {
    let stored = include_str!("../../openapi.json");
    let (served, stored): (Value, Value) =
        (serde_json::from_str(super::DOCUMENT).unwrap(), serde_json::from_str(stored).unwrap());
    assert_eq!(served, stored);
}

#[test]
fn every_described_operation_is_in_the_table_of_endpoints() {
    let document = document();
    let described = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    let mut described: Vec<String> = described.collect();
    let mut listed: Vec<String> =
        ENDPOINTS.iter().map(|endpoint| format!("{} {}", endpoint.method, endpoint.path)).collect();
    described.sort();
    listed.sort();
    assert_eq!(described, listed);
}

#[test]
fn every_reference_leads_somewhere() {
    fn references(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
                members.values().for_each(|value| references(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}
