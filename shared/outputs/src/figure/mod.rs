//! The figure: four panels that show a session at a glance, as one SVG and its PNG.
//!
//! (A) the first raw frame, (B) the covariance of the cells ordered by cluster, (C) the cells in
//! space, (D) their traces; of one plane, or of all planes of a recording. The PNG is made of that same SVG with fonts that travel with the
//! program, so that it looks alike on every machine.

mod contour;
mod covariance;
mod header;
mod images;
mod label;
pub(crate) mod palette;
mod raster;
mod svg;
mod traces;

use std::ops::Range;

use dropscope_segmentation::{ClusterBy, Clustering, Segmentation, SegmentedRecording};

use crate::{OutputError, RunMeta, error::check};
use svg::{Area, Svg, TextStyle};

pub(crate) use covariance::Matrix;
pub(crate) use images::binned;
pub(crate) use label::counted;
pub use raster::rasterize;
pub(crate) use svg::escaped;

const WIDTH: f64 = 1800.0;
const MARGIN: f64 = 50.0;
const HEADER: f64 = 130.0;
const GAP: f64 = 70.0;
const TITLE: f64 = 48.0;
const PANEL_WIDTH: f64 = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
const PANEL_HEIGHT: f64 = 800.0;
const HEIGHT: f64 = HEADER + 2.0 * (TITLE + PANEL_HEIGHT) + GAP / 2.0 + MARGIN;

/// The planes that are drawn, and what is said about them.
struct Subject<'a> {
    meta: &'a RunMeta,
    recording: &'a SegmentedRecording,
    planes: Range<usize>,
    /// Positions within the clustering of the cells of these planes, in the order of the clusters.
    order: Vec<usize>,
}

impl<'a> Subject<'a> {
    fn new(meta: &'a RunMeta, recording: &'a SegmentedRecording, planes: Range<usize>) -> Self {
        let c = &recording.clustering;
        let order = c.order.iter().copied().filter(|&position| planes.contains(&c.members[position].plane)).collect();
        Self { meta, recording, planes, order }
    }

    fn segs(&self) -> &'a [Segmentation] {
        &self.recording.planes[self.planes.clone()]
    }

    fn clustering(&self) -> &'a Clustering {
        &self.recording.clustering
    }

    /// The plane and the ROI at a position within the clustering.
    fn cell(&self, position: usize) -> (&'a Segmentation, usize) {
        let member = self.recording.clustering.members[position];
        (&self.recording.planes[member.plane], member.roi)
    }

    /// Clusters of cells, in the order of the cells.
    fn labels(&self, positions: &[usize]) -> Vec<usize> {
        positions.iter().map(|&position| self.recording.clustering.labels[position]).collect()
    }
}

/// Draws the figure of a recording, all planes together, 1800 units wide.
///
/// # Errors
/// [`OutputError::Inconsistent`] and [`OutputError::Clusters`] for a result that contradicts itself,
/// [`OutputError::NoPlanes`] for one without planes, [`OutputError::Picture`] for frames without pixels or when an image
/// cannot be encoded.
pub fn figure_svg(meta: &RunMeta, recording: &SegmentedRecording) -> Result<String, OutputError> {
    check(recording)?;
    draw(&Subject::new(meta, recording, 0..recording.planes.len()))
}

/// Draws the figure of one plane: its own cells, in the colours that their clusters have in the whole recording.
///
/// # Errors
/// As for [`figure_svg`]; [`OutputError::NoPlanes`] for a plane that does not exist, too.
pub fn plane_figure_svg(meta: &RunMeta, recording: &SegmentedRecording, plane: usize) -> Result<String, OutputError> {
    check(recording)?;
    if plane >= recording.planes.len() {
        return Err(OutputError::NoPlanes);
    }
    draw(&Subject::new(meta, recording, plane..plane + 1))
}

fn draw(subject: &Subject) -> Result<String, OutputError> {
    let cells = label::cells(subject.order.len());
    let mut svg = Svg::new(WIDTH, HEIGHT, &subject.meta.name);
    header::draw(&mut svg, subject);
    let each = if subject.segs().len() > 1 { " of each plane" } else { "" };
    let area = panel(&mut svg, 0, "A", &format!("First raw frame{each}"));
    images::first_frames(&mut svg, area, subject)?;
    let matrix = match subject.clustering().by {
        ClusterBy::Covariance => "Covariance",
        ClusterBy::Correlation => "Correlation",
    };
    let area = panel(&mut svg, 1, "B", &format!("{matrix} of {cells}, by cluster"));
    covariance::draw(&mut svg, area, subject)?;
    let area = panel(&mut svg, 2, "C", &format!("Cells on the mean image{each}, by cluster"));
    images::cells(&mut svg, area, subject)?;
    let shown = traces::shown(subject).len();
    let title = if shown < subject.order.len() {
        format!("Traces by cluster ({shown} of {cells})")
    } else {
        "Traces by cluster".to_owned()
    };
    let area = panel(&mut svg, 3, "D", &title);
    traces::draw(&mut svg, area, subject);
    Ok(svg.finish())
}

/// Writes letter and title of a panel and returns the space below them.
fn panel(svg: &mut Svg, index: usize, letter: &str, title: &str) -> Area {
    let x = MARGIN + (index % 2) as f64 * (PANEL_WIDTH + GAP);
    let y = HEADER + (index / 2) as f64 * (TITLE + PANEL_HEIGHT + GAP / 2.0);
    svg.text(x, y + 30.0, &TextStyle::new(34.0).bold(), letter);
    svg.text(x + 42.0, y + 30.0, &TextStyle::new(25.0), title);
    Area { x, y: y + TITLE, width: PANEL_WIDTH, height: PANEL_HEIGHT }
}

/// Says in words why a panel is empty.
fn nothing(svg: &mut Svg, area: Area, words: &str) {
    svg.rect(area, "#f4f4f4");
    let style = TextStyle::new(25.0).middle().color("#555555");
    let (x, y) = (area.x + area.width / 2.0, area.y + area.height / 2.0);
    svg.text(x, y, &style, words);
}
