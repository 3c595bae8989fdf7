//! How much thresholded activity noise alone can show.

/// A bin counts as active above this many standard deviations.
pub(super) const ACTIVE: f64 = 2.0;
/// Pixels of a recording of pure noise that may pass, in expectation.
const FALSE_PIXELS: f64 = 0.2;

/// Activity, the sum over `bins` of `max(0, z − 2)²`, that noise exceeds at fewer than 0.2 of `pixels` pixels.
///
/// Chernoff's bound: P(S ≥ s) ≤ exp(bins · ln M(λ) − λ s) for every λ below 1/2, with M the moment generating
/// function of one bin's share for z standard normal. The bound is solved for s and the best λ taken.
pub(super) fn noise_limit(bins: usize, pixels: usize) -> f64 {
    let log_odds = libm::log(pixels.max(1) as f64 / FALSE_PIXELS);
    let limit = |i: u32| {
        let lambda = 0.4975 * f64::from(i) / 200.0;
        (bins as f64 * libm::log(moment(lambda)) + log_odds) / lambda
    };
    (1..=200).map(limit).fold(f64::INFINITY, f64::min)
}

/// E exp(λ max(0, z − θ)²) for z standard normal: Φ(θ) + e^(θ²/2a − θ²/2) Q(θ/√a) / √a with a = 1 − 2λ.
fn moment(lambda: f64) -> f64 {
    let a = 1.0 - 2.0 * lambda;
    let upper = |x: f64| 0.5 * libm::erfc(x / std::f64::consts::SQRT_2);
    let half = 0.5 * ACTIVE * ACTIVE;
    1.0 - upper(ACTIVE) + libm::exp(half / a - half) * upper(ACTIVE / a.sqrt()) / a.sqrt()
}

/// Peaks of a texture without cells that may pass, in expectation.
const FALSE_PEAKS: f64 = 0.1;

/// Height, in standard deviations, that white texture smoothed by a Gaussian of `sigma` pixels exceeds at fewer than
/// 0.1 places of a view of `pixels`.
///
/// Worsley et al. 1992 (J Cereb Blood Flow Metab 12:900): the expected number of regions above u is
/// A (2σ²)⁻¹ (2π)^(−3/2) u exp(−u²/2), which falls for u > 1.
pub(super) fn texture_limit(pixels: usize, sigma: f64) -> f64 {
    let cells = pixels as f64 / (2.0 * sigma * sigma) / libm::pow(2.0 * std::f64::consts::PI, 1.5);
    let (mut low, mut high) = (1.0, 20.0);
    for _ in 0..60 {
        let u = 0.5 * (low + high);
        if cells * u * libm::exp(-0.5 * u * u) > FALSE_PEAKS {
            low = u;
        } else {
            high = u;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    /// scipy.integrate.quad of exp(λ max(0, z−2)²) φ(z).
    #[test]
    fn the_moment_is_the_integral() {
        for (lambda, expected) in MOMENTS {
            assert!((moment(lambda) / expected - 1.0).abs() < 1e-9, "{lambda}");
        }
    }
    const MOMENTS: [(f64, f64); 3] =
        [(0.1, 1.000_611_559_131_47), (0.3, 1.002_106_908_001_846_5), (0.45, 1.003_615_663_962_996_5)];

    #[test]
    fn the_texture_limit_solves_its_equation() {
        let u = texture_limit(512 * 512, 4.0);
        let expected = 262_144.0 / 32.0 / 15.749_609_945_722_42 * u * (-0.5 * u * u).exp();
        assert!((expected - 0.1).abs() < 1e-6, "{u}");
    }

    #[test]
    fn more_bins_and_more_pixels_ask_for_more() {
        assert!(noise_limit(100, 1000) > noise_limit(50, 1000));
        assert!(noise_limit(50, 100_000) > noise_limit(50, 1000));
    }
}
