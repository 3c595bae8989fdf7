//! Two movies of the same moments, side by side.

use super::animation::gif_of;
use super::caption::Caption;
use super::layout::Layout;
use crate::{About, Image, ProjectionError};
use std::borrow::Cow;

/// Images of two kinds of every plane, moment by moment, that become one animation.
#[derive(Debug)]
pub struct Pairs {
    layout: Layout,
    height: usize,
    width: usize,
    planes: usize,
    /// `tiles[2 · plane + kind][moment]`, as small as they are shown.
    tiles: Vec<Vec<Image>>,
}

impl Pairs {
    /// Of frames of `height` × `width` pixels.
    pub fn new(planes: usize, height: usize, width: usize) -> Self {
        let layout = Layout::of_pairs(planes, height, width);
        Self { layout, height, width, planes, tiles: vec![Vec::new(); 2 * planes] }
    }

    /// Adds the next moment of the first (0) or second (1) kind of a plane: `height` × `width` values.
    pub fn push(&mut self, plane: usize, kind: usize, values: Vec<f32>) {
        let image = Image { height: self.height, width: self.width, values }.binned(self.layout.factor);
        if let Some(tile) = self.tiles.get_mut(2 * plane + kind) {
            tile.push(image);
        }
    }

    /// Renders the moments that all have, which were at so many `seconds`. One contrast for all; 8 MB at most.
    ///
    /// # Errors
    /// [`ProjectionError`] when nothing was added, or a picture cannot be encoded.
    pub fn gif(
        &self,
        kinds: [&str; 2],
        seconds: &[f64],
        pixel_um: Option<f64>,
        about: &About,
    ) -> Result<Vec<u8>, ProjectionError> {
        let moments = self.tiles.iter().map(Vec::len).min().unwrap_or(0).min(seconds.len());
        let windows: Vec<Vec<Cow<Image>>> =
            (0..moments).map(|m| self.tiles.iter().map(|tile| Cow::Borrowed(&tile[m])).collect()).collect();
        let um = pixel_um.map(|um| um * self.layout.factor as f64);
        let mut caption = Caption::at(&seconds[..moments], um, about);
        let plane = |p: usize| if self.planes > 1 { format!("plane {}, ", p + 1) } else { String::new() };
        caption.names = (0..self.planes).flat_map(|p| kinds.map(|kind| format!("{}{kind}", plane(p)))).collect();
        gif_of(&self.layout, &windows, &caption)
    }
}
