//! Results made by hand: planted cells, measured where they are known to be.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

pub(crate) mod large;

use dropscope_outputs::{RunMeta, Session};
use dropscope_segmentation::{
    Blocks, ClusterBy, Clustering, Member, Quality, Registration, Roi, Segmentation, SegmentedRecording,
};
use dropscope_testkit::movie::{Movie, PlantedCell, Scene};
use ndarray::Array2;

pub(crate) fn meta() -> RunMeta {
    RunMeta {
        name: "fish 7 <tectum> & \"cerebellum\".tif".to_owned(),
        frame_rate_hz: 15.0,
        frame_rate_assumed: false,
        tau_s: 1.0,
        pixel_size_um: Some(0.8),
        version: "0.1.0".to_owned(),
    }
}

/// What is known of a session where nobody states anything.
pub(crate) fn session() -> Session {
    Session {
        identifier: "0123456789abcdef".to_owned(),
        start: "2026-01-02T03:04:05Z".to_owned(),
        description: "A session.".to_owned(),
        ..Session::default()
    }
}

pub(crate) fn scene(height: usize, width: usize, frames: usize, cells: usize) -> Scene {
    Scene { height, width, frames, cells, ..Scene::default() }
}

/// The result that a perfect segmentation of the scene would give.
pub(crate) fn planted(scene: &Scene) -> SegmentedRecording {
    let movie = scene.generate().expect("the scene can be made");
    let (h, w, n) = (scene.height, scene.width, scene.cells);
    let mut f = Array2::<f32>::zeros((n, scene.frames));
    let mut fneu = f.clone();
    let mut spks = f.clone();
    let (mut sum, mut squares) = (Array2::<f32>::zeros((h, w)), Array2::<f32>::zeros((h, w)));
    let mut max = Array2::<f32>::zeros((h, w));
    for (t, frame) in movie.frames().enumerate() {
        let shift = movie.truth.shifts[t];
        let registered = Array2::from_shape_fn((h, w), |(y, x)| {
            let row = (y as f32 + shift.0).round().clamp(0.0, h as f32 - 1.0) as usize;
            let column = (x as f32 + shift.1).round().clamp(0.0, w as f32 - 1.0) as usize;
            f32::from(frame[row * w + column])
        });
        let background = registered.mean().unwrap();
        for (i, cell) in movie.truth.cells.iter().enumerate() {
            let pixels = cell.ypix.iter().zip(&cell.xpix);
            let total: f32 = pixels.map(|(&y, &x)| registered[[y as usize, x as usize]]).sum();
            f[[i, t]] = total / cell.ypix.len() as f32;
            fneu[[i, t]] = background;
        }
        sum += &registered;
        squares += &registered.mapv(|v| v * v);
        max.zip_mut_with(&registered, |m, &v| *m = m.max(v));
    }
    for (i, cell) in movie.truth.cells.iter().enumerate() {
        for spike in &cell.spikes {
            spks[[i, (spike * scene.frame_rate_hz) as usize]] += 1.0;
        }
    }
    let mean = sum / scene.frames as f32;
    let sd = (squares / scene.frames as f32 - mean.mapv(|v| v * v)).mapv(|v| v.max(0.0).sqrt());
    let clustering = clustering(&movie, &f);
    let plane = Segmentation {
        first_frame: first(&movie),
        registration: registration(&movie, mean, max, sd),
        rois: movie.truth.cells.iter().map(roi).collect(),
        quality: Quality::default(),
        f,
        fneu,
        spks,
    };
    SegmentedRecording { planes: vec![plane], clustering }
}

/// Recordings of one plane each as the planes of one; cells of different planes share nothing.
pub(crate) fn joined(recordings: &[SegmentedRecording]) -> SegmentedRecording {
    let planes: Vec<Segmentation> = recordings.iter().flat_map(|r| r.planes.clone()).collect();
    let parts = || recordings.iter().map(|r| &r.clustering).enumerate();
    let members: Vec<Member> =
        parts().flat_map(|(plane, c)| c.members.iter().map(move |m| Member { plane, roi: m.roi })).collect();
    let labels: Vec<usize> = parts().flat_map(|(_, c)| c.labels.clone()).collect();
    let covariance = Array2::from_shape_fn((members.len(), members.len()), |(i, j)| {
        let (a, b) = (members[i], members[j]);
        if a.plane == b.plane { recordings[a.plane].clustering.covariance[[a.roi, b.roi]] } else { 0.0 }
    });
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|&i| (labels[i], i));
    let k = parts().map(|(_, c)| c.k).max().unwrap_or(0);
    let clustering = Clustering {
        references: (0..members.len()).collect(),
        members,
        labels,
        covariance,
        order,
        k,
        ..recordings[0].clustering.clone()
    };
    SegmentedRecording { planes, clustering }
}

fn first(movie: &Movie) -> Array2<f32> {
    let shape = (movie.scene.height, movie.scene.width);
    let frame = movie.frames().next().unwrap();
    Array2::from_shape_vec(shape, frame.into_iter().map(f32::from).collect()).unwrap()
}

fn registration(movie: &Movie, mean: Array2<f32>, max: Array2<f32>, sd: Array2<f32>) -> Registration {
    let (yoff, xoff): (Vec<f32>, Vec<f32>) = movie.truth.shifts.iter().copied().unzip();
    let frames = movie.scene.frames;
    Registration {
        reference: mean.clone(),
        yoff,
        xoff,
        blocks: Blocks {
            y: vec![(0, 10), (5, 15)],
            x: vec![(0, 20); 2],
            shape: (2, 1),
            yoff1: Array2::from_shape_fn((frames, 2), |(t, b)| (t + b) as f32 / 8.0),
            xoff1: Array2::from_shape_fn((frames, 2), |(t, b)| (t * 2 + b) as f32 / -16.0),
        },
        corr: (0..frames).map(|t| t as f32 / frames as f32).collect(),
        bad_frames: (0..frames).map(|t| t == 1).collect(),
        yrange: (1, movie.scene.height - 2),
        xrange: (2, movie.scene.width - 1),
        mean_raw: mean.clone(),
        mean,
        max,
        sd,
    }
}

fn roi(cell: &PlantedCell) -> Roi {
    let n = cell.ypix.len();
    Roi {
        ypix: cell.ypix.clone(),
        xpix: cell.xpix.clone(),
        lam: (0..n).map(|i| 1.0 + i as f32 / n as f32).collect(),
        overlap: (0..n).map(|i| i % 7 == 0).collect(),
        med: (cell.y.round() as u32, cell.x.round() as u32),
        radius: cell.radius as f32,
        aspect_ratio: 1.05,
        compact: 1.01,
        skew: 2.5,
        std: 31.25,
        snr: 8.5,
        contrast: 3.0,
        halo: 0.0,
        relative_area: 1.0,
        neuropil_coefficient: 0.7,
        is_cell: true,
        cell_probability: 0.9375,
    }
}

fn clustering(movie: &Movie, f: &Array2<f32>) -> Clustering {
    let n = movie.scene.cells;
    let centred: Vec<Vec<f64>> = f
        .rows()
        .into_iter()
        .map(|row| {
            let mean = row.mean().unwrap();
            row.iter().map(|&v| f64::from(v - mean)).collect()
        })
        .collect();
    let covariance = Array2::from_shape_fn((n, n), |(i, j)| {
        let products = centred[i].iter().zip(&centred[j]).map(|(a, b)| a * b);
        products.sum::<f64>() / movie.scene.frames as f64
    });
    let labels: Vec<usize> = movie.truth.cells.iter().map(|c| c.group).collect();
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by_key(|&i| (labels[i], i));
    Clustering {
        by: ClusterBy::Covariance,
        members: (0..n).map(|roi| Member { plane: 0, roi }).collect(),
        labels,
        references: (0..n).collect(),
        covariance,
        order,
        k: movie.scene.groups,
        silhouettes: Vec::new(),
    }
}
