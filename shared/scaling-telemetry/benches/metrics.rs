//! Figures to hold: a scrape of the series of 10,000 groups takes less than 200 ms, and taking a tick's report in takes
//! less than 1 % of the tick (half a second for 1,000 groups on the emulator).

#![expect(clippy::unwrap_used, reason = "what cannot be set up cannot be measured")]

#[path = "../tests/fixture/mod.rs"]
#[expect(dead_code, reason = "the tests use the rest of it")]
mod fixture;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use scaling_policy::config::ConfigVersion;
use scaling_telemetry::metrics::Tick;
use scaling_telemetry::{Format, Metrics};

fn scrape(criterion: &mut Criterion) {
    let metrics = Metrics::new();
    metrics.record(&fixture::many_groups(10_000));
    let mut group = criterion.benchmark_group("scrape of 10,000 groups");
    group.sample_size(10);
    for format in [Format::Prometheus, Format::OpenMetrics, Format::Json] {
        group.bench_function(format!("{format:?}"), |bencher| {
            bencher.iter(|| black_box(metrics.render(format)));
        });
    }
    group.finish();
}

fn record(criterion: &mut Criterion) {
    let report = fixture::many_groups(1_000);
    let metrics = Metrics::new();
    let tick = Tick {
        ended: Timestamp::UNIX_EPOCH,
        took: Duration::from_millis(500),
        config_version: ConfigVersion(1),
    };
    criterion.bench_function("record of a tick over 1,000 groups", |bencher| {
        bencher.iter(|| black_box(metrics.record_tick(&report, tick)));
    });
}

criterion_group!(benches, scrape, record);
criterion_main!(benches);
