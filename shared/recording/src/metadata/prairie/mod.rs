//! The session file of Prairie View (Bruker, formerly Ultima): which page of which file is which frame.
//!
//! A session is a folder of TIFFs, mostly one page each, beside an XML named as the folder. The format is known from
//! the files that versions 4 and 5 write: `PVScan` holds `PVStateShard`s of settings and a `Sequence` per cycle, that a
//! `Frame` per time point or plane, and that a `File` per channel.

mod session;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::units;
use crate::{Limits, RecordingError, Source};
use session::{File, Frame, Sequence, Session};

/// A session as its XML describes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Prairie {
    /// Every page in order of time, then plane, then channel.
    pub pages: Vec<PrairiePage>,
    /// Planes per volume, at least 1.
    pub planes: usize,
    /// Channels per plane, at least 1.
    pub channels: usize,
    /// Volumes per second, or `None` where neither settings nor time stamps tell.
    pub frame_rate_hz: Option<f64>,
    /// Width of a pixel in µm, or `None` where it is not stated.
    pub pixel_size_um: Option<f64>,
    /// Where `frame_rate_hz` and `pixel_size_um` come from.
    pub sources: BTreeMap<String, Source>,
    /// Odd things that a person should know, one sentence each.
    pub notes: Vec<String>,
}

/// One page of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct PrairiePage {
    /// Name of the file, without folders.
    pub file: String,
    /// Page within the file, counted from 0.
    pub page: usize,
    /// Channel by rank, counted from 0: channels 2 and 3 of the microscope are 0 and 1.
    pub channel: usize,
    /// The microscope's number of the cycle, mostly counted from 1.
    pub cycle: u64,
    /// Plane within the volume, counted from 0, the same depth in either direction of the objective.
    pub plane: usize,
    /// Seconds since the session began, or since its cycle began where only that is stated; 0 where nothing is.
    pub time_s: f64,
}

impl Prairie {
    /// Reads the text of a session's XML. Time and memory are bounded by the text's length and by
    /// [`Limits::max_pages`]; nothing is read from the files that it names.
    ///
    /// A text that ends early, as after an interrupted acquisition, gives the frames that it has, with a note.
    ///
    /// # Errors
    ///
    /// The text is no session of Prairie View, names no files, or names more than the limits allow.
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, RecordingError> {
        let session = Session::read(text, limits.max_pages)?;
        let planes = session.planes();
        let mut notes = Vec::new();
        if session.cut {
            notes.push(
                "the session's XML ends early, as after an interrupted acquisition; the frames that it has are read".to_owned(),
            );
        }
        let mut sources = BTreeMap::new();
        let mut found = |fact: &str, stated: Option<super::Stated<f64>>| {
            let stated = stated?;
            sources.insert(fact.to_owned(), Source::Metadata(stated.field));
            Some(stated.value)
        };
        let rate = rate(&session, planes, &mut notes);
        let frame_rate_hz = found("frame_rate_hz", units::plausible_rate(rate, &mut notes));
        let pixel = session.pixel_size_um.map(|um| super::Stated::new(um, "Prairie View micronsPerPixel"));
        let pixel_size_um = found("pixel_size_um", units::plausible_pixel(pixel, &mut notes));
        let channels = session.channels();
        if session.sequences.iter().any(|sequence| planes > 1 && sequence.frames.len() != planes) {
            notes.push(format!("not every cycle of the session has `{planes}` planes; the others are left out"));
        }
        let pages = pages(session, planes, &channels, &mut notes);
        Ok(Self { pages, planes, channels: channels.len(), frame_rate_hz, pixel_size_um, sources, notes })
    }
}

/// Every page of every whole volume, in order.
fn pages(session: Session, planes: usize, channels: &[u64], notes: &mut Vec<String>) -> Vec<PrairiePage> {
    let mut pages = Vec::new();
    let mut partial = 0;
    let has_channels = |frame: &Frame| frame.files.iter().map(|file| &file.channel).eq(channels);
    for (number, sequence) in session.sequences.into_iter().enumerate() {
        let Sequence { cycle, bidirectional, mut frames, .. } = sequence;
        let listed = frames.len();
        frames.retain(has_channels);
        partial += listed - frames.len();
        if planes > 1 && frames.len() != planes {
            continue;
        }
        // The objective goes down in one cycle and up in the next.
        if planes > 1 && bidirectional && number % 2 == 1 {
            frames.reverse();
        }
        for (rank, frame) in frames.into_iter().enumerate() {
            let plane = if planes > 1 { rank } else { 0 };
            let page = |(channel, File { name, page, .. })| PrairiePage {
                file: name,
                page,
                channel,
                cycle,
                plane,
                time_s: frame.time_s,
            };
            pages.extend(frame.files.into_iter().enumerate().map(page));
        }
    }
    if partial > 0 {
        notes.push(format!("`{partial}` frames of the session lack a channel and are left out"));
    }
    pages
}

/// Volumes per second: of one plane by its frame period, where the time stamps do not contradict it; of volumes by the
/// starts of the cycles.
fn rate(session: &Session, planes: usize, notes: &mut Vec<String>) -> Option<super::Stated<f64>> {
    let stamped = session.interval_s(planes);
    if planes > 1 {
        return stamped.map(|s| super::Stated::new(1.0 / s, "Prairie View absoluteTime of the cycles (median difference)"));
    }
    let Some(period) = session.frame_period_s else {
        return stamped.map(|s| super::Stated::new(1.0 / s, "Prairie View relativeTime (median difference)"));
    };
    match stamped {
        // Averaged frames, or pauses between single scans, follow more slowly than the scanner could.
        Some(interval) if (interval / period - 1.0).abs() > 0.02 => {
            notes
                .push(format!("the frame period is `{period}` s and the frames follow every `{interval}` s; the latter is used"));
            Some(super::Stated::new(1.0 / interval, "Prairie View relativeTime (median difference)"))
        }
        _ => Some(super::Stated::new(1.0 / period, "Prairie View framePeriod")),
    }
}
