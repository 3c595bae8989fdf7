//! What will be read next, as far as the reads so far tell: pure, without a clock.
//!
//! Several threads read at a time, each its own part of a batch, so several streams are followed side by side.

use super::depth::Depth;
use std::ops::Range;

/// A gap that is cheaper to fetch than to ask again behind it: about what a request costs in bandwidth.
const GAP: u64 = 2 << 20;
/// Streams that are followed at a time.
const STREAMS: usize = 8;
/// How requests grow along a stream.
const GROWTH: u64 = 4;

/// Reads that go on where others ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stream {
    /// End of what was asked for.
    asked: u64,
    /// Start and end of what was read lately.
    recent: (u64, u64),
    /// Bytes read between them.
    got: u64,
    /// Bytes of the last request.
    size: u64,
    /// When it last went on, in reads.
    used: u64,
}

impl Stream {
    fn took(&mut self, range: &Range<u64>, request: u64) {
        let (start, end) = self.recent;
        self.recent = (start.min(range.start), end.max(range.end));
        self.got += range.end - range.start;
        let span = self.recent.1 - self.recent.0;
        if span > 4 * request {
            self.recent.0 += span / 2;
            self.got /= 2;
        }
    }

    /// Whether less than half of what it passes is read.
    fn skips(&self) -> bool {
        2 * self.got < self.recent.1 - self.recent.0
    }
}

/// The streams, and what each of them asks for next.
#[derive(Debug)]
pub(super) struct Guess {
    depth: Depth,
    end: u64,
    streams: Vec<Stream>,
    reads: u64,
}

impl Guess {
    /// Nothing is known of an object of `end` bytes.
    pub(super) fn new(depth: Depth, end: u64) -> Self {
        Self { depth, end, streams: Vec::new(), reads: 0 }
    }

    /// Takes note of a read.
    pub(super) fn read(&mut self, range: &Range<u64>) {
        self.reads += 1;
        let (reads, request) = (self.reads, self.depth.request);
        if let Some(stream) = self.around(range.start).map(|i| &mut self.streams[i]) {
            stream.used = reads;
            stream.took(range, request);
        }
    }

    /// What to ask for where `missing` bytes are read and not there: they, and as much after them as seems wise.
    pub(super) fn miss(&mut self, missing: &Range<u64>) -> Range<u64> {
        let needed = missing.end - missing.start;
        let found = self.before(missing.start);
        let size = found.map_or(self.depth.smallest, |i| self.grown(i)).max(needed);
        let end = missing.start.saturating_add(size).min(self.end);
        let size = size.min(self.depth.request);
        match found {
            Some(i) => self.go_on(i, missing, end, size),
            None => self.begin(missing, end, size),
        }
        missing.start..end
    }

    /// What comes next on the stream that this read belongs to, if it runs fast enough to be read ahead of its reader,
    /// and is less than `ahead` bytes before it.
    pub(super) fn next(&self, position: u64, ahead: u64) -> Option<Range<u64>> {
        let stream = &self.streams[self.around(position)?];
        let near = stream.asked.saturating_sub(position) < ahead;
        let fast = 2 * stream.size >= self.depth.request;
        let size = self.most(stream);
        (near && fast && stream.asked < self.end).then(|| stream.asked..(stream.asked + size).min(self.end))
    }

    /// The stream that wanted what begins at `from` has it asked for up to `to`.
    pub(super) fn asked(&mut self, from: u64, to: u64) {
        for stream in self.streams.iter_mut().filter(|stream| stream.asked == from) {
            stream.asked = to;
        }
    }

    /// Takes note of what will be read for certain, in one piece. One piece alone may be a sample; a second one that
    /// goes on where it ended is a stream.
    pub(super) fn will_read(&mut self, piece: &Range<u64>) {
        self.reads += 1;
        let (size, reads) = ((piece.end - piece.start).min(self.depth.request), self.reads);
        match self.around(piece.start).or_else(|| self.before(piece.start)).map(|i| &mut self.streams[i]) {
            Some(stream) => {
                stream.asked = stream.asked.max(piece.end);
                stream.size = stream.size.max(size);
                stream.used = reads;
            }
            None => self.begin(&(piece.start..piece.start), piece.end, size / GROWTH),
        }
    }

    /// The stream that has been asked for beyond `position`, and not far beyond.
    fn around(&self, position: u64) -> Option<usize> {
        let reach = |s: &Stream| s.asked.checked_sub(position).filter(|reach| *reach <= self.depth.memory);
        (0..self.streams.len()).filter(|i| reach(&self.streams[*i]).is_some()).min_by_key(|i| reach(&self.streams[*i]))
    }

    /// The stream that ends shortly before `position`.
    fn before(&self, position: u64) -> Option<usize> {
        let gap = |s: &Stream| position.checked_sub(s.asked).filter(|gap| *gap <= GAP);
        (0..self.streams.len()).filter(|i| gap(&self.streams[*i]).is_some()).min_by_key(|i| gap(&self.streams[*i]))
    }

    fn grown(&self, i: usize) -> u64 {
        let stream = &self.streams[i];
        stream.size.saturating_mul(GROWTH).min(self.most(stream))
    }

    /// Where some is skipped, a request brings less that is wanted, and may be larger.
    fn most(&self, stream: &Stream) -> u64 {
        if stream.skips() { self.depth.largest() } else { self.depth.request }
    }

    fn go_on(&mut self, i: usize, read: &Range<u64>, asked: u64, size: u64) {
        let (stream, used) = (&mut self.streams[i], self.reads);
        *stream = Stream { asked, size, used, ..*stream };
        stream.took(read, self.depth.request);
    }

    fn begin(&mut self, read: &Range<u64>, asked: u64, size: u64) {
        let stream = Stream { asked, recent: (read.start, read.end), got: read.end - read.start, size, used: self.reads };
        if self.streams.len() < STREAMS {
            self.streams.push(stream);
        } else if let Some(oldest) = self.streams.iter_mut().min_by_key(|stream| stream.used) {
            *oldest = stream;
        }
    }
}

/// Ranges in the order of their reading, those that touch or lie closer than `gap` made one, each widened by `margin`.
pub(super) fn merged(ranges: &[Range<u64>], gap: u64, margin: u64, end: u64) -> Vec<Range<u64>> {
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in ranges.iter().filter(|range| range.start < range.end && range.start < end) {
        let wide = range.start.saturating_sub(margin)..range.end.saturating_add(margin).min(end);
        match merged.last_mut() {
            Some(last) if wide.start >= last.start && wide.start <= last.end.saturating_add(gap) => {
                last.end = last.end.max(wide.end)
            }
            _ => merged.push(wide),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn requests_grow_along_a_stream_and_begin_small_after_a_jump() {
        let mut guess = Guess::new(Depth::default(), 1 << 40);
        let (mut at, mut sizes) = (0, Vec::new());
        for _ in 0..7 {
            let range = at..at + 65536;
            guess.read(&range);
            let asked = guess.miss(&range);
            sizes.push(asked.end - asked.start);
            at = asked.end;
        }
        assert_eq!(sizes, [64 << 10, 256 << 10, MB, 4 * MB, 16 * MB, 16 * MB, 16 * MB], "of each only the start is read");
        let far = at + (1 << 30);
        assert_eq!(guess.miss(&(far..far + 10)), far..far + 65536);
    }

    #[test]
    fn two_threads_in_two_places_are_two_streams() {
        let mut guess = Guess::new(Depth::default(), 1 << 40);
        let mut at = [0, 1 << 30];
        for round in 0..6 {
            for at in &mut at {
                let asked = guess.miss(&(*at..*at + 4096));
                assert!(asked.end - asked.start >= (64 << 10) * 4u64.pow(round).min(128));
                *at = asked.end;
            }
        }
    }

    #[test]
    fn nothing_is_asked_for_beyond_the_end() {
        let mut guess = Guess::new(Depth::default(), 1000);
        assert_eq!(guess.miss(&(10..20)), 10..1000);
        assert_eq!(guess.next(20, 1 << 30), None);
    }

    proptest! {
        #[test]
        fn what_is_merged_is_all_there_and_far_ranges_stay_apart(
            gaps in prop::collection::vec((0u64..40, 1u64..40), 1..30), gap in 0u64..20, margin in 0u64..3,
        ) {
            let mut at = 0;
            let ranges: Vec<Range<u64>> = gaps.iter().map(|(gap, length)| {
                let start = at + gap;
                at = start + length;
                start..at
            }).collect();
            let merged = merged(&ranges, gap, margin, at);
            for range in &ranges {
                prop_assert!(merged.iter().any(|m| m.start <= range.start && range.end <= m.end));
            }
            prop_assert!(merged.windows(2).all(|pair| pair[1].start > pair[0].end + gap));
            prop_assert!(merged.iter().all(|m| m.end <= at));
        }
    }
}
