//! All that can be said about a file from its headers alone.

use crate::axes::{self, Axes, Findings};
use std::sync::Arc;

use crate::bytes::{Bytes, ReadAt};
use crate::ifd::{Fault, Header, Ifd};
use crate::index::{PageIndex, Runs};
use crate::metadata::{Axis, Metadata, Stated};
use crate::page::{self, Page, Shape};
use crate::part::Part;
use crate::walk::{self, Chain};
use crate::{Info, Limits, Overrides, RecordingError, SampleType, Source};

/// A file whose headers were looked through.
pub(crate) struct Looked {
    pub(crate) part: Part,
    pub(crate) first: Page,
    pub(crate) metadata: Metadata,
    pub(crate) findings: Findings,
}

/// Reads and checks every header of one file.
pub(crate) fn look(source: &Arc<dyn ReadAt>, limits: &Limits) -> Result<Looked, RecordingError> {
    let mut bytes = Bytes::new(source.clone())?;
    let bytes = &mut bytes;
    let header = Header::read(bytes)?;
    if header.first_ifd == 0 {
        return Err(RecordingError::corrupt("the file lists no frames"));
    }
    let ifd = Ifd::read(bytes, header, header.first_ifd, limits).map_err(|f| cut_at_first(f, None))?;
    let metadata = Metadata::read(&ifd, bytes, limits);
    let first = Page::read(&ifd, bytes, limits).map_err(|f| cut_at_first(f, metadata.pages))?;
    if first.shape.palette {
        page::check_palette(&ifd, bytes).map_err(|f| cut_at_first(f, metadata.pages))?;
    }
    let metadata = samples_as_channels(metadata, first.shape.samples);
    let chain = walk::follow(bytes, header, &first, limits)?;
    let mut findings = Findings::default();
    findings.notes.extend(metadata.notes.iter().cloned());
    if chain.mixed_compression {
        findings.notes.push("the frames are not all compressed in the same way".to_owned());
    }
    let stride = chain.stride;
    let room = stack_room(bytes, header, &first);
    let index = match stack_frames(room, &first, &chain, &metadata, limits)? {
        Some(stack) => PageIndex::Plain(stack),
        None => listed_frames(chain, &metadata, limits, &mut findings)?,
    };
    check_expansion(bytes, index.len().saturating_mul(first.shape.samples), first.shape, limits)?;
    let part = Part { source: source.clone(), len: bytes.len(), header, index, stride, shape: first.shape };
    Ok(Looked { part, first, metadata, findings })
}

/// Each sample of a pixel is a channel, which then follow one another faster than anything else.
fn samples_as_channels(mut metadata: Metadata, samples: usize) -> Metadata {
    if samples == 1 {
        return metadata;
    }
    if metadata.channels.as_ref().is_none_or(|stated| stated.value == 1) {
        metadata.channels = Some(Stated::new(samples, "TIFF SamplesPerPixel"));
    }
    metadata.order.sort_by_key(|axis| *axis != Axis::Channel);
    metadata
}

/// The first page is not there: no frame is whole.
fn cut_at_first(fault: Fault, claimed: Option<u64>) -> RecordingError {
    match fault {
        Fault::PastEnd => RecordingError::truncated(0, claimed),
        Fault::Refused(error) => error,
    }
}

/// Bytes from the first frame's samples to the end of the file, or to the directory if that comes later.
fn stack_room(bytes: &Bytes, header: Header, first: &Page) -> u64 {
    let start = first.contiguous().unwrap_or(bytes.len());
    let end = if header.first_ifd > start { header.first_ifd } else { bytes.len() };
    end.saturating_sub(start)
}

/// Frames that follow the first without directories, as ImageJ stores stacks of more than 4 GB.
fn stack_frames(
    room: u64,
    first: &Page,
    chain: &Chain,
    metadata: &Metadata,
    limits: &Limits,
) -> Result<Option<Runs>, RecordingError> {
    let (Some(claimed), Some(offset)) = (metadata.pages, first.contiguous()) else {
        return Ok(None);
    };
    if !metadata.stack_without_directories || chain.listed > 1 || claimed < 2 {
        return Ok(None);
    }
    let frame_bytes = first.shape.bytes() as u64;
    let present = room / frame_bytes;
    if present < claimed {
        return Err(RecordingError::truncated(present, Some(claimed)));
    }
    let count = usize::try_from(claimed).ok().filter(|_| claimed <= limits.max_frames);
    match count {
        Some(count) => Ok(Some(Runs::stack(offset, frame_bytes, count))),
        None => Err(too_many(claimed, limits)),
    }
}

/// Frames that have a directory each; all that are listed must be whole.
fn listed_frames(
    chain: Chain,
    metadata: &Metadata,
    limits: &Limits,
    findings: &mut Findings,
) -> Result<PageIndex, RecordingError> {
    let listed = chain.listed as u64;
    if !chain.complete || chain.whole < chain.listed {
        let total = if chain.complete { Some(listed) } else { metadata.pages.filter(|claimed| *claimed >= listed) };
        return Err(RecordingError::truncated(chain.whole as u64, total));
    }
    match metadata.pages {
        Some(claimed) if claimed > limits.max_frames => return Err(too_many(claimed, limits)),
        Some(claimed) if claimed != listed => {
            findings.notes.push(format!("the file claims `{claimed}` pages and has `{listed}`; those it has are read"))
        }
        _ => {}
    }
    Ok(chain.index)
}

fn too_many(claimed: u64, limits: &Limits) -> RecordingError {
    RecordingError::too_big(
        format!("the file claims `{claimed}` frames, at most `{}` are read", limits.max_frames),
        "check the recording in Fiji, and split it into several files if it really is so long",
    )
}

/// Many pages that share the same few bytes would unpack to more than any compression can.
fn check_expansion(bytes: &Bytes, pages: usize, shape: Shape, limits: &Limits) -> Result<(), RecordingError> {
    let decoded = (pages as u64).saturating_mul(shape.bytes() as u64);
    if decoded / limits.max_expansion <= bytes.len() {
        return Ok(());
    }
    Err(RecordingError::corrupt(format!(
        "`{}` bytes of file claim to unpack to `{decoded}`, which no compression can do",
        bytes.len()
    )))
}

/// Gives `pages` pages their meaning.
pub(crate) fn describe(
    pages: usize,
    first: &Page,
    metadata: &Metadata,
    overrides: &Overrides,
    limits: &Limits,
    mut findings: Findings,
) -> Result<(Axes, Info), RecordingError> {
    if pages < limits.min_frames {
        return Err(RecordingError::not_a_recording(
            format!("the file holds `{pages}` picture and a recording has at least `{}` frames", limits.min_frames),
            "upload the whole stack in one TIFF, in Fiji by File > Import > Image Sequence and then File > Save As > Tiff",
        ));
    }
    let axes = Axes::arrange(pages, metadata, overrides, &mut findings)?;
    if axes.frames < limits.min_frames {
        return Err(RecordingError::not_a_recording(
            format!(
                "the file's `{pages}` pages are `{}` planes × `{}` channels, which leaves `{}` time point",
                axes.planes, axes.channels, axes.frames
            ),
            "upload a recording over time, or state the true numbers of planes and channels",
        ));
    }
    let dtype = sample_type(first, metadata, &mut findings);
    if first.white_is_zero {
        findings.notes.push("the file asks viewers to show small values bright; the values are read as stored".to_owned());
    }
    if first.shape.palette {
        findings.notes.push("the file colours its values by a look-up table; the values are read as stored".to_owned());
    }
    let frame_rate_hz = axes::frame_rate(&axes, metadata, overrides, &mut findings);
    let pixel_size_um = axes::pixel_size(metadata, overrides, &mut findings);
    let info = Info {
        frames: axes.frames,
        planes: axes.planes,
        channels: axes.channels,
        height: first.shape.height,
        width: first.shape.width,
        dtype,
        pages,
        files: 1,
        frame_rate_hz,
        pixel_size_um,
        compression: first.compression.name().to_owned(),
        sources: findings.sources,
        notes: findings.notes,
    };
    Ok((axes, info))
}

fn sample_type(first: &Page, metadata: &Metadata, findings: &mut Findings) -> SampleType {
    let (dtype, source) = if metadata.signed16 && first.shape.stored == SampleType::U16 {
        findings.notes.push("the file is ImageJ's signed 16 bit: 32768 is subtracted from each stored value".to_owned());
        let field = "ImageJ c0 and c1".to_owned();
        (SampleType::I16, Source::Metadata(field))
    } else {
        let field = "TIFF BitsPerSample and SampleFormat".to_owned();
        (first.shape.stored, Source::Metadata(field))
    };
    findings.sources.insert("dtype".to_owned(), source);
    dtype
}
