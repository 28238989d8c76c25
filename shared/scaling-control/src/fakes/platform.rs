//! A platform in memory: one group of real instance types, with boots, replacements and metrics that follow from a
//! load. It counts what it was asked for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling_fleet::{Catalogue, TypeName};
use scaling_policy::config::{GroupConfig, GroupName};
use scaling_policy::operation::{LaunchFailure, LaunchFailureKind, LaunchTemplate, Step};
use scaling_policy::snapshot::{
    ForeignController, ReplacementStatus, ReplacementView, RetypeSupport, SuspendedProcesses,
};
use scaling_policy::trigger::Trigger;

use crate::error::PortError;
use crate::ports::{
    Accepted, Clock, Described, GroupDescription, GroupReader, GroupWriter, InstanceDescription, Lifecycle,
    MetricQuery, MetricReader, MetricSeries, Purchase, describable,
};

/// What becomes of the steps that a group is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steps {
    /// They are carried out.
    Taken,
    /// They are refused as invalid.
    Refused,
    /// Counts are set, and an instance refresh may not be begun.
    NoTypeChanges,
    /// They meet another running change.
    Conflicting,
    /// Counts are set, and a type change meets another running change.
    TypeChangesConflicting,
    /// The group was deleted since it was described.
    Gone,
    /// The adapter panics.
    Panicking,
}

/// What a test sets and sees of the group.
#[derive(Debug, Clone)]
pub struct FakeGroup {
    /// Its name.
    pub name: GroupName,
    /// Bounds.
    pub min: u32,
    /// Bounds.
    pub max: u32,
    /// Desired capacity.
    pub desired: u32,
    /// Type of new instances.
    pub launch_type: TypeName,
    /// Template of new instances, with its version.
    pub template: Option<LaunchTemplate>,
    /// Instances: id, type, serves from.
    pub instances: Vec<(String, TypeName, Timestamp)>,
    /// Time from order to serving.
    pub boot: Duration,
    /// vCPU that the load keeps busy; `None` publishes no metrics.
    pub busy_vcpu: Option<f64>,
    /// MiB in use by each instance.
    pub used_memory: f64,
    /// Nothing launches of these types.
    pub no_capacity: Vec<TypeName>,
    /// Nothing launches of these types, for the account's limits.
    pub no_quota: Vec<TypeName>,
    /// Replacements, or failed launches, may not be read.
    pub forbidden: Vec<&'static str>,
    /// The value of CPU, whatever the load is.
    pub shown_cpu: Option<f64>,
    /// Availability zones; new instances go where there are the fewest of their type.
    pub zones: Vec<String>,
    /// Nothing launches of a type in a zone, and what should goes to another.
    pub zone_shortages: Vec<(TypeName, String)>,
    /// Nothing launches at all.
    pub broken_template: bool,
    /// What becomes of every step.
    pub steps: Steps,
    /// It was deleted: descriptions leave it out.
    pub deleted: bool,
    /// Seconds in service during which an instance is warming.
    pub warm_up_seconds: u32,
    /// How its instances are bought.
    pub purchase: Purchase,
    /// A tag that it lacks.
    pub missing_tag: Option<String>,
    /// Descriptions show this desired capacity, whatever it is: they lag.
    pub shown_desired: Option<u32>,
    /// Suspended processes.
    pub suspended: SuspendedProcesses,
    /// Other controllers.
    pub foreign: Vec<ForeignController>,
    /// Looking for other controllers is not allowed.
    pub blind: bool,
    /// Looking for other controllers takes this long.
    pub look_takes: Duration,
    /// The groups of each look for other controllers.
    pub looked_at: Vec<Vec<GroupName>>,
    /// The newest replacement.
    pub replacement: Option<ReplacementView>,
    /// Type before the running replacement.
    pub before: Option<TypeName>,
    /// Launches that failed.
    pub failures: Vec<LaunchFailure>,
    /// Steps that were accepted, in order.
    pub accepted: Vec<Step>,
    /// Replicas that served at the fewest while a replacement ran.
    pub fewest_serving: u32,
    launched: u32,
    /// Zones by instance.
    placed: BTreeMap<String, String>,
    /// Calls to the four reading and one writing operation.
    pub calls: BTreeMap<&'static str, u32>,
}

/// The platform; clones share the group.
#[derive(Clone)]
pub struct FakePlatform {
    group: Arc<Mutex<FakeGroup>>,
    clock: Arc<dyn Clock>,
}

impl FakePlatform {
    /// A group `name` with `replicas` serving instances of `instance_type`, 1 to 50 allowed, and no load yet.
    pub fn new(name: &str, instance_type: &str, replicas: u32, clock: Arc<dyn Clock>) -> Self {
        let mut group = FakeGroup {
            name: GroupName::new(name),
            min: 1,
            max: 50,
            desired: replicas,
            launch_type: TypeName::new(instance_type),
            template: None,
            instances: Vec::new(),
            boot: Duration::from_secs(90),
            busy_vcpu: None,
            used_memory: 1000.0,
            no_capacity: Vec::new(),
            no_quota: Vec::new(),
            forbidden: Vec::new(),
            shown_cpu: None,
            zones: vec!["a".to_owned()],
            zone_shortages: Vec::new(),
            broken_template: false,
            steps: Steps::Taken,
            shown_desired: None,
            warm_up_seconds: 0,
            purchase: Purchase::default(),
            missing_tag: None,
            deleted: false,
            suspended: SuspendedProcesses::default(),
            foreign: Vec::new(),
            blind: false,
            look_takes: Duration::ZERO,
            looked_at: Vec::new(),
            replacement: None,
            before: None,
            failures: Vec::new(),
            accepted: Vec::new(),
            fewest_serving: replicas,
            launched: 0,
            placed: BTreeMap::new(),
            calls: BTreeMap::new(),
        };
        for _ in 0..replicas {
            group.launch(Timestamp::UNIX_EPOCH);
        }
        Self { group: Arc::new(Mutex::new(group)), clock }
    }

    /// The group as it is now, to look at or to change.
    pub fn group(&self) -> MutexGuard<'_, FakeGroup> {
        let mut group = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        group.settle(self.clock.now());
        group
    }

    fn counted(&self, call: &'static str) -> MutexGuard<'_, FakeGroup> {
        let mut group = self.group();
        *group.calls.entry(call).or_default() += 1;
        group
    }

    fn allowed(&self, call: &'static str) -> Result<MutexGuard<'_, FakeGroup>, PortError> {
        let group = self.counted(call);
        if group.forbidden.contains(&call) {
            return Err(PortError::Denied { operation: call, message: "not authorized".to_owned() });
        }
        Ok(group)
    }
}

impl FakeGroup {
    /// Gives the group these zones, and its instances a place in each.
    pub fn spread_over(&mut self, zones: &[&str]) {
        self.zones = zones.iter().map(|zone| (*zone).to_owned()).collect();
        self.placed.clear();
        let ids: Vec<String> = self.instances.iter().map(|(id, _, _)| id.clone()).collect();
        for id in &ids {
            self.place(id);
        }
    }

    /// The zone of each instance that has one.
    pub fn described_zones(&self) -> Vec<String> {
        self.instances.iter().filter_map(|(id, _, _)| self.placed.get(id)).cloned().collect()
    }

    fn launch(&mut self, serves_from: Timestamp) {
        self.launched += 1;
        let id = format!("i-{:04}", self.launched);
        self.place(&id);
        self.instances.push((id, self.launch_type.clone(), serves_from));
    }

    fn place(&mut self, id: &str) {
        let here = |zone: &String| {
            let same = self.instances.iter().filter(|(_, kind, _)| *kind == self.launch_type);
            same.filter(|(id, _, _)| self.placed.get(id) == Some(zone)).count()
        };
        let short = |zone: &&String| {
            self.zone_shortages.iter().any(|(kind, place)| *kind == self.launch_type && place == *zone)
        };
        let zone = self.zones.iter().filter(|zone| !short(zone)).min_by_key(|zone| here(zone)).cloned();
        self.placed.extend(zone.map(|zone| (id.to_owned(), zone)));
    }

    fn serving(&self, now: Timestamp) -> u32 {
        u32::try_from(self.instances.iter().filter(|(_, _, from)| *from <= now).count()).unwrap_or(u32::MAX)
    }

    fn can_launch(&self) -> bool {
        let is_short =
            [&self.no_capacity, &self.no_quota].iter().any(|types| types.contains(&self.launch_type));
        !self.broken_template && !is_short
    }

    /// Lets happen what has become due.
    fn settle(&mut self, now: Timestamp) {
        let running = self.replacement.as_ref().is_some_and(|replacement| replacement.status.is_active());
        if running {
            self.replace(now);
            self.fewest_serving = self.fewest_serving.min(self.serving(now));
        } else {
            self.fill(now);
        }
    }

    fn fill(&mut self, now: Timestamp) {
        let desired = self.desired as usize;
        if self.instances.len() < desired && !self.can_launch() {
            self.fail(now);
        }
        while self.instances.len() < desired && self.can_launch() {
            self.launch(now + self.boot);
        }
        while self.instances.len() > desired {
            self.instances.remove(0);
        }
    }

    /// Launches a whole new set at once, and ends the old one when the new one serves.
    fn replace(&mut self, now: Timestamp) {
        if !self.can_launch() {
            self.fail(now);
            return;
        }
        let new = self.instances.iter().filter(|(_, kind, _)| *kind == self.launch_type).count();
        for _ in new..self.desired as usize {
            self.launch(now + self.boot);
        }
        let serve =
            |(_, kind, from): &(String, TypeName, Timestamp)| *kind == self.launch_type && *from <= now;
        if self.instances.iter().filter(|instance| serve(instance)).count() >= self.desired as usize {
            self.instances.retain(|(_, kind, _)| *kind == self.launch_type);
            let rolled_back = self.before.is_none();
            if let Some(replacement) = &mut self.replacement {
                replacement.ended = Some(now);
                replacement.status = if rolled_back {
                    ReplacementStatus::RollbackSuccessful
                } else {
                    ReplacementStatus::Successful
                };
            }
        }
    }

    fn fail(&mut self, at: Timestamp) {
        let kind = match self.broken_template {
            true => LaunchFailureKind::Template,
            false if self.no_quota.contains(&self.launch_type) => LaunchFailureKind::Quota,
            false => LaunchFailureKind::Capacity,
        };
        let instance_type = Some(self.launch_type.clone());
        let message = "no launch".to_owned();
        self.failures.push(LaunchFailure { at, kind, instance_type, message, overcome: false });
    }

    fn start_replacement(&mut self, types: &[TypeName]) -> Result<Accepted, PortError> {
        let running = self.replacement.as_ref().is_some_and(|replacement| replacement.status.is_active());
        let Some(first) = types.first().filter(|_| !running) else {
            let message = "a replacement is running".to_owned();
            return Err(PortError::Conflict { operation: "start a replacement", message });
        };
        let chosen = types.iter().find(|name| !self.no_capacity.contains(name)).unwrap_or(first).clone();
        self.before = Some(std::mem::replace(&mut self.launch_type, chosen.clone()));
        let id = format!("refresh-{}", self.accepted.len());
        self.replacement = Some(ReplacementView {
            id: id.clone(),
            status: ReplacementStatus::InProgress,
            percent_complete: 0,
            reason: None,
            target_type: Some(first.clone()),
            ended: None,
        });
        Ok(Accepted { platform_id: Some(id) })
    }

    fn roll_back(&mut self) -> Accepted {
        if let Some(before) = self.before.take() {
            self.launch_type = before;
            if let Some(replacement) = &mut self.replacement {
                replacement.status = ReplacementStatus::RollbackInProgress;
            }
        }
        Accepted { platform_id: self.replacement.as_ref().map(|replacement| replacement.id.clone()) }
    }

    fn description(&self, now: Timestamp) -> GroupDescription {
        let instance = |(id, kind, from): &(String, TypeName, Timestamp)| InstanceDescription {
            id: id.clone(),
            instance_type: kind.clone(),
            lifecycle: if *from <= now { Lifecycle::InService } else { Lifecycle::Pending },
            healthy: true,
            protected: false,
            zone: self.placed.get(id).cloned(),
        };
        GroupDescription {
            name: self.name.clone(),
            min: self.min,
            max: self.max,
            desired: self.shown_desired.unwrap_or(self.desired),
            launch_type: Some(self.launch_type.clone()),
            instances: self.instances.iter().map(instance).collect(),
            zones: self.zones.clone(),
            suspended: self.suspended,
            retype: RetypeSupport::Supported,
            maintenance: None,
            warm_up_seconds: self.warm_up_seconds,
            template: self.template.clone(),
            purchase: self.purchase,
            missing_tag: self.missing_tag.clone(),
        }
    }

    fn value(&self, trigger: Trigger, now: Timestamp) -> Option<f64> {
        let busy = self.busy_vcpu?;
        let serving = self.instances.iter().filter(|(_, _, from)| *from <= now);
        let known = serving.filter_map(|(_, kind, _)| Catalogue::embedded().get(kind));
        let (count, vcpu, memory) = known.fold((0.0, 0.0, 0.0), |(count, vcpu, memory), known| {
            (count + 1.0, vcpu + known.vcpu.0, memory + known.memory.0)
        });
        match trigger {
            Trigger::CpuUsage if self.shown_cpu.is_some() => self.shown_cpu,
            Trigger::CpuUsage => Some((busy / vcpu).min(1.0) * 100.0),
            Trigger::MemoryUsage => Some((self.used_memory * count / memory).min(1.0) * 100.0),
            Trigger::RequestCount | Trigger::RequestLatency => None,
        }
    }
}

#[async_trait]
impl GroupReader for FakePlatform {
    async fn describe(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<GroupDescription>, PortError> {
        describable(self.describe_each(groups).await?)
    }

    /// Every configured group looks like this one, unless its name begins with `gone`. One whose name begins with `dark`
    /// cannot be described, and a call for one whose name begins with `night` fails.
    async fn describe_each(&self, groups: &[Arc<GroupConfig>]) -> Result<Vec<Described>, PortError> {
        let group = self.counted("describe");
        let now = self.clock.now();
        let named = |config: &GroupConfig, prefix| config.name.as_str().starts_with(prefix);
        if groups.iter().any(|config| named(config, "night")) {
            return Err(PortError::Throttled { operation: "describe" });
        }
        let there = groups.iter().filter(|config| !named(config, "gone") && !group.deleted);
        let each = there.map(|config| {
            let name = config.name.clone();
            if named(config, "dark") {
                let message = format!("{name} has no usable maximum");
                return (name, Err(PortError::Unavailable { operation: "describe", message, source: None }));
            }
            (name.clone(), Ok(GroupDescription { name, ..group.description(now) }))
        });
        Ok(each.collect())
    }

    async fn replacement(&self, _group: &GroupConfig) -> Result<Option<ReplacementView>, PortError> {
        Ok(self.allowed("replacement")?.replacement.clone())
    }

    async fn launch_failures(
        &self,
        _group: &GroupConfig,
        since: Timestamp,
    ) -> Result<Vec<LaunchFailure>, PortError> {
        let group = self.allowed("launch_failures")?;
        Ok(group.failures.iter().filter(|failure| failure.at >= since).cloned().collect())
    }

    async fn foreign_controllers(
        &self,
        groups: &[Arc<GroupConfig>],
    ) -> Result<BTreeMap<GroupName, Vec<ForeignController>>, PortError> {
        let (blind, look_takes, foreign) = {
            let mut group = self.counted("foreign_controllers");
            group.looked_at.push(groups.iter().map(|config| config.name.clone()).collect());
            (group.blind, group.look_takes, group.foreign.clone())
        };
        if !look_takes.is_zero() {
            tokio::time::sleep(look_takes).await;
        }
        if blind {
            let message = "the action needed is autoscaling:DescribePolicies".to_owned();
            return Err(PortError::Denied { operation: "foreign_controllers", message });
        }
        // Groups whose name begins with `veiled` cannot be looked at.
        let seen = groups.iter().filter(|config| !config.name.as_str().starts_with("veiled"));
        Ok(seen.map(|config| (config.name.clone(), foreign.clone())).collect())
    }
}

#[async_trait]
impl GroupWriter for FakePlatform {
    async fn apply(&self, _group: &GroupConfig, step: &Step) -> Result<Accepted, PortError> {
        let now = self.clock.now();
        let mut group = self.counted("apply");
        match group.steps {
            Steps::Refused => {
                let message = "refused".to_owned();
                return Err(PortError::Invalid { operation: "apply", message });
            }
            Steps::NoTypeChanges | Steps::TypeChangesConflicting
                if matches!(step, Step::SetDesired { .. }) => {}
            Steps::NoTypeChanges => {
                let message = "not authorized to perform: autoscaling:StartInstanceRefresh".to_owned();
                return Err(PortError::Denied { operation: "apply", message });
            }
            Steps::Taken => {}
            Steps::Conflicting | Steps::TypeChangesConflicting => {
                let message = "ScalingActivityInProgress".to_owned();
                return Err(PortError::Conflict { operation: "apply", message });
            }
            Steps::Gone => return Err(PortError::NotFound { what: format!("group {}", group.name) }),
            // Not the lock's holder: the group can still be looked at.
            Steps::Panicking => {
                drop(group);
                std::panic::resume_unwind(Box::new("a fault in an adapter"));
            }
        }
        let answer = match step {
            Step::SetDesired { desired } if *desired > group.max => {
                let message = "above the maximum".to_owned();
                return Err(PortError::Invalid { operation: "set desired", message });
            }
            Step::SetDesired { desired } => {
                group.desired = *desired;
                Accepted::default()
            }
            Step::StartReplacement { types } => group.start_replacement(types)?,
            Step::RollBackReplacement | Step::CancelReplacement => group.roll_back(),
        };
        group.accepted.push(step.clone());
        group.settle(now);
        Ok(answer)
    }
}

#[async_trait]
impl MetricReader for FakePlatform {
    async fn read(&self, queries: &[MetricQuery]) -> Result<Vec<MetricSeries>, PortError> {
        let now = self.clock.now();
        let group = self.counted("metrics");
        Ok(queries
            .iter()
            .map(|query| {
                let newest = query.to - jiff::SignedDuration::from_secs(i64::from(query.period_seconds));
                let value = group.value(query.trigger, now);
                let points = value.map(|value| (newest, value)).into_iter().collect();
                MetricSeries { points, ..MetricSeries::default() }
            })
            .collect())
    }
}
