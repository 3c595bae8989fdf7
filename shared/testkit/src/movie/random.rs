//! Randomness, one independent stream per purpose.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Purposes with a stream of their own, so that changing one leaves the others alone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    Cells,
    Activity,
    Motion,
    Neuropil,
    Texture,
    Noise,
}

/// The generator of one purpose; `index` tells frames or cells apart.
pub(super) fn stream(seed: u64, purpose: Stream, index: u64) -> Xoshiro256PlusPlus {
    // Odd multipliers spread the three numbers; seed_from_u64 mixes them (SplitMix64).
    let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ (purpose as u64 + 1).wrapping_mul(0xd1b5_4a32_d192_ed03)
        ^ (index + 1).wrapping_mul(0x8cb9_2ba7_2f3d_8dd7);
    Xoshiro256PlusPlus::seed_from_u64(mixed)
}

/// Two independent standard normal numbers (Box & Muller 1958).
pub(super) fn normals(rng: &mut impl Rng) -> (f64, f64) {
    let radius = (-2.0 * libm::log(1.0 - rng.r#gen::<f64>())).sqrt();
    let (sin, cos) = libm::sincos(std::f64::consts::TAU * rng.r#gen::<f64>());
    (radius * cos, radius * sin)
}

/// One standard normal number.
pub(super) fn normal(rng: &mut impl Rng) -> f64 {
    normals(rng).0
}

/// Waiting time of a Poisson process, s; endless for a rate of 0.
pub(super) fn waiting(rng: &mut impl Rng, rate_hz: f64) -> f64 {
    -libm::log(1.0 - rng.r#gen::<f64>()) / rate_hz
}
