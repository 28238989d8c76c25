//! The policy on a simulated group: the simulator's own loop, looked at minute by minute.

use std::sync::Arc;

use jiff::Timestamp;
use scaling_fleet::fleet::BootModel;
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;
use scaling_policy::config::GroupConfig;
use scaling_policy::{Decision, Learned, OperationState};
use scaling_simulator::conditions::{Conditions, Feed};
use scaling_simulator::group::Group;
use scaling_simulator::hybrid::Hybrid;
use scaling_simulator::metrics::Period;
use scaling_simulator::play::Play;
use scaling_simulator::policy::{Policy, Seen, Wish};
use scaling_simulator::rivals::Rival;
use scaling_simulator::world::MachineType;
use scaling_simulator::{Figures, World};

/// What the loop is played on.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    pub(crate) load: Load,
    pub(crate) service: ServiceModel,
    /// Arrivals and boot times are drawn from it.
    pub(crate) seed: u64,
    /// How many m7i.xlarge serve at the start.
    pub(crate) replicas: u32,
    /// Minutes by which metrics are late.
    pub(crate) lag: u32,
}

impl Scenario {
    fn world(&self, ladder: &[String]) -> World {
        let feed = Feed { period: 60, delay: 60 * self.lag, tick: 60 };
        let conditions = Conditions {
            feed,
            service: self.service.clone(),
            boot: BootModel::default(),
            seed: self.seed,
            min: 2,
            max: 60,
            ..Conditions::product()
        };
        let types: Arc<[MachineType]> = ladder.iter().map(|name| MachineType::of(name).unwrap()).collect();
        let first = ladder.iter().position(|name| name == "m7i.xlarge").unwrap();
        World::of_load("closed loop", &self.load, conditions, types, first)
    }

    /// Plays a rival over the same load.
    pub(crate) fn play(&self, rival: Rival, setting: f64) -> Figures {
        let world = self.world(&["m7i.xlarge".to_owned()]);
        let mut policy = rival.start(&world, setting, 0);
        let mut play = Play::new(&world, self.replicas, policy.feed());
        while play.advance(1, policy.as_mut()).is_some() {}
        play.figures((rival.name(), Some(setting)))
    }
}

/// The policy, and what it last decided.
struct Watched {
    hybrid: Hybrid,
    blind: bool,
    decided: Option<Decision>,
}

impl Policy for Watched {
    fn feed(&self) -> Feed {
        self.hybrid.feed()
    }

    fn decide(&mut self, seen: &Seen<'_>) -> Wish {
        let nothing = Period { ended: seen.now, requests: None, cpu: None, memory: None, latency_p95: None };
        let period = if self.blind { Some(nothing) } else { seen.period };
        let (decision, wish) = self.hybrid.look(&Seen { period, ..*seen });
        self.decided = Some(decision);
        wish
    }
}

/// A group, the policy's memory of it, and the state that the control loop would keep.
pub(crate) struct ClosedLoop {
    watched: Watched,
    play: Play,
    start: Timestamp,
}

impl ClosedLoop {
    pub(crate) fn new(config: GroupConfig, scenario: &Scenario, ladder: &[String]) -> Self {
        let world = scenario.world(ladder);
        let hybrid = Hybrid::configured(&world, config);
        let play = Play::new(&world, scenario.replicas, hybrid.feed());
        Self { watched: Watched { hybrid, blind: false, decided: None }, play, start: world.start }
    }

    pub(crate) fn learned(&self) -> &Learned {
        self.watched.hybrid.learned()
    }

    pub(crate) fn set_learned(&mut self, learned: Learned) {
        self.watched.hybrid.set_learned(learned);
    }

    pub(crate) fn state(&self) -> &OperationState {
        self.watched.hybrid.state()
    }

    pub(crate) fn group(&self) -> &Group {
        self.play.group()
    }

    /// Whether launches succeed from now on.
    pub(crate) fn set_launches(&mut self, succeed: bool) {
        self.play.group_mut().set_launches(succeed);
    }

    /// Withholds readings from now on, or no longer.
    pub(crate) fn set_blind(&mut self, blind: bool) {
        self.watched.blind = blind;
    }

    fn now(&self) -> Timestamp {
        self.start + std::time::Duration::from_secs(self.play.now())
    }

    /// Runs to `until` or the end of the load, handing each decision out.
    pub(crate) fn run_until(&mut self, until: Timestamp, mut each: impl FnMut(&Self, &Decision)) -> Figures {
        while self.now() < until && self.play.advance(1, &mut self.watched).is_some() {
            if let Some(decision) = self.watched.decided.take() {
                each(self, &decision);
            }
        }
        self.play.figures(("hybrid", None))
    }
}
