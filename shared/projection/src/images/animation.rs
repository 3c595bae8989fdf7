//! Windows of time as an animated GIF.

use dropscope_picture::PictureError;
use std::borrow::Cow;

use super::canvas::Canvas;
use super::contrast::Contrast;
use super::layout::{Grid, Layout};
use super::text::labels;
use crate::{Image, ProjectionError};

/// Time each window is shown, in units of 10 ms.
const DELAY: u16 = 12;
/// A mail program shows a picture up to about this many bytes.
const MOST_BYTES: usize = 8_000_000;
/// Bits of grey and squares that are averaged, tried in this order until the file is small enough: noise does not
/// compress, and 32 greys with all pixels show more than 256 with a quarter of them.
const LADDER: [(u32, usize); 6] = [(8, 1), (7, 1), (6, 1), (5, 1), (7, 2), (6, 4)];
/// Height of the bar that shows how far time is.
const BAR: usize = 4;
const BAR_PAST: u8 = 200;
const BAR_AHEAD: u8 = 48;

/// Encodes the windows of every plane: `planes[plane][window]`.
pub(crate) fn gif(layout: &Layout, planes: &[&Vec<Image>]) -> Result<Vec<u8>, ProjectionError> {
    let windows = filled(planes);
    let mut bytes = Vec::new();
    for (bits, factor) in LADDER {
        let shrunk: Vec<Vec<Image>> =
            windows.iter().map(|tiles| tiles.iter().map(|tile| tile.binned(factor)).collect()).collect();
        bytes = encode(layout, &shrunk, bits)?;
        if bytes.len() <= MOST_BYTES {
            break;
        }
    }
    Ok(bytes)
}

/// The tiles of each window: the planes, and of several planes their maximum. A window without a frame repeats its
/// neighbour, since a black one would flash.
fn filled(planes: &[&Vec<Image>]) -> Vec<Vec<Image>> {
    let count = planes.first().map_or(0, |windows| windows.len());
    let known = |image: &Image| image.values.iter().any(|v| v.is_finite());
    let nearest = |plane: &[Image], window: usize| {
        let before = (0..=window).rev().find(|w| known(&plane[*w]));
        before.or_else(|| (window..plane.len()).find(|w| known(&plane[*w]))).unwrap_or(window)
    };
    (0..count)
        .map(|window| {
            let mut tiles: Vec<Image> = planes.iter().map(|plane| plane[nearest(plane, window)].clone()).collect();
            if let [first, rest @ ..] = tiles.as_slice()
                && !rest.is_empty()
            {
                let mut all = first.clone();
                rest.iter().for_each(|plane| all.raise_to(plane));
                tiles.push(all);
            }
            tiles
        })
        .collect()
}

fn encode(layout: &Layout, windows: &[Vec<Image>], bits: u32) -> Result<Vec<u8>, ProjectionError> {
    let Some(tile) = windows.first().and_then(|tiles| tiles.first()) else {
        return Err(PictureError::Size { width: 0, height: 0 }.into());
    };
    let zoom = layout.zoom(tile.height, tile.width);
    let grid = layout.grid(tile.height * zoom, tile.width * zoom);
    let (height, width) = grid.size();
    let too_large = || ProjectionError::Picture(PictureError::Size { width, height });
    let w = u16::try_from(width).map_err(|_| too_large())?;
    let h = u16::try_from(height + BAR).map_err(|_| too_large())?;
    let background = labels(height + BAR, width, grid.labels(layout.tiles - 1))?;
    let contrast = Contrast::of(windows.iter().flatten());
    let mut out = Vec::new();
    let mut encoder = gif::Encoder::new(&mut out, w, h, &palette(bits))?;
    encoder.set_repeat(gif::Repeat::Infinite)?;
    for (i, tiles) in windows.iter().enumerate() {
        let mut canvas = Canvas { height: height + BAR, width, pixels: background.clone() };
        draw(&mut canvas, grid, tiles, zoom, &contrast);
        bar(&mut canvas, i + 1, windows.len());
        canvas.pixels.iter_mut().for_each(|grey| *grey >>= 8 - bits);
        let frame = gif::Frame { delay: DELAY, width: w, height: h, buffer: Cow::Owned(canvas.pixels), ..gif::Frame::default() };
        encoder.write_frame(&frame)?;
    }
    drop(encoder);
    Ok(out)
}

/// Evenly spaced greys from black to white.
fn palette(bits: u32) -> Vec<u8> {
    let most = (1_usize << bits) - 1;
    (0..=most).flat_map(|i| [(255 * i / most) as u8; 3]).collect()
}

fn draw(canvas: &mut Canvas, grid: Grid, tiles: &[Image], zoom: usize, contrast: &Contrast) {
    for (i, tile) in tiles.iter().enumerate() {
        let (top, left) = grid.place(i);
        let grey: Vec<u8> = tile.values.iter().map(|v| contrast.gray(*v)).collect();
        canvas.paste(top, left, tile.width, zoom, &grey);
    }
}

fn bar(canvas: &mut Canvas, done: usize, total: usize) {
    let past = canvas.width * done / total;
    let line: Vec<u8> = (0..canvas.width).map(|x| if x < past { BAR_PAST } else { BAR_AHEAD }).collect();
    canvas.paste(canvas.height - 1, 0, canvas.width, 1, &line);
    for y in canvas.height.saturating_sub(BAR - 1)..canvas.height - 1 {
        canvas.paste(y, 0, canvas.width, 1, &line);
    }
}
