//! Blocks that begin with `json example`: a group, its readings, and the sentence that is decided.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scaling_fleet::{Catalogue, PriceBook, TypeName};
use scaling_policy::config::{Config, GroupConfig, Layers};
use scaling_policy::operation::OperationState;
use scaling_policy::snapshot::{GroupView, ReplicaCount, RetypeSupport, SuspendedProcesses, TypeOffer};
use scaling_policy::trigger::{PerTrigger, Reading};
use scaling_policy::{Learned, Snapshot, learn};
use scaling_telemetry::sentence;
use serde_json::{Value, json};

/// The examples of a chapter.
pub(crate) fn in_text(text: &str) -> Vec<Value> {
    let blocks = text.split("```json example\n").skip(1);
    blocks.map(|block| serde_json::from_str(block.split("```").next().unwrap()).unwrap()).collect()
}

/// What is decided, as a sentence.
pub(crate) fn decide(example: &Value) -> String {
    let config = config(example);
    let begin: Timestamp = "2026-03-02T08:00:00Z".parse().unwrap();
    let first = snapshot(example, begin);
    let state = OperationState {
        reference_type: Some(first.group.launch_type.name.clone()),
        known_desired: Some(first.group.desired),
        taken_over: Some(begin),
        ..OperationState::default()
    };
    let minutes = example["after"].as_i64().unwrap_or(0);
    let mut learned = Learned::default();
    for minute in 0..=minutes {
        let snapshot = snapshot(example, begin + SignedDuration::from_mins(minute));
        learned = learn(&config, learned, &state, &snapshot);
    }
    let now = begin + SignedDuration::from_mins(minutes);
    let decision = scaling_policy::decide(&config, &learned, &state, &snapshot(example, now), now);
    sentence::sentence(&decision)
}

fn config(example: &Value) -> Arc<GroupConfig> {
    let mut source = json!({"mode": "horizontal", "group": "web", "control": "act"});
    for (section, value) in example["config"].as_object().into_iter().flatten() {
        source[section] = value.clone();
    }
    Arc::clone(&Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap().config.groups[0])
}

fn snapshot(example: &Value, now: Timestamp) -> Snapshot {
    let group = &example["group"];
    let number = |member: &str| u32::try_from(group[member].as_u64().unwrap_or(0)).unwrap();
    let launch_type = offer(group["type"].as_str().unwrap());
    let reading = |trigger: &str| match example["readings"].get(trigger) {
        None => Reading::Unbound,
        Some(Value::Null) => Reading::Missing,
        Some(value) => Reading::Fresh { value: value.as_f64().unwrap(), ended: now },
    };
    let (serving, pending) = (number("replicas"), number("pending"));
    Snapshot {
        taken_at: now,
        group: GroupView {
            min: 1,
            max: 100,
            desired: serving + pending,
            launch_type: launch_type.clone(),
            replicas: vec![ReplicaCount {
                offer: launch_type.clone(),
                serving,
                warming: 0,
                pending,
                protected: 0,
            }],
            retype: RetypeSupport::Supported,
            suspended: SuspendedProcesses::default(),
            replacement: None,
            foreign: Vec::new(),
        },
        readings: PerTrigger::from_fn(|trigger| reading(trigger.name())),
        ladder: Arc::from([launch_type]),
    }
}

fn offer(name: &str) -> TypeOffer {
    let name = TypeName::new(name);
    let known = Catalogue::embedded().get(&name).unwrap();
    let price = PriceBook::embedded_or_default(None).get(&name).unwrap().usd_per_hour;
    TypeOffer { vcpu: known.vcpu, memory: known.memory, price, name }
}
