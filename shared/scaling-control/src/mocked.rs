//! The loop against ports that are told, call by call, what to expect: what it does not ask for matters here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use scaling_fleet::TypeName;
use scaling_policy::config::{Config, Layers};
use scaling_policy::snapshot::{RetypeSupport, SuspendedProcesses};

use crate::error::PortError;
use crate::fakes::MemoryStore;
use crate::ports::{
    Clock, GroupDescription, InstanceDescription, Lifecycle, MetricSeries, MockClock, MockGroupReader,
    MockGroupWriter, MockMetricReader, Purchase,
};
use crate::{ControlLoop, Ports};

struct Mocks {
    groups: MockGroupReader,
    writer: MockGroupWriter,
    metrics: MockMetricReader,
}

/// Ports of which nothing is expected.
fn mocks() -> Mocks {
    Mocks { groups: MockGroupReader::new(), writer: MockGroupWriter::new(), metrics: MockMetricReader::new() }
}

fn control(mocks: Mocks) -> ControlLoop {
    let mut clock = MockClock::new();
    clock.expect_now().returning(|| Timestamp::from_second(1_767_571_200).unwrap());
    let clock: Arc<dyn Clock> = Arc::new(clock);
    let ports = Ports {
        groups: Arc::new(mocks.groups),
        writer: Arc::new(mocks.writer),
        metrics: Arc::new(mocks.metrics),
        store: Arc::new(MemoryStore::new(clock.clone())),
        clock,
    };
    let source = br#"{"mode": "horizontal", "control": "act", "group": "web"}"#;
    ControlLoop::new(ports, Config::parse(source, &Layers::none()).unwrap().config)
}

fn description() -> GroupDescription {
    let instance = |number: u32| InstanceDescription {
        id: format!("i-{number}"),
        instance_type: TypeName::new("m7i.large"),
        lifecycle: Lifecycle::InService,
        healthy: true,
        protected: false,
        zone: None,
    };
    GroupDescription {
        name: "web".into(),
        min: 1,
        max: 10,
        desired: 6,
        launch_type: Some(TypeName::new("m7i.large")),
        instances: (0..6).map(instance).collect(),
        zones: Vec::new(),
        suspended: SuspendedProcesses::default(),
        retype: RetypeSupport::Supported,
        maintenance: None,
        warm_up_seconds: 0,
        template: None,
        purchase: Purchase::default(),
        missing_tag: None,
    }
}

fn throttled() -> PortError {
    PortError::Throttled { operation: "call" }
}

#[tokio::test]
async fn a_throttled_description_fails_the_tick_and_writes_nothing() {
    let mut mocks = mocks();
    mocks.groups.expect_describe_each().times(1).returning(|_| Err(throttled()));
    mocks.metrics.expect_read().returning(|queries| Ok(vec![MetricSeries::default(); queries.len()]));
    let error = control(mocks).tick(Duration::from_secs(50)).await.unwrap_err();
    assert_eq!(error.kind(), "throttled");
}

#[tokio::test]
async fn metrics_that_cannot_be_read_take_nothing_away() {
    let mut mocks = mocks();
    mocks.groups.expect_describe_each().returning(|_| Ok(vec![("web".into(), Ok(description()))]));
    mocks.groups.expect_foreign_controllers().returning(|_| Ok(BTreeMap::from([("web".into(), vec![])])));
    mocks.metrics.expect_read().times(1).returning(|_| Err(throttled()));
    mocks.writer.expect_apply().never();
    let report = control(mocks).tick(Duration::from_secs(50)).await.unwrap();
    assert_eq!(report.outcomes[0].evaluation().unwrap().decision.reason.label(), "data_missing");
}
