//! All files of a run, one at a time.

use std::{fs, path::Path};

use dropscope_segmentation::SegmentedRecording;

use crate::{
    OutputError, RunMeta, clusters,
    error::check,
    figure_svg, plane_figure_svg, rasterize,
    suite2p::plane_files,
    tables::{clusters_csv, pixels_csv, rois_csv, traces_csv},
};

/// Renders every file of a run and hands each to `sink` as (path relative to the run, bytes).
///
/// The order is fixed and no more than one file is held at a time. `figure.svg` and
/// `figure.png` show all planes; a recording of several planes also gets
/// `figure_plane{p}.svg` and `.png` for each of them, in the same colours.
///
/// # Errors
/// [`OutputError`] when the result contradicts itself or a picture cannot be made; else the
/// first error of `sink`.
pub fn render_all<E: From<OutputError>>(
    meta: &RunMeta,
    recording: &SegmentedRecording,
    mut sink: impl FnMut(&str, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    check(recording)?;
    let planes = &recording.planes;
    for (p, seg) in planes.iter().enumerate() {
        for (name, bytes) in plane_files(meta, p, planes.len(), seg) {
            sink(&format!("suite2p/plane{p}/{name}"), bytes)?;
        }
    }
    sink("traces.csv", traces_csv(meta, planes).into_bytes())?;
    sink("rois.csv", rois_csv(recording).into_bytes())?;
    sink("pixels.csv", pixels_csv(planes).into_bytes())?;
    sink("clusters.csv", clusters_csv(recording).into_bytes())?;
    sink("clusters.json", clusters::json(&recording.clustering)?)?;
    if let Some(matrix) = clusters::matrix(&recording.clustering) {
        sink("covariance.npy", matrix)?;
    }
    render_figures(meta, recording, sink)
}

fn render_figures<E: From<OutputError>>(
    meta: &RunMeta,
    recording: &SegmentedRecording,
    mut sink: impl FnMut(&str, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let mut draw = |name: &str, svg: String| {
        let png = rasterize(&svg)?;
        sink(&format!("{name}.svg"), svg.into_bytes())?;
        sink(&format!("{name}.png"), png)
    };
    if recording.planes.len() > 1 {
        for plane in 0..recording.planes.len() {
            draw(&format!("figure_plane{plane}"), plane_figure_svg(meta, recording, plane)?)?;
        }
    }
    draw("figure", figure_svg(meta, recording)?)
}

/// Writes every file of a run under `dir`, which is made when it is not there.
///
/// # Errors
/// As [`render_all`], and [`OutputError::Write`] naming the file that could not be written.
pub fn write_folder(dir: &Path, meta: &RunMeta, recording: &SegmentedRecording) -> Result<(), OutputError> {
    render_all(meta, recording, |relative, bytes| {
        let path = dir.join(relative);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).map_err(|source| OutputError::Write { path, source })
    })
}
