//! All files of a run, one at a time.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::Path,
};

use dropscope_segmentation::SegmentedRecording;

use crate::{
    OutputError, RunMeta, Session, clusters,
    error::check,
    figure_svg, nwb, plane_figure_svg, rasterize, suite2p,
    tables::{clusters_csv, pixels_csv, rois_csv, traces_csv},
};

/// What a file of a run holds.
pub enum Contents<'a> {
    /// All of it.
    Whole(Vec<u8>),
    /// What writes it in pieces, since it may be larger than memory should be; the same at every call.
    Pieces(&'a dyn Fn(&mut dyn Write) -> io::Result<()>),
}

impl Contents<'_> {
    /// Writes it.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Whole(bytes) => out.write_all(bytes),
            Self::Pieces(write) => write(out),
        }
    }

    /// Makes the file, or writes it over.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write_file(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(fs::File::create(path)?);
        self.write_to(&mut file)?;
        file.flush()
    }
}

/// Renders every file of a run and hands each to `sink` as (path relative to the run, contents).
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
    session: &Session,
    recording: &SegmentedRecording,
    mut sink: impl FnMut(&str, Contents<'_>) -> Result<(), E>,
) -> Result<(), E> {
    check(recording)?;
    nwb::with_file((meta, session, recording), |write| sink(nwb::NAME, Contents::Pieces(write)))?;
    let planes = &recording.planes;
    suite2p::render(meta, planes, &mut sink)?;
    let mut sink = |name: &str, bytes| sink(name, Contents::Whole(bytes));
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
pub fn write_folder(dir: &Path, meta: &RunMeta, session: &Session, recording: &SegmentedRecording) -> Result<(), OutputError> {
    render_all(meta, session, recording, |relative, contents| {
        let path = dir.join(relative);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).and_then(|()| contents.write_file(&path)).map_err(|source| OutputError::Write { path, source })
    })
}
