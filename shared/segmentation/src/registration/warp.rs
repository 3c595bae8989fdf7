//! A frame looked at through a field of displacements: bilinear interpolation, row by row.

use super::grid::{Cell, Field, Grid};

/// Pixels blended at a time.
const LANES: usize = 8;

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
    runs(grid, field, (y, 0.0), work, |x, run, dy, dx| sample(frame, grid, (y, x), (dy, dx), edge, &mut out[x..x + run]));
}

/// `sums[x] += (frame − image)²` along row `y` of `image`, `frame` seen at the pixel nearest to where `field` points.
pub(super) fn add_squares(
    frame: &[f32],
    grid: &Grid,
    field: &Field,
    (y, image): (usize, &[f32]),
    work: &mut RowField,
    sums: &mut [f32],
) {
    let (h, w) = (grid.plane.height as i64, grid.plane.width as i64);
    runs(grid, field, (y, 0.5), work, |x, run, dy, dx| {
        let top = (y as i64 + floor(dy.start) as i64).clamp(0, h - 1);
        let line = &frame[(top * w) as usize..][..w as usize];
        let left = x as i64 + floor(dx.start) as i64;
        let sums = sums[x..x + run].iter_mut().zip(&image[x..x + run]);
        let add = |(sum, image): (&mut f32, &f32), value: f32| *sum += (value - image) * (value - image);
        if left >= 0 && left + run as i64 <= w {
            sums.zip(&line[left as usize..]).for_each(|(pair, &value)| add(pair, value));
        } else {
            let nearest = |k: usize| line[(left + k as i64).clamp(0, w - 1) as usize];
            sums.enumerate().for_each(|(k, pair)| add(pair, nearest(k)));
        }
    });
}

/// Stretches of row `y` over which the displacements, `raised`, have the same whole pixels: `each` gets where one begins, its
/// length, and the (raised) displacements along it.
fn runs(
    grid: &Grid,
    field: &Field,
    (y, raised): (usize, f32),
    work: &mut RowField,
    mut each: impl FnMut(usize, usize, Ramp, Ramp),
) {
    grid.row(&field.y, y, &mut work.y);
    grid.row(&field.x, y, &mut work.x);
    for cell in &grid.x.cells {
        let next = grid.x.next(cell.node);
        let raise = |r: Ramp| Ramp { start: r.start + raised, step: r.step };
        let (dy, dx) = (raise(Ramp::across(&work.y, cell, next)), raise(Ramp::across(&work.x, cell, next)));
        let mut done = 0;
        let length = cell.to - cell.from;
        while done < length {
            let (dy, dx) = (dy.from(done), dx.from(done));
            let run = run_length(dy, dx, length - done);
            each(cell.from + done, run, dy, dx);
            done += run;
        }
    }
}

/// `v` rounded down, for displacements (far from the ends of what an i32 holds): the machine all programs are built for
/// has no instruction for it, and the library's function would be most of the work of a short run.
fn floor(v: f32) -> f32 {
    let whole = v as i32 as f32;
    if whole > v { whole - 1.0 } else { whole }
}

/// Number of pixels, at least 1 and at most `most`, over which both displacements stay between the same whole pixels.
fn run_length(dy: Ramp, dx: Ramp, most: usize) -> usize {
    let (top, left) = (floor(dy.start), floor(dx.start));
    let same = |k: usize| floor(dy.at(k)) == top && floor(dx.at(k)) == left;
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
    let (h, w, n) = (grid.plane.height as i64, grid.plane.width as i64, out.len() as i64);
    let (top, left) = (y as i64 + floor(dy.start) as i64, x as i64 + floor(dx.start) as i64);
    // Where all four neighbours are on the frame.
    let inside = if top < 0 || top + 1 >= h { 0..0 } else { (-left).clamp(0, n)..(w - 1 - left).clamp(0, n) };
    let (from, to) = (inside.start as usize, inside.end.max(inside.start) as usize);
    at_the_edge(frame, grid, (y, x), (dy, dx), edge, &mut out[..from]);
    at_the_edge(frame, grid, (y, x + to), (dy.from(to), dx.from(to)), edge, &mut out[to..]);
    let out = &mut out[from..to];
    if out.is_empty() {
        return;
    }
    let fraction = |r: Ramp| Ramp { start: r.at(from) - floor(r.start), step: r.step };
    let at = (top * w + left + from as i64) as usize;
    let rows = (&frame[at..=at + out.len()], &frame[at + w as usize..=at + w as usize + out.len()]);
    blend_all(rows, fraction(dy), fraction(dx), out);
}

/// Bilinear blend of two rows, some pixels at a time.
fn blend_all((upper, lower): (&[f32], &[f32]), fy: Ramp, fx: Ramp, out: &mut [f32]) {
    let n = out.len();
    if n < LANES {
        return blend(upper, lower, fy, fx, out);
    }
    // The last block begins earlier rather than being shorter: what it does twice it does alike.
    for k in (0..n - LANES).step_by(LANES).chain([n - LANES]) {
        blend(&upper[k..=k + LANES], &lower[k..=k + LANES], fy.from(k), fx.from(k), &mut out[k..k + LANES]);
    }
}

/// Bilinear blend of two rows at fractions that change by a step with every pixel.
#[inline(always)]
fn blend(upper: &[f32], lower: &[f32], fy: Ramp, fx: Ramp, out: &mut [f32]) {
    let n = out.len();
    let (a, b, c, d) = (&upper[..n], &upper[1..=n], &lower[..n], &lower[1..=n]);
    for l in 0..n {
        // Counted in 32 bits, which every machine turns into fractions four at a time.
        let k = l as i32 as f32;
        let (fy, fx) = (fy.start + fy.step * k, fx.start + fx.step * k);
        let upper = a[l] + fx * (b[l] - a[l]);
        let lower = c[l] + fx * (d[l] - c[l]);
        out[l] = upper + fy * (lower - upper);
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

    proptest! {
        #[test]
        fn the_nearest_pixel_is_never_more_than_half_a_pixel_off(
            h in 2usize..120, w in 2usize..120, seed in prop::collection::vec(-6.0f32..6.0, 32),
        ) {
            let grid = Grid::new(Plane { height: h, width: w });
            let pick = |i: usize, o: usize| seed[(i * 5 + o) % seed.len()];
            let field = Field {
                y: (0..grid.nodes()).map(|i| pick(i, 0)).collect(),
                x: (0..grid.nodes()).map(|i| pick(i, 3)).collect(),
            };
            // Every pixel says where it is; an image of zeros makes the squares those of what is seen.
            let frame: Vec<f32> = (0..h * w).map(|i| i as f32).collect();
            for y in 0..h {
                let mut sums = vec![0.0; w];
                add_squares(&frame, &grid, &field, (y, &vec![0.0; w]), &mut RowField::new(&grid), &mut sums);
                for (x, sum) in sums.iter().enumerate() {
                    let seen = sum.sqrt().round() as usize;
                    let off = |nodes: &[f32], at: usize, seen: usize, side: usize| {
                        let there = (at as f64 + f64::from(grid.at(nodes, y as f64, x as f64))).clamp(0.0, (side - 1) as f64);
                        (there - seen as f64).abs()
                    };
                    prop_assert!(off(&field.y, y, seen / w, h) < 0.5 + 1e-3);
                    prop_assert!(off(&field.x, x, seen % w, w) < 0.5 + 1e-3);
                }
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
