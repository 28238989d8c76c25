//! The figures of one group over time, in bounded memory: every look of the last hours, and one in a quarter of an hour
//! of the last week. A thousand groups take about 60 MB.

use std::collections::VecDeque;

use scaling_policy::trigger::Trigger;
use scaling_telemetry::metrics::Figures;

use crate::past::Chunk;

/// Looks that are kept as they were: six hours of minutes.
pub const FINE: usize = 360;

/// Older looks that are kept, one for each span: a week of quarters of an hour.
pub const COARSE: usize = 672;

/// The span that one older look stands for, in seconds.
pub const SPAN: i64 = 900;

/// One look. `f32` is exact to seven digits, which a chart does not show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When, in seconds since 1970.
    pub at: i64,
    /// vCPU that would carry the load at the target load; NaN while nothing is known of it.
    pub wanted: f32,
    /// vCPU that serve.
    pub capacity: f32,
    /// Load of each trigger, in the order of [`Trigger::ALL`]; NaN is no reading.
    pub loads: [f32; 4],
    /// Replicas that serve.
    pub serving: u32,
    /// Desired capacity.
    pub desired: u32,
    /// USD per hour of what runs.
    pub cost: f32,
    /// USD per hour of a fixed fleet; NaN while it is not known.
    pub fixed: f32,
    /// USD saved since the group was first seen, less what was spent beyond the fixed fleet.
    pub saved: f32,
    /// Place of the launch type in [`Series::types`].
    pub instance_type: u16,
}

/// The looks of one group, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Series {
    coarse: VecDeque<Point>,
    fine: VecDeque<Point>,
    types: Vec<String>,
    saved: f64,
}

impl Series {
    /// Takes in one look; one that is not newer than the last is left out.
    pub fn take(&mut self, figures: &Figures) {
        let at = figures.at.as_second();
        if self.fine.back().is_some_and(|last| at <= last.at) {
            return;
        }
        self.saved += figures.added.savings - figures.added.excess;
        let instance_type = self.place(figures.instance_type.as_str());
        let [desired, serving, _] = figures.replicas.map(|(_, count)| count);
        let fixed = figures.savings.map_or(f64::NAN, |savings| figures.cost.0 + savings);
        self.fine.push_back(Point {
            at,
            wanted: figures.wanted_vcpu.map_or(f32::NAN, narrow),
            capacity: narrow(figures.serving_vcpu),
            loads: Trigger::ALL.map(|trigger| figures.loads[trigger].map_or(f32::NAN, narrow)),
            serving,
            desired,
            cost: narrow(figures.cost.0),
            fixed: narrow(fixed),
            saved: narrow(self.saved),
            instance_type,
        });
        if self.fine.len() > FINE {
            self.age();
        }
    }

    /// Takes in what an earlier process has seen, oldest first, as far as it is older than what is here. What is saved goes
    /// on from what it had saved.
    pub(crate) fn recall(&mut self, chunks: &[Chunk]) {
        let first = self.points().next().map_or(i64::MAX, |point| point.at);
        let saved = chunks.last().map_or(0.0, |chunk| chunk.saved);
        self.saved += saved;
        self.coarse.iter_mut().chain(&mut self.fine).for_each(|point| point.saved += narrow(saved));
        let mut older = VecDeque::new();
        for chunk in chunks {
            for point in chunk.points().filter(|point| point.at < first) {
                let name = chunk.types.get(usize::from(point.instance_type)).map_or("", String::as_str);
                older.push_back(Point { instance_type: self.place(name), ..point });
            }
        }
        older.append(&mut self.coarse);
        let surplus = older.len().saturating_sub(COARSE);
        self.coarse = older.split_off(surplus);
    }

    /// The launch types that the points name by their place.
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// All looks, oldest first.
    pub fn points(&self) -> impl Iterator<Item = &Point> {
        self.coarse.iter().chain(&self.fine)
    }

    /// USD saved in all, less what was spent beyond the fixed fleet.
    pub fn saved(&self) -> f64 {
        self.saved
    }

    /// The oldest look of the fine ones becomes an older one, where it begins another span or carries more.
    fn age(&mut self) {
        let Some(oldest) = self.fine.pop_front() else { return };
        match self.coarse.back_mut() {
            // The look with the highest demand stands for its span: that is the one a reader looks for.
            Some(last) if last.at.div_euclid(SPAN) == oldest.at.div_euclid(SPAN) => {
                if last.wanted.is_nan() || oldest.wanted > last.wanted {
                    *last = oldest;
                }
            }
            _ => self.coarse.push_back(oldest),
        }
        if self.coarse.len() > COARSE {
            self.coarse.pop_front();
        }
    }

    fn place(&mut self, name: &str) -> u16 {
        let known = self.types.iter().position(|known| known == name);
        let place = known.unwrap_or_else(|| {
            self.types.push(name.to_owned());
            self.types.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "charts show three digits, and infinity stays what it is"
)]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(at: i64, wanted: f32) -> Point {
        Point {
            at,
            wanted,
            capacity: 0.0,
            loads: [f32::NAN; 4],
            serving: 1,
            desired: 1,
            cost: 0.0,
            fixed: f32::NAN,
            saved: 0.0,
            instance_type: 0,
        }
    }

    /// A series that has looked once a minute for so many minutes.
    fn looked(minutes: usize) -> Series {
        let mut series = Series::default();
        for (minute, at) in (0..minutes).zip((0..).step_by(60)) {
            series.fine.push_back(point(at, (minute % 15) as f32));
            if series.fine.len() > FINE {
                series.age();
            }
        }
        series
    }

    #[test]
    fn the_last_hours_are_kept_as_they_were() {
        let series = looked(300);
        assert_eq!(series.points().count(), 300);
    }

    #[test]
    fn what_is_older_is_kept_by_its_highest_demand() {
        let series = looked(FINE + 30);
        let older: Vec<f32> = series.points().take(2).map(|point| point.wanted).collect();
        assert_eq!(older, [14.0, 14.0]);
        assert_eq!(series.points().count(), FINE + 2);
    }

    #[test]
    fn a_look_without_a_known_demand_stands_for_no_other() {
        let mut series = Series::default();
        for at in (0_i16..).take(FINE + 4) {
            let wanted = if at % 4 == 2 { 7.0 } else { f32::NAN };
            series.fine.push_back(point(i64::from(at) * 60, wanted));
            if series.fine.len() > FINE {
                series.age();
            }
        }
        assert_eq!(series.points().next().unwrap().wanted, 7.0);
    }

    #[test]
    fn memory_is_bounded() {
        assert_eq!(looked(30 * 1440).points().count(), FINE + COARSE);
        assert!(size_of::<Point>() * (FINE + COARSE) < 64_000);
    }
}
