//! The three tracing targets. Every layer names them as literals, so that a line keeps its place when its code moves:
//!
//! ```
//! use scaling_telemetry::targets;
//!
//! tracing::info!(target: targets::MONITOR, group = "web", "hold: capacity fits the load");
//! ```
//!
//! The crates below this one write the same text (`target: "scaling::monitor"`). A line without one of them is sorted
//! by the crate it comes from, see [`FILES`].

/// Calls to the platform and its answers, and requests to the REST interface.
pub const INTEGRATION: &str = "scaling::integration";

/// Observations, decisions and operations.
pub const MONITOR: &str = "scaling::monitor";

/// Findings in configurations and in what they name.
pub const VALIDATOR: &str = "scaling::validator";

/// The log files: name, and which targets go into it (a target belongs to it when it starts with one of these).
pub const FILES: [(&str, &[&str]); 3] = [
    (
        "scaling_integration.log",
        &[INTEGRATION, "scaling_aws", "scaling_kube", "scaling_store", "scaling_api", "aws_"],
    ),
    ("scaling_monitor.log", &[MONITOR, "scaling_control"]),
    ("scaling_validator.log", &[VALIDATOR, "scaling_policy"]),
];
