//! How long a decision takes: a quiet one, ones with a long ladder, and 100,000 groups in a row.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use scaling_fleet::{Catalogue, PriceBook, TypeName};
use scaling_policy::config::{GroupConfig, ReplicaBounds};
use scaling_policy::snapshot::{GroupView, ReplicaCount, RetypeSupport, SuspendedProcesses, TypeOffer};
use scaling_policy::{Learned, OperationState, PerTrigger, Reading, Snapshot, decide, learn};

/// A group of eight m7i.xlarge with a year-old habit of being at a certain utilisation.
struct Case {
    config: GroupConfig,
    learned: Learned,
    state: OperationState,
    snapshot: Snapshot,
}

impl Case {
    fn new(cpu: f64, memory: f64, types: usize, forecast: bool) -> Self {
        let mut config = GroupConfig::with_defaults("bench");
        config.replicas = ReplicaBounds { min: 2, max: 60, target: 8 };
        config.triggers.request_latency.threshold = 0.25;
        config.triggers.request_count.threshold = 4000.0;
        config.forecast = forecast;
        let state =
            OperationState { reference_type: Some(TypeName::new("m7i.xlarge")), ..OperationState::default() };
        let ladder = ladder(types);
        let mut learned = Learned::default();
        let mut snapshot = snapshot(0, cpu, memory, &ladder);
        for minute in 0..180 {
            // A little movement, so that nothing is learned from exact repetition.
            let wave = 1.0 + 0.03 * f64::from(minute % 7);
            snapshot = self::snapshot(i64::from(minute), cpu * wave, memory, &ladder);
            learned = learn(&config, learned, &state, &snapshot);
        }
        Self { config, learned, state, snapshot }
    }

    fn decide(&self) -> scaling_policy::Decision {
        decide(&self.config, &self.learned, &self.state, &self.snapshot, self.snapshot.taken_at)
    }
}

fn ladder(types: usize) -> Arc<[TypeOffer]> {
    let prices = PriceBook::embedded_or_default(Some("us-east-1"));
    let families = ["c7i", "m7i", "r7i", "c6i", "m6i", "r6i", "c5", "m5", "r5"];
    let mut offers: Vec<TypeOffer> = families
        .into_iter()
        .flat_map(|family| Catalogue::embedded().family(family))
        .filter_map(|found| {
            let price = prices.get(&found.name)?.usd_per_hour;
            Some(TypeOffer { name: found.name.clone(), vcpu: found.vcpu, memory: found.memory, price })
        })
        .collect();
    offers.sort_by(|a, b| a.vcpu.0.total_cmp(&b.vcpu.0).then(a.memory.0.total_cmp(&b.memory.0)));
    offers.truncate(types);
    offers.into()
}

fn snapshot(minute: i64, cpu: f64, memory: f64, ladder: &Arc<[TypeOffer]>) -> Snapshot {
    let now = Timestamp::from_second(1_767_571_200 + minute * 60).unwrap_or_default();
    let fresh = |value: f64| Reading::Fresh { value, ended: now };
    let running = ladder.iter().find(|offer| offer.name.as_str() == "m7i.xlarge").or(ladder.first());
    let running = running.cloned().unwrap_or_else(|| TypeOffer {
        name: TypeName::new("m7i.xlarge"),
        vcpu: scaling_fleet::Vcpu(4.0),
        memory: scaling_fleet::Mebibytes(16_384.0),
        price: scaling_fleet::UsdPerHour(0.2),
    });
    Snapshot {
        taken_at: now,
        group: GroupView {
            min: 2,
            max: 60,
            desired: 8,
            launch_type: running.clone(),
            replicas: vec![ReplicaCount { offer: running, serving: 8, warming: 0, pending: 0, protected: 0 }],
            retype: RetypeSupport::Supported,
            suspended: SuspendedProcesses::default(),
            replacement: None,
            foreign: Vec::new(),
        },
        readings: PerTrigger {
            cpu_usage: fresh(cpu),
            memory_usage: fresh(memory),
            request_count: fresh(cpu * 32.0 / 0.05 * 60.0),
            request_latency: fresh(0.15 + 0.05 * cpu),
        },
        ladder: Arc::clone(ladder),
    }
}

fn benches(criterion: &mut Criterion) {
    let quiet = Case::new(0.56, 0.2, 12, false);
    assert!(quiet.decide().action.is_hold());
    criterion.bench_function("decide/hold without forecast", |b| b.iter(|| black_box(&quiet).decide()));
    let quiet = Case::new(0.56, 0.2, 12, true);
    criterion.bench_function("decide/hold with forecast", |b| b.iter(|| black_box(&quiet).decide()));
    let up = Case::new(0.85, 0.2, 12, false);
    assert!(!up.decide().action.is_hold());
    criterion.bench_function("decide/up, ladder of 12", |b| b.iter(|| black_box(&up).decide()));
    let up = Case::new(0.85, 0.2, 50, false);
    assert_eq!(up.snapshot.ladder.len(), 50);
    criterion.bench_function("decide/up, ladder of 50", |b| b.iter(|| black_box(&up).decide()));
    let retype = Case::new(0.56, 0.9, 50, false);
    assert_eq!(retype.decide().action.label(), "retype");
    criterion.bench_function("decide/other type, ladder of 50", |b| b.iter(|| black_box(&retype).decide()));
    let learning = Case::new(0.56, 0.2, 12, true);
    let next = snapshot(180, 0.57, 0.2, &learning.snapshot.ladder);
    criterion.bench_function("learn", |b| {
        b.iter_batched(
            || learning.learned.clone(),
            |learned| learn(&learning.config, learned, &learning.state, &next),
            criterion::BatchSize::SmallInput,
        );
    });
    let groups: Vec<Case> =
        (0..1000).map(|number| Case::new(0.3 + 0.0006 * f64::from(number), 0.2, 12, true)).collect();
    criterion.bench_function("decide/100,000 groups", |b| {
        b.iter(|| {
            for group in (0..100).flat_map(|_| &groups) {
                black_box(group.decide());
            }
        });
    });
}

criterion_group! {
    name = all;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(3));
    targets = benches
}
criterion_main!(all);
