//! From a picture of weights to the pixels of one cell.

use crate::numeric::{Plane, component, fill_holes, gaussian_kernel, mean, median, smooth_plane};
use std::f64::consts::PI;

/// Edge of a mask: half of the height of the cell, where a blurred disc has its true edge.
const EDGE: f32 = 0.5;
/// Share of a cell's area that makes up its height; more than one pixel, since single pixels are noisy.
const TOP_SHARE: f64 = 0.2;
/// Radius around the centre a mask may reach, diameters.
const REACH: f64 = 1.1;

/// The ring in which a halo is looked for, radii of the mask.
const RING: (f64, f64) = (1.3, 1.7);

/// A mask in a patch.
#[derive(Debug, Clone)]
pub(super) struct Mask {
    /// Patch indices, ascending.
    pub(super) pixels: Vec<usize>,
    /// Centroid (y, x) in the patch.
    pub(super) centre: (f64, f64),
}

/// The connected, hole-free region around `centre` where the smoothed `weights` exceed half their height.
pub(super) fn half_height(weights: &[f32], plane: Plane, centre: (f64, f64), diameter: f64) -> Option<Mask> {
    let mut smooth = vec![0.0; weights.len()];
    // A twelfth of the diameter calms single pixels and moves no edge.
    smooth_plane(weights, plane, &gaussian_kernel(diameter / 12.0), &mut smooth);
    let distance = |i: usize| {
        let (y, x) = ((i / plane.width) as f64, (i % plane.width) as f64);
        (y - centre.0).hypot(x - centre.1)
    };
    let mut core: Vec<usize> = (0..smooth.len()).filter(|&i| distance(i) <= 0.6 * diameter).collect();
    core.sort_by(|&a, &b| smooth[b].total_cmp(&smooth[a]).then(a.cmp(&b)));
    let top = libm::ceil(TOP_SHARE * PI / 4.0 * diameter * diameter) as usize;
    let top = top.clamp(1, core.len().max(1));
    let height = core.iter().take(top).map(|&i| smooth[i]).sum::<f32>() / top as f32;
    if height <= 0.0 {
        return None;
    }
    let inside: Vec<bool> = (0..smooth.len()).map(|i| smooth[i] >= EDGE * height && distance(i) <= REACH * diameter).collect();
    let seed = *core.first()?;
    let mut solid = vec![false; inside.len()];
    component(&inside, plane, seed).iter().for_each(|&i| solid[i] = true);
    let solid = fill_holes(&solid, plane);
    let pixels: Vec<usize> = (0..solid.len()).filter(|&i| solid[i]).collect();
    let n = pixels.len() as f64;
    let sum = |f: fn(usize, usize) -> usize| -> f64 { pixels.iter().map(|&i| f(i, plane.width) as f64).sum() };
    let centre = (sum(|i, w| i / w) / n, sum(|i, w| i % w) / n);
    (!pixels.is_empty()).then_some(Mask { pixels, centre })
}

/// How much of the height of a cell is left in a ring around it, 1.3 to 1.7 radii from its centre; 0 where no ring fits in the patch.
///
/// A soma in focus ends at its edge; what is out of focus is blurred far beyond its own size (a Gaussian falls to a fifth of its
/// peak there). The median of the ring leaves neighbours out.
pub(super) fn halo(weights: &[f32], plane: Plane, mask: &Mask) -> f32 {
    let radius = (mask.pixels.len() as f64 / PI).sqrt();
    let in_ring = |i: &usize| {
        let (y, x) = ((i / plane.width) as f64, (i % plane.width) as f64);
        let distance = (y - mask.centre.0).hypot(x - mask.centre.1);
        (RING.0 * radius..=RING.1 * radius).contains(&distance)
    };
    let ring: Vec<f32> = (0..weights.len()).filter(in_ring).map(|i| weights[i]).collect();
    let inside: Vec<f32> = mask.pixels.iter().map(|&i| weights[i]).collect();
    let height = mean(&inside) as f32;
    if height > 0.0 { (median(&ring) / height).clamp(-1.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_focus_has_a_halo_and_a_soma_has_none() {
        let plane = Plane { height: 61, width: 61 };
        let r = |i: usize| ((i / 61) as f64 - 30.0).hypot((i % 61) as f64 - 30.0);
        for size in [3.5f64, 6.0, 9.0] {
            let disc: Vec<f32> = (0..61 * 61).map(|i| if r(i) <= size { 1.0 } else { 0.0 }).collect();
            let mut soma = vec![0.0; disc.len()];
            smooth_plane(&disc, plane, &gaussian_kernel(1.0), &mut soma);
            let blurred: Vec<f32> = (0..61 * 61).map(|i| (-0.5 * (r(i) / size).powi(2)).exp() as f32).collect();
            let of = |image: &[f32]| halo(image, plane, &half_height(image, plane, (30.0, 30.0), 2.0 * size).unwrap());
            assert!(of(&soma) < 0.06, "{size}: {}", of(&soma));
            assert!(of(&blurred) > 0.2, "{size}: {}", of(&blurred));
        }
    }

    #[test]
    fn the_mask_of_a_blurred_disc_is_the_disc() {
        let plane = Plane { height: 41, width: 41 };
        let within = |i: usize| ((i / 41) as f64 - 20.0).hypot((i % 41) as f64 - 20.0) <= 6.0;
        let disc: Vec<f32> = (0..41 * 41).map(|i| if within(i) { 1.0 } else { 0.0 }).collect();
        let mut blurred = vec![0.0; disc.len()];
        smooth_plane(&disc, plane, &gaussian_kernel(1.2), &mut blurred);
        let mask = half_height(&blurred, plane, (20.0, 20.0), 12.0).unwrap();
        let truth = disc.iter().filter(|&&v| v > 0.0).count() as f64;
        let hit = mask.pixels.iter().filter(|&&i| within(i)).count() as f64;
        let iou = hit / (truth + mask.pixels.len() as f64 - hit);
        assert!(iou > 0.9, "{iou}");
    }

    #[test]
    fn a_dark_nucleus_belongs_to_the_cell() {
        let plane = Plane { height: 31, width: 31 };
        let r = |i: usize| ((i / 31) as f64 - 15.0).hypot((i % 31) as f64 - 15.0);
        let ring: Vec<f32> = (0..31 * 31).map(|i| if (3.0..=6.0).contains(&r(i)) { 1.0 } else { 0.0 }).collect();
        let mask = half_height(&ring, plane, (15.0, 15.0), 12.0).unwrap();
        assert!(mask.pixels.contains(&(15 * 31 + 15)));
    }

    #[test]
    fn nothing_above_zero_is_no_mask() {
        let plane = Plane { height: 9, width: 9 };
        assert!(half_height(&[-1.0; 81], plane, (4.0, 4.0), 4.0).is_none());
    }
}
