//! A field of displacements: values at the nodes of a grid, linear in between.

use crate::numeric::Plane;

/// Distance of neighbouring nodes, pixels: what a small frame can tell apart, and what a large one needs.
const SPACING_PX: (f64, f64) = (42.0, 64.0);
/// Gaps between nodes along one side: as many as a small frame may have, and any frame at all (what a frame costs must not
/// grow faster than its pixels).
const GAPS: (usize, usize) = (8, 12);
/// A side shorter than this moves as one.
const SHORTEST_PX: usize = 48;

/// Gaps between the nodes along a side.
fn gaps(side: usize) -> usize {
    let whole = |spacing: f64| libm::round(side as f64 / spacing) as usize;
    whole(SPACING_PX.0).min(GAPS.0).max(whole(SPACING_PX.1)).clamp(1, GAPS.1)
}

/// A run of pixels along one axis between two nodes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    pub(crate) from: usize,
    /// Exclusive.
    pub(crate) to: usize,
    /// Node on the left; the other is the next one, if there is one.
    pub(crate) node: usize,
    /// Share of the right node at `from`.
    pub(crate) start: f32,
    /// What is added to that share with every pixel.
    pub(crate) step: f32,
}

/// The nodes along one axis.
#[derive(Debug, Clone)]
pub(crate) struct Axis {
    pub(crate) nodes: usize,
    pub(crate) cells: Vec<Cell>,
    side: usize,
}

impl Axis {
    pub(crate) fn new(side: usize) -> Self {
        if side < SHORTEST_PX {
            return Self { nodes: 1, cells: vec![Cell { from: 0, to: side, node: 0, start: 0.0, step: 0.0 }], side };
        }
        let gaps = gaps(side);
        let spacing = (side - 1) as f64 / gaps as f64;
        let first = |i: usize| if i == gaps { side } else { libm::ceil(i as f64 * spacing - 1e-9) as usize };
        let cell = |i: usize| Cell {
            from: first(i),
            to: first(i + 1),
            node: i,
            start: ((first(i) as f64 - i as f64 * spacing) / spacing) as f32,
            step: (1.0 / spacing) as f32,
        };
        Self { nodes: gaps + 1, cells: (0..gaps).map(cell).collect(), side }
    }

    /// Node on the left of `at` (pixels, may lie between two), and the share of the node on its right.
    pub(crate) fn locate(&self, at: f64) -> (usize, f64) {
        if self.nodes == 1 {
            return (0, 0.0);
        }
        let place = (at / (self.side - 1) as f64 * (self.nodes - 1) as f64).clamp(0.0, (self.nodes - 1) as f64);
        let node = (place as usize).min(self.nodes - 2);
        (node, place - node as f64)
    }

    /// The node after `node`, or itself where there is none.
    pub(crate) fn next(&self, node: usize) -> usize {
        (node + 1).min(self.nodes - 1)
    }
}

/// Nodes over a frame.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    pub(crate) plane: Plane,
    pub(crate) y: Axis,
    pub(crate) x: Axis,
}

/// Displacements along y and x at every node, pixels: `registered(p) = frame(p + displacement(p))`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    pub(crate) y: Vec<f32>,
    pub(crate) x: Vec<f32>,
}

impl Grid {
    pub(crate) fn new(plane: Plane) -> Self {
        Self { plane, y: Axis::new(plane.height), x: Axis::new(plane.width) }
    }

    pub(crate) fn nodes(&self) -> usize {
        self.y.nodes * self.x.nodes
    }

    /// The same displacement everywhere.
    pub(crate) fn rigid(&self, y: f32, x: f32) -> Field {
        Field { y: vec![y; self.nodes()], x: vec![x; self.nodes()] }
    }

    /// Values of `nodes` along row `y` of the frame, at the nodes of the x axis.
    pub(crate) fn row(&self, nodes: &[f32], y: usize, out: &mut [f32]) {
        let (above, share) = self.y.locate(y as f64);
        let (n, share) = (self.x.nodes, share as f32);
        let (a, b) = (&nodes[above * n..][..n], &nodes[self.y.next(above) * n..][..n]);
        for (o, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
            *o = a + share * (b - a);
        }
    }

    /// Value of `nodes` at one place, pixels.
    pub(crate) fn at(&self, nodes: &[f32], y: f64, x: f64) -> f32 {
        let ((i, fy), (j, fx)) = (self.y.locate(y), self.x.locate(x));
        let value = |i: usize, j: usize| f64::from(nodes[i * self.x.nodes + j]);
        let (k, l) = (self.y.next(i), self.x.next(j));
        let top = value(i, j) * (1.0 - fx) + value(i, l) * fx;
        let bottom = value(k, j) * (1.0 - fx) + value(k, l) * fx;
        (top * (1.0 - fy) + bottom * fy) as f32
    }

    /// A `field` of another grid over the same view, taken at the nodes of this one; every length times `scale`.
    pub(crate) fn resampled(&self, field: &Field, of: &Grid, scale: f32) -> Field {
        let place = |i: usize, own: &Axis, other: &Axis| {
            let along = i as f64 / (own.nodes - 1).max(1) as f64;
            along * (other.side - 1) as f64
        };
        let middle = |axis: &Axis, other: &Axis, i: usize| {
            if axis.nodes == 1 { 0.5 * (other.side - 1) as f64 } else { place(i, axis, other) }
        };
        let nodes = |values: &[f32]| {
            let rows = (0..self.y.nodes).map(|i| middle(&self.y, &of.y, i));
            rows.flat_map(|y| (0..self.x.nodes).map(move |j| scale * of.at(values, y, middle(&self.x, &of.x, j)))).collect()
        };
        Field { y: nodes(&field.y), x: nodes(&field.x) }
    }

    /// Mean of `nodes` over all pixels.
    pub(crate) fn mean(&self, nodes: &[f32]) -> f32 {
        let (rows, columns) = (self.shares(&self.y), self.shares(&self.x));
        let outer = rows.iter().flat_map(|r| columns.iter().map(move |c| r * c));
        outer.zip(nodes).map(|(w, &v)| w * f64::from(v)).sum::<f64>() as f32
    }

    /// Share of the pixels of an axis that each node speaks for.
    fn shares(&self, axis: &Axis) -> Vec<f64> {
        let mut sum = vec![0.0; axis.nodes];
        for at in 0..axis.side {
            let (node, share) = axis.locate(at as f64);
            sum[node] += (1.0 - share) / axis.side as f64;
            sum[axis.next(node)] += share / axis.side as f64;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_cover_every_pixel_once_and_agree_with_locate() {
        for side in [1, 2, 47, 48, 64, 77, 128, 192, 256, 511, 512, 2048] {
            let axis = Axis::new(side);
            let mut next = 0;
            for cell in &axis.cells {
                assert_eq!(cell.from, next);
                for at in cell.from..cell.to {
                    let share = cell.start + cell.step * (at - cell.from) as f32;
                    let (node, expected) = axis.locate(at as f64);
                    let place = node as f64 + expected;
                    assert!((cell.node as f64 + f64::from(share) - place).abs() < 1e-4, "{side} {at}");
                }
                next = cell.to;
            }
            assert_eq!(next, side);
        }
    }

    #[test]
    fn a_linear_field_is_linear_in_between_and_has_the_mean_of_its_middle() {
        let grid = Grid::new(Plane { height: 200, width: 130 });
        let (ny, nx) = (grid.y.nodes, grid.x.nodes);
        let node = |i: usize, n: usize, side: usize| i as f64 * (side - 1) as f64 / (n - 1) as f64;
        let plane = |y: f64, x: f64| 0.5 + 0.01 * y - 0.02 * x;
        let nodes: Vec<f32> = (0..ny * nx).map(|k| plane(node(k / nx, ny, 200), node(k % nx, nx, 130)) as f32).collect();
        assert!((f64::from(grid.at(&nodes, 77.25, 31.5)) - plane(77.25, 31.5)).abs() < 1e-4);
        assert!((f64::from(grid.mean(&nodes)) - plane(99.5, 64.5)).abs() < 1e-4);
        let mut row = vec![0.0; nx];
        grid.row(&nodes, 150, &mut row);
        assert!((f64::from(row[nx - 1]) - plane(150.0, 129.0)).abs() < 1e-4);
    }
}
