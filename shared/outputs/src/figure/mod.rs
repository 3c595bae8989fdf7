//! The figure: four panels that show a session at a glance, as one SVG and its PNG.
//!
//! (A) the first raw frame, (B) the covariance of the cells ordered by cluster, (C) the cells in
//! space, (D) their traces. The PNG is made of that same SVG with fonts that travel with the
//! program, so that it looks alike on every machine.

mod contour;
mod covariance;
mod header;
mod images;
mod label;
mod palette;
mod raster;
mod svg;
mod traces;

use dropscope_segmentation::Segmentation;

use crate::{OutputError, RunMeta, error::check};
use svg::{Area, Svg, TextStyle};

pub use raster::rasterize;

const WIDTH: f64 = 1800.0;
const MARGIN: f64 = 50.0;
const HEADER: f64 = 130.0;
const GAP: f64 = 70.0;
const TITLE: f64 = 48.0;
const PANEL_WIDTH: f64 = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;
const PANEL_HEIGHT: f64 = 800.0;
const HEIGHT: f64 = HEADER + 2.0 * (TITLE + PANEL_HEIGHT) + GAP / 2.0 + MARGIN;

/// One plane and what is said about it.
struct Subject<'a> {
    meta: &'a RunMeta,
    plane: usize,
    planes: usize,
    seg: &'a Segmentation,
}

/// Draws the figure of one plane, 1800 units wide.
///
/// # Errors
/// [`OutputError::Inconsistent`] for a result that contradicts itself, [`OutputError::Picture`] for frames without pixels or when an image
/// cannot be encoded.
pub fn figure_svg(meta: &RunMeta, plane: usize, planes: usize, seg: &Segmentation) -> Result<String, OutputError> {
    check(std::slice::from_ref(seg))?;
    let subject = Subject { meta, plane, planes, seg };
    let cells = label::cells(seg.clustering.members.len());
    let mut svg = Svg::new(WIDTH, HEIGHT, &meta.name);
    header::draw(&mut svg, &subject);
    let area = panel(&mut svg, 0, "A", "First raw frame");
    images::first_frame(&mut svg, area, &subject)?;
    let area = panel(&mut svg, 1, "B", &format!("Covariance of {cells}, by cluster"));
    covariance::draw(&mut svg, area, &seg.clustering)?;
    let area = panel(&mut svg, 2, "C", "Cells on the mean image, by cluster");
    images::cells(&mut svg, area, &subject)?;
    let shown = traces::shown(seg).len();
    let title = if shown < seg.clustering.members.len() {
        format!("Traces by cluster ({shown} of {cells})")
    } else {
        "Traces by cluster".to_owned()
    };
    let area = panel(&mut svg, 3, "D", &title);
    traces::draw(&mut svg, area, &subject);
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
