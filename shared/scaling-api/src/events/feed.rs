//! One reader of the log for all who listen: however many connections are open, the store is asked once a second.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use scaling_control::Ports;
use tokio::sync::broadcast::{self, Receiver, Sender};

use super::{Numbered, after};

/// How often the log is read while somebody listens.
const EVERY: Duration = Duration::from_secs(1);

/// Events that a slow listener may be behind before it has to read the log itself.
const BEHIND: usize = 256;

/// Events that are read at once.
const BATCH: usize = 500;

/// Hands out new events while anybody listens.
pub(crate) struct Feed {
    ports: Ports,
    /// `None` while nobody listens.
    sender: Mutex<Option<Sender<Arc<Numbered>>>>,
}

impl Feed {
    pub(crate) fn new(ports: Ports) -> Arc<Self> {
        Arc::new(Self { ports, sender: Mutex::default() })
    }

    /// Everything that is written from now on; the newest may come twice to one who also reads the log.
    pub(crate) fn listen(self: &Arc<Self>) -> Receiver<Arc<Numbered>> {
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = sender.as_ref() {
            return sender.subscribe();
        }
        let (new, receiver) = broadcast::channel(BEHIND);
        *sender = Some(new);
        drop(sender);
        let feed = Arc::clone(self);
        // From a little before now: what was written just before somebody began to listen is not settled yet.
        let begin = self.ports.clock.now() - super::SETTLED_AFTER;
        tokio::spawn(async move { feed.run(begin).await });
        receiver
    }

    async fn run(&self, begin: Timestamp) {
        let mut last = Some(begin.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
        while self.hand_out(&mut last).await {
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Hands out what is new; false once nobody listens.
    async fn hand_out(&self, last: &mut Option<String>) -> bool {
        let mut new = Vec::new();
        loop {
            match after(&*self.ports.store, self.ports.clock.now(), last.as_deref(), BATCH).await {
                Ok(batch) => {
                    *last = batch.last;
                    new.extend(batch.events);
                    if !batch.more {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(target: "scaling::integration", %error, "events could not be read");
                    break;
                }
            }
        }
        let mut sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let listened = sender.as_ref().is_some_and(|sender| sender.receiver_count() > 0);
        if !listened {
            *sender = None;
            return false;
        }
        for event in new {
            // Whoever has gone meanwhile misses nothing.
            sender.iter().for_each(|sender| drop(sender.send(Arc::new(event.clone()))));
        }
        true
    }
}
