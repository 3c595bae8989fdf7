//! What is compared: the activity of the cells, and how much any two share.

use super::{in_pieces, summed};
use crate::{ClusterBy, Member, Params, Segmentation};
use ndarray::Array2;
use rayon::prelude::*;

/// Members × time bins, every row of mean 0; of variance 1 too (a constant one stays 0) where correlations are asked for.
///
/// The traces are averaged over half of the indicator's decay time: two values in the time in which the indicator forgets keep
/// what it lets through, and what is faster is noise.
pub(super) fn rows(planes: &[Segmentation], members: &[Member], params: &Params) -> Array2<f64> {
    let frames = planes.iter().map(|seg| seg.f.ncols()).min().unwrap_or(0);
    let half = libm::round(0.5 * params.tau_s * params.frame_rate_hz).max(1.0) as usize;
    // Correlations of fewer than some dozens of bins are chance: a short recording is binned less.
    let size = half.min((frames / 64).max(1));
    let bins = frames / size;
    let mut out = Array2::zeros((members.len(), bins));
    for (mut row, member) in out.rows_mut().into_iter().zip(members) {
        let trace = corrected(&planes[member.plane], member.roi);
        for (value, part) in row.iter_mut().zip(trace.chunks_exact(size)) {
            *value = part.iter().sum::<f64>() / size as f64;
        }
        let mean = row.iter().sum::<f64>() / bins.max(1) as f64;
        row.iter_mut().for_each(|v| *v -= mean);
        let sd = (row.iter().map(|v| v * v).sum::<f64>() / bins.max(1) as f64).sqrt();
        if params.cluster_by == ClusterBy::Correlation && sd > 0.0 {
            row.iter_mut().for_each(|v| *v /= sd);
        }
    }
    out
}

/// Fluorescence less the part of the surround's that reaches the cell, raw units.
fn corrected(seg: &Segmentation, roi: usize) -> Vec<f64> {
    let part = f64::from(seg.rois[roi].neuropil_coefficient);
    seg.f.row(roi).iter().zip(seg.fneu.row(roi)).map(|(&f, &n)| f64::from(f) - part * f64::from(n)).collect()
}

/// Rows × `references`, symmetric to the bit where all rows are references.
pub(super) fn covariance(rows: &Array2<f64>, references: &[usize]) -> Array2<f64> {
    let (bins, rows) = (rows.ncols().max(1) as f64, in_pieces(rows));
    let of_row = |i: usize| {
        let with = |&j: &usize| summed(&rows[i], &rows[j], |a, b| a * b) / bins;
        references.iter().map(with).collect::<Vec<f64>>()
    };
    let all: Vec<Vec<f64>> = (0..rows.len()).into_par_iter().map(of_row).collect();
    Array2::from_shape_fn((rows.len(), references.len()), |(i, j)| all[i][j])
}
