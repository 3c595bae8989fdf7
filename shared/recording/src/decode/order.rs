//! The order of bytes within numbers and of bits within bytes.

use crate::bytes::ByteOrder;

impl ByteOrder {
    /// Turns numbers of `width` bytes from this order into the machine's.
    pub(crate) fn make_native(self, bytes: &mut [u8], width: usize) {
        if self == Self::NATIVE {
            return;
        }
        match width {
            2 => swap::<2>(bytes),
            4 => swap::<4>(bytes),
            8 => swap::<8>(bytes),
            _ => {}
        }
    }
}

fn swap<const N: usize>(bytes: &mut [u8]) {
    for number in bytes.as_chunks_mut::<N>().0 {
        number.reverse();
    }
}

/// Reverses the bits of each byte, as FillOrder 2 stores them.
pub(super) fn reverse_bits(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = byte.reverse_bits();
    }
}
