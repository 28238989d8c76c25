//! Whether the load can be carried at all.

use anyhow::{Result, ensure};
use scaling_simulator::competition::Course;
use scaling_simulator::figures::HELD;
use scaling_simulator::world::Carrier;

/// What is said of traces with intervals that need more than the most replicas. Those in which these hold more than half a
/// percent of the requests are refused: nobody could hold the target, and every comparison would be of who fails cheapest.
pub(super) fn notes(courses: &[Course]) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for course in courses {
        let share = beyond(course);
        let (trace, max) = (&course.world.name, course.world.conditions.max);
        ensure!(
            share <= HELD,
            "{trace}: {:.1} % of the requests come when more than {max} replicas are needed (--max): nobody can hold the \
             target; raise --max, lower --scale or name a larger type with --types",
            share * 100.0
        );
        if share > 0.0 {
            notes.push(format!(
                "{trace}: {:.3} % of the requests come when more than {max} replicas are needed (--max), and nobody holds the \
                 target then",
                share * 100.0
            ));
        }
    }
    Ok(notes)
}

/// Share of the requests in intervals that the most replicas do not carry, whichever type they are of.
fn beyond(course: &Course) -> f64 {
    let world = &course.world;
    let most = world.conditions.max;
    if course.needed.iter().all(|needed| *needed <= most) {
        return 0.0;
    }
    let room = |index| Carrier::of(world, index).room(most);
    let room = (0..world.types.len()).map(room).fold(0.0, f64::max);
    let arrived = || world.arrivals.iter().map(|requests| f64::from(*requests));
    let beyond: f64 = arrived().filter(|requests| world.busy(*requests) > room).sum();
    beyond / arrived().sum::<f64>().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaling_simulator::world::MachineType;
    use scaling_simulator::{Conditions, Trace};

    fn course(scale: f64, max: u32, peak: f64) -> Course {
        let mut trace = Trace::profile(1);
        trace.values.truncate(2000);
        trace.values[1000] *= peak;
        let conditions = Conditions { scale, max, ..Conditions::product() };
        Course::of(&trace, &conditions, &MachineType::of("m7i.xlarge").unwrap())
    }

    #[test]
    fn a_load_that_nobody_can_carry_is_refused_with_what_to_do() {
        let error = notes(&[course(20.0, 400, 1.0)]).unwrap_err().to_string();
        assert!(error.contains("more than 400 replicas") && error.contains("raise --max"), "{error}");
        assert_eq!(notes(&[course(1.0, 400, 1.0), course(20.0, 2000, 1.0)]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_spike_that_nobody_can_carry_is_told() {
        let told = notes(&[course(1.0, 60, 3.0)]).unwrap();
        assert!(told.len() == 1 && told[0].contains("more than 60 replicas"), "{told:?}");
    }
}
