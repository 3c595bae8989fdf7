//! What the reading threads and the requests share: who waits for what, and what is asked for next.

use super::blocks::{Blocks, For, State};
use super::depth::Depth;
use super::fetch::{self, Broken, Order};
use super::guess::{self, Guess};
use crate::objects::{ObjectMeta, Objects, ObjectsError};
use crate::retry;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Expected ranges that are closer than this are fetched as one.
const GAP: u64 = 1 << 20;
/// A page's directory often lies beside its samples, and is looked at with them.
const MARGIN: u64 = 8 << 10;

/// What a reader has asked for so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests that were sent.
    pub requests: u64,
    /// Bytes that they asked for.
    pub bytes: u64,
    /// Most bytes that were held or asked for at a time.
    pub most_held: u64,
    /// Most requests that were under way at a time.
    pub most_in_flight: usize,
}

pub(super) struct Shared {
    pub(super) objects: Arc<dyn Objects>,
    pub(super) runtime: Handle,
    pub(super) meta: ObjectMeta,
    depth: Depth,
    table: Mutex<Table>,
    changed: Condvar,
}

struct Table {
    blocks: Blocks,
    guess: Guess,
    /// What will be read and is not asked for yet, in order.
    plan: VecDeque<Range<u64>>,
    /// Where the last read ended.
    position: u64,
    orders: Vec<Order>,
    usage: Usage,
    /// The reader is gone: nothing is asked for any more.
    closed: bool,
}

/// Bytes of one block in the hands of one thread; the block stays until it is let go.
pub(super) struct Claim<'a> {
    shared: &'a Arc<Shared>,
    block: u64,
    range: Range<u64>,
    bytes: Arc<Vec<u8>>,
}

impl Claim<'_> {
    /// The bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        let within = (self.range.start - self.block) as usize..(self.range.end - self.block) as usize;
        self.bytes.get(within).unwrap_or_default()
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        // Before the block can go: its buffer is used again only when nobody else holds it.
        self.bytes = Arc::default();
        let mut table = self.shared.table();
        table.blocks.release(self.block, std::thread::current().id(), &self.range);
        table.look_ahead(&self.shared.depth);
        self.shared.changed.notify_all();
        self.shared.send(table);
    }
}

impl Shared {
    pub(super) fn new(objects: Arc<dyn Objects>, runtime: Handle, meta: ObjectMeta, depth: Depth) -> Self {
        let depth = depth.settled();
        let table = Table {
            blocks: Blocks::new(depth),
            guess: Guess::new(depth, meta.size),
            plan: VecDeque::new(),
            position: 0,
            orders: Vec::new(),
            usage: Usage::default(),
            closed: false,
        };
        Self { objects, runtime, meta, depth, table: Mutex::new(table), changed: Condvar::new() }
    }

    pub(super) fn usage(&self) -> Usage {
        self.table().usage
    }

    /// Takes note of a read that begins, and asks for what it lacks.
    pub(super) fn begin(self: &Arc<Self>, range: &Range<u64>) {
        let mut table = self.table();
        table.guess.read(range);
        table.position = range.end;
        table.ask_for(range, &self.depth);
        table.look_ahead(&self.depth);
        self.send(table);
    }

    /// Takes note of what will be read next.
    pub(super) fn will_read(self: &Arc<Self>, ranges: &[Range<u64>]) {
        let merged = guess::merged(ranges, GAP, MARGIN, self.meta.size);
        let Some(last) = merged.last() else { return };
        let mut table = self.table();
        let after = last.end..last.end.saturating_add(self.depth.memory);
        table.blocks.announce(&merged, std::slice::from_ref(&after));
        if let [only] = &merged[..] {
            table.guess.will_read(only);
        }
        table.position = merged.first().map_or(0, |first| first.start);
        table.plan = merged.into();
        table.look_ahead(&self.depth);
        self.send(table);
    }

    /// Waits until the first bytes of `range` are there.
    pub(super) fn claim(self: &Arc<Self>, range: Range<u64>) -> Result<Claim<'_>, ObjectsError> {
        let mut table = self.table();
        loop {
            let Some((start, block)) = table.blocks.at(range.start) else {
                table = self.order_or_wait(table, &range);
                continue;
            };
            let end = range.end.min(block.end);
            match &block.state {
                State::Here(bytes) => {
                    let bytes = bytes.clone();
                    block.claims += 1;
                    return Ok(Claim { shared: self, block: start, range: range.start..end, bytes });
                }
                State::Coming { .. } => table = self.wait_for(table, start),
                State::Failed(_) => table = self.again(table, start)?,
            }
        }
    }

    /// Asks for what is missing; where all memory is in the hands of others, waits for one of them.
    fn order_or_wait<'a>(self: &'a Arc<Self>, mut table: MutexGuard<'a, Table>, range: &Range<u64>) -> MutexGuard<'a, Table> {
        table.ask_for(range, &self.depth);
        if table.orders.is_empty() {
            return self.changed.wait_timeout(table, self.depth.patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        self.send(table);
        self.table()
    }

    /// Waits for a block that is coming, as long as a request may take. Only the waiting thread looks at the clock: the
    /// runtime's stops with the runtime.
    fn wait_for<'a>(self: &'a Arc<Self>, mut table: MutexGuard<'a, Table>, start: u64) -> MutexGuard<'a, Table> {
        // All that is under way shares the connection to the store.
        let limit = self.depth.limit(table.blocks.coming_bytes());
        let Some((_, block)) = table.blocks.at(start) else { return table };
        let State::Coming { since, .. } = block.state else { return table };
        let (id, bytes) = (block.id, block.end - start);
        let Some(left) = limit.checked_sub(since.elapsed()).filter(|left| !left.is_zero()) else {
            table.blocks.give_up(start, self.busy(Broken::Stalled { bytes, limit }));
            return table;
        };
        block.claims += 1;
        let mut table = self.changed.wait_timeout(table, left).unwrap_or_else(PoisonError::into_inner).0;
        if let Some(block) = table.blocks.of(start, id) {
            block.claims = block.claims.saturating_sub(1);
        }
        table
    }

    /// Asks again for a block that failed, after a while; gives the error back where that would not help.
    fn again<'a>(
        self: &'a Arc<Self>,
        mut table: MutexGuard<'a, Table>,
        start: u64,
    ) -> Result<MutexGuard<'a, Table>, ObjectsError> {
        let Some((_, block)) = table.blocks.at(start) else { return Ok(table) };
        let (id, tries, range) = (block.id, block.tries, start..block.end);
        let State::Failed(error) = &block.state else { return Ok(table) };
        if !error.is_transient() || tries >= retry::TRIES {
            return match table.blocks.remove(start) {
                Some(State::Failed(error)) => Err(error),
                _ => Ok(table),
            };
        }
        drop(table);
        std::thread::sleep(retry::pause(tries));
        let mut table = self.table();
        let still = table.blocks.of(start, id).is_some_and(|block| matches!(block.state, State::Failed(_)));
        if still && table.blocks.make_room(range.end - range.start, For::Reader) {
            table.blocks.remove(start);
            table.order(range, tries);
            self.send(table);
            table = self.table();
        }
        Ok(table)
    }

    /// A request has ended, with a result if it came so far. Without one the runtime may be gone, and nothing more is sent.
    pub(super) fn settle(self: &Arc<Self>, start: u64, id: u64, result: Option<Result<Vec<u8>, ObjectsError>>) {
        let mut table = self.table();
        let came = result.is_some();
        table.blocks.settle(start, id, result.unwrap_or_else(|| Err(self.busy(Broken::Ended))));
        if came {
            table.look_ahead(&self.depth);
        }
        self.changed.notify_all();
        self.send(table);
    }

    /// Calls off all that is under way.
    pub(super) fn close(&self) {
        let mut table = self.table();
        table.closed = true;
        table.blocks.clear();
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the orders, without the lock: on a runtime that was shut down they end at once, and say so.
    fn send(self: &Arc<Self>, mut table: MutexGuard<'_, Table>) {
        let orders = std::mem::take(&mut table.orders);
        drop(table);
        for order in orders {
            self.runtime.spawn(fetch::fetch(self.clone(), order));
        }
    }
}

impl Table {
    /// Asks for what a thread is about to read and nobody asked for yet: the first piece at any rate, others if there is
    /// room.
    fn ask_for(&mut self, range: &Range<u64>, depth: &Depth) {
        let Some(gap) = self.blocks.gap(range) else { return };
        if gap.start == range.start {
            self.ask_now(&gap, depth);
        }
        let mut from = range.start;
        while let Some(next) = self.blocks.gap(&(from..range.end)) {
            let piece = self.piece(&next, depth.request);
            if !self.try_order(piece.clone(), For::Later, depth) {
                return;
            }
            self.guess.asked(piece.start, piece.end);
            from = piece.end;
        }
    }

    /// Asks for what a thread waits for, and for more behind it where that costs nothing that is needed.
    fn ask_now(&mut self, gap: &Range<u64>, depth: &Depth) {
        let wanted = match self.plan.iter().find(|planned| planned.contains(&gap.start)) {
            Some(planned) => {
                // In the very pieces that are asked for ahead, so that nothing is cut twice.
                let start = gap.start - (gap.start - planned.start) % depth.request;
                self.blocks.around(gap.start, start..planned.end.min(start + depth.request))
            }
            None => self.guess.miss(gap),
        };
        let mut piece = self.piece(&wanted, depth.largest());
        if !self.blocks.make_room(piece.end - piece.start, For::Generous) {
            piece = self.piece(gap, depth.largest());
        }
        self.guess.asked(wanted.end, piece.end);
        self.try_order(piece, For::Reader, depth);
    }

    /// Asks for what was announced, then for what is likely to follow, as far as there is room.
    fn look_ahead(&mut self, depth: &Depth) {
        if self.closed {
            return;
        }
        while let Some(planned) = self.plan.front().cloned() {
            let Some(gap) = self.blocks.gap(&planned) else {
                self.plan.pop_front();
                continue;
            };
            let piece = self.piece(&gap, depth.request);
            if !self.try_order(piece, For::Later, depth) {
                return;
            }
        }
        while let Some(next) = self.guess.next(self.position, depth.memory) {
            let Some(gap) = self.blocks.gap(&next) else {
                self.guess.asked(next.start, next.end);
                continue;
            };
            if !self.try_order(gap.clone(), For::Later, depth) {
                return;
            }
            self.guess.asked(next.start, gap.end);
        }
    }

    /// As much of `wanted` as one request brings: up to the next block, and not more than `most`.
    fn piece(&self, wanted: &Range<u64>, most: u64) -> Range<u64> {
        let end = wanted.end.min(wanted.start + most);
        self.blocks.gap(&(wanted.start..end)).unwrap_or(wanted.start..end)
    }

    fn try_order(&mut self, range: Range<u64>, whose: For, depth: &Depth) -> bool {
        let may = whose == For::Reader || self.blocks.coming() < depth.parallel;
        let room = may && self.blocks.make_room(range.end - range.start, whose);
        if room {
            self.order(range, 0);
        }
        room
    }

    fn order(&mut self, range: Range<u64>, tries: u32) {
        let (alive, cancelled) = oneshot::channel();
        let (id, buffer) = self.blocks.add(&range, alive, tries);
        let usage = &mut self.usage;
        usage.requests += 1;
        usage.bytes += range.end - range.start;
        usage.most_held = usage.most_held.max(self.blocks.held());
        usage.most_in_flight = usage.most_in_flight.max(self.blocks.coming());
        self.orders.push(Order { range, id, buffer, cancelled });
    }
}
