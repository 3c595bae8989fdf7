//! LZW of TIFF (TIFF 6.0, section 13): codes of 9 to 12 bits, the highest bit first, widened one code early.
//!
//! A string of the table is always a copy of what was written before: the string of the code before it and one byte
//! more, which stand side by side in the output. So the table holds places in the output, and a code is one copy.

use weezl::BitOrder;
use weezl::decode::Decoder;

const CLEAR: usize = 256;
const END: usize = 257;
const FIRST: usize = 258;
const CODES: usize = 4096;
/// Strings of up to this many bytes are copied as one word.
const WORD: usize = 8;

/// Where a string stands in the output.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    start: u32,
    len: u32,
}

/// The table, kept from chunk to chunk.
pub(super) struct Lzw {
    places: Box<[Place; CODES]>,
}

impl Default for Lzw {
    fn default() -> Self {
        Self { places: Box::new([Place::default(); CODES]) }
    }
}

impl Lzw {
    /// Unpacks until `out` is full. Returns how many bytes there were.
    pub(super) fn decode(&mut self, packed: &[u8], out: &mut [u8]) -> usize {
        // The first code clears the table; only with the lowest bit first does it look so.
        if packed.len() > 1 && packed[0] == 0 && packed[1] & 1 == 1 {
            return decode_old_style(packed, out);
        }
        let mut codes = Codes { packed, next: 0, bits: 0, held: 0 };
        let mut strings = Strings::new(&mut self.places);
        let mut done = 0;
        while done < out.len() {
            let Some(code) = codes.take(strings.width) else { break };
            match code {
                CLEAR => strings.clear(),
                END => break,
                _ => match strings.write(code, out, done) {
                    Some(written) => done += written,
                    None => break,
                },
            }
        }
        done
    }
}

/// Reads codes, the highest bit first.
struct Codes<'a> {
    packed: &'a [u8],
    next: usize,
    /// Bits held, from the highest down.
    bits: u64,
    held: u32,
}

impl Codes<'_> {
    #[inline]
    fn take(&mut self, width: u32) -> Option<usize> {
        if self.held < width {
            self.refill(width)?;
        }
        let code = (self.bits >> (64 - width)) as usize;
        self.bits <<= width;
        self.held -= width;
        Some(code)
    }

    #[inline]
    fn refill(&mut self, width: u32) -> Option<()> {
        if let Some(word) = self.packed.get(self.next..).and_then(<[u8]>::first_chunk::<8>) {
            self.bits |= u64::from_be_bytes(*word) >> self.held;
            let bytes = (63 - self.held) / 8;
            self.next += bytes as usize;
            self.held += 8 * bytes;
            return Some(());
        }
        while self.held <= 56 {
            let Some(byte) = self.packed.get(self.next) else { break };
            self.bits |= u64::from(*byte) << (56 - self.held);
            self.held += 8;
            self.next += 1;
        }
        (self.held >= width).then_some(())
    }
}

/// The strings that codes stand for.
struct Strings<'a> {
    places: &'a mut [Place; CODES],
    /// The code that is given away next.
    next: usize,
    width: u32,
    /// The code from which on codes are wider.
    wider: usize,
    /// The string of the code before; of no length after the table was cleared.
    before: Place,
}

impl<'a> Strings<'a> {
    fn new(places: &'a mut [Place; CODES]) -> Self {
        Self { places, next: FIRST, width: 9, wider: (1 << 9) - 1, before: Place::default() }
    }

    fn clear(&mut self) {
        (self.next, self.width, self.wider, self.before) = (FIRST, 9, (1 << 9) - 1, Place::default());
    }

    /// Writes the string of a code at `at` and learns the next one. Returns its length, `None` for a code that means nothing.
    #[inline]
    fn write(&mut self, code: usize, out: &mut [u8], at: usize) -> Option<usize> {
        let before = self.before;
        let longer = Place { start: before.start, len: before.len + 1 };
        let room = out.len() - at;
        let len = if code < CLEAR {
            out[at] = code as u8;
            1
        } else if code < self.next {
            let place = self.places[code % CODES];
            copy(out, place.start as usize, at, (place.len as usize).min(room))
        } else if code == self.next && before.len > 0 {
            copy(out, longer.start as usize, at, (longer.len as usize).min(room))
        } else {
            return None;
        };
        if before.len > 0 && self.next < CODES {
            self.places[self.next % CODES] = longer;
            self.next += 1;
            if self.next >= self.wider && self.width < 12 {
                self.width += 1;
                self.wider = (1 << self.width) - 1;
            }
        }
        self.before = Place { start: at as u32, len: len as u32 };
        Some(len)
    }
}

/// Copies bytes forward; the last of them may be the first that was copied.
#[inline]
fn copy(out: &mut [u8], start: usize, at: usize, len: usize) -> usize {
    if len <= WORD && start + WORD <= at && at + WORD <= out.len() {
        let (written, rest) = out.split_at_mut(at);
        // What is copied beyond the string is written over by the next one.
        rest[..WORD].copy_from_slice(&written[start..start + WORD]);
    } else if start + len <= at {
        out.copy_within(start..start + len, at);
    } else {
        (0..len).for_each(|i| out[at + i] = out[start + i]);
    }
    len
}

/// LZW as it was before TIFF 6.0, the lowest bit first and widened in time; libtiff calls it compatible with 5.0.
fn decode_old_style(packed: &[u8], out: &mut [u8]) -> usize {
    let mut decoder = Decoder::new(BitOrder::Lsb, 8);
    let (mut read, mut done) = (0, 0);
    while done < out.len() {
        let step = decoder.decode_bytes(&packed[read..], &mut out[done..]);
        read += step.consumed_in;
        done += step.consumed_out;
        if step.status.is_err() || (step.consumed_in == 0 && step.consumed_out == 0) {
            break;
        }
    }
    done
}
