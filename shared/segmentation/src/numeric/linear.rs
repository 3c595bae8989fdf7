//! Small dense symmetric systems in f64, every sum in a fixed order (a general library picks its kernels by processor).

/// A symmetric matrix, stored in full, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Symmetric {
    pub(crate) n: usize,
    pub(crate) data: Vec<f64>,
}

impl Symmetric {
    pub(crate) fn zeros(n: usize) -> Self {
        Self { n, data: vec![0.0; n * n] }
    }

    pub(crate) fn at(&self, i: usize, j: usize) -> f64 {
        self.data[i * self.n + j]
    }

    pub(crate) fn add(&mut self, i: usize, j: usize, value: f64) {
        self.data[i * self.n + j] += value;
    }

    /// Rows and columns `range`.
    pub(crate) fn block(&self, range: std::ops::Range<usize>) -> Self {
        let n = range.len();
        let rows = range.clone().flat_map(|i| self.data[i * self.n..][range.clone()].iter().copied());
        Self { n, data: rows.collect() }
    }

    /// Lower triangle `L` with `L Lᵀ` = this, or none when this is not positive definite.
    pub(crate) fn cholesky(&self) -> Option<Lower> {
        let n = self.n;
        let mut l = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..=i {
                let dot: f64 = (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum();
                let rest = self.at(i, j) - dot;
                if i == j {
                    if rest.is_nan() || rest <= 0.0 {
                        return None;
                    }
                    l[i * n + i] = rest.sqrt();
                } else {
                    l[i * n + j] = rest / l[j * n + j];
                }
            }
        }
        Some(Lower { n, data: l })
    }

    /// Eigenvalues, largest first, and the eigenvectors, one after the other: cyclic Jacobi rotations (Golub & Van Loan,
    /// Matrix Computations, 8.5), which lose no small eigenvalue.
    pub(crate) fn eigen(&self) -> (Vec<f64>, Vec<Vec<f64>>) {
        let n = self.n;
        let mut a = self.data.clone();
        let mut vectors: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
        let scale: f64 = a.iter().map(|v| v * v).sum();
        for _ in 0..SWEEPS {
            let off: f64 = (0..n * n).filter(|k| k / n != k % n).map(|k| a[k] * a[k]).sum();
            if off <= scale * 1e-24 {
                break;
            }
            for p in 0..n {
                for q in p + 1..n {
                    rotate(&mut a, n, p, q, &mut vectors);
                }
            }
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&i, &j| a[j * n + j].total_cmp(&a[i * n + i]).then(i.cmp(&j)));
        let values = order.iter().map(|&i| a[i * n + i]).collect();
        (values, order.iter().map(|&i| std::mem::take(&mut vectors[i])).collect())
    }
}

/// More sweeps than the method was ever seen to need.
const SWEEPS: usize = 30;

/// One Jacobi rotation that makes entry (`p`, `q`) zero.
fn rotate(a: &mut [f64], n: usize, p: usize, q: usize, vectors: &mut [Vec<f64>]) {
    let apq = a[p * n + q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let t = if theta == 0.0 { 1.0 } else { t };
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    let (head, tail) = a.split_at_mut(q * n);
    for (x, y) in head[p * n..(p + 1) * n].iter_mut().zip(&mut tail[..n]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
    let (head, tail) = vectors.split_at_mut(q);
    for (x, y) in head[p].iter_mut().zip(&mut tail[0]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

/// The Cholesky factor of a positive definite matrix.
#[derive(Debug, Clone)]
pub(crate) struct Lower {
    n: usize,
    data: Vec<f64>,
}

impl Lower {
    fn row(&self, i: usize) -> &[f64] {
        &self.data[i * self.n..][..=i]
    }

    /// `L x`.
    pub(crate) fn times(&self, x: &[f64]) -> Vec<f64> {
        (0..self.n).map(|i| self.row(i).iter().zip(x).map(|(l, v)| l * v).sum()).collect()
    }

    /// `L⁻¹ b`.
    pub(crate) fn forward(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = Vec::with_capacity(self.n);
        for (i, &value) in b.iter().enumerate().take(self.n) {
            let row = self.row(i);
            let dot: f64 = row.iter().zip(&x).map(|(l, v)| l * v).sum();
            x.push((value - dot) / row[i]);
        }
        x
    }

    /// `(L Lᵀ)⁻¹ b`.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x = self.forward(b);
        for i in (0..self.n).rev() {
            let dot: f64 = (i + 1..self.n).map(|k| self.data[k * self.n + i] * x[k]).sum();
            x[i] = (x[i] - dot) / self.data[i * self.n + i];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn positive(values: &[f64], n: usize) -> Symmetric {
        let mut a = Symmetric::zeros(n);
        for i in 0..n {
            for j in 0..n {
                let dot: f64 = (0..n).map(|k| values[i * n + k] * values[j * n + k]).sum();
                a.add(i, j, dot + if i == j { 0.5 } else { 0.0 });
            }
        }
        a
    }

    proptest! {
        #[test]
        fn a_solution_solves(values in prop::collection::vec(-2.0f64..2.0, 49), b in prop::collection::vec(-9.0f64..9.0, 7)) {
            let a = positive(&values, 7);
            let lower = a.cholesky().unwrap();
            let x = lower.solve(&b);
            for (i, expected) in b.iter().enumerate() {
                let back: f64 = x.iter().enumerate().map(|(j, v)| a.at(i, j) * v).sum();
                prop_assert!((back - expected).abs() < 1e-6);
            }
            for (u, v) in lower.times(&lower.forward(&b)).iter().zip(&b) {
                prop_assert!((u - v).abs() < 1e-9);
            }
        }

        #[test]
        fn eigenvectors_are_only_stretched(values in prop::collection::vec(-2.0f64..2.0, 36)) {
            let a = positive(&values, 6);
            let (values, vectors) = a.eigen();
            for (value, v) in values.iter().zip(&vectors) {
                prop_assert!((v.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-9);
                for (i, own) in v.iter().enumerate() {
                    let image: f64 = v.iter().enumerate().map(|(j, x)| a.at(i, j) * x).sum();
                    prop_assert!((image - value * own).abs() < 1e-8);
                }
            }
            prop_assert!(values.windows(2).all(|w| w[0] >= w[1]));
        }
    }

    #[test]
    fn what_is_not_positive_has_no_factor() {
        let mut a = Symmetric::zeros(2);
        a.add(0, 0, 1.0);
        a.add(1, 1, -1.0);
        assert!(a.cholesky().is_none());
    }
}
