//! What the tests build their cases from.

pub(crate) mod brute_force;
pub(crate) mod case;
pub(crate) mod closed_loop;
pub(crate) mod offers;
