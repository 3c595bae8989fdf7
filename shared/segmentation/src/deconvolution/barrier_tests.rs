use super::*;
use proptest::prelude::*;

// numpy.random.default_rng(11): 40 frames of events seen through the response of `KERNEL` with unit noise, rounded to three
// digits. The response of each frame is scipy.integrate.quad over exp(-t/8) - exp(-t/1.2) in its interval, over the largest.
// FREE is scipy.optimize.nnls(K, SEEN) with the columns of K that response, shifted. PRICED has a price of 0.7 an event:
// nnls(K, SEEN - 0.7 K^-T 1), whose square differs from the priced one by a constant (scipy 1.17).
const KERNEL: (f64, f64) = (8.0, 1.2);
const PRICE: f64 = 0.7;
#[rustfmt::skip]
const SEEN: [f64; 40] = [0.596, -0.83, -0.271, 0.273, 1.465, 2.533, 4.743, 8.997, 8.409, 8.858, 5.711, 5.616, 7.093, 4.993, 5.519, 4.906, 5.175, 4.213, 4.019, 2.538, 1.64, 1.332, 1.333, 0.477, 0.871, 1.159, 1.356, 0.636, -1.064, 0.687, 0.895, 1.676, 3.11, 3.926, 4.324, 6.906, 5.269, 5.897, 5.753, 2.396];
#[rustfmt::skip]
const FREE: [f64; 40] = [0.0, 0.0, 0.0, 0.619540568, 2.137201462, 0.0, 5.880110493, 0.0, 0.0, 0.0, 0.0, 0.109193974, 0.477440841, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.341986431, 1.832020458, 1.309989074, 0.0, 2.493123245, 0.0, 0.0, 0.0, 0.0, 0.0];
#[rustfmt::skip]
const PRICED: [f64; 40] = [0.0, 0.0, 0.0, 0.500617876, 2.209212975, 0.0, 5.843956825, 0.0, 0.0, 0.0, 0.0, 0.129831485, 0.40069458, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.264195089, 1.832089198, 1.392166574, 0.0, 2.323550665, 0.0, 0.0, 0.0, 0.0, 0.0];

#[test]
fn without_a_barrier_the_events_are_those_of_nnls() {
    for (sparsity, expected) in [(0.0, FREE), (PRICE, PRICED)] {
        let prior = Prior { sparsity, barrier: 1e-9 };
        let found = deconvolve(&SEEN, Kernel::new(KERNEL.0, KERNEL.1), prior).unwrap();
        for (t, (a, b)) in found.iter().zip(expected).enumerate() {
            assert!((a - b).abs() < 1e-4, "price {sparsity}, frame {t}: {a} {b}");
        }
    }
}

/// Response of the first `frames` frames after an event, by the sum over places in the interval; its peak, wherever, is 1.
fn response(decay: f64, rise: f64, frames: usize) -> Vec<f64> {
    let mean = |k: usize| {
        let at = |i: u32| k as f64 + (f64::from(i) + 0.5) / 2000.0;
        (0..2000).map(|i| (-at(i) / decay).exp() - (-at(i) / rise).exp()).sum::<f64>() / 2000.0
    };
    // With a rise of at most half the decay the peak comes within two decays.
    let values: Vec<f64> = (0..frames.max(2 * decay as usize + 2)).map(mean).collect();
    let peak = values.iter().copied().fold(0.0, f64::max);
    values.iter().take(frames).map(|v| v / peak).collect()
}

/// `events` seen through `response`.
fn seen(events: &[f64], response: &[f64]) -> Vec<f64> {
    (0..events.len()).map(|t| (0..=t).map(|j| events[j] * response[t - j]).sum()).collect()
}

/// Slope of `½ Σ (y − c)² + λ Σ s − μ Σ ln s` along each event: zero at the one minimum of a convex function.
fn slopes(y: &[f64], s: &[f64], response: &[f64], prior: Prior) -> Vec<f64> {
    let miss: Vec<f64> = y.iter().zip(seen(s, response)).map(|(y, c)| y - c).collect();
    let pull = |j: usize| (j..y.len()).map(|t| response[t - j] * miss[t]).sum::<f64>();
    (0..y.len()).map(|j| prior.sparsity - pull(j) - prior.barrier / s[j]).collect()
}

fn traces() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(prop_oneof![3 => -2.0..3.0f64, 1 => 0.0..30.0f64], 1..70)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn nothing_near_the_events_costs_less(
        y in traces(), decay in 1.0f64..40.0, ratio in 0.03f64..0.5, sparsity in 0.0f64..4.0, barrier in 1e-3f64..1.0,
    ) {
        let prior = Prior { sparsity, barrier };
        let found = deconvolve(&y, Kernel::new(decay, ratio * decay), prior).unwrap();
        prop_assert!(found.iter().all(|s| *s > 0.0));
        let response = response(decay, ratio * decay, y.len());
        let size = y.iter().map(|v| v.abs()).sum::<f64>() + sparsity + 1.0;
        for (t, slope) in slopes(&y, &found, &response, prior).iter().enumerate() {
            prop_assert!(slope.abs() < 1e-4 * size, "frame {t}: slope {slope}");
        }
    }

    #[test]
    fn events_scale_with_trace_price_and_barrier(y in traces(), scale in 0.1f64..10.0) {
        let kernel = Kernel::new(9.0, 0.8);
        let once = deconvolve(&y, kernel, Prior { sparsity: 0.5, barrier: 0.05 }).unwrap();
        let large: Vec<f64> = y.iter().map(|v| v * scale).collect();
        let prior = Prior { sparsity: 0.5 * scale, barrier: 0.05 * scale * scale };
        for (a, b) in once.iter().zip(deconvolve(&large, kernel, prior).unwrap()) {
            prop_assert!((a * scale - b).abs() < 1e-4 * scale * (1.0 + a), "{a} {b}");
        }
    }

    #[test]
    fn dearer_events_are_fewer(y in traces(), cheap in 0.0f64..2.0, more in 0.01f64..2.0) {
        let sum = |sparsity: f64| -> f64 {
            deconvolve(&y, Kernel::new(9.0, 0.8), Prior { sparsity, barrier: 0.01 }).unwrap().iter().sum()
        };
        prop_assert!(sum(cheap + more) <= sum(cheap) + 1e-6);
    }

    #[test]
    fn events_without_noise_come_back_wherever_they_are(
        events in prop::collection::vec(prop_oneof![4 => Just(0.0f64), 1 => 1.0..9.0f64], 30), before in 0usize..20,
    ) {
        let late: Vec<f64> = std::iter::repeat_n(0.0, before).chain(events).collect();
        let y = seen(&late, &response(8.0, 0.6, late.len()));
        let found = deconvolve(&y, Kernel::new(8.0, 0.6), Prior { sparsity: 0.0, barrier: 1e-10 }).unwrap();
        for (t, (a, b)) in found.iter().zip(&late).enumerate() {
            prop_assert!((a - b).abs() < 1e-2, "frame {t}: {a} {b}");
        }
    }
}

#[test]
fn an_empty_trace_has_no_events() {
    assert_eq!(deconvolve(&[], Kernel::new(8.0, 0.6), Prior { sparsity: 1.0, barrier: 0.1 }).unwrap(), Vec::<f64>::new());
}
