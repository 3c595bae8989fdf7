//! The record of detection.

use super::{Detected, Found, Images};
use crate::SegmentError;
use crate::checkpoint::{Reader, Trail, Unusable, Writer};
use crate::numeric::Plane;

const DETECTED: &str = "detected";

/// Keeps what detection found.
pub(crate) fn keep(trail: &mut Trail<'_>, detected: &Detected) -> Result<bool, SegmentError> {
    trail.save(DETECTED, |to| write(detected, to))
}

/// What detection found, if that is kept.
pub(crate) fn load(trail: &mut Trail<'_>, plane: Plane) -> Option<Detected> {
    trail.load(DETECTED, |from| read(from, plane))
}

fn write(detected: &Detected, to: &mut Writer<'_>) {
    to.f64(detected.diameter);
    to.flag(detected.diameter_given);
    [&detected.images.mean, &detected.images.max, &detected.images.sd].into_iter().for_each(|image| to.f32s(image));
    to.count(detected.found.len());
    for found in &detected.found {
        to.count(found.pixels.len());
        found.pixels.iter().for_each(|pixel| to.count(*pixel));
        to.f32s(&found.lam);
        to.f32(found.halo);
    }
}

pub(crate) fn read(from: &mut Reader<'_>, plane: Plane) -> Result<Detected, Unusable> {
    let pixels = plane.pixels();
    let (diameter, diameter_given) = (from.f64()?, from.flag()?);
    let images = Images { mean: from.f32s(pixels)?, max: from.f32s(pixels)?, sd: from.f32s(pixels)? };
    let count = from.count(pixels)?;
    let found = from.several(count, |from| read_found(from, pixels))?;
    Ok(Detected { found, diameter, diameter_given, images })
}

fn read_found(from: &mut Reader<'_>, pixels: usize) -> Result<Found, Unusable> {
    let count = from.count(pixels)?;
    let own = from.several(count, |from| from.count(pixels - 1))?;
    let found = Found { lam: from.f32s(count)?, halo: from.f32()?, pixels: own };
    // A mask has pixels, each of them once.
    if count > 0 && found.pixels.is_sorted_by(|a, b| a < b) { Ok(found) } else { Err(Unusable::Nonsense) }
}
