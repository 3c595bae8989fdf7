//! The outline of a set of pixels.

use std::collections::{BTreeMap, BTreeSet};

/// A corner between pixels (x, y).
type Corner = (u32, u32);

/// Finds the closed outlines of the pixels, holes included, along their edges.
///
/// Each loop keeps only the corners where it turns. Filled by the even-odd rule they cover
/// exactly the pixels.
pub(super) fn outlines(ypix: &[u32], xpix: &[u32]) -> Vec<Vec<Corner>> {
    let mut edges = border(ypix, xpix);
    let mut loops = Vec::new();
    while let Some(start) = edges.keys().next().copied() {
        let mut corners = vec![start];
        let mut at = start;
        while let Some(next) = take(&mut edges, at) {
            if next == start {
                break;
            }
            corners.push(next);
            at = next;
        }
        loops.push(turns(&corners));
    }
    loops
}

/// Edges between a pixel of the set and one outside, directed with the set on the right.
fn border(ypix: &[u32], xpix: &[u32]) -> BTreeMap<Corner, Vec<Corner>> {
    let set: BTreeSet<(i64, i64)> = ypix.iter().zip(xpix).map(|(&y, &x)| (i64::from(y), i64::from(x))).collect();
    let mut edges: BTreeMap<Corner, Vec<Corner>> = BTreeMap::new();
    for &(y, x) in &set {
        let (t, l) = (y as u32, x as u32);
        let (b, r) = (t + 1, l + 1);
        for (neighbour, from, to) in [
            ((y - 1, x), (l, t), (r, t)),
            ((y, x + 1), (r, t), (r, b)),
            ((y + 1, x), (r, b), (l, b)),
            ((y, x - 1), (l, b), (l, t)),
        ] {
            if !set.contains(&neighbour) {
                edges.entry(from).or_default().push(to);
            }
        }
    }
    edges
}

fn take(edges: &mut BTreeMap<Corner, Vec<Corner>>, from: Corner) -> Option<Corner> {
    let ends = edges.get_mut(&from)?;
    let end = ends.pop();
    if ends.is_empty() {
        edges.remove(&from);
    }
    end
}

fn turns(corners: &[Corner]) -> Vec<Corner> {
    let n = corners.len();
    (0..n)
        .filter(|&i| {
            let (before, here, after) = (corners[(i + n - 1) % n], corners[i], corners[(i + 1) % n]);
            !(before.0 == here.0 && here.0 == after.0 || before.1 == here.1 && here.1 == after.1)
        })
        .map(|i| corners[i])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_has_four_corners() {
        let found = outlines(&[3, 3, 4, 4], &[5, 6, 5, 6]);
        assert_eq!(found, [vec![(5, 3), (7, 3), (7, 5), (5, 5)]]);
    }

    /// Signed area by the shoelace formula: holes count negative.
    fn area(loops: &[Vec<Corner>]) -> i64 {
        let twice: i64 = loops
            .iter()
            .flat_map(|l| (0..l.len()).map(move |i| (l[i], l[(i + 1) % l.len()])))
            .map(|(a, b)| i64::from(a.0) * i64::from(b.1) - i64::from(b.0) * i64::from(a.1))
            .sum();
        twice / 2
    }

    #[test]
    fn the_outline_encloses_exactly_the_pixels() {
        let ring: Vec<(u32, u32)> = (0..25).map(|i| (i / 5, i % 5)).filter(|&p| p != (2, 2)).collect();
        let diagonal = vec![(0, 0), (1, 1), (2, 2), (9, 1)];
        for pixels in [ring, diagonal] {
            let (y, x): (Vec<u32>, Vec<u32>) = pixels.iter().copied().unzip();
            assert_eq!(area(&outlines(&y, &x)), pixels.len() as i64);
        }
    }

    #[test]
    fn no_pixels_have_no_outline() {
        assert!(outlines(&[], &[]).is_empty());
    }
}
