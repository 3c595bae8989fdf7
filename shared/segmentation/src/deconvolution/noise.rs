//! How noisy a trace is.

use crate::numeric::median;

/// The median of |x| of a normal distribution of standard deviation 1.
const MEDIAN_OF_NORMAL: f64 = 0.674_489_750_196_081_7;

/// Standard deviation of the noise of one frame: the median absolute second difference, which no slow signal and few
/// transients reach, over what white noise gives. In units of the trace; 0 below three frames.
pub(super) fn sd(trace: &[f32]) -> f64 {
    let steps: Vec<f32> = trace.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs()).collect();
    if steps.is_empty() {
        return 0.0;
    }
    // Second differences of white noise have a variance of 1 + 4 + 1.
    f64::from(median(&steps)) / (MEDIAN_OF_NORMAL * libm::sqrt(6.0))
}
