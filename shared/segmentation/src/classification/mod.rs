//! Which ROIs look and behave like cells.

/// What the decision is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Features {
    /// Area over that of a disc of the expected diameter.
    pub(crate) relative_area: f64,
    /// Long over short axis.
    pub(crate) aspect_ratio: f64,
    /// Mean distance from the centre over that of a disc.
    pub(crate) compact: f64,
    /// Skewness of the corrected trace.
    pub(crate) skew: f64,
    /// Signal to noise of the corrected trace.
    pub(crate) snr: f64,
    /// How far the ROI stands out of its surround in the mean image, spreads of the surround.
    pub(crate) contrast: f64,
    /// The contrast that cells of this recording usually have.
    pub(crate) usual_contrast: f64,
    /// Share of its height that is left in a ring around it.
    pub(crate) halo: f64,
}

/// What each kind of evidence weighs, in natural logarithms of the odds; fitted by logistic regression, see [`WEIGHTS`].
struct Weights {
    skew: f64,
    ln_snr: f64,
    contrast: f64,
    halo: f64,
    ln_relative_contrast: f64,
    bias: f64,
}

/// Fitted on generated movies of cortex and of labelled nuclei, in and out of focus, whose truth is known (settings and seeds in
/// `benches/classifier.py`, which prints these numbers; other seeds than those the benchmarks are scored on).
const WEIGHTS: Weights =
    Weights { skew: 0.464, ln_snr: 0.983, contrast: 0.546, halo: 18.858, ln_relative_contrast: 2.506, bias: 3.404 };

/// Probability, 0 to 1, that an ROI is a cell: a logistic score that only falls as the ROI gets less like one.
///
/// For it speak transients, which rise and never dip (skewness), signal to noise, and standing out of the surround in the mean
/// image; against it that it is much fainter there than the cells of this recording are, and a halo: both are marks of what lies
/// out of focus. No kind of evidence counts beyond a bound. Shape takes away once it leaves what somata of one kind show: more
/// than a factor 1.5 from the usual area, longer than 1.6 times their width, ragged beyond 1.1 times a disc's spread. These
/// bounds are set and not fitted: generated movies have no boutons and few processes to learn them from.
pub(crate) fn cell_probability(f: Features) -> f64 {
    let beyond = |value: f64, free: f64| (value - free).max(0.0);
    let ln = |value: f64| libm::log(value.max(1e-3));
    let octaves = libm::fabs(libm::log2(f.relative_area.max(1e-6)));
    let doubt = 8.0 * beyond(octaves, 0.55) + 4.0 * beyond(f.aspect_ratio, 1.6) + 25.0 * beyond(f.compact, 1.1);
    let score = WEIGHTS.bias
        + WEIGHTS.skew * f.skew.clamp(-2.0, 1.5)
        + WEIGHTS.ln_snr * ln(f.snr).clamp(0.0, 2.0)
        + WEIGHTS.contrast * f.contrast.clamp(-1.0, 4.0)
        + WEIGHTS.ln_relative_contrast * ln(f.contrast.max(0.3) / f.usual_contrast.max(1.0)).clamp(-2.0, 0.0)
        - WEIGHTS.halo * f.halo.clamp(0.0, 0.3)
        - doubt;
    1.0 / (1.0 + libm::exp(-score))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOMA: Features = Features {
        relative_area: 1.0,
        aspect_ratio: 1.1,
        compact: 1.01,
        skew: 1.0,
        snr: 5.0,
        contrast: 4.0,
        usual_contrast: 4.0,
        halo: 0.02,
    };

    #[test]
    fn a_soma_is_a_cell_and_a_process_is_not() {
        assert!(cell_probability(SOMA) > 0.9);
        let process = Features { aspect_ratio: 4.0, compact: 1.4, ..SOMA };
        assert!(cell_probability(process) < 0.1);
        let neuropil = Features { skew: 0.2, snr: 3.0, contrast: -0.5, ..SOMA };
        assert!(cell_probability(neuropil) < 0.5);
        let dark_but_active = Features { skew: 3.0, snr: 8.0, contrast: 0.0, ..SOMA };
        assert!(cell_probability(dark_but_active) > 0.5);
        let silent = Features { skew: 0.0, snr: 1.7, contrast: 6.0, ..SOMA };
        assert!(cell_probability(silent) > 0.5);
        let out_of_focus = Features { relative_area: 1.8, contrast: 2.0, usual_contrast: 10.0, halo: 0.15, snr: 3.0, ..SOMA };
        assert!(cell_probability(out_of_focus) < 0.1);
        let speck = Features { relative_area: 0.1, ..SOMA };
        assert!(cell_probability(speck) < 0.1);
    }

    proptest! {
        #[test]
        fn less_like_a_cell_is_never_more_probable(
            a in 0.1f64..8.0, r in 1.0f64..4.0, c in 0.9f64..2.0, s in -3.0f64..5.0, n in 0.0f64..20.0,
            k in -3.0f64..8.0, halo in -1.0f64..1.0, usual in -1.0f64..9.0, worse in 0.0f64..2.0,
        ) {
            let f = Features { relative_area: a, aspect_ratio: r, compact: c, skew: s, snr: n, contrast: k, usual_contrast: usual, halo };
            let away = if a < 1.0 { a / (1.0 + worse) } else { a * (1.0 + worse) };
            for g in [
                Features { relative_area: away, ..f },
                Features { aspect_ratio: r + worse, ..f },
                Features { compact: c + worse, ..f },
                Features { skew: s - worse, ..f },
                Features { snr: n - worse, ..f },
                Features { contrast: k - worse, ..f },
                Features { halo: halo + worse, ..f },
                Features { usual_contrast: usual + worse, ..f },
            ] {
                prop_assert!(cell_probability(g) <= cell_probability(f));
                prop_assert!((0.0..=1.0).contains(&cell_probability(g)));
            }
        }
    }
}
