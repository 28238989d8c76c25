//! The group: a fleet that follows what is desired of it.

use jiff::Timestamp;
use scaling_fleet::fleet::{BootModel, Fleet, Instance, InstanceNumber, Interval, Machine};
use scaling_fleet::load::Load;
use scaling_fleet::service::ServiceModel;

use super::{Minute, Totals};

/// What is replayed: two policies that are given the same scenario face the same arrivals.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Requests per second over time; its start and end are those of the replay.
    pub load: Load,
    /// The service.
    pub service: ServiceModel,
    /// How instances boot.
    pub boot: BootModel,
    /// Arrivals and boot times are drawn from it.
    pub seed: u64,
    /// The 95th percentile above which an interval is over, in seconds.
    pub latency_target: f64,
    /// What the first instances are made of.
    pub machine: Machine,
    /// How many of them serve at the start.
    pub replicas: u32,
}

/// A simulated Auto Scaling group in virtual time.
#[derive(Debug, Clone)]
pub struct ReplayedGroup {
    fleet: Fleet,
    load: Load,
    latency_target: f64,
    launch: Machine,
    desired: u32,
    replacing: bool,
    launches: bool,
    totals: Totals,
}

impl ReplayedGroup {
    /// The group at the start of the scenario's load, its first instances serving.
    pub fn new(scenario: &Scenario) -> Self {
        let start = scenario.load.start();
        let mut fleet = Fleet::new(scenario.service.clone(), scenario.boot, start, scenario.seed);
        for _ in 0..scenario.replicas {
            fleet.adopt(scenario.machine.clone());
        }
        Self {
            fleet,
            load: scenario.load.clone(),
            latency_target: scenario.latency_target,
            launch: scenario.machine.clone(),
            desired: scenario.replicas,
            replacing: false,
            launches: true,
            totals: Totals::default(),
        }
    }

    /// How far it has been advanced.
    pub fn now(&self) -> Timestamp {
        self.fleet.now()
    }

    /// Desired capacity.
    pub fn desired(&self) -> u32 {
        self.desired
    }

    /// What new instances are made of.
    pub fn launch_machine(&self) -> &Machine {
        &self.launch
    }

    /// Instances that exist.
    pub fn instances(&self) -> &[Instance] {
        self.fleet.instances()
    }

    /// Instances that serve now.
    pub fn serving(&self) -> u32 {
        self.count(|instance| instance.serves(self.fleet.now()))
    }

    /// Instances that boot.
    pub fn pending(&self) -> u32 {
        self.count(|instance| !instance.serves(self.fleet.now()))
    }

    /// Whether instances are being replaced by another type.
    pub fn is_replacing(&self) -> bool {
        self.replacing
    }

    /// What happened so far.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Whether launches succeed from now on; while they don't, the group has fewer instances than desired.
    pub fn set_launches(&mut self, succeed: bool) {
        self.launches = succeed;
    }

    /// The fleet behind it, to change the service or to end instances.
    pub fn fleet_mut(&mut self) -> &mut Fleet {
        &mut self.fleet
    }

    /// Sets the desired capacity; the same value again is no operation.
    pub fn set_desired(&mut self, desired: u32) {
        if desired != self.desired {
            self.totals.operations += 1;
            self.desired = desired;
        }
        self.settle();
    }

    /// Replaces every instance of another type, first launching as many new ones as are desired, and ending an old one
    /// for each new one that serves: capacity in count never falls below what is desired.
    pub fn replace_by(&mut self, machine: Machine) {
        if machine.instance_type != self.launch.instance_type {
            self.totals.type_changes_begun += 1;
            self.launch = machine;
            self.replacing = true;
        }
        self.settle();
    }

    /// Advances to the end of the minute, a step of 15 s at a time at the load's rate in the middle of each.
    pub fn advance_minute(&mut self) -> Minute {
        let mut intervals: Vec<Interval> = Vec::new();
        for _ in 0..4 {
            let from = self.fleet.now();
            let rate = self.load.rate(from + Fleet::MAX_STEP / 2);
            self.fleet.advance(from + Fleet::MAX_STEP, rate, |_, interval| intervals.push(interval));
            self.settle();
        }
        let seconds = Fleet::MAX_STEP.as_secs_f64();
        for interval in &intervals {
            self.totals.add(seconds, interval, self.latency_target);
        }
        Minute::of(self.fleet.now(), &intervals)
    }

    /// Launches what is missing and ends what is too much.
    fn settle(&mut self) {
        let new = self.count(|instance| self.is_new(instance));
        let old = self.count(|instance| !self.is_new(instance));
        let wanted_new = if self.replacing { self.desired } else { self.desired.saturating_sub(old) };
        if self.launches {
            for _ in new..wanted_new {
                self.fleet.launch(self.launch.clone());
            }
        }
        let now = self.fleet.now();
        let keep = if self.replacing {
            // An old one is ended for each new one that serves.
            let new_serving = self.count(|instance| self.is_new(instance) && instance.serves(now));
            self.desired.saturating_sub(new_serving) + new.max(wanted_new)
        } else {
            self.desired
        };
        self.end_down_to(keep);
        if self.replacing && self.fleet.instances().iter().all(|instance| self.is_new(instance)) {
            self.replacing = false;
            self.totals.type_changes += 1;
        }
    }

    /// Ends instances until `keep` are left: those of another type first, then those that don't serve, then the oldest.
    fn end_down_to(&mut self, keep: u32) {
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let now = self.fleet.now();
        let surplus = self.fleet.instances().len().saturating_sub(keep);
        let mut order: Vec<(bool, bool, InstanceNumber)> = self
            .fleet
            .instances()
            .iter()
            .map(|instance| (self.is_new(instance), instance.serves(now), instance.number))
            .collect();
        order.sort_unstable();
        for (.., number) in order.into_iter().take(surplus) {
            self.fleet.terminate(number);
        }
    }

    fn is_new(&self, instance: &Instance) -> bool {
        instance.machine.instance_type == self.launch.instance_type
    }

    fn count(&self, which: impl Fn(&Instance) -> bool) -> u32 {
        let count = self.fleet.instances().iter().filter(|instance| which(instance)).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scaling_fleet::{Mebibytes, TypeName, UsdPerHour, Vcpu};

    fn machine(name: &str, vcpu: f64) -> Machine {
        Machine {
            instance_type: TypeName::new(name),
            vcpu: Vcpu(vcpu),
            memory: Mebibytes(8192.0),
            price: UsdPerHour(0.1 * vcpu),
        }
    }

    fn group(rate: f64) -> ReplayedGroup {
        ReplayedGroup::new(&Scenario {
            load: Load::constant(Timestamp::UNIX_EPOCH, rate),
            service: ServiceModel::demo(),
            boot: BootModel::default(),
            seed: 1,
            latency_target: 0.25,
            machine: machine("m.one", 2.0),
            replicas: 4,
        })
    }

    #[test]
    fn a_larger_desired_capacity_is_launched_and_serves_after_the_boot() {
        let mut group = group(10.0);
        group.set_desired(6);
        assert_eq!((group.serving(), group.pending()), (4, 2));
        for _ in 0..3 {
            group.advance_minute();
        }
        assert_eq!((group.serving(), group.pending(), group.totals().operations), (6, 0, 1));
    }

    #[test]
    fn a_smaller_desired_capacity_is_there_at_once() {
        let mut group = group(10.0);
        group.set_desired(3);
        assert_eq!((group.serving(), group.desired()), (3, 3));
    }

    #[test]
    fn a_replacement_never_serves_with_fewer_than_are_desired() {
        let mut group = group(10.0);
        group.replace_by(machine("m.two", 4.0));
        assert_eq!((group.serving(), group.pending()), (4, 4));
        for _ in 0..4 {
            group.advance_minute();
            assert!(group.serving() >= 4, "{}", group.serving());
        }
        assert!(!group.is_replacing());
        assert!(group.instances().iter().all(|instance| instance.machine.instance_type.as_str() == "m.two"));
        assert_eq!((group.serving(), group.totals().type_changes), (4, 1));
    }

    #[test]
    fn what_cannot_be_launched_stays_missing() {
        let mut group = group(10.0);
        group.set_launches(false);
        group.set_desired(9);
        group.advance_minute();
        assert_eq!((group.serving(), group.pending(), group.desired()), (4, 0, 9));
    }
}
