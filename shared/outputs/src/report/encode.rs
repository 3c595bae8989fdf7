//! Numbers as few bytes: envelopes, quantised, in base64.
//!
//! A code of 0 says that there is no value; `1..=top` are even steps from the least to the largest value.

use base64::{Engine, engine::general_purpose::STANDARD};

/// How a series was thinned out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Every frame.
    Exact,
    /// Least and largest of each part: first all least, then all largest.
    Envelope,
    /// Largest of each part.
    Peak,
}

/// How a series is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    /// Parts of even length that the frames fall into.
    pub(super) parts: usize,
    pub(super) kind: Kind,
    /// Bytes of a code, 1 or 2.
    pub(super) bytes: usize,
}

impl Level {
    /// At most `parts` parts, or every frame where there are no more.
    pub(super) fn within(frames: usize, parts: usize, thinned: Kind, bytes: usize) -> Self {
        if frames <= parts {
            return Self { parts: frames, kind: Kind::Exact, bytes };
        }
        Self { parts: parts.max(1), kind: thinned, bytes }
    }

    /// Bytes of a series.
    pub(super) fn size(self) -> usize {
        let each = if self.kind == Kind::Envelope { 2 } else { 1 };
        self.parts * each * self.bytes
    }

    /// The kind as the page knows it.
    pub(super) fn code(self) -> u8 {
        match self.kind {
            Kind::Exact => 0,
            Kind::Envelope => 1,
            Kind::Peak => 2,
        }
    }
}

/// A series in the making; keeps its room from one ROI to the next.
#[derive(Debug, Default)]
pub(super) struct Thinned {
    low: Vec<f32>,
    high: Vec<f32>,
}

impl Thinned {
    /// Appends the codes of `values`, as if they were `frames` long, to `out`. Returns the values of the first and the last
    /// code, (0, 0) of nothing.
    pub(super) fn append(&mut self, values: &[f32], frames: usize, level: Level, out: &mut Vec<u8>) -> (f32, f32) {
        self.low.clear();
        self.high.clear();
        for part in 0..level.parts {
            let (from, to) = (part * frames / level.parts, (part + 1) * frames / level.parts);
            let values = &values[from.min(values.len())..to.max(from + 1).min(values.len())];
            let (low, high) = ends(values);
            self.low.push(low);
            self.high.push(high);
        }
        let thin = if level.kind == Kind::Peak { &self.high } else { &self.low };
        let (least, largest) = (ends(thin).0, ends(&self.high).1);
        if !least.is_finite() {
            out.resize(out.len() + level.size(), 0);
            return (0.0, 0.0);
        }
        let mut put = |values: &[f32]| values.iter().for_each(|&v| code(v, least, largest, level.bytes, out));
        match level.kind {
            Kind::Exact => put(&self.low),
            Kind::Peak => put(&self.high),
            Kind::Envelope => {
                put(&self.low);
                put(&self.high);
            }
        }
        (least, largest)
    }
}

/// Least and largest finite value; not a number of nothing.
fn ends(values: &[f32]) -> (f32, f32) {
    values.iter().filter(|v| v.is_finite()).fold((f32::NAN, f32::NAN), |(low, high), &v| (low.min(v), high.max(v)))
}

fn code(value: f32, least: f32, largest: f32, bytes: usize, out: &mut Vec<u8>) {
    let top = if bytes == 1 { 255.0 } else { 65535.0 };
    let span = f64::from(largest) - f64::from(least);
    let part = if span > 0.0 { (f64::from(value) - f64::from(least)) / span } else { 0.0 };
    let code = if value.is_finite() { 1 + (part * (top - 1.0)).round() as u16 } else { 0 };
    out.extend_from_slice(&code.to_le_bytes()[..bytes]);
}

/// Appends a number as few bytes: seven bits each, the lowest first.
pub(super) fn varint(mut value: u32, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Bytes as text that any document takes.
pub(super) fn text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coded(values: &[f32], frames: usize, level: Level) -> (Vec<u8>, (f32, f32)) {
        let mut out = Vec::new();
        let ends = Thinned::default().append(values, frames, level, &mut out);
        assert_eq!(out.len(), level.size());
        (out, ends)
    }

    #[test]
    fn an_envelope_keeps_every_peak_and_every_trough() {
        let mut values = vec![1.0f32; 10_000];
        (values[4321], values[77]) = (9.0, -3.0);
        let level = Level::within(10_000, 100, Kind::Envelope, 1);
        let (codes, ends) = coded(&values, 10_000, level);
        assert_eq!(ends, (-3.0, 9.0));
        assert_eq!((codes[0], codes[100 + 43]), (1, 255));
        assert_eq!(codes.iter().filter(|c| [1, 255].contains(c)).count(), 2);
    }

    #[test]
    fn a_short_series_is_kept_whole_to_the_step() {
        let values: Vec<f32> = (0..200).map(|i| (i as f32 * 0.37).sin()).collect();
        let (codes, (least, largest)) = coded(&values, 200, Level::within(200, 500, Kind::Envelope, 2));
        for (i, pair) in codes.chunks(2).enumerate() {
            let code = u16::from_le_bytes([pair[0], pair[1]]);
            let back = least + f32::from(code - 1) / 65534.0 * (largest - least);
            assert!((back - values[i]).abs() < 1e-4, "{i}: {back} {}", values[i]);
        }
    }

    #[test]
    fn what_is_not_a_number_is_no_value() {
        let level = Level::within(4, 9, Kind::Peak, 1);
        assert_eq!(coded(&[f32::NAN, 2.0, f32::INFINITY], 4, level).0, [0, 1, 0, 0]);
        assert_eq!(coded(&[f32::NAN; 4], 4, level), (vec![0; 4], (0.0, 0.0)));
        assert_eq!(coded(&[], 4, level).0, [0; 4]);
    }

    #[test]
    fn small_numbers_are_one_byte() {
        let mut out = Vec::new();
        [5, 127, 128, 70_000].into_iter().for_each(|v| varint(v, &mut out));
        assert_eq!(out, [5, 127, 0x80, 1, 0xf0, 0xa2, 4]);
    }
}
