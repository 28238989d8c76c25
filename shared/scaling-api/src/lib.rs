//! The REST interface over the control loop, as a router without a listener: the process form serves it on a socket,
//! the function behind API Gateway calls it.
//!
//! # Endpoints
//! [`access::ENDPOINTS`] lists them with the role that each needs; `GET /openapi.json` describes them.
//!
//! | Method and path | Answer |
//! |---|---|
//! | `GET /health` | 200 while the loop runs; needs nothing but this process |
//! | `GET /openapi.json` | OpenAPI 3.1 of all of them |
//! | `GET /metrics` | figures as JSON; Prometheus or OpenMetrics text by `Accept` |
//! | `GET /config` | the configuration in force, its version as `ETag` |
//! | `POST /config` | replaces it by compare and swap; `If-Match` is honoured |
//! | `GET /config/schema` | JSON Schema of the configuration |
//! | `GET /validation` | findings about the configuration and the groups it names |
//! | `GET /groups` | the groups with state and figures |
//! | `GET /groups/{name}/decisions` | decisions, newest first |
//! | `POST /groups/{name}/pause`, `resume` | stops and starts the control of a group |
//! | `PUT`, `DELETE /groups/{name}/override`, `POST .../hold` | other bounds or another type for a while |
//! | `GET`, `PUT`, `DELETE /kill-switch` | no change of any group is asked for while it is on |
//! | `POST /scale` | asks for a count or a type |
//! | `GET /operations`, `GET /operations/{id}` | operations, newest first |
//! | `GET /events` | what has happened, oldest first, by page or as server-sent events |
//! | `GET /audit` | who has changed what, newest first |
//!
//! Lists take `limit` (1 to 500, default 50) and `before` or `after` (the `next` of the page before). HEAD is answered
//! wherever GET is, and OPTIONS lists the methods of a path.
//!
//! # Problems
//! Every refusal and failure is `application/problem+json` (RFC 9457): `type` is `urn:scaling:problem:` and a name of
//! [`problem::Kind`], `instance` the id of the request, which is also in the header `x-request-id`.
//!
//! # Layout
//! - [`state`]: what handlers work on; [`routes`]: the handlers, a file for each thing they are about
//! - [`request`]: around every request: its id, its span, and writing problems; [`problem`]: their types
//! - [`access`]: every endpoint with the role that it needs
//! - `body`, [`idempotency`], `audit`: around every write; `moment`, `words`: what a body may say, and how faults are told
//! - `history`: newest-first lists; [`events`]: the log of what happens
//! - `findings`: what `GET /validation` looks for
//! - `views`: what answers look like; [`openapi`]: their description, which the tests generate from the code

pub mod access;
pub mod audit;
mod body;
mod cursor;
pub mod events;
mod findings;
mod history;
pub mod idempotency;
mod moment;
pub mod openapi;
pub mod problem;
pub mod request;
pub mod routes;
pub mod state;
mod views;
mod words;

pub use access::{Access, Grant, Role};
pub use body::MAX_BODY_BYTES;
pub use events::EventLog;
pub use findings::{Area, Finding, FindingsWatch};
pub use problem::Problem;
pub use request::{Caller, REQUEST_ID};
pub use routes::router;
pub use state::ApiState;
