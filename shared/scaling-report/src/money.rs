//! What prices the figures are in.

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
}

/// A discount that is none.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("a discount is a share from 0 up to but not including 1, such as 0.28, not {0}")]
pub struct NoDiscount(pub f64);

impl Prices {
    /// On-demand prices of a list, less a discount.
    ///
    /// # Errors
    /// A discount that is not from 0 to below 1.
    pub fn new(list: Provenance, region: Option<&str>, discount: f64) -> Result<Self, NoDiscount> {
        if !(0.0..1.0).contains(&discount) {
            return Err(NoDiscount(discount));
        }
        let stands_in_for = region.filter(|region| *region != list.region).map(str::to_owned);
        Ok(Self { list, stands_in_for, discount })
    }

    /// An on-demand amount as it is paid.
    pub fn paid(&self, on_demand: f64) -> f64 {
        on_demand * (1.0 - self.discount)
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
        let spot = "Spot prices are not in the price data, so nothing here counts on them.".to_owned();
        [Some(list), stand_in, discount, Some(spot)].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }
}
