//! Limits over all groups of a tick together.
