//! Non-negative deconvolution of an exponential decay, exactly.

/// A run of frames explained by one event at its start.
struct Pool {
    /// Best value at the start of the run, not yet clipped at zero.
    value: f64,
    /// Sum of the squared decay over the run.
    weight: f64,
    length: u32,
}

/// Events `s ≥ 0` that minimise `Σ (y − c)²` with `c[t] = g c[t−1] + s[t]`: OASIS, the pool-adjacent-violators
/// algorithm of Friedrich, Zhou & Paninski 2017 (PLoS Comput Biol 13:e1005423, algorithm 1) without sparsity penalty.
///
/// `g` is in 0 to 1; `s[0]` is the level the trace starts at.
pub(crate) fn oasis(y: &[f32], g: f64) -> Vec<f32> {
    let mut pools: Vec<Pool> = Vec::new();
    for &v in y {
        let mut last = Pool { value: f64::from(v), weight: 1.0, length: 1 };
        // A run that starts below the decay of the one before it needs a negative event: they become one.
        while let Some(before) = pools.pop() {
            let decay = power(g, before.length);
            if last.value >= decay * before.value.max(0.0) {
                pools.push(before);
                break;
            }
            let weight = before.weight + decay * decay * last.weight;
            let pulled = before.weight * before.value + decay * last.weight * last.value;
            last = Pool { value: pulled / weight, weight, length: before.length + last.length };
        }
        pools.push(last);
    }
    events(&pools, y.len(), g)
}

fn events(pools: &[Pool], frames: usize, g: f64) -> Vec<f32> {
    let mut out = vec![0.0; frames];
    let (mut at, mut carried) = (0usize, 0.0f64);
    for pool in pools {
        let level = pool.value.max(0.0);
        if let Some(o) = out.get_mut(at) {
            *o = (level - carried).max(0.0) as f32;
        }
        carried = level * power(g, pool.length);
        at += pool.length as usize;
    }
    out
}

fn power(g: f64, n: u32) -> f64 {
    libm::pow(g, f64::from(n))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// scipy.optimize.nnls(K, y) with K[t, k] = 0.8^(t−k), scipy 1.17.
    #[test]
    fn events_are_those_of_nnls() {
        let expected = oasis(&Y, 0.8);
        for (a, b) in expected.iter().zip(NNLS) {
            assert!((f64::from(*a) - b).abs() < 1e-5, "{a} {b}");
        }
    }
    include!("nnls_oracle.rs");

    fn fit(y: &[f32], s: &[f64], g: f64) -> f64 {
        let mut c = 0.0;
        let terms = y.iter().zip(s).map(|(&y, s)| {
            c = g * c + s;
            (f64::from(y) - c) * (f64::from(y) - c)
        });
        terms.sum()
    }

    /// Projected coordinate descent: slow, and right because the problem is convex.
    fn slow(y: &[f32], g: f64) -> Vec<f64> {
        let n = y.len();
        let mut s = vec![0.0f64; n];
        let mut residual: Vec<f64> = y.iter().map(|&v| f64::from(v)).collect();
        for _ in 0..4000 {
            for k in 0..n {
                let column: Vec<f64> = (0..n - k).map(|i| power(g, i as u32)).collect();
                let norm: f64 = column.iter().map(|c| c * c).sum();
                let dot: f64 = column.iter().zip(&residual[k..]).map(|(c, r)| c * r).sum();
                let step = (s[k] + dot / norm).max(0.0) - s[k];
                s[k] += step;
                residual[k..].iter_mut().zip(&column).for_each(|(r, c)| *r -= step * c);
            }
        }
        s
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn no_events_fit_better(y in prop::collection::vec(-3.0f32..5.0, 1..14), g in 0.1f64..0.95) {
            let fast: Vec<f64> = oasis(&y, g).iter().map(|&v| f64::from(v)).collect();
            prop_assert!(fast.iter().all(|&v| v >= 0.0));
            prop_assert!(fit(&y, &fast, g) <= fit(&y, &slow(&y, g), g) + 1e-4);
        }

        #[test]
        fn a_noiseless_decay_is_taken_apart_exactly(
            s in prop::collection::vec(prop_oneof![3 => Just(0.0f32), 1 => 0.5f32..4.0], 1..60), g in 0.3f64..0.98,
        ) {
            let mut c = 0.0;
            let y: Vec<f32> = s.iter().map(|&v| { c = g * c + f64::from(v); c as f32 }).collect();
            for (a, b) in oasis(&y, g).iter().zip(&s) {
                prop_assert!((a - b).abs() < 1e-4);
            }
        }
    }
}
