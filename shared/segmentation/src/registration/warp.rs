//! A frame looked at through a field of displacements: bilinear interpolation, row by row.

use super::grid::{Cell, Field, Grid};

/// What stands where the field points off the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Edge {
    /// The nearest pixel of the frame.
    Repeat,
    /// NaN.
    Missing,
}

/// Memory for one row of the field.
pub(crate) struct RowField {
    y: Vec<f32>,
    x: Vec<f32>,
}

impl RowField {
    pub(crate) fn new(grid: &Grid) -> Self {
        Self { y: vec![0.0; grid.x.nodes], x: vec![0.0; grid.x.nodes] }
    }
}

/// A value that changes by `step` with every pixel.
#[derive(Debug, Clone, Copy)]
struct Ramp {
    start: f32,
    step: f32,
}

impl Ramp {
    fn across(values: &[f32], cell: &Cell, next: usize) -> Self {
        let rise = values[next] - values[cell.node];
        Self { start: values[cell.node] + cell.start * rise, step: cell.step * rise }
    }

    fn at(self, k: usize) -> f32 {
        self.start + self.step * k as f32
    }

    fn from(self, k: usize) -> Self {
        Self { start: self.at(k), step: self.step }
    }
}

/// Row `y` of `frame` as it looks through `field`.
pub(crate) fn row(frame: &[f32], grid: &Grid, field: &Field, y: usize, edge: Edge, work: &mut RowField, out: &mut [f32]) {
    grid.row(&field.y, y, &mut work.y);
    grid.row(&field.x, y, &mut work.x);
    for cell in &grid.x.cells {
        let next = grid.x.next(cell.node);
        let (dy, dx) = (Ramp::across(&work.y, cell, next), Ramp::across(&work.x, cell, next));
        let mut done = 0;
        let length = cell.to - cell.from;
        while done < length {
            let (dy, dx) = (dy.from(done), dx.from(done));
            let run = run_length(dy, dx, length - done);
            let x = cell.from + done;
            sample(frame, grid, (y, x), (dy, dx), edge, &mut out[x..x + run]);
            done += run;
        }
    }
}

/// Number of pixels, at least 1 and at most `most`, over which both displacements stay between the same whole pixels.
fn run_length(dy: Ramp, dx: Ramp, most: usize) -> usize {
    let same = |k: usize| dy.at(k).floor() == dy.start.floor() && dx.at(k).floor() == dx.start.floor();
    if same(most - 1) {
        return most;
    }
    // Both are monotone: the last one that agrees is found by halving.
    let (mut low, mut high) = (0, most - 1);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if same(middle) { low = middle } else { high = middle }
    }
    low + 1
}

/// A run of one row, whose whole displacements do not change.
fn sample(frame: &[f32], grid: &Grid, (y, x): (usize, usize), (dy, dx): (Ramp, Ramp), edge: Edge, out: &mut [f32]) {
    let (h, w) = (grid.plane.height as i64, grid.plane.width as i64);
    let (top, left) = (y as i64 + dy.start.floor() as i64, x as i64 + dx.start.floor() as i64);
    if top < 0 || top + 1 >= h || left < 0 || left + out.len() as i64 >= w {
        return at_the_edge(frame, grid, (y, x), (dy, dx), edge, out);
    }
    let (fy, fx) = (dy.start - dy.start.floor(), dx.start - dx.start.floor());
    let at = (top * w + left) as usize;
    let n = out.len();
    let upper = frame[at..at + n].iter().zip(&frame[at + 1..at + n + 1]);
    let at = at + w as usize;
    let lower = frame[at..at + n].iter().zip(&frame[at + 1..at + n + 1]);
    for (k, (o, ((a, b), (c, d)))) in out.iter_mut().zip(upper.zip(lower)).enumerate() {
        let (fy, fx) = (fy + dy.step * k as f32, fx + dx.step * k as f32);
        let upper = a + fx * (b - a);
        let lower = c + fx * (d - c);
        *o = upper + fy * (lower - upper);
    }
}

/// The same, pixel by pixel, where some of them are missing.
fn at_the_edge(frame: &[f32], grid: &Grid, (y, x): (usize, usize), (dy, dx): (Ramp, Ramp), edge: Edge, out: &mut [f32]) {
    let (h, w) = (grid.plane.height, grid.plane.width);
    let (bottom, right) = ((h - 1) as f32, (w - 1) as f32);
    for (k, o) in out.iter_mut().enumerate() {
        let (sy, sx) = (y as f32 + dy.at(k), (x + k) as f32 + dx.at(k));
        let off = sy < 0.0 || sx < 0.0 || sy > bottom || sx > right;
        if off && edge == Edge::Missing {
            *o = f32::NAN;
            continue;
        }
        let (sy, sx) = (sy.clamp(0.0, bottom), sx.clamp(0.0, right));
        let (i, j) = (sy as usize, sx as usize);
        let (below, beside) = ((i + 1).min(h - 1), (j + 1).min(w - 1));
        let (fy, fx) = (sy - i as f32, sx - j as f32);
        let upper = frame[i * w + j] + fx * (frame[i * w + beside] - frame[i * w + j]);
        let lower = frame[below * w + j] + fx * (frame[below * w + beside] - frame[below * w + j]);
        *o = upper + fy * (lower - upper);
    }
}

/// The whole of `frame` through `field`, with the edge repeated.
pub(crate) fn warp(frame: &[f32], grid: &Grid, field: &Field, out: &mut [f32]) {
    let mut work = RowField::new(grid);
    for (y, line) in out.chunks_exact_mut(grid.plane.width).enumerate() {
        row(frame, grid, field, y, Edge::Repeat, &mut work, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::numeric::Plane;
    use proptest::prelude::*;

    proptest! {
        /// A plane is what bilinear interpolation reproduces exactly, so every place shows where it was taken from.
        #[test]
        fn a_plane_shows_where_every_pixel_was_taken_from(
            h in 2usize..150, w in 2usize..150, seed in prop::collection::vec(-6.0f32..6.0, 32),
        ) {
            let grid = Grid::new(Plane { height: h, width: w });
            let pick = |i: usize, o: usize| seed[(i * 7 + o) % seed.len()];
            let field = Field {
                y: (0..grid.nodes()).map(|i| pick(i, 0)).collect(),
                x: (0..grid.nodes()).map(|i| pick(i, 3)).collect(),
            };
            let frame: Vec<f32> = (0..h * w).map(|i| (i / w) as f32 + 0.25 * (i % w) as f32).collect();
            let mut out = vec![0.0; h * w];
            warp(&frame, &grid, &field, &mut out);
            for (i, &v) in out.iter().enumerate() {
                let (y, x) = ((i / w) as f64, (i % w) as f64);
                let sy = (y + f64::from(grid.at(&field.y, y, x))).clamp(0.0, (h - 1) as f64);
                let sx = (x + f64::from(grid.at(&field.x, y, x))).clamp(0.0, (w - 1) as f64);
                prop_assert!((f64::from(v) - sy - 0.25 * sx).abs() < 2e-3, "{} {}: {} {}", y, x, v, sy + 0.25 * sx);
            }
        }
    }

    #[test]
    fn whole_displacements_copy_and_what_is_off_the_frame_is_missing() {
        let grid = Grid::new(Plane { height: 3, width: 4 });
        let frame: Vec<f32> = (0..12).map(|i| i as f32).collect();
        let mut line = [0.0; 4];
        let field = grid.rigid(1.0, -1.0);
        row(&frame, &grid, &field, 1, Edge::Missing, &mut RowField::new(&grid), &mut line);
        assert!(line[0].is_nan());
        assert_eq!(line[1..], [8.0, 9.0, 10.0]);
        row(&frame, &grid, &field, 2, Edge::Repeat, &mut RowField::new(&grid), &mut line);
        assert_eq!(line, [8.0, 8.0, 9.0, 10.0]);
    }
}
