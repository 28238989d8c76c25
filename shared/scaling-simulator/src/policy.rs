//! What is played: something that sees metrics and the group, and says what should be.

use crate::conditions::Feed;
use crate::group::Group;
use crate::metrics::Period;

/// What a policy sees when it looks.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Seconds since the start.
    pub now: u64,
    /// The newest complete period, if a new one can be read.
    pub period: Option<Period>,
    /// The group as the platform describes it.
    pub group: &'a Group,
}

/// What should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// As it is.
    Keep,
    /// This desired capacity.
    Desired(u32),
    /// The type of this index, at this desired capacity.
    Retype(usize, u32),
}

/// A policy with its memory.
pub trait Policy {
    /// When it looks, and what it can read.
    fn feed(&self) -> Feed;

    /// Looks.
    fn decide(&mut self, seen: &Seen<'_>) -> Wish;
}
