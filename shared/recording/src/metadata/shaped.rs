//! The JSON that tifffile writes: `{"shape": [500, 2, 64, 64], "axes": "TCYX", "truncated": true}`, with whatever keys
//! its user adds (tifffile.TiffWriter, "metadata").

use serde::Deserialize;

use super::units::{is_positive, micrometres, seconds};
use super::{Axis, Metadata, Stated};

#[derive(Deserialize)]
struct Shaped {
    shape: Vec<u64>,
    #[serde(default)]
    truncated: bool,
    axes: Option<String>,
    #[serde(flatten)]
    units: Units,
}

/// Keys by which people state units, named as in OME and ImageJ. Values of other types count as absent.
#[derive(Deserialize)]
struct Units {
    #[serde(rename = "TimeIncrement")]
    time_increment: Option<Loose>,
    #[serde(rename = "TimeIncrementUnit")]
    time_unit: Option<Loose>,
    finterval: Option<Loose>,
    fps: Option<Loose>,
    #[serde(rename = "PhysicalSizeX")]
    physical_size: Option<Loose>,
    #[serde(rename = "PhysicalSizeXUnit")]
    physical_unit: Option<Loose>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Loose {
    Number(f64),
    Text(String),
    Other(serde::de::IgnoredAny),
}

impl Loose {
    fn number(&self) -> Option<f64> {
        let value = match self {
            Self::Number(value) => *value,
            Self::Text(text) => text.trim().parse().ok()?,
            Self::Other(_) => return None,
        };
        is_positive(value).then_some(value)
    }

    fn text(&self) -> &str {
        if let Self::Text(text) = self { text } else { "" }
    }
}

/// Pages in all, and their meaning where the axes are named. `truncated` means one directory for the whole stack.
pub(super) fn parse(text: &str) -> Option<Metadata> {
    // Releases before 2026 put the user's keys first.
    if !(text.starts_with('{') && text.contains("\"shape\"")) {
        return None;
    }
    let shaped: Shaped = serde_json::from_str(text).ok()?;
    let leading = shaped.shape.len().checked_sub(2)?;
    let pages = shaped.shape[..leading].iter().try_fold(1u64, |product, n| product.checked_mul(*n))?;
    let mut metadata = Metadata {
        pages: Some(pages),
        stack_without_directories: shaped.truncated,
        frame_rate_hz: rate(&shaped.units),
        pixel_size_um: pixel_size(&shaped.units),
        ..Metadata::default()
    };
    if let Some(axes) = &shaped.axes {
        apply_axes(axes, &shaped.shape, &mut metadata);
    }
    Some(metadata)
}

/// Letters of tifffile's axes, slowest first; `I` (image series) and `Q` (other) are time where nothing else is.
fn apply_axes(axes: &str, shape: &[u64], metadata: &mut Metadata) {
    let letters: Vec<char> = axes.chars().collect();
    let Some(leading) = letters.strip_suffix(&['Y', 'X']).filter(|_| letters.len() == shape.len()) else {
        metadata.notes.push(unknown_axes(axes));
        return;
    };
    let mut order = Vec::new();
    let mut sizes = [None; 3];
    for (letter, size) in leading.iter().zip(shape).rev() {
        let axis = match letter {
            'C' => Axis::Channel,
            'Z' => Axis::Plane,
            'T' => Axis::Time,
            'I' | 'Q' if !letters.contains(&'T') => Axis::Time,
            _ if *size == 1 => continue,
            _ => return metadata.notes.push(unknown_axes(axes)),
        };
        let size = usize::try_from(*size).ok().filter(|n| *n > 0);
        if size.is_none() || order.contains(&axis) {
            return metadata.notes.push(unknown_axes(axes));
        }
        order.push(axis);
        sizes[axis as usize] = size;
    }
    let rest = [Axis::Channel, Axis::Plane, Axis::Time].into_iter().filter(|axis| !order.contains(axis));
    let order: Vec<Axis> = order.iter().copied().chain(rest).collect();
    let stated = |axis: Axis| sizes[axis as usize].map(|n| Stated::new(n, "tifffile axes"));
    metadata.channels = stated(Axis::Channel);
    metadata.planes = stated(Axis::Plane);
    metadata.frames = stated(Axis::Time);
    if let Ok(order) = order.try_into() {
        metadata.order = order;
    }
}

fn unknown_axes(axes: &str) -> String {
    let shown: String = axes.chars().take(20).collect();
    format!("tifffile's axes `{shown}` are not time, planes and channels; the pages are read as time points")
}

fn rate(units: &Units) -> Option<Stated<f64>> {
    let number = |value: &Option<Loose>| value.as_ref().and_then(Loose::number);
    let unit = units.time_unit.as_ref().map_or(Some(1.0), |unit| seconds(unit.text()));
    if let (Some(increment), Some(unit)) = (number(&units.time_increment), unit) {
        return Some(Stated::new(1.0 / (increment * unit), "tifffile TimeIncrement"));
    }
    if let Some(interval) = number(&units.finterval) {
        return Some(Stated::new(1.0 / interval, "tifffile finterval"));
    }
    number(&units.fps).map(|fps| Stated::new(fps, "tifffile fps"))
}

fn pixel_size(units: &Units) -> Option<Stated<f64>> {
    let unit = units.physical_unit.as_ref().map_or(Some(1.0), |unit| micrometres(unit.text()))?;
    let size = units.physical_size.as_ref()?.number()?;
    Some(Stated::new(size * unit, "tifffile PhysicalSizeX"))
}
