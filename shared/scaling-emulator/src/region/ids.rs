//! Identifiers in the services' forms, drawn from the seed.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

/// Draws identifiers; the same seed draws the same ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ids {
    #[serde(with = "scaling_fleet::random")]
    random: Pcg64,
}

impl Ids {
    /// Identifiers of one seed.
    pub fn new(seed: u64) -> Self {
        Self { random: Pcg64::seed_from_u64(seed) }
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

    /// A private address.
    pub fn address(&mut self) -> String {
        let part = |random: &mut Pcg64| random.random_range(1..=254_u8);
        format!("10.0.{}.{}", part(&mut self.random), part(&mut self.random))
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
