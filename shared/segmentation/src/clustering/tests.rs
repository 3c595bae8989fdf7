//! Laws of the clustering. The numbers of the oracle are scikit-learn's, on the same traces.

use super::*;
use crate::{Blocks, ClusterBy, Quality, Registration, Roi, Silent};
use ndarray::Axis;

/// A plane whose corrected traces are the rows of `f`; all ROIs are cells.
fn plane(f: Array2<f32>) -> Segmentation {
    let none = || Array2::<f32>::zeros((0, 0));
    let blocks = Blocks { y: Vec::new(), x: Vec::new(), shape: (0, 0), yoff1: none(), xoff1: none() };
    let registration = Registration {
        reference: none(),
        yoff: Vec::new(),
        xoff: Vec::new(),
        blocks,
        corr: Vec::new(),
        bad_frames: Vec::new(),
        yrange: (0, 0),
        xrange: (0, 0),
        mean: none(),
        mean_raw: none(),
        max: none(),
        sd: none(),
    };
    Segmentation {
        first_frame: none(),
        registration,
        rois: vec![roi(); f.nrows()],
        fneu: Array2::zeros(f.dim()),
        spks: Array2::zeros(f.dim()),
        quality: Quality::default(),
        f,
    }
}

fn roi() -> Roi {
    Roi {
        ypix: Vec::new(),
        xpix: Vec::new(),
        lam: Vec::new(),
        overlap: Vec::new(),
        med: (0, 0),
        radius: 1.0,
        aspect_ratio: 1.0,
        compact: 1.0,
        skew: 0.0,
        std: 1.0,
        snr: 1.0,
        contrast: 1.0,
        halo: 0.0,
        relative_area: 1.0,
        neuropil_coefficient: 0.5,
        is_cell: true,
        cell_probability: 1.0,
    }
}

/// Cells of `groups` groups in turn, each group active in stretches of its own, under noise. Exact in f32.
fn traces(cells: usize, frames: usize, groups: usize, seed: u32) -> Array2<f32> {
    let mut state = seed;
    let mut noise = || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
        ((state >> 16) % 1024) as f32 / 1024.0
    };
    Array2::from_shape_fn((cells, frames), |(i, t)| {
        let on = (t / 10 * 7 + i % groups * 5) % 17 < 4;
        noise() + if on { 1.0 } else { 0.0 }
    })
}

fn params(clusters: Clusters) -> Params {
    Params { clusters, frame_rate_hz: 5.0, tau_s: 2.0, ..Params::default() }
}

fn of(planes: &[Segmentation], params: &Params) -> Clustering {
    cluster(planes, params, &Silent).unwrap()
}

/// Which members share a cluster, in words that no numbering changes.
fn partition(c: &Clustering) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> =
        (0..c.in_use()).map(|l| (0..c.labels.len()).filter(|&i| c.labels[i] == l).collect()).collect();
    groups.sort();
    groups
}

#[test]
fn planted_groups_are_told_apart_whatever_the_brightness() {
    let mut f = traces(21, 2000, 2, 3);
    f.rows_mut().into_iter().take(3).for_each(|mut row| row.mapv_inplace(|v| 128.0 * v));
    let c = of(&[plane(f)], &params(Clusters::Count(2)));
    assert!((0..21).all(|i| c.labels[i] == i % 2), "{:?}", c.labels);
    assert_eq!(c.k, 2);
    let sorted: Vec<usize> = c.order.iter().map(|&i| c.labels[i]).collect();
    assert!(sorted.is_sorted());
}

#[test]
fn a_group_has_one_number_in_all_planes() {
    let all = traces(30, 600, 3, 5);
    let planes: Vec<Segmentation> =
        (0..3).map(|p| plane(all.select(Axis(0), &(10 * p..10 * p + 10).collect::<Vec<_>>()))).collect();
    let (apart, together) = (of(&planes, &params(Clusters::Count(3))), of(&[plane(all)], &params(Clusters::Count(3))));
    assert!((0..30).all(|i| apart.members[i] == Member { plane: i / 10, roi: i % 10 }));
    assert!((0..30).all(|i| apart.labels[i] == apart.labels[i % 3]), "{:?}", apart.labels);
    assert_eq!((apart.labels, apart.order, apart.covariance), (together.labels, together.order, together.covariance));
}

#[test]
fn the_order_of_the_planes_changes_no_group() {
    let planes: Vec<Segmentation> = (0..3).map(|p| plane(traces(12, 600, 3, 7 + p))).collect();
    let turned: Vec<Segmentation> = [2, 0, 1].iter().map(|&p: &usize| planes[p].clone()).collect();
    let (once, again) = (of(&planes, &params(Clusters::Count(3))), of(&turned, &params(Clusters::Count(3))));
    let of_cell = |c: &Clustering, plane: usize, roi: usize| {
        let at = c.members.iter().position(|m| *m == Member { plane, roi }).unwrap();
        c.labels[at]
    };
    for (p, roi, q, other) in
        (0..3).flat_map(|p| (0..12).flat_map(move |r| (0..3).flat_map(move |q| (0..12).map(move |o| (p, r, q, o)))))
    {
        let to = |p: usize| (p + 1) % 3;
        let together = of_cell(&once, p, roi) == of_cell(&once, q, other);
        assert_eq!(together, of_cell(&again, to(p), roi) == of_cell(&again, to(q), other));
    }
}

#[test]
fn only_cells_are_clustered_and_a_plane_that_ends_early_shortens_all() {
    let mut first = plane(traces(8, 600, 2, 1));
    first.rois[3].is_cell = false;
    let second = plane(traces(8, 590, 2, 2));
    let c = of(&[first.clone(), second.clone()], &params(Clusters::Count(2)));
    assert_eq!(c.members.len(), 15);
    assert!(!c.members.contains(&Member { plane: 0, roi: 3 }));
    first.f = first.f.slice_axis(Axis(1), (..590).into()).to_owned();
    first.fneu = first.fneu.slice_axis(Axis(1), (..590).into()).to_owned();
    assert_eq!(c.covariance, of(&[first, second], &params(Clusters::Count(2))).covariance);
}

#[test]
fn the_surround_is_taken_off_by_the_coefficient_of_each_roi() {
    let clean = plane(traces(6, 600, 2, 4));
    let mut hazy = clean.clone();
    let haze = traces(6, 600, 1, 9);
    hazy.fneu.assign(&haze);
    hazy.f.zip_mut_with(&haze, |f, haze| *f += 0.5 * haze);
    assert_eq!(of(&[clean], &params(Clusters::Count(2))).covariance, of(&[hazy], &params(Clusters::Count(2))).covariance);
}

#[test]
fn covariances_are_of_the_traces_as_they_are_and_correlations_have_a_diagonal_of_one() {
    let seg = plane(traces(6, 600, 2, 4));
    let raw = of(std::slice::from_ref(&seg), &Params { cluster_by: ClusterBy::Covariance, ..params(Clusters::Count(2)) });
    let c = of(&[seg], &params(Clusters::Count(2)));
    for i in 0..6 {
        assert!((c.covariance[[i, i]] - 1.0).abs() < 1e-12);
        for j in 0..6 {
            let scale = (raw.covariance[[i, i]] * raw.covariance[[j, j]]).sqrt();
            assert!((raw.covariance[[i, j]] / scale - c.covariance[[i, j]]).abs() < 1e-12);
        }
    }
}

#[test]
fn more_clusters_than_cells_are_as_many_as_cells() {
    for n in 0..=3 {
        let c = of(&[plane(traces(n, 200, 2, 1))], &params(Clusters::Count(7)));
        assert_eq!((c.k, c.labels.len(), c.order.len()), (n, n, n));
        assert_eq!(c.covariance.dim(), (n, n));
    }
}

#[test]
fn constant_traces_few_cells_and_no_planes_are_clustered_without_complaint() {
    for clusters in [Clusters::Count(4), Clusters::Auto] {
        assert_eq!(of(&[plane(Array2::zeros((6, 50)))], &params(clusters)).labels.len(), 6);
        assert_eq!(of(&[], &params(clusters)).k, 0);
        for n in 0..4 {
            let c = of(&[plane(traces(n, 50, 2, 1))], &params(clusters));
            assert_eq!(c.labels.len(), n);
            assert!(c.k <= n, "{n} {}", c.k);
        }
    }
}

#[test]
fn evenly_chosen_references_find_the_groups_too() {
    let planes = [plane(traces(60, 600, 3, 5))];
    for clusters in [Clusters::Count(3), Clusters::Auto] {
        let (all, some) = (of(&planes, &params(clusters)), grouped(&planes, &params(clusters), 25, &Watch(&Silent)).unwrap());
        assert_eq!((some.covariance.dim(), some.references[1]), ((60, 25), 2));
        assert_eq!((partition(&some), some.k), (partition(&all), 3));
    }
}

#[test]
fn threads_and_repetition_change_nothing() {
    let planes = [plane(traces(20, 600, 3, 5)), plane(traces(20, 600, 3, 6))];
    let run = |threads: usize| format!("{:?}", of(&planes, &Params { threads, ..params(Clusters::Auto) }));
    assert_eq!(run(1), run(3));
    assert_eq!(run(2), run(2));
}

const ORACLE_SCORES: [f64; 3] = [0.660_276_068_139_777, -0.116_715_473_503_007_25, -0.196_196_192_683_943_42];
const ORACLE_THREE: &[f64] = &[0.650_249_799_252_528_1, 0.963_564_950_876_600_7];
const ORACLE_FIVE: &[f64] = &[0.524_003_201_572_748_6, 0.740_509_870_031_629_8, 0.837_151_029_572_859_6, 0.921_829_906_797_090_3];

/// `sklearn.metrics.silhouette_score` on the same rows and labels.
#[test]
fn the_mean_silhouette_is_that_of_scikit_learn() {
    let rows = Array2::from_shape_fn((12, 5), |(i, j)| {
        ((i * 7919 + j * 104_729) % 97) as f64 / 97.0 + if i % 3 == j { 1.5 } else { 0.0 }
    });
    let labels: Vec<Vec<usize>> =
        vec![(0..12).map(|i| i % 3).collect(), (0..12).map(|i| i / 6).collect(), (0..12).map(|i| usize::from(i == 4)).collect()];
    let all: Vec<usize> = (0..12).collect();
    let found = silhouette::means(&rows, &all, &labels);
    for (found, expected) in found.iter().zip(ORACLE_SCORES) {
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
    assert_eq!(silhouette::means(&rows, &all, &[vec![0; 12]]), [0.0]);
}

/// KMeans with 50 starts and `silhouette_score` of scikit-learn on the correlation matrix of the same traces, from k = 2 on.
#[test]
fn the_silhouettes_choose_the_planted_number_of_groups() {
    for (groups, expected) in [(3, ORACLE_THREE), (5, ORACLE_FIVE)] {
        let c = of(&[plane(traces(20, 600, groups, 11)), plane(traces(20, 600, groups, 12))], &params(Clusters::Auto));
        assert_eq!(c.k, groups);
        assert_eq!(c.silhouettes.iter().map(|s| s.k).collect::<Vec<_>>(), (2..=10).collect::<Vec<_>>());
        // Beyond the planted number the best split of noise is a matter of luck.
        for (found, expected) in c.silhouettes.iter().zip(expected).take(groups - 1) {
            assert!((found.mean - expected).abs() < 1e-9, "{groups} {}: {} {expected}", found.k, found.mean);
        }
        assert!(c.silhouettes.iter().all(|s| s.mean <= c.silhouettes[groups - 2].mean));
        let fixed =
            of(&[plane(traces(20, 600, groups, 11)), plane(traces(20, 600, groups, 12))], &params(Clusters::Count(groups)));
        assert_eq!((fixed.labels, fixed.order), (c.labels, c.order));
    }
}
