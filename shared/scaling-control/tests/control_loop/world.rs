//! A group `web` of four m7i.xlarge on a fake platform, its store and its clock.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scaling_control::fakes::{FakePlatform, MemoryStore, SteppedClock};
use scaling_control::{ControlLoop, Ports, TickReport};
use scaling_policy::config::{Config, Layers};
use serde_json::{Value, json};

pub(crate) struct World {
    pub(crate) clock: Arc<SteppedClock>,
    pub(crate) platform: FakePlatform,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) ports: Ports,
    pub(crate) config: Config,
}

/// A configuration of one group `web` with what `settings` adds.
pub(crate) fn config(settings: Value) -> Config {
    let mut source = json!({
        "mode": "hybrid",
        "control": "act",
        "replicas": {"min_replicas": 1, "max_replicas": 40, "target_replicas": 4},
        "resources": {"min_cpu": 1, "max_cpu": 64, "min_memory": 1024, "max_memory": 524_288},
        "policy": {"triggers": ["cpu_usage", "memory_usage"], "priority_triggers": ["cpu_usage"]},
        "groups": [{"name": "web", "ladder": {"families": ["c7i", "m7i", "r7i"]}}]
    });
    if let (Some(source), Value::Object(settings)) = (source.as_object_mut(), settings) {
        source.extend(settings);
    }
    Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap().config
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(json!({}))
    }

    pub(crate) fn with(settings: Value) -> Self {
        let start = Timestamp::from_second(1_767_571_200).unwrap();
        let clock = Arc::new(SteppedClock::at(start));
        let platform = FakePlatform::new("web", "m7i.xlarge", 4, clock.clone());
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let ports = Ports {
            groups: Arc::new(platform.clone()),
            writer: Arc::new(platform.clone()),
            metrics: Arc::new(platform.clone()),
            store: store.clone(),
            clock: clock.clone(),
        };
        let world = Self { clock, platform, store, ports, config: config(settings) };
        // Half of what four replicas are planned for: nothing to do.
        world.platform.group().busy_vcpu = Some(9.0);
        world
    }

    pub(crate) fn control(&self) -> ControlLoop {
        ControlLoop::new(self.ports.clone(), self.config.clone())
    }

    pub(crate) async fn minute(&self, control: &ControlLoop) -> TickReport {
        self.clock.advance_seconds(60);
        control.tick(Duration::from_secs(50)).await.unwrap()
    }

    pub(crate) async fn minutes(&self, control: &ControlLoop, count: usize) {
        for _ in 0..count {
            self.minute(control).await;
        }
    }
}
