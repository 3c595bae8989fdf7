//! ImageJ's description: lines `key=value` (ij.io.TiffEncoder and FileSaver of ImageJ 1.x, public domain).

use super::{Metadata, Stated, micrometres, positive, seconds};

pub(super) fn parse(text: &str, pixels_per_unit: Option<f64>) -> Metadata {
    let value =
        |key: &str| text.lines().filter_map(|line| line.split_once('=')).find_map(|(k, v)| (k.trim() == key).then(|| v.trim()));
    let count = |key: &str| value(key).and_then(|v| v.parse::<u64>().ok()).filter(|n| *n > 0);
    let axis = |key: &str| count(key).and_then(|n| usize::try_from(n).ok()).map(|n| Stated::new(n, format!("ImageJ {key}")));
    let mut metadata = Metadata {
        frames: axis("frames"),
        planes: axis("slices"),
        channels: axis("channels"),
        pages: count("images"),
        stack_without_directories: true,
        ..Metadata::default()
    };
    slices_as_time(&mut metadata);
    let unit = value("tunit").unwrap_or_default();
    if let (Some(interval), Some(unit)) = (value("finterval").and_then(positive), seconds(unit)) {
        let rate = 1.0 / (interval * unit);
        metadata.frame_rate_hz = Some(Stated::new(rate, "ImageJ finterval"));
    }
    let unit = value("unit").and_then(micrometres);
    if let (Some(per_unit), Some(unit)) = (pixels_per_unit.filter(|r| *r > 0.0), unit) {
        metadata.pixel_size_um = Some(Stated::new(unit / per_unit, "ImageJ unit and resolution"));
    }
    calibration(&mut metadata, value("c0"), value("c1"));
    metadata
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
