//! Word that this machine may soon be taken away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Whether such word came. Clones hear the same; nothing depends on its coming.
#[derive(Debug, Clone, Default)]
pub struct Notice(Arc<AtomicUsize>);

impl Notice {
    /// Says it, once more.
    pub fn give(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How often it was said.
    pub(crate) fn given(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}
