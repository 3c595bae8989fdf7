//! Who may write where.

use super::errors::said;
use dropscope_pipeline::ObjectKey;
use s3s::{S3ErrorCode, S3Result};

/// Where people may write.
const OPEN: &str = "recordings/";

/// What the clients of an endpoint may write; all may read everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Below `recordings/`: people and their programs.
    Uploader,
    /// Everywhere: the functions of a stack.
    Stack,
}

impl Rights {
    /// The key, if it may be written.
    pub(super) fn writable(self, key: &str) -> S3Result<ObjectKey> {
        if self == Self::Stack || key.starts_with(OPEN) {
            return Ok(ObjectKey::raw(key));
        }
        let message = "objects under results/ and state/ are written by dropscope: upload below recordings/";
        Err(said(S3ErrorCode::AccessDenied, message))
    }
}
