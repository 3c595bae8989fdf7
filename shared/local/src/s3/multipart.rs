//! Uploads in parts.

use super::arrive;
use super::checksums::Promised;
use super::conditions::{Known, in_seconds, of_write};
use super::errors::{answer, said};
use super::read::signed;
use super::rights::Rights;
use super::write::source;
use crate::store::LocalStore;
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{Condition, ETag as Tag, Objects, ObjectsError, Part, Select};
use s3s::dto::{
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, CopyPartResult, CreateMultipartUploadInput,
    CreateMultipartUploadOutput, ETag, ListPartsInput, ListPartsOutput, Part as Listed, UploadPartCopyInput,
    UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result};
use std::time::{Duration, SystemTime};

/// An upload that takes longer to join is answered in time, and the end of it later (S3 API, CompleteMultipartUpload).
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn create(
    store: &LocalStore,
    rights: Rights,
    input: CreateMultipartUploadInput,
) -> S3Result<CreateMultipartUploadOutput> {
    let upload = store.start_multipart(&rights.writable(&input.key)?).await.map_err(answer)?;
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        ..CreateMultipartUploadOutput::default()
    })
}

pub(super) async fn put_part(
    store: &LocalStore,
    rights: Rights,
    request: S3Request<UploadPartInput>,
) -> S3Result<UploadPartOutput> {
    let promised = Promised::new(&request.headers, request.trailing_headers);
    let input = request.input;
    let (key, number) = (rights.writable(&input.key)?, number(input.part_number)?);
    let (arrived, sums) = arrive::body(store, &key, input.body, promised).await?;
    let part = store.publish_part(&key, &input.upload_id, number, arrived).await.map_err(no_upload)?;
    Ok(UploadPartOutput {
        e_tag: Some(ETag::Strong(part.etag)),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        ..UploadPartOutput::default()
    })
}

pub(super) async fn copy_part(store: &LocalStore, rights: Rights, input: UploadPartCopyInput) -> S3Result<UploadPartCopyOutput> {
    let (key, number) = (rights.writable(&input.key)?, number(input.part_number)?);
    let known = Known {
        matches: input.copy_source_if_match,
        differs: input.copy_source_if_none_match,
        modified_since: input.copy_source_if_modified_since,
        unmodified_since: input.copy_source_if_unmodified_since,
    };
    let from = source(store, &input.copy_source, &known).await?;
    let range = match &input.copy_source_range {
        None => Ok(0..from.meta.size),
        Some(text) => s3s::dto::Range::parse(text)
            .ok()
            .and_then(|range| range.check(from.meta.size).ok())
            .ok_or_else(|| said(S3ErrorCode::InvalidRange, format!("`{text}` of an object of {} bytes", from.meta.size))),
    }?;
    let arrived = arrive::copy(store, &key, &from, range).await?;
    let part = store.publish_part(&key, &input.upload_id, number, arrived).await.map_err(no_upload)?;
    let result = CopyPartResult {
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(in_seconds(SystemTime::now())),
        ..CopyPartResult::default()
    };
    Ok(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() })
}

pub(super) async fn complete(
    store: &LocalStore,
    rights: Rights,
    input: CompleteMultipartUploadInput,
) -> S3Result<CompleteMultipartUploadOutput> {
    let key = rights.writable(&input.key)?;
    let condition = of_write(input.if_match, input.if_none_match)?;
    let parts = named(input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default())?;
    let output = CompleteMultipartUploadOutput { bucket: Some(input.bucket), key: Some(input.key), ..Default::default() };
    let (of, upload) = (store.clone(), input.upload_id);
    // A task of its own: a client that goes away meanwhile does not undo what it asked for.
    let mut joining = tokio::spawn(async move { join(&of, &key, &upload, &parts, &condition).await });
    let joined = match tokio::time::timeout(PATIENCE, &mut joining).await {
        Ok(joined) => joined.map_err(S3Error::internal_error)?,
        Err(_) => {
            let later = async move {
                let etag = joining.await.map_err(S3Error::internal_error)??;
                Ok(CompleteMultipartUploadOutput { e_tag: Some(ETag::Strong(etag)), ..Default::default() })
            };
            return Ok(CompleteMultipartUploadOutput { future: Some(Box::pin(later)), ..output });
        }
    };
    Ok(CompleteMultipartUploadOutput { e_tag: Some(ETag::Strong(joined?)), ..output })
}

async fn join(store: &LocalStore, key: &ObjectKey, upload: &str, parts: &[Part], condition: &Condition) -> S3Result<Tag> {
    if !store.is_pending(key, upload).await.map_err(answer)? {
        return joined_before(store, key, parts).await;
    }
    match store.complete_multipart(key, upload, parts, condition).await {
        Err(ObjectsError::Invalid { why, .. }) => Err(said(S3ErrorCode::InvalidPart, why)),
        other => other.map_err(answer),
    }
}

/// An upload that was completed by a call whose answer was lost is completed.
async fn joined_before(store: &LocalStore, key: &ObjectKey, parts: &[Part]) -> S3Result<Tag> {
    let etag = LocalStore::joined_etag(parts);
    match store.head(key, &Select::default()).await {
        Ok(meta) if Some(&meta.etag) == etag.as_ref() => Ok(meta.etag),
        Ok(_) | Err(ObjectsError::NotFound { .. }) => Err(S3ErrorCode::NoSuchUpload.into()),
        Err(error) => Err(answer(error)),
    }
}

/// The parts that a client wants joined.
fn named(completed: Vec<CompletedPart>) -> S3Result<Vec<Part>> {
    let part = |part: CompletedPart| match (part.part_number, part.e_tag) {
        (Some(asked), Some(etag)) => Ok(Part { number: number(asked)?, etag: etag.into_value() }),
        _ => Err(said(S3ErrorCode::MalformedXML, "a part has a number and an ETag")),
    };
    let parts = completed.into_iter().map(part).collect::<S3Result<Vec<_>>>()?;
    if parts.is_empty() {
        return Err(said(S3ErrorCode::MalformedXML, "an upload has one part at least"));
    }
    if !parts.is_sorted_by(|a, b| a.number < b.number) {
        return Err(S3ErrorCode::InvalidPartOrder.into());
    }
    Ok(parts)
}

pub(super) async fn parts(store: &LocalStore, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let most = usize::try_from(input.max_parts.unwrap_or(1000)).unwrap_or(0).min(1000);
    let marker = input.part_number_marker.and_then(|marker| u32::try_from(marker).ok()).unwrap_or(0);
    let stored = store.parts(&ObjectKey::raw(input.key.clone()), &input.upload_id).await.map_err(no_upload)?;
    let mut rest = stored.into_iter().filter(|stored| stored.part.number > marker).peekable();
    let page: Vec<_> = rest.by_ref().take(most).collect();
    let last = page.last().and_then(|stored| i32::try_from(stored.part.number).ok());
    let listed = page.into_iter().map(|stored| Listed {
        part_number: i32::try_from(stored.part.number).ok(),
        e_tag: Some(ETag::Strong(stored.part.etag)),
        size: Some(signed(stored.size)),
        last_modified: Some(in_seconds(stored.modified)),
        ..Listed::default()
    });
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        parts: Some(listed.collect()),
        is_truncated: Some(rest.peek().is_some()),
        next_part_number_marker: last,
        max_parts: i32::try_from(most).ok(),
        part_number_marker: input.part_number_marker,
        ..ListPartsOutput::default()
    })
}

pub(super) async fn abort(store: &LocalStore, key: &str, upload: &str) -> S3Result<()> {
    let key = ObjectKey::raw(key);
    if !store.is_pending(&key, upload).await.map_err(answer)? {
        return Err(S3ErrorCode::NoSuchUpload.into());
    }
    store.abort_multipart(&key, upload).await.map_err(answer)
}

fn number(asked: i32) -> S3Result<u32> {
    u32::try_from(asked).map_err(|_| said(S3ErrorCode::InvalidArgument, format!("part `{asked}`; 1 to 10000 are allowed")))
}

fn no_upload(error: ObjectsError) -> S3Error {
    match error {
        ObjectsError::NotFound { .. } => S3ErrorCode::NoSuchUpload.into(),
        other => answer(other),
    }
}
