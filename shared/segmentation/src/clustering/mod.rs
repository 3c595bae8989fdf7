//! Groups of cells that are active together: k-means of the rows of the cells' covariance matrix.

use crate::{Clustering, Params};
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

/// Clusters the ROIs `members`, whose corrected traces are the rows of `traces` (all ROIs × frames).
///
/// The traces are averaged over the indicator's decay time, since what is faster is noise, and standardised: a raw
/// covariance is ruled by the brightest cell, while which cells are active together does not depend on brightness.
pub(crate) fn cluster(traces: &Array2<f32>, members: Vec<usize>, params: &Params) -> Clustering {
    let covariance = covariance(&standardised(traces, &members, params));
    let k = params.clusters.min(members.len());
    let (labels, distances) = match k {
        0 | 1 => (vec![0; members.len()], vec![0.0; members.len()]),
        _ => grouped(&covariance, k, params.seed),
    };
    let labels = numbered_by_size(&labels);
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by(|&a, &b| {
        let by_label = labels[a].cmp(&labels[b]);
        by_label.then(distances[a].total_cmp(&distances[b])).then(a.cmp(&b))
    });
    Clustering { members, labels, covariance, order, k }
}

/// Members × time bins, every row of mean 0 and variance 1 (a constant one stays 0).
fn standardised(traces: &Array2<f32>, members: &[usize], params: &Params) -> Array2<f64> {
    let frames = traces.ncols();
    let decay = libm::round(params.tau_s * params.frame_rate_hz).max(1.0) as usize;
    // Correlations of fewer than some dozens of bins are chance: a short recording is binned less.
    let size = decay.min((frames / 64).max(1));
    let bins = frames / size;
    let mut out = Array2::zeros((members.len(), bins));
    for (mut row, &roi) in out.rows_mut().into_iter().zip(members) {
        for (t, value) in row.iter_mut().enumerate() {
            let part = (t * size..(t + 1) * size).map(|i| f64::from(traces[[roi, i]]));
            *value = part.sum::<f64>() / size as f64;
        }
        let mean = row.iter().sum::<f64>() / bins.max(1) as f64;
        row.iter_mut().for_each(|v| *v -= mean);
        let sd = (row.iter().map(|v| v * v).sum::<f64>() / bins.max(1) as f64).sqrt();
        if sd > 0.0 {
            row.iter_mut().for_each(|v| *v /= sd);
        }
    }
    out
}

/// Row × row sums in time order; symmetric to the bit.
fn covariance(rows: &Array2<f64>) -> Array2<f64> {
    let n = rows.nrows();
    let bins = rows.ncols().max(1) as f64;
    let mut out = Array2::zeros((n, n));
    for i in 0..n {
        for j in i..n {
            let pairs = rows.row(i).into_iter().zip(rows.row(j));
            let value = pairs.map(|(a, b)| a * b).sum::<f64>() / bins;
            out[[i, j]] = value;
            out[[j, i]] = value;
        }
    }
    out
}

/// Label of each row, and its squared distance from the centre of its cluster; one cluster when k-means fails.
fn grouped(covariance: &Array2<f64>, k: usize, seed: u64) -> (Vec<usize>, Vec<f64>) {
    let rng = Xoshiro256Plus::seed_from_u64(seed);
    let data = DatasetBase::from(covariance.clone());
    let model = KMeans::params_with_rng(k, rng)
        .n_runs(RUNS)
        .max_n_iterations(ROUNDS)
        .tolerance(1e-6)
        .init_method(KMeansInit::KMeansPlusPlus)
        .fit(&data);
    let Ok(model) = model else {
        return (vec![0; covariance.nrows()], vec![0.0; covariance.nrows()]);
    };
    let labels: Array1<usize> = model.predict(covariance);
    let squared =
        |row: ArrayView1<f64>, centre: ArrayView1<f64>| -> f64 { row.iter().zip(centre).map(|(a, b)| (a - b) * (a - b)).sum() };
    let distances = (0..covariance.nrows()).map(|i| squared(covariance.row(i), model.centroids().row(labels[i]))).collect();
    (labels.to_vec(), distances)
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    /// Cells `0..n` of two groups (even and odd), each group with activity of its own.
    fn two_groups(n: usize, frames: usize) -> Array2<f32> {
        let mut rng = Xoshiro256Plus::seed_from_u64(3);
        let shared: Vec<[f32; 2]> =
            (0..frames / 10).map(|_| [rng.gen_bool(0.2), rng.gen_bool(0.2)].map(|b| if b { 1.0 } else { 0.0 })).collect();
        Array2::from_shape_fn((n, frames), |(i, t)| {
            // Brightness differs a hundredfold and must not matter.
            let gain = if i < 3 { 100.0 } else { 1.0 };
            gain * (shared[(t / 10).min(shared.len() - 1)][i % 2] + rng.gen_range(-0.5..0.5))
        })
    }

    #[test]
    fn two_planted_groups_are_told_apart() {
        let params = Params { clusters: 2, frame_rate_hz: 10.0, ..Params::default() };
        let c = cluster(&two_groups(21, 2000), (0..21).collect(), &params);
        assert!((0..21).all(|i| c.labels[i] == i % 2), "{:?}", c.labels);
        assert_eq!(c.k, 2);
        let sorted: Vec<usize> = c.order.iter().map(|&i| c.labels[i]).collect();
        assert!(sorted.is_sorted());
    }

    #[test]
    fn more_clusters_than_cells_are_as_many_as_cells() {
        let traces = two_groups(3, 200);
        for n in 0..=3 {
            let params = Params { clusters: 7, ..Params::default() };
            let c = cluster(&traces, (0..n).collect(), &params);
            assert_eq!((c.k, c.labels.len(), c.order.len()), (n, n, n));
            assert_eq!(c.covariance.dim(), (n, n));
        }
    }

    #[test]
    fn identical_traces_and_constant_ones_are_clustered_without_complaint() {
        let params = Params { clusters: 4, ..Params::default() };
        let c = cluster(&Array2::zeros((6, 50)), (0..6).collect(), &params);
        assert_eq!(c.labels.len(), 6);
    }

    #[test]
    fn the_same_seed_gives_the_same_clusters() {
        let params = Params::default();
        let traces = two_groups(20, 600);
        let run = || cluster(&traces, (0..20).collect(), &params).labels;
        assert_eq!(run(), run());
    }
}
