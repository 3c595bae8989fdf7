//! OME-XML: the attributes of the first `Pixels` element (OME model 2016-06).

use super::{Axis, Metadata, Stated, micrometres, positive, seconds};

pub(super) fn parse(text: &str) -> Option<Metadata> {
    if !text.contains("<OME") {
        return None;
    }
    let (_, pixels) = text.split_once("<Pixels")?;
    let (pixels, _) = pixels.split_once('>')?;
    let size = |key: &str| {
        attribute(pixels, key)
            .and_then(|v| v.parse::<usize>().ok())
            .filter(|n| *n > 0)
            .map(|n| Stated::new(n, format!("OME {key}")))
    };
    let mut metadata = Metadata {
        frames: size("SizeT"),
        planes: size("SizeZ"),
        channels: size("SizeC"),
        order: attribute(pixels, "DimensionOrder").and_then(order).unwrap_or(super::CHANNEL_PLANE_TIME),
        ..Metadata::default()
    };
    let unit = attribute(pixels, "TimeIncrementUnit").unwrap_or("s");
    let interval = attribute(pixels, "TimeIncrement").and_then(positive);
    if let (Some(interval), Some(unit)) = (interval, seconds(unit)) {
        let rate = 1.0 / (interval * unit);
        metadata.frame_rate_hz = Some(Stated::new(rate, "OME TimeIncrement"));
    }
    let unit = attribute(pixels, "PhysicalSizeXUnit").unwrap_or("µm");
    let size = attribute(pixels, "PhysicalSizeX").and_then(positive);
    if let (Some(size), Some(unit)) = (size, micrometres(unit)) {
        metadata.pixel_size_um = Some(Stated::new(size * unit, "OME PhysicalSizeX"));
    }
    Some(metadata)
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    element.match_indices(name).filter(|(at, _)| element[..*at].ends_with(char::is_whitespace)).find_map(|(at, _)| {
        let rest = element[at + name.len()..].trim_start().strip_prefix('=')?;
        let rest = rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        rest[1..].split(quote).next()
    })
}

/// `XYZCT` and its permutations.
fn order(text: &str) -> Option<[Axis; 3]> {
    match text {
        "XYCZT" => Some([Axis::Channel, Axis::Plane, Axis::Time]),
        "XYZCT" => Some([Axis::Plane, Axis::Channel, Axis::Time]),
        "XYCTZ" => Some([Axis::Channel, Axis::Time, Axis::Plane]),
        "XYZTC" => Some([Axis::Plane, Axis::Time, Axis::Channel]),
        "XYTCZ" => Some([Axis::Time, Axis::Channel, Axis::Plane]),
        "XYTZC" => Some([Axis::Time, Axis::Plane, Axis::Channel]),
        _ => None,
    }
}
