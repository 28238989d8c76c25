//! How instances are bought: the Spot requests that a call or a template makes, checked.
//!
//! Source: *Amazon EC2 API Reference*, `SpotMarketOptions`: persistent requests only with `stop` or `hibernate`, and `stop`
//! only with persistent ones.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::spot;
use super::template_data::TemplateData;
use crate::wire::AwsError;

/// How instances are bought.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MarketOptions {
    /// `spot`, or nothing.
    pub market_type: Option<String>,
    /// What is said of Spot Instances.
    pub spot_options: SpotOptions,
}

/// What is said of Spot Instances.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SpotOptions {
    /// `one-time`, which is the default, or `persistent`.
    pub spot_instance_type: Option<String>,
    /// What an interruption does.
    pub instance_interruption_behavior: Option<String>,
    /// The most to be paid an hour.
    pub max_price: Option<String>,
}

/// What an interruption does to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interruption {
    /// It ends.
    #[default]
    Terminate,
    /// It is stopped.
    Stop,
    /// It is stopped with its memory kept.
    Hibernate,
}

impl Interruption {
    /// Whether this is what an instance has that nothing is said of.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::Terminate
    }

    /// As the service writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Terminate => "terminate",
            Self::Stop => "stop",
            Self::Hibernate => "hibernate",
        }
    }
}

/// A request for Spot Instances.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SpotRequest {
    /// Whether it outlives its instance.
    pub(super) persistent: bool,
    /// What an interruption does.
    pub(super) interruption: Interruption,
    /// The most to be paid an hour, in the caller's words.
    pub(super) max_price: Option<String>,
}

/// What a call asks for, or its template where the call says nothing of the market. `None` for on-demand instances.
///
/// # Errors
/// `InvalidParameterValue` and `InvalidParameterCombination` for what no request can be.
pub(super) fn request(
    call: &MarketOptions,
    template: Option<&TemplateData>,
) -> Result<Option<SpotRequest>, AwsError> {
    match call.market_type.as_deref() {
        Some("spot") => checked(&call.spot_options).map(Some),
        Some(other) => Err(invalid(other, "marketType")),
        None => match template.filter(|data| data.asks_for_spot()) {
            Some(data) => checked(&of_template(data)).map(Some),
            None => Ok(None),
        },
    }
}

fn of_template(data: &TemplateData) -> SpotOptions {
    let said = |member: &str| data.spot_option(member).and_then(Value::as_str).map(str::to_owned);
    SpotOptions {
        spot_instance_type: said("spotInstanceType"),
        instance_interruption_behavior: said("instanceInterruptionBehavior"),
        max_price: said("maxPrice"),
    }
}

fn checked(options: &SpotOptions) -> Result<SpotRequest, AwsError> {
    let said = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let kind = said(&options.spot_instance_type).unwrap_or_else(|| "one-time".to_owned());
    let persistent = match kind.as_str() {
        "one-time" => false,
        "persistent" => true,
        other => return Err(invalid(other, "spotInstanceType")),
    };
    let behaviour = said(&options.instance_interruption_behavior).unwrap_or_else(|| "terminate".to_owned());
    let interruption = match behaviour.as_str() {
        "terminate" => Interruption::Terminate,
        "stop" => Interruption::Stop,
        "hibernate" => Interruption::Hibernate,
        other => return Err(invalid(other, "instanceInterruptionBehavior")),
    };
    let fits = match interruption {
        Interruption::Terminate => !persistent,
        Interruption::Stop => persistent,
        Interruption::Hibernate => true,
    };
    if !fits {
        return Err(AwsError::new(
            "InvalidParameterCombination",
            format!(
                "The request with type '{kind}' is not supported when instanceInterruptionBehavior is set to '{behaviour}'."
            ),
        ));
    }
    let max_price = said(&options.max_price);
    if let Some(wrong) = max_price.as_deref().filter(|text| spot::offered(text).is_none()) {
        return Err(invalid(wrong, "maxPrice"));
    }
    Ok(SpotRequest { persistent, interruption, max_price })
}

fn invalid(value: &str, member: &str) -> AwsError {
    AwsError::new("InvalidParameterValue", format!("Value ( {value} ) for parameter {member} is invalid."))
}
