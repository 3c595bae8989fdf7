//! LZW as GIF has it (Graphics Interchange Format, version 89a, CompuServe 1990, appendix F; Welch, IEEE Computer 17,
//! 8, 1984).
//!
//! A frame of noise is a chain of short words, so that nearly all time goes into looking words up: here in a hash table
//! that the first cache holds, some 7 ns a pixel.

/// Codes of the largest dictionary.
const CODES: u32 = 1 << 12;
/// Slots of the table: half of them are free when the dictionary is full.
const SLOT_BITS: u32 = 13;
const FREE: u32 = u32::MAX;

/// Compresses pixels of `bits` bits each, 2 to 8: the size of the first codes, and the codes.
pub(crate) fn compress(pixels: impl ExactSizeIterator<Item = u8>, bits: u32) -> Vec<u8> {
    let mut codes = Codes::new(bits, pixels.len());
    let mut words = Words::new();
    let mut word = None;
    for pixel in pixels {
        let Some(known) = word else {
            word = Some(u32::from(pixel));
            continue;
        };
        word = Some(match words.find(known, pixel) {
            Ok(longer) => longer,
            Err(slot) => {
                codes.put(known);
                match codes.learn() {
                    Some(code) => words.keep(slot, known, pixel, code),
                    None => words.slots.fill(FREE),
                }
                u32::from(pixel)
            }
        });
    }
    codes.finish(word)
}

/// Words that were met: each an earlier word and one more pixel.
struct Words {
    /// Earlier word, pixel and code of a word: 12, 8 and 12 bits.
    slots: Box<[u32]>,
}

impl Words {
    fn new() -> Self {
        Self { slots: vec![FREE; 1 << SLOT_BITS].into() }
    }

    /// The code of a word and one more pixel, or where it has its place.
    fn find(&self, word: u32, pixel: u8) -> Result<u32, usize> {
        let key = (word << 8) | u32::from(pixel);
        // Multiplication by 2^32 over the golden ratio scatters (Knuth, The Art of Computer Programming 3, 6.4).
        let first = (key.wrapping_mul(0x9e37_79b1) >> (u32::BITS - SLOT_BITS)) as usize;
        let mut slot = first;
        loop {
            match self.slots.get(slot) {
                Some(found) if *found == FREE => return Err(slot),
                Some(found) if found >> 12 == key => return Ok(found & (CODES - 1)),
                _ => slot = (slot + 1) % (1 << SLOT_BITS),
            }
        }
    }

    fn keep(&mut self, slot: usize, word: u32, pixel: u8, code: u32) {
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = (word << 20) | (u32::from(pixel) << 12) | code;
        }
    }
}

/// Codes of growing size, packed from the lowest bit on.
struct Codes {
    bytes: Vec<u8>,
    held: u64,
    held_bits: u32,
    /// The code that empties the dictionary; the next one ends the data.
    clear: u32,
    /// The code of the next new word.
    next: u32,
    /// Bits of a code.
    size: u32,
    first_size: u32,
}

impl Codes {
    fn new(bits: u32, pixels: usize) -> Self {
        let clear = 1 << bits;
        let mut bytes = Vec::with_capacity(pixels);
        bytes.push(bits as u8);
        let mut codes = Self { bytes, held: 0, held_bits: 0, clear, next: clear + 2, size: bits + 1, first_size: bits + 1 };
        codes.put(clear);
        codes
    }

    fn put(&mut self, code: u32) {
        self.held |= u64::from(code) << self.held_bits;
        self.held_bits += self.size;
        if self.held_bits >= u32::BITS {
            self.bytes.extend_from_slice(&(self.held as u32).to_le_bytes());
            self.held >>= u32::BITS;
            self.held_bits -= u32::BITS;
        }
    }

    /// Counts a new word: its code, or none where the dictionary was full and is empty now.
    fn learn(&mut self) -> Option<u32> {
        let code = self.next;
        if code == CODES {
            self.put(self.clear);
            (self.next, self.size) = (self.clear + 2, self.first_size);
            return None;
        }
        self.size += u32::from(code == 1 << self.size);
        self.next += 1;
        Some(code)
    }

    fn finish(mut self, last: Option<u32>) -> Vec<u8> {
        if let Some(word) = last {
            self.put(word);
            // The reader learns a word from this code, too.
            self.size += u32::from(self.next == 1 << self.size && self.next < CODES);
        }
        self.put(self.clear + 1);
        let left = self.held_bits.div_ceil(u8::BITS) as usize;
        self.bytes.extend(self.held.to_le_bytes().into_iter().take(left));
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the `gif` crate reads back from one frame of so many pixels.
    fn read_back(compressed: Vec<u8>, count: usize) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = gif::Encoder::new(&mut file, count as u16, 1, &[0; 768]).unwrap();
        let frame = gif::Frame { width: count as u16, height: 1, buffer: compressed.into(), ..gif::Frame::default() };
        encoder.write_lzw_pre_encoded_frame(&frame).unwrap();
        drop(encoder);
        let mut decoder = gif::DecodeOptions::new().read_info(&file[..]).unwrap();
        decoder.read_next_frame().unwrap().unwrap().buffer.to_vec()
    }

    proptest! {
        #[test]
        fn what_is_compressed_is_read_back(bits in 2_u32..=8, pixels in prop::collection::vec(any::<u8>(), 1..30_000), narrow in 0_u32..8) {
            let pixels: Vec<u8> = pixels.into_iter().map(|p| (p >> narrow) >> (8 - bits)).collect();
            prop_assert_eq!(read_back(compress(pixels.iter().copied(), bits), pixels.len()), pixels);
        }
    }

    #[test]
    fn every_length_ends_well() {
        let mut state = 1_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 28) as u8
        };
        let pixels: Vec<u8> = (0..9000).map(|_| next()).collect();
        for count in (1..2000).chain(8000..9000) {
            let cut = &pixels[..count];
            assert_eq!(read_back(compress(cut.iter().copied(), 4), count), cut, "{count}");
        }
    }
}
