//! Where each page is, in few bytes per page.

/// Pages at equal distances: page `first + k` starts at `offset + k × stride`, `count` pages in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: usize,
    count: usize,
    offset: u64,
    stride: u64,
}

/// Offsets of the frames' samples, or of their directories where a directory is needed to decode them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageIndex {
    /// Every page is one run of plain samples.
    Plain(Runs),
    /// Offsets of the directories, read again with each page.
    Directories(Vec<u64>),
}

/// A list of offsets that costs nothing while the distance stays the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Runs {
    runs: Vec<Run>,
    len: usize,
}

impl Runs {
    /// One stack of `count` frames of `stride` bytes without gaps.
    pub(crate) fn stack(offset: u64, stride: u64, count: usize) -> Self {
        let run = Run { first: 0, count, offset, stride };
        Self { runs: vec![run], len: count }
    }

    /// A first frame somewhere, and `count - 1` more from `offset` on at equal distances.
    pub(crate) fn after_first(first: u64, offset: u64, stride: u64, count: usize) -> Self {
        let mut runs = Self::default();
        runs.push(first);
        if first.checked_add(stride) == Some(offset) {
            return Self::stack(first, stride, count);
        }
        runs.runs.push(Run { first: 1, count: count - 1, offset, stride });
        runs.len = count;
        runs
    }

    pub(crate) fn push(&mut self, offset: u64) {
        let first = self.len;
        self.len += 1;
        if let Some(last) = self.runs.last_mut() {
            let distance = offset.checked_sub(last.offset);
            if last.count == 1 && distance.is_some() {
                last.stride = distance.unwrap_or(0);
                last.count = 2;
                return;
            }
            let next = (last.count as u64).checked_mul(last.stride).and_then(|d| d.checked_add(last.offset));
            if last.count > 1 && next == Some(offset) {
                last.count += 1;
                return;
            }
        }
        self.runs.push(Run { first, count: 1, offset, stride: 0 });
    }

    pub(crate) fn get(&self, page: usize) -> Option<u64> {
        let after = self.runs.partition_point(|run| run.first <= page);
        let run = self.runs.get(after.checked_sub(1)?)?;
        let k = page - run.first;
        (k < run.count).then(|| run.offset + k as u64 * run.stride)
    }
}

impl PageIndex {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Plain(runs) => runs.len,
            Self::Directories(offsets) => offsets.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_give_back_what_was_pushed(offsets in prop::collection::vec(0u64..40, 0..60)) {
            let mut runs = Runs::default();
            offsets.iter().for_each(|o| runs.push(*o));
            let back: Vec<_> = (0..offsets.len()).filter_map(|i| runs.get(i)).collect();
            prop_assert_eq!(&back, &offsets);
            prop_assert_eq!(runs.get(offsets.len()), None);
        }
    }

    #[test]
    fn a_regular_stack_is_one_run() {
        let mut runs = Runs::default();
        (0..1_000_000).for_each(|i| runs.push(8 + i * 524_288));
        assert_eq!(runs.runs.len(), 1);
        assert_eq!(runs, Runs::stack(8, 524_288, 1_000_000));
    }
}
