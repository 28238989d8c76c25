//! A running emulator: its server, its time, and the handle that both end with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::serve::ListenerExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::{self, Due};
use crate::faults::{Fault, FaultError, Injector};
use crate::kept::{self, StateError};
use crate::lambda::Lambda;
use crate::region::{GroupTotals, Region};
use crate::requests::RequestLog;
use crate::scenario::{Scenario, ScenarioError, Timeline};
use crate::server;
use crate::settings::{ClockMode, Settings};
use crate::workload::Workload;

/// Why an emulator could not be started or advanced.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A setting makes no sense.
    #[error("the setting `{name}` must be {rule}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// Time passes by itself, or somebody else is advancing it.
    #[error("the clock cannot be advanced: {reason}")]
    Clock {
        /// Why.
        reason: &'static str,
    },
}

/// What server, clock and handle share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Held while a stepped clock is being advanced.
    advancing: tokio::sync::Mutex<()>,
    snapshots: Mutex<BTreeMap<String, State>>,
    pub(crate) lambda: Lambda,
    pub(crate) settings: Settings,
}

/// Everything behind the one lock.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) region: Region,
    pub(crate) requests: RequestLog,
    pub(crate) faults: Injector,
    pub(crate) schedules: Vec<Due>,
    pub(crate) timeline: Timeline,
    /// How often another state has taken the place of this one.
    #[serde(skip)]
    pub(crate) epoch: u64,
}

impl State {
    fn new(settings: &Settings, now: Timestamp) -> Self {
        let mut region = Region::new(settings);
        region.now = now;
        Self {
            region,
            requests: RequestLog::default(),
            faults: Injector::new(settings.seed),
            schedules: settings.schedules.iter().filter_map(|schedule| Due::from(schedule, now)).collect(),
            timeline: Timeline::new(),
            epoch: 0,
        }
    }

    /// Gives its place to another state.
    fn become_another(&mut self, other: Self) {
        let epoch = self.epoch + 1;
        *self = Self { epoch, ..other };
    }

    /// The faults and limits in force.
    pub(crate) fn faults_in_force(&self) -> serde_json::Value {
        let launch = &self.region.launch_faults;
        serde_json::json!({
            "calls": self.faults.faults(),
            "rates": self.faults.rates().limits(),
            "published_rates": self.faults.rates().are_published(),
            "without_capacity": launch.without_capacity,
            "failing": launch.failing,
            "zone_shortages": launch.zone_shortages,
            "zones_down": launch.zones_down,
            "vcpu_quotas": launch.vcpu_quotas,
            "interruptions": self.region.interruptions_to_come().collect::<serde_json::Value>(),
            "lost_metrics": self.region.lost_metrics,
            "metric_delay": self.region.cloudwatch.metric_delay.as_secs(),
        })
    }
}

impl Shared {
    fn new(settings: Settings) -> Self {
        Self {
            state: Mutex::new(State::new(&settings, settings.start)),
            advancing: tokio::sync::Mutex::new(()),
            snapshots: Mutex::new(BTreeMap::new()),
            lambda: Lambda::new(settings.lambda_endpoint.clone()),
            settings,
        }
    }

    /// Takes the lock. A panic of another holder leaves state that is as good as any.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything but the time.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        let now = state.region.now;
        state.become_another(State::new(&self.settings, now));
    }

    /// The whole state as a document.
    pub(crate) fn write(&self) -> Result<Vec<u8>, StateError> {
        let state = self.state().clone();
        kept::write(&state)
    }

    /// Takes the state of a document for its own. Returns its time.
    pub(crate) fn read(&self, document: &[u8]) -> Result<Timestamp, StateError> {
        let read = kept::read(document, &self.settings.schedules)?;
        let of = read.region.now;
        let mut state = self.state();
        let now = state.region.now;
        if self.settings.clock == ClockMode::Real && of > now {
            return Err(StateError::Ahead { of, now });
        }
        state.become_another(read);
        Ok(of)
    }

    /// States kept by name.
    pub(crate) fn snapshots(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        self.snapshots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the present state under a name.
    pub(crate) fn save(&self, name: String) {
        let state = self.state().clone();
        self.snapshots().insert(name, state);
    }

    /// Goes back to a kept state. Time goes back with it, except where it is the wall's: there the fleet catches up.
    /// Returns the state's time; `None` if there is no such state.
    pub(crate) fn load(&self, name: &str) -> Option<Timestamp> {
        let kept = self.snapshots().get(name)?.clone();
        let now = kept.region.now;
        self.state().become_another(kept);
        Some(now)
    }

    /// Advances a stepped clock.
    pub(crate) async fn advance(&self, by: Duration) -> Result<Timestamp, EmulatorError> {
        if self.settings.clock != ClockMode::Stepped {
            return Err(EmulatorError::Clock { reason: "it runs by itself" });
        }
        let _held = self
            .advancing
            .try_lock()
            .map_err(|_| EmulatorError::Clock { reason: "it is being advanced already" })?;
        let (now, epoch) = {
            let state = self.state();
            (state.region.now, state.epoch)
        };
        let until = now.checked_add(by);
        let until = until.map_err(|_| EmulatorError::Clock { reason: "there is no such time" })?;
        clock::advance(self, until, epoch).await;
        Ok(until)
    }
}

/// Server and clock as tasks. Not async, so that what they run is compiled once, with this crate, and not with every program
/// that starts an emulator.
fn run(listener: TcpListener, shared: &Arc<Shared>, mode: ClockMode, stopped: watch::Receiver<()>) {
    tokio::spawn(serve(listener, Arc::clone(shared), stopped.clone()));
    tokio::spawn(clock::run(Arc::clone(shared), mode, stopped));
}

/// A running emulator; it stops when this is dropped.
#[derive(Debug)]
pub struct Emulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    /// Dropping it stops server and clock.
    _running: watch::Sender<()>,
}

impl Emulator {
    /// Starts an emulator on the caller's tokio runtime.
    pub async fn start(settings: Settings) -> Result<Self, EmulatorError> {
        if let ClockMode::Accelerated(factor) = settings.clock
            && !(factor.is_finite() && factor > 0.0)
        {
            return Err(EmulatorError::Setting { name: "clock", rule: "accelerated by a factor above 0" });
        }
        if settings.schedules.iter().any(|schedule| schedule.every.is_zero()) {
            return Err(EmulatorError::Setting { name: "schedules", rule: "longer than 0 apart" });
        }
        let listen = |source| EmulatorError::Listen { address: settings.listen, source };
        let listener = TcpListener::bind(settings.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let mode = settings.clock;
        let shared = Arc::new(Shared::new(settings));
        let (running, stopped) = watch::channel(());
        run(listener, &shared, mode, stopped);
        Ok(Self { shared, address, _running: running })
    }

    /// The base URL of all services.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The emulator's present moment.
    pub fn now(&self) -> Timestamp {
        self.shared.state().region.now
    }

    /// Advances a stepped clock, in steps of at most 15 s. Alarms and schedules that fall due on the way are invoked,
    /// and time waits for them. Returns the new moment.
    pub async fn advance(&self, by: Duration) -> Result<Timestamp, EmulatorError> {
        self.shared.advance(by).await
    }

    /// Requests received so far, by names such as `AutoScaling.DescribeAutoScalingGroups`. Each attempt counts.
    pub fn request_log(&self) -> BTreeMap<String, u64> {
        self.shared.state().requests.counts().clone()
    }

    /// Sets load and service of a group, now or when it is made.
    pub fn set_workload(&self, group: &str, workload: Workload) {
        self.shared.state().region.set_workload(group, workload);
    }

    /// Totals of a group since its workload was set. `None` if there is no such group. The minutes are in
    /// [`Region::minutes`].
    pub fn group_history(&self, group: &str) -> Option<GroupTotals> {
        self.shared.state().region.group(group).map(|group| *group.totals())
    }

    /// Puts a fault in force.
    ///
    /// # Errors
    /// [`FaultError`] for one that names what there is not, or has a number out of its bounds; nothing has changed then.
    pub fn inject(&self, fault: Fault) -> Result<(), FaultError> {
        let mut state = self.shared.state();
        let state = &mut *state;
        state.faults.inject(fault, &mut state.region)
    }

    /// Ends all faults; what they did stays done.
    pub fn clear_faults(&self) {
        let mut state = self.shared.state();
        let state = &mut *state;
        state.faults.clear(&mut state.region);
    }

    /// Keeps the present state under a name.
    pub fn save(&self, name: &str) {
        self.shared.save(name.to_owned());
    }

    /// Goes back to a kept state. Returns its time; `None` if there is no such state.
    pub fn load(&self, name: &str) -> Option<Timestamp> {
        self.shared.load(name)
    }

    /// The whole state as a document, for [`Emulator::read_state`] of this or another emulator.
    ///
    /// # Errors
    /// [`StateError::Write`].
    pub fn write_state(&self) -> Result<Vec<u8>, StateError> {
        self.shared.write()
    }

    /// Takes the state of a document for its own, with its time; where time is the wall's, the fleet catches up. Who may
    /// call, which functions are invoked and where it listens stay as they are. Returns the state's time.
    ///
    /// # Errors
    /// Any [`StateError`] but [`StateError::Write`]; nothing has changed then.
    pub fn read_state(&self, document: &[u8]) -> Result<Timestamp, StateError> {
        self.shared.read(document)
    }

    /// Begins a scenario at the present moment.
    pub fn begin(&self, scenario: Scenario) -> Result<(), ScenarioError> {
        scenario.begin(&mut self.shared.state())
    }

    /// Reads or changes the region's state directly, with the services' typed functions for example. Nothing else
    /// happens meanwhile, so `act` must be short.
    pub fn with_region<T>(&self, act: impl FnOnce(&mut Region) -> T) -> T {
        act(&mut self.shared.state().region)
    }

    /// Stops the emulator. Requests that are being answered still are.
    pub fn stop(self) {
        drop(self);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    let listener = listener.tap_io(|socket| {
        // Without it, small replies wait for acknowledgements of earlier ones.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
    });
    let stopping = async move { drop(stopped.changed().await) };
    let router = server::router(shared);
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopping).await {
        tracing::error!(%error, "the emulator's server ended");
    }
}
