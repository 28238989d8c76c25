//! Whether the load can be carried at all.

use anyhow::{Result, ensure};
use scaling_simulator::Trace;
use scaling_simulator::competition::Course;
use scaling_simulator::figures::HELD;
use scaling_simulator::world::Carrier;

/// What is said of traces with intervals that need more than the most replicas. Those in which these hold more than half a
/// percent of the requests are refused: nobody could hold the target, and every comparison would be of who fails cheapest.
/// Where the load comes from a file, the line of its highest value is named: it may be a slip. `traces` are those of the courses.
pub(super) fn notes(courses: &[Course], traces: &[Trace]) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for (course, source) in courses.iter().zip(traces) {
        let share = beyond(course);
        let (trace, max) = (&course.world.name, course.world.conditions.max);
        ensure!(
            share <= HELD,
            "{trace}: {:.1} % of the requests come when more than {max} replicas are needed (--max): nobody can hold the \
             target; raise --max, lower --scale or name a larger type with --types{}",
            share * 100.0,
            highest(source).map_or_else(String::new, |highest| format!("; {highest}: is it a slip?"))
        );
        if share > 0.0 {
            notes.push(format!(
                "{trace}: {:.3} % of the requests come when more than {max} replicas are needed (--max), and nobody holds the \
                 target then{}",
                share * 100.0,
                highest(source).map_or_else(String::new, |highest| format!(" ({highest})"))
            ));
        }
    }
    Ok(notes)
}

/// The highest value and its line, where there is a file.
fn highest(trace: &Trace) -> Option<String> {
    let value = trace.values.iter().copied().fold(0.0, f64::max);
    Some(format!("the highest value, {value}, stands at line {}", trace.highest?))
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

    /// What is said of the begin of the shipped profile, one of its values multiplied, under conditions.
    fn told(scale: f64, max: u32, peak: f64) -> Result<Vec<String>> {
        let mut trace = Trace::profile(1);
        trace.values.truncate(2000);
        trace.values[1000] *= peak;
        of(&trace, &Conditions { scale, max, ..Conditions::product() })
    }

    fn of(trace: &Trace, conditions: &Conditions) -> Result<Vec<String>> {
        let course = Course::of(trace, conditions, &MachineType::of("m7i.xlarge").unwrap());
        notes(&[course], std::slice::from_ref(trace))
    }

    #[test]
    fn a_load_that_nobody_can_carry_is_refused_with_what_to_do() {
        let error = told(20.0, 400, 1.0).unwrap_err().to_string();
        assert!(error.contains("more than 400 replicas") && error.contains("raise --max"), "{error}");
        // Nobody wrote it into a line of a file.
        assert!(!error.contains("slip"), "{error}");
        for carried in [told(1.0, 400, 1.0), told(20.0, 2000, 1.0)] {
            assert_eq!(carried.unwrap(), Vec::<String>::new());
        }
    }

    #[test]
    fn a_spike_that_nobody_can_carry_is_told() {
        let told = told(1.0, 60, 3.0).unwrap();
        assert!(told.len() == 1 && told[0].contains("more than 60 replicas"), "{told:?}");
    }

    #[test]
    fn the_line_of_a_slip_is_named() {
        let row = |minute: u32, slip: &str| match minute {
            1000 => format!("{},{slip}\n", minute * 60),
            _ => format!("{},{}\n", minute * 60, 100 + minute % 7),
        };
        let with = |slip: &str| {
            let rows: Vec<String> = (0..4000).map(|minute| row(minute, slip)).collect();
            let trace = Trace::from_csv("load", &format!("timestamp,value\n{}", rows.concat())).unwrap();
            of(&trace, &Conditions::product())
        };
        let error = with("1e15").unwrap_err().to_string();
        assert!(
            error.contains("the highest value, 1000000000000000, stands at line 1002: is it a slip?"),
            "{error}"
        );
        let told = with("1400").unwrap();
        assert!(
            told.len() == 1 && told[0].ends_with("(the highest value, 1400, stands at line 1002)"),
            "{told:?}"
        );
    }
}
