//! How long a year of minutes takes: one group, the hybrid policy over a ladder of eight types, one core.
//! `cargo run --release -p scaling-simulator --example year`
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "an example prints, and its types are known")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use scaling_fleet::load::{Load, WeekProfile};
use scaling_simulator::competition::{Contender, Course};
use scaling_simulator::type_cases::LADDER;
use scaling_simulator::world::MachineType;
use scaling_simulator::{Conditions, World};

fn main() {
    let start = Timestamp::UNIX_EPOCH;
    let minute = Duration::from_secs(60);
    let rates: Vec<f64> = (0..52)
        .flat_map(|seed| {
            let week = WeekProfile { mean_rate: 600.0, seed }.draw(start);
            (0..7 * 1440).map(move |index| week.rate(start + minute * index)).collect::<Vec<_>>()
        })
        .collect();
    let types: Arc<[MachineType]> = LADDER.iter().map(|name| MachineType::of(name).unwrap()).collect();
    let load = Load::new(start, minute, rates);
    let course = Course::new(World::of_load("year", &load, Conditions::product(), types, 0));
    let began = Instant::now();
    let figures = course.enter(Contender::Hybrid).unwrap();
    let took = began.elapsed();
    println!(
        "{:.0} days in {:.2} s; psi {:.3} %, {:.0} changes a day, {} type changes",
        figures.days,
        took.as_secs_f64(),
        figures.violation_requests_share * 100.0,
        figures.operations_a_day,
        figures.type_changes
    );
}
