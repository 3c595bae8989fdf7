//! A checked recording and its frames.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::axes::Axes;
use crate::bytes::ReadAt;
use crate::decode::Scratch;
use crate::part::Part;
use crate::set::{Members, Set};
use crate::survey::{self, Looked};
use crate::{Frame, FrameBuffer, Info, Limits, Overrides, RecordingError};

/// A recording whose headers passed every check; pixels are read on demand, by any number of threads.
pub struct Recording {
    files: Files,
    axes: Axes,
    info: Info,
    limits: Limits,
    /// Working memory of threads that are not reading just now.
    idle: Mutex<Vec<Scratch>>,
}

enum Files {
    One(Part),
    Many(Set),
}

impl std::fmt::Debug for Recording {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recording").field("info", &self.info).finish_non_exhaustive()
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
pub fn open(source: Box<dyn ReadAt>, limits: &Limits, overrides: &Overrides) -> Result<Recording, RecordingError> {
    overrides.check()?;
    let Looked { part, first, metadata, findings } = survey::look(&Arc::from(source), limits)?;
    let (axes, info) = survey::describe(part.pages(), &first, &metadata, overrides, limits, findings)?;
    Ok(Recording::new(Files::One(part), axes, info, limits))
}

/// Opens a recording in many files, in the order of time: a volume or a frame in each, or a long recording cut in pieces.
///
/// # Errors
///
/// As for [`open`], naming the file; also where files differ in shape or type.
pub fn open_set(members: Box<dyn Members>, limits: &Limits, overrides: &Overrides) -> Result<Recording, RecordingError> {
    overrides.check()?;
    let (set, axes, info) = Set::open(members, limits, overrides)?;
    Ok(Recording::new(Files::Many(set), axes, info, limits))
}

impl Recording {
    fn new(files: Files, axes: Axes, info: Info, limits: &Limits) -> Self {
        Self { files, axes, info, limits: limits.clone(), idle: Mutex::default() }
    }

    /// Returns what the recording is.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Returns the page of a time point, plane and channel, each counted from 0; `None` where there is none.
    pub fn page_of(&self, frame: usize, plane: usize, channel: usize) -> Option<usize> {
        self.axes.page_of(frame, plane, channel)
    }

    /// Reads one page, counted from 0, into `out`, which takes its shape and type.
    ///
    /// # Errors
    ///
    /// The page does not exist, its samples do not unpack, or the bytes cannot be read.
    pub fn read_page(&self, page: usize, out: &mut FrameBuffer) -> Result<(), RecordingError> {
        let mut scratch = self.idle().pop().unwrap_or_default();
        let read = self.read_with(&mut scratch, page, out);
        self.idle().push(scratch);
        read
    }

    /// Reads pages, counted from 0, each into its own of `out`, on all threads of the rayon pool that calls.
    ///
    /// # Errors
    ///
    /// As for [`Recording::read_page`]; of several the first page's.
    pub fn read_pages(&self, pages: &[usize], out: &mut [FrameBuffer]) -> Result<(), RecordingError> {
        self.will_read(pages);
        let read: Vec<_> = pages.par_iter().zip(out).map(|(page, out)| self.read_page(*page, out)).collect();
        read.into_iter().collect()
    }

    /// Returns the frames of one plane and channel in order of time; none if there is no such plane or channel.
    pub fn frames(&self, plane: usize, channel: usize) -> Frames<'_> {
        let exists = plane < self.info.planes && channel < self.info.channels;
        let left = if exists { 0..self.info.frames } else { 0..0 };
        Frames { recording: self, plane, channel, left }
    }

    fn read_with(&self, scratch: &mut Scratch, page: usize, out: &mut FrameBuffer) -> Result<(), RecordingError> {
        match &self.files {
            Files::One(part) => part.read(page, self.info.dtype, scratch, &self.limits, out),
            Files::Many(set) => set.read(page, self.info.dtype, scratch, &self.limits, out),
        }
    }

    /// Tells a store far away which bytes come next, where that is known without looking.
    fn will_read(&self, pages: &[usize]) {
        if let Files::One(part) = &self.files {
            let places: Vec<Range<u64>> = pages.iter().filter_map(|page| part.place(*page)).collect();
            part.source.will_read(&places);
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Scratch>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The frames of one plane and channel, see [`Recording::frames`].
#[derive(Debug)]
pub struct Frames<'a> {
    recording: &'a Recording,
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
