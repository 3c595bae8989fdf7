//! A piece of a record: what it belongs to, its place in the record, its bytes, and a digest over all of that.
//!
//! Little-endian: magic, format, index (u32), whether it is the last (u8), what it belongs to (32 bytes), the digest of the
//! piece before it (32; zeros for the first), the payload, and the SHA-256 of everything before. The chain of digests keeps
//! pieces of two attempts at the same record from being taken for one.

use super::Unusable;
use sha2::{Digest, Sha256};

const MAGIC: [u8; 8] = *b"dropckpt";
/// Raised with every change of what a record holds.
const FORMAT: u32 = 1;
const DIGEST: usize = 32;
/// Bytes before the payload.
pub(super) const HEAD: usize = MAGIC.len() + 4 + 4 + 1 + 2 * DIGEST;

pub(super) type Id = [u8; DIGEST];

/// Where a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) belongs: Id,
    pub(super) index: u32,
    /// Digest of the piece before it.
    pub(super) previous: Id,
}

/// Makes a piece of `bytes`, which begin with [`HEAD`] bytes of room; also its digest.
pub(super) fn sealed(mut bytes: Vec<u8>, place: &Place, last: bool) -> (Vec<u8>, Id) {
    let (format, index) = (FORMAT.to_le_bytes(), place.index.to_le_bytes());
    let head: [&[u8]; 6] = [&MAGIC, &format, &index, &[u8::from(last)], &place.belongs, &place.previous];
    bytes[..HEAD].copy_from_slice(&head.concat());
    let digest: Id = Sha256::digest(&bytes).into();
    bytes.extend_from_slice(&digest);
    (bytes, digest)
}

/// Whether a piece is the last, and its digest; the payload is what follows the head, without the digest.
pub(super) fn opened(bytes: &[u8], place: &Place) -> Result<(bool, Id), Unusable> {
    let before = bytes.len().checked_sub(DIGEST).filter(|before| *before >= HEAD).ok_or(Unusable::Damaged)?;
    let (said, digest) = bytes.split_at(before);
    if said[..MAGIC.len()] != MAGIC || said[MAGIC.len()..MAGIC.len() + 4] != FORMAT.to_le_bytes() {
        return Err(Unusable::Format);
    }
    let found: Id = Sha256::digest(said).into();
    if found != digest {
        return Err(Unusable::Damaged);
    }
    let (rest, ids) = said[MAGIC.len() + 4..HEAD].split_at(5);
    let (belongs, previous) = ids.split_at(DIGEST);
    if belongs != place.belongs {
        return Err(Unusable::Foreign);
    }
    if rest[..4] != place.index.to_le_bytes() || previous != place.previous || rest[4] > 1 {
        return Err(Unusable::Damaged);
    }
    Ok((rest[4] == 1, found))
}

/// Name of a piece of a record.
pub(super) fn name(record: &str, index: u32) -> String {
    format!("{record}.{index}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACE: Place = Place { belongs: [3; DIGEST], index: 2, previous: [5; DIGEST] };

    fn piece(payload: &[u8]) -> Vec<u8> {
        sealed([vec![0; HEAD], payload.to_vec()].concat(), &PLACE, true).0
    }

    proptest! {
        #[test]
        fn a_piece_opens_in_its_place_and_with_no_bit_changed(payload in prop::collection::vec(any::<u8>(), 0..99), bit in any::<usize>()) {
            let mut bytes = piece(&payload);
            prop_assert!(matches!(opened(&bytes, &PLACE), Ok((true, _))));
            prop_assert_eq!(&bytes[HEAD..bytes.len() - DIGEST], &payload[..]);
            let other = [Place { index: 1, ..PLACE }, Place { previous: [4; DIGEST], ..PLACE }];
            prop_assert!(other.iter().all(|place| opened(&bytes, place) == Err(Unusable::Damaged)));
            prop_assert_eq!(opened(&bytes, &Place { belongs: [4; DIGEST], ..PLACE }), Err(Unusable::Foreign));
            let bit = bit % (8 * bytes.len());
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(opened(&bytes, &PLACE).is_err());
        }
    }

    #[test]
    fn the_digest_is_the_sha256_of_what_stands_before_it() {
        let bytes = piece(b"abc");
        let (said, digest) = bytes.split_at(bytes.len() - DIGEST);
        assert_eq!(said[..13], *b"dropckpt\x01\0\0\0\x02");
        assert_eq!(said.len(), 8 + 4 + 4 + 1 + 32 + 32 + 3);
        assert_eq!(digest, Sha256::digest(said).as_slice());
    }
}
