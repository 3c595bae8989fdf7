//! The settings and intermediate results of one plane.

use dropscope_segmentation::{Registration, Roi, Segmentation};
use ndarray::Array2;

use crate::{
    RunMeta,
    pickle::{Value, bools, floats, image, int, int32s, ints},
};

/// Version of the layout of these files, raised when a reader would notice a change.
const SCHEMA: usize = 1;
/// Neuropil coefficient named where there is no ROI to take it from (Chen et al. 2013).
const USUAL_NEUROPIL: f32 = 0.7;

/// The dict in `ops.npy`.
pub(super) fn dict(meta: &RunMeta, plane: usize, planes: usize, seg: &Segmentation) -> Value {
    let mut all = acquisition(meta, plane, planes, seg);
    all.extend(images(&seg.registration));
    all.extend(motion(&seg.registration));
    all.extend(settings(&seg.rois));
    all.extend(provenance(meta, plane));
    Value::Dict(all)
}

type Entries = Vec<(&'static str, Value)>;

fn acquisition(meta: &RunMeta, plane: usize, planes: usize, seg: &Segmentation) -> Entries {
    let (height, width) = seg.first_frame.dim();
    let frames = seg.f.ncols();
    vec![
        ("Ly", int(height)),
        ("Lx", int(width)),
        ("nframes", int(frames)),
        ("frames_per_file", int32s(&[frames as u32])),
        ("fs", Value::from(meta.frame_rate_hz)),
        ("tau", Value::from(meta.tau_s)),
        ("nplanes", int(planes)),
        ("iplane", int(plane)),
        ("nchannels", int(1)),
        ("functional_chan", int(1)),
        ("aspect", Value::from(1.0)),
    ]
}

fn images(reg: &Registration) -> Entries {
    vec![
        ("meanImg", image(&reg.mean)),
        ("meanImg_raw", image(&reg.mean_raw)),
        ("sdImg", image(&reg.sd)),
        // suite2p stores this one cropped to yrange × xrange.
        ("max_proj", image(&cropped(&reg.max, reg))),
        ("refImg", image(&reg.reference)),
        ("yrange", ints(&[reg.yrange.0, reg.yrange.1])),
        ("xrange", ints(&[reg.xrange.0, reg.xrange.1])),
    ]
}

fn cropped(full: &Array2<f32>, reg: &Registration) -> Array2<f32> {
    let (height, width) = full.dim();
    let (y1, x1) = (reg.yrange.1.min(height), reg.xrange.1.min(width));
    let (y0, x0) = (reg.yrange.0.min(y1), reg.xrange.0.min(x1));
    Array2::from_shape_fn((y1 - y0, x1 - x0), |(y, x)| full[[y0 + y, x0 + x]])
}

fn motion(reg: &Registration) -> Entries {
    vec![
        ("yoff", floats(&reg.yoff)),
        ("xoff", floats(&reg.xoff)),
        ("corrXY", floats(&reg.corr)),
        ("badframes", bools(&reg.bad_frames)),
        ("do_registration", int(1)),
        ("nonrigid", Value::Bool(true)),
        ("yoff1", image(&reg.blocks.yoff1)),
        ("xoff1", image(&reg.blocks.xoff1)),
        ("yblock", ranges(&reg.blocks.y)),
        ("xblock", ranges(&reg.blocks.x)),
        ("nblocks", ints(&[reg.blocks.shape.0, reg.blocks.shape.1])),
        ("block_size", ints(&[side(&reg.blocks.y), side(&reg.blocks.x)])),
    ]
}

fn ranges(blocks: &[(usize, usize)]) -> Value {
    Value::List(blocks.iter().map(|b| ints(&[b.0, b.1])).collect())
}

/// Length of a block; they are all alike.
fn side(blocks: &[(usize, usize)]) -> usize {
    blocks.first().map_or(0, |b| b.1 - b.0)
}

fn settings(rois: &[Roi]) -> Entries {
    let coefficients = rois.iter().map(|r| r.neuropil_coefficient);
    let radii = rois.iter().filter(|r| r.is_cell).map(|r| r.radius);
    // 0 is suite2p's word for a diameter nobody knows.
    let diameter = (2.0 * median(radii).unwrap_or(0.0)).round() as usize;
    vec![
        ("diameter", ints(&[diameter, diameter])),
        ("neucoeff", Value::from(median(coefficients).unwrap_or(USUAL_NEUROPIL))),
        ("roidetect", Value::Bool(true)),
        ("spikedetect", Value::Bool(true)),
        ("anatomical_only", int(0)),
    ]
}

fn provenance(meta: &RunMeta, plane: usize) -> Entries {
    vec![
        ("data_path", Value::List(vec![Value::from(".")])),
        ("filelist", Value::List(vec![Value::from(meta.name.as_str())])),
        ("save_path0", Value::from(".")),
        ("save_folder", Value::from("suite2p")),
        ("save_path", Value::Str(format!("suite2p/plane{plane}"))),
        ("frame_rate_assumed", Value::from(meta.frame_rate_assumed)),
        ("dropscope_version", Value::from(meta.version.as_str())),
        ("dropscope_schema", int(SCHEMA)),
    ]
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut sorted: Vec<f32> = values.filter(|v| v.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
