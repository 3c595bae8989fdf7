//! Where cells are and what they look like.

use rand::Rng;

use super::{
    random::{Stream, stream},
    scene::{Expression, Scene, SceneError},
};

/// Attempts to find a free place before the frame counts as full.
const ATTEMPTS: usize = 4000;
/// Distance between centres in mean radii: cells touch at most.
const APART: f64 = 2.2;
/// Softness of the edge, fraction of the radius.
const EDGE: f64 = 0.1;

/// An ellipse with a brightness.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) y: f64,
    pub(super) x: f64,
    pub(super) radius: f64,
    aspect: f64,
    angle: f64,
    pub(super) brightness: f64,
}

impl Shape {
    /// Distance from the centre, 1 at the edge.
    fn depth(&self, y: f64, x: f64) -> f64 {
        let (sin, cos) = libm::sincos(self.angle);
        let (dy, dx) = (y - self.y, x - self.x);
        let along = (dx * cos + dy * sin) / self.aspect;
        let across = (dy * cos - dx * sin) * self.aspect;
        (along * along + across * across).sqrt() / self.radius
    }

    /// Brightness at a place, 1 where the cell is fullest.
    pub(super) fn profile(&self, y: f64, x: f64, expression: Expression) -> f64 {
        let depth = self.depth(y, x);
        let body = 1.0 / (1.0 + libm::exp((depth - 1.0) / EDGE));
        match expression {
            Expression::Nuclear => body,
            Expression::Cytosolic => body * (1.0 - 0.6 * libm::exp(-libm::pow(depth / 0.55, 4.0))),
        }
    }

    /// Half the side of a square that holds all visible light of the cell, pixels.
    pub(super) fn reach(&self) -> f64 {
        self.radius * self.aspect * (1.0 + 8.0 * EDGE)
    }

    /// Pixels within the edge: rows and columns.
    pub(super) fn pixels(&self, height: usize, width: usize) -> (Vec<u32>, Vec<u32>) {
        let rows = span(self.y, self.reach(), height);
        rows.flat_map(|y| span(self.x, self.reach(), width).map(move |x| (y, x)))
            .filter(|&(y, x)| self.depth(y as f64, x as f64) <= 1.0)
            .map(|(y, x)| (y as u32, x as u32))
            .unzip()
    }
}

fn span(centre: f64, reach: f64, length: usize) -> std::ops::Range<usize> {
    let from = (centre - reach).floor().max(0.0) as usize;
    let to = (centre + reach).ceil().max(0.0) as usize + 1;
    from.min(length)..to.min(length)
}

/// Throws cells at random until each has a place of its own, whole in view whatever the motion.
pub(super) fn place(scene: &Scene) -> Result<Vec<Shape>, SceneError> {
    let mut rng = stream(scene.seed, Stream::Cells, 0);
    let margin = 1.3 * scene.radius_px + scene.motion_px;
    let mut placed: Vec<Shape> = Vec::with_capacity(scene.cells);
    for _ in 0..scene.cells {
        let free = (0..ATTEMPTS).find_map(|_| {
            let y = within(&mut rng, margin, scene.height)?;
            let x = within(&mut rng, margin, scene.width)?;
            let apart = APART * scene.radius_px;
            let clear = |s: &Shape| libm::hypot(s.y - y, s.x - x) >= apart;
            placed.iter().all(clear).then_some((y, x))
        });
        let Some((y, x)) = free else {
            return Err(SceneError::TooCrowded { placed: placed.len(), wanted: scene.cells });
        };
        placed.push(Shape {
            y,
            x,
            radius: scene.radius_px * rng.gen_range(0.85..1.15),
            aspect: rng.gen_range(1.0..1.12),
            angle: rng.gen_range(0.0..std::f64::consts::PI),
            brightness: rng.gen_range(0.7..1.3),
        });
    }
    Ok(placed)
}

fn within(rng: &mut impl Rng, margin: f64, length: usize) -> Option<f64> {
    let end = length as f64 - 1.0 - margin;
    (end > margin).then(|| rng.gen_range(margin..end))
}
