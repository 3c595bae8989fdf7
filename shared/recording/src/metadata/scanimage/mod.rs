//! ScanImage's `SI.key = value` lines (docs.scanimage.org, "ScanImage TIFF header" and "ScanImage BigTIFF
//! specification"): versions 3.8 (`state.…`), 4 (`SI4.…`), 5 and 2015 onwards (`SI.…`).

mod volume;

use super::lines::Lines;
use super::units::{count, interval, positive};
use super::{Metadata, Stated, pages};
use crate::Limits;
use crate::bytes::{ByteOrder, Bytes};
use crate::ifd::{Ifd, tag};
use volume::{Volume, Zs};

/// The keys that are read; versions 4 and 5 write `scanimage.` before them.
const KEYS: [&str; 31] = [
    "SI.hRoiManager.scanFrameRate",
    "SI.hRoiManager.scanVolumeRate",
    "SI.hRoiManager.imagingFovUm",
    "SI.hRoiManager.imagingFovDeg",
    "SI.hRoiManager.pixelsPerLine",
    "SI.hRoiManager.mroiEnable",
    "SI.objectiveResolution",
    "SI.hChannels.channelSave",
    "SI.hScan2D.logAverageFactor",
    "SI.hFastZ.enable",
    "SI.hFastZ.numFramesPerVolume",
    "SI.hFastZ.numDiscardFlybackFrames",
    "SI.hStackManager.enable",
    "SI.hStackManager.stackMode",
    "SI.hStackManager.numSlices",
    "SI.hStackManager.actualNumSlices",
    "SI.hStackManager.framesPerSlice",
    "SI.hStackManager.numFramesPerVolumeWithFlyback",
    "SI.hStackManager.zs",
    "SI4.scanFrameRate",
    "SI4.channelsSave",
    "SI4.fastZEnable",
    "SI4.stackNumSlices",
    "SI4.fastZNumDiscardFrames",
    "state.acq.frameRate",
    "state.acq.numberOfZSlices",
    "state.acq.numAvgFramesSave",
    "state.acq.savingChannel1",
    "state.acq.savingChannel2",
    "state.acq.savingChannel3",
    "state.acq.savingChannel4",
];

/// The four bytes after a BigTIFF's header that announce ScanImage's own text (specification of versions 3 and 4).
const MAGIC: u64 = 117_637_889;
const MAGIC_AT: u64 = 16;
const TEXT_AT: u64 = 32;

/// Pages whose time stamps are looked at.
const STAMPED: usize = 48;

/// Reads the texts in which ScanImage of one version or another keeps its facts.
pub(super) fn read(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits, descriptions: &[String]) -> Option<Metadata> {
    let most = limits.max_description_bytes;
    let software = ifd.text(bytes, tag::SOFTWARE, most);
    let mut metadata = software
        .as_deref()
        .and_then(parse)
        .or_else(|| descriptions.iter().find_map(|text| parse(text)))
        .or_else(|| parse(&static_header(bytes, most)?))?;
    if metadata.frame_rate_hz.is_none() && descriptions.iter().any(|text| time_stamp(text).is_some()) {
        metadata.frame_rate_hz = stamped_rate(ifd, bytes, limits, &metadata);
    }
    Some(metadata)
}

/// The text between a BigTIFF's header and its first page.
fn static_header(bytes: &mut Bytes, most: u64) -> Option<String> {
    let mut start = [0; (TEXT_AT - MAGIC_AT) as usize];
    if !bytes.holds(MAGIC_AT, start.len() as u64) {
        return None;
    }
    bytes.read_at(MAGIC_AT, &mut start).ok()?;
    let word = |at: usize| ByteOrder::Little.uint(&start[at..at + 4]);
    let length = word(8);
    if word(0) != MAGIC || length > most || !bytes.holds(TEXT_AT, length) {
        return None;
    }
    let mut text = vec![0; length as usize];
    bytes.read_at(TEXT_AT, &mut text).ok()?;
    Some(String::from_utf8_lossy(&text).into_owned())
}

pub(super) fn parse(text: &str) -> Option<Metadata> {
    let lines = Lines::of(text, "scanimage.", &KEYS);
    if lines.is_empty() {
        return None;
    }
    let mut metadata = Metadata { channels: channels(&lines), channels_are_simultaneous: true, ..Metadata::default() };
    let volume = match Zs::of(&lines) {
        Zs::One => None,
        Zs::Volume(volume) => Some(volume),
        Zs::Noted(note) => {
            metadata.notes.push(note);
            None
        }
    };
    metadata.frame_rate_hz = rate(&lines, volume.as_ref(), &mut metadata.notes);
    if let Some(volume) = volume {
        metadata.notes.extend(volume.note());
        metadata.flyback = volume.flyback;
        metadata.planes = Some(volume.planes);
    }
    if flag(&lines, "SI.hRoiManager.mroiEnable") == Some(true) {
        metadata.notes.push(
            "ScanImage recorded several regions (mROI), which lie one above the other in each page; they are read as one picture, \
             and the pixel size is not taken from the file"
                .to_owned(),
        );
    } else {
        metadata.pixel_size_um = pixel_size(&lines);
    }
    Some(metadata)
}

/// Channels that were saved, such as `[1;2]`.
fn channels(lines: &Lines<'_>) -> Option<Stated<usize>> {
    let saved = |text: &str| {
        let count = text.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).count();
        (count > 0).then_some(count)
    };
    if let Some((key, count)) = lines.first(&["SI.hChannels.channelSave", "SI4.channelsSave"], saved) {
        return Some(Stated::new(count, format!("ScanImage {key}")));
    }
    let switches =
        ["state.acq.savingChannel1", "state.acq.savingChannel2", "state.acq.savingChannel3", "state.acq.savingChannel4"];
    let count = switches.iter().filter(|key| flag(lines, key) == Some(true)).count();
    (count > 0).then(|| Stated::new(count, "ScanImage state.acq.savingChannel"))
}

/// Volumes per second as saved.
fn rate(lines: &Lines<'_>, volume: Option<&Volume>, notes: &mut Vec<String>) -> Option<Stated<f64>> {
    let average = lines.first(&["SI.hScan2D.logAverageFactor", "state.acq.numAvgFramesSave"], count).map_or(1, |(_, n)| n);
    // Frames averaged within a slice leave the volumes as many as they are.
    let average = if volume.is_some_and(|volume| volume.averaged_within) { 1 } else { average };
    let of_volumes = volume.and_then(|_| lines.first(&["SI.hRoiManager.scanVolumeRate"], positive));
    let of_frames = || {
        let keys = ["SI.hRoiManager.scanFrameRate", "SI4.scanFrameRate", "state.acq.frameRate"];
        let (key, rate) = lines.first(&keys, positive)?;
        Some((key, rate / volume.map_or(1.0, |volume| volume.scans as f64)))
    };
    let (key, rate) = of_volumes.or_else(of_frames)?;
    if average > 1 {
        notes.push(format!("ScanImage averaged `{average}` frames into each that it saved; the rate is divided by it"));
    }
    Some(Stated::new(rate / average as f64, format!("ScanImage {key}")))
}

/// Width of the field, from its first corner to the second, over the pixels of a line.
fn pixel_size(lines: &Lines<'_>) -> Option<Stated<f64>> {
    let pixels = lines.get("SI.hRoiManager.pixelsPerLine").and_then(count)? as f64;
    let width = |key: &'static str| lines.first(&[key], edge);
    if let Some((key, um)) = width("SI.hRoiManager.imagingFovUm") {
        return Some(Stated::new(um / pixels, format!("ScanImage {key}")));
    }
    // µm per degree of the scanners.
    let (key, degrees) = width("SI.hRoiManager.imagingFovDeg")?;
    let resolution = lines.get("SI.objectiveResolution").and_then(positive)?;
    Some(Stated::new(degrees * resolution / pixels, format!("ScanImage {key} and SI.objectiveResolution")))
}

/// The length of the first edge of `[x y;x y;x y;x y]`, also where the field is turned.
fn edge(corners: &str) -> Option<f64> {
    let numbers: Vec<f64> = numbers(corners).take(9).collect();
    let [x0, y0, x1, y1, ..] = numbers[..] else {
        return None;
    };
    let length = ((x1 - x0).powi(2) + (y1 - y0).powi(2)).sqrt();
    (numbers.len() == 8 && length.is_finite() && length > 0.0).then_some(length)
}

/// The numbers of a MATLAB matrix.
fn numbers(matrix: &str) -> impl Iterator<Item = f64> {
    let parts = matrix.split(|c: char| c.is_whitespace() || matches!(c, '[' | ']' | ';' | ',' | '{' | '}'));
    parts.filter_map(|part| part.parse().ok())
}

fn flag(lines: &Lines<'_>, key: &str) -> Option<bool> {
    match lines.get(key)? {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// `frameTimestamps_sec = 0.033322065`, in a page's own description.
fn time_stamp(text: &str) -> Option<f64> {
    let lines = Lines::of(text, "", &["frameTimestamps_sec", "Frame Timestamp(s)"]);
    lines.first(&["frameTimestamps_sec", "Frame Timestamp(s)"], |v| v.parse().ok()).map(|(_, seconds)| seconds)
}

/// The rate by the first pages' time stamps; the channels of a frame share one.
fn stamped_rate(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits, metadata: &Metadata) -> Option<Stated<f64>> {
    let mut times = Vec::new();
    pages::each(ifd, bytes, limits, STAMPED, |ifd, bytes| {
        let stamp = ifd.text(bytes, tag::DESCRIPTION, 1 << 16).and_then(|text| time_stamp(&text));
        times.extend(stamp);
        stamp.is_some()
    });
    times.dedup();
    let planes = metadata.planes.as_ref().map_or(1, |planes| planes.value).saturating_add(metadata.flyback);
    let rate = 1.0 / (interval(times, 1e-4)? * planes as f64);
    Some(Stated::new(rate, "ScanImage frameTimestamps_sec of the first pages"))
}

#[cfg(test)]
mod tests;
