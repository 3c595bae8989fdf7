//! Calls that may succeed later, tried a few times.

use crate::objects::ObjectsError;
use std::time::Duration;

/// Tries in all.
pub(crate) const TRIES: u32 = 5;

/// Repeats a call while its error is transient, five times at most, 0.1 s to 1.6 s apart.
///
/// # Errors
/// The error of the last try, or the first that another try would not mend.
pub async fn patiently<T, F: Future<Output = Result<T, ObjectsError>>>(mut call: impl FnMut() -> F) -> Result<T, ObjectsError> {
    for round in 1..TRIES {
        match call().await {
            Err(error) if error.is_transient() => tokio::time::sleep(pause(round)).await,
            other => return other,
        }
    }
    call().await
}

/// The same on a thread that may block. It sleeps by itself: a runtime that is being shut down has no clock any more.
///
/// # Errors
/// See [`patiently`].
pub fn patiently_blocking<T>(mut call: impl FnMut() -> Result<T, ObjectsError>) -> Result<T, ObjectsError> {
    for round in 1..TRIES {
        match call() {
            Err(error) if error.is_transient() => std::thread::sleep(pause(round)),
            other => return other,
        }
    }
    call()
}

/// The wait after try `round`, counted from 1.
pub(crate) fn pause(round: u32) -> Duration {
    Duration::from_millis(50 << round)
}
