//! One bucket of S3.

use crate::errors::sorted;
use crate::multipart;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{EncodingType, Object as Listed};
use dropscope_pipeline::{ObjectKey, Timestamp};
use dropscope_ports::{BoxError, Condition, ETag, Object, ObjectMeta, Objects, ObjectsError, Part, Select};

/// A bucket of S3, or of anything that speaks its protocol.
#[derive(Debug, Clone)]
pub struct S3Objects {
    pub(crate) client: Client,
    pub(crate) bucket: String,
}

impl S3Objects {
    /// The bucket of this name.
    pub fn new(sdk: &crate::Sdk, bucket: impl Into<String>) -> Self {
        Self { client: Client::new(sdk), bucket: bucket.into() }
    }
}

#[async_trait::async_trait]
impl Objects for S3Objects {
    async fn head(&self, key: &ObjectKey, select: &Select) -> Result<ObjectMeta, ObjectsError> {
        let call = self.client.head_object().bucket(&self.bucket).key(key.as_str());
        let call = call.set_version_id(select.version.clone()).set_if_match(select.if_match.as_deref().map(quoted));
        let head = call.send().await.map_err(|error| sorted(error, key))?;
        Ok(ObjectMeta { modified: timestamp(head.last_modified), ..meta(key, head.content_length, head.e_tag, head.version_id)? })
    }

    async fn get(&self, key: &ObjectKey, select: &Select) -> Result<Object, ObjectsError> {
        self.get_into(key, select, Vec::new()).await
    }

    async fn get_into(&self, key: &ObjectKey, select: &Select, buffer: Vec<u8>) -> Result<Object, ObjectsError> {
        if let Some(range) = select.range.as_ref().filter(|range| range.is_empty()) {
            return Err(ObjectsError::Invalid { key: key.clone(), why: format!("the range {range:?} is empty") });
        }
        let range = select.range.as_ref().map(|range| format!("bytes={}-{}", range.start, range.end - 1));
        let call = self.client.get_object().bucket(&self.bucket).key(key.as_str()).set_range(range);
        let call = call.set_version_id(select.version.clone()).set_if_match(select.if_match.as_deref().map(quoted));
        let got = call.send().await.map_err(|error| sorted(error, key))?;
        let whole = match got.content_range() {
            Some(range) => range.rsplit('/').next().and_then(|size| size.parse().ok()),
            None => got.content_length,
        };
        let meta = ObjectMeta { modified: timestamp(got.last_modified), ..meta(key, whole, got.e_tag, got.version_id)? };
        let most = select.range.as_ref().map_or(meta.size, |range| range.end - range.start);
        let bytes = body(got.body, most, buffer).await.map_err(|source| ObjectsError::Busy { key: key.clone(), source })?;
        Ok(Object { meta, bytes })
    }

    async fn put(&self, key: &ObjectKey, bytes: Vec<u8>, condition: &Condition) -> Result<ETag, ObjectsError> {
        let call = self.client.put_object().bucket(&self.bucket).key(key.as_str()).body(ByteStream::from(bytes));
        let call = match condition {
            Condition::Always => call,
            Condition::Absent => call.if_none_match("*"),
            Condition::Matches(etag) => call.if_match(quoted(etag)),
        };
        let put = call.send().await.map_err(|error| sorted(error, key))?;
        etag(key, put.e_tag)
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), ObjectsError> {
        let call = self.client.delete_object().bucket(&self.bucket).key(key.as_str());
        match call.send().await.map_err(|error| sorted(error, key)) {
            Ok(_) | Err(ObjectsError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn list(&self, prefix: &str, after: Option<&ObjectKey>) -> Result<Vec<ObjectMeta>, ObjectsError> {
        let whole = ObjectKey::raw(prefix);
        let call = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        // A key may hold characters that XML cannot.
        let call = call.set_start_after(after.map(ToString::to_string)).encoding_type(EncodingType::Url);
        let listed = call.send().await.map_err(|error| sorted(error, &whole))?;
        let encoded = listed.encoding_type() == Some(&EncodingType::Url);
        listed.contents.unwrap_or_default().into_iter().map(|object| listing(object, encoded, &whole)).collect()
    }

    async fn start_multipart(&self, key: &ObjectKey) -> Result<String, ObjectsError> {
        multipart::start(self, key).await
    }

    async fn put_part(&self, key: &ObjectKey, upload: &str, number: u32, bytes: Vec<u8>) -> Result<Part, ObjectsError> {
        multipart::put(self, key, upload, number, bytes).await
    }

    async fn complete_multipart(
        &self,
        key: &ObjectKey,
        upload: &str,
        parts: &[Part],
        condition: &Condition,
    ) -> Result<ETag, ObjectsError> {
        multipart::complete(self, key, upload, parts, condition).await
    }

    async fn abort_multipart(&self, key: &ObjectKey, upload: &str) -> Result<(), ObjectsError> {
        multipart::abort(self, key, upload).await
    }
}

/// A body of at most `most` bytes, piece by piece as it comes into memory that is there already.
async fn body(mut body: ByteStream, most: u64, mut bytes: Vec<u8>) -> Result<Vec<u8>, BoxError> {
    bytes.clear();
    while let Some(piece) = body.try_next().await? {
        if (bytes.len() + piece.len()) as u64 > most {
            return Err(format!("the store sent more than the `{most}` bytes that were asked for").into());
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

/// An ETag as the protocol writes it.
pub(crate) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// An ETag as the ports write it: an answer without one is no answer of S3.
pub(crate) fn etag(key: &ObjectKey, etag: Option<String>) -> Result<ETag, ObjectsError> {
    let bare = etag.map(|etag| etag.trim_matches('"').to_owned()).filter(|etag| !etag.is_empty());
    bare.ok_or_else(|| incomplete(key, "ETag"))
}

fn meta(key: &ObjectKey, size: Option<i64>, tag: Option<String>, version: Option<String>) -> Result<ObjectMeta, ObjectsError> {
    let size = size.and_then(|size| u64::try_from(size).ok()).ok_or_else(|| incomplete(key, "size"))?;
    let version = version.filter(|version| !version.is_empty() && version != "null");
    Ok(ObjectMeta { key: key.clone(), size, etag: etag(key, tag)?, version, modified: None })
}

fn listing(object: Listed, encoded: bool, whole: &ObjectKey) -> Result<ObjectMeta, ObjectsError> {
    let name = object.key.ok_or_else(|| incomplete(whole, "key"))?;
    let key = if encoded { ObjectKey::form_encoded(&name) } else { Ok(ObjectKey::raw(name)) };
    let key = key.map_err(|error| ObjectsError::Invalid { key: whole.clone(), why: error.to_string() })?;
    Ok(ObjectMeta { modified: timestamp(object.last_modified), ..meta(&key, object.size, object.e_tag, None)? })
}

fn timestamp(at: Option<DateTime>) -> Option<Timestamp> {
    at.and_then(|at| at.to_millis().ok()).map(Timestamp::from_millis)
}

fn incomplete(key: &ObjectKey, what: &str) -> ObjectsError {
    ObjectsError::Invalid { key: key.clone(), why: format!("the answer has no {what}") }
}
