//! The same count for ever: what the highest load needs.
//!
//! Source: *Amazon EC2 Auto Scaling User Guide*, page "Auto Scaling benefits for application architecture"
//! (`auto-scaling-benefits`), section "Example: Cover variable demand": of the two traditional ways to plan capacity, the
//! first is to add so many servers that there is always enough for the demand, and its price is the time in which they
//! are not needed. The other, capacity for the average demand, is the same rule at a smaller share of the peak.

/// Instances of a group that is planned for `share` of the `peak`, the most that are ever needed; within the bounds.
pub fn count(peak: u32, share: f64, (min, max): (u32, u32)) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
    let planned = (f64::from(peak) * share - 1e-9).ceil() as u32;
    planned.clamp(min, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_s_first_way_has_enough_for_the_busiest_day_on_every_day() {
        // Its week: little is used at the beginning and the end, much in the middle.
        let demand = [4, 4, 12, 12, 4];
        let planned = count(12, 1.0, (1, 100));
        assert!(demand.iter().all(|needed| *needed <= planned));
        assert_eq!((planned, demand.iter().map(|needed| planned - needed).sum::<u32>()), (12, 24));
    }

    #[test]
    fn its_second_way_has_enough_for_the_average_and_too_little_for_the_peak() {
        assert_eq!(count(12, 0.6, (1, 100)), 8);
    }

    #[test]
    fn it_stays_within_its_bounds() {
        assert_eq!((count(0, 1.0, (2, 10)), count(40, 1.0, (2, 10))), (2, 10));
    }
}
