//! How much a reader may have under way and in memory.

use std::time::Duration;

/// What one reader may use. S3 gives a connection some 85 to 90 MB/s and wants several at a time, of 8 or 16 MB each
/// (S3 user guide, performance design patterns).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Bytes that are held or asked for at a time; never more.
    pub memory: u64,
    /// Bytes of one request while all of an object is read. Where some of it is skipped on the way, twice as many.
    pub request: u64,
    /// Bytes of a request while nothing is known about the reads to come.
    pub smallest: u64,
    /// Requests under way ahead of the readers; besides them there may be one for each thread that waits.
    pub parallel: usize,
    /// A request has so long to be answered, and [`Depth::SLOWEST`] for its bytes and all others that are under way.
    pub patience: Duration,
}

impl Default for Depth {
    /// At most 64 MiB in requests of 8 MiB (16 MiB where some is skipped), 16 at a time.
    fn default() -> Self {
        Self { memory: 64 << 20, request: 8 << 20, smallest: 64 << 10, parallel: 16, patience: Duration::from_secs(10) }
    }
}

impl Depth {
    /// Bytes per second below which a connection counts as stalled.
    pub const SLOWEST: u64 = 1_000_000;

    /// The same without contradictions: two requests fit into memory.
    pub(super) fn settled(self) -> Self {
        let smallest = self.smallest.max(1 << 10);
        let request = self.request.max(smallest);
        Self { smallest, request, memory: self.memory.max(2 * request), parallel: self.parallel.max(1), ..self }
    }

    /// The largest request.
    pub(super) fn largest(&self) -> u64 {
        (2 * self.request).min(self.memory / 2)
    }

    /// How long a request may take while so many bytes are under way.
    pub(super) fn limit(&self, bytes: u64) -> Duration {
        self.patience + Duration::from_millis(bytes.saturating_mul(1000) / Self::SLOWEST)
    }
}
