//! Links that open one object.

use crate::ObjectsError;
use dropscope_pipeline::ObjectKey;

/// Makes links by which anybody who has one reads one object for a while.
#[async_trait::async_trait]
pub trait Sharing: Send + Sync {
    /// A link that opens this object for `seconds`, a week at most, as a page to be shown. Whether there is such an object is
    /// not looked at.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    async fn link(&self, key: &ObjectKey, seconds: u64) -> Result<String, ObjectsError>;
}
