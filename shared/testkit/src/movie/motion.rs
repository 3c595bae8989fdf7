//! How the tissue moves.

use rand::Rng;

use super::{
    random::{Stream, normal, stream},
    scene::Scene,
};

/// Chance of a twitch in a frame.
const TWITCH: f64 = 0.006;
/// How much of a twitch is left a frame later.
const RECOVERY: f64 = 0.6;
/// Pull of the slow drift towards its middle, per frame.
const PULL: f64 = 0.01;

/// Shift (y, x) of every frame, pixels.
///
/// A slow random walk that is pulled back, and now and then a twitch that fades within a few
/// frames; never beyond the scene's limit.
pub(super) fn shifts(scene: &Scene) -> Vec<(f32, f32)> {
    let mut rng = stream(scene.seed, Stream::Motion, 0);
    let limit = scene.motion_px;
    let (mut drift, mut twitch) = ([0.0_f64; 2], [0.0_f64; 2]);
    (0..scene.frames)
        .map(|_| {
            let kick = rng.gen_bool(TWITCH);
            let at: [f64; 2] = std::array::from_fn(|axis| {
                drift[axis] += 0.04 * limit * normal(&mut rng) - PULL * drift[axis];
                drift[axis] = drift[axis].clamp(-0.6 * limit, 0.6 * limit);
                let jump = 0.8 * limit * normal(&mut rng);
                twitch[axis] = RECOVERY * twitch[axis] + if kick { jump } else { 0.0 };
                (drift[axis] + twitch[axis]).clamp(-limit, limit)
            });
            (at[0] as f32, at[1] as f32)
        })
        .collect()
}
