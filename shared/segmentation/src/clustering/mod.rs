//! Groups of cells that are active together: k-means of the rows of the cells' covariance matrix, over all planes.

mod activity;
mod groups;
mod silhouette;

use crate::pipeline::{Watch, workers};
use crate::{Clustering, Clusters, Member, Params, Progress, SegmentError, Segmentation, Silhouette, Stage};
use groups::Groups;
use ndarray::{Array2, ArrayView1};
use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Numbers of clusters that [`Clusters::Auto`] tries.
const TRIED: RangeInclusive<usize> = 2..=10;
/// Cells whose covariance with every cell is taken. Up to here that is the whole matrix; of more cells evenly chosen ones
/// stand for all, for the whole matrix would grow with the square of the cells.
const REFERENCES: usize = 4096;

/// Clusters the cells (`is_cell`) of all planes of a recording together: one numbering, from the largest cluster.
///
/// Each cell is described by a row of the covariance matrix, and the rows are grouped by k-means. Planes may be acquired at
/// slightly different moments; where one ends earlier, the frames all have are used. The result is the same to the bit on
/// any number of threads.
///
/// # Errors
/// [`SegmentError::Params`] for settings out of range, [`SegmentError::Threads`] when workers cannot be started,
/// [`SegmentError::Clusters`] when k-means breaks off, [`SegmentError::Cancelled`] when `progress` says so. A recording
/// without cells is no error.
pub fn cluster(planes: &[Segmentation], params: &Params, progress: &dyn Progress) -> Result<Clustering, SegmentError> {
    params.check()?;
    let watch = Watch(progress);
    workers(params)?.install(|| grouped(planes, params, REFERENCES, &watch))
}

fn grouped(planes: &[Segmentation], params: &Params, most: usize, watch: &Watch) -> Result<Clustering, SegmentError> {
    watch.step(Stage::Clustering, 0, 1);
    let members = members(planes);
    let references = evenly(members.len(), most);
    let rows = activity::rows(planes, &members, params);
    let covariance = activity::covariance(&rows, &references);
    let (groups, silhouettes) = chosen(&covariance, params, most, watch)?;
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|&a, &b| {
        let by_label = groups.labels[a].cmp(&groups.labels[b]);
        by_label.then(groups.distances[a].total_cmp(&groups.distances[b])).then(a.cmp(&b))
    });
    watch.step(Stage::Clustering, 1, 1);
    Ok(Clustering {
        by: params.cluster_by,
        members,
        labels: groups.labels,
        references,
        covariance,
        order,
        k: groups.k,
        silhouettes,
    })
}

fn members(planes: &[Segmentation]) -> Vec<Member> {
    let cells = |(plane, seg): (usize, &Segmentation)| {
        let cells: Vec<Member> =
            (0..seg.rois.len()).filter(|&roi| seg.rois[roi].is_cell).map(|roi| Member { plane, roi }).collect();
        cells
    };
    planes.iter().enumerate().flat_map(cells).collect()
}

/// Sum of `term` over pairs of values. Eight sums side by side, always the same ones: as fast as the processor adds, and the
/// same everywhere.
fn summed(a: &[f64], b: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    for (a, b) in a.chunks(LANES).zip(b.chunks(LANES)) {
        for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += term(a, b);
        }
    }
    sums.iter().sum()
}

/// The rows of a matrix, each in one piece.
fn in_pieces<'a>(matrix: &'a Array2<f64>) -> Vec<Cow<'a, [f64]>> {
    let piece = |row: ArrayView1<'a, f64>| row.to_slice().map_or_else(|| Cow::Owned(row.to_vec()), Cow::Borrowed);
    matrix.rows().into_iter().map(piece).collect()
}

/// `0..n`, or `most` of it that are evenly spread.
fn evenly(n: usize, most: usize) -> Vec<usize> {
    let chosen = n.min(most);
    (0..chosen).map(|i| i * n / chosen).collect()
}

/// The groups of the number that is set, or of the number that the silhouettes prefer, with what they said.
fn chosen(
    covariance: &Array2<f64>,
    params: &Params,
    most: usize,
    watch: &Watch,
) -> Result<(Groups, Vec<Silhouette>), SegmentError> {
    let n = covariance.nrows();
    let of = |k: usize| groups::of(covariance, k.min(n), params.seed);
    if let Clusters::Count(k) = params.clusters {
        return Ok((of(k)?, Vec::new()));
    }
    // A silhouette needs a neighbour in the own cluster: as many clusters as cells have none.
    let tried: Vec<usize> = TRIED.filter(|&k| k < n).collect();
    let mut groups = Vec::new();
    for &k in &tried {
        watch.check()?;
        groups.push(of(k)?);
    }
    let sample = evenly(n, most);
    let labels: Vec<Vec<usize>> = groups.iter().map(|g| sample.iter().map(|&i| g.labels[i]).collect()).collect();
    let means = silhouette::means(covariance, &sample, &labels);
    let silhouettes: Vec<Silhouette> = tried.into_iter().zip(means).map(|(k, mean)| Silhouette { k, mean }).collect();
    // Of equals the fewest clusters.
    let best = (0..groups.len()).rev().max_by(|&a, &b| silhouettes[a].mean.total_cmp(&silhouettes[b].mean));
    match best {
        Some(best) => Ok((groups.swap_remove(best), silhouettes)),
        None => Ok((of(1)?, silhouettes)),
    }
}

#[cfg(test)]
mod tests;
