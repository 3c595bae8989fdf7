//! One pass over a recording.

use std::ops::Range;

use dropscope_recording::{Info, Pixels, Recording};
use rayon::prelude::*;

use crate::accumulate::{Sums, Window};
use crate::batch::{Batch, Page, capacity};
use crate::image::Image;
use crate::images::Layout;
use crate::measure::{self, Measured};
use crate::motion::{Profiles, Shift, Tracker};
use crate::saturation::{Histogram, Saturation};
use crate::{ProjectionError, Purpose, Windows, bin};

/// Most windows: an animation of more is a movie, and a file too large to mail.
const MOST_WINDOWS: usize = 100;
/// Parts of a batch that are measured side by side, each with a histogram of its own.
const PARTS: usize = 8;

/// Maximum, mean and standard deviation over time of one plane; the deviation divides by the number of frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Projections {
    /// Mean.
    pub mean: Image,
    /// Maximum.
    pub max: Image,
    /// Standard deviation.
    pub sd: Image,
}

/// What is kept of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameFigures {
    /// Mean of the samples that are finite; not a number where none is.
    pub mean: f64,
    /// Largest sample.
    pub max: f32,
    /// Where the frame lies against the first ones; none where it has too little structure to tell.
    pub shift: Option<Shift>,
    /// Whether all its samples are the same.
    pub blank: bool,
    /// Whether it repeats the frame read before it: the sums of every row and every column agree exactly.
    pub repeated: bool,
}

/// What a pass found in one plane. Blank frames are in the figures and not in the images.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaneSurvey {
    /// Projections of the whole recording.
    pub whole: Projections,
    /// Maximum over each window of time, at the size it is shown.
    pub window_max: Vec<Image>,
    /// Standard deviation over each window of time, at the size it is shown.
    pub window_sd: Vec<Image>,
    /// One entry for each frame that was read; none, as below, where only pictures are made ([`Purpose::Pictures`]).
    pub frames: Vec<FrameFigures>,
    /// Largest sample; infinite below 0 when there is none.
    pub largest: f64,
    /// How many samples are the largest.
    pub at_largest: u64,
    /// Samples that are infinite or no number.
    pub not_finite: u64,
}

/// What a pass found: images, and a few numbers of every frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Survey {
    /// What the recording is.
    pub info: Info,
    /// Every how manyeth time point was read.
    pub every: usize,
    /// Side of the squares of pixels that were averaged before projecting; 1 unless the volume is vast.
    pub binned: usize,
    /// One entry for each plane; the first channel of each.
    pub planes: Vec<PlaneSurvey>,
    /// Where samples pile up below the top, if they do; looked for in samples of up to 16 bits.
    pub piled_up: Option<Saturation>,
    pub(crate) layout: Layout,
}

/// Reads the first channel of every plane once.
///
/// `progress` is told how many of how many time points are done. Frames are read while those before them are worked
/// on; the result does not depend on the number of threads.
///
/// # Errors
/// [`ProjectionError::Recording`] when a frame cannot be read.
pub fn survey(recording: &Recording, plan: &Windows, progress: &dyn Fn(usize, usize)) -> Result<Survey, ProjectionError> {
    survey_while(recording, plan, &|done, times| {
        progress(done, times);
        true
    })
}

/// The same, for as long as `goes_on` says so, which is told how many of how many time points are done.
///
/// # Errors
/// [`ProjectionError::Recording`] when a frame cannot be read; [`ProjectionError::Stopped`] when it shall not go on.
pub fn survey_while(
    recording: &Recording,
    plan: &Windows,
    goes_on: &dyn Fn(usize, usize) -> bool,
) -> Result<Survey, ProjectionError> {
    let info = recording.info().clone();
    let times: Vec<usize> = plan.times(info.frames).collect();
    let windows = Windows { count: plan.count.clamp(1, MOST_WINDOWS), ..*plan };
    let steps = steps(&windows, times.len(), &info);
    let mut pass = Pass::new(&info, plan.purpose);
    let (mut ready, mut next) = (Batch::default(), Batch::default());
    if let Some(step) = steps.first() {
        ready.read(recording, &times, step.pages.clone())?;
    }
    for (i, step) in steps.iter().enumerate() {
        let ahead = steps.get(i + 1);
        let (read, ()) = rayon::join(
            || ahead.map_or(Ok(()), |step| next.read(recording, &times, step.pages.clone())),
            || pass.take(&ready.pages(), step.closes),
        );
        let goes_on = goes_on(step.pages.end / info.planes, times.len());
        read?;
        if !goes_on && ahead.is_some() {
            return Err(ProjectionError::Stopped);
        }
        std::mem::swap(&mut ready, &mut next);
    }
    Ok(pass.finish(info, windows.every))
}

/// One batch of pages, counted over planes and the time points that are read.
struct Step {
    pages: Range<usize>,
    /// Whether its last page is the last of a window.
    closes: bool,
}

fn steps(windows: &Windows, times: usize, info: &Info) -> Vec<Step> {
    let (planes, most) = (info.planes, capacity(info));
    let of_window = |window: Range<usize>| {
        let end = window.end * planes;
        (window.start * planes..end).step_by(most).map(move |from| {
            let to = (from + most).min(end);
            Step { pages: from..to, closes: to == end }
        })
    };
    windows.cut(times).into_iter().flat_map(of_window).collect()
}

/// One page with what was measured of it.
struct Seen<'a> {
    page: Page<'a>,
    blank: bool,
    /// None where pictures do without.
    measured: Option<Measured>,
    profiles: Option<Profiles>,
}

impl<'a> Seen<'a> {
    /// Measures a page while the cache has it. A blank one is no sign of a detector at its limit.
    fn of(page: Page<'a>, histogram: &mut Histogram, purpose: Purpose) -> Self {
        if !purpose.has_figures()
            && let Some(blank) = measure::is_blank(page.buffer.pixels())
        {
            return Self { page, blank, measured: None, profiles: None };
        }
        let measured = Measured::of(page.buffer);
        let blank = measured.blank;
        let profiles = (purpose.has_figures() && !blank).then(|| {
            histogram.add(page.buffer.pixels());
            Profiles::of(&measured)
        });
        Self { page, blank, measured: Some(measured), profiles }
    }
}

struct Pass {
    purpose: Purpose,
    binned: usize,
    layout: Layout,
    planes: Vec<PlanePass>,
    /// One for each part of a batch.
    histograms: Vec<Histogram>,
}

impl Pass {
    fn new(info: &Info, purpose: Purpose) -> Self {
        let binned = bin::factor(info.height, info.width, info.planes);
        let (height, width) = match purpose.has_pictures() {
            true => (info.height.div_ceil(binned), info.width.div_ceil(binned)),
            false => (0, 0),
        };
        let planes = (0..info.planes).map(|_| PlanePass::new(height, width)).collect();
        let histograms = (0..PARTS).map(|_| Histogram::new()).collect();
        Self { purpose, binned, layout: Layout::of(info.planes, height, width), planes, histograms }
    }

    fn take(&mut self, pages: &[Page], closes: bool) {
        let purpose = self.purpose;
        let parts = pages.par_chunks(pages.len().div_ceil(PARTS).max(1)).zip(&mut self.histograms);
        let seen: Vec<Seen> =
            parts.flat_map_iter(|(part, histogram)| part.iter().map(|page| Seen::of(*page, histogram, purpose))).collect();
        let (binned, tile) = (self.binned, self.layout.factor);
        self.planes.par_iter_mut().enumerate().for_each(|(plane, pass)| {
            let mine: Vec<&Seen> = seen.iter().filter(|seen| seen.page.plane == plane).collect();
            pass.take(&mine, binned, purpose);
            if closes && purpose.has_pictures() {
                pass.close_window(tile);
            }
        });
    }

    fn finish(self, info: Info, every: usize) -> Survey {
        let mut histogram = Histogram::new();
        self.histograms.iter().for_each(|part| histogram.absorb(part));
        let planes = self.planes.into_iter().map(PlanePass::finish).collect();
        Survey { info, every, binned: self.binned, planes, piled_up: histogram.pile_up(), layout: self.layout }
    }
}

/// One plane in the making.
struct PlanePass {
    window: Window,
    whole: Sums,
    window_max: Vec<Image>,
    window_sd: Vec<Image>,
    frames: Vec<FrameFigures>,
    shifts: Vec<Option<Shift>>,
    tracker: Tracker,
    last: Option<Measured>,
    largest: f64,
    at_largest: u64,
    not_finite: u64,
}

impl PlanePass {
    fn new(height: usize, width: usize) -> Self {
        Self {
            window: Window::new(height, width),
            whole: Sums::new(height, width),
            window_max: Vec::new(),
            window_sd: Vec::new(),
            frames: Vec::new(),
            shifts: Vec::new(),
            tracker: Tracker::default(),
            last: None,
            largest: f64::NEG_INFINITY,
            at_largest: 0,
            not_finite: 0,
        }
    }

    fn take(&mut self, seen: &[&Seen], binned: usize, purpose: Purpose) {
        if purpose.has_pictures() {
            self.project(seen, binned);
        }
        if purpose.has_figures() {
            self.track(seen);
            self.count(seen);
        }
    }

    fn project(&mut self, seen: &[&Seen], binned: usize) {
        let kept: Vec<&Seen> = seen.iter().copied().filter(|seen| !seen.blank).collect();
        let near = kept.first().and_then(|seen| seen.measured.as_ref()).map_or(0.0, Measured::mean);
        if binned == 1 {
            let frames: Vec<&Pixels> = kept.iter().map(|seen| seen.page.buffer.pixels()).collect();
            self.window.add(&frames, near);
        } else {
            let frames: Vec<Pixels> = kept.par_iter().map(|seen| bin::frame(seen.page.buffer, binned)).collect();
            self.window.add(&frames.iter().collect::<Vec<_>>(), near);
        }
    }

    fn track(&mut self, seen: &[&Seen]) {
        match &self.tracker.reference {
            Some(reference) => {
                self.shifts.par_extend(seen.par_iter().map(|seen| reference.shift(seen.profiles.as_ref()?)));
            }
            None => {
                seen.iter().for_each(|seen| self.tracker.wait(seen.profiles.clone()));
                self.shifts.extend(self.tracker.settle(false));
            }
        }
    }

    fn count(&mut self, seen: &[&Seen]) {
        let last = self.last.take();
        let mut before = last.as_ref();
        for measured in seen.iter().filter_map(|seen| seen.measured.as_ref()) {
            self.count_frame(measured, before == Some(measured));
            before = Some(measured);
        }
        self.last = before.cloned();
    }

    fn count_frame(&mut self, measured: &Measured, same: bool) {
        let Measured { most, at_most, blank, .. } = *measured;
        self.frames.push(FrameFigures { mean: measured.mean(), max: most as f32, shift: None, blank, repeated: same && !blank });
        self.not_finite += measured.not_finite;
        if !blank && most > self.largest {
            self.largest = most;
            self.at_largest = at_most;
        } else if !blank && most == self.largest {
            self.at_largest += at_most;
        }
    }

    fn close_window(&mut self, tile: usize) {
        let (max, sd) = self.window.close(&mut self.whole);
        self.window_max.push(max.binned(tile));
        self.window_sd.push(sd.binned(tile));
    }

    fn finish(mut self) -> PlaneSurvey {
        self.shifts.extend(self.tracker.settle(true));
        for (frame, shift) in self.frames.iter_mut().zip(&self.shifts) {
            frame.shift = *shift;
        }
        PlaneSurvey {
            whole: self.whole.projections(),
            window_max: self.window_max,
            window_sd: self.window_sd,
            frames: self.frames,
            largest: self.largest,
            at_largest: self.at_largest,
            not_finite: self.not_finite,
        }
    }
}
