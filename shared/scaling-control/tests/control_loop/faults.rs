//! Stores with one fault each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use scaling_control::PortError;
use scaling_control::fakes::{Around, Call, SteppedClock};

/// Cannot give one record the first time it is asked for it.
pub(crate) struct UnreadableOnce {
    key: String,
    was_asked: AtomicBool,
}

impl UnreadableOnce {
    pub(crate) fn of(key: String) -> Arc<Self> {
        Arc::new(Self { key, was_asked: AtomicBool::new(false) })
    }
}

#[async_trait]
impl Around for UnreadableOnce {
    async fn before(&self, call: Call<'_>) -> Result<(), PortError> {
        let is_it = call.name == "get" && call.key == Some(&self.key);
        if is_it && !self.was_asked.swap(true, Ordering::SeqCst) {
            return Err(PortError::Throttled { operation: "get" });
        }
        Ok(())
    }
}

/// Takes one write and then no more.
#[derive(Default)]
pub(crate) struct FullAfterOnePut(AtomicUsize);

#[async_trait]
impl Around for FullAfterOnePut {
    async fn before(&self, call: Call<'_>) -> Result<(), PortError> {
        let is_taken = match call.name {
            "put_with" => self.0.fetch_add(1, Ordering::SeqCst) == 0,
            "append" => false,
            _ => true,
        };
        let message = "the disk is full".to_owned();
        if is_taken {
            Ok(())
        } else {
            Err(PortError::Unavailable { operation: "write", message, source: None })
        }
    }
}

/// After its first write nothing moves for so many seconds.
pub(crate) struct Stalling {
    clock: Arc<SteppedClock>,
    seconds: u64,
    has_stalled: AtomicBool,
}

impl Stalling {
    pub(crate) fn after_one_put(clock: Arc<SteppedClock>, seconds: u64) -> Arc<Self> {
        Arc::new(Self { clock, seconds, has_stalled: AtomicBool::new(false) })
    }
}

#[async_trait]
impl Around for Stalling {
    async fn after(&self, call: Call<'_>) -> Result<(), PortError> {
        if call.name == "put_with" && !self.has_stalled.swap(true, Ordering::SeqCst) {
            self.clock.advance_seconds(self.seconds);
        }
        Ok(())
    }
}
