//! The normal equations of a template: how much every node knows, and what one Gauss–Newton step is.

use super::grid::{Field, Grid};
use crate::numeric::Symmetric;

/// Displacement along y and x, brightness, offset.
pub(crate) const BASES: usize = 4;
/// How far two neighbouring nodes move apart, pixels (standard deviation expected beforehand).
const APART_PX: f64 = 0.5;
/// How far brightness differs from that of the reference, share (standard deviation expected beforehand).
const DIMMED: f64 = 0.5;
/// Share of the information that is never taken for noise.
const LEAST_TRUE: f64 = 0.3;
/// Information added to every displacement so that a frame without contrast has an answer (a standard deviation of 30 px).
const RIDGE: f64 = 1e-3;

/// Sums around every node, one a basis.
pub(crate) struct Products {
    nodes: usize,
    data: Vec<f64>,
}

impl Products {
    pub(crate) fn new(nodes: usize) -> Self {
        Self { nodes, data: vec![0.0; BASES * nodes] }
    }

    pub(crate) fn clear(&mut self) {
        self.data.fill(0.0);
    }

    pub(crate) fn add(&mut self, base: usize, node: usize, value: f64) {
        self.data[base * self.nodes + node] += value;
    }
}

/// What one frame tells of its displacements when it is seen against one reference.
pub(crate) struct Normal {
    nodes: usize,
    /// Displacement rows of the inverse of information and prior.
    gain: Vec<f64>,
    singular: bool,
    /// Information of the prior on displacements: neighbours move alike.
    pub(crate) prior: Symmetric,
    /// Information of one frame about the displacements, brightness and offset unknown.
    pub(crate) information: Symmetric,
}

impl Normal {
    /// `noise` is what the noise of the reference adds to the information of a pixel, along one axis.
    pub(crate) fn new(grid: &Grid, image: &[f32], gradient: &[Vec<f32>; 2], weights: &[f32], noise: f64) -> Self {
        let nodes = grid.nodes();
        let (moves, all) = (2 * nodes, BASES * nodes);
        let mut a = gathered(grid, [&gradient[0], &gradient[1], image], weights, noise);
        let level = rms(image);
        let nuisance = 1.0 / (DIMMED * DIMMED);
        for i in moves..all {
            // In units of what the image shows, the offset may differ as far as the brightness may.
            a.add(i, i, if i < 3 * nodes { nuisance } else { nuisance / (level * level).max(f64::MIN_POSITIVE) });
        }
        for i in 0..moves {
            a.add(i, i, RIDGE);
        }
        let information = without_nuisance(&a, moves);
        let prior = alike(grid);
        for i in 0..moves {
            for j in 0..moves {
                a.add(i, j, prior.at(i, j));
            }
        }
        let gain = rows_of_inverse(&a, moves);
        let singular = gain.is_none();
        Self { nodes, gain: gain.unwrap_or_else(|| vec![0.0; moves * all]), singular, prior, information }
    }

    /// Whether no step can be made: displacements stay what they were.
    pub(super) fn singular(&self) -> bool {
        self.singular
    }

    /// One step from `field` given the sums of residual times basis there; returns its largest displacement, pixels.
    pub(crate) fn step(&self, sums: &Products, field: &mut Field) -> f32 {
        let (n, moves, all) = (self.nodes, 2 * self.nodes, BASES * self.nodes);
        let at = |f: &Field, j: usize| f64::from(if j < n { f.y[j] } else { f.x[j - n] });
        let mut pull = sums.data.clone();
        for (i, p) in pull.iter_mut().enumerate().take(moves) {
            let row = &self.prior.data[i * moves..(i + 1) * moves];
            *p += row.iter().enumerate().map(|(j, v)| v * at(field, j)).sum::<f64>();
        }
        let mut largest = 0.0f32;
        let steps: Vec<f32> = (0..moves)
            .map(|i| self.gain[i * all..(i + 1) * all].iter().zip(&pull).map(|(g, p)| g * p).sum::<f64>() as f32)
            .collect();
        for (value, step) in field.y.iter_mut().chain(&mut field.x).zip(steps) {
            let step = step.clamp(-LONGEST_STEP_PX, LONGEST_STEP_PX);
            *value -= step;
            largest = largest.max(step.abs());
        }
        largest
    }
}

/// A step longer than what the gradient can speak for is cut, pixels.
const LONGEST_STEP_PX: f32 = 3.0;

fn rms(image: &[f32]) -> f64 {
    let sum: f64 = image.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
    (sum / image.len().max(1) as f64).sqrt()
}

/// `Σ w φ_i φ_j S_a S_b` over all pixels, φ the tents of the nodes and S the gradient, the image, and one.
fn gathered(grid: &Grid, images: [&[f32]; 3], weights: &[f32], noise: f64) -> Symmetric {
    let (w, nx, nodes) = (grid.plane.width, grid.x.nodes, grid.nodes());
    let mut a = Symmetric::zeros(BASES * nodes);
    for band in &grid.y.cells {
        for cell in &grid.x.cells {
            let corners = [
                band.node * nx + cell.node,
                band.node * nx + grid.x.next(cell.node),
                grid.y.next(band.node) * nx + cell.node,
                grid.y.next(band.node) * nx + grid.x.next(cell.node),
            ];
            let mut block = [[0.0f64; 4 * BASES]; 4 * BASES];
            for y in band.from..band.to {
                let fy = f64::from(band.start + band.step * (y - band.from) as f32);
                for x in cell.from..cell.to {
                    let fx = f64::from(cell.start + cell.step * (x - cell.from) as f32);
                    let tents = [(1.0 - fy) * (1.0 - fx), (1.0 - fy) * fx, fy * (1.0 - fx), fy * fx];
                    let i = y * w + x;
                    let values = [f64::from(images[0][i]), f64::from(images[1][i]), f64::from(images[2][i]), 1.0];
                    outer(&mut block, f64::from(weights[i]), &tents, &values);
                }
            }
            let true_share = true_shares(&block, noise * ((band.to - band.from) * (cell.to - cell.from)) as f64);
            for (r, line) in block.iter().enumerate() {
                for (c, &value) in line.iter().enumerate() {
                    let value = value * true_share[r / 4] * true_share[c / 4];
                    a.add((r / 4) * nodes + corners[r % 4], (c / 4) * nodes + corners[c % 4], value);
                }
            }
        }
    }
    a
}

/// Gradients of a noisy reference are steeper than those of the tissue; taken at their word they would make every
/// displacement look smaller than it is. Factor for each basis that takes the expected excess out of the information.
fn true_shares(block: &[[f64; 4 * BASES]; 4 * BASES], excess: f64) -> [f64; BASES] {
    let along = |base: usize| {
        let corners = 4 * base..4 * base + 4;
        // The tents sum to one, so this is the sum over all pixels.
        let seen: f64 = corners.clone().flat_map(|r| corners.clone().map(move |c| block[r][c])).sum();
        if seen > 0.0 { (1.0 - excess / seen).max(LEAST_TRUE).sqrt() } else { 1.0 }
    };
    [along(0), along(1), 1.0, 1.0]
}

/// Adds the outer product of (basis × corner) with itself, upper triangle mirrored.
fn outer(block: &mut [[f64; 4 * BASES]; 4 * BASES], weight: f64, tents: &[f64; 4], values: &[f64; BASES]) {
    let mut all = [0.0; 4 * BASES];
    for (i, a) in all.iter_mut().enumerate() {
        *a = values[i / 4] * tents[i % 4];
    }
    for (line, a) in block.iter_mut().zip(&all) {
        let scaled = weight * a;
        line.iter_mut().zip(&all).for_each(|(v, b)| *v += scaled * b);
    }
}

/// The information left about the first `keep` unknowns when the others are unknown too (Schur complement).
fn without_nuisance(a: &Symmetric, keep: usize) -> Symmetric {
    let rest = a.block(keep..a.n);
    let mut left = a.block(0..keep);
    let Some(factor) = rest.cholesky() else { return left };
    let across: Vec<Vec<f64>> = (0..keep).map(|i| factor.forward(&a.data[i * a.n + keep..(i + 1) * a.n])).collect();
    for i in 0..keep {
        for j in 0..keep {
            let dot: f64 = across[i].iter().zip(&across[j]).map(|(x, y)| x * y).sum();
            left.add(i, j, -dot);
        }
    }
    left
}

/// The first `rows` rows of the inverse; none should the matrix be singular after all.
fn rows_of_inverse(a: &Symmetric, rows: usize) -> Option<Vec<f64>> {
    let factor = a.cholesky()?;
    let unit = |i: usize| (0..a.n).map(|j| f64::from(u8::from(i == j))).collect::<Vec<f64>>();
    Some((0..rows).flat_map(|i| factor.solve(&unit(i))).collect())
}

/// Information of the prior: the difference of neighbouring nodes has a standard deviation of half a pixel.
fn alike(grid: &Grid) -> Symmetric {
    let (ny, nx, nodes) = (grid.y.nodes, grid.x.nodes, grid.nodes());
    let mut p = Symmetric::zeros(2 * nodes);
    let stiffness = 1.0 / (APART_PX * APART_PX);
    let mut tie = |i: usize, j: usize| {
        for (i, j) in [(i, j), (nodes + i, nodes + j)] {
            p.add(i, i, stiffness);
            p.add(j, j, stiffness);
            p.add(i, j, -stiffness);
            p.add(j, i, -stiffness);
        }
    };
    for i in 0..ny {
        for j in 0..nx {
            if i + 1 < ny {
                tie(i * nx + j, (i + 1) * nx + j);
            }
            if j + 1 < nx {
                tie(i * nx + j, i * nx + j + 1);
            }
        }
    }
    p
}
