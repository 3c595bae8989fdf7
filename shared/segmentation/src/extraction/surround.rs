//! The neuropil around an ROI: a ring of pixels that belong to no ROI.

use crate::detection::Found;
use crate::numeric::Plane;

/// Pixels left free around every ROI: its blurred edge.
const GAP_PX: i64 = 2;
/// Pixels a surround should have.
const WANTED: usize = 350;

/// The part of the frame every good frame covers, ends exclusive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View {
    pub(crate) y: (usize, usize),
    pub(crate) x: (usize, usize),
}

/// Surround of each ROI: the free pixels nearest to it, at least 350 when the view has so many.
///
/// Free means in `view` and more than 2 px from every ROI. In a view packed so densely that nothing is free, the
/// gap is given up; when even that leaves nothing, the surround is empty.
pub(crate) fn surrounds(found: &[Found], plane: Plane, view: View) -> Vec<Vec<usize>> {
    let mut taken = vec![false; plane.pixels()];
    let mut near = taken.clone();
    for &pixel in found.iter().flat_map(|f| &f.pixels) {
        taken[pixel] = true;
        around(pixel, plane, GAP_PX).for_each(|i| near[i] = true);
    }
    let free = |blocked: &[bool]| -> Vec<usize> {
        let rows = view.y.0..view.y.1;
        let all = rows.flat_map(|y| (view.x.0..view.x.1).map(move |x| y * plane.width + x));
        all.filter(|&i| !blocked[i]).collect()
    };
    let mut open = free(&near);
    if open.is_empty() {
        open = free(&taken);
    }
    found.iter().map(|f| nearest(f, &open, plane)).collect()
}

/// The wanted number of `open` pixels nearest to the centre of `found`, with all that lie equally near.
fn nearest(found: &Found, open: &[usize], plane: Plane) -> Vec<usize> {
    let n = found.pixels.len().max(1) as i64;
    let sum = |f: fn(usize, usize) -> usize| -> i64 { found.pixels.iter().map(|&i| f(i, plane.width) as i64).sum() };
    let (cy, cx) = (sum(|i, w| i / w), sum(|i, w| i % w));
    // Integers throughout: n times the offset from the centroid, so that ties are ties.
    let distance = |i: usize| {
        let (dy, dx) = (n * (i / plane.width) as i64 - cy, n * (i % plane.width) as i64 - cx);
        dy * dy + dx * dx
    };
    let mut far: Vec<i64> = open.iter().map(|&i| distance(i)).collect();
    if far.len() > WANTED {
        let (_, &mut limit, _) = far.select_nth_unstable(WANTED - 1);
        return open.iter().copied().filter(|&i| distance(i) <= limit).collect();
    }
    open.to_vec()
}

/// Pixels of the square of `2 gap + 1` around `pixel` without its corners.
fn around(pixel: usize, plane: Plane, gap: i64) -> impl Iterator<Item = usize> {
    let (y, x) = ((pixel / plane.width) as i64, (pixel % plane.width) as i64);
    (-gap..=gap)
        .flat_map(move |dy| (-gap..=gap).map(move |dx| (dy, dx)))
        .filter(move |(dy, dx)| dy * dy + dx * dx <= gap * gap + 1)
        .map(move |(dy, dx)| (y + dy, x + dx))
        .filter(move |&(y, x)| y >= 0 && x >= 0 && y < plane.height as i64 && x < plane.width as i64)
        .map(move |(y, x)| y as usize * plane.width + x as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(top: usize, left: usize, side: usize, width: usize) -> Found {
        let rows = top..top + side;
        let pixels: Vec<usize> = rows.flat_map(|y| (left..left + side).map(move |x| y * width + x)).collect();
        Found { lam: vec![1.0; pixels.len()], halo: 0.0, pixels }
    }

    #[test]
    fn a_surround_keeps_off_every_roi_and_inside_the_view() {
        let plane = Plane { height: 60, width: 60 };
        let rois = [square(20, 20, 8, 60), square(20, 31, 8, 60)];
        let view = View { y: (2, 58), x: (3, 57) };
        for ring in surrounds(&rois, plane, view) {
            assert!(ring.len() >= WANTED && ring.len() < WANTED + 20);
            for i in ring {
                let (y, x) = (i / 60, i % 60);
                assert!((2..58).contains(&y) && (3..57).contains(&x));
                for p in rois.iter().flat_map(|r| &r.pixels) {
                    let (dy, dx) = (y.abs_diff(p / 60), x.abs_diff(p % 60));
                    assert!(dy * dy + dx * dx > 4);
                }
            }
        }
    }

    #[test]
    fn a_packed_view_gives_what_there_is() {
        let plane = Plane { height: 4, width: 4 };
        let view = View { y: (0, 4), x: (0, 4) };
        assert_eq!(surrounds(&[square(0, 0, 3, 4)], plane, view)[0].len(), 7);
        assert!(surrounds(&[square(0, 0, 4, 4)], plane, view)[0].is_empty());
    }
}
