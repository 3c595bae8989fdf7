//! Every decoder, fed with bytes of anybody's choice.

use super::{ChunkDecoder, Wanted};
use crate::bytes::ByteOrder;
use crate::page::{Compression, Page, Shape, Stored};
use crate::{Pixels, SampleType};

const HEAD: usize = 6;

/// Decodes `data` as one chunk of a small frame. Its first 6 bytes choose the type, compression, predictor, size and
/// samples; the others are what lies in the file. Whether it unpacks does not matter, only that it returns.
pub(crate) fn decode_arbitrary(data: &[u8]) {
    let Some((head, packed)) = data.split_first_chunk::<HEAD>() else { return };
    let [kind, layout, predictor, height, width, samples] = *head;
    let stored = stored(kind);
    let (height, width) = (usize::from(height) % 64 + 1, usize::from(width) % 64 + 1);
    let samples = usize::from(samples) % 4 + 1;
    let page = Page {
        shape: Shape { height, width, stored: stored.delivered, samples, palette: false },
        stored,
        compression: [Compression::PackBits, Compression::Lzw, Compression::Deflate, Compression::Zstd, Compression::None]
            [usize::from(layout % 5)],
        predictor: if stored.is_float() { u16::from(predictor) % 3 + 1 } else { u16::from(predictor) % 2 + 1 },
        reversed: false,
        separate: layout & 64 > 0,
        white_is_zero: false,
        chunk_height: height,
        chunk_width: width + usize::from(layout >> 4 & 3),
        across: 1,
        chunks: Vec::new(),
    };
    let order = if layout & 128 > 0 { ByteOrder::Big } else { ByteOrder::Little };
    let wanted = Wanted { order, sample: samples - 1, dtype: stored.delivered };
    let mut pixels = Pixels::U8(Vec::new());
    let frame = pixels.make_room(stored.delivered, height * width);
    let _ = ChunkDecoder::default().decode(&page, 0, packed, wanted, frame);
}

fn stored(kind: u8) -> Stored {
    let (bits, delivered) = match kind {
        0..=31 => (kind.clamp(2, 8), SampleType::U8),
        32..=63 => (9 + kind % 8, SampleType::U16),
        64..=95 => (17 + kind % 16, SampleType::U32),
        96..=127 => (64, SampleType::U64),
        128..=159 => (16, SampleType::I16),
        160..=191 => (16, SampleType::F32),
        192..=223 => (32, SampleType::F32),
        _ => (64, SampleType::F64),
    };
    Stored { bits, delivered }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_bytes_are_decoded_or_refused(data in prop::collection::vec(any::<u8>(), 0..400)) {
            decode_arbitrary(&data);
        }
    }
}
