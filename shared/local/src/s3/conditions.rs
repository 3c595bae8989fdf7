//! Conditional requests (RFC 9110 section 13, S3 user guide: conditional-requests).

use super::errors::said;
use dropscope_ports::Condition;
use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3ErrorCode, S3Result};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a reader knows of the object already.
pub(super) struct Known {
    pub(super) matches: Option<ETagCondition>,
    pub(super) differs: Option<ETagCondition>,
    pub(super) modified_since: Option<Timestamp>,
    pub(super) unmodified_since: Option<Timestamp>,
}

/// When a write may happen. S3 knows `If-None-Match: *` and `If-Match: <etag>`, and no others.
pub(super) fn of_write(matches: Option<ETagCondition>, differs: Option<ETagCondition>) -> S3Result<Condition> {
    match (matches, differs) {
        (None, None) => Ok(Condition::Always),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Absent),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Condition::Matches(etag.into_value())),
        _ => Err(said(S3ErrorCode::NotImplemented, "a write takes `If-None-Match: *` or `If-Match` with an ETag")),
    }
}

impl Known {
    /// Nothing, if the reader is to get the object.
    pub(super) fn check(&self, etag: &str, modified: SystemTime) -> S3Result<()> {
        let is = |asked: &ETagCondition| asked.as_etag().is_none_or(|asked| asked.value() == etag);
        let modified = in_seconds(modified);
        // An ETag decides alone; the time is asked only where there is none.
        let stale = match (&self.matches, &self.unmodified_since) {
            (Some(asked), _) => !is(asked),
            (None, Some(since)) => modified > *since,
            (None, None) => false,
        };
        if stale {
            return Err(said(S3ErrorCode::PreconditionFailed, "the object is not the one that was asked for"));
        }
        let known = match (&self.differs, &self.modified_since) {
            (Some(asked), _) => is(asked),
            (None, Some(since)) => modified <= *since,
            (None, None) => false,
        };
        if known { Err(S3ErrorCode::NotModified.into()) } else { Ok(()) }
    }
}

/// A time as HTTP dates have it: in whole seconds.
pub(super) fn in_seconds(time: SystemTime) -> Timestamp {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Timestamp::from(UNIX_EPOCH + Duration::from_secs(seconds))
}
