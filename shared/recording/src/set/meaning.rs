//! What the pages of many files mean together.

use super::files::{Files, Seen};
use crate::axes::Findings;
use crate::metadata::{Axis, CHANNEL_PLANE_TIME, Metadata, Stated};
use crate::{Overrides, RecordingError, Source};

/// Files of more planes than this are pieces of a long recording, not volumes.
const MOST_PLANES: usize = 100;

/// What is to be believed of the files together.
pub(super) struct Meaning {
    pub(super) metadata: Metadata,
    pub(super) overrides: Overrides,
    /// Where the number of planes comes from, if the files tell it only together.
    pub(super) planes_from: Option<Source>,
}

/// What the first file states, for all of them.
pub(super) fn of(
    metadata: Metadata,
    seen: &[Seen],
    files: &Files,
    overrides: &Overrides,
    findings: &mut Findings,
) -> Result<Meaning, RecordingError> {
    let mut overrides = overrides.clone();
    // Right for one file alone.
    findings.notes.retain(|note| !note.contains("only its own pages are read"));
    if let Some(session) = &files.session {
        return Ok(Meaning { metadata: session.state(metadata), overrides, planes_from: None });
    }
    check_whole(&metadata, &overrides)?;
    let volumes = volumes(seen, &metadata, &overrides);
    let metadata = over_all(metadata, seen, files.channels)?;
    let Some(volumes) = volumes else { return Ok(Meaning { metadata, overrides, planes_from: None }) };
    overrides.planes = Some(volumes.planes);
    findings.notes.retain(|note| !note.contains("slices are read as time points"));
    findings.notes.push(volumes.note(files.count()));
    let metadata = Metadata { frames: None, ..metadata };
    Ok(Meaning { metadata, overrides, planes_from: Some(volumes.source) })
}

/// Files that hold other planes or channels each would be taken for time points.
fn check_whole(metadata: &Metadata, overrides: &Overrides) -> Result<(), RecordingError> {
    let size = |axis: &Option<Stated<usize>>| axis.as_ref().map_or(1, |s| s.value);
    let each = (size(&metadata.planes), size(&metadata.channels));
    let whole = metadata.set.as_ref().and_then(|set| set.whole).filter(|whole| *whole != each);
    let Some((planes, channels)) = whole.filter(|_| overrides.planes.is_none() && overrides.channels.is_none()) else {
        return Ok(());
    };
    Err(RecordingError::unsupported(
        format!(
            "the OME set has `{planes}` planes and `{channels}` channels, and its files hold `{}` and `{}` each: they are spread over \
             files",
            each.0, each.1
        ),
        "in Fiji open the set by File > Import > Bio-Formats with `Group files with similar names`, save it as one TIFF and upload \
         that; or state planes and channels if the files alternate",
    ))
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
    let planes = size(&metadata.planes).saturating_add(metadata.flyback);
    let whole = size(&metadata.frames).checked_mul(planes).and_then(|n| n.checked_mul(size(&metadata.channels)));
    let of_one_file = whole == Some(seen[0].pages);
    let slower = metadata.order.iter().skip_while(|axis| **axis != Axis::Time).any(|axis| match axis {
        Axis::Time => false,
        Axis::Plane => planes > 1,
        Axis::Channel => size(&metadata.channels) > 1,
    });
    if of_one_file && slower && size(&metadata.frames) > 1 {
        return Err(RecordingError::unsupported(
            "each file holds its planes or channels one after the other, each over time",
            "in Fiji choose Image > Hyperstacks > Re-order Hyperstack so that time comes last, or upload each file by itself",
        ));
    }
    // A set of which each file knows the whole, as OME writes them, states all time points; others those of one file.
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
