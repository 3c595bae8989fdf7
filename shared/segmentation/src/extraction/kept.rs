//! Records of extraction: the traces, some frames of all ROIs at a time.

use super::Known;
use crate::SegmentError;
use crate::checkpoint::{Reader, Trail, Unusable, Writer};
use ndarray::{Array2, Axis, Slice};

/// The frames from `first` on, as far as they were known when it was kept.
fn traces_from(first: usize) -> String {
    format!("traces-{first}")
}

/// Keeps the columns of `traces` from `*from` until `until`; `*from` moves on.
pub(crate) fn keep(trail: &mut Trail<'_>, traces: &Array2<f32>, from: &mut usize, until: usize) -> Result<(), SegmentError> {
    if *from < until && trail.save(&traces_from(*from), |to| write(traces, (*from, until), to))? {
        *from = until;
    }
    Ok(())
}

/// What is known of the traces: `count` of them, `frames` long.
pub(crate) fn load(trail: &mut Trail<'_>, count: usize, frames: usize) -> Known {
    let mut known = Known { traces: Array2::zeros((count, frames)), frames: 0 };
    while known.frames < frames && count > 0 {
        let first = known.frames;
        let Some(more) = trail.load(&traces_from(first), |from| read(from, count, (first, frames))) else { break };
        known.frames += more.ncols();
        known.traces.slice_axis_mut(Axis(1), Slice::from(first..known.frames)).assign(&more);
    }
    known
}

fn write(traces: &Array2<f32>, (first, until): (usize, usize), to: &mut Writer<'_>) {
    to.count(until);
    to.f32s(traces.slice_axis(Axis(1), Slice::from(first..until)));
}

pub(crate) fn read(from: &mut Reader<'_>, count: usize, (first, frames): (usize, usize)) -> Result<Array2<f32>, Unusable> {
    let until = from.count(frames)?;
    let width = until.checked_sub(first).filter(|width| *width > 0).ok_or(Unusable::Nonsense)?;
    let values = from.f32s(count.checked_mul(width).ok_or(Unusable::Nonsense)?)?;
    Array2::from_shape_vec((count, width), values).map_err(|_| Unusable::Nonsense)
}
