//! The horizontal predictor (TIFF 6.0, section 14): each sample is stored as its difference to the one before, of the
//! same channel. Floats are differenced as if they were integers.

/// Unsigned numbers of `N` bytes that wrap around.
trait Word<const N: usize>: Copy {
    fn of(bytes: [u8; N]) -> Self;
    fn bytes(self) -> [u8; N];
    fn plus(self, other: Self) -> Self;
    fn masked(self, mask: u64) -> Self;
}

macro_rules! word {
    ($type:ty, $bytes:literal) => {
        impl Word<$bytes> for $type {
            fn of(bytes: [u8; $bytes]) -> Self {
                Self::from_ne_bytes(bytes)
            }

            fn bytes(self) -> [u8; $bytes] {
                self.to_ne_bytes()
            }

            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }

            fn masked(self, mask: u64) -> Self {
                self & mask as Self
            }
        }
    };
}

word!(u8, 1);
word!(u16, 2);
word!(u32, 4);
word!(u64, 8);

/// Undoes the differences of one row of native samples of `width` bytes, `samples` of them for each pixel, that
/// have `bits` bits and wrap around there.
pub(super) fn undo_horizontal(row: &mut [u8], width: usize, samples: usize, bits: u8) {
    let mask = u64::MAX >> (64 - u32::from(bits));
    match width {
        1 => undo::<1, u8>(row, samples, mask),
        2 => undo::<2, u16>(row, samples, mask),
        4 => undo::<4, u32>(row, samples, mask),
        _ => undo::<8, u64>(row, samples, mask),
    }
}

fn undo<const N: usize, W: Word<N>>(row: &mut [u8], samples: usize, mask: u64) {
    let (row, _) = row.as_chunks_mut::<N>();
    if let ([first, rest @ ..], 1) = (&mut *row, samples) {
        let mut value = W::of(*first);
        for number in rest {
            // Masked only on its way out: the next sum need not wait for it.
            value = value.plus(W::of(*number));
            *number = value.masked(mask).bytes();
        }
        return;
    }
    for i in samples..row.len() {
        row[i] = W::of(row[i - samples]).plus(W::of(row[i])).masked(mask).bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::undo_horizontal;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn differences_are_summed_up_channel_by_channel(
            values in prop::collection::vec(any::<u64>(), 1..40), samples in 1usize..4, bits in 1u8..65,
        ) {
            let width = usize::from(bits).div_ceil(8).next_power_of_two();
            let modulus = 1u128 << bits;
            let truth: Vec<u128> = values.iter().map(|v| u128::from(*v) % modulus).collect();
            let stored = |i: usize| {
                let before = if i < samples { 0 } else { truth[i - samples] };
                (truth[i] + modulus - before) % modulus
            };
            let bytes = |value: u128| value.to_le_bytes()[..width].to_vec();
            let mut row: Vec<u8> = (0..truth.len()).flat_map(|i| bytes(stored(i))).collect();
            crate::bytes::ByteOrder::Little.make_native(&mut row, width);
            undo_horizontal(&mut row, width, samples, bits);
            crate::bytes::ByteOrder::Little.make_native(&mut row, width);
            prop_assert_eq!(row, truth.into_iter().flat_map(bytes).collect::<Vec<_>>());
        }
    }
}
