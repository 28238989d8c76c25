//! Kubernetes' HorizontalPodAutoscaler, `autoscaling/v2`, on a resource metric with its default behaviour.
//!
//! Source: the Kubernetes documentation, page "Horizontal Pod Autoscaling" (`tasks/run-application/
//! horizontal-pod-autoscale`), and the controller's defaults (`pkg/controller/podautoscaler`,
//! `pkg/apis/autoscaling/v2/defaults.go`):
//! - every 15 s, desired = ceil(pods * metric / target);
//! - no change while the ratio is within 0.1 of 1;
//! - pods that are not ready count as using nothing where the ratio is over 1; where that turns the direction or comes
//!   within the tolerance, nothing changes;
//! - upwards without stabilisation, at most to double or by 4 pods in 15 s, whichever is more;
//! - downwards to the highest recommendation of the last 300 s;
//! - without a metric nothing changes.
//!
//! The worked examples are those of that page (200m and 50m against 100m), of its walkthrough
//! (`horizontal-pod-autoscale-walkthrough`: 305 % of 50 % on one pod) and of the enhancement proposal that the behaviour comes
//! from (KEP-853, story 5, "Delay Before Scaling Down"); for tolerance, growth and pods that are not ready there is text only.
//! Its rule for single pods without a metric (all of their request on the way down, nothing on the way up) has no part here:
//! the metric is a mean over all ready pods, which is there or not.

use std::collections::VecDeque;

/// How far the ratio may be from 1.
const TOLERANCE: f64 = 0.1;

/// How long a lower recommendation has to stand, in seconds.
const STABILIZATION: u64 = 300;

/// Most pods that are added at once, where doubling would be fewer.
const LEAST_UP: u32 = 4;

/// What it is set to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Target of the mean metric, such as 0.5 for 50 % of the requested CPU. Greater than 0.
    pub target: f64,
    /// Fewest pods.
    pub min: u32,
    /// Most pods.
    pub max: u32,
}

/// What it sees at one sync.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sync {
    /// Seconds since the start.
    pub now: u64,
    /// Mean metric of the ready pods; `None` without one.
    pub metric: Option<f64>,
    /// Pods that are ready.
    pub ready: u32,
    /// Pods that are not.
    pub unready: u32,
}

/// The autoscaler with its recommendations.
#[derive(Debug, Clone, PartialEq)]
pub struct Hpa {
    settings: Settings,
    /// (When, recommendation) of the last 300 s, oldest first.
    recommended: VecDeque<(u64, u32)>,
}

impl Hpa {
    /// An autoscaler that has recommended nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, recommended: VecDeque::new() }
    }

    /// One sync: the pods that there should be, where that is another number.
    pub fn sync(&mut self, sync: Sync) -> Option<u32> {
        let pods = sync.ready + sync.unready;
        let metric = sync.metric?;
        let recommended = self.recommend(metric, sync).clamp(self.settings.min, self.settings.max);
        self.recommended.push_back((sync.now, recommended));
        while self.recommended.front().is_some_and(|(at, _)| at + STABILIZATION < sync.now) {
            self.recommended.pop_front();
        }
        let wanted = if recommended >= pods {
            recommended.min((2 * pods).max(pods + LEAST_UP))
        } else {
            let highest = self.recommended.iter().map(|(_, count)| *count).max().unwrap_or(recommended);
            highest.min(pods)
        };
        (wanted != pods).then_some(wanted)
    }

    fn recommend(&self, metric: f64, sync: Sync) -> u32 {
        let pods = sync.ready + sync.unready;
        let ratio = metric / self.settings.target;
        if (ratio - 1.0).abs() <= TOLERANCE {
            return pods;
        }
        if sync.unready == 0 || ratio < 1.0 {
            return ceil(ratio * f64::from(sync.ready)).max(1);
        }
        let with_unready = ratio * f64::from(sync.ready) / f64::from(pods);
        if (with_unready - 1.0).abs() <= TOLERANCE || with_unready < 1.0 {
            return pods;
        }
        ceil(with_unready * f64::from(pods)).max(pods)
    }
}

fn ceil(pods: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range")]
    let whole = (pods - 1e-9).ceil().clamp(0.0, 1e9) as u32;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hpa(target: f64) -> Hpa {
        Hpa::new(Settings { target, min: 1, max: 100 })
    }

    fn ready(now: u64, metric: f64, pods: u32) -> Sync {
        Sync { now, metric: Some(metric), ready: pods, unready: 0 }
    }

    #[test]
    fn the_documentation_s_200m_against_100m_doubles_the_pods() {
        assert_eq!(hpa(0.1).sync(ready(0, 0.2, 5)), Some(10));
    }

    #[test]
    fn the_documentation_s_50m_against_100m_halves_them_after_the_stabilisation() {
        let mut hpa = hpa(0.1);
        assert_eq!(hpa.sync(ready(0, 0.1, 10)), None);
        for now in (15..=300).step_by(15) {
            assert_eq!(hpa.sync(ready(now, 0.05, 10)), None, "{now}");
        }
        assert_eq!(hpa.sync(ready(315, 0.05, 10)), Some(5));
    }

    #[test]
    fn the_walkthrough_s_305_percent_of_50_makes_one_pod_7_and_no_load_makes_it_1_again() {
        let mut hpa = Hpa::new(Settings { target: 0.5, min: 1, max: 10 });
        // Seven are wanted; four more at a time are allowed, and five share the load of 305 %.
        assert_eq!(hpa.sync(ready(0, 3.05, 1)), Some(5));
        assert_eq!(hpa.sync(ready(15, 3.05 / 5.0, 5)), Some(7));
        assert_eq!(hpa.sync(ready(30, 3.05 / 7.0, 7)), None);
        let stopped =
            (45..=600).step_by(15).find_map(|now| hpa.sync(ready(now, 0.0, 7)).map(|pods| (now, pods)));
        // The last recommendation of seven is five minutes old.
        assert_eq!(stopped, Some((345, 1)));
    }

    #[test]
    fn the_proposal_s_ten_recommendations_keep_10_pods_and_one_more_makes_them_9() {
        // Its window of ten minutes with a sync each minute, in the default window of 300 s: a sync each 33 s.
        let mut hpa = hpa(0.5);
        let recommended = [10, 9, 8, 9, 9, 8, 9, 8, 9, 8, 7];
        let metric = |pods: u32| match pods {
            10 => 0.5,
            // In the middle of what rounds up to it.
            fewer => 0.5 * (f64::from(fewer) - 0.5) / 10.0,
        };
        let synced: Vec<Option<u32>> = (0..)
            .zip(recommended)
            .map(|(index, pods)| hpa.sync(ready(index * 33, metric(pods), 10)))
            .collect();
        assert_eq!(hpa.recommended.iter().map(|(_, pods)| *pods).collect::<Vec<_>>(), recommended[1..]);
        assert_eq!((&synced[..10], synced[10]), (&[None; 10][..], Some(9)));
    }

    #[test]
    fn within_a_tenth_of_the_target_nothing_changes() {
        for metric in [0.046, 0.05, 0.0549] {
            assert_eq!(hpa(0.05).sync(ready(0, metric, 10)), None);
        }
        assert_eq!(hpa(0.05).sync(ready(0, 0.056, 10)), Some(12));
    }

    #[test]
    fn growth_is_limited_to_double_or_four() {
        assert_eq!(hpa(0.1).sync(ready(0, 1.0, 10)), Some(20));
        assert_eq!(hpa(0.1).sync(ready(0, 1.0, 1)), Some(5));
    }

    #[test]
    fn pods_that_are_not_ready_use_nothing_on_the_way_up() {
        // 10 ready at twice the target, 10 on their way: together they are at the target.
        let sync = Sync { now: 0, metric: Some(0.2), ready: 10, unready: 10 };
        assert_eq!(hpa(0.1).sync(sync), None);
        let sync = Sync { now: 0, metric: Some(0.3), ready: 10, unready: 10 };
        assert_eq!(hpa(0.1).sync(sync), Some(30));
    }

    #[test]
    fn without_a_metric_nothing_changes() {
        assert_eq!(hpa(0.1).sync(Sync { now: 0, metric: None, ready: 3, unready: 0 }), None);
    }
}
