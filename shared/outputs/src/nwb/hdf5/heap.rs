//! Global heaps ("III.E. Disk Format: Level 1E - Global Heap"): where texts of any length lie.

use std::collections::HashMap;

/// Texts of one collection: its indices have sixteen bits.
const MOST_OBJECTS: usize = 60_000;
/// A collection is never smaller.
const LEAST_BYTES: usize = 4096;
const HEADER: usize = 16;
const OBJECT_HEADER: usize = 16;

/// The texts of a file, each once, in the order of their first appearance.
#[derive(Default)]
pub(super) struct Heap {
    texts: Vec<String>,
    places: HashMap<String, usize>,
    /// Bytes of each collection.
    sizes: Vec<usize>,
}

impl Heap {
    /// Keeps a text; the empty one needs no place.
    pub(super) fn add(&mut self, text: &str) {
        if text.is_empty() || self.places.contains_key(text) {
            return;
        }
        if self.texts.len().is_multiple_of(MOST_OBJECTS) {
            self.sizes.push(HEADER);
        }
        if let Some(size) = self.sizes.last_mut() {
            *size += OBJECT_HEADER + text.len().next_multiple_of(8);
        }
        self.places.insert(text.to_owned(), self.texts.len());
        self.texts.push(text.to_owned());
    }

    /// Bytes of all collections.
    pub(super) fn bytes(&self) -> u64 {
        self.sizes().sum()
    }

    /// What stands for a text in an attribute or dataset (sixteen bytes), when the first collection lies at `address`.
    pub(super) fn pointer(&self, text: &str, address: u64) -> [u8; 16] {
        let mut out = [0; 16];
        if let Some(place) = self.places.get(text) {
            let before = self.sizes().take(place / MOST_OBJECTS).sum::<u64>();
            out[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
            out[4..12].copy_from_slice(&(address + before).to_le_bytes());
            out[12..].copy_from_slice(&((place % MOST_OBJECTS) as u32 + 1).to_le_bytes());
        }
        out
    }

    /// The collections, one after the other.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (texts, size) in self.texts.chunks(MOST_OBJECTS).zip(self.sizes()) {
            let end = out.len() + size as usize;
            out.extend(b"GCOL\x01\0\0\0");
            out.extend(size.to_le_bytes());
            for (i, text) in texts.iter().enumerate() {
                object(&mut out, i as u16 + 1, text.len() as u64);
                out.extend(text.as_bytes());
                out.resize(out.len().next_multiple_of(8), 0);
            }
            // What is left over is object 0, its own header included.
            if end - out.len() >= OBJECT_HEADER {
                let left = (end - out.len()) as u64;
                object(&mut out, 0, left);
            }
            out.resize(end, 0);
        }
        out
    }

    fn sizes(&self) -> impl Iterator<Item = u64> {
        self.sizes.iter().map(|size| (*size).max(LEAST_BYTES) as u64)
    }
}

/// Index, no references counted, reserved, size.
fn object(out: &mut Vec<u8>, index: u16, size: u64) {
    out.extend(index.to_le_bytes());
    out.extend([0; 6]);
    out.extend(size.to_le_bytes());
}
