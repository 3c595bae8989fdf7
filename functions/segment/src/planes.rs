//! Checkpoints of the planes of a recording, in the hands of one keeper.

use dropscope_segmentation::{Checkpoints, Params, Point, Saved, SegmentError, Segmentation, Stage, Told, keep_finished};
use sha2::{Digest, Sha256};

/// The planes that are finished, and which of them are kept.
pub(crate) struct Finished<'a> {
    params: &'a Params,
    pub(crate) planes: Vec<Segmentation>,
    kept: Vec<bool>,
}

impl<'a> Finished<'a> {
    pub(crate) fn none(params: &'a Params) -> Self {
        Self { params, planes: Vec::new(), kept: Vec::new() }
    }

    /// Adds the next plane; `kept` when it comes from a checkpoint.
    pub(crate) fn push(&mut self, plane: Segmentation, kept: bool) {
        self.planes.push(plane);
        self.kept.push(kept);
    }

    /// Keeps every finished plane that is not kept yet; whether all of them are.
    pub(crate) fn keep(&mut self, keeper: &mut dyn Checkpoints) -> Result<bool, SegmentError> {
        for (plane, (done, kept)) in self.planes.iter().zip(&mut self.kept).enumerate() {
            if !*kept {
                *kept = keep_finished(done, self.params, &mut OfOne { keeper, plane, finished: None, loaded: false })?;
            }
        }
        Ok(self.kept.iter().all(|kept| *kept))
    }
}

/// Those of one plane.
pub(crate) struct OfOne<'a, 'b> {
    pub(crate) keeper: &'a mut dyn Checkpoints,
    pub(crate) plane: usize,
    /// The planes before it: without them it would be of no use to whoever goes on.
    pub(crate) finished: Option<&'a mut Finished<'b>>,
    /// Whether the whole plane was found finished.
    pub(crate) loaded: bool,
}

impl OfOne<'_, '_> {
    fn name(&self, name: &str) -> String {
        format!("plane{}/{name}", self.plane)
    }
}

impl Checkpoints for OfOne<'_, '_> {
    fn belongs_to(&self) -> [u8; 32] {
        let plane = (self.plane as u64).to_le_bytes();
        Sha256::new().chain_update(self.keeper.belongs_to()).chain_update(plane).finalize().into()
    }

    fn due(&mut self, point: Point) -> bool {
        self.keeper.due(point)
    }

    fn load(&mut self, name: &str) -> Option<Vec<u8>> {
        let name = self.name(name);
        self.keeper.load(&name)
    }

    fn save(&mut self, name: &str, bytes: Vec<u8>) -> Saved {
        let name = self.name(name);
        match self.finished.as_deref_mut().map_or(Ok(true), |finished| finished.keep(&mut *self.keeper)) {
            Ok(true) => self.keeper.save(&name, bytes),
            Ok(false) => Saved::NotNow,
            Err(_) => Saved::Stop,
        }
    }

    fn tell(&mut self, told: Told) {
        self.keeper.tell(match told {
            Told::Resumed { name, stage, done, total, spared } => {
                self.loaded |= stage == Stage::Classification;
                Told::Resumed { name: self.name(&name), stage, done, total, spared }
            }
            Told::Ignored { name, why } => Told::Ignored { name: self.name(&name), why },
        });
    }

    fn piece(&self) -> usize {
        self.keeper.piece()
    }
}
