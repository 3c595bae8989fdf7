//! Values to pieces.

use super::piece::{self, HEAD, Id, Place, sealed};
use super::{Checkpoints, Saved};

/// Writes one record; a value never lies in two pieces.
pub(crate) struct Writer<'a> {
    keeper: &'a mut dyn Checkpoints,
    name: &'a str,
    piece: usize,
    place: Place,
    bytes: Vec<u8>,
    saved: Saved,
}

impl<'a> Writer<'a> {
    pub(super) fn new(keeper: &'a mut dyn Checkpoints, name: &'a str, belongs: Id) -> Self {
        let piece = keeper.piece();
        let place = Place { belongs, index: 0, previous: Id::default() };
        Self { keeper, name, piece, place, bytes: vec![0; HEAD], saved: Saved::Kept }
    }

    fn put(&mut self, value: &[u8]) {
        // Once a piece is lost the record is: nothing more needs to be said.
        if self.saved != Saved::Kept {
            return;
        }
        if self.bytes.len() - HEAD + value.len() > self.piece && self.bytes.len() > HEAD {
            self.end_piece(false);
        }
        self.bytes.extend_from_slice(value);
    }

    fn end_piece(&mut self, last: bool) {
        let (bytes, digest) = sealed(std::mem::replace(&mut self.bytes, vec![0; HEAD]), &self.place, last);
        self.saved = self.keeper.save(&piece::name(self.name, self.place.index), bytes);
        self.place = Place { index: self.place.index + 1, previous: digest, ..self.place };
    }

    pub(super) fn finish(mut self) -> Saved {
        if self.saved == Saved::Kept {
            self.end_piece(true);
        }
        self.saved
    }

    pub(crate) fn flag(&mut self, value: bool) {
        self.put(&[u8::from(value)]);
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.put(&[value]);
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.put(&value.to_le_bytes());
    }

    pub(crate) fn count(&mut self, value: usize) {
        self.put(&(value as u64).to_le_bytes());
    }

    pub(crate) fn f32(&mut self, value: f32) {
        self.put(&value.to_le_bytes());
    }

    pub(crate) fn f64(&mut self, value: f64) {
        self.put(&value.to_le_bytes());
    }

    pub(crate) fn f32s<'v>(&mut self, values: impl IntoIterator<Item = &'v f32>) {
        values.into_iter().for_each(|value| self.f32(*value));
    }

    pub(crate) fn f64s(&mut self, values: &[f64]) {
        values.iter().for_each(|value| self.f64(*value));
    }

    pub(crate) fn flags(&mut self, values: &[bool]) {
        values.iter().for_each(|value| self.flag(*value));
    }

    /// Two ends of a range.
    pub(crate) fn range(&mut self, (from, to): (usize, usize)) {
        self.count(from);
        self.count(to);
    }
}
