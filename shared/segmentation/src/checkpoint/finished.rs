//! The record of a plane that is finished: all of its segmentation.

use super::{Checkpoints, Reader, Trail, Unusable, Writer};
use crate::numeric::Plane;
use crate::{Blocks, Note, Params, Quality, Registration, Roi, SegmentError, Segmentation};
use ndarray::Array2;

/// Name of that record.
pub(crate) const FINISHED: &str = "finished";

/// Keeps a finished plane; whether it is kept. [`crate::segment_kept`] with the same keeper and settings returns it then.
///
/// # Errors
/// [`SegmentError::Cancelled`] when the keeper says that the segmentation is no longer wanted.
pub fn keep_finished(done: &Segmentation, params: &Params, keeper: &mut dyn Checkpoints) -> Result<bool, SegmentError> {
    let mut trail = Trail::new(keeper, done.first_frame.dim(), done.registration.yoff.len(), params);
    trail.save(FINISHED, |to| write(done, to))
}

fn write(done: &Segmentation, to: &mut Writer<'_>) {
    to.f32s(&done.first_frame);
    registration(&done.registration, to);
    to.count(done.rois.len());
    done.rois.iter().for_each(|roi| write_roi(roi, to));
    [&done.f, &done.fneu, &done.spks].into_iter().for_each(|traces| to.f32s(traces));
    quality(&done.quality, to);
}

/// A finished plane of `frames` frames.
pub(crate) fn read_finished(from: &mut Reader<'_>, plane: Plane, frames: usize) -> Result<Segmentation, Unusable> {
    let first_frame = array(from, (plane.height, plane.width))?;
    let registration = read_registration(from, plane, frames)?;
    let count = from.count(plane.pixels())?;
    let rois = from.several(count, |from| read_roi(from, plane))?;
    let traces = (count, frames);
    Ok(Segmentation {
        first_frame,
        registration,
        rois,
        f: array(from, traces)?,
        fneu: array(from, traces)?,
        spks: array(from, traces)?,
        quality: read_quality(from, frames)?,
    })
}

fn array(from: &mut Reader<'_>, (rows, columns): (usize, usize)) -> Result<Array2<f32>, Unusable> {
    let count = rows.checked_mul(columns).ok_or(Unusable::Nonsense)?;
    Array2::from_shape_vec((rows, columns), from.f32s(count)?).map_err(|_| Unusable::Nonsense)
}

fn registration(r: &Registration, to: &mut Writer<'_>) {
    [&r.reference, &r.mean, &r.mean_raw, &r.max, &r.sd].into_iter().for_each(|image| to.f32s(image));
    [&r.yoff, &r.xoff, &r.corr].into_iter().for_each(|series| to.f32s(series));
    to.flags(&r.bad_frames);
    to.range(r.yrange);
    to.range(r.xrange);
    to.count(r.blocks.shape.0);
    to.count(r.blocks.shape.1);
    r.blocks.y.iter().chain(&r.blocks.x).for_each(|side| to.range(*side));
    to.f32s(&r.blocks.yoff1);
    to.f32s(&r.blocks.xoff1);
}

fn read_registration(from: &mut Reader<'_>, plane: Plane, frames: usize) -> Result<Registration, Unusable> {
    let shape = (plane.height, plane.width);
    let [reference, mean, mean_raw, max, sd] =
        [array(from, shape)?, array(from, shape)?, array(from, shape)?, array(from, shape)?, array(from, shape)?];
    let [yoff, xoff, corr] = [from.f32s(frames)?, from.f32s(frames)?, from.f32s(frames)?];
    Ok(Registration {
        bad_frames: from.flags(frames)?,
        yrange: from.range(plane.height)?,
        xrange: from.range(plane.width)?,
        blocks: read_blocks(from, plane, frames)?,
        reference,
        yoff,
        xoff,
        corr,
        mean,
        mean_raw,
        max,
        sd,
    })
}

fn read_blocks(from: &mut Reader<'_>, plane: Plane, frames: usize) -> Result<Blocks, Unusable> {
    let shape = (from.count(plane.height)?, from.count(plane.width)?);
    let count = shape.0 * shape.1;
    Ok(Blocks {
        y: from.several(count, |from| from.range(plane.height))?,
        x: from.several(count, |from| from.range(plane.width))?,
        shape,
        yoff1: array(from, (frames, count))?,
        xoff1: array(from, (frames, count))?,
    })
}

fn write_roi(roi: &Roi, to: &mut Writer<'_>) {
    to.count(roi.lam.len());
    let place = |y: u32, x: u32| [y as i32, x as i32];
    let pixels = roi.ypix.iter().zip(&roi.xpix).map(|(y, x)| place(*y, *x));
    pixels.chain([place(roi.med.0, roi.med.1)]).flatten().for_each(|at| to.i32(at));
    to.f32s(&roi.lam);
    to.flags(&roi.overlap);
    to.f32s(&numbers(roi));
    to.flag(roi.is_cell);
}

/// What describes an ROI in one number each, in the order of a record.
fn numbers(roi: &Roi) -> [f32; 11] {
    [
        roi.radius,
        roi.aspect_ratio,
        roi.compact,
        roi.skew,
        roi.std,
        roi.snr,
        roi.contrast,
        roi.halo,
        roi.relative_area,
        roi.neuropil_coefficient,
        roi.cell_probability,
    ]
}

fn read_roi(from: &mut Reader<'_>, plane: Plane) -> Result<Roi, Unusable> {
    let count = from.count(plane.pixels())?;
    let at = |from: &mut Reader<'_>, side: usize| {
        let at = u32::try_from(from.i32()?).map_err(|_| Unusable::Nonsense)?;
        if (at as usize) < side { Ok(at) } else { Err(Unusable::Nonsense) }
    };
    let pixels = from.several(count, |from| Ok((at(from, plane.height)?, at(from, plane.width)?)))?;
    let med = (at(from, plane.height)?, at(from, plane.width)?);
    let (ypix, xpix) = pixels.into_iter().unzip();
    let (lam, overlap) = (from.f32s(count)?, from.flags(count)?);
    let numbers = from.f32s(11)?;
    let &[radius, aspect_ratio, compact, skew, std, snr, contrast, halo, relative_area, neuropil_coefficient, cell_probability] =
        numbers.as_slice()
    else {
        return Err(Unusable::Damaged);
    };
    Ok(Roi {
        ypix,
        xpix,
        lam,
        overlap,
        med,
        radius,
        aspect_ratio,
        compact,
        skew,
        std,
        snr,
        contrast,
        halo,
        relative_area,
        neuropil_coefficient,
        is_cell: from.flag()?,
        cell_probability,
    })
}

fn quality(q: &Quality, to: &mut Writer<'_>) {
    to.f64s(&[q.crispness_raw, q.crispness, q.largest_shift_px, q.rms_shift_px, q.bad_share]);
    to.count(q.notes.len());
    q.notes.iter().for_each(|note| write_note(note, to));
}

fn read_quality(from: &mut Reader<'_>, frames: usize) -> Result<Quality, Unusable> {
    Ok(Quality {
        crispness_raw: from.f64()?,
        crispness: from.f64()?,
        largest_shift_px: from.f64()?,
        rms_shift_px: from.f64()?,
        bad_share: from.f64()?,
        notes: {
            // A frame has a note of each kind at most; some are about all of them.
            let count = from.count(frames.saturating_mul(4).saturating_add(4))?;
            from.several(count, read_note)?
        },
    })
}

fn write_note(note: &Note, to: &mut Writer<'_>) {
    match *note {
        Note::BrightnessChanged { frame, factor } => {
            to.byte(0);
            to.count(frame);
            to.f32(factor);
        }
        Note::Jumped { frame, pixels } => {
            to.byte(1);
            to.count(frame);
            to.f32(pixels);
        }
        Note::Unlike { frame, correlation: (before, after) } => {
            to.byte(2);
            to.count(frame);
            to.f32s(&[before, after]);
        }
        Note::ManyBadFrames { count, of } => {
            to.byte(3);
            to.range((count, of));
        }
        Note::MotionAsSeen => to.byte(4),
        Note::MotionByPixels => to.byte(5),
        Note::PureDecay { rois } => {
            to.byte(6);
            to.count(rois);
        }
    }
}

fn read_note(from: &mut Reader<'_>) -> Result<Note, Unusable> {
    Ok(match from.byte()? {
        0 => Note::BrightnessChanged { frame: from.count(usize::MAX)?, factor: from.f32()? },
        1 => Note::Jumped { frame: from.count(usize::MAX)?, pixels: from.f32()? },
        2 => Note::Unlike { frame: from.count(usize::MAX)?, correlation: (from.f32()?, from.f32()?) },
        3 => Note::ManyBadFrames { count: from.count(usize::MAX)?, of: from.count(usize::MAX)? },
        4 => Note::MotionAsSeen,
        5 => Note::MotionByPixels,
        6 => Note::PureDecay { rois: from.count(usize::MAX)? },
        _ => return Err(Unusable::Nonsense),
    })
}
