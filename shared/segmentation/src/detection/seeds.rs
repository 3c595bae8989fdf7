//! Where the next ROI is looked for: the strongest place of a map that changes a little with every ROI.

use super::activity::Rect;
use crate::numeric::Plane;

/// A map of activity, and which of its pixels have been used. Each is used once, so a search ends even where the map stays high.
pub(super) struct Seeds {
    plane: Plane,
    map: Vec<f32>,
    spent: Vec<bool>,
    /// The strongest open pixel of every row: a change of a few rows need not look at all the others.
    rows: Vec<Option<usize>>,
}

impl Seeds {
    pub(super) fn new(map: Vec<f32>, plane: Plane) -> Self {
        let mut seeds = Self { plane, spent: vec![false; map.len()], rows: vec![None; plane.height], map };
        seeds.look_at_rows(0..plane.height);
        seeds
    }

    /// The strongest open pixel and its activity; the first of several.
    pub(super) fn strongest(&self) -> Option<(usize, f32)> {
        let best = self.best(self.rows.iter().flatten().copied());
        best.map(|i| (i, self.map[i]))
    }

    /// No pixel of `rect` is looked at again.
    pub(super) fn spend(&mut self, rect: Rect) {
        rect.pixels(self.plane).for_each(|i| self.spent[i] = true);
        self.look_at_rows(rect.y.0..rect.y.1);
    }

    /// The pixels of `rect` have the activity `fresh` from now on.
    pub(super) fn update(&mut self, rect: Rect, fresh: &[f32]) {
        rect.pixels(self.plane).zip(fresh).for_each(|(i, &v)| self.map[i] = v);
        self.look_at_rows(rect.y.0..rect.y.1);
    }

    fn look_at_rows(&mut self, rows: std::ops::Range<usize>) {
        let w = self.plane.width;
        for y in rows {
            self.rows[y] = self.best((y * w..(y + 1) * w).filter(|&i| !self.spent[i]));
        }
    }

    fn best(&self, among: impl Iterator<Item = usize>) -> Option<usize> {
        among.max_by(|&a, &b| self.map[a].total_cmp(&self.map[b]).then(b.cmp(&a)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_strongest_open_pixel_is_the_one_that_a_search_of_all_finds(
            map in prop::collection::vec(0u8..20, 42),
            changes in prop::collection::vec((0usize..42, 0usize..3, 0u8..20, any::<bool>()), 0..12),
        ) {
            let plane = Plane { height: 6, width: 7 };
            let mut map: Vec<f32> = map.into_iter().map(f32::from).collect();
            let mut open = [true; 42];
            let mut seeds = Seeds::new(map.clone(), plane);
            for (pixel, half, value, spend) in changes {
                let rect = Rect::around(pixel, half, plane);
                if spend {
                    seeds.spend(rect);
                    rect.pixels(plane).for_each(|i| open[i] = false);
                } else {
                    let fresh = vec![f32::from(value); rect.plane().pixels()];
                    seeds.update(rect, &fresh);
                    rect.pixels(plane).for_each(|i| map[i] = f32::from(value));
                }
                let mut all: Vec<usize> = (0..42).filter(|&i| open[i]).collect();
                all.sort_by(|&a, &b| map[b].total_cmp(&map[a]).then(a.cmp(&b)));
                prop_assert_eq!(seeds.strongest(), all.first().map(|&i| (i, map[i])));
            }
        }
    }
}
