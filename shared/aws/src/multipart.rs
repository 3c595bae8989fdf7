//! Uploads in parts.

use crate::S3Objects;
use crate::errors::sorted;
use crate::objects::{etag, quoted};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Condition, ETag, ObjectsError, Part};

pub(crate) async fn start(s3: &S3Objects, key: &ObjectKey) -> Result<String, ObjectsError> {
    let call = s3.client.create_multipart_upload().bucket(&s3.bucket).key(key.as_str());
    let started = call.send().await.map_err(|error| sorted(error, key))?;
    let nameless = || ObjectsError::Invalid { key: key.clone(), why: "the answer names no upload".into() };
    started.upload_id.ok_or_else(nameless)
}

pub(crate) async fn put(
    s3: &S3Objects,
    key: &ObjectKey,
    upload: &str,
    number: u32,
    bytes: Vec<u8>,
) -> Result<Part, ObjectsError> {
    let call = s3.client.upload_part().bucket(&s3.bucket).key(key.as_str()).upload_id(upload);
    let call = call.part_number(part_number(key, number)?).body(ByteStream::from(bytes));
    let put = call.send().await.map_err(|error| sorted(error, key))?;
    Ok(Part { number, etag: etag(key, put.e_tag)? })
}

pub(crate) async fn complete(
    s3: &S3Objects,
    key: &ObjectKey,
    upload: &str,
    parts: &[Part],
    condition: &Condition,
) -> Result<ETag, ObjectsError> {
    let completed = |part: &Part| {
        let number = part_number(key, part.number)?;
        Ok(CompletedPart::builder().part_number(number).e_tag(quoted(&part.etag)).build())
    };
    let parts = parts.iter().map(completed).collect::<Result<Vec<_>, ObjectsError>>()?;
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let call = s3.client.complete_multipart_upload().bucket(&s3.bucket).key(key.as_str());
    let call = call.upload_id(upload).multipart_upload(parts);
    let call = match condition {
        Condition::Always => call,
        Condition::Absent => call.if_none_match("*"),
        Condition::Matches(etag) => call.if_match(quoted(etag)),
    };
    let whole = call.send().await.map_err(|error| sorted(error, key))?;
    etag(key, whole.e_tag)
}

pub(crate) async fn abort(s3: &S3Objects, key: &ObjectKey, upload: &str) -> Result<(), ObjectsError> {
    let call = s3.client.abort_multipart_upload().bucket(&s3.bucket).key(key.as_str()).upload_id(upload);
    match call.send().await.map_err(|error| sorted(error, key)) {
        Ok(_) | Err(ObjectsError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn part_number(key: &ObjectKey, number: u32) -> Result<i32, ObjectsError> {
    let wrong = |_| ObjectsError::Invalid { key: key.clone(), why: format!("there is no part `{number}`") };
    i32::try_from(number).map_err(wrong)
}
