//! Bounds on the replica count and on what a replica's type offers: each lower one at most as high as each upper.

use scaling_fleet::{Mebibytes, Vcpu};

use super::defaults;
use super::fault::Faults;
use super::group::{ReplicaBounds, TypeBounds};
use super::origin::Origin;
use super::source::{ReplicasSource, ResourcesSource};
use super::values::{CpuBound, MemoryBound};

/// Bounds on the replica count.
pub(super) fn replicas(source: &ReplicasSource, at: Origin<'_>, faults: &mut Faults) -> ReplicaBounds {
    let min = source.min_replicas.map_or(defaults::REPLICAS.min, |count| count.0);
    let max = source.max_replicas.map_or(defaults::REPLICAS.max, |count| count.0);
    let (min_path, max_path) = ("replicas/min_replicas", "replicas/max_replicas");
    at.ordered((min_path, min), (max_path, max), faults);
    let within = |count: u32| count.max(min).min(max);
    let target = source.target_replicas.map_or(within(defaults::REPLICAS.target), |count| count.0);
    if min <= max {
        let target_path = "replicas/target_replicas";
        at.ordered((min_path, min), (target_path, target), faults);
        at.ordered((target_path, target), (max_path, max), faults);
    }
    ReplicaBounds { min, max, target }
}

/// Bounds on a replica's type.
pub(super) fn resources(source: &ResourcesSource, at: Origin<'_>, faults: &mut Faults) -> TypeBounds {
    let cpu = |value: Option<CpuBound>, or: f64| value.map_or(or, |bound| bound.0);
    let memory = |value: Option<MemoryBound>, or: f64| value.map_or(or, |bound| bound.0);
    let defaults = defaults::RESOURCES;
    let (min_cpu, max_cpu) = range(
        ["min_cpu", "cpu_request", "max_cpu", "cpu_limit"],
        (cpu(source.min_cpu, defaults.min_cpu.0), source.cpu_request.map(|bound| bound.0)),
        (cpu(source.max_cpu, defaults.max_cpu.0), source.cpu_limit.map(|bound| bound.0)),
        at,
        faults,
    );
    let (min_memory, max_memory) = range(
        ["min_memory", "memory_request", "max_memory", "memory_limit"],
        (memory(source.min_memory, defaults.min_memory.0), source.memory_request.map(|bound| bound.0)),
        (memory(source.max_memory, defaults.max_memory.0), source.memory_limit.map(|bound| bound.0)),
        at,
        faults,
    );
    TypeBounds {
        min_cpu: Vcpu(min_cpu),
        max_cpu: Vcpu(max_cpu),
        min_memory: Mebibytes(min_memory),
        max_memory: Mebibytes(max_memory),
    }
}

/// The range that lies within the outer bounds and between request and limit; each lower bound must stay under
/// each upper one, or no type is left.
fn range(
    [min_key, request_key, max_key, limit_key]: [&str; 4],
    (min, request): (f64, Option<f64>),
    (max, limit): (f64, Option<f64>),
    at: Origin<'_>,
    faults: &mut Faults,
) -> (f64, f64) {
    let path = |key: &str| format!("resources/{key}");
    let lower = [Some((path(min_key), min)), request.map(|value| (path(request_key), value))];
    let upper = [Some((path(max_key), max)), limit.map(|value| (path(limit_key), value))];
    for (low_path, low) in lower.iter().flatten() {
        for (high_path, high) in upper.iter().flatten() {
            at.ordered((low_path, *low), (high_path, *high), faults);
        }
    }
    (request.map_or(min, |request| request.max(min)), limit.map_or(max, |limit| limit.min(max)))
}
