//! All files of a run, one at a time.

use std::{fs, path::Path};

use dropscope_segmentation::Segmentation;

use crate::{
    OutputError, RunMeta,
    error::check,
    figure_svg, rasterize,
    suite2p::plane_files,
    tables::{clusters_csv, pixels_csv, rois_csv, traces_csv},
};

/// Renders every file of a run and hands each to `sink` as (path relative to the run, bytes).
///
/// The order is fixed and no more than one file is held at a time. `figure.svg` and
/// `figure.png` show the plane with the most clustered cells; a recording of several planes
/// also gets `figure_plane{p}.svg` and `.png` for each of them.
///
/// # Errors
/// [`OutputError`] when the result contradicts itself or a picture cannot be made; else the
/// first error of `sink`.
pub fn render_all<E: From<OutputError>>(
    meta: &RunMeta,
    planes: &[Segmentation],
    mut sink: impl FnMut(&str, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    check(planes)?;
    for (p, seg) in planes.iter().enumerate() {
        for (name, bytes) in plane_files(meta, p, planes.len(), seg) {
            sink(&format!("suite2p/plane{p}/{name}"), bytes)?;
        }
    }
    sink("traces.csv", traces_csv(meta, planes).into_bytes())?;
    sink("rois.csv", rois_csv(planes).into_bytes())?;
    sink("pixels.csv", pixels_csv(planes).into_bytes())?;
    sink("clusters.csv", clusters_csv(planes).into_bytes())?;
    render_figures(meta, planes, sink)
}

fn render_figures<E: From<OutputError>>(
    meta: &RunMeta,
    planes: &[Segmentation],
    mut sink: impl FnMut(&str, Vec<u8>) -> Result<(), E>,
) -> Result<(), E> {
    let shown = richest(planes);
    for (p, seg) in planes.iter().enumerate() {
        let svg = figure_svg(meta, p, planes.len(), seg)?;
        let png = rasterize(&svg)?;
        if planes.len() > 1 {
            sink(&format!("figure_plane{p}.svg"), svg.clone().into_bytes())?;
            sink(&format!("figure_plane{p}.png"), png.clone())?;
        }
        if p == shown {
            sink("figure.svg", svg.into_bytes())?;
            sink("figure.png", png)?;
        }
    }
    Ok(())
}

/// The plane with the most clustered cells, the first of equals.
fn richest(planes: &[Segmentation]) -> usize {
    let cells = |p: usize| planes[p].clustering.members.len();
    (0..planes.len()).rev().max_by_key(|&p| cells(p)).unwrap_or(0)
}

/// Writes every file of a run under `dir`, which is made when it is not there.
///
/// # Errors
/// As [`render_all`], and [`OutputError::Write`] naming the file that could not be written.
pub fn write_folder(dir: &Path, meta: &RunMeta, planes: &[Segmentation]) -> Result<(), OutputError> {
    render_all(meta, planes, |relative, bytes| {
        let path = dir.join(relative);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).map_err(|source| OutputError::Write { path, source })
    })
}
