//! SQLite holds the contract of the state store, in a file and in memory.

use std::future::{Ready, ready};
use std::sync::Arc;

use jiff::Timestamp;
use scaling_control::fakes::store_contract::SharedStore;
use scaling_control::ports::{Clock, SystemClock};
use scaling_store::SqliteStore;
use scaling_store::sqlite::Settings;
use tempfile::TempDir;

mod in_a_file {
    scaling_control::store_contract_tests!(super::store_in_a_file);
    scaling_control::store_transaction_tests!(super::store_in_a_file);
}

mod in_memory {
    scaling_control::store_contract_tests!(super::store_in_memory);
    scaling_control::store_transaction_tests!(super::store_in_memory);
}

fn store_in_memory() -> Ready<SharedStore> {
    ready(Arc::new(SqliteStore::open_in_memory().unwrap()))
}

fn store_in_a_file() -> Ready<SharedStore> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let settings = Settings { clock: Arc::new(ClockWith(folder)), ..Settings::default() };
    ready(Arc::new(SqliteStore::open_with(path, settings).unwrap()))
}

/// A store keeps its clock until it has closed its file, so that the folder goes away after that.
struct ClockWith(#[expect(dead_code, reason = "kept for its drop")] TempDir);

impl Clock for ClockWith {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
}
