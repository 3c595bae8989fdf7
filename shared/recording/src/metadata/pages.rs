//! A few facts of the first pages, each told by its own directory.

use crate::Limits;
use crate::bytes::Bytes;
use crate::ifd::Ifd;

/// Follows the list of pages from the first for at most `most` of them, while `look` wants more.
pub(super) fn each(first: &Ifd, bytes: &mut Bytes, limits: &Limits, most: usize, mut look: impl FnMut(&Ifd, &mut Bytes) -> bool) {
    if !look(first, bytes) {
        return;
    }
    let mut next = first.next;
    for _ in 1..most {
        let Some(ifd) = (next != 0).then(|| Ifd::read(bytes, first.header(), next, limits).ok()).flatten() else {
            return;
        };
        if !look(&ifd, bytes) {
            return;
        }
        next = ifd.next;
    }
}
