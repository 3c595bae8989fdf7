//! The elements of the session's XML.

use std::collections::BTreeSet;

use super::super::units::{interval, positive};
use super::super::xml::{Element, Item, Items};
use crate::RecordingError;

#[derive(Debug, Default)]
pub(super) struct Session {
    is_session: bool,
    pub(super) sequences: Vec<Sequence>,
    pub(super) frame_period_s: Option<f64>,
    pub(super) pixel_size_um: Option<f64>,
    /// Whether the text ended before its elements did.
    pub(super) cut: bool,
    /// The setting whose `IndexedValue`s come next.
    indexed: Option<String>,
    in_frame: bool,
    files: usize,
}

/// A cycle: the frames of a time series, or the planes of one volume.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    pub(super) cycle: u64,
    pub(super) bidirectional: bool,
    /// Whether its frames are planes.
    z_series: bool,
    pub(super) frames: Vec<Frame>,
}

#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) time_s: f64,
    absolute_s: Option<f64>,
    relative_s: Option<f64>,
    pub(super) files: Vec<File>,
}

#[derive(Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) page: usize,
    /// The microscope's number.
    pub(super) channel: u64,
}

impl Session {
    pub(super) fn read(text: &str, most_pages: usize) -> Result<Self, RecordingError> {
        let mut session = Self::default();
        let mut items = Items::of(text);
        for item in items.by_ref() {
            match item {
                Item::Open(element) => session.open(&element),
                Item::Close(name) => session.close(&name),
                Item::Text(_) => {}
            }
            if session.files > most_pages {
                return Err(RecordingError::too_big(
                    format!("the session lists more than `{most_pages}` pages"),
                    "split the recording into several sessions",
                ));
            }
        }
        session.cut = items.is_open();
        session.finish()
    }

    fn finish(mut self) -> Result<Self, RecordingError> {
        if !self.is_session {
            return Err(RecordingError::not_a_recording(
                "the XML is not the session file of Prairie View",
                "upload the folder with the session's own XML, which has the folder's name",
            ));
        }
        for frame in self.sequences.iter_mut().flat_map(|sequence| &mut sequence.frames) {
            frame.files.sort_by_key(|file| file.channel);
        }
        for sequence in &mut self.sequences {
            sequence.frames.retain(|frame| !frame.files.is_empty());
        }
        self.sequences.retain(|sequence| !sequence.frames.is_empty());
        if self.sequences.is_empty() {
            return Err(RecordingError::not_a_recording(
                "the session's XML names no files",
                "check that the acquisition has finished, then upload the folder again",
            ));
        }
        Ok(self)
    }

    fn open(&mut self, element: &Element<'_>) {
        match element.name().as_ref() {
            "PVScan" => self.is_session = true,
            "Sequence" => self.sequences.push(Sequence {
                cycle: element.number("cycle").unwrap_or(0),
                bidirectional: element.get("bidirectionalZ").is_some_and(|on| on.eq_ignore_ascii_case("true")),
                z_series: element.get("type").is_some_and(|kind| kind.contains("ZSeries")),
                frames: Vec::new(),
            }),
            "Frame" => {
                self.in_frame = true;
                let time = |key: &str| element.number::<f64>(key).filter(|s| s.is_finite());
                let (absolute_s, relative_s) = (time("absoluteTime"), time("relativeTime"));
                let time_s = absolute_s.or(relative_s).unwrap_or(0.0);
                if let Some(sequence) = self.sequences.last_mut() {
                    sequence.frames.push(Frame { time_s, absolute_s, relative_s, files: Vec::new() });
                }
            }
            "File" => self.file(element),
            // Version 5 and version 4.
            "PVStateValue" | "Key" => self.setting(element),
            "IndexedValue" => self.indexed_value(element),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "Frame" => self.in_frame = false,
            "PVStateValue" => self.indexed = None,
            _ => {}
        }
    }

    fn file(&mut self, element: &Element<'_>) {
        let name = element.get("filename").and_then(|path| path.rsplit(['/', '\\']).next().map(str::to_owned));
        let Some(name) = name.filter(|name| !matches!(name.as_str(), "" | "." | "..")) else {
            return;
        };
        let page = element.number::<usize>("page").unwrap_or(1).saturating_sub(1);
        let channel = element.number("channel").unwrap_or(1);
        let frame = self.sequences.last_mut().and_then(|sequence| sequence.frames.last_mut());
        if let Some(frame) = frame.filter(|_| self.in_frame) {
            self.files += 1;
            frame.files.push(File { name, page, channel });
        }
    }

    /// The first value of a setting holds for the session; frames repeat what changes, such as their position.
    fn setting(&mut self, element: &Element<'_>) {
        let value = || element.get("value").as_deref().and_then(positive);
        let key = element.get("key");
        match key.as_deref() {
            Some("framePeriod") if self.frame_period_s.is_none() => self.frame_period_s = value(),
            Some("micronsPerPixel_XAxis") if self.pixel_size_um.is_none() => self.pixel_size_um = value(),
            _ => {}
        }
        self.indexed = key;
    }

    fn indexed_value(&mut self, element: &Element<'_>) {
        let is_width = self.indexed.as_deref() == Some("micronsPerPixel") && element.get("index").as_deref() == Some("XAxis");
        if is_width && self.pixel_size_um.is_none() {
            self.pixel_size_um = element.get("value").as_deref().and_then(positive);
        }
    }

    /// Planes of a volume: the frames of most cycles of a z series, 1 for series in time.
    pub(super) fn planes(&self) -> usize {
        if !self.sequences.iter().all(|sequence| sequence.z_series) {
            return 1;
        }
        let mut sizes: Vec<usize> = self.sequences.iter().map(|sequence| sequence.frames.len()).collect();
        sizes.sort_unstable();
        sizes[(sizes.len() - 1) / 2]
    }

    /// The microscope's channel numbers in order.
    pub(super) fn channels(&self) -> Vec<u64> {
        let files = self.sequences.iter().flat_map(|s| &s.frames).flat_map(|frame| &frame.files);
        files.map(|file| file.channel).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Seconds from one volume to the next by the time stamps: of the cycles' first frames, or of a cycle's frames.
    pub(super) fn interval_s(&self, planes: usize) -> Option<f64> {
        let longest = self.sequences.iter().max_by_key(|sequence| sequence.frames.len())?;
        // A cycle may also be a single frame.
        if planes > 1 || longest.frames.len() == 1 {
            let starts = self.sequences.iter().filter_map(|sequence| sequence.frames.first()?.absolute_s);
            return interval(starts, 0.0);
        }
        interval(longest.frames.iter().filter_map(|frame| frame.relative_s.or(frame.absolute_s)), 0.0)
    }
}
