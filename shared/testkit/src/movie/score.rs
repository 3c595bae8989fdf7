//! How many of the planted cells a segmentation found.

use std::collections::BTreeSet;

use super::Truth;

/// Overlap that counts as found: intersection over union.
const LEAST_OVERLAP: f64 = 0.3;
/// Registration fixes the tissue only up to a common shift; larger ones than this are errors.
const FARTHEST: i64 = 4;

/// The tally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    /// Cells planted.
    pub planted: usize,
    /// Planted cells that a ROI covers.
    pub found: usize,
    /// ROIs that cover no planted cell, or one that another ROI covers better.
    pub false_positives: usize,
}

/// Matches ROIs (rows, columns of pixels) with the planted cells.
///
/// One to one, the best overlap first; a pair counts when the intersection over the union is at
/// least 0.3 and the centres are within the cell's radius. The registered movie may lie anywhere,
/// so the one whole-pixel shift of up to 4 pixels that finds most cells is applied to all ROIs.
#[must_use]
pub fn found(truth: &Truth, rois: &[(Vec<u32>, Vec<u32>)]) -> Score {
    let regions: Vec<Region> = rois.iter().map(|(y, x)| Region::new(y, x)).collect();
    let cells: Vec<Region> = truth.cells.iter().map(|c| Region::new(&c.ypix, &c.xpix)).collect();
    let shifts = (-FARTHEST..=FARTHEST).flat_map(|y| (-FARTHEST..=FARTHEST).map(move |x| (y, x)));
    let found = shifts.map(|shift| matched(truth, &cells, &regions, shift)).max().unwrap_or(0);
    Score { planted: cells.len(), found, false_positives: regions.len() - found }
}

struct Region {
    pixels: BTreeSet<(i64, i64)>,
    centre: (f64, f64),
}

impl Region {
    fn new(ypix: &[u32], xpix: &[u32]) -> Self {
        let pixels: BTreeSet<(i64, i64)> = ypix.iter().zip(xpix).map(|(&y, &x)| (i64::from(y), i64::from(x))).collect();
        let n = pixels.len().max(1) as f64;
        let sum = pixels.iter().fold((0, 0), |s, p| (s.0 + p.0, s.1 + p.1));
        let centre = (sum.0 as f64 / n, sum.1 as f64 / n);
        Self { pixels, centre }
    }

    fn overlap(&self, other: &Self, (dy, dx): (i64, i64)) -> f64 {
        let moved = |p: &&(i64, i64)| self.pixels.contains(&(p.0 + dy, p.1 + dx));
        let both = other.pixels.iter().filter(moved).count();
        let all = self.pixels.len() + other.pixels.len() - both;
        both as f64 / all.max(1) as f64
    }
}

fn matched(truth: &Truth, cells: &[Region], rois: &[Region], shift: (i64, i64)) -> usize {
    let mut pairs = Vec::new();
    for (c, cell) in cells.iter().enumerate() {
        for (r, roi) in rois.iter().enumerate() {
            let dy = roi.centre.0 + shift.0 as f64 - cell.centre.0;
            let dx = roi.centre.1 + shift.1 as f64 - cell.centre.1;
            if libm::hypot(dy, dx) <= truth.cells[c].radius {
                let overlap = cell.overlap(roi, shift);
                if overlap >= LEAST_OVERLAP {
                    pairs.push((overlap, c, r));
                }
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut used_cells, mut used_rois) = (BTreeSet::new(), BTreeSet::new());
    for (_, c, r) in pairs {
        if !used_cells.contains(&c) && !used_rois.contains(&r) {
            used_cells.insert(c);
            used_rois.insert(r);
        }
    }
    used_cells.len()
}
