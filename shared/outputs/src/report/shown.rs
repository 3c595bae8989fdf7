//! Which ROIs a report shows, and their masks.

use dropscope_segmentation::{Roi, SegmentedRecording};

use super::encode::varint;

/// More than these are not shown: cells first.
const MOST_ROIS: usize = 10_000;
/// Bytes of all masks, at most.
const MOST_MASKS: usize = 1_500_000;

/// One ROI that is shown.
pub(super) struct At {
    pub(super) plane: usize,
    pub(super) roi: usize,
    /// Its number through all planes, as in the tables.
    pub(super) number: usize,
    pub(super) is_cell: bool,
}

/// The ROIs that are shown, plane by plane.
pub(super) struct Shown {
    pub(super) rois: Vec<At>,
    /// Masks in the same order: number of runs; for each, rows below the run before, columns right of its start
    /// (zigzag), and length.
    pub(super) masks: Vec<u8>,
    /// How many there are in all.
    pub(super) of: usize,
}

impl Shown {
    pub(super) fn of(recording: &SegmentedRecording) -> Self {
        let all = recording.planes.iter().enumerate();
        let all = all.flat_map(|(plane, seg)| seg.rois.iter().enumerate().map(move |(roi, r)| (plane, roi, r)));
        let mut order: Vec<(usize, (usize, usize, &Roi))> = all.enumerate().collect();
        let of = order.len();
        order.sort_by_key(|&(number, (_, _, roi))| (!roi.is_cell, number));
        let (mut kept, mut bytes) = (Vec::new(), 0);
        for (number, (plane, roi, r)) in order.into_iter().take(MOST_ROIS) {
            let mask = mask(r);
            bytes += mask.len();
            if bytes > MOST_MASKS {
                break;
            }
            kept.push((At { plane, roi, number, is_cell: r.is_cell }, mask));
        }
        kept.sort_by_key(|(at, _)| at.number);
        let (rois, masks): (Vec<At>, Vec<Vec<u8>>) = kept.into_iter().unzip();
        Self { rois, masks: masks.concat(), of }
    }

    pub(super) fn cells(&self) -> usize {
        self.rois.iter().filter(|at| at.is_cell).count()
    }

    /// Position of a ROI among those that are shown.
    pub(super) fn position(&self, plane: usize, roi: usize) -> Option<usize> {
        self.rois.binary_search_by_key(&(plane, roi), |at| (at.plane, at.roi)).ok()
    }
}

/// The pixels of a ROI as runs along rows.
fn mask(roi: &Roi) -> Vec<u8> {
    let mut pixels: Vec<(u32, u32)> = roi.ypix.iter().copied().zip(roi.xpix.iter().copied()).collect();
    pixels.sort_unstable();
    pixels.dedup();
    let mut runs: Vec<(u32, u32, u32)> = Vec::new();
    for (y, x) in pixels {
        match runs.last_mut() {
            Some(run) if run.0 == y && run.1 + run.2 == x => run.2 += 1,
            _ => runs.push((y, x, 1)),
        }
    }
    let mut out = Vec::new();
    varint(runs.len() as u32, &mut out);
    let (mut row, mut column) = (0, 0);
    for (y, x, length) in runs {
        let right = i64::from(x) - i64::from(column);
        varint(y - row, &mut out);
        varint(((right << 1) ^ (right >> 63)) as u32, &mut out);
        varint(length, &mut out);
        (row, column) = (y, x);
    }
    out
}
