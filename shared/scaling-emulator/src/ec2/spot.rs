//! Spot prices: made up. Each type costs the same share of its on-demand price at all times and in all zones. That is what
//! Spot Instances cost here.

use jiff::{SignedDuration, Timestamp, Unit};
use scaling_fleet::InstanceType;
use serde::Deserialize;
use serde_json::{Value, json};

use super::filter::{Filter, Size, keep, page};
use crate::region::Region;
use crate::wire::AwsError;

/// The Spot price as a share of the on-demand price: about the middle of the discounts that AWS speaks of ("up to 90 %"),
/// and nothing more than that.
pub(crate) const SHARE: f64 = 0.4;

/// The least that may be offered for an instance, in USD an hour: *Amazon EC2 API Reference*, `SpotMarketOptions`.
const LEAST: f64 = 0.001;

/// What somebody would pay for an instance. `None` where that is no price.
pub(crate) fn offered(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|price| price.is_finite() && *price >= LEAST)
}

/// What EC2 says where an offer is below what a Spot Instance costs. `None` where it is enough.
pub(crate) fn too_low(offer: &str, price: f64) -> Option<String> {
    // With four digits, as EC2 tells it, and never less than what would be enough.
    let needed = (price * 1e4 - 1e-6).ceil() / 1e4;
    let below = offered(offer).is_some_and(|offer| offer < price);
    below.then(|| {
        format!(
            "Your Spot request price of {offer} is lower than the minimum required Spot request fulfillment price of \
             {needed:.4}."
        )
    })
}

/// How far back prices are told.
const HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The one product that is told of.
const PRODUCT: &str = "Linux/UNIX";

/// Prices of one page at most.
const PAGE: i64 = 1000;

/// Input of DescribeSpotPriceHistory.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct HistoryInput {
    /// All when empty.
    #[serde(rename = "InstanceType")]
    pub types: Vec<String>,
    /// All when empty; there is `Linux/UNIX` only.
    #[serde(rename = "ProductDescription")]
    pub products: Vec<String>,
    /// Only this zone.
    pub availability_zone: Option<String>,
    /// Filters.
    #[serde(rename = "Filter")]
    pub filters: Vec<Filter>,
    /// Prices from then on, and the one in force then; a day of 90 without it.
    pub start_time: Option<String>,
    /// Prices up to then.
    pub end_time: Option<String>,
    /// Size of the page.
    pub max_results: Option<i64>,
    /// Of the page before.
    pub next_token: Option<String>,
}

/// Tells the price of each type in each zone: one that has held since the day began in which the span starts.
pub fn history(region: &mut Region, input: &HistoryInput) -> Result<Value, AwsError> {
    let oldest = region.now - HISTORY;
    let start = time(input.start_time.as_deref(), "startTime")?.unwrap_or(oldest).max(oldest);
    let end = time(input.end_time.as_deref(), "endTime")?.unwrap_or(region.now);
    let zones = region.zones();
    let mut prices: Vec<(&InstanceType, &String)> = Vec::new();
    if start <= end
        && start <= region.now
        && (input.products.is_empty() || input.products.iter().any(is_linux))
    {
        let asked = |kind: &&InstanceType| {
            input.types.is_empty() || input.types.iter().any(|name| name == kind.name.as_str())
        };
        for kind in region.machines.iter().filter(asked) {
            prices.extend(zones.iter().map(|zone| (kind, zone)));
        }
    }
    if let Some(only) = &input.availability_zone {
        prices.retain(|(_, zone)| *zone == only);
    }
    keep(&mut prices, &input.filters, |(kind, zone), name| {
        Some(match name {
            "availability-zone" => vec![(*zone).clone()],
            "instance-type" => vec![kind.name.to_string()],
            "product-description" => vec![PRODUCT.to_owned()],
            "spot-price" => vec![price(region, kind)],
            "timestamp" => vec![day(start).to_string()],
            _ => return None,
        })
    })?;
    let shown = |(kind, zone): &(&InstanceType, &String)| {
        json!({
            "availabilityZone": zone,
            "instanceType": kind.name.as_str(),
            "productDescription": PRODUCT,
            "spotPrice": price(region, kind),
            "timestamp": day(start),
        })
    };
    let shown = prices.iter().map(shown).collect();
    let size = input.max_results.filter(|size| *size > 0).unwrap_or(PAGE).min(PAGE);
    let (page, next_token) = page::<Value>(shown, input.next_token.as_deref(), Size(Some(size), 1, PAGE))?;
    Ok(json!({ "spotPriceHistorySet": page, "nextToken": next_token.unwrap_or_default() }))
}

fn is_linux(product: &String) -> bool {
    product == PRODUCT || *product == format!("{PRODUCT} (Amazon VPC)")
}

/// In USD an hour, as text with six digits behind the point.
fn price(region: &Region, kind: &InstanceType) -> String {
    let on_demand = region.machines.machine(kind.name.as_str()).map_or(0.0, |machine| machine.price.0);
    format!("{:.6}", on_demand * SHARE)
}

fn day(at: Timestamp) -> Timestamp {
    let day = jiff::TimestampRound::new().smallest(Unit::Hour).increment(24).mode(jiff::RoundMode::Floor);
    at.round(day).unwrap_or(at)
}

fn time(given: Option<&str>, member: &str) -> Result<Option<Timestamp>, AwsError> {
    let read = |text: &str| {
        text.parse().map_err(|_| {
            let why = format!("Value ({text}) for parameter {member} is invalid. Invalid timestamp.");
            AwsError::new("InvalidParameterValue", why)
        })
    };
    given.map(read).transpose()
}
