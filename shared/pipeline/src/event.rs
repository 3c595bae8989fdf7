//! Notifications that an object was created, in both shapes S3 has.

use crate::key::{KeyError, ObjectKey};
use aws_lambda_events::event::eventbridge::EventBridgeEvent;
use aws_lambda_events::event::s3::{S3Event, S3EventRecord};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One object that was created: what every notification agrees on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Bucket.
    pub bucket: String,
    /// Key, decoded.
    pub key: ObjectKey,
    /// Version, in a bucket that keeps versions.
    pub version: Option<String>,
    /// ETag without quotes: identity of the content, never its MD5.
    pub etag: String,
    /// Size in bytes, where the notification says it.
    pub size: Option<u64>,
    /// Orders the writes of one key: a hexadecimal number. Notifications of the same write have the same one.
    #[serde(default)]
    pub sequencer: Option<String>,
}

impl Upload {
    /// Whether this is surely a later write than `earlier`, and not its notification come twice. Shorter numbers are
    /// padded on the left (S3 user guide, notification-content-structure).
    pub fn is_later_than(&self, earlier: &Self) -> bool {
        let number = |upload: &Self| {
            let digits = upload.sequencer.as_deref()?.trim_start_matches('0').to_ascii_lowercase();
            digits.bytes().all(|b| b.is_ascii_hexdigit()).then_some((digits.len(), digits))
        };
        matches!((number(self), number(earlier)), (Some(this), Some(that)) if this > that)
    }
}

/// A notification that leads to nothing; which kind decides whether it should be tried again (it should not).
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// S3 says hello when a notification is configured (`s3:TestEvent`).
    #[error("a test event of s3, nothing to do")]
    TestEvent,
    /// Another kind of event: removed objects, other services.
    #[error("event `{0}` does not say that an object was created")]
    OtherKind(String),
    /// A notification of a version whose meaning may differ (S3 user guide: compare the major version for equality).
    #[error("event version `{0}` is not known: only major version 2 is")]
    Version(String),
    /// A field that must be there is not.
    #[error("the notification has no `{0}`")]
    Missing(&'static str),
    /// The key does not decode.
    #[error("the notification's key is broken")]
    Key(#[source] KeyError),
    /// No shape that S3 sends.
    #[error("the notification has no known shape")]
    Shape(#[source] serde_json::Error),
}

impl EventError {
    /// Whether nothing is lost when the event is put aside: it tells of no upload. Any other may be one that S3 tells of
    /// in a way this program does not know, and somebody must look at it.
    pub fn is_harmless(&self) -> bool {
        matches!(self, Self::TestEvent | Self::OtherKind(_))
    }
}

/// Reads a notification of either shape: EventBridge "Object Created" (raw key) or the classic one (form-encoded).
///
/// # Errors
/// Named by kind; none is worth a retry.
pub fn uploads(event: &Value) -> Result<Vec<Upload>, EventError> {
    if event.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        return Err(EventError::TestEvent);
    }
    if event.get("detail-type").is_some() {
        return from_eventbridge(event).map(|upload| vec![upload]);
    }
    let event: S3Event = serde_json::from_value(event.clone()).map_err(EventError::Shape)?;
    event.records.into_iter().map(from_record).collect()
}

/// `detail` of an EventBridge "Object Created" event; fields that are not needed are not read.
#[derive(Debug, Serialize, Deserialize)]
struct Detail {
    bucket: DetailBucket,
    object: DetailObject,
}

#[derive(Debug, Serialize, Deserialize)]
struct DetailBucket {
    name: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DetailObject {
    key: String,
    size: Option<u64>,
    etag: Option<String>,
    version_id: Option<String>,
    sequencer: Option<String>,
}

fn from_eventbridge(event: &Value) -> Result<Upload, EventError> {
    let kind = event.get("detail-type").and_then(Value::as_str).unwrap_or_default();
    let source = event.get("source").and_then(Value::as_str).unwrap_or_default();
    if kind != "Object Created" || source != "aws.s3" {
        return Err(EventError::OtherKind(format!("{source}: {kind}")));
    }
    let event: EventBridgeEvent<Detail> = serde_json::from_value(event.clone()).map_err(EventError::Shape)?;
    let object = event.detail.object;
    Ok(Upload {
        bucket: event.detail.bucket.name,
        key: ObjectKey::raw(object.key),
        version: object.version_id.filter(|v| !v.is_empty() && v != "null"),
        etag: object.etag.ok_or(EventError::Missing("detail.object.etag"))?,
        size: object.size,
        sequencer: object.sequencer,
    })
}

fn from_record(record: S3EventRecord) -> Result<Upload, EventError> {
    let version = record.event_version.unwrap_or_default();
    if version.split('.').next() != Some("2") {
        return Err(EventError::Version(version));
    }
    let name = record.event_name.unwrap_or_default();
    if !name.trim_start_matches("s3:").starts_with("ObjectCreated:") {
        return Err(EventError::OtherKind(name));
    }
    let object = record.s3.object;
    let key = object.key.ok_or(EventError::Missing("s3.object.key"))?;
    Ok(Upload {
        bucket: record.s3.bucket.name.ok_or(EventError::Missing("s3.bucket.name"))?,
        key: ObjectKey::form_encoded(&key).map_err(EventError::Key)?,
        version: object.version_id.filter(|v| !v.is_empty() && v != "null"),
        etag: object.e_tag.ok_or(EventError::Missing("s3.object.eTag"))?,
        size: object.size.and_then(|s| u64::try_from(s).ok()),
        sequencer: object.sequencer,
    })
}

/// The EventBridge event that S3 sends for this upload, as the embedded cloud sends it.
pub fn object_created(upload: &Upload, id: &str, at: crate::Timestamp) -> Value {
    let mut object = serde_json::json!({ "key": upload.key, "etag": upload.etag });
    if let (Some(size), Some(fields)) = (upload.size, object.as_object_mut()) {
        fields.insert("size".into(), size.into());
    }
    if let (Some(version), Some(fields)) = (&upload.version, object.as_object_mut()) {
        fields.insert("version-id".into(), version.clone().into());
    }
    if let (Some(sequencer), Some(fields)) = (&upload.sequencer, object.as_object_mut()) {
        fields.insert("sequencer".into(), sequencer.clone().into());
    }
    serde_json::json!({
        "version": "0",
        "id": id,
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "000000000000",
        "time": at,
        "region": "local",
        "resources": [format!("arn:aws:s3:::{}", upload.bucket)],
        "detail": { "version": "0", "bucket": { "name": upload.bucket }, "object": object, "reason": "PutObject" }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(name: &str) -> Value {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn an_eventbridge_key_is_raw() {
        let uploads = uploads(&sample("eventbridge-s3-object-created-multipart-raw-key.json")).unwrap();
        assert_eq!(uploads[0].key.as_str(), "recordings/alice/plus+test (2) %41.tif");
        assert_eq!(uploads[0].etag, "9b2cf535f27731c974343645a3985328-8192");
    }

    #[test]
    fn a_classic_key_is_decoded() {
        let uploads = uploads(&sample("s3-object-created-unicode-key.json")).unwrap();
        assert_eq!(uploads[0].key.as_str(), "recordings/jürgen/测试 #01.tif");
    }

    #[test]
    fn tags_and_versions_of_2026_are_read() {
        for name in [
            "eventbridge-s3-object-created-2026-tags.json",
            "s3-object-created-put-cfn-tags.json",
            "eventbridge-s3-object-created.json",
        ] {
            assert_eq!(uploads(&sample(name)).unwrap().len(), 1, "{name}");
        }
        let versioned = uploads(&sample("eventbridge-s3-object-created.json")).unwrap();
        assert_eq!(versioned[0].version.as_deref(), Some("IYV3p45BT0ac8hjHg1houSdS1a.Mro8e"));
    }

    #[test]
    fn every_other_event_is_refused_by_name() {
        assert!(matches!(uploads(&sample("s3-test-event.json")), Err(EventError::TestEvent)));
        assert!(matches!(uploads(&sample("s3-object-removed-delete.json")), Err(EventError::OtherKind(_))));
        assert!(matches!(uploads(&sample("s3-object-created-future-major.json")), Err(EventError::Version(_))));
        assert!(matches!(uploads(&sample("eventbridge-schedule-reaper.json")), Err(EventError::OtherKind(_))));
        assert!(matches!(uploads(&serde_json::json!({"x": 1})), Err(EventError::Shape(_))));
    }

    #[test]
    fn a_later_write_has_a_larger_number() {
        let of = |sequencer: Option<&str>| Upload {
            bucket: "b".into(),
            key: ObjectKey::raw("k"),
            version: None,
            etag: "e".into(),
            size: None,
            sequencer: sequencer.map(str::to_owned),
        };
        for (later, earlier) in [("0b", "0a"), ("100", "ff"), ("00ff", "fe"), ("0100", "ff")] {
            assert!(of(Some(later)).is_later_than(&of(Some(earlier))), "{later} {earlier}");
            assert!(!of(Some(earlier)).is_later_than(&of(Some(later))), "{later} {earlier}");
        }
        assert!(!of(Some("0A")).is_later_than(&of(Some("0a"))));
        assert!(
            !of(None).is_later_than(&of(Some("1")))
                && !of(Some("1")).is_later_than(&of(None))
                && !of(Some("x")).is_later_than(&of(Some("1")))
        );
    }

    #[test]
    fn the_embedded_cloud_sends_what_this_reads() {
        let upload = Upload {
            bucket: "dropscope".into(),
            key: ObjectKey::raw("recordings/ana/fish+été (2) #3.tif"),
            version: Some("v".into()),
            etag: "e".into(),
            size: Some(3),
            sequencer: Some("0a".into()),
        };
        let event = object_created(&upload, "id", crate::Timestamp::from_millis(0));
        assert_eq!(uploads(&event).unwrap(), vec![upload]);
    }
}
