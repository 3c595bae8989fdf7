//! Pieces to values.
//!
//! How many values there are is known from the recording, or bounded by it; memory grows with the bytes that are there,
//! never with a number that they say.

use super::piece::{self, HEAD, Id, Place, opened};
use super::{Checkpoints, Unusable};

/// Reads one record, piece by piece.
pub(crate) struct Reader<'a> {
    keeper: &'a mut dyn Checkpoints,
    name: &'a str,
    place: Place,
    bytes: Vec<u8>,
    at: usize,
    last: bool,
}

impl<'a> Reader<'a> {
    /// The record that begins with the piece `first`.
    pub(super) fn new(keeper: &'a mut dyn Checkpoints, name: &'a str, belongs: Id, first: Vec<u8>) -> Result<Self, Unusable> {
        let place = Place { belongs, index: 0, previous: Id::default() };
        let mut reader = Self { keeper, name, place, bytes: Vec::new(), at: 0, last: false };
        reader.begin_piece(first).map(|()| reader)
    }

    /// A record of one piece that holds `payload`.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn of_payload(keeper: &'a mut dyn Checkpoints, payload: &[u8]) -> Self {
        let place = Place { belongs: Id::default(), index: 0, previous: Id::default() };
        let bytes = [vec![0; HEAD], payload.to_vec()].concat();
        Self { keeper, name: "", place, bytes, at: HEAD, last: true }
    }

    fn begin_piece(&mut self, mut bytes: Vec<u8>) -> Result<(), Unusable> {
        let (last, digest) = opened(&bytes, &self.place)?;
        self.place = Place { index: self.place.index + 1, previous: digest, ..self.place };
        bytes.truncate(bytes.len() - digest.len());
        (self.bytes, self.at, self.last) = (bytes, HEAD, last);
        Ok(())
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Unusable> {
        if self.at == self.bytes.len() && !self.last {
            let next = piece::name(self.name, self.place.index);
            let bytes = self.keeper.load(&next).ok_or(Unusable::Damaged)?;
            self.begin_piece(bytes)?;
        }
        let value = self.bytes.get(self.at..self.at + N).and_then(|value| value.try_into().ok()).ok_or(Unusable::Damaged)?;
        self.at += N;
        Ok(value)
    }

    /// Nothing may be left.
    pub(super) fn finish(self) -> Result<(), Unusable> {
        if self.last && self.at == self.bytes.len() { Ok(()) } else { Err(Unusable::Damaged) }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Unusable> {
        self.fixed::<1>().map(|[value]| value)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Unusable> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Unusable::Nonsense),
        }
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Unusable> {
        self.fixed().map(i32::from_le_bytes)
    }

    /// A number, `most` at most.
    pub(crate) fn count(&mut self, most: usize) -> Result<usize, Unusable> {
        let value = u64::from_le_bytes(self.fixed()?);
        usize::try_from(value).ok().filter(|value| *value <= most).ok_or(Unusable::Nonsense)
    }

    pub(crate) fn f32(&mut self) -> Result<f32, Unusable> {
        self.fixed().map(f32::from_le_bytes)
    }

    pub(crate) fn f64(&mut self) -> Result<f64, Unusable> {
        self.fixed().map(f64::from_le_bytes)
    }

    pub(crate) fn f32s(&mut self, count: usize) -> Result<Vec<f32>, Unusable> {
        self.several(count, Self::f32)
    }

    /// So many values, none of them infinite or no number.
    pub(crate) fn finite(&mut self, count: usize) -> Result<Vec<f32>, Unusable> {
        let values = self.f32s(count)?;
        if values.iter().all(|value| value.is_finite()) { Ok(values) } else { Err(Unusable::Nonsense) }
    }

    pub(crate) fn f64s(&mut self, count: usize) -> Result<Vec<f64>, Unusable> {
        self.several(count, Self::f64)
    }

    pub(crate) fn flags(&mut self, count: usize) -> Result<Vec<bool>, Unusable> {
        self.several(count, Self::flag)
    }

    /// The ends of a range that is not empty, in `0..side`.
    pub(crate) fn range(&mut self, side: usize) -> Result<(usize, usize), Unusable> {
        let (from, to) = (self.count(side)?, self.count(side)?);
        if from < to { Ok((from, to)) } else { Err(Unusable::Nonsense) }
    }

    /// So many values, one after the other. Room is made for those that this piece may hold; more comes with the bytes.
    pub(crate) fn several<T>(
        &mut self,
        count: usize,
        mut one: impl FnMut(&mut Self) -> Result<T, Unusable>,
    ) -> Result<Vec<T>, Unusable> {
        let mut values = Vec::with_capacity(count.min((self.bytes.len() - self.at) / size_of::<T>().max(1)));
        for _ in 0..count {
            values.push(one(self)?);
        }
        Ok(values)
    }
}
