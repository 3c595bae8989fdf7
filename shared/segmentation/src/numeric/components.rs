//! Connected pixels.

use super::Plane;

/// Pixels of `inside` that are 4-connected to `seed`, in ascending order; empty when the seed is outside.
pub(crate) fn component(inside: &[bool], plane: Plane, seed: usize) -> Vec<usize> {
    if !inside.get(seed).copied().unwrap_or(false) {
        return Vec::new();
    }
    let mut seen = vec![false; inside.len()];
    seen[seed] = true;
    let mut stack = vec![seed];
    let mut found = Vec::new();
    while let Some(at) = stack.pop() {
        found.push(at);
        for next in plane.neighbours(at) {
            if inside[next] && !seen[next] {
                seen[next] = true;
                stack.push(next);
            }
        }
    }
    found.sort_unstable();
    found
}

/// `mask` with every background region that does not touch the plane's edge filled.
pub(crate) fn fill_holes(mask: &[bool], plane: Plane) -> Vec<bool> {
    let on_edge = |i: usize| {
        let (y, x) = (i / plane.width, i % plane.width);
        y == 0 || x == 0 || y + 1 == plane.height || x + 1 == plane.width
    };
    let mut outside = vec![false; mask.len()];
    let mut stack: Vec<usize> = (0..mask.len()).filter(|&i| on_edge(i) && !mask[i]).collect();
    stack.iter().for_each(|&i| outside[i] = true);
    while let Some(at) = stack.pop() {
        for next in plane.neighbours(at) {
            if !mask[next] && !outside[next] {
                outside[next] = true;
                stack.push(next);
            }
        }
    }
    outside.iter().map(|&o| !o).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(rows: &[&str]) -> (Vec<bool>, Plane) {
        let plane = Plane { height: rows.len(), width: rows[0].len() };
        let mask = rows.iter().flat_map(|r| r.bytes().map(|b| b == b'#'));
        (mask.collect(), plane)
    }

    #[test]
    fn a_ring_becomes_a_disc_and_a_bay_stays_open() {
        let (ring, plane) = parse(&[".....", ".###.", ".#.#.", ".###.", "....."]);
        let (disc, _) = parse(&[".....", ".###.", ".###.", ".###.", "....."]);
        assert_eq!(fill_holes(&ring, plane), disc);
        let (bay, plane) = parse(&["###", "#.#", "#.#"]);
        assert_eq!(fill_holes(&bay, plane), bay);
    }

    #[test]
    fn diagonal_neighbours_are_not_connected() {
        let (mask, plane) = parse(&["#..", ".##", "..#"]);
        assert_eq!(component(&mask, plane, 4), vec![4, 5, 8]);
        assert!(component(&mask, plane, 1).is_empty());
    }
}
