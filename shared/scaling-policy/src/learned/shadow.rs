//! What every type would have cost: the slow axis of the hybrid mode.
//!
//! At each observation every type of the ladder is priced for the wanted capacity and its account advanced one step.
//! Nothing is replayed. Once a day the accounts are compared; a type that would have been cheaper by more than the
//! threshold becomes the preference, which the decision acts on when a type change is allowed.

use jiff::Timestamp;
use scaling_fleet::TypeName;
use serde::{Deserialize, Serialize};

use crate::config::{GroupConfig, Mode};
use crate::decide::demand::Demand;
use crate::snapshot::{Snapshot, TypeOffer};

/// How long the accounts run before they are compared, and between comparisons.
const COMPARE_EVERY_SECONDS: f64 = 86_400.0;

/// An account forgets half of what it holds in about two days.
const HALF_LIFE_SECONDS: f64 = 2.0 * 86_400.0;

/// A change needs to save more than this share.
const LEAST_GAIN: f64 = 0.05;

/// A type that was chosen for its cost stays for so long, before another is chosen for its cost: the noise of a few days
/// is no reason to replace every instance. 5 days are at most 0.2 changes a day.
const RESIDENCE_SECONDS: f64 = 5.0 * 86_400.0;

/// A type that could not carry the load is not chosen for its cost for so long: the week's peak that it failed at comes
/// again.
const DISTRUST_SECONDS: f64 = 7.0 * 86_400.0;

/// Types that are followed at most: the record stays small however long the ladder is.
const FOLLOWED: usize = 64;

/// Cost accounts of the types.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Shadow {
    /// Mean cost in USD per hour by type, weighted towards the present.
    accounts: Vec<Account>,
    /// Last comparison, or the first observation.
    compared: Option<Timestamp>,
    /// Last observation.
    observed: Option<Timestamp>,
    /// The cheaper type as of the last comparison.
    preferred: Option<Preference>,
    /// The type that was last chosen here and runs since, with the moment from which it does.
    chosen: Option<(TypeName, Timestamp)>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Preference {
    instance_type: TypeName,
    /// The type that ran when they were compared.
    over: TypeName,
    /// USD per hour.
    saving: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Account {
    instance_type: TypeName,
    usd: f64,
    hours: f64,
    /// Replicas held, released only when fewer have been enough for a boot time.
    held: u32,
    /// Highest need since the hold began to be examined, and since when.
    below: Option<(Timestamp, u32)>,
    /// When it last could not carry the load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<Timestamp>,
}

impl Shadow {
    /// The type that would have been cheaper than `current`, with its saving in USD per hour.
    pub fn preferred(&self, current: &TypeName) -> Option<(&TypeName, f64)> {
        let preferred = self.preferred.as_ref().filter(|preferred| preferred.over == *current)?;
        Some((&preferred.instance_type, preferred.saving))
    }

    pub(super) fn observe(&mut self, config: &GroupConfig, demand: &Demand, snapshot: &Snapshot) {
        if config.mode != Mode::Hybrid || demand.missing.is_some() || snapshot.ladder.len() < 2 {
            return;
        }
        let now = snapshot.taken_at;
        let hours = self.observed.map_or(0.0, |before| now.duration_since(before).as_secs_f64() / 3600.0);
        self.observed = Some(now);
        // After a gap the step would credit one moment's price to hours that nobody saw.
        let hours = hours.min(3.0 * config.evaluation_period.as_secs_f64() / 3600.0);
        self.accounts
            .retain(|account| snapshot.ladder.iter().any(|offer| offer.name == account.instance_type));
        for offer in snapshot.ladder.iter().take(FOLLOWED) {
            let needed = demand.replicas_of(config, offer);
            self.advance(config, offer, needed, hours, now);
        }
        self.follow_choice(now, &snapshot.group.launch_type.name);
        self.compare(now, &snapshot.group.launch_type);
    }

    fn advance(
        &mut self,
        config: &GroupConfig,
        offer: &TypeOffer,
        needed: Option<u32>,
        hours: f64,
        now: Timestamp,
    ) {
        let known = self.accounts.iter().position(|account| account.instance_type == offer.name);
        let index = known.unwrap_or_else(|| {
            self.accounts.push(Account::new(offer.name.clone()));
            self.accounts.len() - 1
        });
        let account = &mut self.accounts[index];
        // A type that cannot carry the load now starts again: its past is no guide.
        let Some(needed) = needed.filter(|needed| *needed <= config.replicas.max) else {
            *account = Account { failed: Some(now), ..Account::new(offer.name.clone()) };
            return;
        };
        account.hold(needed.max(config.replicas.min), now, config);
        let keep = 0.5_f64.powf(hours * 3600.0 / HALF_LIFE_SECONDS);
        account.usd = account.usd * keep + f64::from(account.held) * offer.price.0 * hours;
        account.hours = account.hours * keep + hours;
    }

    /// Sees the choice carried out, or overtaken by another type.
    fn follow_choice(&mut self, now: Timestamp, current: &TypeName) {
        let carried_out =
            self.preferred.as_ref().is_some_and(|preferred| preferred.instance_type == *current);
        if carried_out {
            (self.chosen, self.preferred) = (Some((current.clone(), now)), None);
        } else if self.chosen.as_ref().is_some_and(|(chosen, _)| chosen != current) {
            self.chosen = None;
        }
    }

    fn is_resident(&self, now: Timestamp) -> bool {
        self.chosen
            .as_ref()
            .is_some_and(|(_, since)| now.duration_since(*since).as_secs_f64() < RESIDENCE_SECONDS)
    }

    fn compare(&mut self, now: Timestamp, current: &TypeOffer) {
        let since = *self.compared.get_or_insert(now);
        if now.duration_since(since).as_secs_f64() < COMPARE_EVERY_SECONDS {
            return;
        }
        self.compared = Some(now);
        self.preferred = None;
        if self.is_resident(now) {
            return;
        }
        let Some(present) = self.mean_cost(&current.name) else { return };
        let cheapest = self
            .accounts
            .iter()
            .filter(|account| account.is_trusted(now))
            .filter_map(|account| Some((account, account.mean()?)))
            .min_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((account, cost)) = cheapest
            && cost < present * (1.0 - LEAST_GAIN)
        {
            self.preferred = Some(Preference {
                instance_type: account.instance_type.clone(),
                over: current.name.clone(),
                saving: present - cost,
            });
        }
    }

    fn mean_cost(&self, name: &TypeName) -> Option<f64> {
        self.accounts.iter().find(|account| account.instance_type == *name)?.mean()
    }
}

impl Account {
    fn new(instance_type: TypeName) -> Self {
        Self { instance_type, usd: 0.0, hours: 0.0, held: 0, below: None, failed: None }
    }

    fn is_trusted(&self, now: Timestamp) -> bool {
        self.failed.is_none_or(|failed| now.duration_since(failed).as_secs_f64() >= DISTRUST_SECONDS)
    }

    /// USD per hour; `None` before the account has run for most of a day.
    fn mean(&self) -> Option<f64> {
        (self.hours >= 12.0).then(|| self.usd / self.hours)
    }

    /// Follows the need up at once, and down when it was lower for two boot priors.
    fn hold(&mut self, needed: u32, now: Timestamp, config: &GroupConfig) {
        if needed >= self.held {
            (self.held, self.below) = (needed, None);
            return;
        }
        let (since, highest) = self.below.unwrap_or((now, needed));
        let highest = highest.max(needed);
        let release_after = 4.0 * config.evaluation_period.as_secs_f64();
        if now.duration_since(since).as_secs_f64() >= release_after {
            (self.held, self.below) = (highest, None);
        } else {
            self.below = Some((since, highest));
        }
    }
}
