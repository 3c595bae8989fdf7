//! Panel B: which cells vary together.

use dropscope_segmentation::Clustering;
use ndarray::Array2;

use super::{
    Subject,
    images::no_cells,
    label, palette,
    svg::{Area, Svg, TextStyle},
};
use crate::{OutputError, clusters::word, picture::rgb_png};

const BAR: f64 = 16.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = BAR + 6.0;
const STEPS: usize = 128;
/// Larger matrices are binned before they are embedded.
const MOST_PIXELS: usize = 1000;

pub(super) fn draw(svg: &mut Svg, area: Area, subject: &Subject) -> Result<(), OutputError> {
    let matrix = Matrix::of(subject.clustering(), &subject.order);
    if matrix.is_empty() {
        no_cells(svg, area);
        return Ok(());
    }
    let side = (area.width - LEFT - RIGHT).min(area.height - TOP - 50.0);
    let at = Area { x: area.x + LEFT, y: area.y + TOP, width: side, height: side };
    let limit = matrix.limit();
    let (height, width, rgb) = matrix.pixels(limit);
    // Beyond an entry per unit of the page, dropping rows would show a random part.
    svg.image(at, &rgb_png(width, height, &rgb)?, (height as f64) < side);
    svg.frame(at);
    let labels = subject.labels(&subject.order);
    side_bar(svg, Area { x: at.x - BAR - 6.0, width: BAR, ..at }, &labels, side);
    top_bar(svg, at, &labels);
    color_bar(svg, at, limit, word(subject.clustering().by))?;
    let style = TextStyle::new(20.0).middle();
    let middle = at.x + side / 2.0;
    svg.text(middle, at.y + side + 32.0, &style, "cells, in the order of their clusters");
    Ok(())
}

/// The part of the covariance matrix that is drawn.
pub(crate) struct Matrix<'a> {
    all: &'a Array2<f64>,
    /// Rows of `all`, from the top: the cells that are drawn.
    rows: Vec<usize>,
    /// Columns of `all`, from the left: those of the same cells that are references.
    columns: Vec<usize>,
}

impl<'a> Matrix<'a> {
    /// The rows of the cells at these positions within the clustering, in their order, and their columns.
    pub(crate) fn of(c: &'a Clustering, order: &[usize]) -> Self {
        let column = |position: &usize| c.references.binary_search(position).ok();
        Self { all: &c.covariance, rows: order.to_vec(), columns: order.iter().filter_map(column).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() || self.columns.is_empty()
    }

    /// The covariance beyond which colours saturate: the 99th percentile between different cells, so
    /// that one loud cell's variance does not bleach the rest.
    pub(crate) fn limit(&self) -> f64 {
        let alone = self.rows.len() == 1;
        let entries = self.rows.iter().enumerate().flat_map(|(i, &row)| {
            let columns = self.columns.iter().enumerate();
            columns.filter(move |&(j, _)| i != j || alone).map(move |(_, &column)| self.all[[row, column]].abs())
        });
        let mut sizes: Vec<f64> = entries.filter(|v| v.is_finite()).collect();
        sizes.sort_by(f64::total_cmp);
        let at = (sizes.len().max(1) - 1) as f64 * 0.99;
        let limit = sizes.get(at.round() as usize).copied().unwrap_or(0.0);
        if limit > 0.0 { limit } else { 1.0 }
    }

    /// Height, width and RGB pixels.
    fn pixels(&self, limit: f64) -> (usize, usize, Vec<u8>) {
        let (height, width, means) = self.means(MOST_PIXELS);
        (height, width, means.iter().flat_map(|mean| palette::diverging(mean / limit)).collect())
    }

    /// Height, width and the means of rectangular blocks, no more than `most` either way.
    ///
    /// A block is one entry until there is no room.
    pub(crate) fn means(&self, most: usize) -> (usize, usize, Vec<f64>) {
        let blocks = |of: &'_ Vec<usize>| -> Vec<Vec<usize>> {
            of.chunks(of.len().div_ceil(most).max(1)).map(<[usize]>::to_vec).collect()
        };
        let (down, across) = (blocks(&self.rows), blocks(&self.columns));
        let mut means = Vec::with_capacity(down.len() * across.len());
        for rows in &down {
            for columns in &across {
                let entries = rows.iter().flat_map(|&i| columns.iter().map(move |&j| [i, j]));
                let sum: f64 = entries.map(|at| self.all[at]).sum();
                means.push(sum / (rows.len() * columns.len()) as f64);
            }
        }
        (down.len(), across.len(), means)
    }
}

/// Draws the clusters of rows as a coloured bar, with their numbers on the left where they fit.
///
/// `order` is the cluster of each row from top to bottom, `height` the height of all rows.
pub(super) fn side_bar(svg: &mut Svg, at: Area, order: &[usize], height: f64) {
    let step = height / order.len() as f64;
    for (label, from, to) in runs(order) {
        let part = Area { y: at.y + from as f64 * step, height: (to - from) as f64 * step, ..at };
        svg.rect(part, palette::cluster(label));
        if part.height >= 18.0 {
            let style = TextStyle::new(20.0).end();
            let y = part.y + part.height / 2.0 + 7.0;
            svg.text(at.x - 8.0, y, &style, &(label + 1).to_string());
        }
    }
}

fn top_bar(svg: &mut Svg, at: Area, order: &[usize]) {
    let step = at.width / order.len() as f64;
    for (label, from, to) in runs(order) {
        let part = Area { x: at.x + from as f64 * step, y: at.y - BAR - 6.0, width: (to - from) as f64 * step, height: BAR };
        svg.rect(part, palette::cluster(label));
    }
}

/// Stretches of one cluster: (cluster, first row, row after the last).
fn runs(order: &[usize]) -> Vec<(usize, usize, usize)> {
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for (row, &label) in order.iter().enumerate() {
        match found.last_mut() {
            Some(last) if last.0 == label => last.2 = row + 1,
            _ => found.push((label, row, row + 1)),
        }
    }
    found
}

fn color_bar(svg: &mut Svg, matrix: Area, limit: f64, quantity: &str) -> Result<(), OutputError> {
    let at = Area { x: matrix.x + matrix.width + 20.0, width: 20.0, ..matrix };
    let value = |step: usize| 1.0 - 2.0 * step as f64 / (STEPS - 1) as f64;
    let rgb: Vec<u8> = (0..STEPS).flat_map(|s| palette::diverging(value(s))).collect();
    svg.image(at, &rgb_png(1, STEPS, &rgb)?, true);
    svg.frame(at);
    let style = TextStyle::new(20.0);
    let x = at.x + at.width + 8.0;
    for (part, value) in [(0.0, limit), (0.5, 0.0), (1.0, -limit)] {
        let y = at.y + part * at.height;
        svg.line((x - 8.0, y), (x - 3.0, y), "#333333", 1.0);
        svg.text(x, y + 7.0, &style, &label::short(value));
    }
    let turned = TextStyle::new(20.0).middle().turned();
    svg.text(x + 30.0, at.y + 0.25 * at.height, &turned, quantity);
    Ok(())
}
