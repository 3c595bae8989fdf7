//! Which frames are read, and how time is cut for the animations.

use std::ops::Range;

/// How a recording is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// Stretches of time, each one picture of the animations; 1 or more, no more than there are frames.
    pub count: usize,
    /// Every how manyeth time point is read, 1 or more.
    pub every: usize,
    /// What is made of it; the rest is not worked out.
    pub purpose: Purpose,
}

/// What a look through a recording is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// Pictures and figures.
    #[default]
    Both,
    /// [`crate::Survey::preview_files`] only: no figures of frames.
    Pictures,
    /// [`crate::Survey::summary_files`] only: the images are empty.
    Figures,
}

impl Purpose {
    pub(crate) fn has_pictures(self) -> bool {
        self != Self::Figures
    }

    pub(crate) fn has_figures(self) -> bool {
        self != Self::Pictures
    }
}

impl Default for Windows {
    fn default() -> Self {
        Self { count: 24, every: 1, purpose: Purpose::Both }
    }
}

impl Windows {
    /// Chooses `every` so that of a recording of `size` bytes no more than `max_bytes` are read, two frames at least.
    pub fn within(self, size: u64, frames: usize, max_bytes: u64) -> Self {
        let every = usize::try_from(size.div_ceil(max_bytes.max(1))).unwrap_or(usize::MAX);
        Self { every: every.clamp(1, frames.saturating_sub(1).max(1)), ..self }
    }

    /// Returns the time points that are read, evenly spread from the first on.
    pub(crate) fn times(&self, frames: usize) -> impl ExactSizeIterator<Item = usize> + use<> {
        (0..frames).step_by(self.every.max(1))
    }

    /// Cuts `read` time points into windows that differ by one at most; ranges into the list of those read.
    pub(crate) fn cut(&self, read: usize) -> Vec<Range<usize>> {
        let count = self.count.clamp(1, read.max(1));
        let edge = |i: usize| (i as u128 * read as u128 / count as u128) as usize;
        (0..count).map(|i| edge(i)..edge(i + 1)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sampling_reads_evenly() {
        let windows = Windows::default().within(10_000, 100, 1_000);
        assert_eq!(windows.every, 10);
        assert_eq!(windows.times(100).collect::<Vec<_>>(), (0..10).map(|i| 10 * i).collect::<Vec<_>>());
    }

    #[test]
    fn what_fits_the_budget_is_read_whole_and_two_frames_always() {
        assert_eq!(Windows::default().within(1_000, 100, 1_000).every, 1);
        let least = Windows::default().within(u64::MAX, 5, 1);
        assert_eq!(least.times(5).collect::<Vec<_>>(), [0, 4]);
    }

    proptest! {
        #[test]
        fn windows_hold_every_time_once_and_differ_by_one_at_most(read in 1_usize..5000, count in 0_usize..60) {
            let cut = Windows { count, ..Windows::default() }.cut(read);
            prop_assert_eq!(cut.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..read).collect::<Vec<_>>());
            let lengths: Vec<usize> = cut.iter().map(ExactSizeIterator::len).collect();
            prop_assert!(lengths.iter().max().unwrap() - lengths.iter().min().unwrap() <= 1);
        }
    }
}
