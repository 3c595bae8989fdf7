//! What a client says about the bytes that it sends: held against the bytes that came.

use super::errors::said;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::Checksum as _;
use s3s::crypto::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
use s3s::dto::Checksum;
use s3s::{S3ErrorCode, S3Result, TrailingHeaders};

const NAMES: [&str; 5] =
    ["x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1", "x-amz-checksum-sha256"];

/// What was promised, and the sums of what came so far.
pub(super) struct Promised {
    headers: HeaderMap,
    trailing: Option<TrailingHeaders>,
    hasher: ChecksumHasher,
}

impl Promised {
    /// What the headers of an upload promise, of the body and of headers that follow it.
    pub(super) fn new(headers: &HeaderMap, trailing: Option<TrailingHeaders>) -> Self {
        let trailers = text(headers, "x-amz-trailer").unwrap_or_default().to_ascii_lowercase();
        let is_promised = |name: &str| headers.contains_key(name) || trailers.split(',').any(|t| t.trim() == name);
        let [crc32, crc32c, crc64nvme, sha1, sha256] = NAMES.map(is_promised);
        let hasher = ChecksumHasher {
            crc32: crc32.then(Crc32::new),
            crc32c: crc32c.then(Crc32c::new),
            sha1: sha1.then(Sha1::new),
            sha256: sha256.then(Sha256::new),
            crc64nvme: crc64nvme.then(Crc64Nvme::new),
        };
        Self { headers: headers.clone(), trailing, hasher }
    }

    /// Counts the next bytes in.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The sums, if every promise was kept. `md5` and `bytes` are of the whole body.
    pub(super) fn check(self, md5: &[u8], bytes: u64) -> S3Result<Checksum> {
        if let Some(said_length) = text(&self.headers, "x-amz-decoded-content-length")
            && said_length != bytes.to_string()
        {
            return Err(said(S3ErrorCode::IncompleteBody, format!("`{said_length}` bytes were promised, {bytes} came")));
        }
        if let Some(promised) = text(&self.headers, "content-md5") {
            let promised = STANDARD.decode(promised).map_err(|_| S3ErrorCode::InvalidDigest)?;
            kept("content-md5", promised == md5)?;
        }
        let trailing = self.trailing.as_ref().and_then(TrailingHeaders::take).unwrap_or_default();
        let sums = self.hasher.finalize();
        let computed =
            [&sums.checksum_crc32, &sums.checksum_crc32c, &sums.checksum_crc64nvme, &sums.checksum_sha1, &sums.checksum_sha256];
        for (name, sum) in NAMES.into_iter().zip(computed) {
            let promised = text(&self.headers, name).or_else(|| text(&trailing, name));
            // A trailer that was announced and did not come is a promise broken too.
            kept(name, sum.as_deref() == promised)?;
        }
        Ok(sums)
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn kept(name: &str, holds: bool) -> S3Result<()> {
    if holds { Ok(()) } else { Err(said(S3ErrorCode::BadDigest, format!("`{name}` is not that of the bytes that came"))) }
}
