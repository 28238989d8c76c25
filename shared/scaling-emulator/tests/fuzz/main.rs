//! Requests that nobody would send: whatever a body, its headers and its parameters hold, the emulator answers, never with
//! a fault of its own, and stays small.
//!
//! `FUZZ_CASES` sets how many requests are tried; `make fuzz` tries a million.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

mod request;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use scaling_emulator::{GroupSetup, Region, Settings, answer};

use request::{Sent, sent};

/// Requests of one run in a test.
const CASES: u32 = 20_000;

/// Requests that meet one region before it is made anew.
const TOGETHER: usize = 50;

fn region() -> Region {
    let mut region = Region::new(&Settings::default());
    GroupSetup::new("web", "m7i.large", (1, 10, 2)).make(&mut region).unwrap();
    region
}

fn cases() -> u32 {
    let wanted = std::env::var("FUZZ_CASES").ok().and_then(|text| text.parse().ok());
    wanted.unwrap_or(CASES)
}

fn tried(region: &mut Region, request: &Sent) -> Result<(), TestCaseError> {
    let Some(reply) = answer(region, &request.uri(), &request.headers(), request.body.clone()) else {
        return Ok(());
    };
    prop_assert!(reply.status < 500, "{request:?} was answered with {}", reply.status);
    prop_assert!(reply.body.len() < 8 << 20, "{request:?} was answered with {} bytes", reply.body.len());
    Ok(())
}

#[test]
fn no_request_brings_it_down() {
    let rounds = cases().div_ceil(u32::try_from(TOGETHER).unwrap());
    let config =
        Config { cases: rounds, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let requests = prop::collection::vec(sent(), TOGETHER);
    let outcome = TestRunner::new(config).run(&requests, |requests| {
        let mut region = region();
        for (number, request) in requests.iter().enumerate() {
            tried(&mut region, request)?;
            // What was set up has to live, too.
            if number % 10 == 9 {
                region.advance(Duration::from_secs(60));
            }
        }
        let groups = region.groups().count();
        prop_assert!(groups <= TOGETHER + 1, "{groups} groups");
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
