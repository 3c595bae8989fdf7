//! MetaMorph's stacks (.stk): one directory, and tags that tell of all planes ("MetaMorph Stack (STK) Image File
//! Format", Molecular Devices).

use super::units::{interval, is_positive, micrometres};
use super::{Metadata, Stated};
use crate::bytes::{ByteOrder, Bytes};
use crate::ifd::{Ifd, tag};

/// Bytes of `UIC2` for a plane: step in z as a fraction, date and time of creation, date and time of change.
const PER_PLANE: usize = 24;
/// Planes whose times are read.
const MOST_PLANES: u64 = 4096;
/// Pairs of `UIC1` that are looked at.
const MOST_PAIRS: u64 = 128;

const DAY_MS: f64 = 86_400_000.0;

pub(super) fn read(ifd: &Ifd, bytes: &mut Bytes) -> Option<Metadata> {
    let pages = Some(ifd.count(tag::UIC2)).filter(|n| *n > 0)?;
    let order = ifd.header().order;
    let mut metadata = Metadata { pages: Some(pages), stack_without_directories: true, ..Metadata::default() };
    if let Some(table) = read_table(ifd, bytes, tag::UIC2, PER_PLANE, pages.min(MOST_PLANES)) {
        let planes: Vec<[u32; 6]> = table.chunks_exact(PER_PLANE).map(|raw| longs(raw, order)).collect();
        describe(&planes, &mut metadata);
    }
    metadata.pixel_size_um = pixel_size(ifd, bytes, order);
    Some(metadata)
}

/// `rows` rows at the offset of a tag, whatever its type claims of their length.
fn read_table(ifd: &Ifd, bytes: &mut Bytes, tag: u16, row: usize, rows: u64) -> Option<Vec<u8>> {
    let offset = ifd.offset_of(tag)?;
    let length = rows * row as u64;
    let mut table = bytes.holds(offset, length).then(|| vec![0; length as usize])?;
    bytes.read_at(offset, &mut table).ok()?;
    Some(table)
}

fn longs<const N: usize>(raw: &[u8], order: ByteOrder) -> [u32; N] {
    std::array::from_fn(|i| raw.get(4 * i..4 * i + 4).map_or(0, |word| order.uint(word) as u32))
}

fn describe(planes: &[[u32; 6]], metadata: &mut Metadata) {
    // Dates count days, times milliseconds since midnight.
    let times = planes.iter().map(|p| f64::from(p[2]) * DAY_MS + f64::from(p[3]));
    if let Some(ms) = interval(times, 1.5) {
        metadata.frame_rate_hz = Some(Stated::new(1000.0 / ms, "MetaMorph UIC2"));
    }
    if planes.iter().any(|p| p[0] != 0 && p[1] != 0) {
        metadata
            .notes
            .push("MetaMorph states steps in depth between the pages; they are read as time points of one plane".to_owned());
    }
}

/// `XCalibration` (4) and `CalibrationUnits` (6) of `UIC1`, where `SpatialCalibration` (3) is on.
fn pixel_size(ifd: &Ifd, bytes: &mut Bytes, order: ByteOrder) -> Option<Stated<f64>> {
    let pairs = read_table(ifd, bytes, tag::UIC1, 8, ifd.count(tag::UIC1).min(MOST_PAIRS))?;
    let value = |id: u32| pairs.chunks_exact(8).map(|raw| longs::<2>(raw, order)).find(|p| p[0] == id).map(|p| u64::from(p[1]));
    if value(3)? == 0 {
        return None;
    }
    let mut fraction = [0; 8];
    let (at, text_at) = (value(4)?, value(6)?);
    if !bytes.holds(at, 8) || !bytes.holds(text_at, 4) {
        return None;
    }
    bytes.read_at(at, &mut fraction).ok()?;
    let [numerator, denominator] = longs::<2>(&fraction, order).map(f64::from);
    let mut length = [0; 4];
    bytes.read_at(text_at, &mut length).ok()?;
    let mut unit = vec![0; order.uint(&length).min(32) as usize];
    if !bytes.holds(text_at + 4, unit.len() as u64) {
        return None;
    }
    bytes.read_at(text_at + 4, &mut unit).ok()?;
    let unit = String::from_utf8_lossy(&unit);
    let size = numerator / denominator * micrometres(unit.trim_end_matches('\0'))?;
    is_positive(size).then(|| Stated::new(size, "MetaMorph XCalibration"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(planes: &[[u32; 6]]) -> Metadata {
        let mut metadata = Metadata::default();
        describe(planes, &mut metadata);
        metadata
    }

    #[test]
    fn times_over_midnight_make_a_rate() {
        let plane = |i: u32| [0, 1, 2_453_000 + i / 10, (86_399_000 + i * 100) % 86_400_000, 0, 0];
        let metadata = described(&(0..20).map(plane).collect::<Vec<_>>());
        assert_eq!(metadata.frame_rate_hz.as_ref().map(|r| (r.value, r.field.as_str())), Some((10.0, "MetaMorph UIC2")));
        assert_eq!(metadata.notes, Vec::<String>::new());
    }

    #[test]
    fn times_that_stand_still_are_no_rate_and_steps_in_depth_are_noted() {
        let metadata = described(&[[5, 1, 2_453_000, 7, 0, 0]; 5]);
        assert_eq!(metadata.frame_rate_hz, None);
        assert!(metadata.notes[0].contains("depth"));
    }
}
