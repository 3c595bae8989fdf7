//! Objects in one bucket, as S3 keeps them.

use crate::BoxError;
use dropscope_pipeline::{ObjectKey, Timestamp};
use std::ops::Range;

/// ETag without quotes: changes with the content, and nothing else may be read from it.
pub type ETag = String;

/// One bucket. Conditional writes follow S3 (user guide, conditional-writes): the first writer to finish wins.
#[async_trait::async_trait]
pub trait Objects: Send + Sync {
    /// What is known of an object, without its bytes.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    async fn head(&self, key: &ObjectKey, select: &Select) -> Result<ObjectMeta, ObjectsError>;

    /// An object, or a range of it. A range that ends beyond the object gives what there is.
    ///
    /// # Errors
    /// See [`ObjectsError`]; a range that starts beyond the end is [`ObjectsError::Invalid`].
    async fn get(&self, key: &ObjectKey, select: &Select) -> Result<Object, ObjectsError>;

    /// The same, into a buffer that the caller has already, where the port can: new memory for each answer would cost as
    /// much as the answer.
    ///
    /// # Errors
    /// See [`Objects::get`].
    async fn get_into(&self, key: &ObjectKey, select: &Select, _buffer: Vec<u8>) -> Result<Object, ObjectsError> {
        self.get(key, select).await
    }

    /// Writes an object whole: a reader sees all of it or nothing.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>, condition: &Condition) -> Result<ETag, ObjectsError>;

    /// Removes an object; one that is not there is removed already.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectsError>;

    /// Objects whose keys start with `prefix` and sort after `after`, in the byte order of their keys, at most a
    /// page of them. An empty page is the end.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    async fn list(&self, prefix: &str, after: Option<&ObjectKey>) -> Result<Vec<ObjectMeta>, ObjectsError>;

    /// Begins an upload in parts; nothing can be seen of it until it is completed.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    async fn start_multipart(&self, key: &ObjectKey) -> Result<String, ObjectsError>;

    /// Uploads part `number` (1 to 10 000). A repeated number replaces the part.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    async fn put_part(&self, key: &ObjectKey, upload: &str, number: u32, bytes: Vec<u8>) -> Result<Part, ObjectsError>;

    /// Makes the parts, in ascending order of number, one object.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    async fn complete_multipart(
        &self,
        key: &ObjectKey,
        upload: &str,
        parts: &[Part],
        condition: &Condition,
    ) -> Result<ETag, ObjectsError>;

    /// Forgets an upload in parts.
    ///
    /// # Errors
    /// See [`ObjectsError`].
    async fn abort_multipart(&self, key: &ObjectKey, upload: &str) -> Result<(), ObjectsError>;
}

/// Which object, and how much of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Select {
    /// This version instead of the newest.
    pub version: Option<String>,
    /// Only while the object has this ETag.
    pub if_match: Option<ETag>,
    /// Only these bytes.
    pub range: Option<Range<u64>>,
}

/// When a write may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    Always,
    /// Only if there is no such object (`If-None-Match: *`).
    Absent,
    /// Only while the object has this ETag (`If-Match`).
    Matches(ETag),
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its key.
    pub key: ObjectKey,
    /// Its size, bytes.
    pub size: u64,
    /// Its ETag.
    pub etag: ETag,
    /// Its version, in a bucket that keeps versions.
    pub version: Option<String>,
    /// When it was written, as far as the store tells. S3 tells the second in which an upload in parts was begun.
    pub modified: Option<Timestamp>,
}

/// An object, or a range of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// What is known of the whole object.
    pub meta: ObjectMeta,
    /// The bytes asked for.
    pub bytes: Vec<u8>,
}

/// An uploaded part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// 1 to 10 000.
    pub number: u32,
    /// ETag of the part.
    pub etag: ETag,
}

/// A call that did not do it, sorted by what the caller may do.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// There is no such object (404).
    #[error("there is no object `{key}`")]
    NotFound {
        /// Which.
        key: ObjectKey,
    },
    /// The condition does not hold (412): somebody else was first; read again and decide again.
    #[error("object `{key}` is not in the state that was asked for")]
    Precondition {
        /// Which.
        key: ObjectKey,
    },
    /// Two writers met (409): repeat the same call.
    #[error("object `{key}` is being written by another")]
    Conflict {
        /// Which.
        key: ObjectKey,
    },
    /// Throttled, reset, timed out, out of order: repeat later. A write may have happened all the same.
    #[error("the store did not answer for `{key}`")]
    Busy {
        /// Which.
        key: ObjectKey,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// Not allowed: repeating does not help.
    #[error("access to `{key}` is denied")]
    Denied {
        /// Which.
        key: ObjectKey,
        /// The cause.
        #[source]
        source: BoxError,
    },
    /// Not a valid call: repeating does not help.
    #[error("the store refuses the call for `{key}`: {why}")]
    Invalid {
        /// Which.
        key: ObjectKey,
        /// In words.
        why: String,
    },
}

impl ObjectsError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Busy { .. } | Self::Conflict { .. })
    }
}
