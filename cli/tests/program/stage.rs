//! An emulator in the test's own process, with a busy group on it and ten minutes of metrics up to now.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use scaling_emulator::{ClockMode, Emulator, GroupSetup, Settings, Workload};
use scaling_fleet::Mebibytes;
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;

/// The group.
pub(crate) const GROUP: &str = "web";

/// Minutes of metrics.
const MINUTES: i64 = 10;

/// A group of two m7i.large, 1 to 10, with so many requests per second on it.
pub(crate) async fn emulator(rate: f64) -> Emulator {
    emulator_with_past(rate, MINUTES).await
}

/// The same with so many minutes of metrics.
pub(crate) async fn emulator_with_past(rate: f64, minutes: i64) -> Emulator {
    emulator_of(rate, minutes, ServiceModel::demo()).await
}

/// The same with a service whose every replica takes 2 GiB more in a day, whatever it does.
pub(crate) async fn emulator_of_a_leak(rate: f64, minutes: i64) -> Emulator {
    let mut service = ServiceModel::demo();
    let day = Duration::from_secs(86_400);
    service.memory.base = vec![(Duration::ZERO, Mebibytes(1500.0)), (day, Mebibytes(3548.0))];
    emulator_of(rate, minutes, service).await
}

async fn emulator_of(rate: f64, minutes: i64, service: ServiceModel) -> Emulator {
    let start = Timestamp::now() - SignedDuration::from_mins(minutes);
    let settings = Settings { clock: ClockMode::Stepped, start, ..Settings::default() };
    let emulator = Emulator::start(settings).await.unwrap();
    let mut setup = GroupSetup::new(GROUP, "m7i.large", (1, 10, 2));
    setup.tags.push(("team".to_owned(), "astro".to_owned()));
    emulator.with_region(|region| setup.make(region)).unwrap();
    emulator.set_workload(GROUP, Workload::new(Load::constant(start, rate), service));
    emulator.advance(Duration::from_secs(60 * minutes.unsigned_abs())).await.unwrap();
    emulator
}

/// Requests that change something.
pub(crate) fn changes(emulator: &Emulator) -> u64 {
    let reads =
        |name: &str| ["Describe", "List", "Get"].iter().any(|verb| name.contains(&format!(".{verb}")));
    emulator.request_log().iter().filter(|(name, _)| !reads(name)).map(|(_, count)| count).sum()
}
