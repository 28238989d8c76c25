//! Failures on demand: of calls, of launches, of instances and of metrics.

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

pub use crate::fault_rules::FaultError;
use crate::rates::{Asked, Limit, Rates};
use crate::region::usage::Class;
use crate::region::{LaunchFaults, Region};
use crate::wire::{AwsError, Call, Protocol, Service};

/// A failure on demand. Operations are named as in the request log (`AutoScaling.SetDesiredCapacity`), by service
/// (`AutoScaling.*`), or `*` for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self", tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// Calls are throttled.
    Throttle {
        /// Which.
        operation: String,
        /// When.
        #[serde(flatten)]
        when: When,
    },
    /// Calls fail with a code.
    Fail {
        /// Which.
        operation: String,
        /// The code, such as `InternalFailure`.
        code: String,
        /// HTTP status, 500 unless given.
        #[serde(default = "internal")]
        status: u16,
        /// When.
        #[serde(flatten)]
        when: When,
    },
    /// Calls are answered late, by the wall clock.
    Delay {
        /// Which.
        operation: String,
        /// How late.
        milliseconds: u64,
        /// When.
        #[serde(flatten)]
        when: When,
    },
    /// Calls are carried out, and answered with what cannot be read.
    Malformed {
        /// Which.
        operation: String,
        /// When.
        #[serde(flatten)]
        when: When,
    },
    /// Calls are carried out, and the connection ends in the middle of the answer.
    Truncated {
        /// Which.
        operation: String,
        /// When.
        #[serde(flatten)]
        when: When,
    },
    /// Calls are limited by a bucket, until faults are cleared.
    RateLimit(Limit),
    /// Calls are limited as the services publish it, until faults are cleared.
    PublishedRates,
    /// There is no capacity of a type, until faults are cleared.
    CapacityShortage {
        /// The type, or `*`.
        instance_type: String,
    },
    /// There is no capacity of a type in one zone, until faults are cleared.
    ZoneShortage {
        /// The type, or `*`.
        instance_type: String,
        /// The zone.
        zone: String,
    },
    /// A zone is out until faults are cleared: its instances fail, and none can be launched there.
    ZoneOutage {
        /// The zone.
        zone: String,
    },
    /// Launches of a type fail with a message (a quota, a broken template), until faults are cleared.
    LaunchFailure {
        /// The type, or `*`.
        instance_type: String,
        /// The status message of the failed activities.
        message: String,
    },
    /// The account has a quota of vCPU for a kind of instance, until faults are cleared: launches beyond it fail, and
    /// `SERVICE_QUOTA` tells it beside the usage.
    VcpuQuota {
        /// The kind, `Standard/OnDemand` unless given.
        #[serde(default)]
        class: Class,
        /// vCPU.
        vcpu: u32,
    },
    /// A group's minutes are not recorded, until faults are cleared.
    LostMetrics {
        /// The group, or `*`.
        group: String,
    },
    /// The fleet's metrics are published so many seconds after their minute, until faults are cleared.
    LateMetrics {
        /// Seconds.
        seconds: u32,
    },
    /// An instance is interrupted as a Spot Instance is: it is told, and fails two minutes later unless faults are cleared
    /// before.
    SpotInterruption {
        /// The instance.
        instance_id: String,
    },
    /// An instance fails: it stops serving and its health checks.
    InstanceCrash {
        /// The instance.
        instance_id: String,
    },
}

/// When a fault of calls strikes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct When {
    /// How many times; without end when absent.
    #[serde(default)]
    pub times: Option<u32>,
    /// With which probability, 0 to 1; always when absent.
    #[serde(default)]
    pub rate: Option<f64>,
}

impl When {
    /// The next `times` calls.
    pub fn times(times: u32) -> Self {
        Self { times: Some(times), rate: None }
    }
}

/// Most instances of one call that are counted.
const MOST_NAMED: u32 = 1_000;

fn internal() -> u16 {
    500
}

/// What a fault does to one call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Wait, in milliseconds.
    Delay(u64),
    /// Answer with this instead of carrying it out.
    Error(AwsError),
    /// Spoil the answer.
    Malformed,
    /// Cut the answer off.
    Truncated,
}

/// Whether a name such as `AutoScaling.*` means an operation.
pub(crate) fn means(name: &str, operation: &str) -> bool {
    name == operation || name.strip_suffix('*').is_some_and(|start| operation.starts_with(start))
}

/// The faults of calls that are in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Injector {
    faults: Vec<Fault>,
    rates: Rates,
    #[serde(with = "scaling_fleet::random")]
    random: Pcg64,
}

impl Injector {
    pub(crate) fn new(seed: u64) -> Self {
        Self { faults: Vec::new(), rates: Rates::default(), random: Pcg64::seed_from_u64(seed ^ 0xfa17) }
    }

    /// The faults of calls in force.
    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The limits of calls in force.
    pub(crate) fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Puts a fault in force. Nothing has changed where it cannot be.
    pub(crate) fn inject(&mut self, fault: Fault, region: &mut Region) -> Result<(), FaultError> {
        fault.check(region)?;
        match fault {
            Fault::CapacityShortage { instance_type } => {
                region.launch_faults.without_capacity.insert(instance_type);
            }
            Fault::ZoneShortage { instance_type, zone } => {
                region.launch_faults.zone_shortages.insert((instance_type, zone));
            }
            Fault::ZoneOutage { zone } => region.fail_zone(zone),
            Fault::LaunchFailure { instance_type, message } => {
                region.launch_faults.failing.insert(instance_type, message);
            }
            Fault::VcpuQuota { class, vcpu } => {
                region.launch_faults.vcpu_quotas.insert(class, vcpu);
            }
            Fault::LostMetrics { group } => {
                region.lost_metrics.insert(group);
            }
            Fault::LateMetrics { seconds } => {
                region.cloudwatch.metric_delay = SignedDuration::from_secs(i64::from(seconds));
            }
            Fault::RateLimit(limit) => self.rates.add(limit, region.now),
            Fault::PublishedRates => self.rates.add_published(region.now),
            Fault::SpotInterruption { instance_id } => region.interrupt(&instance_id),
            Fault::InstanceCrash { instance_id } => region.crash(&instance_id),
            call => self.faults.push(call),
        }
        Ok(())
    }

    /// Ends all faults; what they did stays done, and what is only announced does not come.
    pub(crate) fn clear(&mut self, region: &mut Region) {
        self.faults.clear();
        self.rates.clear();
        region.cloudwatch.metric_delay = region.usual_delay;
        region.launch_faults = LaunchFaults::default();
        region.lost_metrics.clear();
        region.withdraw_interruptions();
    }

    /// What happens to this call.
    pub(crate) fn effects(&mut self, call: &Call, name: &str, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let asked = Asked { operation: name, unfiltered: is_unfiltered(call) };
        if !self.rates.take(asked, || instances(call), now) {
            effects.push(Effect::Error(throttled(call.service)));
        }
        if self.faults.is_empty() {
            return effects;
        }
        for fault in &mut self.faults {
            let Some((operation, when)) = call_fault(fault) else { continue };
            let strikes = means(operation, name)
                && when.times != Some(0)
                && when.rate.is_none_or(|rate| self.random.random::<f64>() < rate);
            if strikes {
                when.times = when.times.map(|times| times - 1);
                effects.extend(effect(fault, call.service));
            }
        }
        self.faults.retain_mut(|fault| call_fault(fault).is_none_or(|(_, when)| when.times != Some(0)));
        effects
    }
}

fn call_fault(fault: &mut Fault) -> Option<(&str, &mut When)> {
    match fault {
        Fault::Throttle { operation, when }
        | Fault::Fail { operation, when, .. }
        | Fault::Delay { operation, when, .. }
        | Fault::Truncated { operation, when }
        | Fault::Malformed { operation, when } => Some((operation, when)),
        _ => None,
    }
}

fn effect(fault: &Fault, service: Service) -> Option<Effect> {
    match fault {
        Fault::Throttle { .. } => Some(Effect::Error(throttled(service))),
        Fault::Fail { code, status, .. } => {
            let message = "This failure was asked of the emulator.";
            Some(Effect::Error(AwsError::new(code.clone(), message).with_status(*status)))
        }
        Fault::Delay { milliseconds, .. } => Some(Effect::Delay(*milliseconds)),
        Fault::Malformed { .. } => Some(Effect::Malformed),
        Fault::Truncated { .. } => Some(Effect::Truncated),
        _ => None,
    }
}

/// How many instances an EC2 call is about: as many as it may run, or as it names.
fn instances(call: &Call) -> u32 {
    let Protocol::Query(form) = &call.protocol else { return 0 };
    let run = form.get("MaxCount").and_then(|count| count.parse().ok());
    let named = || (1..=MOST_NAMED).take_while(|number| form.get(&format!("InstanceId.{number}")).is_some());
    run.unwrap_or_else(|| named().last().unwrap_or(0))
}

/// Whether an EC2 call neither filters, by id or otherwise, nor asks for pages.
fn is_unfiltered(call: &Call) -> bool {
    let Protocol::Query(form) = &call.protocol else { return false };
    form.members().all(|member| matches!(member, "Action" | "Version" | "DryRun"))
}

fn throttled(service: Service) -> AwsError {
    match service {
        Service::Ec2 => AwsError::new("RequestLimitExceeded", "Request limit exceeded.").with_status(503),
        _ => AwsError::new("Throttling", "Rate exceeded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use crate::wire::form::Form;

    fn call(operation: &str) -> Call {
        Call {
            service: Service::AutoScaling,
            operation: operation.to_owned(),
            protocol: Protocol::Query(Form::default()),
        }
    }

    fn struck(injector: &mut Injector, operation: &str) -> Vec<Effect> {
        let call = call(operation);
        injector.effects(&call, &call.name(), Timestamp::UNIX_EPOCH)
    }

    fn injector(faults: &[Fault]) -> Injector {
        let mut region = Region::new(&Settings::default());
        let mut injector = Injector::new(1);
        for fault in faults {
            injector.inject(fault.clone(), &mut region).unwrap();
        }
        injector
    }

    #[test]
    fn a_fault_strikes_the_operation_it_names_and_as_often_as_it_says() {
        for operation in ["AutoScaling.SetDesiredCapacity", "AutoScaling.*", "*"] {
            let fault = Fault::Throttle { operation: operation.to_owned(), when: When::times(2) };
            let mut injector = injector(&[fault]);
            let times = [0; 4].map(|_| struck(&mut injector, "SetDesiredCapacity").len());
            assert_eq!(times, [1, 1, 0, 0], "{operation}");
        }
        let other = Fault::Malformed { operation: "EC2.*".to_owned(), when: When::default() };
        assert_eq!(struck(&mut injector(&[other]), "SetDesiredCapacity"), []);
    }

    #[test]
    fn a_rate_is_met_in_the_long_run_and_by_the_seed() {
        let when = When { times: None, rate: Some(0.3) };
        let run = || {
            let mut injector = injector(&[Fault::Malformed { operation: "*".to_owned(), when }]);
            (0..1000).map(|_| struck(&mut injector, "X").len()).sum::<usize>()
        };
        assert!((250..350).contains(&run()), "{}", run());
        assert_eq!(run(), run());
    }

    #[test]
    fn faults_are_read_from_json() {
        let text = r#"{"kind":"fail","operation":"*","code":"InternalFailure","times":3}"#;
        let expected = Fault::Fail {
            operation: "*".to_owned(),
            code: "InternalFailure".to_owned(),
            status: 500,
            when: When::times(3),
        };
        assert_eq!(serde_json::from_str::<Fault>(text).unwrap(), expected);
    }
}
