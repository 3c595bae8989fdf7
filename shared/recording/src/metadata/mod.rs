//! What acquisition programs write about a recording.

mod imagej;
mod ome;
mod scanimage;
mod shaped;

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

/// Everything a file states about its axes and units.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) frames: Option<Stated<usize>>,
    pub(crate) planes: Option<Stated<usize>>,
    pub(crate) channels: Option<Stated<usize>>,
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
    pub(crate) notes: Vec<String>,
}

impl Default for Metadata {
    fn default() -> Self {
        Self {
            frames: None,
            planes: None,
            channels: None,
            order: CHANNEL_PLANE_TIME,
            frame_rate_hz: None,
            channels_are_simultaneous: false,
            pixel_size_um: None,
            pages: None,
            stack_without_directories: false,
            signed16: false,
            notes: Vec::new(),
        }
    }
}

impl Metadata {
    /// Reads what the first page's texts state. Never fails: a recording can be read without.
    pub(crate) fn read(ifd: &Ifd, bytes: &mut Bytes, limits: &Limits) -> Self {
        let most = limits.max_description_bytes;
        let description = ifd.text(bytes, tag::DESCRIPTION, most).unwrap_or_default();
        if description.starts_with("ImageJ=") {
            let pixels_per_unit = ifd.rational(bytes, tag::X_RESOLUTION);
            return imagej::parse(&description, pixels_per_unit);
        }
        if let Some(metadata) = ome::parse(&description).or_else(|| shaped::parse(&description)) {
            return metadata;
        }
        let software = ifd.text(bytes, tag::SOFTWARE, most).unwrap_or_default();
        [software, description].iter().find_map(|text| scanimage::parse(text)).unwrap_or_default()
    }
}

/// A length in µm of one `unit`, or `None` for units that are no length.
fn micrometres(unit: &str) -> Option<f64> {
    match unit.trim().to_lowercase().as_str() {
        // The last two are µ in Latin-1 read as UTF-8, and ImageJ's escape of it.
        "micron" | "microns" | "um" | "µm" | "μm" | "micrometer" | "micrometers" | "\u{fffd}m" | "\\u00b5m" => Some(1.0),
        "nm" | "nanometer" | "nanometers" => Some(1e-3),
        "mm" | "millimeter" | "millimeters" => Some(1e3),
        "cm" | "centimeter" | "centimeters" => Some(1e4),
        "m" | "meter" | "meters" => Some(1e6),
        _ => None,
    }
}

/// Seconds in one `unit` of time.
fn seconds(unit: &str) -> Option<f64> {
    match unit.trim().to_lowercase().as_str() {
        "" | "s" | "sec" | "second" | "seconds" => Some(1.0),
        "ms" | "msec" | "millisecond" | "milliseconds" => Some(1e-3),
        "us" | "µs" | "μs" | "usec" | "\u{fffd}s" | "\\u00b5s" => Some(1e-6),
        "min" | "minute" | "minutes" => Some(60.0),
        "h" | "hour" | "hours" => Some(3600.0),
        _ => None,
    }
}

/// A positive finite number.
fn positive(text: &str) -> Option<f64> {
    let value: f64 = text.trim().parse().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}
