//! Panel B: which cells vary together.

use dropscope_segmentation::Clustering;

use super::{
    images::no_cells,
    label, palette,
    svg::{Area, Svg, TextStyle},
};
use crate::{OutputError, picture::rgb_png};

const BAR: f64 = 16.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 130.0;
const TOP: f64 = BAR + 6.0;
const STEPS: usize = 128;
/// Larger matrices are binned before they are embedded.
const MOST_PIXELS: usize = 1000;

pub(super) fn draw(svg: &mut Svg, area: Area, c: &Clustering) -> Result<(), OutputError> {
    let n = c.order.len();
    if n == 0 {
        no_cells(svg, area);
        return Ok(());
    }
    let side = (area.width - LEFT - RIGHT).min(area.height - TOP - 50.0);
    let at = Area { x: area.x + LEFT, y: area.y + TOP, width: side, height: side };
    let limit = limit(c);
    let (pixels, rgb) = ordered(c, limit);
    // Beyond an entry per unit of the page, dropping rows would show a random part.
    svg.image(at, &rgb_png(pixels, pixels, &rgb)?, (pixels as f64) < side);
    svg.frame(at);
    let order: Vec<usize> = c.order.iter().map(|&p| c.labels[p]).collect();
    side_bar(svg, Area { x: at.x - BAR - 6.0, width: BAR, ..at }, &order, side);
    top_bar(svg, at, &order);
    color_bar(svg, at, limit)?;
    let style = TextStyle::new(20.0).middle();
    let middle = at.x + side / 2.0;
    svg.text(middle, at.y + side + 32.0, &style, "cells, in the order of their clusters");
    Ok(())
}

/// The covariance beyond which colours saturate: the 99th percentile between different cells, so
/// that one loud cell's variance does not bleach the rest.
fn limit(c: &Clustering) -> f64 {
    let n = c.order.len();
    let mut sizes: Vec<f64> =
        c.covariance.indexed_iter().filter(|((i, j), v)| (i != j || n == 1) && v.is_finite()).map(|(_, v)| v.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let at = (sizes.len().max(1) - 1) as f64 * 0.99;
    let limit = sizes.get(at.round() as usize).copied().unwrap_or(0.0);
    if limit > 0.0 { limit } else { 1.0 }
}

/// The matrix in the order of the clusters as RGB pixels, and its side in pixels.
///
/// Each pixel is the mean of a square block; a block is one entry until the page has no room.
fn ordered(c: &Clustering, limit: f64) -> (usize, Vec<u8>) {
    let factor = c.order.len().div_ceil(MOST_PIXELS).max(1);
    let blocks: Vec<&[usize]> = c.order.chunks(factor).collect();
    let mut rgb = Vec::with_capacity(3 * blocks.len() * blocks.len());
    for rows in &blocks {
        for columns in &blocks {
            let entries = rows.iter().flat_map(|&i| columns.iter().map(move |&j| [i, j]));
            let sum: f64 = entries.map(|at| c.covariance[at]).sum();
            let mean = sum / (rows.len() * columns.len()) as f64;
            rgb.extend(palette::diverging(mean / limit));
        }
    }
    (blocks.len(), rgb)
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

fn color_bar(svg: &mut Svg, matrix: Area, limit: f64) -> Result<(), OutputError> {
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
    svg.text(x + 30.0, at.y + 0.25 * at.height, &turned, "covariance");
    Ok(())
}
