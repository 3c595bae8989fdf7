//! What becomes of reads that no gate can hold, since threads of their own make them: recordings, and what lies beside results.

use crate::gate::NO_ANSWER;
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{ObjectsError, Select};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Of one seed: how often reads are refused, and whether the calm has come.
#[derive(Default)]
pub(crate) struct Weather {
    seed: u64,
    share: f64,
    calm: AtomicBool,
    refused: AtomicUsize,
}

impl Weather {
    pub(crate) fn new(seed: u64, share: f64) -> Self {
        Self { seed, share, ..Self::default() }
    }

    /// From now on every read goes through.
    pub(crate) fn calms(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    /// Reads that were refused so far.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether something happens that does so in a `share` of cases. It hangs on the case alone, not on which thread is first
    /// (and on the standard library's hash: a seed is the same with one version of Rust, which rust-toolchain.toml names).
    fn strikes(&self, share: f64, case: impl Hash) -> bool {
        let mut hasher = DefaultHasher::new();
        (self.seed, case).hash(&mut hasher);
        (hasher.finish() as f64) < share * u64::MAX as f64
    }
}

/// The reads of one actor.
pub(crate) struct Reads {
    weather: Arc<Weather>,
    actor: usize,
    asked: Mutex<HashMap<String, u32>>,
}

impl Reads {
    pub(crate) fn new(weather: Arc<Weather>, actor: usize) -> Self {
        Self { weather, actor, asked: Mutex::default() }
    }

    /// Refuses a read (503, a reset, a body that was cut off: a port tells these alike). Now and then an object cannot be
    /// read by this actor at all, however often it tries.
    pub(crate) fn pass(&self, key: &ObjectKey, select: &Select) -> Result<(), ObjectsError> {
        if self.weather.calm.load(Ordering::Relaxed) {
            return Ok(());
        }
        let what = format!("{key} {:?}", select.range);
        let nth = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let nth = asked.entry(what.clone()).or_default();
            *nth += 1;
            *nth
        };
        let Weather { share, .. } = *self.weather;
        let never = self.weather.strikes(share / 8.0, (self.actor, key.as_str()));
        if never || self.weather.strikes(share, (self.actor, what, nth)) {
            self.weather.refused.fetch_add(1, Ordering::Relaxed);
            return Err(ObjectsError::Busy { key: key.clone(), source: NO_ANSWER.into() });
        }
        Ok(())
    }
}
