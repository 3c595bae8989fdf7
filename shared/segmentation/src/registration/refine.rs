//! From a reference of frames moved as a whole to one of frames moved in every part, and how noisy each of its pixels is.

use super::add_frames;
use super::grid::{Field, Grid};
use super::phase::Shift;
use super::template::{Look, Template};
use super::warp::{RowField, add_squares, warp};
use crate::numeric::{gaussian_kernel, mean, median, quantile, smooth_plane};
use rayon::prelude::*;

/// Rounds of align and average.
pub(super) const ROUNDS: usize = 2;
/// How each round looks at the sample.
const ROUND: [&[Look]; ROUNDS] = [
    &[Look { block: 2, blur: 3.0, steps: 2 }, Look { block: 1, blur: 1.5, steps: 2 }],
    &[Look { block: 1, blur: FINE_PX, steps: 2 }],
];
/// How the whole recording is looked at: first as far as tissue is torn, then as precisely as it can be seen.
pub(super) const WORKING: &[Look] = &[Look { block: 2, blur: 2.0, steps: 2 }, Look { block: 1, blur: FINE_PX, steps: 1 }];
/// Blur of the finest template, pixels: what a microscope's own blur leaves of a point.
const FINE_PX: f64 = 0.5;
/// Share of the frames, by correlation, that stay out of the average.
const WORST: f64 = 0.1;
/// Variance of the calmest pixel that is believed, share of the median.
const CALMEST: f32 = 0.25;
/// Blur of the map of variances, pixels.
const VARIANCE_BLUR_PX: f64 = 2.0;

/// The template for the whole recording, from sample `frames` that lie at `shifts` against `image`.
pub(super) fn template(
    grid: &Grid,
    frames: &[&[f32]],
    shifts: &[Shift],
    image: Vec<f32>,
    mut each_round: impl FnMut(usize),
) -> Template {
    let corr: Vec<f32> = shifts.iter().map(|s| s.corr).collect();
    let floor = quantile(&corr, WORST);
    let chosen: Vec<usize> = (0..frames.len()).filter(|&i| corr[i] >= floor).collect();
    let frames: Vec<&[f32]> = chosen.iter().map(|&i| frames[i]).collect();
    let mut fields: Vec<Field> = chosen.iter().map(|&i| grid.rigid(shifts[i].y as f32, shifts[i].x as f32)).collect();
    let mut image = image;
    let mut weights = weights(grid, &image, &frames, &fields);
    for (round, looks) in ROUND.iter().enumerate() {
        each_round(round);
        let template = Template::new(grid, image, frames.len(), &weights, looks);
        fields = frames
            .par_iter()
            .zip(fields)
            .map_init(|| template.work(), |work, (frame, field)| template.fit(frame, field, work))
            .collect();
        centre(&mut fields);
        image = average(grid, &frames, &fields);
        weights = self::weights(grid, &image, &frames, &fields);
    }
    Template::new(grid, image, frames.len(), &weights, WORKING)
}

/// Takes the median displacement of every node away: the reference has the shape that the tissue usually has.
fn centre(fields: &mut [Field]) {
    let middle = |pick: fn(&Field) -> &Vec<f32>| -> Vec<f32> {
        let nodes = fields.first().map_or(0, |f| pick(f).len());
        (0..nodes).map(|i| median(&fields.iter().map(|f| pick(f)[i]).collect::<Vec<f32>>())).collect()
    };
    let (y, x) = (middle(|f| &f.y), middle(|f| &f.x));
    for field in fields {
        field.y.iter_mut().zip(&y).for_each(|(v, m)| *v -= m);
        field.x.iter_mut().zip(&x).for_each(|(v, m)| *v -= m);
    }
}

fn average(grid: &Grid, frames: &[&[f32]], fields: &[Field]) -> Vec<f32> {
    let pixels = grid.plane.pixels();
    let mut sum = vec![0.0f64; pixels];
    // A few at a time: together they would take as much memory as the sample.
    for (frames, fields) in frames.chunks(16).zip(fields.chunks(16)) {
        let mut moved = vec![0.0f32; frames.len() * pixels];
        let pairs = moved.par_chunks_exact_mut(pixels).zip(frames.par_iter().zip(fields));
        pairs.for_each(|(out, (frame, field))| warp(frame, grid, field, out));
        add_frames(&moved, pixels, &mut sum);
    }
    let n = frames.len().max(1) as f64;
    sum.iter().map(|s| (s / n) as f32).collect()
}

/// One over the variance of every pixel: its squared distance from the reference, seen at the nearest pixel of each frame
/// (interpolation would hide half of the noise).
fn weights(grid: &Grid, image: &[f32], frames: &[&[f32]], fields: &[Field]) -> Vec<f32> {
    let (h, w) = (grid.plane.height, grid.plane.width);
    let mut variance = vec![0.0f32; h * w];
    let n = frames.len().max(1) as f32;
    variance.par_chunks_exact_mut(w).enumerate().for_each(|(y, sums)| {
        let mut work = RowField::new(grid);
        let image = &image[y * w..(y + 1) * w];
        frames.iter().zip(fields).for_each(|(frame, field)| add_squares(frame, grid, field, (y, image), &mut work, sums));
        sums.iter_mut().for_each(|s| *s /= n);
    });
    let mut smooth = vec![0.0; h * w];
    smooth_plane(&variance, grid.plane, &gaussian_kernel(VARIANCE_BLUR_PX), &mut smooth);
    let floor = CALMEST * median(&smooth).max(mean(&smooth) as f32 * 0.1);
    // Frames without any noise weigh alike everywhere.
    smooth.iter().map(|v| if floor > 0.0 { 1.0 / v.max(floor) } else { 1.0 }).collect()
}
