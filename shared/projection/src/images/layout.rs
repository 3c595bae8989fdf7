//! Where the planes of a volume lie on one picture.

/// Longest side of an animation; most microscopes' 512 fit whole, larger frames are binned.
const LONGEST: usize = 600;
/// Side from which on pixels need no magnifying.
const SHORTEST: usize = 256;
/// Black between tiles.
const GAP: usize = 4;
/// Room above each tile of a volume for its name.
const LABEL: usize = 16;

/// Tiles in rows and columns.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Layout {
    /// Tiles: one for each plane, and one more for their maximum where there are several.
    pub(crate) tiles: usize,
    pub(crate) columns: usize,
    /// Side of the squares of pixels that are averaged for animations.
    pub(crate) factor: usize,
}

impl Layout {
    /// Finds the arrangement that keeps most resolution, among equals the one nearest to a square.
    pub(crate) fn of(planes: usize, height: usize, width: usize) -> Self {
        let tiles = if planes > 1 { planes + 1 } else { 1 };
        let sides = |columns: usize| (columns * width, tiles.div_ceil(columns) * height);
        let factor = |columns: usize| {
            let (w, h) = sides(columns);
            w.max(h).div_ceil(LONGEST).max(1)
        };
        let rank = |columns: &usize| {
            let (w, h) = sides(*columns);
            (factor(*columns), w.max(h))
        };
        let columns = (1..=tiles).min_by_key(rank).unwrap_or(1);
        Self { tiles, columns, factor: factor(columns) }
    }

    /// The same for pairs of tiles, the two of each side by side.
    pub(crate) fn of_pairs(pairs: usize, height: usize, width: usize) -> Self {
        let tiles = 2 * pairs.max(1);
        let longest = |columns: &usize| (columns * width).max(tiles.div_ceil(*columns) * height);
        let columns = (2..=tiles).step_by(2).min_by_key(longest).unwrap_or(2);
        Self { tiles, columns, factor: longest(&columns).div_ceil(LONGEST).max(1) }
    }

    /// Fixes the size of the tiles.
    pub(crate) fn grid(self, tile_height: usize, tile_width: usize) -> Grid {
        Grid { layout: self, tile_height, tile_width }
    }

    /// How many times small tiles are magnified so that the whole can be seen.
    pub(crate) fn zoom(self, tile_height: usize, tile_width: usize) -> usize {
        let rows = self.tiles.div_ceil(self.columns);
        let longest = (self.columns * tile_width).max(rows * tile_height).max(1);
        SHORTEST.div_ceil(longest).max(1)
    }
}

/// A layout of tiles of a known size, pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) layout: Layout,
    tile_height: usize,
    tile_width: usize,
}

impl Grid {
    fn label(&self) -> usize {
        if self.layout.tiles > 1 { LABEL } else { 0 }
    }

    /// Height and width of all tiles together.
    pub(crate) fn size(&self) -> (usize, usize) {
        let rows = self.layout.tiles.div_ceil(self.layout.columns);
        let height = rows * (self.tile_height + self.label() + GAP) - GAP;
        (height, self.layout.columns * (self.tile_width + GAP) - GAP)
    }

    /// Top and left of a tile, below its label.
    pub(crate) fn place(&self, tile: usize) -> (usize, usize) {
        let (row, column) = (tile / self.layout.columns, tile % self.layout.columns);
        (row * (self.tile_height + self.label() + GAP) + self.label(), column * (self.tile_width + GAP))
    }

    /// Names of the tiles, and the top and left of their places.
    pub(crate) fn named(&self, names: &[String]) -> Vec<(String, usize, usize)> {
        let of = |(tile, name): (usize, &String)| {
            let (top, left) = self.place(tile);
            (name.clone(), top.saturating_sub(LABEL), left)
        };
        names.iter().enumerate().map(of).collect()
    }

    /// Name of a tile, and the top and left of its place; none where there is one tile only.
    pub(crate) fn labels(&self, planes: usize) -> impl Iterator<Item = (String, usize, usize)> + '_ {
        let roomy = self.tile_width >= 72;
        let tiles = if self.layout.tiles > 1 { self.layout.tiles } else { 0 };
        (0..tiles).map(move |tile| {
            let (top, left) = self.place(tile);
            let name = match (tile < planes, roomy) {
                (true, true) => format!("plane {}", tile + 1),
                (true, false) => (tile + 1).to_string(),
                (false, true) => "all planes".to_owned(),
                (false, false) => "all".to_owned(),
            };
            (name, top - LABEL, left)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plane_of_512_keeps_its_pixels_and_small_ones_are_magnified() {
        assert_eq!(Layout::of(1, 512, 512).factor, 1);
        assert_eq!(Layout::of(1, 2048, 2048).factor, 4);
        assert_eq!(Layout::of(1, 64, 64).zoom(64, 64), 4);
        assert_eq!(Layout::of(1, 512, 512).zoom(512, 512), 1);
    }

    proptest! {
        #[test]
        fn the_two_of_a_pair_are_side_by_side(pairs in 1_usize..20, height in 1_usize..3000, width in 1_usize..3000) {
            let layout = Layout::of_pairs(pairs, height, width);
            let (h, w) = (height.div_ceil(layout.factor), width.div_ceil(layout.factor));
            let grid = layout.grid(h, w);
            for pair in 0..pairs {
                let (left, right) = (grid.place(2 * pair), grid.place(2 * pair + 1));
                prop_assert!(left.0 == right.0 && left.1 + w <= right.1);
            }
            // Names and gaps beside, and a pixel a tile for what does not divide.
            let (tall, wide) = grid.size();
            prop_assert!(wide <= LONGEST + layout.columns * (GAP + 1) && tall <= LONGEST + pairs * (GAP + LABEL + 1));
        }

        #[test]
        fn tiles_lie_on_the_picture_and_apart(planes in 1_usize..40, height in 1_usize..300, width in 1_usize..300) {
            let layout = Layout::of(planes, height, width);
            let (h, w) = (height.div_ceil(layout.factor), width.div_ceil(layout.factor));
            let grid = layout.grid(h, w);
            let (tall, wide) = grid.size();
            let places: Vec<_> = (0..layout.tiles).map(|t| grid.place(t)).collect();
            for (i, (top, left)) in places.iter().enumerate() {
                prop_assert!(top + h <= tall && left + w <= wide);
                for (other_top, other_left) in &places[..i] {
                    prop_assert!(top.abs_diff(*other_top) >= h || left.abs_diff(*other_left) >= w);
                }
            }
        }
    }
}
