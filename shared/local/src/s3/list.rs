//! ListObjectsV2, ListObjects and ListMultipartUploads.

use super::conditions::in_seconds;
use super::errors::{answer, said};
use super::read::signed;
use crate::store::{LocalStore, Page, Query};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListObjectsInput, ListObjectsOutput,
    ListObjectsV2Input, ListObjectsV2Output, MultipartUpload, Object, ObjectStorageClass,
};
use s3s::{S3ErrorCode, S3Result};

const MOST: i32 = 1000;
/// What `encoding-type=url` leaves as it is.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b'/');

/// How keys are written into an answer: XML cannot carry every character that a key can.
struct Spelling(Option<EncodingType>);

impl Spelling {
    fn of(&self, text: &str) -> String {
        match &self.0 {
            Some(kind) if kind.as_str() == EncodingType::URL => utf8_percent_encode(text, &PLAIN).to_string(),
            _ => text.to_owned(),
        }
    }

    fn objects(&self, page: &Page) -> Vec<Object> {
        let object = |(meta, modified): &(dropscope_ports::ObjectMeta, std::time::SystemTime)| Object {
            key: Some(self.of(meta.key.as_str())),
            size: Some(signed(meta.size)),
            e_tag: Some(ETag::Strong(meta.etag.clone())),
            last_modified: Some(in_seconds(*modified)),
            storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
            ..Object::default()
        };
        page.objects.iter().map(object).collect()
    }

    fn prefixes(&self, prefixes: &[String]) -> Vec<CommonPrefix> {
        prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.of(prefix)) }).collect()
    }
}

/// How many entries a page may have.
fn most(asked: Option<i32>) -> S3Result<(i32, usize)> {
    let asked = asked.unwrap_or(MOST);
    let count = usize::try_from(asked.min(MOST));
    count.map(|count| (asked, count)).map_err(|_| said(S3ErrorCode::InvalidArgument, format!("`{asked}` keys of a page")))
}

pub(super) async fn second(store: &LocalStore, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let (max_keys, count) = most(input.max_keys)?;
    let after = match &input.continuation_token {
        Some(token) => from_token(token)?,
        None => input.start_after.clone().unwrap_or_default(),
    };
    let prefix = input.prefix.clone().unwrap_or_default();
    let query = Query { prefix, delimiter: input.delimiter.clone(), after, most: count };
    let page = store.page(query).await.map_err(answer)?;
    let spelling = Spelling(input.encoding_type.clone());
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(spelling.of(&input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(|text| spelling.of(&text)),
        start_after: input.start_after.map(|text| spelling.of(&text)),
        max_keys: Some(max_keys),
        key_count: i32::try_from(page.objects.len() + page.prefixes.len()).ok(),
        is_truncated: Some(page.next.is_some()),
        continuation_token: input.continuation_token,
        next_continuation_token: page.next.as_deref().map(hex::encode),
        contents: Some(spelling.objects(&page)),
        common_prefixes: Some(spelling.prefixes(&page.prefixes)),
        encoding_type: input.encoding_type,
        ..ListObjectsV2Output::default()
    })
}

/// A token is the last entry of the page before, spelt so that it can stand in any document.
fn from_token(token: &str) -> S3Result<String> {
    let key = hex::decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    key.ok_or_else(|| said(S3ErrorCode::InvalidArgument, "the continuation token is none of ours"))
}

pub(super) async fn first(store: &LocalStore, input: ListObjectsInput) -> S3Result<ListObjectsOutput> {
    let (max_keys, count) = most(input.max_keys)?;
    let query = Query {
        prefix: input.prefix.clone().unwrap_or_default(),
        delimiter: input.delimiter.clone(),
        after: input.marker.clone().unwrap_or_default(),
        most: count,
    };
    let page = store.page(query).await.map_err(answer)?;
    let spelling = Spelling(input.encoding_type.clone());
    Ok(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(spelling.of(&input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(|text| spelling.of(&text)),
        marker: Some(spelling.of(&input.marker.unwrap_or_default())),
        max_keys: Some(max_keys),
        is_truncated: Some(page.next.is_some()),
        next_marker: page.next.as_deref().map(|text| spelling.of(text)),
        contents: Some(spelling.objects(&page)),
        common_prefixes: Some(spelling.prefixes(&page.prefixes)),
        encoding_type: input.encoding_type,
        ..ListObjectsOutput::default()
    })
}

/// Uploads in parts that are under way; all on one page, for each is a folder of its own.
pub(super) async fn uploads(store: &LocalStore, input: ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
    let (prefix, spelling) = (input.prefix.unwrap_or_default(), Spelling(input.encoding_type.clone()));
    let pending = store.pending_uploads().await.map_err(answer)?;
    let uploads = pending.into_iter().filter(|upload| upload.key.as_str().starts_with(&prefix));
    let uploads = uploads.map(|upload| MultipartUpload {
        key: Some(spelling.of(upload.key.as_str())),
        upload_id: Some(upload.upload),
        initiated: Some(in_seconds(upload.begun)),
        ..MultipartUpload::default()
    });
    Ok(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: Some(spelling.of(&prefix)),
        is_truncated: Some(false),
        max_uploads: Some(MOST),
        uploads: Some(uploads.collect()),
        encoding_type: input.encoding_type,
        ..ListMultipartUploadsOutput::default()
    })
}
