//! How long it takes to hold the target again after a flash crowd.
//!
//! A flash crowd begins in the interval in which the replicas needed are at least twice what they were within the five
//! minutes before, and [`LEAST`] more: a step from two to four is none. For five minutes further rises belong to it. That is
//! of the load alone, so that crowds are the same ones for every policy. It is over when a minute has passed without an
//! interval over the target, or the next one begins.

use std::collections::VecDeque;

use crate::STEP_SECONDS;

/// Intervals of five minutes: in this time the load rises, and in this time after a crowd's begin none other does.
const WITHIN: usize = 300 / STEP_SECONDS as usize;

/// Intervals within the target that end a crowd: a minute.
const QUIET: u32 = 60 / STEP_SECONDS;

/// Replicas by which the need rises at least.
const LEAST: u32 = 4;

/// What was measured, in minutes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Recovered {
    pub(super) crowds: u32,
    pub(super) mean: f64,
    pub(super) longest: f64,
}

/// Watches for flash crowds.
#[derive(Debug, Clone, Default)]
pub(super) struct Recovery {
    /// Replicas needed in the intervals before, oldest first; empty while rises belong to the last crowd.
    before: VecDeque<u32>,
    /// Intervals for which rises still belong to the last crowd.
    same: usize,
    /// Intervals since a crowd began, intervals up to the last one over the target, quiet intervals.
    open: Option<(u32, u32, u32)>,
    crowds: u32,
    sum: f64,
    longest: f64,
}

impl Recovery {
    /// Takes an interval in: the replicas it needed, and whether it was over the target.
    pub(super) fn add(&mut self, needed: u32, over: bool) {
        if self.begins(needed) {
            self.close();
            self.open = Some((0, 0, 0));
            self.before.clear();
            self.same = WITHIN;
        }
        if self.same > 0 {
            self.same -= 1;
        } else {
            self.before.push_back(needed);
        }
        if self.before.len() > WITHIN {
            self.before.pop_front();
        }
        if let Some((since, last, quiet)) = &mut self.open {
            *since += 1;
            (*last, *quiet) = if over { (*since, 0) } else { (*last, *quiet + 1) };
            if *quiet >= QUIET {
                self.close();
            }
        }
    }

    /// Whether a crowd begins in an interval that needs so many replicas.
    fn begins(&self, needed: u32) -> bool {
        let least = self.before.iter().copied().min();
        least.is_some_and(|least| needed >= 2 * least && needed >= least + LEAST)
    }

    fn close(&mut self) {
        if let Some((_, last, _)) = self.open.take() {
            let minutes = f64::from(last * STEP_SECONDS) / 60.0;
            self.crowds += 1;
            self.sum += minutes;
            self.longest = self.longest.max(minutes);
        }
    }

    /// Counts what is still open as over, and gives the result.
    pub(super) fn finish(mut self) -> Recovered {
        self.close();
        let mean = if self.crowds > 0 { self.sum / f64::from(self.crowds) } else { 0.0 };
        Recovered { crowds: self.crowds, mean, longest: self.longest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays (replicas needed, intervals, whether they are over).
    fn played(parts: &[(u32, usize, bool)]) -> Recovered {
        let mut recovery = Recovery::default();
        for (needed, intervals, over) in parts {
            (0..*intervals).for_each(|_| recovery.add(*needed, *over));
        }
        recovery.finish()
    }

    #[test]
    fn the_time_from_the_jump_to_the_last_interval_over_the_target_is_the_recovery() {
        // Over for two minutes, within for half a minute, over for a minute, then quiet.
        let found = played(&[(4, 40, false), (12, 8, true), (12, 2, false), (12, 4, true), (12, 40, false)]);
        assert_eq!(found, Recovered { crowds: 1, mean: 3.5, longest: 3.5 });
    }

    #[test]
    fn a_crowd_that_is_met_in_time_takes_no_time() {
        assert_eq!(
            played(&[(4, 40, false), (12, 40, false)]),
            Recovered { crowds: 1, mean: 0.0, longest: 0.0 }
        );
    }

    #[test]
    fn the_crowds_are_those_of_the_load_whoever_meets_them() {
        let load = [(4, 40), (12, 8), (30, 40), (8, 30), (40, 60)];
        let played = |over: bool| played(&load.map(|(needed, intervals)| (needed, intervals, over)));
        assert_eq!((played(false).crowds, played(true).crowds), (2, 2));
    }

    #[test]
    fn a_slow_rise_and_a_small_one_are_no_crowds() {
        let slow: Vec<(u32, usize, bool)> = (4..40).map(|needed| (needed, 20, true)).collect();
        assert_eq!(played(&slow).crowds, 0);
        assert_eq!(played(&[(2, 40, false), (4, 40, true)]).crowds, 0);
    }

    #[test]
    fn two_crowds_are_averaged() {
        let found = played(&[
            (4, 40, false),
            (12, 8, true),
            (12, 40, false),
            (4, 40, false),
            (12, 16, true),
            (12, 40, false),
        ]);
        assert_eq!(found, Recovered { crowds: 2, mean: 3.0, longest: 4.0 });
    }
}
