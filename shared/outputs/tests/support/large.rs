//! A run as large as they come, whose traces are made while they are read.

use dropscope_outputs::{RoiTraces, Traces};
use dropscope_segmentation::{
    Blocks, ClusterBy, Clustering, Member, Quality, Registration, Roi, Segmentation, SegmentedRecording,
};
use ndarray::Array2;

/// Pixels a side.
const SIDE: usize = 2048;
const GROUPS: usize = 6;
const REFERENCES: usize = 500;

/// Numbers that look random and are the same everywhere (Steele et al. 2014, SplitMix64).
fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Between 0 and 1.
fn unit(seed: u64) -> f32 {
    (mixed(seed) >> 40) as f32 / (1u32 << 24) as f32
}

/// Traces of noise and decaying events; cells of a group have theirs together.
pub(crate) struct Made {
    pub(crate) frames: usize,
}

impl Traces for Made {
    fn frames(&self) -> usize {
        self.frames
    }

    fn read(&self, _plane: usize, roi: usize, out: &mut RoiTraces) {
        [&mut out.f, &mut out.fneu, &mut out.dff, &mut out.spks].into_iter().for_each(Vec::clear);
        let (mut height, mut state) = (0.0f32, mixed(roi as u64 + 1));
        for t in 0..self.frames {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
            let noise = (state >> 40) as f32 / (1u32 << 24) as f32 - 0.5;
            let together = t % 400 == 0 && mixed((t / 400 * GROUPS + roi % GROUPS) as u64).is_multiple_of(7);
            let spike = if together || state >> 52 == 0 { 1.0 + noise } else { 0.0 };
            height = height * 0.97 + spike;
            out.f.push(400.0 + 200.0 * height + 60.0 * noise);
            out.fneu.push(300.0 + 20.0 * noise);
            out.dff.push(0.5 * height + 0.2 * noise);
            out.spks.push(200.0 * spike);
        }
    }
}

/// A plane of `rois` discs on noise, all of them cells.
pub(crate) fn recording(rois: usize, frames: usize) -> SegmentedRecording {
    let noise = |salt: u64| Array2::from_shape_fn((SIDE, SIDE), |(y, x)| 1000.0 * unit(salt << 32 | (y * SIDE + x) as u64));
    let series = |salt: u64| (0..frames).map(|t| 4.0 * unit(salt << 40 | t as u64) - 2.0).collect::<Vec<f32>>();
    let image = noise(1);
    let registration = Registration {
        reference: image.clone(),
        yoff: series(2),
        xoff: series(3),
        blocks: Blocks {
            y: vec![],
            x: vec![],
            shape: (0, 0),
            yoff1: Array2::zeros((frames, 0)),
            xoff1: Array2::zeros((frames, 0)),
        },
        corr: series(4),
        bad_frames: (0..frames).map(|t| mixed(t as u64).is_multiple_of(1000)).collect(),
        yrange: (0, SIDE),
        xrange: (0, SIDE),
        mean_raw: image.clone(),
        max: noise(5),
        sd: noise(6),
        mean: image,
    };
    let columns = (rois as f64).sqrt().ceil() as usize;
    let none = || Array2::zeros((rois, 0));
    let plane = Segmentation {
        first_frame: noise(7),
        registration,
        rois: (0..rois).map(|i| disc(i, (i / columns, i % columns), SIDE / columns)).collect(),
        quality: Quality { crispness_raw: 900.0, crispness: 1100.0, ..Quality::default() },
        f: none(),
        fneu: none(),
        spks: none(),
    };
    SegmentedRecording { planes: vec![plane], clustering: clustering(rois) }
}

fn disc(index: usize, (row, column): (usize, usize), step: usize) -> Roi {
    let (y, x) = ((row * step + step / 2) as i64, (column * step + step / 2) as i64);
    let radius = 6 + (mixed(index as u64) % 5) as i64;
    let inside = |&(v, u): &(i64, i64)| (v - y).pow(2) + (u - x).pow(2) <= radius * radius && v >= 0 && u >= 0;
    let square = (y - radius..=y + radius).flat_map(|v| (x - radius..=x + radius).map(move |u| (v, u)));
    let (ypix, xpix): (Vec<u32>, Vec<u32>) = square.filter(inside).map(|(v, u)| (v as u32, u as u32)).unzip();
    Roi {
        lam: vec![1.0; ypix.len()],
        overlap: vec![false; ypix.len()],
        ypix,
        xpix,
        med: (y as u32, x as u32),
        radius: radius as f32,
        aspect_ratio: 1.0,
        compact: 1.0,
        skew: 2.0,
        std: 30.0,
        snr: 4.0 + 8.0 * unit(index as u64),
        contrast: 3.0,
        halo: 0.0,
        relative_area: 1.0,
        neuropil_coefficient: 0.7,
        is_cell: true,
        cell_probability: 0.5 + 0.5 * unit(index as u64 + 99),
    }
}

fn clustering(rois: usize) -> Clustering {
    let references: Vec<usize> = (0..REFERENCES.min(rois)).map(|i| i * rois / REFERENCES.min(rois)).collect();
    let labels: Vec<usize> = (0..rois).map(|i| i % GROUPS).collect();
    let covariance = Array2::from_shape_fn((rois, references.len()), |(i, j)| {
        let same = if i % GROUPS == references[j] % GROUPS { 0.6 } else { 0.0 };
        same + 0.3 * f64::from(unit((i * rois + j) as u64)) - 0.15
    });
    let mut order: Vec<usize> = (0..rois).collect();
    order.sort_by_key(|&i| (labels[i], i));
    Clustering {
        by: ClusterBy::Correlation,
        members: (0..rois).map(|roi| Member { plane: 0, roi }).collect(),
        labels,
        references,
        covariance,
        order,
        k: GROUPS,
        silhouettes: Vec::new(),
    }
}
