//! The console's past: read from the state store when the program starts, and written there while it runs.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use scaling_console::Console;
use scaling_control::ControlLoop;

/// How often it is written.
const EVERY: SignedDuration = SignedDuration::from_mins(15);

/// Keeps a console's past.
#[derive(Clone)]
pub(crate) struct Past {
    console: Console,
    control: Arc<ControlLoop>,
}

impl Past {
    /// That of this console, in the store of this controller.
    pub(crate) fn new(console: Console, control: Arc<ControlLoop>) -> Self {
        Self { console, control }
    }

    /// Takes in what earlier processes have written, beside everything else: a page that opens first shows it a moment
    /// later.
    pub(crate) fn recall(&self) {
        let Self { console, control } = self.clone();
        tokio::spawn(async move {
            let names: Vec<_> = control.config().groups.iter().map(|group| group.name.clone()).collect();
            let ports = control.ports();
            if let Err(error) = console.recall(ports.store.as_ref(), &names, ports.clock.now()).await {
                tracing::warn!(target: "scaling::integration", %error, "the console's past cannot be read");
            }
        });
    }

    /// Writes it beside everything else, if it is time; `last` is when it last was.
    pub(crate) fn keep_if_due(&self, last: &mut Option<Timestamp>) {
        let now = self.control.ports().clock.now();
        let due = *last.get_or_insert(now) + EVERY;
        if now >= due {
            *last = Some(now);
            let past = self.clone();
            tokio::spawn(async move { past.keep().await });
        }
    }

    /// Writes it.
    pub(crate) async fn keep(&self) {
        let ports = self.control.ports();
        if let Err(error) = self.console.keep(ports.store.as_ref(), ports.clock.now()).await {
            tracing::warn!(target: "scaling::integration", %error, "the console's past cannot be written");
        }
    }
}
