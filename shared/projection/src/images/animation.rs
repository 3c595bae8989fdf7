//! Windows of time as an animated GIF.

use dropscope_picture::PictureError;
use rayon::prelude::*;
use std::borrow::Cow;

use super::canvas::Canvas;
use super::contrast::Contrast;
use super::layout::{Grid, Layout};
use super::lzw::compress;
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

/// One frame in so many is encoded first, to tell whether all together may be small enough.
const PROBE: usize = 6;

/// Encodes the windows of every plane: `planes[plane][window]`; a comment is kept inside the file.
pub(crate) fn gif(layout: &Layout, planes: &[&Vec<Image>], comment: Option<&str>) -> Result<Vec<u8>, ProjectionError> {
    let windows = filled(planes);
    let mut drawn: Option<(usize, Drawn)> = None;
    let mut bytes = Vec::new();
    for (step, (bits, factor)) in LADDER.into_iter().enumerate() {
        let drawn = match drawn.take() {
            Some((of, same)) if of == factor => drawn.insert((of, same)),
            _ => drawn.insert((factor, Drawn::of(layout, &windows, factor)?)),
        };
        let last = step + 1 == LADDER.len();
        if !last && drawn.1.is_hopeless(bits) {
            continue;
        }
        bytes = drawn.1.encode(bits, comment)?;
        if bytes.len() <= MOST_BYTES {
            break;
        }
    }
    Ok(bytes)
}

/// The tiles of each window: the planes, and of several planes their maximum. A window without a frame repeats its
/// neighbour, since a black one would flash.
fn filled<'a>(planes: &[&'a Vec<Image>]) -> Vec<Vec<Cow<'a, Image>>> {
    let count = planes.first().map_or(0, |windows| windows.len());
    let known = |image: &Image| image.values.iter().any(|v| v.is_finite());
    let nearest = |plane: &[Image], window: usize| {
        let before = (0..=window).rev().find(|w| known(&plane[*w]));
        before.or_else(|| (window..plane.len()).find(|w| known(&plane[*w]))).unwrap_or(window)
    };
    (0..count)
        .map(|window| {
            let mut tiles: Vec<Cow<Image>> = planes.iter().map(|plane| Cow::Borrowed(&plane[nearest(plane, window)])).collect();
            if let [first, rest @ ..] = tiles.as_slice()
                && !rest.is_empty()
            {
                let mut all = first.clone().into_owned();
                rest.iter().for_each(|plane| all.raise_to(plane));
                tiles.push(Cow::Owned(all));
            }
            tiles
        })
        .collect()
}

/// All frames in 256 greys, before they are made fewer.
struct Drawn {
    width: u16,
    height: u16,
    frames: Vec<Vec<u8>>,
}

impl Drawn {
    /// Draws the tiles of each window, squares of `factor` × `factor` pixels averaged.
    fn of(layout: &Layout, windows: &[Vec<Cow<Image>>], factor: usize) -> Result<Self, ProjectionError> {
        let windows: Vec<Vec<Cow<Image>>> =
            windows.par_iter().map(|tiles| tiles.iter().map(|tile| shrunk(tile, factor)).collect()).collect();
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
        let contrast = Contrast::of(windows.iter().flatten().map(Cow::as_ref));
        let frame = |(i, tiles): (usize, &Vec<Cow<Image>>)| {
            let mut canvas = Canvas { height: height + BAR, width, pixels: background.clone() };
            draw(&mut canvas, grid, tiles, zoom, &contrast);
            bar(&mut canvas, i + 1, windows.len());
            canvas.pixels
        };
        Ok(Self { width: w, height: h, frames: windows.par_iter().enumerate().map(frame).collect() })
    }

    /// Whether some frames, evenly spread, are far too large already: noise is much the same in all of them.
    fn is_hopeless(&self, bits: u32) -> bool {
        let sizes: Vec<usize> = self.frames.par_iter().step_by(PROBE).map(|frame| compressed(frame, bits).len()).collect();
        let expected = sizes.iter().sum::<usize>() * self.frames.len() / sizes.len().max(1);
        expected > MOST_BYTES + MOST_BYTES / 50
    }

    fn encode(&self, bits: u32, comment: Option<&str>) -> Result<Vec<u8>, ProjectionError> {
        let frames: Vec<Vec<u8>> = self.frames.par_iter().map(|frame| compressed(frame, bits)).collect();
        let mut out = Vec::with_capacity(frames.iter().map(|frame| frame.len() + frame.len() / 128 + 64).sum());
        let mut encoder = gif::Encoder::new(&mut out, self.width, self.height, &palette(bits))?;
        encoder.set_repeat(gif::Repeat::Infinite)?;
        if let Some(comment) = comment {
            encoder.write_raw_extension(gif::Extension::Comment.into(), &[comment.as_bytes()])?;
        }
        let (width, height) = (self.width, self.height);
        for frame in frames {
            let frame = gif::Frame { delay: DELAY, width, height, buffer: Cow::Owned(frame), ..gif::Frame::default() };
            encoder.write_lzw_pre_encoded_frame(&frame)?;
        }
        drop(encoder);
        Ok(out)
    }
}

fn shrunk<'a>(tile: &'a Image, factor: usize) -> Cow<'a, Image> {
    if factor > 1 { Cow::Owned(tile.clone().binned(factor)) } else { Cow::Borrowed(tile) }
}

fn compressed(frame: &[u8], bits: u32) -> Vec<u8> {
    compress(frame.iter().map(|grey| grey >> (8 - bits)), bits)
}

/// Evenly spaced greys from black to white.
fn palette(bits: u32) -> Vec<u8> {
    let most = (1_usize << bits) - 1;
    (0..=most).flat_map(|i| [(255 * i / most) as u8; 3]).collect()
}

fn draw(canvas: &mut Canvas, grid: Grid, tiles: &[Cow<Image>], zoom: usize, contrast: &Contrast) {
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
