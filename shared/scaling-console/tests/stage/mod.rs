//! A controller over groups in memory, with the REST interface and the console on a socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use axum::middleware::{self, Next};
use http_body_util::BodyExt as _;
use scaling_api::{ApiState, routes};
use scaling_console::Console;
use scaling_control::fakes::{FakePlatform, MemoryStore, Several, SteppedClock};
use scaling_control::ports::Clock;
use scaling_control::{ControlLoop, Ports};
use scaling_policy::config::{Config, Layers};
use scaling_telemetry::Metrics;
use scaling_telemetry::metrics::Tick;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::RwLock;
use tower::ServiceExt as _;

/// The controller.
pub(crate) struct Stage {
    clock: Arc<SteppedClock>,
    platforms: Several,
    control: Arc<ControlLoop>,
    metrics: Metrics,
    console: Console,
    ticks: u32,
    /// Held by each request, so that no minute passes within one: on a slow machine its lease would end.
    still: Arc<RwLock<()>>,
    /// Load beside the waves, in vCPU.
    pub(crate) more: f64,
    /// Whether no metric comes.
    pub(crate) is_silent: bool,
}

impl Stage {
    /// One of so many groups: `web` first, `observed` second, and the rest by number. All but the second are acted on.
    pub(crate) fn new(groups: usize) -> Self {
        Self::with_period(groups, 60)
    }

    /// The same where each group is evaluated once in so many seconds.
    pub(crate) fn with_period(groups: usize, seconds: u32) -> Self {
        let names = (0..groups).map(|number| match number {
            0 => "web".to_owned(),
            1 => "observed".to_owned(),
            number => format!("service-{number:04}"),
        });
        let members: Vec<Value> = names
            .map(|name| json!({"control": if name == "observed" { "observe" } else { "act" }, "name": name}))
            .collect();
        // Longer than what a change takes, so that it passes while a group is not due.
        let cooldown = if seconds > 60 { 3 * seconds } else { 120 };
        let source = json!({
            "mode": "hybrid", "groups": members, "replicas": {"min_replicas": 2, "max_replicas": 40},
            "triggers": {
                "cooldown_period": cooldown, "stabilization_window": 300, "evaluation_period": seconds,
            },
        });
        let config = Config::parse(source.to_string().as_bytes(), &Layers::none()).unwrap().config;
        let clock = Arc::new(SteppedClock::at("2026-03-02T06:00:00Z".parse().unwrap()));
        let platforms: Several = (config.groups.iter())
            .map(|group| {
                let clock = Arc::clone(&clock) as Arc<dyn Clock>;
                FakePlatform::new(group.name.as_str(), "m7i.large", 4, clock)
            })
            .collect();
        let groups = Arc::new(platforms.clone());
        let ports = Ports {
            groups: groups.clone(),
            writer: groups.clone(),
            metrics: groups,
            store: Arc::new(MemoryStore::new(clock.clone())),
            clock: clock.clone(),
        };
        let control = Arc::new(ControlLoop::new(ports, config));
        Self {
            clock,
            platforms,
            control,
            metrics: Metrics::new(),
            console: Console::new(),
            ticks: 0,
            still: Arc::default(),
            more: 0.0,
            is_silent: false,
        }
    }

    /// A minute passes, with a load that goes up and down in three hours and is different for each group.
    pub(crate) async fn tick(&mut self) {
        let still = Arc::clone(&self.still);
        let _nobody_asks = still.write().await;
        self.ticks += 1;
        self.clock.advance_seconds(60);
        for (number, platform) in self.platforms.groups().enumerate() {
            let wave = (f64::from(self.ticks) / 180.0 + number as f64 / 7.0) * std::f64::consts::TAU;
            let mut group = platform.group();
            let busy = self.more + 5.0 + 3.5 * wave.sin() + (number % 5) as f64;
            group.busy_vcpu = (!self.is_silent).then_some(busy);
            group.used_memory = 2400.0 + 900.0 * (wave / 2.0).sin();
        }
        let report = self.control.tick(Duration::from_secs(50)).await.unwrap();
        let config_version = self.control.config().version;
        let tick = Tick { ended: self.clock.now(), took: Duration::from_millis(20), config_version };
        let recorded = self.metrics.record_tick(&report, tick);
        self.console.record(&report, &recorded, self.clock.now());
    }

    /// What the page reads of a group.
    pub(crate) async fn group(&self, name: &str) -> Value {
        self.read(&format!("/console/data/groups/{name}")).await
    }

    /// What the console answers there.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = self.console.router().oneshot(request).await.unwrap();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// The console goes down and comes up again over the same store, after `ticks` of another process or none.
    pub(crate) async fn restart(&mut self, ticks: u32) {
        let store = Arc::clone(&self.control.ports().store);
        self.console.keep(store.as_ref(), self.clock.now()).await.unwrap();
        self.console = Console::new();
        self.metrics = Metrics::new();
        for _ in 0..ticks {
            self.tick().await;
        }
        let names: Vec<_> = self.control.config().groups.iter().map(|group| group.name.clone()).collect();
        self.console.recall(store.as_ref(), &names, self.clock.now()).await.unwrap();
    }

    /// Records that the console has in the store, of a group.
    pub(crate) async fn kept(&self, name: &str) -> Vec<scaling_control::ports::Record> {
        let store = Arc::clone(&self.control.ports().store);
        self.console.keep(store.as_ref(), self.clock.now()).await.unwrap();
        store.list(&format!("console/{name}/"), None, 1000).await.unwrap()
    }

    /// Listens on a free port.
    pub(crate) async fn serve(&self) -> SocketAddr {
        let state = ApiState::new(Arc::clone(&self.control), self.metrics.clone());
        let routes = routes::finish(routes::routes(state).merge(self.console.router()));
        let still = Arc::clone(&self.still);
        let routes = routes.layer(middleware::from_fn(move |request: Request<Body>, next: Next| {
            let still = Arc::clone(&still);
            async move {
                let _no_tick = still.read().await;
                next.run(request).await
            }
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, routes).await });
        address
    }
}
