//! Pages to time points, planes and channels: the owner's settings win over the file, the file over assumptions.

use std::collections::BTreeMap;

use crate::metadata::{Axis, CHANNEL_PLANE_TIME, Metadata, Stated};
use crate::{Overrides, RecordingError, Source};

/// Sizes of the three axes and the distance in pages between neighbours on each.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axes {
    pub(crate) frames: usize,
    pub(crate) planes: usize,
    pub(crate) channels: usize,
    time_step: usize,
    plane_step: usize,
    channel_step: usize,
}

/// Facts about a recording with their sources and what is odd about them.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) sources: BTreeMap<String, Source>,
    pub(crate) notes: Vec<String>,
}

impl Findings {
    fn source(&mut self, fact: &str, source: Source) {
        self.sources.insert(fact.to_owned(), source);
    }

    /// The setting, else what the file states, else `None`, with its source noted.
    fn choose<T: Clone>(&mut self, fact: &str, set: Option<T>, stated: Option<&Stated<T>>) -> Option<T> {
        if let Some(value) = set {
            self.source(fact, Source::Settings);
            return Some(value);
        }
        let stated = stated?;
        self.source(fact, Source::Metadata(stated.field.clone()));
        Some(stated.value.clone())
    }

    fn choose_or_assume(&mut self, fact: &str, set: Option<usize>, stated: Option<&Stated<usize>>) -> usize {
        self.choose(fact, set, stated).unwrap_or_else(|| {
            self.source(fact, Source::Assumed);
            1
        })
    }
}

impl Axes {
    /// Arranges `pages` pages; an incomplete last volume is dropped with a note.
    pub(crate) fn arrange(
        pages: usize,
        metadata: &Metadata,
        overrides: &Overrides,
        findings: &mut Findings,
    ) -> Result<Self, RecordingError> {
        let stated = |axis: &Option<Stated<usize>>| axis.as_ref().map_or(1, |s| s.value);
        let (file_planes, file_channels) = (stated(&metadata.planes), stated(&metadata.channels));
        let fits = volume_fits(pages, file_planes, file_channels);
        let usable = |axis| if fits { axis } else { None };
        if !fits {
            findings.notes.push(format!(
                "the file claims `{file_planes}` planes and `{file_channels}` channels but has only `{pages}` pages; the claim is ignored"
            ));
        }
        let planes = findings.choose_or_assume("planes", overrides.planes, usable(metadata.planes.as_ref()));
        let channels = findings.choose_or_assume("channels", overrides.channels, usable(metadata.channels.as_ref()));
        if !volume_fits(pages, planes, channels) {
            return Err(RecordingError::settings(
                format!("`{planes}` planes and `{channels}` channels were stated and the file has only `{pages}` pages"),
                "correct the stated planes and channels, or leave them out",
            ));
        }
        let flyback = if planes == file_planes { flyback(pages, planes, channels, metadata, findings) } else { 0 };
        let volume = (planes + flyback) * channels;
        let as_stated = (planes, channels) == (file_planes, file_channels);
        let frames = count_frames(pages, volume, metadata, as_stated, findings);
        let order = if as_stated { order(frames * volume == pages, metadata, findings) } else { CHANNEL_PLANE_TIME };
        Ok(Self::in_order(frames, planes, flyback, channels, order))
    }

    /// `flyback` planes at the end of each volume are passed over.
    fn in_order(frames: usize, planes: usize, flyback: usize, channels: usize, order: [Axis; 3]) -> Self {
        let mut axes = Self { frames, planes, channels, time_step: 0, plane_step: 0, channel_step: 0 };
        let mut step = 1;
        for axis in order {
            let (field, size) = match axis {
                Axis::Time => (&mut axes.time_step, frames),
                Axis::Plane => (&mut axes.plane_step, planes + flyback),
                Axis::Channel => (&mut axes.channel_step, channels),
            };
            *field = step;
            step *= size;
        }
        axes
    }

    pub(crate) fn page_of(&self, frame: usize, plane: usize, channel: usize) -> Option<usize> {
        let inside = frame < self.frames && plane < self.planes && channel < self.channels;
        inside.then(|| frame * self.time_step + plane * self.plane_step + channel * self.channel_step)
    }
}

fn volume_fits(pages: usize, planes: usize, channels: usize) -> bool {
    planes.checked_mul(channels).is_some_and(|volume| volume <= pages)
}

/// Planes that are in the file though they were taken on the way back: those stated, unless only the planes without
/// them fill the file evenly.
fn flyback(pages: usize, planes: usize, channels: usize, metadata: &Metadata, findings: &mut Findings) -> usize {
    let stated = metadata.flyback;
    let whole = planes.checked_add(stated).and_then(|planes| planes.checked_mul(channels)).filter(|volume| *volume <= pages);
    let fills = |volume: usize| pages.is_multiple_of(volume);
    match whole {
        _ if stated == 0 => 0,
        Some(whole) if fills(whole) || !fills(planes * channels) => {
            findings.notes.push(format!(
                "each volume ends with `{stated}` planes that were taken while the objective flew back; they are left out"
            ));
            stated
        }
        _ => {
            findings.notes.push(format!(
                "the file states `{stated}` planes of the objective's way back in each volume, but its `{pages}` pages are volumes \
                 without them"
            ));
            0
        }
    }
}

/// The stated order, if all its pages are there; where time is slowest, a last volume may be missing.
fn order(complete: bool, metadata: &Metadata, findings: &mut Findings) -> [Axis; 3] {
    if complete || metadata.order[2] == Axis::Time {
        return metadata.order;
    }
    findings.notes.push("the file does not have all pages of the order it states; channel, plane, time is assumed".to_owned());
    CHANNEL_PLANE_TIME
}

/// Time points in `pages` pages, compared with what the file states.
fn count_frames(pages: usize, volume: usize, metadata: &Metadata, as_stated: bool, findings: &mut Findings) -> usize {
    let frames = pages / volume;
    let left = pages % volume;
    if left > 0 {
        findings.notes.push(format!("the last volume has `{left}` of `{volume}` pages and is dropped"));
    }
    let source = match &metadata.frames {
        Some(stated) if stated.value == frames => Source::Metadata(stated.field.clone()),
        Some(stated) if as_stated => {
            findings.notes.push(format!("the file claims `{}` time points and has `{frames}`", stated.value));
            Source::Counted
        }
        _ => Source::Counted,
    };
    findings.source("frames", source);
    frames
}

/// Volumes per second for the axes as arranged, see [`crate::Info::frame_rate_hz`].
pub(crate) fn frame_rate(axes: &Axes, metadata: &Metadata, overrides: &Overrides, findings: &mut Findings) -> Option<f64> {
    let stated = metadata.frame_rate_hz.as_ref();
    let rate = findings.choose("frame_rate_hz", overrides.frame_rate_hz, stated)?;
    if overrides.frame_rate_hz.is_some() {
        return Some(rate);
    }
    let size = |axis: &Option<Stated<usize>>| axis.as_ref().map_or(1, |s| s.value) as f64;
    // The file's rate counts its own volumes; a volume of twice the pages takes twice as long.
    let file_planes = size(&metadata.planes);
    let mut slower =
        if axes.planes as f64 == file_planes { 1.0 } else { axes.planes as f64 / (file_planes + metadata.flyback as f64) };
    if !metadata.channels_are_simultaneous {
        slower *= axes.channels as f64 / size(&metadata.channels);
    }
    if slower != 1.0 {
        findings.notes.push(format!(
            "the file states `{rate}` Hz for its own planes and channels; for those used here that is `{}` Hz",
            rate / slower
        ));
    }
    Some(rate / slower)
}

/// Width of a pixel in µm.
pub(crate) fn pixel_size(metadata: &Metadata, overrides: &Overrides, findings: &mut Findings) -> Option<f64> {
    let stated = metadata.pixel_size_um.as_ref();
    findings.choose("pixel_size_um", overrides.pixel_size_um, stated)
}
