//! Bodies on their way to the disk, and bytes that are copied within the bucket.

use super::checksums::Promised;
use super::errors::{answer, said};
use crate::store::{Arrived, LocalStore, Opened};
use dropscope_pipeline::ObjectKey;
use futures_util::StreamExt;
use s3s::dto::{Checksum, StreamingBlob};
use s3s::{S3ErrorCode, S3Result};
use std::ops::Range;
use std::time::Duration;

/// A client that sends nothing for so long has gone, and others wait for its place.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes that are copied of an object at once.
const PIECE: u64 = 1 << 17;

/// Takes a body in, and holds it against what was promised of it.
pub(super) async fn body(
    store: &LocalStore,
    key: &ObjectKey,
    body: Option<StreamingBlob>,
    mut promised: Promised,
) -> S3Result<(Arrived, Checksum)> {
    let mut incoming = store.incoming(key).await.map_err(answer)?;
    if let Some(mut body) = body {
        while let Some(piece) = next(&mut body).await? {
            promised.update(&piece);
            incoming = incoming.push(&piece).await.map_err(answer)?;
        }
    }
    let arrived = incoming.finish().await.map_err(answer)?;
    let sums = promised.check(arrived.md5(), arrived.bytes())?;
    Ok((arrived, sums))
}

async fn next(body: &mut StreamingBlob) -> S3Result<Option<bytes::Bytes>> {
    match tokio::time::timeout(SILENCE, body.next()).await {
        Ok(Some(Ok(piece))) => Ok(Some(piece)),
        Ok(None) => Ok(None),
        Ok(Some(Err(error))) => Err(said(S3ErrorCode::IncompleteBody, format!("the body is not as it was signed: {error}"))),
        Err(_) => Err(said(S3ErrorCode::RequestTimeout, "the body did not go on")),
    }
}

/// Copies a range of an object.
pub(super) async fn copy(store: &LocalStore, key: &ObjectKey, from: &Opened, range: Range<u64>) -> S3Result<Arrived> {
    let mut incoming = store.incoming(key).await.map_err(answer)?;
    let mut at = range.start;
    while at < range.end {
        let end = range.end.min(at + PIECE);
        let piece = from.read(at..end).await.map_err(answer)?;
        incoming = incoming.push(&piece).await.map_err(answer)?;
        at = end;
    }
    incoming.finish().await.map_err(answer)
}
