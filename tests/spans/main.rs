//! What spans are made, in a program of its own with one test: `tracing` settles once for all threads who is interested in
//! a span, and forgets a subscriber that comes while another test reaches that span for the first time.

// `cfg(test)` is always set here; it tells clippy that this module is a test.
#[cfg(test)]
mod evaluation;
