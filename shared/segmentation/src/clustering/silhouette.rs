//! How well a grouping fits: the silhouette of Rousseeuw 1987 (J Comput Appl Math 20:53).

use super::{in_pieces, summed};
use ndarray::Array2;
use rayon::prelude::*;

/// Mean silhouette of the rows `sample` of `rows`, once for each of `labels` (clusters of the sampled rows).
///
/// The silhouette of a row is `(b − a) / max(a, b)`: `a` its mean Euclidean distance from the others of its cluster, `b`
/// that from the rows of the nearest other cluster; 0 for a row alone in its cluster. −1 to 1; 0 where there is one cluster.
pub(super) fn means(rows: &Array2<f64>, sample: &[usize], labels: &[Vec<usize>]) -> Vec<f64> {
    let rows = in_pieces(rows);
    let distance = |i: usize, j: usize| summed(&rows[i], &rows[j], |a, b| (a - b) * (a - b)).sqrt();
    // Distances cost most and are the same for every grouping.
    let of_row = |i: usize| {
        let distances: Vec<f64> = sample.iter().map(|&j| distance(sample[i], j)).collect();
        labels.iter().map(|labels| silhouette(i, &distances, labels)).collect::<Vec<f64>>()
    };
    let all: Vec<Vec<f64>> = (0..sample.len()).into_par_iter().map(of_row).collect();
    (0..labels.len()).map(|l| all.iter().map(|of_row| of_row[l]).sum::<f64>() / sample.len().max(1) as f64).collect()
}

fn silhouette(i: usize, distances: &[f64], labels: &[usize]) -> f64 {
    let clusters = labels.iter().max().map_or(0, |most| most + 1);
    let (mut sums, mut sizes) = (vec![0.0; clusters], vec![0usize; clusters]);
    for (&label, distance) in labels.iter().zip(distances) {
        sums[label] += distance;
        sizes[label] += 1;
    }
    let own = labels[i];
    if sizes[own] < 2 {
        return 0.0;
    }
    let within = sums[own] / (sizes[own] - 1) as f64;
    let others = (0..clusters).filter(|&c| c != own && sizes[c] > 0).map(|c| sums[c] / sizes[c] as f64);
    let nearest = others.fold(f64::INFINITY, f64::min);
    let larger = within.max(nearest);
    if larger > 0.0 && larger.is_finite() { (nearest - within) / larger } else { 0.0 }
}
