//! Windows of time as an animated GIF.

use dropscope_picture::PictureError;
use rayon::prelude::*;
use std::borrow::Cow;

use super::canvas::Canvas;
use super::caption::{Caption, ROWS};
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

/// Encodes the windows of every plane: `planes[plane][window]`, each above its caption; a comment is kept inside the file.
pub(crate) fn gif(
    layout: &Layout,
    planes: &[&Vec<Image>],
    caption: &Caption,
    comment: Option<&str>,
) -> Result<Vec<u8>, ProjectionError> {
    within(MOST_BYTES, layout, (&filled(planes), caption), comment)
}

/// The same of tiles that are there: `windows[time][tile]`.
pub(crate) fn gif_of(layout: &Layout, windows: &[Vec<Cow<Image>>], caption: &Caption) -> Result<Vec<u8>, ProjectionError> {
    within(MOST_BYTES, layout, (windows, caption), None)
}

/// The same in `most` bytes: with fewer greys first, then smaller, then with fewer frames that are shown longer.
fn within(
    most: usize,
    layout: &Layout,
    (windows, caption): (&[Vec<Cow<Image>>], &Caption),
    comment: Option<&str>,
) -> Result<Vec<u8>, ProjectionError> {
    let mut drawn = Drawn::of(layout, (windows, caption), LADDER[0].1)?;
    let mut bytes = Vec::new();
    for (step, (bits, factor)) in LADDER.into_iter().enumerate() {
        if drawn.factor != factor {
            drawn = Drawn::of(layout, (windows, caption), factor)?;
        }
        let last = step + 1 == LADDER.len();
        if !last && drawn.is_hopeless(bits, most) {
            continue;
        }
        bytes = drawn.encode(bits, comment)?;
        if bytes.len() <= most {
            return Ok(bytes);
        }
    }
    while bytes.len() > most && drawn.frames.len() > 1 {
        drawn.halve();
        bytes = drawn.encode(LADDER[LADDER.len() - 1].0, comment)?;
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
    /// Side of the squares of pixels that were averaged.
    factor: usize,
    /// Time each frame is shown, in units of 10 ms.
    delay: u16,
    frames: Vec<Vec<u8>>,
}

impl Drawn {
    /// Draws the tiles of each window, squares of `factor` × `factor` pixels averaged.
    fn of(layout: &Layout, (windows, caption): (&[Vec<Cow<Image>>], &Caption), factor: usize) -> Result<Self, ProjectionError> {
        let windows: Vec<Vec<Cow<Image>>> =
            windows.par_iter().map(|tiles| tiles.iter().map(|tile| shrunk(tile, factor)).collect()).collect();
        let Some(tile) = windows.first().and_then(|tiles| tiles.first()) else {
            return Err(PictureError::Size { width: 0, height: 0 }.into());
        };
        let zoom = layout.zoom(tile.height, tile.width);
        let grid = layout.grid(tile.height * zoom, tile.width * zoom);
        let (picture, width) = grid.size();
        let height = picture + ROWS + BAR;
        let too_large = || ProjectionError::Picture(PictureError::Size { width, height });
        let (w, h) = (u16::try_from(width).map_err(|_| too_large())?, u16::try_from(height).map_err(|_| too_large())?);
        let background = match caption.names.as_slice() {
            [] => labels(height, width, grid.labels(layout.tiles - 1))?,
            names => labels(height, width, grid.named(names).into_iter())?,
        };
        let captions = caption.sheet(width, tile.width * zoom, zoom as f64 / factor as f64)?;
        let contrast = Contrast::of(windows.iter().flatten().map(Cow::as_ref));
        let frame = |(i, tiles): (usize, &Vec<Cow<Image>>)| {
            let mut canvas = Canvas { height, width, pixels: background.clone() };
            draw(&mut canvas, grid, tiles, zoom, &contrast);
            canvas.paste(picture, 0, width, 1, captions.chunks(ROWS * width.max(1)).nth(i).unwrap_or_default());
            bar(&mut canvas, i + 1, windows.len());
            canvas.pixels
        };
        let frames = windows.par_iter().enumerate().map(frame).collect();
        Ok(Self { width: w, height: h, factor, delay: DELAY, frames })
    }

    /// Leaves out every second frame; the others are shown twice as long.
    fn halve(&mut self) {
        self.frames = std::mem::take(&mut self.frames).into_iter().step_by(2).collect();
        self.delay = self.delay.saturating_mul(2);
    }

    /// Whether some frames, evenly spread, are far too large already: noise is much the same in all of them.
    fn is_hopeless(&self, bits: u32, most: usize) -> bool {
        let sizes: Vec<usize> = self.frames.par_iter().step_by(PROBE).map(|frame| compressed(frame, bits).len()).collect();
        let expected = sizes.iter().sum::<usize>() * self.frames.len() / sizes.len().max(1);
        expected > most + most / 50
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
            let frame = gif::Frame { delay: self.delay, width, height, buffer: Cow::Owned(frame), ..gif::Frame::default() };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{About, Windows, survey};
    use dropscope_recording::{Limits, Overrides};
    use proptest::prelude::*;
    use std::io::Cursor;
    use tiff::encoder::{TiffEncoder, colortype};

    /// Bytes in which one frame of one pixel and its caption always fit.
    const LEAST: usize = 40_000;

    fn noisy(height: usize, width: usize, frames: usize, bits: u32) -> Vec<u8> {
        let (mut bytes, mut state) = (Cursor::new(Vec::new()), 1_u32);
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> (32 - bits)) as u16
        };
        let mut tiff = TiffEncoder::new(&mut bytes).unwrap();
        for _ in 0..frames {
            let frame: Vec<u16> = (0..height * width).map(|_| next()).collect();
            tiff.write_image::<colortype::Gray16>(width as u32, height as u32, &frame).unwrap();
        }
        bytes.into_inner()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn noise_of_any_size_fits_any_room_and_lasts_as_long(
            height in 1_usize..200, width in 1_usize..200, planes in 1_usize..4, times in 2_usize..30, bits in 1_u32..16,
            most in LEAST..4 * LEAST,
        ) {
            let overrides = Overrides { planes: Some(planes), ..Overrides::default() };
            let file = Cursor::new(noisy(height, width, times * planes, bits));
            let recording = dropscope_recording::open(Box::new(file), &Limits::default(), &overrides).unwrap();
            let found = survey(&recording, &Windows::default(), &|_, _| {}).unwrap();
            let about = About { name: "x".into(), frame_rate_hz: 5.0, frame_rate_assumed: true };
            let maxima: Vec<&Vec<Image>> = found.planes.iter().map(|plane| &plane.window_max).collect();
            let caption = Caption::of(&found, &about);
            let gif = within(most, &found.layout, (&filled(&maxima), &caption), None).unwrap();
            prop_assert!(gif.len() <= most, "{} of {most} bytes", gif.len());
            let mut decoder = gif::DecodeOptions::new().read_info(&gif[..]).unwrap();
            let mut lasts = 0;
            let mut frames = 0;
            while let Some(frame) = decoder.read_next_frame().unwrap() {
                (lasts, frames) = (lasts + u32::from(frame.delay), frames + 1);
            }
            let windows = times.min(24) as u32;
            // An odd number of frames ends later by the one that had no second.
            let whole = windows * u32::from(DELAY);
            prop_assert!(frames >= 1 && lasts >= whole && lasts < whole + 24 * u32::from(DELAY), "{frames} frames, {lasts}");
        }
    }
}
