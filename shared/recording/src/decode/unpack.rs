//! Samples of any number of bits, and half-precision floats, to the types that frames are delivered in.

/// Unpacks unsigned samples of `bits` bits, the highest bit first, into native numbers of `width` bytes.
pub(super) fn bits(packed: &[u8], bits: u8, width: usize, out: &mut [u8]) {
    let samples = Samples { packed: packed.iter(), bits: u32::from(bits), held: 0, buffer: 0 };
    match width {
        1 => samples.zip(out).for_each(|(sample, to)| *to = sample as u8),
        2 => samples.zip(out.as_chunks_mut().0).for_each(|(sample, to)| *to = (sample as u16).to_ne_bytes()),
        _ => samples.zip(out.as_chunks_mut().0).for_each(|(sample, to)| *to = (sample as u32).to_ne_bytes()),
    }
}

/// Samples of up to 32 bits, the highest bit first.
struct Samples<'a> {
    packed: std::slice::Iter<'a, u8>,
    bits: u32,
    held: u32,
    buffer: u64,
}

impl Iterator for Samples<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        while self.held < self.bits {
            self.buffer = (self.buffer << 8) | u64::from(*self.packed.next()?);
            self.held += 8;
        }
        self.held -= self.bits;
        Some((self.buffer >> self.held) & (u64::MAX >> (64 - self.bits)))
    }
}

/// Widens an IEEE 754 half-precision number, which is exact; the payload of a NaN is kept, as NumPy keeps it.
pub(super) fn half(number: u16) -> f32 {
    let sign = u32::from(number >> 15) << 31;
    let (exponent, fraction) = (u32::from(number >> 10) & 31, u32::from(number) & 0x3ff);
    let bits = match (exponent, fraction) {
        (0, 0) => 0,
        (0, _) => {
            // Subnormal: the highest bit of the fraction becomes the implicit one.
            let shift = fraction.leading_zeros() - 21;
            ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)
        }
        (31, _) => (255 << 23) | (fraction << 13),
        _ => ((exponent + 112) << 23) | (fraction << 13),
    };
    f32::from_bits(sign | bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn packed_samples_are_read_bit_by_bit(packed in prop::collection::vec(any::<u8>(), 0..60), bits_each in 2u8..32) {
            let digits: Vec<u64> = packed.iter().flat_map(|b| (0..8).rev().map(move |i| u64::from(b >> i & 1))).collect();
            let truth: Vec<u64> =
                digits.chunks_exact(usize::from(bits_each)).map(|d| d.iter().fold(0, |n, bit| 2 * n + bit)).collect();
            let width = usize::from(bits_each).div_ceil(8).next_power_of_two();
            let mut out = vec![0; truth.len() * width];
            bits(&packed, bits_each, width, &mut out);
            crate::bytes::ByteOrder::Little.make_native(&mut out, width);
            let read: Vec<u64> = out.chunks(width).map(|c| crate::bytes::ByteOrder::Little.uint(c)).collect();
            prop_assert_eq!(read, truth);
        }
    }

    #[test]
    fn every_half_is_the_float_that_its_digits_say() {
        // Value = ±2^(e−25) × (1024 + f), or ±2^−24 × f for subnormals; exact in f64.
        for number in 0..=u16::MAX {
            let (e, f) = (i32::from(number >> 10 & 31), f64::from(number & 0x3ff));
            let sign = if number >> 15 == 1 { -1.0 } else { 1.0 };
            let widened = half(number);
            match e {
                31 if f == 0.0 => assert_eq!(f64::from(widened), sign * f64::INFINITY),
                31 => assert!(widened.is_nan()),
                0 => assert_eq!(f64::from(widened), sign * f * f64::powi(2.0, -24)),
                _ => assert_eq!(f64::from(widened), sign * (1024.0 + f) * f64::powi(2.0, e - 25)),
            }
            assert_eq!(widened.is_sign_negative(), sign < 0.0);
        }
    }
}
