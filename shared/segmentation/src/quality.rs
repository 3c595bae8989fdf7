//! How well a recording was registered, in figures, and what its owner should know of it, in words.

use crate::numeric::Plane;
use crate::registration::Registered;
use crate::steps::{WINDOW, steps};
use std::fmt;

/// Jump worth a word, pixels.
const JUMP_PX: f32 = 10.0;
/// Change of the correlation with the reference worth a word, as a factor either way.
const UNLIKE: f32 = 1.6;
/// Share of bad frames worth a word.
const MANY_BAD: f64 = 0.05;

/// Quality of a plane's registration.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quality {
    /// Crispness of the mean of the raw frames over the common view, raw units: the root of the sum of the squared gradient
    /// (Pnevmatikakis & Giovannucci 2017, J Neurosci Methods 291:83, section 2.4).
    pub crispness_raw: f64,
    /// The same of the mean of the registered good frames; larger than `crispness_raw` where registration did good.
    pub crispness: f64,
    /// Largest shift of a good frame as a whole, pixels.
    pub largest_shift_px: f64,
    /// Root mean square of the shifts of the good frames as a whole, pixels.
    pub rms_shift_px: f64,
    /// Share of the frames kept out of detection, 0 to 1.
    pub bad_share: f64,
    /// What the owner of the recording should know.
    pub notes: Vec<Note>,
}

/// Something about a recording that its owner should know; `Display` says it with what to do. Frames count from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// The contrast of the frames changed at once and for good.
    BrightnessChanged {
        /// First frame of the new brightness.
        frame: usize,
        /// Contrast after over before.
        factor: f32,
    },
    /// The view jumped and stayed there.
    Jumped {
        /// First frame after the jump.
        frame: usize,
        /// How far, pixels.
        pixels: f32,
    },
    /// On one side of a frame the frames are far less like the reference than on the other.
    Unlike {
        /// First frame of the second side.
        frame: usize,
        /// Median correlation with the reference before and after.
        correlation: (f32, f32),
    },
    /// Many frames were kept out of detection.
    ManyBadFrames {
        /// How many.
        count: usize,
        /// Frames in all.
        of: usize,
    },
    /// The series could not be freed of noise: displacements are as each frame showed them.
    MotionAsSeen,
    /// The reference has too little contrast to tell the parts of a frame apart: frames were moved as a whole, to a pixel.
    MotionByPixels,
    /// Traces without noise, or on which the arithmetic failed, were deconvolved as a pure decay.
    PureDecay {
        /// How many ROIs.
        rois: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BrightnessChanged { frame, factor } => {
                let (word, factor) = if factor > 1.0 { ("brighter", factor) } else { ("darker", 1.0 / factor) };
                write!(
                    f,
                    "from frame {frame} on the frames are {factor:.1} times {word}: the traces are in the counts of the longest part of like brightness, and their noise differs between the parts; leave laser and gain alone while a recording runs"
                )
            }
            Self::Jumped { frame, pixels } => write!(
                f,
                "the view jumped by {pixels:.0} pixels at frame {frame} and stayed there: the jump is undone, and cells that only one part shows are lost"
            ),
            Self::Unlike { frame, correlation: (before, after) } => write!(
                f,
                "frames before and after frame {frame} show different views (correlation with the reference {before:.2} and {after:.2}): the tissue moved farther than registration looks, or left the focus; segment the parts as recordings of their own"
            ),
            Self::ManyBadFrames { count, of } => write!(
                f,
                "{count} of {of} frames are blank or lie where no neighbour does: they were kept out of detection; check shutter, detector and the hold of the sample"
            ),
            Self::MotionAsSeen => {
                write!(
                    f,
                    "displacements are as noisy as single frames show them: the reference has too little contrast to do better"
                )
            }
            Self::MotionByPixels => {
                write!(f, "frames were moved by whole pixels only: the reference has too little contrast to do better")
            }
            Self::PureDecay { rois } => {
                write!(
                    f,
                    "spikes of {rois} ROIs were taken from a pure decay, without a rise: their traces have no noise to weigh it by"
                )
            }
        }
    }
}

/// Quality of what registration found; `mean` is the mean of the registered good frames.
pub(crate) fn quality(registered: &Registered, plane: Plane, mean: &[f32], decayed: usize) -> Quality {
    let frames = registered.bad.len();
    let good: Vec<usize> = (0..frames).filter(|&t| !registered.bad[t]).collect();
    let squares = good.iter().map(|&t| {
        let (y, x) = (f64::from(registered.yoff[t]), f64::from(registered.xoff[t]));
        y * y + x * x
    });
    let view = (registered.yrange, registered.xrange);
    Quality {
        crispness_raw: crispness(&registered.mean_raw, plane, view),
        crispness: crispness(mean, plane, view),
        largest_shift_px: squares.clone().fold(0.0, f64::max).sqrt(),
        rms_shift_px: (squares.sum::<f64>() / good.len().max(1) as f64).sqrt(),
        bad_share: (frames - good.len()) as f64 / frames.max(1) as f64,
        notes: notes(registered, &good, decayed),
    }
}

/// `‖ |∇I| ‖` (Frobenius) by central differences inside a view of rows and columns.
fn crispness(image: &[f32], plane: Plane, ((top, bottom), (left, right)): ((usize, usize), (usize, usize))) -> f64 {
    let at = |y: usize, x: usize| f64::from(image[y * plane.width + x]);
    let mut sum = 0.0;
    for y in top + 1..bottom.saturating_sub(1).max(top + 1) {
        for x in left + 1..right.saturating_sub(1).max(left + 1) {
            let (dy, dx) = (0.5 * (at(y + 1, x) - at(y - 1, x)), 0.5 * (at(y, x + 1) - at(y, x - 1)));
            sum += dy * dy + dx * dx;
        }
    }
    sum.sqrt()
}

fn notes(registered: &Registered, good: &[usize], decayed: usize) -> Vec<Note> {
    let of = |value: &dyn Fn(usize) -> [f32; 2]| good.iter().map(|&t| value(t)).collect::<Vec<_>>();
    let jumps = steps(&of(&|t| [registered.yoff[t], registered.xoff[t]]), JUMP_PX);
    let unlike = steps(&of(&|t| [libm::logf(registered.corr[t].max(1e-3)), 0.0]), libm::logf(UNLIKE));
    // Another brightness has another share of noise, and with it another correlation.
    let turned = |at: usize| registered.turns.iter().any(|turn| turn.frame.abs_diff(good[at]) <= WINDOW);
    let unlike = unlike.iter().filter(|u| !turned(u.at));
    let mut notes: Vec<Note> = Vec::new();
    notes.extend(registered.turns.iter().map(|t| Note::BrightnessChanged { frame: t.frame, factor: t.factor }));
    notes.extend(
        unlike
            .clone()
            .map(|s| Note::Unlike { frame: good[s.at], correlation: (libm::expf(s.before[0]), libm::expf(s.after[0])) }),
    );
    // Where frames are unlike the reference, what looks like a jump was not one that could be followed.
    let followed = jumps.iter().filter(|j| unlike.clone().all(|u| u.at.abs_diff(j.at) > WINDOW));
    notes.extend(followed.map(|s| Note::Jumped { frame: good[s.at], pixels: s.length() }));
    let (frames, bad) = (registered.bad.len(), registered.bad.len() - good.len());
    if bad as f64 > MANY_BAD * frames as f64 {
        notes.push(Note::ManyBadFrames { count: bad, of: frames });
    }
    notes.extend(registered.fallback);
    if decayed > 0 {
        notes.push(Note::PureDecay { rois: decayed });
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// numpy: np.linalg.norm(np.hypot(*np.gradient(I)[...])) inside of the one-pixel border, I = 3 y + 4 x: 5 a pixel.
    #[test]
    fn the_crispness_of_a_ramp_is_its_slope_times_the_root_of_its_pixels() {
        let plane = Plane { height: 12, width: 9 };
        let ramp: Vec<f32> = (0..108).map(|i| (3 * (i / 9) + 4 * (i % 9)) as f32).collect();
        assert!((crispness(&ramp, plane, ((0, 12), (0, 9))) - 5.0 * 70f64.sqrt()).abs() < 1e-9);
        assert!((crispness(&ramp, plane, ((2, 6), (1, 5))) - 5.0 * 2.0).abs() < 1e-9);
        assert_eq!(crispness(&ramp, plane, ((3, 4), (3, 4))), 0.0);
    }
}
