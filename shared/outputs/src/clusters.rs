//! What the clustering said, for programs.

use dropscope_segmentation::{ClusterBy, Clustering};
use ndarray::Array2;
use serde_json::json;

use crate::{OutputError, npy};

/// Version of the layout of `clusters.json`.
const SCHEMA: usize = 1;

/// `clusters.json`: which matrix was clustered, how many clusters there are and how large, and where their number was
/// chosen, the mean silhouette of every number tried.
///
/// # Errors
/// When a figure in it has no JSON form.
pub(crate) fn json(c: &Clustering) -> Result<Vec<u8>, OutputError> {
    let sizes: Vec<usize> = (0..c.in_use()).map(|l| c.labels.iter().filter(|&&label| label == l).count()).collect();
    let silhouettes: Vec<_> = c.silhouettes.iter().map(|s| json!({ "clusters": s.k, "mean": s.mean })).collect();
    let document = json!({
        "schema": SCHEMA,
        "by": word(c.by),
        "cells": c.members.len(),
        "clusters": c.k,
        "chosen_by_silhouette": !c.silhouettes.is_empty(),
        "sizes": sizes,
        "silhouettes": silhouettes,
    });
    serde_json::to_vec_pretty(&document).map_err(OutputError::Document)
}

/// The matrix in one word.
pub(crate) fn word(by: ClusterBy) -> &'static str {
    match by {
        ClusterBy::Covariance => "covariance",
        ClusterBy::Correlation => "correlation",
    }
}

/// `covariance.npy`: the matrix that was clustered, float32, rows and columns in the order of `clusters.csv`; none of so
/// many cells that only a part of the matrix was used.
pub(crate) fn matrix(c: &Clustering) -> Option<Vec<u8>> {
    let n = c.members.len();
    let whole = c.references.iter().copied().eq(0..n);
    whole.then(|| npy::matrix(&Array2::from_shape_fn((n, n), |(i, j)| c.covariance[[c.order[i], c.order[j]]] as f32)))
}
