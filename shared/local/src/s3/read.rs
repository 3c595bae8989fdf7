//! GetObject and HeadObject.

use super::conditions::{Known, in_seconds};
use super::errors::{answer, said};
use crate::store::{LocalStore, Opened};
use dropscope_pipeline::ObjectKey;
use dropscope_ports::{ObjectsError, Select};
use s3s::dto::{ETag, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, StreamingBlob};
use s3s::{S3ErrorCode, S3Result};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are read of an object at once: two of these stay in a second cache until they are sent.
const PIECE: u64 = 1 << 18;

pub(super) async fn get(store: &LocalStore, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    let known = Known {
        matches: input.if_match,
        differs: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    let opened = open(store, &input.key, input.version_id, input.part_number).await?;
    known.check(&opened.meta.etag, opened.modified)?;
    let size = opened.meta.size;
    let (range, content_range) = asked(input.range, size)?;
    Ok(GetObjectOutput {
        accept_ranges: Some("bytes".into()),
        content_length: Some(signed(range.end - range.start)),
        content_range,
        content_type: input.response_content_type.or_else(|| Some(content_type(&input.key).into())),
        content_disposition: input.response_content_disposition,
        cache_control: input.response_cache_control,
        content_encoding: input.response_content_encoding,
        content_language: input.response_content_language,
        e_tag: Some(ETag::Strong(opened.meta.etag.clone())),
        last_modified: Some(in_seconds(opened.modified)),
        body: Some(stream(opened, range)),
        ..GetObjectOutput::default()
    })
}

pub(super) async fn head(store: &LocalStore, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    let known = Known {
        matches: input.if_match,
        differs: input.if_none_match,
        modified_since: input.if_modified_since,
        unmodified_since: input.if_unmodified_since,
    };
    let opened = open(store, &input.key, input.version_id, input.part_number).await?;
    known.check(&opened.meta.etag, opened.modified)?;
    let (range, content_range) = asked(input.range, opened.meta.size)?;
    Ok(HeadObjectOutput {
        accept_ranges: Some("bytes".into()),
        content_length: Some(signed(range.end - range.start)),
        content_range,
        content_type: Some(content_type(&input.key).into()),
        e_tag: Some(ETag::Strong(opened.meta.etag.clone())),
        last_modified: Some(in_seconds(opened.modified)),
        ..HeadObjectOutput::default()
    })
}

/// Opens an object. The store does not keep which part a byte came in: to it every object is one part.
async fn open(store: &LocalStore, key: &str, version: Option<String>, part: Option<i32>) -> S3Result<Opened> {
    if part.is_some_and(|part| part != 1) {
        return Err(said(S3ErrorCode::InvalidArgument, "objects here have one part"));
    }
    let version = version.filter(|version| version != "null");
    store.opened(&ObjectKey::raw(key), &Select { version, ..Select::default() }).await.map_err(answer)
}

/// The bytes asked for, and how the answer names them when they are not all.
fn asked(range: Option<s3s::dto::Range>, size: u64) -> S3Result<(Range<u64>, Option<String>)> {
    let Some(range) = range else { return Ok((0..size, None)) };
    let range = range.check(size).map_err(|_| {
        let message = format!("`{}` of an object of {size} bytes", range.to_header_string());
        said(S3ErrorCode::InvalidRange, message)
    })?;
    let named = format!("bytes {}-{}/{size}", range.start, range.end.saturating_sub(1));
    Ok((range, Some(named)))
}

fn stream(opened: Opened, range: Range<u64>) -> StreamingBlob {
    let spare = Arc::new(Spare::default());
    let pieces = futures_util::stream::try_unfold((opened, range, spare), async |(opened, range, spare)| {
        if range.is_empty() {
            return Ok::<_, ObjectsError>(None);
        }
        let end = range.end.min(range.start + PIECE);
        let buffer = spare.buffers().pop().unwrap_or_default();
        let bytes = opened.read_into(range.start..end, buffer).await?;
        let piece = Piece { bytes, spare: spare.clone() };
        Ok(Some((bytes::Bytes::from_owner(piece), (opened, end..range.end, spare))))
    });
    StreamingBlob::wrap(pieces)
}

/// Buffers of one answer whose bytes were sent: a fresh one would be cleared first, and lie in no cache.
#[derive(Default)]
struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    fn buffers(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes on their way to the client; their buffer comes back when they are sent.
struct Piece {
    bytes: Vec<u8>,
    spare: Arc<Spare>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.spare.buffers().push(std::mem::take(&mut self.bytes));
    }
}

/// A length as S3's own documents have it.
pub(super) fn signed(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// What a browser is told of a result; a recording is bytes.
fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        Some("txt" | "toml") => "text/plain; charset=utf-8",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("svg") => "image/svg+xml",
        Some("tif" | "tiff") => "image/tiff",
        _ => "binary/octet-stream",
    }
}
