//! What an instance type is made of and costs, in one region.

use scaling_fleet::fleet::Machine;
use scaling_fleet::{Architecture, Catalogue, InstanceType, PriceBook, TypeName, UsdPerHour};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Price taken for a catalogue type that the price list lacks, per vCPU: about what the general-purpose families cost.
const UNLISTED_USD_PER_VCPU: f64 = 0.05;

/// The types of one region with their prices.
#[derive(Debug, Clone, Copy)]
pub struct Machines {
    catalogue: &'static Catalogue,
    prices: &'static PriceBook,
}

impl Machines {
    /// The shipped catalogue at the prices of `region`, or of the default region where there are none.
    pub fn of(region: &str) -> Self {
        Self { catalogue: Catalogue::embedded(), prices: PriceBook::embedded_or_default(Some(region)) }
    }

    /// A type by name; `None` if the catalogue does not have it.
    pub fn get(&self, name: &str) -> Option<&'static InstanceType> {
        self.catalogue.get_str(name)
    }

    /// All types.
    pub fn iter(&self) -> impl Iterator<Item = &'static InstanceType> + use<> {
        self.catalogue.iter()
    }

    /// What an instance of the type is made of; `None` if the catalogue does not have it.
    pub fn machine(&self, name: &str) -> Option<Machine> {
        let kind = self.get(name)?;
        Some(Machine {
            instance_type: kind.name.clone(),
            vcpu: kind.vcpu,
            memory: kind.memory,
            price: self.price(&kind.name, kind),
        })
    }

    fn price(&self, name: &TypeName, kind: &InstanceType) -> UsdPerHour {
        let listed = self.prices.get(name).map(|price| price.usd_per_hour);
        listed.unwrap_or(UsdPerHour(kind.vcpu.0 * UNLISTED_USD_PER_VCPU))
    }
}

/// Who makes the processor of a type, in the words of CpuManufacturers: a family of AMD's has an `a` after its number.
pub fn maker(kind: &InstanceType) -> &'static str {
    let attributes = kind.name.family().trim_start_matches(|c: char| !c.is_ascii_digit());
    match kind.architecture {
        Architecture::Arm64 => "amazon-web-services",
        Architecture::X86_64 if attributes.contains('a') => "amd",
        Architecture::X86_64 => "intel",
    }
}

/// Written as the region whose prices these are.
impl Serialize for Machines {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.prices.provenance().region.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Machines {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self::of(&String::deserialize(from)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_tells_who_makes_its_processor() {
        for (name, expected) in [
            ("m7i.large", "intel"),
            ("m7i-flex.large", "intel"),
            ("m7a.large", "amd"),
            ("t3a.large", "amd"),
            ("m7g.large", "amazon-web-services"),
        ] {
            assert_eq!(maker(Machines::of("us-east-1").get(name).unwrap()), expected, "{name}");
        }
    }
}
