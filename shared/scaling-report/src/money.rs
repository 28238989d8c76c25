//! What prices the figures are in.

use jiff::civil::Date;
use scaling_fleet::prices::Provenance;

/// Where the prices come from, and what is taken off them.
#[derive(Debug, Clone, PartialEq)]
pub struct Prices {
    /// The list of on-demand prices.
    pub list: Provenance,
    /// The region that was asked for, where the list is that of another.
    pub stands_in_for: Option<String>,
    /// Share of the price that a savings plan takes off, 0 up to but not 1.
    pub discount: f64,
    /// The same share as far as the amounts count it already.
    pub counted: f64,
    /// What is spot, and at which price; the amounts count it already.
    pub spot: Spot,
}

/// How much of a group is spot.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spot {
    /// Share of its instances, 0 to 1.
    pub share: f64,
    /// Share of its cost, 0 to 1: less than that of the instances, as these are cheaper.
    pub cost_share: f64,
    /// Whether the price of a spot instance is known.
    pub known: bool,
    /// As of when it is, where the configuration says so.
    pub date: Option<Date>,
}

/// A discount that is none.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a discount is a share from 0 up to but not including 1, such as 0.28, not {0}")]
pub struct NoDiscount(pub f64);

impl Prices {
    /// On-demand prices of a list, less the discount that the amounts count already.
    pub fn new(list: Provenance, region: Option<&str>, counted: f64) -> Self {
        let stands_in_for = region.filter(|region| *region != list.region).map(str::to_owned);
        Self { list, stands_in_for, discount: counted, counted, spot: Spot::default() }
    }

    /// The same under another discount than the one that the amounts count.
    ///
    /// # Errors
    /// A discount that is not from 0 to below 1.
    pub fn with_discount(self, discount: f64) -> Result<Self, NoDiscount> {
        if (0.0..1.0).contains(&discount) { Ok(Self { discount, ..self }) } else { Err(NoDiscount(discount)) }
    }

    /// The same for a group of which a part is spot, from which a savings plan takes nothing off.
    #[must_use]
    pub fn with_spot(self, spot: Spot) -> Self {
        Self { spot, ..self }
    }

    /// An amount as it is paid.
    pub fn paid(&self, amount: f64) -> f64 {
        let Self { discount, counted, spot, .. } = self;
        let on_demand = (1.0 - discount) / (1.0 - counted);
        amount * (spot.cost_share + on_demand * (1.0 - spot.cost_share))
    }

    /// Where the figures come from, in sentences.
    pub fn note(&self) -> String {
        let approximate = if self.list.approximate { ", some of them approximate" } else { "" };
        let (region, date) = (&self.list.region, self.list.date);
        let stand_in = self
            .stands_in_for
            .as_ref()
            .map(|wanted| format!("There is no list for {wanted}; that of {region} stands in for it."));
        let discount =
            (self.discount > 0.0).then(|| format!("Less {:.0} % for a savings plan.", self.discount * 100.0));
        let list = format!("Prices: EC2 on demand, Linux, {region}, as of {date}{approximate}.");
        let parts = [Some(list), stand_in, discount, Some(self.spot.note())];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}

impl Spot {
    fn note(&self) -> String {
        let Self { share, known, date, .. } = self;
        if *share <= 0.0 {
            return "The group is all on demand.".to_owned();
        }
        let part = format!("{:.0} % of the group are spot instances", share * 100.0);
        match (known, date) {
            (true, Some(date)) => format!("{part}, at the configuration's spot prices as of {date}."),
            (true, None) => format!("{part}, at the configuration's spot prices."),
            (false, _) => format!("{part}, whose price is not known: they count as on demand."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(spot: Spot) -> Prices {
        let list = Provenance {
            source: "a list".to_owned(),
            date: "2026-02-09".parse().unwrap(),
            region: "us-east-1".to_owned(),
            approximate: false,
        };
        Prices::new(list, None, 0.0).with_discount(0.5).unwrap().with_spot(spot)
    }

    #[test]
    fn a_savings_plan_takes_nothing_off_spot_instances() {
        let half = Spot { share: 0.5, cost_share: 0.25, known: true, date: None };
        assert!((prices(half).paid(100.0) - 62.5).abs() < 1e-12);
        assert!((prices(Spot::default()).paid(100.0) - 50.0).abs() < 1e-12);
    }

    #[test]
    fn what_the_amounts_count_already_is_not_taken_off_again() {
        let of = |counted: f64, discount: f64| {
            let prices = Prices { discount, counted, ..prices(Spot::default()) };
            prices.paid(60.0)
        };
        for (counted, discount, expected) in [(0.4, 0.4, 60.0), (0.4, 0.0, 100.0), (0.0, 0.4, 36.0)] {
            assert!((of(counted, discount) - expected).abs() < 1e-9, "{counted} {discount}");
        }
    }

    #[test]
    fn the_note_says_what_spot_instances_count_at() {
        let of = |share, known, date: Option<&str>| {
            let date = date.map(|date| date.parse().unwrap());
            prices(Spot { share, cost_share: 0.0, known, date }).note()
        };
        assert!(of(0.0, false, None).ends_with("The group is all on demand."));
        assert!(of(0.4, true, Some("2026-11-01")).contains("40 % of the group are spot instances, at"));
        assert!(of(0.4, true, Some("2026-11-01")).ends_with("as of 2026-11-01."));
        assert!(of(0.4, false, None).ends_with("they count as on demand."));
    }
}
