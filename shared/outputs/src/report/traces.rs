//! The traces of a run, thinned out in one pass, so that they fit whatever their length.

use dropscope_segmentation::SegmentedRecording;
use serde_json::{Value, json};

use super::encode::{Kind, Level, Thinned};
use super::shown::Shown;
use crate::delta_f_over_f;

/// Bytes of the scales before the codes of a ROI: least and largest of four signals, float32.
const SCALES: usize = 32;
/// ROIs that are no cells get this part of the resolution of a cell.
const COARSER: usize = 4;
/// Fewest parts of a trace that are worth looking at.
const FEWEST: usize = 32;
/// Bytes of a block, about; a page decodes one block at a time.
const BLOCK: usize = 512 << 10;

/// The traces of one ROI, one value per frame each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoiTraces {
    /// Fluorescence, raw units.
    pub f: Vec<f32>,
    /// Fluorescence of the surround, raw units.
    pub fneu: Vec<f32>,
    /// ΔF/F, a fraction; NaN where it has no meaning.
    pub dff: Vec<f32>,
    /// Deconvolved activity.
    pub spks: Vec<f32>,
}

/// Where the traces of a run are: in memory, or too large for it.
pub trait Traces {
    /// Frames of the longest plane.
    fn frames(&self) -> usize;

    /// Puts the traces of a ROI of a plane into `out`, whose room is used again.
    fn read(&self, plane: usize, roi: usize, out: &mut RoiTraces);
}

/// The traces that a segmented recording holds.
pub(super) struct Held<'a> {
    pub(super) recording: &'a SegmentedRecording,
    pub(super) frame_rate_hz: f64,
}

impl Traces for Held<'_> {
    fn frames(&self) -> usize {
        self.recording.planes.iter().map(|seg| seg.f.ncols()).max().unwrap_or(0)
    }

    fn read(&self, plane: usize, roi: usize, out: &mut RoiTraces) {
        let Some(seg) = self.recording.planes.get(plane) else { return };
        for (to, from) in [(&mut out.f, &seg.f), (&mut out.fneu, &seg.fneu), (&mut out.spks, &seg.spks)] {
            to.clear();
            to.extend(from.row(roi));
        }
        out.dff = delta_f_over_f(seg, roi, self.frame_rate_hz);
    }
}

/// How the four signals of a ROI are stored: F, neuropil, ΔF/F, spikes.
type Levels = [Level; 4];

/// What becomes of the traces of cells and of other ROIs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Resolution {
    cell: Levels,
    other: Levels,
}

impl Resolution {
    /// The finest that `budget` bytes hold: every frame in two bytes or one, else envelopes.
    pub(super) fn of(frames: usize, cells: usize, others: usize, budget: usize) -> Self {
        let exact = |bytes| [Level { parts: frames, kind: Kind::Exact, bytes }; 4];
        for bytes in [2, 1] {
            let all = Self { cell: exact(bytes), other: exact(bytes) };
            if all.size(cells, others) <= budget {
                return all;
            }
        }
        // ΔF/F in two codes a part, spikes in one, F of half and neuropil of a quarter as many parts in two: 4.5 bytes.
        let rest = budget.saturating_sub((cells + others) * SCALES);
        let shares = 9 * (COARSER * cells + others);
        let parts = (2 * COARSER * rest / shares.max(1)).max(FEWEST);
        let levels = |parts: usize| {
            let level = |parts: usize, kind| Level::within(frames, parts.max(1), kind, 1);
            let envelope = |parts| level(parts, Kind::Envelope);
            [envelope(parts / 2), envelope(parts / 4), envelope(parts), level(parts, Kind::Peak)]
        };
        Self { cell: levels(parts), other: levels((parts / COARSER).max(FEWEST)) }
    }

    fn levels(&self, is_cell: bool) -> &Levels {
        if is_cell { &self.cell } else { &self.other }
    }

    fn size(&self, cells: usize, others: usize) -> usize {
        let of = |levels: &Levels| SCALES + levels.iter().map(|l| l.size()).sum::<usize>();
        cells * of(&self.cell) + others * of(&self.other)
    }

    /// The layout as the page reads it: `[parts, kind, bytes]` of each signal.
    pub(super) fn json(&self) -> Value {
        let of = |levels: &Levels| levels.iter().map(|l| json!([l.parts, l.code(), l.bytes])).collect::<Vec<_>>();
        json!({ "cell": of(&self.cell), "other": of(&self.other) })
    }
}

/// The traces of all ROIs that are shown.
pub(super) struct Packed {
    /// Blocks of whole ROIs, one after the other.
    pub(super) blocks: Vec<Vec<u8>>,
    /// ROIs that each block holds.
    pub(super) counts: Vec<usize>,
    /// Mean of the neuropil of the ROIs shown, frame by frame.
    pub(super) surround: Vec<f32>,
}

impl Packed {
    /// One pass: no more than the traces of one ROI are held beside the result.
    pub(super) fn of(shown: &Shown, traces: &dyn Traces, resolution: &Resolution) -> Self {
        let frames = traces.frames();
        let (mut thinned, mut roi) = (Thinned::default(), RoiTraces::default());
        let (mut sums, mut codes) = (vec![0.0f64; frames], Vec::new());
        let mut all = Self { blocks: Vec::new(), counts: Vec::new(), surround: Vec::new() };
        let (mut block, mut count) = (Vec::new(), 0);
        for at in &shown.rois {
            traces.read(at.plane, at.roi, &mut roi);
            codes.clear();
            let signals = [&roi.f, &roi.fneu, &roi.dff, &roi.spks];
            for (values, level) in signals.into_iter().zip(resolution.levels(at.is_cell)) {
                let (least, largest) = thinned.append(values, frames, *level, &mut codes);
                block.extend(least.to_le_bytes());
                block.extend(largest.to_le_bytes());
            }
            block.extend_from_slice(&codes);
            sums.iter_mut().zip(&roi.fneu).for_each(|(sum, v)| *sum += f64::from(*v));
            count += 1;
            if block.len() >= BLOCK {
                all.blocks.push(std::mem::take(&mut block));
                all.counts.push(std::mem::take(&mut count));
            }
        }
        if count > 0 {
            all.blocks.push(block);
            all.counts.push(count);
        }
        all.surround = sums.iter().map(|sum| (sum / shown.rois.len().max(1) as f64) as f32).collect();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_kept_and_used_whatever_the_run() {
        for (frames, cells, others) in
            [(100_000, 5000, 0), (100_000, 0, 5000), (1_000_000, 3000, 7000), (9000, 700, 40), (50, 9, 1)]
        {
            let budget = 6_000_000;
            let size = Resolution::of(frames, cells, others, budget).size(cells, others);
            let exact = (cells + others) * (SCALES + 8 * frames);
            assert!(size <= budget && (size > budget / 4 * 3 || size == exact), "{frames} {cells} {others}: {size}");
        }
    }

    #[test]
    fn nothing_is_thinned_that_fits() {
        let resolution = Resolution::of(800, 23, 57, 6_000_000);
        assert!(resolution.cell.iter().chain(&resolution.other).all(|l| l.kind == Kind::Exact && l.bytes == 2));
    }
}
