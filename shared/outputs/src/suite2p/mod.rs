//! One plane as the folder that suite2p, its GUI and the scripts of many laboratories read.
//!
//! Layout and keys follow suite2p's public description of its outputs
//! (<https://suite2p.readthedocs.io>, page *Outputs*). Keys for quantities that dropscope does
//! not compute (`footprint`, `Vcorr`) are left out rather than filled with something else.

mod ops;
mod stat;

use dropscope_segmentation::{Roi, Segmentation};
use ndarray::Array2;

use crate::{RunMeta, npy};

/// Renders the six arrays of one plane: (file name, bytes) in a fixed order.
///
/// `F`, `Fneu`, `spks` are float32, ROIs × frames; `iscell` is float32, ROIs × 2 (label,
/// probability); `stat` an array of dicts, one per ROI; `ops` a dict in a 0-d array.
pub(crate) fn plane_files(meta: &RunMeta, plane: usize, planes: usize, seg: &Segmentation) -> Vec<(&'static str, Vec<u8>)> {
    let stats = seg.rois.iter().map(|r| stat::dict(r, &seg.rois, plane));
    vec![
        ("F.npy", npy::matrix(&seg.f)),
        ("Fneu.npy", npy::matrix(&seg.fneu)),
        ("spks.npy", npy::matrix(&seg.spks)),
        ("iscell.npy", npy::matrix(&iscell(&seg.rois))),
        ("stat.npy", npy::objects(stats.collect())),
        ("ops.npy", npy::object(ops::dict(meta, plane, planes, seg))),
    ]
}

fn iscell(rois: &[Roi]) -> Array2<f32> {
    Array2::from_shape_fn((rois.len(), 2), |(i, column)| match column {
        0 => f32::from(u8::from(rois[i].is_cell)),
        _ => rois[i].cell_probability,
    })
}
