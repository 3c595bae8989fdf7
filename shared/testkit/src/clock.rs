//! A clock that stands until it is turned.

use dropscope_pipeline::Timestamp;
use dropscope_ports::Clock;
use std::sync::atomic::{AtomicI64, Ordering};

/// Shows what it was set to.
#[derive(Debug)]
pub struct StandingClock(AtomicI64);

impl StandingClock {
    /// A clock at the first second of 22 November 2026, UTC.
    pub fn new() -> Self {
        Self(AtomicI64::new(1_795_305_600_000))
    }

    /// Turns it on by so many seconds.
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

impl Default for StandingClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }
}
