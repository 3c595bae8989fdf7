//! What a file would be called by S3 once it is there: its ETag, by which the same bytes are not sent twice.

use md5::{Digest, Md5};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Files up to this size go at once.
const LEAST_PART: u64 = 16 << 20;
/// S3 takes this many parts at most.
const MOST_PARTS: u64 = 10_000;

/// Size of the parts of a file; the last is what remains.
pub(super) fn part_bytes(size: u64) -> u64 {
    size.div_ceil(MOST_PARTS).max(LEAST_PART)
}

/// The ETag that S3 gives these bytes when they come as [`part_bytes`] says: the MD5 of the whole, or that of the parts'
/// MD5s and their number. It holds where S3 encrypts with its own key; elsewhere it never matches, and the file is sent.
pub(super) fn etag(path: &Path, size: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digests = Vec::new();
    loop {
        let mut part = Md5::new();
        let read = copy(&mut (&mut file).take(part_bytes(size)), &mut part)?;
        if read == 0 && !digests.is_empty() {
            break;
        }
        digests.push(part.finalize());
        if size <= part_bytes(size) {
            break;
        }
    }
    match &digests[..] {
        [whole] => Ok(hex::encode(whole)),
        parts => {
            let all: Vec<u8> = parts.iter().flatten().copied().collect();
            Ok(format!("{}-{}", hex::encode(Md5::digest(all)), parts.len()))
        }
    }
}

fn copy(from: &mut impl Read, to: &mut Md5) -> io::Result<u64> {
    let (mut buffer, mut all) = (vec![0; 1 << 20], 0);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(all),
            n => {
                to.update(&buffer[..n]);
                all += n as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_is_that_of_s3() {
        // By `md5sum`: of nothing, of one part, of two parts' binary digests.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        std::fs::write(&path, b"").unwrap();
        assert_eq!(etag(&path, 0).unwrap(), "d41d8cd98f00b204e9800998ecf8427e");
        std::fs::write(&path, b"abc").unwrap();
        assert_eq!(etag(&path, 3).unwrap(), "900150983cd24fb0d6963f7d28e17f72");
        let size = LEAST_PART + 1;
        std::fs::write(&path, vec![0; size as usize]).unwrap();
        let (first, last) = (Md5::digest(vec![0; LEAST_PART as usize]), Md5::digest([0]));
        assert_eq!(etag(&path, size).unwrap(), format!("{}-2", hex::encode(Md5::digest([&first[..], &last[..]].concat()))));
    }

    #[test]
    fn no_file_has_more_parts_than_s3_takes() {
        for size in [0, LEAST_PART, 200 << 30, 5 << 40] {
            assert!(size.div_ceil(part_bytes(size)) <= MOST_PARTS, "{size}");
        }
    }
}
