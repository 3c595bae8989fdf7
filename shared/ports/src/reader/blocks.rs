//! The pieces of an object that are in memory or on their way there, and which of them may go.

use super::depth::Depth;
use crate::objects::ObjectsError;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Instant;
use tokio::sync::oneshot;

/// Blocks below this are directories and the like, looked at again and again.
const SMALL: u64 = 1 << 20;

/// What may lie unread between pages.
const PADDING: u64 = 16 << 10;
/// Threads whose places are remembered.
const MOST_THREADS: usize = 256;

/// Where the bytes of a block are.
#[derive(Debug)]
pub(super) enum State {
    /// Asked for; dropping the sender calls the request off.
    Coming { since: Instant, _alive: oneshot::Sender<()> },
    /// Here, shared by all who copy from them.
    Here(Arc<Vec<u8>>),
    /// The request failed.
    Failed(ObjectsError),
}

/// One piece of the object.
#[derive(Debug)]
pub(super) struct Block {
    /// Tells this request from earlier ones for the same bytes.
    pub(super) id: u64,
    pub(super) end: u64,
    pub(super) state: State,
    /// Threads that wait for it or copy from it: it stays.
    pub(super) claims: usize,
    /// How often it was asked for.
    pub(super) tries: u32,
    /// Whether something was read of it.
    touched: bool,
    /// Whether it was announced that it will be read.
    announced: bool,
    /// What was read of it, if it is large: ranges in order that do not touch.
    read: Vec<Range<u64>>,
    /// Bytes that the reader had delivered when the block was last of use.
    stamp: u64,
}

/// For whom room is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum For {
    /// A thread that waits.
    Reader,
    /// The same, with more than it waits for.
    Generous,
    /// Reads to come.
    Later,
}

/// The two large blocks that a thread read last, by their requests.
#[derive(Debug)]
struct Current {
    thread: ThreadId,
    last: u64,
    before: u64,
}

/// The blocks: they never overlap, and their bytes never exceed the memory of the depth.
#[derive(Debug)]
pub(super) struct Blocks {
    depth: Depth,
    map: BTreeMap<u64, Block>,
    ids: u64,
    /// Bytes of the blocks that are here or coming, and of those called off whose tasks have not ended.
    held: u64,
    /// Requests that were called off, their bytes, and the sum.
    ending: BTreeMap<u64, u64>,
    ending_bytes: u64,
    coming: usize,
    announced: Vec<Range<u64>>,
    delivered: u64,
    /// Where the threads are, those that read last at the end.
    current: Vec<Current>,
    /// Buffers of blocks that went, of `spare_bytes` together: fresh memory costs as much as the bytes that fill it.
    spare: Vec<Vec<u8>>,
    spare_bytes: u64,
}

impl Blocks {
    pub(super) fn new(depth: Depth) -> Self {
        Self {
            depth,
            map: BTreeMap::new(),
            ids: 0,
            held: 0,
            ending: BTreeMap::new(),
            ending_bytes: 0,
            coming: 0,
            announced: Vec::new(),
            delivered: 0,
            current: Vec::new(),
            spare: Vec::new(),
            spare_bytes: 0,
        }
    }

    /// Bytes that are here or coming, with those of buffers that are kept.
    pub(super) fn held(&self) -> u64 {
        self.held + self.spare_bytes
    }

    /// Requests under way.
    pub(super) fn coming(&self) -> usize {
        self.coming
    }

    /// Bytes of the requests under way.
    pub(super) fn coming_bytes(&self) -> u64 {
        let coming = self.map.iter().filter(|(_, block)| matches!(block.state, State::Coming { .. }));
        coming.map(|(start, block)| block.end - start).sum()
    }

    /// The block that covers `at`, and its start.
    pub(super) fn at(&mut self, at: u64) -> Option<(u64, &mut Block)> {
        self.map.range_mut(..=at).next_back().map(|(start, block)| (*start, block)).filter(|(_, block)| block.end > at)
    }

    /// The block of this request, if it is still there.
    pub(super) fn of(&mut self, start: u64, id: u64) -> Option<&mut Block> {
        self.map.get_mut(&start).filter(|block| block.id == id)
    }

    /// The first part of `range` that no block covers, not beyond the next block.
    pub(super) fn gap(&self, range: &Range<u64>) -> Option<Range<u64>> {
        let mut start = range.start;
        if let Some((_, block)) = self.map.range(..=start).next_back() {
            start = start.max(block.end);
        }
        for (next, block) in self.map.range(start..range.end.max(start)) {
            if *next > start {
                return Some(start..*next);
            }
            start = block.end;
        }
        (start < range.end).then_some(start..range.end)
    }

    /// As much of `range` as no block covers around `at`, which none covers.
    pub(super) fn around(&self, at: u64, range: Range<u64>) -> Range<u64> {
        let before = self.map.range(..=at).next_back().map_or(0, |(_, block)| block.end);
        let after = self.map.range(at..).next().map_or(range.end, |(start, _)| *start);
        range.start.max(before)..range.end.min(after)
    }

    /// Adds a block that was asked for just now, with `tries` tries before it; there is room for it.
    pub(super) fn add(&mut self, range: &Range<u64>, alive: oneshot::Sender<()>, tries: u32) -> (u64, Vec<u8>) {
        self.ids += 1;
        let bytes = range.end - range.start;
        let state = State::Coming { since: Instant::now(), _alive: alive };
        let block = Block {
            id: self.ids,
            end: range.end,
            state,
            claims: 0,
            tries: tries + 1,
            touched: false,
            announced: overlap(&self.announced, range.start, range.end),
            read: Vec::new(),
            stamp: self.delivered,
        };
        self.map.insert(range.start, block);
        self.held += bytes;
        self.coming += 1;
        (self.ids, self.buffer(bytes))
    }

    /// A request has ended with the bytes of a block, or why they did not come. If it was called off nothing is kept.
    pub(super) fn settle(&mut self, start: u64, id: u64, result: Result<Vec<u8>, ObjectsError>) {
        if let Some(bytes) = self.ending.remove(&id) {
            self.ending_bytes -= bytes;
            self.held -= bytes;
            return;
        }
        let Some(block) = self.map.get_mut(&start).filter(|block| block.id == id) else { return };
        self.coming -= 1;
        block.state = match result {
            Ok(bytes) => State::Here(Arc::new(bytes)),
            Err(error) => {
                self.held -= block.end - start;
                State::Failed(error)
            }
        };
    }

    /// Gives a request up that is under way.
    pub(super) fn give_up(&mut self, start: u64, error: ObjectsError) {
        let Some(block) = self.map.get_mut(&start) else { return };
        if matches!(block.state, State::Coming { .. }) {
            let (id, bytes) = (block.id, block.end - start);
            block.state = State::Failed(error);
            self.call_off(id, bytes);
        }
    }

    /// Its buffer is the task's until that has ended.
    fn call_off(&mut self, id: u64, bytes: u64) {
        self.coming -= 1;
        self.ending.insert(id, bytes);
        self.ending_bytes += bytes;
    }

    /// Takes a block away.
    pub(super) fn remove(&mut self, start: u64) -> Option<State> {
        let block = self.map.remove(&start)?;
        let bytes = block.end - start;
        match block.state {
            State::Failed(_) => {}
            State::Coming { .. } => self.call_off(block.id, bytes),
            State::Here(_) => self.held -= bytes,
        }
        Some(block.state)
    }

    /// A thread has copied `range` of the block at `start` and lets it go; wholly read, it is not kept.
    pub(super) fn release(&mut self, start: u64, thread: ThreadId, range: &Range<u64>) {
        self.delivered += range.end - range.start;
        let (delivered, Some(block)) = (self.delivered, self.map.get_mut(&start)) else { return };
        block.claims = block.claims.saturating_sub(1);
        block.touched = true;
        block.stamp = delivered;
        if block.end - start < SMALL {
            return;
        }
        block.mark(range);
        let (id, spent) = (block.id, block.claims == 0 && block.is_spent(start));
        self.moved(thread, id);
        if spent {
            self.drop_block(start);
        }
    }

    /// A thread read in a large block.
    fn moved(&mut self, thread: ThreadId, id: u64) {
        let known = self.current.iter().position(|of| of.thread == thread);
        let mut of = known.map_or(Current { thread, last: id, before: id }, |i| self.current.remove(i));
        if of.last != id {
            (of.before, of.last) = (of.last, id);
        }
        if self.current.len() == MOST_THREADS {
            self.current.remove(0);
        }
        self.current.push(of);
    }

    /// It was announced that `ranges` will be read. What was fetched for other reads, other than those that may follow
    /// in `after`, is of no use any more.
    pub(super) fn announce(&mut self, ranges: &[Range<u64>], after: &[Range<u64>]) {
        self.announced = ranges.to_vec();
        let mut stale = Vec::new();
        for (start, block) in &mut self.map {
            block.announced = overlap(ranges, *start, block.end);
            let useful = block.announced || block.touched || block.claims > 0 || overlap(after, *start, block.end);
            stale.extend((!useful).then_some(*start));
        }
        stale.into_iter().for_each(|start| self.drop_block(start));
    }

    /// Calls everything off.
    pub(super) fn clear(&mut self) {
        self.map.clear();
    }

    /// Makes room for `bytes`, by what is needed least; says whether there is room now.
    pub(super) fn make_room(&mut self, bytes: u64, whose: For) -> bool {
        while self.held - self.ending_bytes + bytes > self.depth.memory {
            let candidates = self.map.iter().filter_map(|(start, block)| Some((self.worth(*start, block, whose)?, *start)));
            let Some((_, start)) = candidates.min() else { return false };
            self.drop_block(start);
        }
        self.held + bytes <= self.depth.memory
    }

    /// How much a block is needed, less needed first; none if it has to stay.
    fn worth(&self, start: u64, block: &Block, whose: For) -> Option<(u8, u64)> {
        let idle = self.delivered - block.stamp;
        let here = matches!(block.state, State::Here(_));
        // A thread may look at a directory in the next block before it comes back for the last page of this one.
        let in_use = self.current.iter().any(|of| of.last == block.id || (of.before == block.id && !block.is_ended()));
        let small = block.end - start < SMALL;
        let left = !small && !in_use && !block.announced;
        let class = match (block.claims, here) {
            (1.., _) => return None,
            _ if matches!(block.state, State::Failed(_)) => return None,
            (_, true) if !small && block.is_spent(start) => 0,
            (_, true) if block.touched && left => 1,
            (_, true) if block.touched && small && idle > self.depth.memory / 4 => 2,
            _ if !block.touched && idle > 2 * self.depth.memory => 3,
            (_, true) if block.touched => 4,
            (_, true) => 5,
            _ => 6,
        };
        let most = match whose {
            For::Later => 3,
            For::Generous => 4,
            For::Reader => 6,
        };
        (class <= most).then_some((class, block.stamp))
    }

    fn drop_block(&mut self, start: u64) {
        if let Some(State::Here(bytes)) = self.remove(start)
            && let Some(bytes) = Arc::into_inner(bytes)
            && self.held() + bytes.capacity() as u64 <= self.depth.memory
        {
            self.spare_bytes += bytes.capacity() as u64;
            self.spare.push(bytes);
        }
    }

    /// A buffer for `bytes`, used before if there is one; others go until all fits into memory.
    fn buffer(&mut self, bytes: u64) -> Vec<u8> {
        let fitting = self.spare.iter().position(|spare| spare.capacity() as u64 == bytes);
        let buffer = fitting.map(|i| self.spare.swap_remove(i));
        self.spare_bytes -= buffer.as_ref().map_or(0, |buffer| buffer.capacity() as u64);
        while self.held() > self.depth.memory
            && let Some(spare) = self.spare.pop()
        {
            self.spare_bytes -= spare.capacity() as u64;
        }
        let mut buffer = buffer.unwrap_or_else(|| Vec::with_capacity(usize::try_from(bytes).unwrap_or_default()));
        buffer.clear();
        buffer
    }
}

fn overlap(ranges: &[Range<u64>], start: u64, end: u64) -> bool {
    ranges.iter().any(|range| range.start < end && start < range.end)
}

impl Block {
    fn mark(&mut self, range: &Range<u64>) {
        let from = self.read.partition_point(|known| known.end < range.start);
        let to = self.read.partition_point(|known| known.start <= range.end);
        let touching = &self.read[from..to];
        let start = touching.first().map_or(range.start, |known| known.start.min(range.start));
        let end = touching.last().map_or(range.end, |known| known.end.max(range.end));
        self.read.splice(from..to, std::iter::once(start..end));
    }

    /// Whether its end was read.
    fn is_ended(&self) -> bool {
        self.read.last().is_some_and(|last| last.end >= self.end)
    }

    /// Whether all of it was read but what lies between pages. At its start and end another thread may still miss a bit of
    /// a page that lies across.
    fn is_spent(&self, start: u64) -> bool {
        let begun = self.read.first().is_some_and(|first| first.start <= start);
        begun && self.is_ended() && self.read.windows(2).all(|pair| pair[1].start - pair[0].end <= PADDING)
    }
}
