//! A checked recording and its frames.

use std::ops::Range;

use crate::bytes::{Bytes, ReadSeek};
use crate::decode::{DecodeFault, Scratch};
use crate::ifd::{Fault, Ifd};
use crate::index::PageIndex;
use crate::page::Page;
use crate::survey::{Survey, survey};
use crate::{Frame, FrameBuffer, Info, Limits, Overrides, RecordingError};

/// A recording whose headers passed every check; pixels are read on demand.
pub struct Recording {
    bytes: Bytes,
    survey: Survey,
    limits: Limits,
    scratch: Scratch,
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("info", &self.survey.info).finish_non_exhaustive()
    }
}

/// Opens a recording: reads and checks all headers, no pixels.
///
/// Time and memory are bounded by `limits` and the length of the file whatever the bytes are.
///
/// # Errors
///
/// Says why the file is not accepted: it is no TIFF, of an unread sort, damaged or cut short, beyond `limits`, at
/// odds with `overrides`, or its bytes cannot be read ([`RecordingError::Io`]).
pub fn open(reader: Box<dyn ReadSeek>, limits: &Limits, overrides: &Overrides) -> Result<Recording, RecordingError> {
    let mut bytes = Bytes::new(reader)?;
    let survey = survey(&mut bytes, limits, overrides)?;
    Ok(Recording { bytes, survey, limits: limits.clone(), scratch: Scratch::default() })
}

impl Recording {
    /// Returns what the recording is.
    pub fn info(&self) -> &Info {
        &self.survey.info
    }

    /// Returns the page of a time point, plane and channel, each counted from 0; `None` where there is none.
    pub fn page_of(&self, frame: usize, plane: usize, channel: usize) -> Option<usize> {
        self.survey.axes.page_of(frame, plane, channel)
    }

    /// Reads one page, counted from 0, into `out`, which takes its shape and type.
    ///
    /// # Errors
    ///
    /// The page does not exist, its samples do not unpack, or the bytes cannot be read.
    pub fn read_page(&mut self, page: usize, out: &mut FrameBuffer) -> Result<(), RecordingError> {
        let missing = RecordingError::NoSuchPage { page, pages: self.survey.info.pages };
        let shape = self.survey.shape;
        let order = self.survey.header.order;
        let (samples, order) = match &self.survey.index {
            PageIndex::Plain(runs) => {
                let offset = runs.get(page).ok_or(missing)?;
                if let Some(stride) = &self.survey.stride {
                    stride.check(&mut self.bytes, self.survey.header, page, &self.limits)?;
                }
                let samples = self.scratch.read_run(&mut self.bytes, offset, shape.bytes())?;
                (samples, order)
            }
            PageIndex::Directories(offsets) => {
                let offset = *offsets.get(page).ok_or(missing)?;
                let layout = self.survey.page_at(&mut self.bytes, offset, &self.limits)?;
                self.scratch.read_chunks(&mut self.bytes, &layout, order).map_err(|fault| match fault {
                    DecodeFault::Io(error) => error.into(),
                    DecodeFault::Damaged(source) => RecordingError::does_not_unpack(page, source),
                })?
            }
        };
        out.height = shape.height;
        out.width = shape.width;
        out.pixels.fill(self.survey.info.dtype, samples, order);
        if self.survey.signed16 {
            out.pixels.subtract_32768();
        }
        Ok(())
    }

    /// Returns the frames of one plane and channel in order of time; none if there is no such plane or channel.
    pub fn frames(&mut self, plane: usize, channel: usize) -> Frames<'_> {
        let exists = plane < self.survey.info.planes && channel < self.survey.info.channels;
        let left = if exists { 0..self.survey.info.frames } else { 0..0 };
        Frames { recording: self, plane, channel, left }
    }
}

impl Survey {
    /// Reads the directory at `offset` again, for the places of its strips or tiles.
    fn page_at(&self, bytes: &mut Bytes, offset: u64, limits: &Limits) -> Result<Page, RecordingError> {
        let changed = || RecordingError::corrupt("the file changed while it was read");
        let page =
            Ifd::read(bytes, self.header, offset, limits).and_then(|ifd| Page::read(&ifd, bytes, limits)).map_err(|fault| {
                match fault {
                    Fault::PastEnd => changed(),
                    Fault::Refused(error) => error,
                }
            })?;
        if page.shape == self.shape { Ok(page) } else { Err(changed()) }
    }
}

/// The frames of one plane and channel, see [`Recording::frames`].
#[derive(Debug)]
pub struct Frames<'a> {
    recording: &'a mut Recording,
    plane: usize,
    channel: usize,
    left: Range<usize>,
}

impl Iterator for Frames<'_> {
    type Item = Result<Frame, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.left.next()?;
        let page = self.recording.page_of(index, self.plane, self.channel)?;
        let mut buffer = FrameBuffer::new();
        let frame = self.recording.read_page(page, &mut buffer);
        Some(frame.map(|()| Frame { index, page, buffer }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl ExactSizeIterator for Frames<'_> {}
