//! OME-XML (OME model 2016-06): axes, rate, pixel size, the order of pages, and the files of a set.

mod model;
mod pages;
#[cfg(test)]
mod tests;

use model::{Image, Model};

use super::units::{interval, micrometres, positive, seconds};
use super::{Axis, CHANNEL_PLANE_TIME, FileSet, Metadata, Stated};

pub(super) fn parse(text: &str) -> Option<Metadata> {
    if !text.contains("OME") || !text.trim_start_matches('\u{feff}').trim_start().starts_with('<') {
        return None;
    }
    let model = Model::read(text);
    let Some(image) = &model.image else {
        return model.elsewhere.map(described_elsewhere);
    };
    let mut metadata = stated(image);
    if model.images > 1 {
        metadata.notes.push(format!(
            "the OME metadata describe `{}` images (positions or series); this file is read as one of them",
            model.images
        ));
    }
    let size = |axis: &Option<Stated<usize>>| axis.as_ref().map_or(1, |stated| stated.value);
    let whole = Some((size(&metadata.planes), size(&metadata.channels)));
    metadata.set = pages::set(&model, image).map(|set| FileSet { whole, ..set });
    pages::apply(&model, image, &mut metadata);
    Some(metadata)
}

/// A file that only names the one which describes it.
fn described_elsewhere(file: String) -> Metadata {
    Metadata {
        notes: vec![format!(
            "the file belongs to an OME set that `{file}` describes; give the whole folder, or what it says is not known"
        )],
        set: Some(FileSet { described_in: Some(file), ..FileSet::default() }),
        ..Metadata::default()
    }
}

/// What the attributes of `Pixels` say.
fn stated(image: &Image) -> Metadata {
    let size = |size: Option<usize>, key: &str| size.map(|n| Stated::new(n, format!("OME {key}")));
    let samples = image.samples_per_pixel.max(1);
    // SizeC counts every sample, and those of one pixel lie in one page.
    let pages_of_channels = image.size_c.map(|c| if c % samples == 0 { c / samples } else { c });
    let mut metadata = Metadata {
        frames: size(image.size_t, "SizeT"),
        planes: size(image.size_z, "SizeZ"),
        channels: size(pages_of_channels, "SizeC"),
        order: image.order.as_deref().and_then(order).unwrap_or(CHANNEL_PLANE_TIME),
        frame_rate_hz: rate(image),
        ..Metadata::default()
    };
    let unit = image.physical_unit.as_deref().map_or(Some(1.0), micrometres);
    if let (Some(size), Some(unit)) = (image.physical_size.as_deref().and_then(positive), unit) {
        metadata.pixel_size_um = Some(Stated::new(size * unit, "OME PhysicalSizeX"));
    }
    metadata
}

/// Volumes per second: as stated, else from the time stamps.
fn rate(image: &Image) -> Option<Stated<f64>> {
    let unit = image.time_unit.as_deref().map_or(Some(1.0), seconds);
    if let (Some(increment), Some(unit)) = (image.time_increment.as_deref().and_then(positive), unit) {
        return Some(Stated::new(1.0 / (increment * unit), "OME TimeIncrement"));
    }
    let mut times = image.times.clone();
    times.sort_by_key(|(t, _)| *t);
    times.dedup_by_key(|(t, _)| *t);
    // Only neighbours in time: what lies between others is not known.
    let runs = times.chunk_by(|a, b| b.0 == a.0 + 1);
    let longest = runs.max_by_key(|run| run.len())?;
    let interval = interval(longest.iter().map(|(_, seconds)| *seconds), 0.0)?;
    Some(Stated::new(1.0 / interval, "OME Plane DeltaT (median difference)"))
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
