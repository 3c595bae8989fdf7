//! Calls that may succeed later, tried a few times.

use crate::objects::ObjectsError;
use std::time::Duration;

const TRIES: u32 = 5;

/// Repeats a call while its error is transient, five times at most, 0.1 s to 1.6 s apart.
///
/// # Errors
/// The error of the last try, or the first that another try would not mend.
pub async fn patiently<T, F: Future<Output = Result<T, ObjectsError>>>(mut call: impl FnMut() -> F) -> Result<T, ObjectsError> {
    for round in 1..TRIES {
        match call().await {
            Err(error) if error.is_transient() => tokio::time::sleep(Duration::from_millis(50 << round)).await,
            other => return other,
        }
    }
    call().await
}
