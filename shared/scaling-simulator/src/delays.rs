//! What the delay of the metrics costs, and what the queue does: the hybrid policy beside the oracle once more, trace by
//! trace, with metrics that come sooner and with the other queue.

use scaling_fleet::service::QueueModel;
use serde::Serialize;

use crate::competition::{Contender, Course, compete};
use crate::conditions::{Conditions, Feed};
use crate::figures::Figures;

/// Metrics and queue of a comparison.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Variant {
    /// Its name in tables.
    pub name: &'static str,
    feed: Feed,
    queue: QueueModel,
}

/// From what CloudWatch gives without being asked for more, to what would be best; and CloudWatch's with one shared queue.
pub const VARIANTS: [Variant; 5] = [
    Variant { name: "60 s, 60 s late", feed: Feed::CLOUDWATCH, queue: QueueModel::Own },
    Variant { name: "60 s, at once", feed: Feed { period: 60, delay: 0, tick: 60 }, queue: QueueModel::Own },
    Variant {
        name: "15 s, 15 s late",
        feed: Feed { period: 15, delay: 15, tick: 15 },
        queue: QueueModel::Own,
    },
    Variant { name: "15 s, at once", feed: Feed::PROMPT, queue: QueueModel::Own },
    Variant { name: "shared queue, 60 s, 60 s late", feed: Feed::CLOUDWATCH, queue: QueueModel::Shared },
];

/// Who plays each of them.
pub const CONTENDERS: [Contender; 2] = [Contender::Hybrid, Contender::Oracle];

impl Variant {
    /// These conditions with this variant's metrics and queue.
    pub fn of(self, conditions: &Conditions) -> Conditions {
        Conditions { feed: self.feed, ..conditions.clone().with_queue(self.queue) }
    }
}

/// The results under one variant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Delayed {
    /// Name of the variant.
    pub name: &'static str,
    /// The hybrid policy and the oracle, trace by trace.
    pub results: Vec<Figures>,
}

/// Plays every variant over the courses that `courses` makes of its conditions. `done` is called after each play, from any
/// thread.
pub fn play_all(
    conditions: &Conditions,
    courses: impl Fn(&Conditions) -> Vec<Course>,
    done: &(impl Fn() + Sync),
) -> Vec<Delayed> {
    let play = |variant: Variant| {
        let courses = courses(&variant.of(conditions));
        Delayed { name: variant.name, results: compete(&courses, &CONTENDERS, done).figures }
    };
    VARIANTS.map(play).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Trace;
    use crate::world::MachineType;

    #[test]
    fn each_variant_has_a_name_and_conditions_of_its_own() {
        let conditions = VARIANTS.map(|variant| variant.of(&Conditions::product()));
        for (index, variant) in VARIANTS.iter().enumerate() {
            let others = || VARIANTS.iter().zip(&conditions).skip(index + 1);
            assert!(others().all(|(other, its)| other.name != variant.name && *its != conditions[index]));
        }
        assert_eq!(conditions[0], Conditions::product());
        assert_eq!(conditions[3], Conditions::prompt());
    }

    #[test]
    fn each_variant_is_played_by_the_policy_and_the_oracle() {
        let mut trace = Trace::profile(1);
        trace.values.truncate(120);
        let machine = MachineType::of("m7i.xlarge").unwrap();
        let courses = |conditions: &Conditions| vec![Course::of(&trace, conditions, &machine)];
        let played = play_all(&Conditions::product(), courses, &|| ());
        let policies =
            |one: &Delayed| one.results.iter().map(|one| one.policy.clone()).collect::<Vec<String>>();
        assert!(
            played.len() == VARIANTS.len() && played.iter().all(|one| policies(one) == ["hybrid", "oracle"])
        );
    }
}
