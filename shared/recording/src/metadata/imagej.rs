//! ImageJ's description: lines `key=value` (ij.io.TiffEncoder and FileSaver of ImageJ 1.x, public domain).

use super::lines::Lines;
use super::units::{count, is_pixel_size, micrometres, positive, seconds};
use super::{Axis, CHANNEL_PLANE_TIME, Metadata, Stated};
use crate::bytes::Bytes;
use crate::ifd::{Ifd, tag};

const KEYS: [&str; 11] = ["images", "frames", "slices", "channels", "order", "finterval", "fps", "tunit", "unit", "c0", "c1"];

/// Pixels per unit of length, and the unit where the TIFF's own field states one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Resolution {
    pixels_per_unit: Option<f64>,
    centimetres: bool,
}

impl Resolution {
    pub(super) fn read(ifd: &Ifd, bytes: &mut Bytes) -> Self {
        Self {
            pixels_per_unit: ifd.rational(bytes, tag::X_RESOLUTION).filter(|r| *r > 0.0),
            centimetres: matches!(ifd.uint(bytes, tag::RESOLUTION_UNIT), Ok(Some(3))),
        }
    }
}

pub(super) fn parse(text: &str, resolution: Resolution) -> Option<Metadata> {
    if !text.starts_with("ImageJ=") {
        return None;
    }
    let lines = Lines::of(text, "", &KEYS);
    let axis = |key: &str| lines.get(key).and_then(count).map(|n| Stated::new(n, format!("ImageJ {key}")));
    let mut metadata = Metadata {
        frames: axis("frames"),
        planes: axis("slices"),
        channels: axis("channels"),
        pages: lines.get("images").and_then(|n| n.parse::<u64>().ok()).filter(|n| *n > 0),
        stack_without_directories: true,
        ..Metadata::default()
    };
    metadata.order = order(lines.get("order"), &mut metadata.notes);
    slices_as_time(&mut metadata);
    metadata.frame_rate_hz = rate(&lines, &mut metadata.notes);
    metadata.pixel_size_um = pixel_size(lines.get("unit"), resolution);
    calibration(&mut metadata, lines.get("c0"), lines.get("c1"));
    Some(metadata)
}

/// ImageJ's own order is `czt`; Micro-Manager writes `zct` where the slices of a channel follow one another.
fn order(text: Option<&str>, notes: &mut Vec<String>) -> [Axis; 3] {
    match text {
        None | Some("czt" | "xyczt" | "default" | "xyczt(default)") => CHANNEL_PLANE_TIME,
        Some("zct" | "xyzct") => [Axis::Plane, Axis::Channel, Axis::Time],
        Some(other) => {
            let shown: String = other.chars().take(20).collect();
            notes.push(format!("the file states the unknown order `{shown}`; channel, slice, time is assumed"));
            CHANNEL_PLANE_TIME
        }
    }
}

fn rate(lines: &Lines<'_>, notes: &mut Vec<String>) -> Option<Stated<f64>> {
    let unit = seconds(lines.get("tunit").unwrap_or_default());
    if let (Some(interval), Some(unit)) = (lines.get("finterval").and_then(positive), unit) {
        return Some(Stated::new(1.0 / (interval * unit), "ImageJ finterval"));
    }
    let fps = lines.get("fps").and_then(positive)?;
    notes.push(format!("the rate of `{fps}` Hz is the speed at which ImageJ plays the file; state the rate if it differs"));
    Some(Stated::new(fps, "ImageJ fps"))
}

fn pixel_size(unit: Option<&str>, resolution: Resolution) -> Option<Stated<f64>> {
    let per_unit = resolution.pixels_per_unit?;
    let size = unit.and_then(micrometres)? / per_unit;
    // Micro-Manager names µm here and counts pixels per cm in the TIFF's own fields.
    let of_centimetre = 1e4 / per_unit;
    if !is_pixel_size(size) && resolution.centimetres && is_pixel_size(of_centimetre) {
        return Some(Stated::new(of_centimetre, "TIFF XResolution and ResolutionUnit"));
    }
    Some(Stated::new(size, "ImageJ unit and resolution"))
}

/// A stack of slices at one time point is a movie that was saved as a stack: ImageJ opens every multi-page file so.
fn slices_as_time(metadata: &mut Metadata) {
    let one_time_point = metadata.frames.as_ref().is_none_or(|f| f.value == 1);
    if !one_time_point || metadata.planes.as_ref().is_none_or(|p| p.value == 1) {
        return;
    }
    if let Some(slices) = metadata.planes.take() {
        metadata.notes.push(format!(
            "the file has {} slices and no time points; the slices are read as time points of one plane",
            slices.value
        ));
        metadata.frames = Some(slices);
        metadata.order = metadata.order.map(|axis| match axis {
            Axis::Plane => Axis::Time,
            Axis::Time => Axis::Plane,
            Axis::Channel => Axis::Channel,
        });
    }
}

/// Value = c0 + c1 × stored; only the way ImageJ keeps signed 16 bit images changes what is read.
fn calibration(metadata: &mut Metadata, c0: Option<&str>, c1: Option<&str>) {
    let number = |text: Option<&str>| text.and_then(|t| t.parse::<f64>().ok());
    match (number(c0), number(c1)) {
        (Some(-32768.0), Some(1.0)) => metadata.signed16 = true,
        (Some(0.0), Some(1.0)) | (None, _) | (_, None) => {}
        (Some(c0), Some(c1)) => {
            metadata.notes.push(format!("the file has an intensity calibration ({c0} + {c1} × value), which is not applied"))
        }
    }
}
