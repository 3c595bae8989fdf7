//! Records of registration: the reference, what was seen of the frames so far, and what it found in the end.

use super::brightness::{Brightness, Level};
use super::grid::{Field, Grid};
use super::phase::Shift;
use super::refine::WORKING;
use super::template::Template;
use super::turned::Gains;
use super::{Found, Path, Registered, Seen};
use crate::checkpoint::{Reader, Trail, Unusable, Writer};
use crate::{Note, SegmentError};

const REFERENCE: &str = "reference";
const REGISTERED: &str = "registered";
/// No frame is moved so far, pixels.
const FARTHEST_PX: f32 = 1e6;

/// The frames from `first` on, as far as they were seen when it was kept.
fn seen_from(first: usize) -> String {
    format!("seen-{first}")
}

/// Keeps the reference, and what was seen of the frames since `*from`, which moves on.
pub(super) fn keep_seen(
    trail: &mut Trail<'_>,
    (template, usual): (&Template, &Brightness),
    seen: &Seen,
    from: &mut usize,
) -> Result<(), SegmentError> {
    let kept = trail.save(REFERENCE, |to| write_reference(template, usual, to))?;
    if kept && trail.save(&seen_from(*from), |to| write_seen(seen, *from, to))? {
        *from = seen.shifts.len();
    }
    Ok(())
}

/// The template and the usual brightness.
pub(super) fn load_reference(trail: &mut Trail<'_>, grid: &Grid) -> Option<(Template, Brightness)> {
    trail.load(REFERENCE, |from| read_reference(from, grid))
}

/// Adds to `seen` what is known of the frames, from the first on.
pub(super) fn load_seen(trail: &mut Trail<'_>, grid: &Grid, frames: usize, seen: &mut Seen) {
    while seen.shifts.len() < frames {
        let first = seen.shifts.len();
        let Some(more) = trail.load(&seen_from(first), |from| read_seen(from, grid, first, frames)) else { break };
        seen.go_on(more);
    }
}

/// Keeps what registration found.
pub(crate) fn keep(trail: &mut Trail<'_>, registered: &Registered, path: &Path) -> Result<bool, SegmentError> {
    trail.save(REGISTERED, |to| write_registered(registered, path, to))
}

pub(super) fn load(trail: &mut Trail<'_>, grid: &Grid, frames: usize) -> Option<Found> {
    trail.load(REGISTERED, |from| read_registered(from, grid, frames))
}

fn write_reference(template: &Template, usual: &Brightness, to: &mut Writer<'_>) {
    to.f32s(template.reference());
    to.flag(template.weights().is_some());
    to.count(template.averaged());
    to.f32s(template.weights().unwrap_or_default());
    write_level(usual.usual, to);
}

fn read_reference(from: &mut Reader<'_>, grid: &Grid) -> Result<(Template, Brightness), Unusable> {
    let pixels = grid.plane.pixels();
    let (reference, aligns) = (from.finite(pixels)?, from.flag()?);
    let averaged = from.count(super::REFERENCE_FRAMES)?;
    let weights = if aligns { from.finite(pixels)? } else { reference.clone() };
    let usual = Brightness { plane: grid.plane, usual: read_level(from)? };
    Ok((Template::new(grid, reference, averaged, &weights, if aligns { WORKING } else { &[] }), usual))
}

fn write_level(level: Level, to: &mut Writer<'_>) {
    to.f64s(&[level.mean, level.contrast]);
}

fn read_level(from: &mut Reader<'_>) -> Result<Level, Unusable> {
    Ok(Level { mean: from.f64()?, contrast: from.f64()? })
}

fn write_field(field: &Field, to: &mut Writer<'_>) {
    to.f32s(field.y.iter().chain(&field.x));
}

fn read_field(from: &mut Reader<'_>, grid: &Grid) -> Result<Field, Unusable> {
    let field = Field { y: from.f32s(grid.nodes())?, x: from.f32s(grid.nodes())? };
    let near = field.y.iter().chain(&field.x).all(|v| v.abs() <= FARTHEST_PX);
    if near { Ok(field) } else { Err(Unusable::Nonsense) }
}

fn write_seen(seen: &Seen, first: usize, to: &mut Writer<'_>) {
    to.count(seen.shifts.len());
    if first == 0 {
        to.f32s(&seen.first);
    }
    to.f64s(&seen.sum);
    for t in first..seen.shifts.len() {
        let Shift { y, x, corr } = seen.shifts[t];
        to.i32(y);
        to.i32(x);
        to.f32(corr);
        to.flag(seen.blank[t]);
        write_level(seen.levels[t], to);
        write_field(&seen.fields[t], to);
    }
}

/// What was seen of the frames from `first` on; the sum is that of all frames before them, too.
fn read_seen(from: &mut Reader<'_>, grid: &Grid, first: usize, frames: usize) -> Result<Seen, Unusable> {
    let (pixels, until) = (grid.plane.pixels(), from.count(frames)?);
    if until <= first {
        return Err(Unusable::Nonsense);
    }
    let image = if first == 0 { from.f32s(pixels)? } else { Vec::new() };
    let mut seen = Seen { first: image, sum: from.f64s(pixels)?, ..Seen::default() };
    for _ in first..until {
        seen.shifts.push(Shift { y: from.i32()?, x: from.i32()?, corr: from.f32()? });
        seen.blank.push(from.flag()?);
        seen.levels.push(read_level(from)?);
        seen.fields.push(read_field(from, grid)?);
    }
    Ok(seen)
}

fn write_registered(registered: &Registered, path: &Path, to: &mut Writer<'_>) {
    [&registered.first, &registered.reference, &registered.mean_raw, &registered.corr].into_iter().for_each(|v| to.f32s(v));
    to.flags(&registered.bad);
    to.byte(match registered.fallback {
        Some(Note::MotionByPixels) => 1,
        Some(Note::MotionAsSeen) => 2,
        _ => 0,
    });
    path.gains.write(to);
    path.fields.iter().for_each(|field| write_field(field, to));
}

fn read_registered(from: &mut Reader<'_>, grid: &Grid, frames: usize) -> Result<Found, Unusable> {
    let pixels = grid.plane.pixels();
    Ok(Found {
        first: from.f32s(pixels)?,
        reference: from.f32s(pixels)?,
        mean_raw: from.f32s(pixels)?,
        corr: from.f32s(frames)?,
        bad: from.flags(frames)?,
        fallback: match from.byte()? {
            0 => None,
            1 => Some(Note::MotionByPixels),
            2 => Some(Note::MotionAsSeen),
            _ => return Err(Unusable::Nonsense),
        },
        gains: Gains::read(from, frames)?,
        fields: from.several(frames, |from| read_field(from, grid))?,
    })
}

/// Reads bytes as each of the records.
#[cfg(any(test, fuzzing))]
pub(crate) fn read_each(bytes: &[u8], plane: crate::numeric::Plane, frames: usize) {
    let (mut keeper, grid) = (crate::Forgetful, Grid::new(plane));
    drop(read_reference(&mut Reader::of_payload(&mut keeper, bytes), &grid));
    drop(read_seen(&mut Reader::of_payload(&mut keeper, bytes), &grid, 0, frames));
    drop(read_registered(&mut Reader::of_payload(&mut keeper, bytes), &grid, frames).map(|found| super::told(grid, found)));
}
