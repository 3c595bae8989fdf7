//! What acquisition programs write about a recording.
//!
//! Nothing here fails: a recording can be read without. What cannot be true becomes a note and counts as not stated.

mod grid;
mod imagej;
mod lines;
mod metamorph;
mod micromanager;
mod ome;
mod pages;
pub(crate) mod prairie;
mod scanimage;
mod shaped;
mod units;
mod xml;

use crate::Limits;
use crate::bytes::Bytes;
use crate::ifd::{Ifd, tag};

/// A fact and the field that states it, such as (`240`, `ImageJ frames`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stated<T> {
    pub(crate) value: T,
    pub(crate) field: String,
}

impl<T> Stated<T> {
    pub(crate) fn new(value: T, field: impl Into<String>) -> Self {
        Self { value, field: field.into() }
    }
}

/// The order in which pages follow one another, fastest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    Channel,
    Plane,
    Time,
}

/// ImageJ's and ScanImage's order.
pub(crate) const CHANNEL_PLANE_TIME: [Axis; 3] = [Axis::Channel, Axis::Plane, Axis::Time];

/// Files that belong together, this one among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct FileSet {
    /// Names without folders in order of time; empty where only another file knows them.
    pub(crate) files: Vec<String>,
    /// The file that says what the pages mean, where this one does not.
    pub(crate) described_in: Option<String>,
    /// Planes and channels of all files together, where they are stated.
    pub(crate) whole: Option<(usize, usize)>,
}

/// Everything a file states about its axes and units.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) frames: Option<Stated<usize>>,
    pub(crate) planes: Option<Stated<usize>>,
    pub(crate) channels: Option<Stated<usize>>,
    /// Pages of each channel at the end of each volume that were taken while the objective flew back.
    pub(crate) flyback: usize,
    pub(crate) order: [Axis; 3],
    /// Volumes per second for the planes and channels stated here.
    pub(crate) frame_rate_hz: Option<Stated<f64>>,
    /// Whether channels are recorded at the same time, so that their number does not change the rate.
    pub(crate) channels_are_simultaneous: bool,
    pub(crate) pixel_size_um: Option<Stated<f64>>,
    /// Pages that the file claims in all.
    pub(crate) pages: Option<u64>,
    /// Whether frames beyond the first may follow it without directories.
    pub(crate) stack_without_directories: bool,
    /// Whether the value of a uint16 sample is the stored one less 32768.
    pub(crate) signed16: bool,
    /// The files that the recording is spread over, where that is more than this one.
    pub(crate) set: Option<FileSet>,
    pub(crate) notes: Vec<String>,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            frames: None,
            planes: None,
            channels: None,
            flyback: 0,
            order: CHANNEL_PLANE_TIME,
            frame_rate_hz: None,
            channels_are_simultaneous: false,
            pixel_size_um: None,
            pages: None,
            stack_without_directories: false,
            signed16: false,
            set: None,
            notes: Vec::new(),
        }
    }
}

impl Metadata {
    /// Reads what the first pages' texts and the header's state. Never fails: a recording can be read without.
    pub(crate) fn read(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits) -> Self {
        let descriptions = ifd.texts(bytes, tag::DESCRIPTION, limits.max_description_bytes, 2);
        let resolution = imagej::Resolution::read(ifd, bytes);
        let mut found: Vec<_> = descriptions.iter().filter_map(|text| ome::parse(text)).collect();
        found.extend(descriptions.iter().filter_map(|text| imagej::parse(text, resolution)));
        found.extend(descriptions.iter().filter_map(|text| shaped::parse(text)));
        found.extend(scanimage::read(ifd, bytes, limits, &descriptions));
        found.extend(micromanager::read(ifd, bytes, limits));
        found.extend(metamorph::read(ifd, bytes));
        Self::of_all(found)
    }

    /// Joins statements; earlier ones win.
    fn of_all(found: Vec<Self>) -> Self {
        let mut metadata = found.into_iter().map(Self::plausible).reduce(Self::or).unwrap_or_default();
        if let Some(FileSet { files, .. }) = metadata.set.as_ref().filter(|set| set.files.len() > 1) {
            let (first, last) = (&files[0], &files[files.len() - 1]);
            metadata.notes.push(format!(
                "the file is one of a set of `{}` files, from `{first}` to `{last}`; only its own pages are read here, give all of \
                 them or their folder to read the whole recording",
                files.len()
            ));
        }
        metadata
    }

    /// Without the rates and sizes that no microscope has.
    fn plausible(mut self) -> Self {
        self.frame_rate_hz = units::plausible_rate(self.frame_rate_hz, &mut self.notes);
        self.pixel_size_um = units::plausible_pixel(self.pixel_size_um, &mut self.notes);
        self
    }

    /// What `self` states, and of the rest what `other` states. The axes are taken from one of them as a whole.
    fn or(mut self, other: Self) -> Self {
        self.notes.extend(other.notes.iter().cloned());
        self.note_differences(&other);
        if self.frames.is_none() && self.planes.is_none() && self.channels.is_none() {
            self.frames = other.frames;
            self.planes = other.planes;
            self.channels = other.channels;
            self.flyback = other.flyback;
            self.order = other.order;
        }
        self.frame_rate_hz = self.frame_rate_hz.or(other.frame_rate_hz);
        self.pixel_size_um = self.pixel_size_um.or(other.pixel_size_um);
        self.pages = self.pages.or(other.pages);
        self.set = self.set.or(other.set);
        self.channels_are_simultaneous |= other.channels_are_simultaneous;
        self.stack_without_directories |= other.stack_without_directories;
        self.signed16 |= other.signed16;
        self
    }

    fn note_differences(&mut self, other: &Self) {
        // Time points are planned by some programs and counted by others: those are compared with the pages instead.
        for (mine, theirs) in [(&self.planes, &other.planes), (&self.channels, &other.channels)] {
            if let (Some(mine), Some(theirs)) = (mine, theirs)
                && mine.value != theirs.value
            {
                self.notes.push(differ(mine, theirs));
            }
        }
        for (mine, theirs) in [(&self.frame_rate_hz, &other.frame_rate_hz), (&self.pixel_size_um, &other.pixel_size_um)] {
            if let (Some(mine), Some(theirs)) = (mine, theirs)
                && (mine.value / theirs.value - 1.0).abs() > 0.02
            {
                self.notes.push(differ(mine, theirs));
            }
        }
    }
}

fn differ<T: std::fmt::Display>(mine: &Stated<T>, theirs: &Stated<T>) -> String {
    format!("{} says `{}` and {} says `{}`; the first is followed", mine.field, mine.value, theirs.field, theirs.value)
}

/// Runs every reader of text on the same text.
#[cfg(any(test, fuzzing))]
pub(crate) fn parse_all(text: &str) -> Metadata {
    let mut found: Vec<_> = ome::parse(text).into_iter().collect();
    found.extend(imagej::parse(text, imagej::Resolution::default()));
    found.extend(shaped::parse(text));
    found.extend(scanimage::parse(text));
    found.extend(micromanager::parse(text, &[text.to_owned(), text.to_owned()]));
    // The session file of Prairie View gives a list of files, not metadata of this one.
    let _ = prairie::Prairie::parse(text, &Limits::default());
    Metadata::of_all(found)
}

#[cfg(test)]
mod tests;
