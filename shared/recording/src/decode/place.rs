//! From the rows of a chunk to the rows of the frame.

use super::unpack;
use crate::page::Page;

/// The rows of the frame that chunk `i` is, where [`Page::is_in_place`].
pub(super) fn rows_in_place<'a>(page: &Page, i: usize, frame: &'a mut [u8]) -> &'a mut [u8] {
    let from = page.corner(i).0 * page.row_bytes();
    &mut frame[from..from + page.decoded_bytes(i)]
}

/// Copies one sample of each pixel of row `n` of chunk `i` to its place, without the padding. `row` is unpacked.
pub(super) fn row(page: &Page, i: usize, n: usize, row: &[u8], sample: usize, frame: &mut [u8]) {
    let (top, left) = page.corner(i);
    let columns = page.chunk_width.min(page.shape.width - left);
    let width = page.shape.stored.bytes();
    let from = ((top + n) * page.shape.width + left) * width;
    let to = &mut frame[from..from + columns * width];
    let step = page.samples_of_a_chunk();
    let first = if page.separate { 0 } else { sample };
    match page.stored.unpacked_bytes() {
        2 if page.stored.is_half() => widen(row, first, step, to),
        1 => pick::<1>(row, first, step, to),
        2 => pick::<2>(row, first, step, to),
        4 => pick::<4>(row, first, step, to),
        _ => pick::<8>(row, first, step, to),
    }
}

/// Copies every `step`th number from the `first` on, as many as `to` has room for.
fn pick<const N: usize>(row: &[u8], first: usize, step: usize, to: &mut [u8]) {
    if step == 1 {
        to.copy_from_slice(&row[..to.len()]);
        return;
    }
    let numbers = row.as_chunks::<N>().0.iter().skip(first).step_by(step);
    to.as_chunks_mut::<N>().0.iter_mut().zip(numbers).for_each(|(to, from)| *to = *from);
}

/// The same for half-precision numbers, which become single precision.
fn widen(row: &[u8], first: usize, step: usize, to: &mut [u8]) {
    let numbers = row.as_chunks().0.iter().skip(first).step_by(step);
    let singles = numbers.map(|number| unpack::half(u16::from_ne_bytes(*number)).to_ne_bytes());
    to.as_chunks_mut().0.iter_mut().zip(singles).for_each(|(to, from)| *to = from);
}
