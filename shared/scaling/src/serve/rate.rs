//! How many requests a client may make. A client is an address; of IPv6, where one machine has as many addresses as it
//! likes, the network of 64 bits.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// A client that was quiet may make this many times its requests of a second at once.
const BURST_SECONDS: u32 = 2;

/// Clients that have been quiet are forgotten every so many requests.
const FORGET_EVERY: u32 = 1024;

/// Limits the requests of each client.
pub(super) struct Limiter<C: Clock = DefaultClock> {
    shares: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, C, NoOpMiddleware<C::Instant>>,
    clock: C,
    asked: AtomicU32,
}

impl Limiter {
    /// So many requests a second, twice as many at once.
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Self::with_clock(per_second, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Limiter<C> {
    fn with_clock(per_second: NonZeroU32, clock: C) -> Self {
        let burst = per_second.saturating_mul(NonZeroU32::MIN.saturating_add(BURST_SECONDS - 1));
        let quota = Quota::per_second(per_second).allow_burst(burst);
        let shares = RateLimiter::new(quota, HashMapStateStore::default(), clock.clone());
        Self { shares, clock, asked: AtomicU32::new(0) }
    }

    /// Counts a request. A client that has made too many is told how long to wait.
    pub(super) fn count(&self, client: IpAddr) -> Result<(), Duration> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.shares.retain_recent();
            self.shares.shrink_to_fit();
        }
        let counted = self.shares.check_key(&network(client));
        counted.map_err(|early| early.wait_time_from(self.clock.now()))
    }
}

fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limiter(per_second: u32) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (Limiter::with_clock(NonZeroU32::new(per_second).unwrap(), clock.clone()), clock)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_client_has_its_own_share_and_gets_it_back_with_time() {
        let (limiter, clock) = limiter(10);
        let (one, other) = (address("192.0.2.1"), address("192.0.2.2"));
        assert!((0..20).all(|_| limiter.count(one).is_ok()));
        let wait = limiter.count(one).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_millis(100), "{wait:?}");
        assert!(limiter.count(other).is_ok());
        clock.advance(wait);
        assert!(limiter.count(one).is_ok() && limiter.count(one).is_err());
        clock.advance(Duration::from_secs(60));
        assert!((0..20).all(|_| limiter.count(one).is_ok()) && limiter.count(one).is_err());
    }

    #[test]
    fn another_address_of_the_same_network_is_the_same_client() {
        let (limiter, _clock) = limiter(1);
        assert!(
            limiter.count(address("2001:db8::1")).is_ok() && limiter.count(address("2001:db8::2")).is_ok()
        );
        assert!(limiter.count(address("2001:db8::3")).is_err());
        assert!(limiter.count(address("2001:db8:0:1::1")).is_ok());
        assert!(
            limiter.count(address("::ffff:192.0.2.1")).is_ok() && limiter.count(address("192.0.2.1")).is_ok()
        );
        assert!(limiter.count(address("192.0.2.1")).is_err());
    }

    #[test]
    fn clients_that_were_quiet_are_forgotten() {
        let (limiter, clock) = limiter(100);
        for index in 0..1000_u32 {
            limiter.count(IpAddr::from(index.to_be_bytes())).unwrap();
        }
        clock.advance(Duration::from_secs(60));
        for _ in 0..100 {
            limiter.count(address("192.0.2.1")).unwrap();
        }
        assert!(limiter.shares.len() < 10, "{}", limiter.shares.len());
    }
}
