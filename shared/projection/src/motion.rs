//! How far the tissue moved, from the profiles of frames.
//!
//! The sums of a frame's rows and of its columns, without their slow part, are each matched to those of a reference
//! by normalised correlation (projection-based registration: Sauer and Schwartz, IEEE Trans. Circuits Syst. Video
//! Technol. 6, 513, 1996). Cheap, and good to a pixel for the rigid part of the motion; registration proper does better.

use crate::correlate::Matcher;
use crate::measure::Measured;

/// Frames that the reference is averaged from: the first of a plane that are not blank.
const REFERENCE: usize = 64;
/// A profile minus its mean over this many pixels keeps what cells are made of.
const SMOOTH: usize = 15;

/// Where a frame lies against the first ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Down, pixels.
    pub y: f32,
    /// To the right, pixels.
    pub x: f32,
}

/// The profiles of one frame without their slow part, or less the mean of the side.
#[derive(Debug, Clone)]
pub(crate) struct Profiles {
    rows: Vec<f64>,
    columns: Vec<f64>,
}

impl Profiles {
    pub(crate) fn of(measured: &Measured) -> Self {
        Self { rows: without_slow_part(&measured.rows), columns: without_slow_part(&measured.columns) }
    }
}

fn without_slow_part(profile: &[f64]) -> Vec<f64> {
    let half = SMOOTH / 2;
    let sums: Vec<f64> = std::iter::once(0.0)
        .chain(profile.iter().scan(0.0, |sum, value| {
            *sum += value;
            Some(*sum)
        }))
        .collect();
    let smooth = |i: usize| {
        let (from, to) = (i.saturating_sub(half), (i + half + 1).min(profile.len()));
        (sums[to] - sums[from]) / (to - from) as f64
    };
    profile.iter().enumerate().map(|(i, value)| value - smooth(i)).collect()
}

/// What frames are matched to.
pub(crate) struct Reference {
    rows: Matcher,
    columns: Matcher,
}

impl Reference {
    /// The sum of `frames`, the second time over each moved back to where the first sum has it.
    pub(crate) fn of(frames: &[Profiles]) -> Option<Self> {
        let first = frames.first()?;
        let still = sum(first, frames.iter().map(|profiles| (profiles, 0, 0)));
        let rough = Self::matching(still);
        let moved = frames.iter().map(|profiles| {
            let shift = rough.shift(profiles);
            let whole = |part: fn(Shift) -> f32| shift.map_or(0, |s| libm::roundf(part(s)) as isize);
            (profiles, whole(|s| s.y), whole(|s| s.x))
        });
        Some(Self::matching(sum(first, moved)))
    }

    fn matching(profiles: Profiles) -> Self {
        Self { rows: Matcher::new(profiles.rows), columns: Matcher::new(profiles.columns) }
    }

    /// How far a frame lies from the reference; none where they have too little in common.
    pub(crate) fn shift(&self, frame: &Profiles) -> Option<Shift> {
        let y = self.rows.shift(&frame.rows)?;
        let x = self.columns.shift(&frame.columns)?;
        Some(Shift { y: y as f32, x: x as f32 })
    }
}

fn sum<'a>(like: &Profiles, frames: impl Iterator<Item = (&'a Profiles, isize, isize)>) -> Profiles {
    let mut total = Profiles { rows: vec![0.0; like.rows.len()], columns: vec![0.0; like.columns.len()] };
    for (profiles, y, x) in frames {
        add_moved(&mut total.rows, &profiles.rows, y);
        add_moved(&mut total.columns, &profiles.columns, x);
    }
    total
}

fn add_moved(total: &mut [f64], profile: &[f64], by: isize) {
    for (i, value) in total.iter_mut().enumerate() {
        *value += i.checked_add_signed(by).and_then(|at| profile.get(at)).copied().unwrap_or(0.0);
    }
}

/// Follows one plane: waits for the frames of the reference, then gives every frame its shift in order.
#[derive(Default)]
pub(crate) struct Tracker {
    pub(crate) reference: Option<Reference>,
    waiting: Vec<Option<Profiles>>,
}

impl Tracker {
    /// Keeps a frame until the reference stands; none for a blank one.
    pub(crate) fn wait(&mut self, profiles: Option<Profiles>) {
        self.waiting.push(profiles);
    }

    /// Returns the shifts of all frames that waited, once there are enough of them or `last` says none will come.
    pub(crate) fn settle(&mut self, last: bool) -> Vec<Option<Shift>> {
        let seen: Vec<Profiles> = self.waiting.iter().flatten().take(REFERENCE).cloned().collect();
        if !last && seen.len() < REFERENCE {
            return Vec::new();
        }
        self.reference = Reference::of(&seen);
        let shifts = self.waiting.drain(..).map(|p| self.reference.as_ref()?.shift(&p?));
        shifts.collect()
    }
}
