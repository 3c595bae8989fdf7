//! Cells that show in the mean image and never light up: silent in this recording, and still cells.

use super::activity::{DIAMETER_PER_SIGMA, Rect};
use super::grow::Grown;
use super::mask::{half_height, halo};
use super::threshold::texture_limit;
use crate::measures::shape;
use crate::numeric::{Plane, box_mean, component, gaussian_kernel, median_and_spread, smooth_plane};
use std::f64::consts::PI;

/// Half the side of the square that is the background, diameters.
const BACKGROUND: f64 = 1.5;
/// Passes in which what stands out by more than a spread is cut off before the background is taken again.
const BACKGROUND_PASSES: usize = 2;
/// Spreads beyond which the contrast is no texture, and passes in which the spread is taken without it.
const OUTSTANDING: f64 = 3.0;
const TEXTURE_PASSES: usize = 3;
/// Radius of what is rubbed off the edge of a bump, diameters: a speck or a process that touches a soma.
const RUBBED: f64 = 1.0 / 6.0;
/// Areas a soma may have, share of the expected one, and how elongated and ragged it may be. Stricter than for active
/// ROIs: nothing but its look speaks for a silent cell.
const AREA: (f64, f64) = (0.4, 2.5);
const ASPECT: f64 = 1.6;
const COMPACT: f64 = 1.1;
/// Share of the mask that may belong to known ROIs, which keep it.
const SHARED: f64 = 0.5;
/// Share of a scrap of activity under a silent cell that makes it a part of the cell.
const HIDDEN: f64 = 0.33;

/// `known` with the silent cells added: round, cell-sized bumps of `mean` (the common view), most contrast first.
///
/// A scrap of activity inside such a bump, its edge moving or a process crossing it, gives way to the whole cell.
pub(super) fn with_silent_cells(mean: &[f32], plane: Plane, known: Vec<Grown>, diameter: f64) -> Vec<Grown> {
    let somata = known.iter().filter(|k| like_soma(&k.pixels, plane, diameter));
    let mut taken = vec![false; plane.pixels()];
    somata.flat_map(|k| &k.pixels).for_each(|&i| taken[i] = true);
    let mut silent = Vec::new();
    let mut covered = vec![false; plane.pixels()];
    let (above, peaks) = bumps(mean, plane, diameter);
    for seed in peaks {
        if let Some(cell) = soma_at(seed, &above, plane, &taken, diameter) {
            for &i in &cell.pixels {
                taken[i] = true;
                covered[i] = true;
            }
            silent.push(cell);
        }
    }
    let hidden = |k: &Grown| {
        let inside = k.pixels.iter().filter(|&&i| covered[i]).count() as f64;
        inside > HIDDEN * k.pixels.len() as f64 && !like_soma(&k.pixels, plane, diameter)
    };
    let mut all: Vec<Grown> = known.into_iter().filter(|k| !hidden(k)).collect();
    all.extend(silent);
    all
}

/// `mean` above its background, and the peaks of its contrast at the size of a cell.
fn bumps(mean: &[f32], plane: Plane, diameter: f64) -> (Vec<f32>, Vec<usize>) {
    let above = above_background(mean, plane, libm::ceil(BACKGROUND * diameter) as usize);
    let sigma = diameter / DIAMETER_PER_SIGMA;
    let mut contrast = vec![0.0; mean.len()];
    smooth_plane(&above, plane, &gaussian_kernel(sigma), &mut contrast);
    let (middle, spread) = texture(&contrast);
    let limit = (texture_limit(mean.len(), sigma) * spread) as f32;
    let peak = |i: usize| plane.neighbours(i).all(|j| contrast[j] <= contrast[i]);
    let mut peaks: Vec<usize> = (0..contrast.len()).filter(|&i| limit > 0.0 && contrast[i] - middle > limit && peak(i)).collect();
    peaks.sort_by(|&a, &b| contrast[b].total_cmp(&contrast[a]).then(a.cmp(&b)));
    (above, peaks)
}

/// `mean` less the mean of the square around each pixel, into which what stands out there enters as no more than a spread:
/// else every bright cell would dig a pit for its neighbours.
fn above_background(mean: &[f32], plane: Plane, half: usize) -> Vec<f32> {
    let less = |background: &[f32]| -> Vec<f32> { mean.iter().zip(background).map(|(v, b)| v - b).collect() };
    let mut background = box_mean(mean, plane, half);
    for _ in 0..BACKGROUND_PASSES {
        let (_, spread) = median_and_spread(&less(&background));
        let cut: Vec<f32> = mean.iter().zip(&background).map(|(v, b)| v.min(b + spread as f32)).collect();
        background = box_mean(&cut, plane, half);
    }
    less(&background)
}

/// Middle and spread of what is no cell: the more of a view cells fill, the less may they count.
fn texture(contrast: &[f32]) -> (f32, f64) {
    let mut found = median_and_spread(contrast);
    for _ in 0..TEXTURE_PASSES {
        let (middle, limit) = (found.0, OUTSTANDING * found.1);
        let plain: Vec<f32> = contrast.iter().copied().filter(|c| f64::from((c - middle).abs()) <= limit).collect();
        found = median_and_spread(&plain);
    }
    found
}

/// The part of a bump around `seed`, without what is thinner than the disc that is rubbed over it (an opening); with that
/// where else nothing would be left.
fn rubbed(pixels: &[usize], plane: Plane, seed: usize, radius: f64) -> Vec<usize> {
    let reach = radius as i64;
    let disc: Vec<(i64, i64)> = (-reach..=reach)
        .flat_map(|dy| (-reach..=reach).map(move |dx| (dy, dx)))
        .filter(|&(dy, dx)| ((dy * dy + dx * dx) as f64) <= radius * radius)
        .collect();
    let at = |i: usize, (dy, dx): (i64, i64)| {
        let (y, x) = ((i / plane.width) as i64 + dy, (i % plane.width) as i64 + dx);
        let inside = (0..plane.height as i64).contains(&y) && (0..plane.width as i64).contains(&x);
        inside.then(|| y as usize * plane.width + x as usize)
    };
    let mut solid = vec![false; plane.pixels()];
    pixels.iter().for_each(|&i| solid[i] = true);
    // What lies beyond the patch may be solid.
    let holds = |i: usize| disc.iter().all(|&step| at(i, step).is_none_or(|j| solid[j]));
    let mut kept = vec![false; plane.pixels()];
    for &i in pixels.iter().filter(|&&i| holds(i)) {
        disc.iter().filter_map(|&step| at(i, step)).for_each(|j| kept[j] = true);
    }
    component(if kept[seed] { &kept } else { &solid }, plane, seed)
}

/// The bump at `seed`, if it has the size and shape of a soma and is not known.
fn soma_at(seed: usize, above: &[f32], plane: Plane, taken: &[bool], diameter: f64) -> Option<Grown> {
    let rect = Rect::around(seed, libm::ceil(1.6 * diameter) as usize, plane);
    let whole: Vec<usize> = rect.pixels(plane).collect();
    let weights: Vec<f32> = whole.iter().map(|&i| above[i]).collect();
    let (y, x) = (seed / plane.width - rect.y.0, seed % plane.width - rect.x.0);
    let mask = half_height(&weights, rect.plane(), (y as f64, x as f64), diameter)?;
    let halo = halo(&weights, rect.plane(), &mask);
    let own: Vec<usize> = mask.pixels.iter().copied().filter(|&i| !taken[whole[i]]).collect();
    let shared = (mask.pixels.len() - own.len()) as f64;
    if taken[seed] || shared > SHARED * mask.pixels.len() as f64 {
        return None;
    }
    let solid = rubbed(&own, rect.plane(), y * rect.plane().width + x, RUBBED * diameter);
    let chosen = solid.into_iter().filter(|&i| weights[i] > 0.0);
    let (pixels, lam): (Vec<usize>, Vec<f32>) = chosen.map(|i| (whole[i], weights[i])).unzip();
    like_soma(&pixels, plane, diameter).then_some(Grown { pixels, lam, trace: Vec::new(), activity: 0.0, halo })
}

fn like_soma(pixels: &[usize], plane: Plane, diameter: f64) -> bool {
    let area = pixels.len() as f64 / (PI / 4.0 * diameter * diameter);
    let look = shape(pixels, plane.width);
    (AREA.0..=AREA.1).contains(&area) && look.aspect_ratio <= ASPECT && look.compact <= COMPACT
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A 60 × 60 ripple with a disc of radius 5 at (20, 20) and a bar at row 45.
    fn scene() -> (Vec<f32>, Plane) {
        let plane = Plane { height: 60, width: 60 };
        let value = |i: usize| {
            let (y, x) = ((i / 60) as f64, (i % 60) as f64);
            let disc = (y - 20.0).hypot(x - 20.0) <= 5.0;
            let bar = (y - 45.0).abs() <= 1.0 && (5.0..55.0).contains(&x);
            let ripple = (i * 7919 % 101) as f32 / 101.0;
            ripple + if disc || bar { 10.0 } else { 0.0 }
        };
        ((0..3600).map(value).collect(), plane)
    }

    #[test]
    fn a_round_bump_is_a_silent_cell_and_a_bar_is_not() {
        let (mean, plane) = scene();
        let found = with_silent_cells(&mean, plane, Vec::new(), 10.0);
        assert_eq!(found.len(), 1);
        assert!(found[0].pixels.contains(&(20 * 60 + 20)));
        assert!((70..95).contains(&found[0].pixels.len()), "{}", found[0].pixels.len());
    }

    #[test]
    fn a_known_cell_is_not_found_twice_and_a_scrap_gives_way() {
        let (mean, plane) = scene();
        let whole = with_silent_cells(&mean, plane, Vec::new(), 10.0);
        assert_eq!(with_silent_cells(&mean, plane, whole.clone(), 10.0).len(), 1);
        let scrap =
            Grown { pixels: vec![20 * 60 + 20, 20 * 60 + 21], lam: vec![1.0; 2], trace: vec![1.0], activity: 5.0, halo: 0.0 };
        let found = with_silent_cells(&mean, plane, vec![scrap], 10.0);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].pixels, whole[0].pixels);
    }

    #[test]
    fn a_speck_that_touches_a_cell_does_not_make_it_long() {
        let (mut mean, plane) = scene();
        for i in [(25, 20), (26, 20), (27, 20), (27, 21), (28, 20), (28, 21)].map(|(y, x): (usize, usize)| y * 60 + x) {
            mean[i] = 14.0;
        }
        let found = with_silent_cells(&mean, plane, Vec::new(), 10.0);
        assert_eq!(found.len(), 1);
        assert!(!found[0].pixels.contains(&(28 * 60 + 20)), "the speck is no part of it");
    }

    #[test]
    fn a_known_neighbour_keeps_what_it_shares_with_a_silent_cell() {
        let (mut mean, plane) = scene();
        let near = |i: usize, x: f64| ((i / 60) as f64 - 20.0).hypot((i % 60) as f64 - x) <= 5.0;
        (0..mean.len()).filter(|&i| near(i, 30.0)).for_each(|i| mean[i] += if near(i, 20.0) { 0.0 } else { 9.0 });
        let pixels: Vec<usize> = (0..mean.len()).filter(|&i| near(i, 30.0)).collect();
        let lam = vec![1.0; pixels.len()];
        let known = Grown { pixels: pixels.clone(), lam, trace: vec![1.0], activity: 5.0, halo: 0.0 };
        let found = with_silent_cells(&mean, plane, vec![known], 10.0);
        let silent: Vec<&Grown> = found.iter().filter(|cell| cell.pixels.contains(&(20 * 60 + 19))).collect();
        assert_eq!((found.len(), silent.len()), (2, 1));
        assert!(silent[0].pixels.iter().all(|i| !pixels.contains(i)), "no pixel belongs to both");
    }

    /// Faint, between cells that are much brighter.
    #[test]
    fn bright_neighbours_hide_no_faint_cell() {
        let (mut mean, plane) = scene();
        let near = |i: usize, (y, x): (f64, f64)| ((i / 60) as f64 - y).hypot((i % 60) as f64 - x) <= 5.0;
        for (i, value) in mean.iter_mut().enumerate() {
            let bright = [(20.0, 6.0), (20.0, 34.0)].iter().any(|&at| near(i, at));
            *value += if bright { 30.0 } else { 0.0 };
            *value -= if near(i, (20.0, 20.0)) { 6.0 } else { 0.0 };
        }
        let found = with_silent_cells(&mean, plane, Vec::new(), 10.0);
        assert!(found.iter().any(|cell| cell.pixels.contains(&(20 * 60 + 20))), "{}", found.len());
    }

    #[test]
    fn a_flat_image_has_no_cells() {
        let plane = Plane { height: 20, width: 20 };
        assert!(with_silent_cells(&[7.0; 400], plane, Vec::new(), 6.0).is_empty());
    }
}
