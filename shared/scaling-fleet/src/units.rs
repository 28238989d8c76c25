//! Newtypes for the quantities that would otherwise all be `f64`.
//!
//! Arithmetic is kept to what makes sense for the quantity; everything else goes through `.0`.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Processing capacity in vCPU (one hardware thread on x86, one core on Graviton). Finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Vcpu(pub f64);

impl Vcpu {
    /// As whole servers of a queue, one at least.
    pub fn servers(self) -> u32 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the cast saturates far above what any machine has"
        )]
        let servers = self.0.round().max(1.0) as u32;
        servers
    }
}

/// Memory in MiB (2^20 bytes). Finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mebibytes(pub f64);

/// A price or a rate of spending in US dollars per hour. Finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UsdPerHour(pub f64);

/// An instance type by its AWS name, such as `m7i.large`. Cloning is a reference count.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypeName(Arc<str>);

impl TypeName {
    /// Wraps a name; whether the type exists is the catalogue's question.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }

    /// The name as written, for example `m7i.large`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The letters and generation before the dot, for example `m7i`; the whole name when there is no dot.
    pub fn family(&self) -> &str {
        self.0.split_once('.').map_or(&*self.0, |(family, _)| family)
    }

    /// The size after the dot, for example `large`; empty when there is no dot.
    pub fn size(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, size)| size)
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for TypeName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for Vcpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} vCPU", round(self.0))
    }
}

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} MiB", self.0)
    }
}

impl fmt::Display for UsdPerHour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.4} USD/h", self.0)
    }
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

impl std::ops::Mul<f64> for Vcpu {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

impl std::ops::Mul<f64> for Mebibytes {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

impl std::ops::Mul<f64> for UsdPerHour {
    type Output = Self;
    fn mul(self, factor: f64) -> Self {
        Self(self.0 * factor)
    }
}

impl std::ops::Add for UsdPerHour {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
