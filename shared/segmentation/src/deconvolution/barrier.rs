//! Non-negative deconvolution of a rise and a decay: a banded interior-point method, linear in the number of frames.

use super::kernel::Kernel;

/// Share of the complementarity that a step leaves.
const CENTRING: f64 = 0.2;
/// Newton steps; about fifteen are needed.
const STEPS: usize = 40;
/// How close to the edge a step may go.
const EDGE: f64 = 0.99;

/// What is known of the events before the trace is seen, in units of the noise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prior {
    /// Price of an event: `λ Σ s`.
    pub sparsity: f64,
    /// Weight of the barrier: `−μ Σ ln s`. Above zero.
    pub barrier: f64,
}

struct State {
    w: Vec<f64>,
    s: Vec<f64>,
    /// Multipliers of `s ≥ 0`.
    z: Vec<f64>,
}

/// Events `s` that minimise `½ Σ (y − c)² + λ Σ s − μ Σ ln s` where `c` is `s` seen through `kernel`; none when the
/// arithmetic fails.
///
/// Primal-dual Newton steps on the state `w` (`s = G w`, `c = M w`), whose Hessian has five diagonals: the banded barrier method of
/// Vogelstein et al. 2010 (J Neurophysiol 104:3691) for a second-order process.
pub(super) fn deconvolve(y: &[f64], kernel: Kernel, prior: Prior) -> Option<Vec<f64>> {
    let mut state = start(y.len(), kernel);
    for _ in 0..STEPS {
        let gap = state.s.iter().zip(&state.z).map(|(s, z)| s * z).sum::<f64>() / y.len().max(1) as f64;
        let target = (CENTRING * gap).max(prior.barrier);
        let (rhs, bands) = system(y, &state, kernel, prior, target);
        let step = bands.solve(rhs)?;
        let moved = advance(&mut state, &step, kernel, target);
        if target <= prior.barrier && moved < 1e-7 {
            break;
        }
    }
    state.s.iter().all(|v| v.is_finite()).then_some(state.s)
}

fn start(frames: usize, kernel: Kernel) -> State {
    let s = vec![0.1; frames];
    let mut w: Vec<f64> = Vec::with_capacity(frames);
    for t in 0..frames {
        w.push(0.0);
        let value = s[t] - kernel.driven(&w, t);
        w[t] = value;
    }
    State { w, s, z: vec![1.0; frames] }
}

/// Newton's right-hand side and Hessian at the state.
fn system(y: &[f64], state: &State, k: Kernel, prior: Prior, target: f64) -> (Vec<f64>, Bands) {
    let frames = y.len();
    let at = |v: &[f64], t: usize| v.get(t).copied().unwrap_or(0.0);
    let miss: Vec<f64> = (0..frames).map(|t| y[t] - k.seen(&state.w, t)).collect();
    let push: Vec<f64> = state.s.iter().map(|s| target / s - prior.sparsity).collect();
    let weight: Vec<f64> = state.s.iter().zip(&state.z).map(|(s, z)| z / s).collect();
    let mut rhs = vec![0.0; frames];
    let mut bands = Bands { zero: vec![0.0; frames], one: vec![0.0; frames], two: vec![0.0; frames] };
    for t in 0..frames {
        let seen = k.m[0] * miss[t] + k.m[1] * at(&miss, t + 1);
        rhs[t] = seen + push[t] + k.g[0] * at(&push, t + 1) + k.g[1] * at(&push, t + 2);
        let (d1, d2) = (at(&weight, t + 1), at(&weight, t + 2));
        let next = if t + 1 < frames { k.m[1] * k.m[1] } else { 0.0 };
        bands.zero[t] = k.m[0] * k.m[0] + next + weight[t] + k.g[0] * k.g[0] * d1 + k.g[1] * k.g[1] * d2;
        bands.one[t] = k.m[0] * k.m[1] + k.g[0] * d1 + k.g[0] * k.g[1] * d2;
        bands.two[t] = k.g[1] * d2;
    }
    (rhs, bands)
}

/// Takes the step as far as everything stays positive; the largest share by which an event changed.
fn advance(state: &mut State, step: &[f64], kernel: Kernel, target: f64) -> f64 {
    let ds: Vec<f64> = (0..step.len()).map(|t| kernel.driven(step, t)).collect();
    let dz: Vec<f64> = (0..step.len()).map(|t| (target - state.z[t] * ds[t]) / state.s[t] - state.z[t]).collect();
    let (along, across) = (reach(&state.s, &ds), reach(&state.z, &dz));
    let mut moved = 0.0f64;
    for t in 0..step.len() {
        moved = moved.max((ds[t] / (state.s[t] + 1.0)).abs());
        state.w[t] += along * step[t];
        state.s[t] += along * ds[t];
        state.z[t] += across * dz[t];
    }
    moved
}

fn reach(value: &[f64], step: &[f64]) -> f64 {
    let shrink = value.iter().zip(step).map(|(v, d)| -d / v).fold(0.0f64, f64::max);
    (EDGE / shrink.max(EDGE)).min(1.0)
}

/// A symmetric positive definite matrix of five diagonals.
struct Bands {
    zero: Vec<f64>,
    one: Vec<f64>,
    two: Vec<f64>,
}

impl Bands {
    /// L D Lᵀ in place; none when a pivot is not above zero.
    fn solve(mut self, mut x: Vec<f64>) -> Option<Vec<f64>> {
        let n = x.len();
        for t in 0..n {
            let pivot = self.zero[t];
            if !(pivot > 0.0 && pivot.is_finite()) {
                return None;
            }
            let (a, b) = (self.one[t] / pivot, self.two[t] / pivot);
            if t + 1 < n {
                self.zero[t + 1] -= a * self.one[t];
                self.one[t + 1] -= a * self.two[t];
                x[t + 1] -= a * x[t];
            }
            if t + 2 < n {
                self.zero[t + 2] -= b * self.two[t];
                x[t + 2] -= b * x[t];
            }
            (self.one[t], self.two[t]) = (a, b);
            x[t] /= pivot;
        }
        for t in (0..n).rev() {
            let one = if t + 1 < n { self.one[t] * x[t + 1] } else { 0.0 };
            let two = if t + 2 < n { self.two[t] * x[t + 2] } else { 0.0 };
            x[t] -= one + two;
        }
        Some(x)
    }
}

#[cfg(test)]
#[path = "barrier_tests.rs"]
mod tests;
