//! The REST interface over the control loop, as a router without a listener: the process form serves it on a socket,
//! the function behind API Gateway calls it.
//!
//! # Endpoints
//! | Method and path | Answer |
//! |---|---|
//! | `GET /health` | 200 while the loop runs; needs nothing but this process |
//! | `GET /metrics` | figures as JSON; Prometheus or OpenMetrics text by `Accept` |
//! | `GET /config` | the configuration in force, its version as `ETag` |
//! | `POST /config` | replaces it by compare and swap; `If-Match` is honoured |
//! | `GET /config/schema` | JSON Schema of the configuration |
//! | `GET /validation` | findings about the configuration and the groups it names |
//! | `GET /groups` | the groups with state and figures |
//! | `GET /groups/{name}/decisions` | decisions, newest first |
//! | `POST /groups/{name}/pause`, `resume` | stops and starts the control of a group |
//! | `POST /scale` | asks for a count or a type |
//! | `GET /operations`, `GET /operations/{id}` | operations, newest first |
//!
//! Lists take `limit` (1 to 500, default 50) and `before` (the `next` of the page before).
//!
//! # Problems
//! Every refusal and failure is `application/problem+json` (RFC 9457): `type` is `urn:scaling:problem:` and a name of
//! [`problem::Kind`], `instance` the id of the request, which is also in the header `x-request-id`.
//!
//! # Layout
//! - [`state`]: what handlers work on; [`routes`]: the handlers, a file for each thing they are about
//! - [`request`]: around every request: its id, its span, and writing problems; [`problem`]: their types
//! - `body`, [`idempotency`]: around every write
//! - `history`: newest-first lists

mod body;
mod history;
pub mod idempotency;
pub mod problem;
pub mod request;
pub mod routes;
pub mod state;

pub use body::MAX_BODY_BYTES;
pub use problem::Problem;
pub use request::Caller;
pub use routes::router;
pub use state::ApiState;
