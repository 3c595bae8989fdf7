//! What S3's errors let a caller do.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::ObjectsError;
use dropscope_runtime::chain;

/// An error's code and HTTP status; none when no answer came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered<'a> {
    pub code: Option<&'a str>,
    pub status: Option<u16>,
}

/// Sorts an answer by what the caller may do (S3 API reference, error responses; user guide, conditional-writes). A
/// HEAD has no body, so its status alone must do. None: no answer, or one that may be another next time.
fn known(answered: Answered<'_>, key: &ObjectKey) -> Option<ObjectsError> {
    let key = key.clone();
    Some(match (answered.code.unwrap_or_default(), answered.status?) {
        ("RequestTimeout" | "ExpiredToken" | "RequestTimeTooSkewed", _) => return None,
        // A delete marker answers 405, and an upload that is gone 404.
        (_, 404 | 405) => ObjectsError::NotFound { key },
        (code, 301 | 307) => ObjectsError::Invalid { key, why: named(code, "the bucket is in another region") },
        (_, 412) => ObjectsError::Precondition { key },
        (_, 409) => ObjectsError::Conflict { key },
        (code, 501) => ObjectsError::Invalid { key, why: named(code, "not offered by this store") },
        (_, 429 | 500..=599) => return None,
        (code, 416) => ObjectsError::Invalid { key, why: named(code, "a range beyond the end") },
        (code, 400 | 411 | 413 | 414) => ObjectsError::Invalid { key, why: named(code, "not a valid call") },
        _ => return None,
    })
}

fn named(code: &str, else_: &str) -> String {
    if code.is_empty() { else_.to_owned() } else { code.to_owned() }
}

/// The port's error for one of the SDK.
pub(crate) fn sorted<E>(error: SdkError<E>, key: &ObjectKey) -> ObjectsError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let status = error.raw_response().map(|response| response.status().as_u16());
    if let Some(known) = known(Answered { code: error.code(), status }, key) {
        return known;
    }
    let key = key.clone();
    let denied = matches!(status, Some(401 | 403)) && error.code() != Some("RequestTimeTooSkewed");
    match error {
        // Refused before it was sent: not a valid call.
        SdkError::ConstructionFailure(_) => ObjectsError::Invalid { key, why: chain(&error) },
        _ if denied => ObjectsError::Denied { key, source: Box::new(error) },
        _ => ObjectsError::Busy { key, source: Box::new(error) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_one_kind() {
        let key = ObjectKey::raw("k");
        let kind = |code: Option<&str>, status| known(Answered { code, status }, &key);
        assert!(matches!(kind(None, Some(404)), Some(ObjectsError::NotFound { .. })));
        assert!(matches!(kind(Some("NoSuchUpload"), Some(404)), Some(ObjectsError::NotFound { .. })));
        assert!(matches!(kind(None, Some(405)), Some(ObjectsError::NotFound { .. })), "a delete marker");
        assert!(matches!(kind(Some("PermanentRedirect"), Some(301)), Some(ObjectsError::Invalid { .. })));
        assert!(matches!(kind(Some("PreconditionFailed"), Some(412)), Some(ObjectsError::Precondition { .. })));
        assert!(matches!(kind(Some("ConditionalRequestConflict"), Some(409)), Some(ObjectsError::Conflict { .. })));
        assert!(matches!(kind(Some("InvalidRange"), Some(416)), Some(ObjectsError::Invalid { .. })));
        assert!(matches!(kind(Some("EntityTooSmall"), Some(400)), Some(ObjectsError::Invalid { .. })));
        for (code, status) in
            [(Some("SlowDown"), Some(503)), (Some("RequestTimeout"), Some(400)), (None, Some(500)), (None, None)]
        {
            assert!(kind(code, status).is_none(), "{code:?} {status:?} may be another answer next time");
        }
    }
}
