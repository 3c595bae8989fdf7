//! The chain of directories, one per page, followed once and in bounded time.

use crate::bytes::Bytes;
use crate::ifd::{Fault, Header, Ifd};
use crate::index::{PageIndex, Runs};
use crate::page::{Page, Shape};
use crate::stride::{self, Stride};
use crate::{Limits, RecordingError};

/// What following the chain found.
#[derive(Debug, PartialEq)]
pub(crate) struct Chain {
    pub(crate) index: PageIndex,
    /// Pages whose samples lie within the file.
    pub(crate) whole: usize,
    /// Pages whose directory lies within the file.
    pub(crate) listed: usize,
    /// Whether the chain ends as it should rather than beyond the end of the file.
    pub(crate) complete: bool,
    /// Whether some page is compressed in another way than the first.
    pub(crate) mixed_compression: bool,
    /// The distance of the pages, where the list was not followed because of it.
    pub(crate) stride: Option<Stride>,
}

/// Finds circles in constant memory (R. P. Brent, BIT 20, 1980): a mark is left behind at ever larger steps, and a
/// chain that runs in a circle comes back to it.
struct CircleGuard {
    mark: u64,
    steps: u64,
    power: u64,
}

impl CircleGuard {
    fn new(start: u64) -> Self {
        Self { mark: start, steps: 0, power: 1 }
    }

    fn closes_at(&mut self, offset: u64) -> bool {
        if offset == self.mark {
            return true;
        }
        self.steps += 1;
        if self.steps == self.power {
            self.mark = offset;
            self.power *= 2;
            self.steps = 0;
        }
        false
    }
}

/// Follows the chain. `first` is the first page, which all others must resemble.
pub(crate) fn follow(bytes: &mut Bytes, header: Header, first: &Page, limits: &Limits) -> Result<Chain, RecordingError> {
    if first.contiguous().is_some() {
        if let Some(chain) = stride::guess(bytes, header, first, limits)? {
            return Ok(chain);
        }
        if let Some(chain) = follow_as(bytes, header, first, limits, true)? {
            return Ok(chain);
        }
    }
    follow_as(bytes, header, first, limits, false)?
        .ok_or_else(|| RecordingError::corrupt("the list of frames cannot be followed"))
}

/// Follows the chain whatever its pages' distances, as [`follow`] does where they have none in common.
#[cfg(test)]
pub(crate) fn follow_all(bytes: &mut Bytes, header: Header, first: &Page, limits: &Limits) -> Result<Chain, RecordingError> {
    follow_as(bytes, header, first, limits, true).map(|chain| chain.unwrap())
}

/// Follows the chain, keeping offsets of samples (`plain`) or of directories. `None` if a page is not plain.
fn follow_as(
    bytes: &mut Bytes,
    header: Header,
    first: &Page,
    limits: &Limits,
    plain: bool,
) -> Result<Option<Chain>, RecordingError> {
    let mut walk = Walk::new(header, bytes.len());
    let mut runs = Runs::default();
    let mut directories = Vec::new();
    while walk.offset != 0 {
        let offset = walk.offset;
        let Some(ifd) = walk.step(bytes, header, limits)? else {
            break;
        };
        let page = match Page::read(&ifd, bytes, limits) {
            Ok(page) => page,
            // The samples are missing but the list may go on: count how many frames there were.
            Err(Fault::PastEnd) => continue,
            Err(Fault::Refused(error)) => return Err(error),
        };
        check_same(first.shape, page.shape, walk.listed)?;
        walk.whole += 1;
        walk.mixed |= page.compression != first.compression;
        match (plain, page.contiguous()) {
            (true, Some(samples)) => runs.push(samples),
            (true, None) => return Ok(None),
            (false, _) => directories.push(offset),
        }
    }
    let index = if plain { PageIndex::Plain(runs) } else { PageIndex::Directories(directories) };
    Ok(Some(Chain {
        index,
        whole: walk.whole,
        listed: walk.listed,
        complete: walk.complete,
        mixed_compression: walk.mixed,
        stride: None,
    }))
}

struct Walk {
    offset: u64,
    listed: usize,
    whole: usize,
    complete: bool,
    mixed: bool,
    circle: CircleGuard,
    /// Bytes of directories and arrays that may still come. They do not overlap in an honest file, so all together
    /// cannot exceed it; the double leaves room for arrays whose entries are narrower than counted.
    budget: u64,
}

impl Walk {
    fn new(header: Header, file_bytes: u64) -> Self {
        Self {
            offset: header.first_ifd,
            listed: 0,
            whole: 0,
            complete: true,
            mixed: false,
            circle: CircleGuard::new(header.first_ifd),
            budget: file_bytes.saturating_mul(2).saturating_add(1 << 16),
        }
    }

    /// Reads the directory at hand and moves to the next; `None` where the file ends first.
    fn step(&mut self, bytes: &mut Bytes, header: Header, limits: &Limits) -> Result<Option<Ifd>, RecordingError> {
        let ifd = match Ifd::read(bytes, header, self.offset, limits) {
            Ok(ifd) => ifd,
            Err(Fault::PastEnd) => {
                self.complete = false;
                return Ok(None);
            }
            Err(Fault::Refused(error)) => return Err(error),
        };
        self.listed += 1;
        if self.listed > limits.max_pages {
            return Err(RecordingError::too_big(
                format!("the file lists more than `{}` frames", limits.max_pages),
                "split the recording into several files",
            ));
        }
        self.offset = ifd.next;
        if ifd.next != 0 && self.circle.closes_at(ifd.next) {
            return Err(RecordingError::corrupt("the list of frames runs in a circle and never ends"));
        }
        let cost = ifd.cost(limits);
        if self.listed > 1 && cost > self.budget {
            return Err(RecordingError::corrupt("the descriptions of the frames lie on top of one another"));
        }
        self.budget = self.budget.saturating_sub(cost);
        Ok(Some(ifd))
    }
}

fn check_same(first: Shape, page: Shape, number: usize) -> Result<(), RecordingError> {
    if first == page {
        return Ok(());
    }
    Err(RecordingError::unsupported(
        format!("frame {number} is `{page}` and the first frame is `{first}`"),
        "remove the frames that do not belong to the recording, such as thumbnails, and upload it again",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_circle_is_found_soon() {
        for tail in 0..40u64 {
            for circle in 1..40u64 {
                let next = |at: u64| if at == tail + circle - 1 { tail } else { at + 1 };
                let mut guard = CircleGuard::new(0);
                let mut at = 0;
                let steps = (0..).take_while(|_| {
                    at = next(at);
                    !guard.closes_at(at)
                });
                assert!(steps.take(1000).count() < 5 * (tail + circle) as usize + 5);
            }
        }
    }
}
