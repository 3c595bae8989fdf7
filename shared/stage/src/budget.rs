//! How much of a recording is looked at in the bytes and the time that there are.
//!
//! What does not fit is sampled, every n-th time point from the first to the last. How fast the store is shows only while
//! it is read: a look that would not end in time is given up early and begun again with fewer time points.

use dropscope_projection::{ProjectionError, Purpose, Survey, Windows, survey_while};
use dropscope_recording::Recording;
use std::time::Duration;

/// Bounds of a look through a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Most bytes that are read.
    pub(crate) max_bytes: u64,
    /// Until the files have to be there, from now on.
    pub(crate) time: Duration,
}

impl Budget {
    /// For looking; the rest is for making the files and putting them.
    fn for_looking(&self) -> Duration {
        self.time / 4 * 3
    }
}

/// Part of the time after which the speed is believed.
const BELIEVED_AFTER: u32 = 8;
/// Part of the time that is left which a new plan may take: the store may become slower still.
const CAREFUL: f64 = 0.7;

/// Looks through a recording of `size` bytes as far as the budget allows. `clock` tells how long ago the work began.
pub(crate) fn look(
    recording: &Recording,
    size: u64,
    budget: &Budget,
    purpose: Purpose,
    clock: &dyn Fn() -> Duration,
) -> Result<Survey, ProjectionError> {
    let (frames, allowed) = (recording.info().frames, budget.for_looking());
    let mut plan = Windows { purpose, ..Windows::default() }.within(size, frames, budget.max_bytes);
    loop {
        let (began, seen) = (clock(), std::cell::Cell::new((0, 0)));
        let left = allowed.saturating_sub(began);
        let sparsest = frames.div_ceil(plan.every) <= 2;
        let goes_on = |done: usize, times: usize| {
            seen.set((done, times));
            let spent = clock().saturating_sub(began);
            let expected = spent.as_secs_f64() * times as f64 / done.max(1) as f64;
            sparsest || spent < left / BELIEVED_AFTER || expected <= left.as_secs_f64()
        };
        match survey_while(recording, &plan, &goes_on) {
            Err(ProjectionError::Stopped) => {
                let spent = clock().saturating_sub(began);
                let per_time = spent.as_secs_f64() / seen.get().0.max(1) as f64;
                let fits = CAREFUL * left.saturating_sub(spent).as_secs_f64() / per_time;
                plan.every = sparser(frames, plan.every, fits);
                tracing::warn!(every = plan.every, "the recording does not come fast enough: it is sampled");
            }
            done => return done,
        }
    }
}

/// The next plan's every: so that about `fits` time points are read, half as many as before at most and two at least.
fn sparser(frames: usize, every: usize, fits: f64) -> usize {
    let wanted = (fits as usize).max(2);
    frames.div_ceil(wanted).max(every.saturating_mul(2)).clamp(1, frames.saturating_sub(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dropscope_recording::{Limits, Overrides, ReadAt, open};
    use dropscope_testkit::movie::Scene;
    use std::io::{self, Cursor};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A store that takes a while for each page, on a clock of its own.
    struct Slow {
        file: Cursor<Vec<u8>>,
        clock_ms: Arc<AtomicU64>,
        page_ms: u64,
    }

    impl ReadAt for Slow {
        fn size(&self) -> io::Result<u64> {
            self.file.size()
        }
        fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            if out.len() >= PAGE {
                self.clock_ms.fetch_add(self.page_ms, Ordering::SeqCst);
            }
            self.file.read_exact_at(offset, out)
        }
    }

    /// Bytes of a page, more than any directory.
    const PAGE: usize = 128 * 128 * 2;
    const FRAMES: usize = 600;

    /// The survey of a stack that takes `page_ms` a page, in `time`, and how long it took.
    fn looked(page_ms: u64, time: Duration) -> (Survey, Duration) {
        let scene = Scene { height: 128, width: 128, frames: FRAMES, cells: 3, ..Scene::default() };
        let mut file = Vec::new();
        scene.generate().unwrap().write_tiff(Cursor::new(&mut file)).unwrap();
        let (size, clock_ms) = (file.len() as u64, Arc::new(AtomicU64::new(0)));
        let slow = Slow { file: Cursor::new(file), clock_ms: clock_ms.clone(), page_ms };
        let recording = open(Box::new(slow), &Limits::default(), &Overrides::default()).unwrap();
        clock_ms.store(0, Ordering::SeqCst);
        let clock = || Duration::from_millis(clock_ms.load(Ordering::SeqCst));
        let survey = look(&recording, size, &Budget { max_bytes: u64::MAX, time }, Purpose::Both, &clock).unwrap();
        (survey, clock())
    }

    #[test]
    fn what_comes_fast_enough_is_looked_at_whole() {
        assert_eq!(looked(10, Duration::from_secs(60)).0.every, 1);
        assert_eq!(looked(10, Duration::MAX).0.every, 1);
    }

    #[test]
    fn what_comes_too_slowly_is_sampled_evenly_and_done_in_time() {
        for (page_ms, seconds) in [(20, 8), (50, 20), (300, 90)] {
            let (survey, took) = looked(page_ms, Duration::from_secs(seconds));
            assert!(survey.every > 1, "{page_ms} ms a page");
            assert!(took < Duration::from_secs(seconds), "{page_ms} ms a page: {took:?} of {seconds} s");
            assert_eq!(survey.planes[0].frames.len(), FRAMES.div_ceil(survey.every));
        }
    }

    #[test]
    fn even_without_any_time_there_are_two_frames() {
        let (survey, _) = looked(1000, Duration::ZERO);
        assert!(survey.planes[0].frames.len() >= 2);
    }
}
