//! What one spike does to the frames after it.

/// Response to spikes spread evenly over a frame interval, `(m₀ + m₁ z) / (1 + g₁ z + g₂ z²)` with `z` one frame of delay,
/// scaled to a peak of 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kernel {
    pub m: [f64; 2],
    pub g: [f64; 2],
}

impl Kernel {
    /// Rises with `rise` and decays with `decay`, both in frames, `0 < rise < decay`.
    ///
    /// The response `exp(−t/decay) − exp(−t/rise)` (Vogelstein et al. 2010, J Neurophysiol 104:3691; Pnevmatikakis et al.
    /// 2016, Neuron 89:285, equation 2) is averaged over the interval a frame ends: a camera cannot tell where in it a
    /// spike fell, and at 2 Hz the mean over those places is far from the jump that a spike on the edge would give.
    pub(super) fn new(decay: f64, rise: f64) -> Self {
        let (slow, fast) = (libm::exp(-1.0 / decay), libm::exp(-1.0 / rise));
        let (a, b) = (-decay * libm::expm1(-1.0 / decay), -rise * libm::expm1(-1.0 / rise));
        let raw = Self { m: [a - b, b * slow - a * fast], g: [-(slow + fast), slow * fast] };
        let peak = raw.peak();
        Self { m: raw.m.map(|v| v / peak), ..raw }
    }

    /// The one maximum: the response rises to it and falls for ever after.
    fn peak(self) -> f64 {
        let (mut before, mut state, mut highest) = (0.0, 1.0, self.m[0]);
        loop {
            let next = -self.g[0] * state - self.g[1] * before;
            let value = self.m[0] * next + self.m[1] * state;
            (before, state) = (state, next);
            // A value that is no number is not above, and ends the search too.
            if value > highest {
                highest = value;
            } else {
                return highest;
            }
        }
    }

    /// Fluorescence of the state `w`.
    #[inline]
    pub(super) fn seen(self, w: &[f64], t: usize) -> f64 {
        self.m[0] * w[t] + if t > 0 { self.m[1] * w[t - 1] } else { 0.0 }
    }

    /// Events that drive the state `w`.
    #[inline]
    pub(super) fn driven(self, w: &[f64], t: usize) -> f64 {
        let one = if t > 0 { self.g[0] * w[t - 1] } else { 0.0 };
        let two = if t > 1 { self.g[1] * w[t - 2] } else { 0.0 };
        w[t] + one + two
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Midpoint rule over 400 places in the interval.
        #[test]
        fn the_kernel_is_the_mean_over_places_in_the_interval(decay in 0.3f64..60.0, ratio in 0.01f64..0.5) {
            let rise = ratio * decay;
            let kernel = Kernel::new(decay, rise);
            let mean = |k: usize| (0..400).map(|i| {
                let t = k as f64 + (f64::from(i) + 0.5) / 400.0;
                (-t / decay).exp() - (-t / rise).exp()
            }).sum::<f64>() / 400.0;
            let n = 400;
            let mut w = vec![0.0; n];
            for t in 0..n {
                w[t] = f64::from(u8::from(t == 0)) - kernel.driven(&w, t);
            }
            let truth: Vec<f64> = (0..n).map(mean).collect();
            let peak = truth.iter().copied().fold(0.0, f64::max);
            for (t, truth) in truth.iter().enumerate() {
                prop_assert!((kernel.seen(&w, t) - truth / peak).abs() < 2e-3, "{t}");
            }
        }
    }
}
