//! Samples of up to 16 bits, all worked on as uint16.

use dropscope_recording::Pixels;

/// A sample of up to 16 bits. Lifted to uint16 in the same order, one loop of integers serves every type: its sums are
/// exact, whatever the order they are taken in.
pub(crate) trait Narrow: Copy + Send + Sync {
    /// What lifting adds to the value.
    const LIFT: i32;
    /// The value plus [`Self::LIFT`].
    fn lifted(self) -> u16;
    /// The samples of a frame of this type; none of another.
    fn of(pixels: &Pixels) -> Option<&[Self]>;
}

macro_rules! narrow {
    ($sample:ty, $kind:ident, $lift:expr, $lifted:expr) => {
        impl Narrow for $sample {
            const LIFT: i32 = $lift;

            fn lifted(self) -> u16 {
                $lifted(self)
            }

            fn of(pixels: &Pixels) -> Option<&[Self]> {
                if let Pixels::$kind(samples) = pixels { Some(samples) } else { None }
            }
        }
    };
}

narrow!(u8, U8, 0, u16::from);
narrow!(i8, I8, 1 << 7, |sample: i8| u16::from((sample ^ i8::MIN).cast_unsigned()));
narrow!(u16, U16, 0, |sample: u16| sample);
narrow!(i16, I16, 1 << 15, |sample: i16| (sample ^ i16::MIN).cast_unsigned());

#[cfg(test)]
mod tests {
    use super::*;

    fn lifts<T: Narrow + Into<i32>>(sample: T) -> bool {
        i32::from(sample.lifted()) == sample.into() + T::LIFT
    }

    #[test]
    fn lifting_adds_the_same_to_every_value() {
        assert!((u8::MIN..=u8::MAX).all(lifts) && (i8::MIN..=i8::MAX).all(lifts));
        assert!((u16::MIN..=u16::MAX).all(lifts) && (i16::MIN..=i16::MAX).all(lifts));
    }
}
