//! The records of one plane: which are kept, and whose they are.

use super::piece::{self, Id};
use super::{Checkpoints, Point, Reader, Saved, Told, Unusable, Writer};
use crate::{Params, SegmentError, Stage};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// The records of one plane, in the hands of its keeper.
pub(crate) struct Trail<'a> {
    keeper: &'a mut dyn Checkpoints,
    /// Frames' shape and settings.
    work: String,
    kept: BTreeSet<String>,
    /// The record that was loaded last.
    loaded: String,
}

impl<'a> Trail<'a> {
    /// Of a plane of `frames` frames of a shape (height, width).
    pub(crate) fn new(keeper: &'a mut dyn Checkpoints, shape: (usize, usize), frames: usize, params: &Params) -> Self {
        // Threads never change a result. The text of a float says all of its bits.
        let work = format!("{shape:?} {frames} {:?}", Params { threads: 0, ..params.clone() });
        Self { keeper, work, kept: BTreeSet::new(), loaded: String::new() }
    }

    pub(crate) fn due(&mut self, point: Point) -> bool {
        self.keeper.due(point)
    }

    /// A record of another name is other work: it never passes for this one.
    fn belongs(&self, name: &str) -> Id {
        let work = Sha256::new().chain_update(self.keeper.belongs_to()).chain_update(&self.work).finalize();
        Sha256::new().chain_update(work).chain_update(name).finalize().into()
    }

    /// The record of that name, if there is one that can be used.
    pub(crate) fn load<T>(&mut self, name: &str, read: impl FnOnce(&mut Reader<'_>) -> Result<T, Unusable>) -> Option<T> {
        let first = self.keeper.load(&piece::name(name, 0))?;
        let belongs = self.belongs(name);
        let found = Reader::new(self.keeper, name, belongs, first).and_then(|mut reader| {
            let found = read(&mut reader)?;
            reader.finish().map(|()| found)
        });
        match found {
            Ok(found) => {
                self.kept.insert(name.to_owned());
                name.clone_into(&mut self.loaded);
                Some(found)
            }
            Err(why) => {
                self.keeper.tell(Told::Ignored { name: name.to_owned(), why });
                None
            }
        }
    }

    /// Keeps a record, unless it is kept already; whether it is now.
    ///
    /// # Errors
    /// [`SegmentError::Cancelled`] when the segmentation is no longer wanted.
    pub(crate) fn save(&mut self, name: &str, write: impl FnOnce(&mut Writer<'_>)) -> Result<bool, SegmentError> {
        if self.kept.contains(name) {
            return Ok(true);
        }
        let belongs = self.belongs(name);
        let mut writer = Writer::new(self.keeper, name, belongs);
        write(&mut writer);
        match writer.finish() {
            Saved::Kept => {
                self.kept.insert(name.to_owned());
                Ok(true)
            }
            Saved::NotNow => Ok(false),
            Saved::Stop => Err(SegmentError::Cancelled),
        }
    }

    /// Says what the record that was loaded last spares.
    pub(crate) fn resumed(&mut self, stage: Stage, (done, total): (usize, usize), spared: usize) {
        let name = std::mem::take(&mut self.loaded);
        self.keeper.tell(Told::Resumed { name, stage, done, total, spared });
    }
}
