//! Grey pixels to draw on.

/// Grey pixels, row by row, black at first.
pub(crate) struct Canvas {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) pixels: Vec<u8>,
}

impl Canvas {
    pub(crate) fn new(height: usize, width: usize) -> Self {
        Self { height, width, pixels: vec![0; height * width] }
    }

    /// Puts `grey`, rows of `width` pixels, at a place, each pixel as a square of `zoom` × `zoom`.
    pub(crate) fn paste(&mut self, top: usize, left: usize, width: usize, zoom: usize, grey: &[u8]) {
        for (y, row) in grey.chunks(width.max(1)).enumerate() {
            for line in 0..zoom {
                self.paste_row(top + y * zoom + line, left, zoom, row);
            }
        }
    }

    fn paste_row(&mut self, y: usize, left: usize, zoom: usize, row: &[u8]) {
        let Some(line) = self.pixels.chunks_mut(self.width.max(1)).nth(y) else { return };
        let room = line.get_mut(left..).unwrap_or_default();
        if zoom == 1 {
            let count = room.len().min(row.len());
            room[..count].copy_from_slice(&row[..count]);
        } else {
            room.chunks_mut(zoom.max(1)).zip(row).for_each(|(square, grey)| square.fill(*grey));
        }
    }
}
