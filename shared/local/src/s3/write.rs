//! PutObject, CopyObject, DeleteObject and DeleteObjects.

use super::arrive;
use super::checksums::Promised;
use super::conditions::{Known, in_seconds, of_write};
use super::errors::{answer, ours, said};
use super::rights::Rights;
use crate::store::{LocalStore, Opened};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Condition, Objects, Select};
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    ETag, Error, PutObjectInput, PutObjectOutput,
};
use s3s::{S3ErrorCode, S3Request, S3Result};
use std::time::SystemTime;

pub(super) async fn put(store: &LocalStore, rights: Rights, request: S3Request<PutObjectInput>) -> S3Result<PutObjectOutput> {
    let promised = Promised::new(&request.headers, request.trailing_headers);
    let input = request.input;
    let key = rights.writable(&input.key)?;
    let condition = of_write(input.if_match, input.if_none_match)?;
    if input.write_offset_bytes.is_some() {
        return Err(said(S3ErrorCode::NotImplemented, "objects are not appended to here"));
    }
    let (arrived, sums) = arrive::body(store, &key, input.body, promised).await?;
    let etag = store.publish(&key, arrived, &condition).await.map_err(answer)?;
    Ok(PutObjectOutput {
        e_tag: Some(ETag::Strong(etag)),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        ..PutObjectOutput::default()
    })
}

/// The object to copy from, opened and held against the conditions.
pub(super) async fn source(store: &LocalStore, source: &CopySource, known: &Known) -> S3Result<Opened> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(said(S3ErrorCode::NotImplemented, "a copy is made of an object of this bucket"));
    };
    ours(bucket, store.bucket())?;
    let version = version_id.as_deref().filter(|version| *version != "null").map(str::to_owned);
    let select = Select { version, ..Select::default() };
    let opened = store.opened(&ObjectKey::raw(key.as_ref()), &select).await.map_err(answer)?;
    match known.check(&opened.meta.etag, opened.modified) {
        // A copy has no 304: what is not as asked is refused.
        Err(error) if *error.code() == S3ErrorCode::NotModified => Err(S3ErrorCode::PreconditionFailed.into()),
        other => other.map(|()| opened),
    }
}

pub(super) async fn copy(store: &LocalStore, rights: Rights, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
    let key = rights.writable(&input.key)?;
    let known = Known {
        matches: input.copy_source_if_match,
        differs: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    let from = source(store, &input.copy_source, &known).await?;
    let arrived = arrive::copy(store, &key, &from, 0..from.meta.size).await?;
    let etag = store.publish(&key, arrived, &Condition::Always).await.map_err(answer)?;
    let result = CopyObjectResult {
        e_tag: Some(ETag::Strong(etag)),
        last_modified: Some(in_seconds(SystemTime::now())),
        ..CopyObjectResult::default()
    };
    Ok(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() })
}

pub(super) async fn delete(store: &LocalStore, rights: Rights, key: &str) -> S3Result<()> {
    store.delete(&rights.writable(key)?).await.map_err(answer)
}

pub(super) async fn delete_all(store: &LocalStore, rights: Rights, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
    let quiet = input.delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in input.delete.objects {
        match delete(store, rights, &object.key).await {
            Ok(()) if quiet => {}
            Ok(()) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                message: error.message().map(str::to_owned),
                key: Some(object.key),
                version_id: None,
            }),
        }
    }
    Ok(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), ..DeleteObjectsOutput::default() })
}
