//! Identifiers in the services' forms, drawn from the seed.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

/// Draws identifiers; the same seed draws the same ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ids {
    #[serde(with = "scaling_fleet::random")]
    random: Pcg64,
    /// Addresses given.
    #[serde(default)]
    addresses: u32,
}

/// Addresses that EC2 keeps for itself at the beginning of each subnet, and those that are left of its 4096: one more is kept
/// at the end.
const RESERVED: u32 = 4;
const HOSTS: u32 = 4091;

/// How far addresses that follow each other lie apart. With no divisor in common with [`HOSTS`].
const STRIDE: u32 = 1597;

/// Of how many blocks of 256 addresses a subnet is made.
pub(crate) const SUBNET: usize = 16;

impl Ids {
    /// Identifiers of one seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Pcg64::seed_from_u64(seed), addresses: 0 }
    }

    /// An instance id: `i-` and 17 hexadecimal digits, the first a 0 as on AWS.
    pub fn instance(&mut self) -> String {
        format!("i-0{}", self.hex(16))
    }

    /// A launch template id.
    pub fn template(&mut self) -> String {
        format!("lt-0{}", self.hex(16))
    }

    /// An identifier in the form of a UUID.
    pub fn uuid(&mut self) -> String {
        let groups = [8, 4, 4, 4, 12].map(|digits| self.hex(digits));
        groups.join("-")
    }

    /// A private address in the subnet of a zone, by the zone's place in the region: each once before any comes again.
    pub fn address(&mut self, place: usize) -> String {
        // Drawn for nothing, so that the ids of a seed stay what they are.
        let _ids_stay = [(); 2].map(|()| self.random.random_range(1..=254_u8));
        let host = RESERVED + self.addresses * STRIDE % HOSTS;
        self.addresses = (self.addresses + 1) % HOSTS;
        format!("172.31.{}.{}", SUBNET * place + (host / 256) as usize, host % 256)
    }

    fn hex(&mut self, digits: usize) -> String {
        let digit = |_| char::from_digit(self.random.random_range(0..16), 16).unwrap_or('0');
        (0..digits).map(digit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_comes_twice_before_all_have_come() {
        let mut ids = Ids::new(1);
        let given: std::collections::BTreeSet<String> = (0..HOSTS).map(|_| ids.address(2)).collect();
        assert_eq!(given.len(), HOSTS as usize);
        let outside = |address: &String| {
            let third = address.split('.').nth(2).and_then(|part| part.parse::<usize>().ok());
            !address.starts_with("172.31.") || third.is_none_or(|part| !(32..48).contains(&part))
        };
        assert_eq!(given.iter().find(|address| outside(address)), None);
    }

    #[test]
    fn the_same_seed_draws_the_same_identifiers_of_the_right_length() {
        let draw = |seed| {
            let mut ids = Ids::new(seed);
            (ids.instance(), ids.template(), ids.uuid())
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
        let (instance, template, uuid) = draw(1);
        assert_eq!([instance.len(), template.len(), uuid.len()], [19, 20, 36]);
    }
}
