//! What has to be true of the project as a whole, and that no single crate can test.
//!
//! - [`layers`]: which crate may know which, and what pure crates may not name
//! - [`configurations`]: every shipped configuration loads
//! - [`template`]: what the deployment template holds; [`permissions`]: what it permits, against what the code calls
//! - [`gateway`]: what the REST interface's gateway asks of a request
//! - [`terraform`]: the group for those who keep theirs in Terraform
//! - [`functions`]: what the functions are built of, and how
//! - [`watched`]: the alarms on the controller itself; [`roles`]: who may call what over the REST interface
//! - [`papers`]: links, targets and commands that the documents name

// `cfg(test)` is always set here; it tells clippy that these modules, and not only their test functions, are tests.
#[cfg(test)]
mod configurations;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod papers;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod template;
#[cfg(test)]
mod terraform;
#[cfg(test)]
mod watched;
