//! The store's errors as S3 says them (S3 API, ErrorResponses).

use dropscope_ports::ObjectsError;
use s3s::{S3Error, S3ErrorCode, S3Result};

/// What S3 answers when the store says this.
pub(super) fn answer(error: ObjectsError) -> S3Error {
    let code = match &error {
        ObjectsError::NotFound { .. } => S3ErrorCode::NoSuchKey,
        ObjectsError::Precondition { .. } => S3ErrorCode::PreconditionFailed,
        ObjectsError::Conflict { .. } => S3ErrorCode::ConditionalRequestConflict,
        ObjectsError::Busy { .. } => S3ErrorCode::ServiceUnavailable,
        ObjectsError::Denied { .. } => S3ErrorCode::AccessDenied,
        ObjectsError::Invalid { .. } => S3ErrorCode::InvalidArgument,
    };
    let message = match std::error::Error::source(&error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    };
    said(code, message)
}

pub(super) fn said(code: S3ErrorCode, message: impl Into<String>) -> S3Error {
    S3Error::with_message(code, message.into())
}

/// Nothing, if the bucket is ours.
pub(super) fn ours(asked: &str, bucket: &str) -> S3Result<()> {
    if asked == bucket {
        return Ok(());
    }
    Err(said(S3ErrorCode::NoSuchBucket, format!("there is one bucket here, `{bucket}`")))
}
