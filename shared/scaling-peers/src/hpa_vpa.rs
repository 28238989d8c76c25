//! Kubernetes' HPA with its VPA beside it, on the same replicas: the count by CPU, the size by memory.
//!
//! Source: the autoscaler's documentation, `vertical-pod-autoscaler/docs/known-limitations.md`: the two must not steer by
//! the same resource, but work together on separate ones, its example being "VPA on memory and HPA on CPU" (VPA's
//! `controlledResources: ["memory"]`; GKE's multidimensional autoscaler does the same). The rules are those of [`hpa`]
//! and [`vpa`](crate::vpa).
//!
//! A replica here is an instance, so a size is an instance type: the cheapest with no less CPU than now, which HPA relies
//! on, and with the recommended memory. All are replaced one by one, as a deployment's rolling update does.

use crate::hpa::{self, Hpa};
use crate::vpa::Recommender;

/// What a replica can be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// vCPU.
    pub vcpu: f64,
    /// MiB.
    pub memory: f64,
    /// Price, in any unit.
    pub price: f64,
}

/// What it sees at one sync.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sync {
    /// What HPA sees.
    pub count: hpa::Sync,
    /// Mean memory utilisation of the ready replicas, 0 to 1; `None` without one.
    pub memory: Option<f64>,
    /// Index of the size that replicas have.
    pub size: usize,
    /// Whether they are being replaced.
    pub replacing: bool,
}

/// What should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Another count, if any.
    pub count: Option<u32>,
    /// Another size, if any.
    pub size: Option<usize>,
}

/// Both autoscalers.
#[derive(Debug, Clone)]
pub struct HpaVpa {
    count: Hpa,
    recommender: Recommender,
    sizes: Vec<Size>,
    /// Since when replicas have their size, in seconds.
    since: u64,
}

impl HpaVpa {
    /// Autoscalers that have seen nothing yet, over these sizes.
    pub fn new(settings: hpa::Settings, sizes: Vec<Size>) -> Self {
        Self { count: Hpa::new(settings), recommender: Recommender::new(), sizes, since: 0 }
    }

    /// One sync. HPA looks at each; the recommender takes a sample at each full minute.
    pub fn sync(&mut self, sync: Sync) -> Wanted {
        let count = self.count.sync(sync.count);
        let size = self.size(sync);
        if size.is_some() {
            self.since = sync.count.now;
        }
        Wanted { count, size }
    }

    fn size(&mut self, sync: Sync) -> Option<usize> {
        let now = sync.count.now;
        // While two sizes run, no reading belongs to one of them.
        if sync.replacing || !now.is_multiple_of(60) {
            return None;
        }
        let present = *self.sizes.get(sync.size)?;
        let (cpu, share) = (sync.count.metric?, sync.memory?);
        self.recommender.observe(now, cpu * present.vcpu, share * present.memory);
        if share >= 1.0 {
            self.recommender.ran_out_of_memory(now, present.memory);
        }
        let wanted = self.recommender.recommend(now)?.memory;
        let fits = |size: &Size| size.vcpu >= present.vcpu && size.memory >= wanted.target;
        let (index, cheapest) = self
            .sizes
            .iter()
            .enumerate()
            .filter(|(_, size)| fits(size))
            .min_by(|(_, a), (_, b)| a.price.total_cmp(&b.price))?;
        let replicas = sync.count.ready + sync.count.unready;
        let replaced = wanted.replaces(present.memory, cheapest.memory, now - self.since, replicas);
        (replaced && index != sync.size).then_some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 4 vCPU with 8, 16 and 32 GiB, and 2 vCPU with 16 GiB.
    fn sizes() -> Vec<Size> {
        let size = |vcpu: f64, gib: f64, price: f64| Size { vcpu, memory: gib * 1024.0, price };
        vec![size(4.0, 16.0, 0.20), size(4.0, 8.0, 0.18), size(4.0, 32.0, 0.26), size(2.0, 16.0, 0.12)]
    }

    fn both() -> HpaVpa {
        HpaVpa::new(hpa::Settings { target: 0.5, min: 2, max: 50 }, sizes())
    }

    /// What is wanted first, and when, with so many MiB in use on replicas of `size`.
    fn first_size(used: f64, size: usize) -> Option<(u64, usize)> {
        let mut both = both();
        (1..3 * 1440).find_map(|minute| {
            let now = minute * 60;
            let count = hpa::Sync { now, metric: Some(0.5), ready: 4, unready: 0 };
            let memory = Some((used / sizes()[size].memory).min(1.0));
            both.sync(Sync { count, memory, size, replacing: false }).size.map(|size| (now, size))
        })
    }

    #[test]
    fn the_count_follows_cpu_as_the_hpa_alone_would() {
        let count = hpa::Sync { now: 15, metric: Some(1.0), ready: 5, unready: 0 };
        let wanted = both().sync(Sync { count, memory: Some(0.5), size: 0, replacing: false });
        assert_eq!(wanted, Wanted { count: Some(10), size: None });
    }

    #[test]
    fn little_memory_in_use_leads_to_the_smaller_size_after_twelve_hours() {
        // 5000 MiB and 15 % fit in 8 GiB; the same CPU stays, however cheap a smaller one is.
        assert_eq!(first_size(5_000.0, 0), Some((12 * 3600, 1)));
    }

    #[test]
    fn a_full_memory_leads_to_a_larger_size_at_once() {
        let (now, size) = first_size(8_192.0, 1).unwrap();
        assert!(size == 0 && now <= 3600, "{size} after {now} s");
    }

    #[test]
    fn a_size_that_fits_stays() {
        assert_eq!(first_size(12_000.0, 0), None);
    }

    #[test]
    fn nothing_is_sized_while_replicas_are_being_replaced() {
        let mut both = both();
        for minute in 1..2 * 1440 {
            let count = hpa::Sync { now: minute * 60, metric: Some(0.5), ready: 4, unready: 4 };
            let wanted = both.sync(Sync { count, memory: Some(0.2), size: 0, replacing: true });
            assert_eq!(wanted.size, None);
        }
    }
}
