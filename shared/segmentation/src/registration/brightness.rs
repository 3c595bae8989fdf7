//! Frames far brighter or darker than the others, brought to the usual brightness before they are aligned.
//!
//! Alignment compares counts with counts. It takes in what bleaching and activity change; a laser or a gain that is turned
//! in the middle of a recording is undone here, frame by frame, for alignment alone; [`super::turned`] does it for what follows.

use crate::numeric::{Plane, mean, median};
use rayon::prelude::*;

/// Side of the blocks whose means are compared, pixels: noise of single pixels has little part in them.
const BLOCK: usize = 8;
/// Contrast that is still usual, as a factor either way: the brightness that is fitted beside the motion takes it in.
const FACTOR: f64 = 2.0;
/// Mean that is still usual, in units of the usual contrast.
const OFFSET: f64 = 2.0;

/// Mean of a frame, and standard deviation of the means of its blocks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Level {
    pub(super) mean: f64,
    pub(super) contrast: f64,
}

impl Level {
    fn of(frame: &[f32], plane: Plane) -> Self {
        let mut blocks = Vec::with_capacity(plane.width.div_ceil(BLOCK) * plane.height.div_ceil(BLOCK));
        let mut sums = vec![0.0f32; plane.width];
        for rows in frame.chunks(BLOCK * plane.width) {
            sums.fill(0.0);
            rows.chunks_exact(plane.width).for_each(|row| sums.iter_mut().zip(row).for_each(|(s, v)| *s += v));
            let height = rows.len() / plane.width;
            blocks.extend(sums.chunks(BLOCK).map(|part| part.iter().sum::<f32>() / (height * part.len()) as f32));
        }
        let middle = mean(&blocks);
        let squares = blocks.iter().map(|&b| (f64::from(b) - middle) * (f64::from(b) - middle));
        Self { mean: middle, contrast: (squares.sum::<f64>() / blocks.len().max(1) as f64).sqrt() }
    }
}

/// How bright frames usually are.
pub(super) struct Brightness {
    pub(super) plane: Plane,
    pub(super) usual: Level,
}

impl Brightness {
    /// What is usual among `frames`, one after the other: the medians.
    pub(super) fn usual(frames: &[f32], plane: Plane) -> Self {
        let levels: Vec<Level> = frames.par_chunks_exact(plane.pixels()).map(|f| Level::of(f, plane)).collect();
        let middle = |pick: fn(&Level) -> f64| f64::from(median(&levels.iter().map(|l| pick(l) as f32).collect::<Vec<f32>>()));
        Self { plane, usual: Level { mean: middle(|l| l.mean), contrast: middle(|l| l.contrast) } }
    }

    /// Level of `frame`, and the frame with the usual mean and contrast; none when it is about as bright as usual.
    pub(super) fn levelled(&self, frame: &[f32]) -> (Level, Option<Vec<f32>>) {
        let (own, usual) = (Level::of(frame, self.plane), self.usual);
        if own.contrast <= 0.0 || usual.contrast <= 0.0 {
            return (own, None);
        }
        let gain = usual.contrast / own.contrast;
        let near = (own.mean - usual.mean).abs() <= OFFSET * usual.contrast;
        if near && (1.0 / FACTOR..=FACTOR).contains(&gain) {
            return (own, None);
        }
        (own, Some(frame.iter().map(|&v| (usual.mean + gain * (f64::from(v) - own.mean)) as f32).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLANE: Plane = Plane { height: 21, width: 30 };

    fn scene(t: usize) -> Vec<f32> {
        (0..PLANE.pixels()).map(|i| 200.0 + ((i * i + t) % 97) as f32 + 30.0 * ((i / 90) % 3) as f32).collect()
    }

    proptest! {
        #[test]
        fn whatever_the_gain_and_offset_the_usual_frame_comes_back(gain in 0.05f32..20.0, offset in -500.0f32..500.0) {
            let usual = Brightness::usual(&[scene(0), scene(0), scene(1)].concat(), PLANE);
            prop_assert!(usual.levelled(&scene(1)).1.is_none());
            let strange: Vec<f32> = scene(0).iter().map(|v| gain * v + offset).collect();
            if let Some(back) = usual.levelled(&strange).1 {
                let apart = back.iter().zip(scene(0)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                prop_assert!(apart < 0.05, "{apart}");
            } else {
                prop_assert!((0.4..2.5).contains(&gain));
            }
        }
    }

    #[test]
    fn a_frame_without_contrast_is_left_alone() {
        let usual = Brightness::usual(&scene(0), PLANE);
        assert_eq!(usual.levelled(&vec![7.0; PLANE.pixels()]), (Level { mean: 7.0, contrast: 0.0 }, None));
        assert_eq!(Brightness::usual(&[], PLANE).levelled(&scene(0)).1, None);
    }
}
