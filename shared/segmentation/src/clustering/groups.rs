//! k-means with several starts.

use crate::SegmentError;
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_clustering::{KMeans, KMeansInit};
use ndarray::{Array1, Array2, ArrayView1};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256Plus;

/// Starts of k-means, the best of which is kept.
const RUNS: usize = 20;
/// Rounds of one start, at most.
const ROUNDS: u64 = 300;

/// Rows in groups.
pub(super) struct Groups {
    /// Number of groups asked for.
    pub k: usize,
    /// Group of each row, numbered from the largest.
    pub labels: Vec<usize>,
    /// Squared distance of each row from the centre of its group.
    pub distances: Vec<f64>,
}

/// `k` groups of the rows: k-means++ (Arthur & Vassilvitskii 2007), the best of several starts.
///
/// # Errors
/// [`SegmentError::Clusters`] when k-means finds no centres.
pub(super) fn of(rows: &Array2<f64>, k: usize, seed: u64) -> Result<Groups, SegmentError> {
    let n = rows.nrows();
    if k < 2 {
        return Ok(Groups { k, labels: vec![0; n], distances: from_mean(rows) });
    }
    let rng = Xoshiro256Plus::seed_from_u64(seed);
    let data = DatasetBase::from(rows.view());
    let model = KMeans::params_with_rng(k, rng)
        .n_runs(RUNS)
        .max_n_iterations(ROUNDS)
        .tolerance(1e-6)
        .init_method(KMeansInit::KMeansPlusPlus)
        .fit(&data)
        .map_err(|source| SegmentError::Clusters(Box::new(source)))?;
    let labels: Array1<usize> = model.predict(&rows.view());
    let distances = (0..n).map(|i| squared(rows.row(i), model.centroids().row(labels[i]))).collect();
    Ok(Groups { k, labels: numbered_by_size(&labels.to_vec()), distances })
}

fn from_mean(rows: &Array2<f64>) -> Vec<f64> {
    let centre = rows.mean_axis(ndarray::Axis(0)).unwrap_or_default();
    rows.rows().into_iter().map(|row| squared(row, centre.view())).collect()
}

fn squared(row: ArrayView1<f64>, centre: ArrayView1<f64>) -> f64 {
    row.iter().zip(&centre).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// The same groups, numbered from the largest; equal sizes in the order of their first member.
fn numbered_by_size(labels: &[usize]) -> Vec<usize> {
    let count = labels.iter().max().map_or(0, |m| m + 1);
    let size = |l: usize| labels.iter().filter(|&&v| v == l).count();
    let first = |l: usize| labels.iter().position(|&v| v == l);
    let mut ranked: Vec<usize> = (0..count).filter(|&l| size(l) > 0).collect();
    ranked.sort_by_key(|&l| (std::cmp::Reverse(size(l)), first(l)));
    let rank = |l: usize| ranked.iter().position(|&r| r == l).unwrap_or(0);
    labels.iter().map(|&l| rank(l)).collect()
}
