//! The displacements as suite2p's layout has them: one mean shift a frame, and what overlapping blocks moved beside it.

use super::grid::{Field, Grid};
use crate::numeric::Plane;
pub(crate) use crate::result::Blocks;
use ndarray::Array2;

/// Side of a block, pixels.
const SIDE_PX: usize = 128;
/// Blocks a side, times its length over that of a block: neighbours share half of their pixels, about.
const OVERLAP: f64 = 1.5;

/// The shifts of `fields` at the centres of blocks.
pub(super) fn of_fields(grid: &Grid, fields: &[Field]) -> Blocks {
    let Plane { height, width } = grid.plane;
    let (rows, columns) = (along(height), along(width));
    let pairs: Vec<_> = rows.iter().flat_map(|&r| columns.iter().map(move |&c| (r, c))).collect();
    let shifts = |pick: fn(&Field) -> &Vec<f32>| {
        let mut out = Array2::zeros((fields.len(), pairs.len()));
        for (mut line, field) in out.rows_mut().into_iter().zip(fields) {
            let mean = grid.mean(pick(field));
            for (o, (r, c)) in line.iter_mut().zip(&pairs) {
                *o = grid.at(pick(field), middle(*r), middle(*c)) - mean;
            }
        }
        out
    };
    Blocks {
        y: pairs.iter().map(|p| p.0).collect(),
        x: pairs.iter().map(|p| p.1).collect(),
        shape: (rows.len(), columns.len()),
        yoff1: shifts(|f| &f.y),
        xoff1: shifts(|f| &f.x),
    }
}

fn middle((from, to): (usize, usize)) -> f64 {
    0.5 * (from + to - 1) as f64
}

/// Blocks that cover a side, evenly.
fn along(side: usize) -> Vec<(usize, usize)> {
    if side <= SIDE_PX {
        return vec![(0, side)];
    }
    let count = libm::ceil(OVERLAP * side as f64 / SIDE_PX as f64) as usize;
    let free = (side - SIDE_PX) as f64;
    let from = |i: usize| (i as f64 * free / (count - 1) as f64) as usize;
    (0..count).map(|i| (from(i), from(i) + SIDE_PX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_cover_the_side_and_overlap() {
        assert_eq!(along(100), [(0, 100)]);
        let blocks = along(512);
        assert_eq!((blocks.len(), blocks[0], blocks[5]), (6, (0, 128), (384, 512)));
        assert!(blocks.windows(2).all(|w| w[1].0 < w[0].1));
    }

    #[test]
    fn mean_and_block_together_are_the_field() {
        let grid = Grid::new(Plane { height: 300, width: 140 });
        let values = |s: f32| (0..grid.nodes()).map(|i| s * (i % 5) as f32).collect::<Vec<f32>>();
        let field = Field { y: values(0.3), x: values(-0.7) };
        let blocks = of_fields(&grid, std::slice::from_ref(&field));
        for (k, (r, c)) in blocks.y.iter().zip(&blocks.x).enumerate() {
            let total = grid.mean(&field.x) + blocks.xoff1[[0, k]];
            assert!((total - grid.at(&field.x, middle(*r), middle(*c))).abs() < 1e-5);
        }
    }
}
