//! The plain rule that many write by hand: over one threshold times a factor, under another times a smaller one.
//!
//! Its defaults are those of this project's own first configuration format: over 80 % of CPU the count is multiplied by
//! 1.5, under 20 % by 0.75, and 300 s pass between two changes.

/// What the rule is set to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Utilisation over which it scales up.
    pub up: f64,
    /// Utilisation under which it scales down.
    pub down: f64,
    /// Factor upwards, over 1.
    pub up_factor: f64,
    /// Factor downwards, under 1.
    pub down_factor: f64,
    /// Seconds between two changes.
    pub cooldown: u64,
    /// Fewest instances.
    pub min: u32,
    /// Most instances.
    pub max: u32,
}

impl Settings {
    /// The defaults within these bounds.
    pub fn within(min: u32, max: u32) -> Self {
        Self { up: 0.8, down: 0.2, up_factor: 1.5, down_factor: 0.75, cooldown: 300, min, max }
    }
}

/// The rule with the time of its last change.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    settings: Settings,
    changed: Option<u64>,
}

impl Threshold {
    /// A rule that has changed nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, changed: None }
    }

    /// Looks at the utilisation at `now` seconds with `have` instances desired; says the capacity that follows, where it
    /// changes. Without a utilisation nothing changes.
    pub fn observe(&mut self, now: u64, utilisation: Option<f64>, have: u32) -> Option<u32> {
        let settings = &self.settings;
        if self.changed.is_some_and(|changed| now < changed + settings.cooldown) {
            return None;
        }
        let utilisation = utilisation?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a multiple of a count")]
        let times = |factor: f64| (f64::from(have) * factor - 1e-9).ceil() as u32;
        let wanted = if utilisation > settings.up {
            times(settings.up_factor).max(have + 1)
        } else if utilisation < settings.down {
            times(settings.down_factor).min(have.saturating_sub(1))
        } else {
            return None;
        };
        let wanted = wanted.clamp(settings.min, settings.max);
        (wanted != have).then(|| {
            self.changed = Some(now);
            wanted
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule() -> Threshold {
        Threshold::new(Settings::within(1, 10))
    }

    #[test]
    fn over_80_percent_two_become_three_and_under_20_percent_four_become_three() {
        assert_eq!(rule().observe(0, Some(0.81), 2), Some(3));
        assert_eq!(rule().observe(0, Some(0.19), 4), Some(3));
        assert_eq!(rule().observe(0, Some(0.5), 4), None);
    }

    #[test]
    fn it_changes_by_at_least_one_and_stays_within_its_bounds() {
        assert_eq!(rule().observe(0, Some(0.9), 1), Some(2));
        assert_eq!(rule().observe(0, Some(0.1), 2), Some(1));
        assert_eq!(rule().observe(0, Some(0.9), 8), Some(10));
        assert_eq!(rule().observe(0, Some(0.1), 1), None);
    }

    #[test]
    fn five_minutes_pass_between_two_changes() {
        let mut rule = rule();
        assert_eq!(rule.observe(0, Some(0.9), 2), Some(3));
        assert_eq!(rule.observe(299, Some(0.9), 3), None);
        assert_eq!(rule.observe(300, Some(0.9), 3), Some(5));
    }

    #[test]
    fn without_a_reading_nothing_changes() {
        assert_eq!(rule().observe(0, None, 2), None);
    }
}
