//! Shape of a plane stored row by row.

/// Height and width of a row-major plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plane {
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Plane {
    pub(crate) fn pixels(self) -> usize {
        self.height * self.width
    }

    pub(crate) fn smaller_side(self) -> usize {
        self.height.min(self.width)
    }

    /// The four neighbours of `index` that lie inside.
    pub(crate) fn neighbours(self, index: usize) -> impl Iterator<Item = usize> {
        let (y, x) = (index / self.width, index % self.width);
        [
            (y > 0).then(|| index - self.width),
            (x > 0).then(|| index - 1),
            (x + 1 < self.width).then_some(index + 1),
            (y + 1 < self.height).then_some(index + self.width),
        ]
        .into_iter()
        .flatten()
    }
}
