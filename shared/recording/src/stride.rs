//! Frames at equal distances, as microscopes write them straight to disk: their list need not be followed to its end.
//!
//! Over an object store every directory between large frames costs a request. So after the first few the distance is
//! believed, the last directory is sought by halving, and some between are looked at; whatever does not fit is a reason to
//! follow the list after all. The directory of a frame that was believed is held against it when the frame is read.

use crate::bytes::Bytes;
use crate::ifd::{Fault, Header, Ifd};
use crate::index::{PageIndex, Runs};
use crate::page::Page;
use crate::walk::Chain;
use crate::{Limits, RecordingError};

/// Pages that are followed before their distance is believed. The first may carry more text than the others.
const FOLLOWED: usize = 5;
/// Directories between that are looked at.
const SAMPLED: u64 = 12;

/// Page `k + 1` has its directory at `directory + k × directory_step` and its samples at `samples + k × samples_step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stride {
    directory: u64,
    directory_step: u64,
    samples: u64,
    samples_step: u64,
    /// The last `k`.
    last: u64,
}

/// One page as its directory tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    directory: u64,
    samples: u64,
    next: u64,
}

impl Stride {
    fn directory_of(&self, k: u64) -> Option<u64> {
        k.checked_mul(self.directory_step)?.checked_add(self.directory)
    }

    fn samples_of(&self, k: u64) -> Option<u64> {
        k.checked_mul(self.samples_step)?.checked_add(self.samples)
    }

    /// The distance of the first pages, if they have one.
    fn of(places: &[Place], frame_bytes: u64) -> Option<Self> {
        let [_, one, two, ..] = places else { return None };
        let directory_step = two.directory.checked_sub(one.directory).filter(|step| *step > 0)?;
        let samples_step = two.samples.checked_sub(one.samples).filter(|step| *step >= frame_bytes)?;
        let stride = Self { directory: one.directory, directory_step, samples: one.samples, samples_step, last: u64::MAX };
        let fits = |(k, place): (usize, &Place)| {
            let k = k as u64;
            stride.directory_of(k) == Some(place.directory)
                && stride.samples_of(k) == Some(place.samples)
                && stride.directory_of(k + 1) == Some(place.next)
        };
        places[1..].iter().enumerate().all(fits).then_some(stride)
    }

    /// The last `k` for which the file has room.
    fn room(&self, bytes: &Bytes, frame_bytes: u64) -> Option<u64> {
        let directories = bytes.len().checked_sub(self.directory + 1)? / self.directory_step;
        let samples = bytes.len().checked_sub(self.samples.checked_add(frame_bytes)?)? / self.samples_step;
        Some(directories.min(samples))
    }
}

/// What probing needs to know.
struct Probe<'a> {
    header: Header,
    first: &'a Page,
    limits: &'a Limits,
}

impl Probe<'_> {
    /// The page whose directory lies here, if it is one like the first.
    fn at(&self, bytes: &mut Bytes, directory: u64) -> Result<Option<Place>, RecordingError> {
        let page = Ifd::read(bytes, self.header, directory, self.limits)
            .and_then(|ifd| Page::read(&ifd, bytes, self.limits).map(|page| (page, ifd.next)));
        match page {
            Ok((page, next)) if page.shape == self.first.shape && page.compression == self.first.compression => {
                Ok(page.contiguous().map(|samples| Place { directory, samples, next }))
            }
            Err(Fault::Refused(error @ RecordingError::Io(_))) => Err(error),
            _ => Ok(None),
        }
    }

    /// Page `k` of a stride, if it is where it should be: the directory that it names as the next.
    fn regular(&self, bytes: &mut Bytes, stride: &Stride, k: u64) -> Result<Option<u64>, RecordingError> {
        let Some(directory) = stride.directory_of(k) else { return Ok(None) };
        let fits = |place: &Place| {
            Some(place.samples) == stride.samples_of(k) && (place.next == 0 || Some(place.next) == stride.directory_of(k + 1))
        };
        Ok(self.at(bytes, directory)?.filter(fits).map(|place| place.next))
    }

    /// The last page of a stride, and whether the list ends there as it should; none when it goes on in another way.
    fn end(&self, bytes: &mut Bytes, stride: &Stride) -> Result<Option<(u64, bool)>, RecordingError> {
        let frame_bytes = self.first.shape.bytes() as u64;
        let Some(room) = stride.room(bytes, frame_bytes) else { return Ok(None) };
        // The pages that were followed are regular.
        let (mut low, mut high, mut k) = (FOLLOWED as u64 - 2, room + 1, room);
        while low + 1 < high {
            match self.regular(bytes, stride, k)? {
                Some(0) => return Ok(Some((k, true))),
                Some(_) => low = low.max(k),
                None => high = high.min(k),
            }
            k = low + (high - low) / 2;
        }
        // Cut off, if the next directory reaches beyond the end.
        let next = stride.directory_of(low + 1).map(|next| Ifd::read(bytes, self.header, next, self.limits));
        Ok(matches!(next, None | Some(Err(Fault::PastEnd))).then_some((low, false)))
    }

    /// Whether some pages between are where they should be.
    fn holds(&self, bytes: &mut Bytes, stride: &Stride) -> Result<bool, RecordingError> {
        for n in 1..=SAMPLED {
            let k = (u128::from(stride.last) * u128::from(n) / u128::from(SAMPLED + 1)) as u64;
            if k < stride.last && self.regular(bytes, stride, k)? != stride.directory_of(k + 1) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The chain, where the pages lie at equal distances; `first` is the first page.
pub(crate) fn guess(bytes: &mut Bytes, header: Header, first: &Page, limits: &Limits) -> Result<Option<Chain>, RecordingError> {
    let probe = Probe { header, first, limits };
    let (mut places, mut directory) = (Vec::with_capacity(FOLLOWED), header.first_ifd);
    while places.len() < FOLLOWED && directory != 0 {
        let Some(place) = probe.at(bytes, directory)? else { return Ok(None) };
        directory = place.next;
        places.push(place);
    }
    if places.len() < FOLLOWED {
        return Ok(None);
    }
    let Some(stride) = Stride::of(&places, first.shape.bytes() as u64) else { return Ok(None) };
    let Some((last, complete)) = probe.end(bytes, &stride)? else { return Ok(None) };
    let stride = Stride { last, ..stride };
    let Some(count) = usize::try_from(last).ok().and_then(|last| last.checked_add(2)).filter(|n| *n <= limits.max_pages) else {
        return Ok(None);
    };
    if !probe.holds(bytes, &stride)? {
        return Ok(None);
    }
    let index = PageIndex::Plain(Runs::after_first(places[0].samples, stride.samples, stride.samples_step, count));
    Ok(Some(Chain { index, whole: count, listed: count, complete, mixed_compression: false, stride: Some(stride) }))
}

impl Stride {
    /// Holds the directory of a page against what was believed of it.
    pub(crate) fn check(&self, bytes: &mut Bytes, header: Header, page: usize, limits: &Limits) -> Result<(), RecordingError> {
        let Some(k) = (page as u64).checked_sub(1) else { return Ok(()) };
        let irregular =
            || RecordingError::corrupt(format!("frame `{page}` does not lie where the others of its row would have it"));
        let directory = self.directory_of(k).ok_or_else(irregular)?;
        let read = Ifd::read(bytes, header, directory, limits).and_then(|ifd| Page::read(&ifd, bytes, limits));
        match read {
            Ok(page) if page.contiguous().is_some() && page.contiguous() == self.samples_of(k) => Ok(()),
            Err(Fault::Refused(error @ RecordingError::Io(_))) => Err(error),
            _ => Err(irregular()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::ReadAt;
    use crate::walk::{follow, follow_all};
    use proptest::prelude::*;
    use std::io::Cursor;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const FRAME: usize = 6 * 4 * 2;

    /// A classic TIFF of 6 × 4 pixels: before each page's samples and directory `gap(page)` bytes of nothing.
    fn tiff(pages: usize, gap: impl Fn(usize) -> usize) -> Vec<u8> {
        let mut file = b"II*\0\0\0\0\0".to_vec();
        let mut link = 4;
        for page in 0..pages {
            file.resize(file.len() + gap(page), 0);
            let samples = file.len() as u32;
            file.extend((0..FRAME).map(|n| (n + page) as u8));
            let directory = file.len() as u32;
            file[link..link + 4].copy_from_slice(&directory.to_le_bytes());
            let long = |tag: u16, value: u32| (tag, 4u16, value);
            let entries = [long(256, 4), long(257, 6), long(258, 16), long(259, 1), long(273, samples), long(278, 6)];
            let entries = [&entries[..], &[long(279, FRAME as u32)]].concat();
            file.extend((entries.len() as u16).to_le_bytes());
            for (tag, kind, value) in entries {
                file.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
                file.extend([1u32.to_le_bytes(), value.to_le_bytes()].concat());
            }
            link = file.len();
            file.extend([0; 4]);
        }
        file
    }

    /// Counts reads of the file below.
    struct Counting(Cursor<Vec<u8>>, Arc<AtomicUsize>);

    impl ReadAt for Counting {
        fn size(&self) -> std::io::Result<u64> {
            self.0.size()
        }
        fn read_exact_at(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
            self.1.fetch_add(1, Ordering::SeqCst);
            self.0.read_exact_at(offset, out)
        }
    }

    fn opened(file: Vec<u8>) -> (Bytes, Header, Page) {
        let mut bytes = Bytes::new(Arc::new(Cursor::new(file))).unwrap();
        let header = Header::read(&mut bytes).unwrap();
        let ifd = Ifd::read(&mut bytes, header, header.first_ifd, &Limits::default()).unwrap();
        let page = Page::read(&ifd, &mut bytes, &Limits::default()).unwrap();
        (bytes, header, page)
    }

    fn open(file: Box<dyn crate::ReadAt>) -> crate::Recording {
        crate::open(file, &Limits::default(), &crate::Overrides::default()).unwrap()
    }

    fn both(file: Vec<u8>) -> (Chain, Chain) {
        let (mut bytes, header, first) = opened(file);
        let limits = Limits::default();
        let guessed = follow(&mut bytes, header, &first, &limits).unwrap();
        (guessed, follow_all(&mut bytes, header, &first, &limits).unwrap())
    }

    #[test]
    fn a_regular_list_is_found_in_few_reads() {
        // Each directory in a block of its own, as between large frames.
        for pages in [6, 7, 100, 1500] {
            let reads = Arc::new(AtomicUsize::new(0));
            let file = Counting(Cursor::new(tiff(pages, |page| if page == 0 { 300 } else { 70_000 })), reads.clone());
            let recording = open(Box::new(file));
            assert_eq!(recording.info().frames, pages);
            assert!(reads.load(Ordering::SeqCst) < 50, "{pages} pages: {} reads", reads.load(Ordering::SeqCst));
            let mut frame = crate::FrameBuffer::new();
            recording.read_page(pages - 1, &mut frame).unwrap();
        }
    }

    #[test]
    fn a_page_out_of_line_is_never_read_as_another() {
        let pages = 400;
        for odd in [6, 77, 123, 398, 399] {
            let file = tiff(pages, |page| if page == odd { 10 } else { 4 });
            let (guessed, walked) = both(file);
            assert_eq!(guessed.index, walked.index, "a shift of all that follows shows at the end: page {odd}");
        }
        // Moved within its own room, it shows only where it lies.
        let (mut file, odd, step) = (tiff(pages, |_| 4), 151, 4 + FRAME + 2 + 7 * 12 + 4);
        let (_, header, _) = opened(file.clone());
        let offset = header.first_ifd as usize + odd * step + 2 + 4 * 12 + 8;
        let samples = u32::from_le_bytes(file[offset..offset + 4].try_into().unwrap());
        file[offset..offset + 4].copy_from_slice(&(samples - 2).to_le_bytes());
        let recording = open(Box::new(Cursor::new(file)));
        let mut frame = crate::FrameBuffer::new();
        recording.read_page(odd - 1, &mut frame).unwrap();
        assert!(recording.read_page(odd, &mut frame).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn a_guess_is_what_following_finds(pages in 1usize..60, gap in 0usize..9, first in 0usize..40, cut in 0usize..400) {
            let mut file = tiff(pages, |page| if page == 0 { first } else { gap });
            let whole = file.len();
            // Not into the first page, which has to be there.
            let keep = (whole.saturating_sub(cut)).max(first + 8 + FRAME + 90).min(whole);
            file.truncate(keep);
            let (guessed, walked) = both(file);
            prop_assert_eq!(Chain { stride: None, ..guessed }, walked);
        }
    }
}
