//! What was recorded, with which settings, and what registration and detection found: dicts.
//!
//! suite2p before version 1 has all of it in one dict, its version 1 in four.

use dropscope_segmentation::{Registration, Roi, Segmentation};

use super::{Entries, maps};
use crate::RunMeta;
use crate::pickle::{Value, bools, floats, image, int, int32s, ints};

/// Version of the layout of these files, raised when a reader would notice a change.
const SCHEMA: usize = 2;
/// Neuropil coefficient named where there is no ROI to take it from (Chen et al. 2013).
const USUAL_NEUROPIL: f32 = 0.7;
/// Diameter named where there is no ROI to take it from: suite2p's own default. Its GUI divides by it.
const USUAL_DIAMETER: usize = 12;
/// Frames that suite2p takes at a time, when its GUI computes traces again; its own default.
const BATCH: usize = 500;

/// Everything of plane `p` of `planes`, in one dict.
pub(super) fn all(meta: &RunMeta, (p, planes): (usize, usize), seg: &Segmentation) -> Entries {
    let reg = &seg.registration;
    [
        acquired(meta, (p, planes), seg),
        settings(meta, &seg.rois),
        registered(reg),
        detected(reg),
        of_older_versions(&seg.rois),
        vec![("block_size", block_size(reg)), ("nonrigid", Value::Bool(true))],
    ]
    .concat()
}

/// What the recording is, and where its files lie.
pub(super) fn acquired(meta: &RunMeta, (p, planes): (usize, usize), seg: &Segmentation) -> Entries {
    let mut all = acquisition(meta, seg.first_frame.dim(), seg.f.ncols(), planes);
    all.push(("iplane", int(p)));
    all.extend(provenance(meta, format!("suite2p/plane{p}")));
    all
}

pub(super) fn acquisition(meta: &RunMeta, (height, width): (usize, usize), frames: usize, planes: usize) -> Entries {
    vec![
        ("Ly", int(height)),
        ("Lx", int(width)),
        ("nframes", int(frames)),
        ("frames_per_file", int32s(&[frames as u32])),
        ("nplanes", int(planes)),
        ("nrois", int(1)),
        ("nchannels", int(1)),
        ("functional_chan", int(1)),
        ("input_format", Value::from("tif")),
        ("batch_size", int(BATCH)),
        ("frame_rate_assumed", Value::from(meta.frame_rate_assumed)),
    ]
}

pub(super) fn provenance(meta: &RunMeta, folder: String) -> Entries {
    let files = || Value::List(vec![Value::from(meta.name.as_str())]);
    vec![
        ("data_path", Value::List(vec![Value::from(".")])),
        ("file_list", files()),
        ("filelist", files()),
        ("save_path0", Value::from(".")),
        ("save_folder", Value::from("suite2p")),
        ("save_path", Value::Str(folder)),
        ("dropscope_version", Value::from(meta.version.as_str())),
        ("dropscope_schema", int(SCHEMA)),
    ]
}

/// The settings, as version 1 has them: those that have a meaning here.
pub(super) fn settings(meta: &RunMeta, rois: &[Roi]) -> Entries {
    let diameter = diameter(rois);
    vec![
        ("torch_device", Value::from("cpu")),
        ("fs", Value::from(meta.frame_rate_hz)),
        ("tau", Value::from(meta.tau_s)),
        ("diameter", ints(&[diameter, diameter])),
        ("run", Value::Dict(stages())),
        (
            "io",
            Value::Dict(vec![
                ("combined", Value::Bool(true)),
                ("save_mat", Value::Bool(false)),
                ("save_NWB", Value::Bool(false)),
            ]),
        ),
        ("registration", Value::Dict(vec![("nonrigid", Value::Bool(true))])),
        // What is merged by hand is cropped no more than what was found.
        ("detection", Value::Dict(vec![("soma_crop", Value::Bool(false))])),
        ("extraction", Value::Dict(extraction(rois))),
    ]
}

fn stages() -> Entries {
    let done = |name| (name, Value::Bool(true));
    vec![("do_registration", int(1)), done("do_detection"), done("do_deconvolution")]
}

fn extraction(rois: &[Roi]) -> Entries {
    vec![
        ("neuropil_extract", Value::Bool(true)),
        ("neuropil_coefficient", neuropil(rois)),
        ("allow_overlap", Value::Bool(false)),
        ("batch_size", int(BATCH)),
    ]
}

/// What registration found.
pub(super) fn registered(reg: &Registration) -> Entries {
    vec![
        ("meanImg", image(&reg.mean)),
        ("meanImgE", image(&maps::enhanced(&reg.mean))),
        ("meanImg_raw", image(&reg.mean_raw)),
        ("sdImg", image(&reg.sd)),
        ("refImg", image(&reg.reference)),
        ("yrange", ints(&[reg.yrange.0, reg.yrange.1])),
        ("xrange", ints(&[reg.xrange.0, reg.xrange.1])),
        ("yoff", floats(&reg.yoff)),
        ("xoff", floats(&reg.xoff)),
        ("corrXY", floats(&reg.corr)),
        ("badframes", bools(&reg.bad_frames)),
        ("yoff1", image(&reg.blocks.yoff1)),
        ("xoff1", image(&reg.blocks.xoff1)),
        ("yblock", ranges(&reg.blocks.y)),
        ("xblock", ranges(&reg.blocks.x)),
        ("nblocks", ints(&[reg.blocks.shape.0, reg.blocks.shape.1])),
    ]
}

/// The maps that cells stand out on, of the part that every frame covers: suite2p has them cropped to `yrange` × `xrange`.
pub(super) fn detected(reg: &Registration) -> Entries {
    vec![("max_proj", image(&maps::cropped(&reg.max, reg))), ("Vcorr", image(&maps::cropped(&maps::liveliness(reg), reg)))]
}

/// What version 1 calls otherwise, or does without.
pub(super) fn of_older_versions(rois: &[Roi]) -> Entries {
    vec![
        ("neucoeff", neuropil(rois)),
        ("do_registration", int(1)),
        ("roidetect", Value::Bool(true)),
        ("spikedetect", Value::Bool(true)),
        ("anatomical_only", int(0)),
        ("aspect", Value::from(1.0)),
    ]
}

fn block_size(reg: &Registration) -> Value {
    ints(&[side(&reg.blocks.y), side(&reg.blocks.x)])
}

fn ranges(blocks: &[(usize, usize)]) -> Value {
    Value::List(blocks.iter().map(|b| ints(&[b.0, b.1])).collect())
}

/// Length of a block; they are all alike.
fn side(blocks: &[(usize, usize)]) -> usize {
    blocks.first().map_or(0, |b| b.1 - b.0)
}

fn neuropil(rois: &[Roi]) -> Value {
    Value::from(median(rois.iter().map(|r| r.neuropil_coefficient)).unwrap_or(USUAL_NEUROPIL))
}

/// That of the cells, or of the ROIs where none is a cell, in whole pixels.
fn diameter(rois: &[Roi]) -> usize {
    let of_cells = median(rois.iter().filter(|r| r.is_cell).map(|r| r.radius));
    let radius = of_cells.or_else(|| median(rois.iter().map(|r| r.radius)));
    radius.map_or(USUAL_DIAMETER, |radius| ((2.0 * radius).round() as usize).max(1))
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut sorted: Vec<f32> = values.filter(|v| v.is_finite()).collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
