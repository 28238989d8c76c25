//! The interface's description (OpenAPI 3.1), as it is served at `GET /openapi.json`.
//!
//! It is generated from the handlers and the types of their bodies, by this module's tests: so the generator is in no
//! program, and a change of the interface is a change of a file that somebody reads. `UPDATE_GOLDEN=1 cargo test -p
//! scaling-api openapi` writes it anew.

#[cfg(test)]
mod generate;
#[cfg(test)]
pub(crate) mod schemas;

/// The description: `openapi.json` without the space between its tokens.
pub const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
