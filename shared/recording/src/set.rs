//! A recording in many files: a volume or a frame in each, or a long recording cut in pieces.

use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::axes::Axes;
use crate::bytes::ReadAt;
use crate::decode::Scratch;
use crate::metadata::{Axis, CHANNEL_PLANE_TIME, Metadata, Stated};
use crate::names;
use crate::page::Shape;
use crate::part::Part;
use crate::survey::{self, Looked};
use crate::{FrameBuffer, Info, Limits, Overrides, RecordingError, SampleType, Source};

/// The files of a recording, in any order: those that are no TIFF by name are left aside, names give the order.
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
/// Files of more planes than this are pieces of a long recording, not volumes.
const MOST_PLANES: usize = 100;

/// Files that fit one another.
pub(crate) struct Set {
    files: Files,
    /// The first page of each file, and the number of all pages at the end.
    starts: Vec<usize>,
    shape: Shape,
    /// Those used last, the latest at the end.
    open: Mutex<Vec<(usize, Arc<Part>)>>,
}

/// The TIFF files among the members, in the order of their pages.
struct Files {
    members: Box<dyn Members>,
    order: Vec<usize>,
    channels: Option<usize>,
    notes: Vec<String>,
}

impl Files {
    fn of(members: Box<dyn Members>) -> Result<Self, RecordingError> {
        let all = members.names();
        let tiffs: Vec<usize> = (0..all.len()).filter(|member| is_tiff(&all[*member])).collect();
        if tiffs.is_empty() {
            return Err(RecordingError::not_a_recording(
                "the folder holds no TIFF file",
                "put the recording's TIFF files (.tif or .tiff) into the folder",
            ));
        }
        let names: Vec<String> = tiffs.iter().map(|member| all[*member].clone()).collect();
        let arranged = names::arrange(&names, members.is_list())?;
        let order = arranged.order.iter().map(|at| tiffs[*at]).collect();
        Ok(Self { members, order, channels: arranged.channels, notes: arranged.notes })
    }

    fn name(&self, file: usize) -> &str {
        &self.members.names()[self.order[file]]
    }

    fn look(&self, file: usize, limits: &Limits) -> Result<Looked, RecordingError> {
        let source = self.members.open(self.order[file])?;
        survey::look(&Arc::from(source), limits).map_err(|error| error.of_file(self.name(file)))
    }

    /// Looks through one file for what must be the same in all.
    fn see(&self, file: usize, limits: &Limits) -> Result<Seen, RecordingError> {
        let looked = self.look(file, limits)?;
        let (pages, shape) = (looked.part.index.len(), looked.part.shape);
        let signed16 = looked.metadata.signed16 && shape.stored == SampleType::U16;
        Ok(Seen { pages, shape, dtype: if signed16 { SampleType::I16 } else { shape.stored } })
    }

    fn check_same(&self, seen: &[Seen]) -> Result<(), RecordingError> {
        let describe = |s: &Seen| format!("{} × {} {}", s.shape.height, s.shape.width, s.dtype);
        let odd = seen.iter().position(|s| s.shape != seen[0].shape || s.dtype != seen[0].dtype);
        let Some(odd) = odd else { return Ok(()) };
        let (name, first) = (self.name(odd), self.name(0));
        Err(RecordingError::unsupported(
            format!("`{name}` is `{}` and the first file, `{first}`, is `{}`", describe(&seen[odd]), describe(&seen[0])),
            "move the files that do not belong to the recording, such as reference images, out of the folder",
        ))
    }
}

/// Names that microscopes and Fiji give TIFFs; `.btf`, `.tf2` and `.tf8` are BigTIFFs of OME and Bio-Formats.
fn is_tiff(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".tif", ".tiff", ".btf", ".tf2", ".tf8"].iter().any(|end| lower.ends_with(end))
}

/// What is kept of a file that was looked through.
struct Seen {
    pages: usize,
    shape: Shape,
    dtype: SampleType,
}

impl Set {
    /// Looks through every file and gives the pages of all of them their meaning.
    pub(crate) fn open(
        members: Box<dyn Members>,
        limits: &Limits,
        overrides: &Overrides,
    ) -> Result<(Self, Axes, Info), RecordingError> {
        let files = Files::of(members)?;
        let count = files.order.len();
        let first = files.look(0, limits)?;
        let seen: Vec<_> = (0..count).into_par_iter().map(|file| files.see(file, limits)).collect();
        let seen: Vec<Seen> = seen.into_iter().collect::<Result<_, _>>()?;
        files.check_same(&seen)?;
        let mut starts = vec![0];
        for seen in &seen {
            starts.push(starts[starts.len() - 1] + seen.pages);
        }
        let pages = starts[starts.len() - 1];
        if pages as u64 > limits.max_frames {
            return Err(RecordingError::too_big(
                format!("the files hold `{pages}` frames, at most `{}` are read", limits.max_frames),
                "split the recording",
            ));
        }
        let Looked { part, first: page, metadata, mut findings } = first;
        findings.notes.extend(files.notes.iter().cloned());
        let of_volumes = volumes(&seen, &metadata, overrides);
        let metadata = over_all(metadata, &seen, files.channels)?;
        let metadata = match &of_volumes {
            Some(_) => Metadata { frames: None, ..metadata },
            None => metadata,
        };
        let mut overrides = overrides.clone();
        if let Some(volume) = &of_volumes {
            overrides.planes = Some(volume.planes);
            findings.notes.retain(|note| !volume.replaces(note));
            findings.notes.push(volume.note(count));
        }
        let (axes, mut info) = survey::describe(pages, &page, &metadata, &overrides, limits, findings)?;
        if let Some(volume) = of_volumes {
            info.sources.insert("planes".to_owned(), volume.source);
        }
        info.files = count;
        Ok((Self { shape: part.shape, files, starts, open: Mutex::default() }, axes, info))
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
        let (member, within) = self.place(page)?;
        let part = self.part(member, limits)?;
        part.read(within.start, dtype, scratch, limits, out).map_err(|error| error.of_file(self.files.name(member)))
    }

    /// The file of a page, and its pages from that one on.
    fn place(&self, page: usize) -> Result<(usize, Range<usize>), RecordingError> {
        let member = self.starts.partition_point(|start| *start <= page);
        let pages = self.starts[self.starts.len() - 1];
        match member.checked_sub(1) {
            Some(member) if page < pages => Ok((member, page - self.starts[member]..self.starts[member + 1])),
            _ => Err(RecordingError::NoSuchPage { page, pages }),
        }
    }

    fn part(&self, member: usize, limits: &Limits) -> Result<Arc<Part>, RecordingError> {
        let opened = || self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, part)) = opened().iter().find(|(of, _)| *of == member) {
            return Ok(part.clone());
        }
        let part = Arc::new(self.files.look(member, limits)?.part);
        let pages = self.starts[member + 1] - self.starts[member];
        if part.index.len() != pages || part.shape != self.shape {
            return Err(RecordingError::corrupt("the file changed while it was read").of_file(self.files.name(member)));
        }
        let mut open = opened();
        if open.len() == OPEN {
            open.remove(0);
        }
        open.push((member, part.clone()));
        Ok(part)
    }
}

/// Files that hold one volume each.
struct Volumes {
    planes: usize,
    source: Source,
}

impl Volumes {
    fn note(&self, files: usize) -> String {
        let planes = self.planes;
        match self.source {
            Source::Assumed => format!(
                "each of the {files} files holds {planes} pages and does not say what they are; they are read as one volume \
                 of {planes} planes in each file, and as time points when planes = 1 is stated"
            ),
            _ => format!("each of the {files} files holds one volume of {planes} planes"),
        }
    }

    /// A note that was right for one file alone.
    fn replaces(&self, note: &str) -> bool {
        note.contains("slices are read as time points")
    }
}

/// Whether each file is one volume: its slices say so, or there are more files than pages in each, and all alike.
fn volumes(seen: &[Seen], metadata: &Metadata, overrides: &Overrides) -> Option<Volumes> {
    let pages = seen[0].pages;
    if overrides.planes.is_some() || seen.len() < 2 || seen.iter().any(|s| s.pages != pages) || pages < 2 {
        return None;
    }
    let channels = overrides.channels.or(metadata.channels.as_ref().map(|c| c.value)).unwrap_or(1).max(1);
    let planes = pages / channels;
    if !pages.is_multiple_of(channels) || !(2..=MOST_PLANES).contains(&planes) {
        return None;
    }
    match &metadata.frames {
        Some(stated) if stated.field == "ImageJ slices" && stated.value == planes => {
            Some(Volumes { planes, source: Source::Metadata(stated.field.clone()) })
        }
        None if metadata.planes.is_none() && seen.len() > pages => Some(Volumes { planes, source: Source::Assumed }),
        _ => None,
    }
}

/// What the first file states, for all of them.
fn over_all(metadata: Metadata, seen: &[Seen], channels: Option<usize>) -> Result<Metadata, RecordingError> {
    if seen.len() == 1 {
        return Ok(metadata);
    }
    if let Some(channels) = channels {
        return of_channel_files(metadata, seen, channels);
    }
    let size = |axis: &Option<Stated<usize>>| axis.as_ref().map_or(1, |s| s.value);
    let total: usize = seen.iter().map(|s| s.pages).sum();
    let of_one_file = seen[0].pages == size(&metadata.frames) * size(&metadata.planes) * size(&metadata.channels);
    if of_one_file && metadata.order[2] != Axis::Time && size(&metadata.frames) > 1 {
        return Err(RecordingError::unsupported(
            "each file holds its planes or channels one after the other, each over time",
            "in Fiji choose Image > Hyperstacks > Re-order Hyperstack so that time comes last, or upload each file by itself",
        ));
    }
    // A set of which each file knows the whole, as OME writes them, states all time points; others those of one file.
    let whole = size(&metadata.frames).checked_mul(size(&metadata.planes)).and_then(|n| n.checked_mul(size(&metadata.channels)));
    let frames = metadata.frames.filter(|_| whole == Some(total));
    Ok(Metadata { frames, pages: None, ..metadata })
}

/// Files that hold one channel each, and alternate.
fn of_channel_files(metadata: Metadata, seen: &[Seen], channels: usize) -> Result<Metadata, RecordingError> {
    if seen.iter().any(|s| s.pages != 1) {
        return Err(RecordingError::unsupported(
            "each channel is in files of its own that hold several frames each",
            "give the files of one channel only, or write one file per frame",
        ));
    }
    let channels = Some(Stated::new(channels, "file names"));
    Ok(Metadata { frames: None, pages: None, channels, order: CHANNEL_PLANE_TIME, ..metadata })
}
