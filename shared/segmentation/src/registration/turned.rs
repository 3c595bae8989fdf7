//! Recordings whose laser or gain was turned on the way, brought to one brightness.
//!
//! A lasting change of the whole frame at once is the microscope's: cells never all change threefold from one frame to the
//! next and stay there. Everything that is measured after registration sees the frames as the longest part has them, so that
//! traces have no step, and noise is compared with noise of its own kind.

use super::brightness::Level;
use crate::checkpoint::{Reader, Unusable, Writer};
use crate::numeric::median;
use crate::steps::{WINDOW, steps};
use std::ops::Range;

/// Change of contrast that counts as turned, as a factor either way.
const FACTOR: f32 = 3.0;

/// Where the brightness was turned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Turn {
    /// First frame after it.
    pub(crate) frame: usize,
    /// Contrast after over before.
    pub(crate) factor: f32,
}

/// `gain · v + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Gain {
    gain: f32,
    offset: f32,
}

impl Gain {
    const NONE: Self = Self { gain: 1.0, offset: 0.0 };

    /// Makes what looks like `own` look like `wanted`.
    fn between(own: Level, wanted: Level) -> Self {
        let gain = wanted.contrast / own.contrast;
        Self { gain: gain as f32, offset: (wanted.mean - gain * own.mean) as f32 }
    }

    /// First this, then `next`.
    fn then(self, next: Self) -> Self {
        Self { gain: next.gain * self.gain, offset: next.gain * self.offset + next.offset }
    }

    pub(crate) fn apply(self, frame: &mut [f32]) {
        if self != Self::NONE {
            frame.iter_mut().for_each(|v| *v = self.gain * *v + self.offset);
        }
    }
}

/// The brightness of every part of a recording.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Gains {
    pub(crate) turns: Vec<Turn>,
    /// One more than turns.
    gains: Vec<Gain>,
}

impl Gains {
    /// Of the levels of all frames; those that are not `good` tell nothing.
    pub(super) fn of(levels: &[Level], good: &[bool]) -> Self {
        let kept: Vec<usize> = (0..levels.len()).filter(|&t| good[t] && levels[t].contrast > 0.0).collect();
        let contrasts: Vec<[f32; 2]> = kept.iter().map(|&t| [libm::log(levels[t].contrast) as f32, 0.0]).collect();
        let found = steps(&contrasts, libm::logf(FACTOR));
        let usual = |range: Range<usize>| {
            let middle = |pick: fn(&Level) -> f64| {
                f64::from(median(&kept[range.clone()].iter().map(|&t| pick(&levels[t]) as f32).collect::<Vec<_>>()))
            };
            Level { mean: middle(|l| l.mean), contrast: middle(|l| l.contrast) }
        };
        let sides =
            found.iter().map(|s| (usual(s.at.saturating_sub(WINDOW)..s.at), usual(s.at..(s.at + WINDOW).min(kept.len()))));
        let turn = |s: &crate::steps::Step| Turn { frame: kept[s.at], factor: libm::expf(s.after[0] - s.before[0]) };
        let turns: Vec<Turn> = found.iter().map(turn).collect();
        let gains = chain(&sides.collect::<Vec<_>>(), longest(&turns, levels.len()));
        Self { turns, gains }
    }

    pub(super) fn write(&self, to: &mut Writer<'_>) {
        to.count(self.turns.len());
        for turn in &self.turns {
            to.count(turn.frame);
            to.f32(turn.factor);
        }
        self.gains.iter().for_each(|gain| to.f32s(&[gain.gain, gain.offset]));
    }

    /// Of a recording of `frames` frames.
    pub(super) fn read(from: &mut Reader<'_>, frames: usize) -> Result<Self, Unusable> {
        let count = from.count(frames)?;
        let turns = from.several(count, |from| Ok(Turn { frame: from.count(frames)?, factor: from.f32()? }))?;
        let gains = from.several(count + 1, |from| Ok(Gain { gain: from.f32()?, offset: from.f32()? }))?;
        if !turns.is_sorted_by_key(|turn| turn.frame) {
            return Err(Unusable::Nonsense);
        }
        Ok(Self { turns, gains })
    }

    /// That of frame `t`.
    pub(crate) fn at(&self, t: usize) -> Gain {
        self.gains[self.turns.partition_point(|turn| turn.frame <= t)]
    }
}

/// The part with most of `frames` frames; the first of them.
fn longest(turns: &[Turn], frames: usize) -> usize {
    let starts = std::iter::once(0).chain(turns.iter().map(|t| t.frame));
    let ends = turns.iter().map(|t| t.frame).chain(std::iter::once(frames));
    let lengths = starts.zip(ends).map(|(start, end)| end - start).enumerate();
    lengths.max_by_key(|&(part, length)| (length, std::cmp::Reverse(part))).map_or(0, |(part, _)| part)
}

/// Gains of all parts, from the levels on both sides of every turn; neighbours meet where they touch, so that bleaching
/// within a part stays.
fn chain(sides: &[(Level, Level)], home: usize) -> Vec<Gain> {
    let mut gains = vec![Gain::NONE; sides.len() + 1];
    for (i, &(before, after)) in sides.iter().enumerate().skip(home) {
        gains[i + 1] = Gain::between(after, before).then(gains[i]);
    }
    for (i, &(before, after)) in sides.iter().enumerate().take(home).rev() {
        gains[i] = Gain::between(before, after).then(gains[i + 1]);
    }
    gains
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Levels that bleach and flicker, turned at 40 and at 150.
    fn levels(gains: [f64; 3], offset: f64) -> Vec<Level> {
        let at = |t: usize| {
            let gain = gains[usize::from(t >= 40) + usize::from(t >= 150)];
            let bleached = 1.0 - 0.001 * t as f64 + 0.01 * ((t * t) as f64).sin();
            Level { mean: offset + gain * 100.0 * bleached, contrast: gain * 20.0 * bleached }
        };
        (0..200).map(at).collect()
    }

    proptest! {
        #[test]
        fn what_was_turned_is_turned_back_to_the_longest_part(a in 4.0f64..20.0, b in 4.0f64..20.0, down: bool, offset in 0.0f64..200.0) {
            let (a, b) = if down { (1.0 / a, 1.0 / b) } else { (a, b) };
            let (levels, calm) = (levels([a, 1.0, b], offset), levels([1.0; 3], offset));
            let gains = Gains::of(&levels, &[true; 200]);
            prop_assert_eq!(gains.turns.iter().map(|t| t.frame).collect::<Vec<_>>(), vec![40, 150]);
            for t in 0..200 {
                let mut frame = [levels[t].mean as f32];
                gains.at(t).apply(&mut frame);
                // The flicker of the windows is left.
                prop_assert!((f64::from(frame[0]) - calm[t].mean).abs() < 4.0, "{t}: {} {}", frame[0], calm[t].mean);
            }
        }
    }

    #[test]
    fn bleaching_flashes_and_blank_frames_turn_nothing() {
        let mut levels = levels([1.0; 3], 10.0);
        for (t, level) in levels.iter_mut().enumerate() {
            level.contrast *= libm::exp(-0.02 * t as f64);
        }
        levels[70] = Level { mean: 9000.0, contrast: 900.0 };
        levels[90] = Level { mean: 0.0, contrast: 0.0 };
        let gains = Gains::of(&levels, &[true; 200]);
        assert_eq!(gains.turns, Vec::new());
        assert_eq!(gains.at(199), Gain::NONE);
        assert_eq!(Gains::of(&[], &[]).at(0), Gain::NONE);
    }
}
