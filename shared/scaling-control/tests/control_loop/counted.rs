//! Ports that count what they are asked for.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use scaling_control::PortError;
use scaling_control::fakes::{Around, Call};

#[derive(Default)]
pub(crate) struct Counted(Mutex<BTreeMap<&'static str, Vec<usize>>>);

impl Counted {
    /// The calls since this was last asked, by function: how many items each was about.
    pub(crate) fn take(&self) -> BTreeMap<&'static str, Vec<usize>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

#[async_trait]
impl Around for Counted {
    async fn before(&self, call: Call<'_>) -> Result<(), PortError> {
        self.0.lock().unwrap().entry(call.name).or_default().push(call.items);
        Ok(())
    }
}
