//! Where a frame lies as a whole, to a pixel or two: enough for the finer search to begin with.

use super::fft2::Fft2;
use super::phase::{AlignWorkspace, Aligner, Shift};
use super::template::halved;
use crate::numeric::Plane;

/// Frames at least this large are looked at in blocks of two by two: a quarter of the work, and less noise a pixel.
const LARGE_PX: usize = 192;

/// Transforms for one size of frame.
pub(super) struct CoarsePlan {
    plane: Plane,
    small: Plane,
    block: usize,
    fft: Fft2,
}

impl CoarsePlan {
    pub(super) fn new(plane: Plane) -> Self {
        let block = if plane.smaller_side() >= LARGE_PX { 2 } else { 1 };
        let small = Plane { height: plane.height / block, width: plane.width / block };
        Self { plane, small, block, fft: Fft2::new(small) }
    }

    /// Ready to align with `reference`.
    pub(super) fn against(&self, reference: &[f32]) -> Coarse<'_> {
        let mut small = Vec::new();
        self.shrink(reference, &mut small);
        Coarse { plan: self, aligner: Aligner::new(&self.fft, self.small, &small) }
    }

    fn shrink(&self, frame: &[f32], out: &mut Vec<f32>) {
        if self.block == 2 {
            halved(frame, self.plane.width, out);
        } else {
            out.clear();
            out.extend_from_slice(frame);
        }
    }
}

/// A reference frames are held against.
pub(super) struct Coarse<'a> {
    plan: &'a CoarsePlan,
    aligner: Aligner<'a>,
}

/// Memory one thread works in.
pub(super) struct CoarseWork {
    small: Vec<f32>,
    align: AlignWorkspace,
}

impl Coarse<'_> {
    pub(super) fn work(&self) -> CoarseWork {
        CoarseWork { small: Vec::new(), align: self.aligner.workspace() }
    }

    /// Shift in pixels of the whole frame.
    pub(super) fn shift(&self, frame: &[f32], work: &mut CoarseWork) -> Shift {
        self.plan.shrink(frame, &mut work.small);
        let found = self.aligner.shift(&work.small, &mut work.align);
        let block = self.plan.block as i32;
        Shift { y: found.y * block, x: found.x * block, corr: found.corr }
    }
}
