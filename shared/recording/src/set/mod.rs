//! A recording in many files: a volume or a frame in each, or a long recording cut in pieces.

mod files;
mod meaning;
mod session;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::axes::Axes;
use crate::bytes::ReadAt;
use crate::decode::Scratch;
use crate::page::Shape;
use crate::part::Part;
use crate::survey::{self, Looked};
use crate::{FrameBuffer, Info, Limits, Overrides, RecordingError, SampleType};

use files::{Files, Seen};

/// The files of a recording, in any order: those that are no TIFF by name are left aside, names give the order, or the
/// session file of Prairie View where there is one.
pub trait Members: Send + Sync {
    /// Returns their names, as a person knows them.
    fn names(&self) -> &[String];

    /// Opens one of them, counted from 0.
    ///
    /// # Errors
    /// When it cannot be opened now.
    fn open(&self, member: usize) -> io::Result<Box<dyn ReadAt>>;

    /// Says whether somebody named every file, so that gaps in their numbers are meant.
    fn is_list(&self) -> bool {
        false
    }
}

/// Files that stay open: neighbours in time are read by several threads at once.
const OPEN: usize = 16;

/// Files that fit one another.
pub(crate) struct Set {
    files: Files,
    pages: Pages,
    /// Pages in each file.
    counts: Vec<usize>,
    shape: Shape,
    /// Those used last, the latest at the end.
    open: Mutex<Vec<(usize, Arc<Part>)>>,
}

/// Which page of which file a page is.
enum Pages {
    /// One file after the other: the first page of each, and the number of all at the end.
    InTurn(Vec<usize>),
    /// As a list has it.
    Listed(Vec<(u32, u32)>),
}

impl Pages {
    fn in_turn(seen: &[Seen]) -> Self {
        let mut starts = vec![0];
        for seen in seen {
            starts.push(starts[starts.len() - 1] + seen.pages);
        }
        Self::InTurn(starts)
    }

    fn len(&self) -> usize {
        match self {
            Self::InTurn(starts) => starts[starts.len() - 1],
            Self::Listed(list) => list.len(),
        }
    }

    /// The file of a page, and its page there.
    fn place(&self, page: usize) -> Option<(usize, usize)> {
        match self {
            Self::InTurn(starts) => {
                let file = starts.partition_point(|start| *start <= page).checked_sub(1)?;
                (file + 1 < starts.len()).then(|| (file, page - starts[file]))
            }
            Self::Listed(list) => list.get(page).map(|(file, page)| (*file as usize, *page as usize)),
        }
    }
}

impl Set {
    /// Looks through every file and gives the pages of all of them their meaning.
    pub(crate) fn open(
        members: Box<dyn Members>,
        limits: &Limits,
        overrides: &Overrides,
    ) -> Result<(Self, Axes, Info), RecordingError> {
        let mut files = Files::of(members, limits)?;
        let mut first = files.look(0, limits)?;
        if files.follow(first.metadata.set.as_ref())? {
            first = files.look(0, limits)?;
        }
        let seen: Vec<_> = (0..files.count()).into_par_iter().map(|file| files.see(file, limits)).collect();
        let seen: Vec<Seen> = seen.into_iter().collect::<Result<_, _>>()?;
        files.check_same(&seen)?;
        let pages = match &files.session {
            Some(session) => Pages::Listed(session.places(&files, &seen)?),
            None => Pages::in_turn(&seen),
        };
        if pages.len() as u64 > limits.max_frames {
            return Err(RecordingError::too_big(
                format!("the files hold `{}` frames, at most `{}` are read", pages.len(), limits.max_frames),
                "split the recording",
            ));
        }
        let Looked { part, first: page, metadata, mut findings } = first;
        findings.notes.extend(files.notes.iter().cloned());
        let meaning = meaning::of(metadata, &seen, &files, overrides, &mut findings)?;
        let (axes, mut info) = survey::describe(pages.len(), &page, &meaning.metadata, &meaning.overrides, limits, findings)?;
        info.sources.extend(meaning.planes_from.map(|source| ("planes".to_owned(), source)));
        info.files = files.count();
        let counts = seen.iter().map(|seen| seen.pages).collect();
        Ok((Self { shape: part.shape, files, pages, counts, open: Mutex::default() }, axes, info))
    }

    /// Reads one page, counted from 0 over all files.
    pub(crate) fn read(
        &self,
        page: usize,
        dtype: SampleType,
        scratch: &mut Scratch,
        limits: &Limits,
        out: &mut FrameBuffer,
    ) -> Result<(), RecordingError> {
        let missing = RecordingError::NoSuchPage { page, pages: self.pages.len() };
        let (file, within) = self.pages.place(page).ok_or(missing)?;
        let part = self.part(file, limits)?;
        part.read(within, dtype, scratch, limits, out).map_err(|error| error.of_file(self.files.name(file)))
    }

    fn part(&self, file: usize, limits: &Limits) -> Result<Arc<Part>, RecordingError> {
        let opened = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, part)) = opened().iter().find(|(of, _)| *of == file) {
            return Ok(part.clone());
        }
        let part = Arc::new(self.files.look(file, limits)?.part);
        if part.pages() != self.counts[file] || part.shape != self.shape {
            return Err(RecordingError::corrupt("the file changed while it was read").of_file(self.files.name(file)));
        }
        let mut open = opened();
        if open.len() == OPEN {
            open.remove(0);
        }
        open.push((file, part.clone()));
        Ok(part)
    }
}
