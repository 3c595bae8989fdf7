//! What the fuzz target calls: bytes from outside to the part that meets them first.

use crate::checkpoint::{Reader, read_finished};
use crate::numeric::Plane;
use crate::{Forgetful, detection, extraction, registration};

/// Reads bytes as what each of the records holds; the digest that would keep them out is not what is looked for.
pub fn checkpoints(bytes: &[u8]) {
    let (plane, frames, traces) = (Plane { height: 50, width: 9 }, 7, 4);
    let mut keeper = Forgetful;
    // What is refused is refused; what matters is that nothing worse happens.
    registration::read_each(bytes, plane, frames);
    drop(detection::read(&mut Reader::of_payload(&mut keeper, bytes), plane));
    drop(extraction::read(&mut Reader::of_payload(&mut keeper, bytes), traces, (0, frames)));
    drop(read_finished(&mut Reader::of_payload(&mut keeper, bytes), plane, frames));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_taken_up_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..20_000), zeros in 0usize..20_000) {
            super::checkpoints(&bytes);
            // Zeros come far: they are counts, flags and floats that make sense.
            super::checkpoints(&[vec![0; zeros], bytes].concat());
        }
    }
}
