//! From light to counts.

use super::{
    activity,
    cells::Shape,
    random::{Stream, normals, stream},
    scene::{Scene, Truth},
    tissue::Tissue,
};

/// A planted scene: renders any frame on demand.
pub struct Movie {
    /// What was asked for.
    pub scene: Scene,
    /// What was planted.
    pub truth: Truth,
    tissue: Tissue,
    vignette: Vec<f32>,
}

impl Movie {
    pub(super) fn new(scene: Scene, truth: Truth, shapes: &[Shape]) -> Self {
        let responses = truth.cells.iter().map(|c| activity::response(&scene, &c.spikes));
        let tissue = Tissue::new(&scene, shapes, responses.collect());
        let vignette = vignette(&scene);
        Self { scene, truth, tissue, vignette }
    }

    /// Noise-free ΔF/F of a planted cell at every frame.
    #[must_use]
    pub fn response(&self, cell: usize) -> Vec<f32> {
        activity::response(&self.scene, &self.truth.cells[cell].spikes)
    }

    /// Renders frame `t` (below `scene.frames`), rows from the top, into `out`, which gets
    /// height × width values. Frames may be asked for in any order.
    pub fn frame(&self, t: usize, out: &mut Vec<u16>) {
        let mut canvas = Vec::new();
        self.tissue.light(t, &mut canvas);
        let moved = self.moved(&canvas, self.truth.shifts[t]);
        let scene = &self.scene;
        let part = t as f64 / scene.frames as f64;
        let bleached = libm::pow(1.0 - 0.999_999 * scene.bleaching, part) as f32;
        let mut rng = stream(scene.seed, Stream::Noise, t as u64);
        let mut spare = None;
        out.clear();
        out.extend(moved.iter().zip(&self.vignette).map(|(&light, &v)| {
            let noise = spare.take().unwrap_or_else(|| {
                let (now, next) = normals(&mut rng);
                spare = Some(next);
                now
            });
            counts(scene, f64::from(light * v * bleached), noise)
        }));
    }

    /// Iterates over the frames, in order.
    pub fn frames(&self) -> impl Iterator<Item = Vec<u16>> + '_ {
        (0..self.scene.frames).map(|t| {
            let mut out = Vec::new();
            self.frame(t, &mut out);
            out
        })
    }

    /// What the frame sees of the canvas: bilinear interpolation at the shifted places.
    fn moved(&self, canvas: &[f32], (dy, dx): (f32, f32)) -> Vec<f32> {
        let (h, w) = (self.scene.height, self.scene.width);
        let stride = self.tissue.width;
        let (top, down) = place(self.tissue.margin, dy);
        let (left, right) = place(self.tissue.margin, dx);
        let mut out = Vec::with_capacity(h * w);
        for y in 0..h {
            let upper = &canvas[(y + top) * stride + left..][..=w];
            let lower = &canvas[(y + top + 1) * stride + left..][..=w];
            for x in 0..w {
                let a = upper[x] * (1.0 - right) + upper[x + 1] * right;
                let b = lower[x] * (1.0 - right) + lower[x + 1] * right;
                out.push(a * (1.0 - down) + b * down);
            }
        }
        out
    }
}

/// Whole and fractional canvas place of the frame's first pixel; the margin exceeds any shift.
fn place(margin: usize, shift: f32) -> (usize, f32) {
    let at = margin as f32 - shift;
    (at.floor() as usize, at - at.floor())
}

/// Shot noise and read noise as one Gaussian: at ten photons and more they cannot be told apart
/// from a Poisson count.
fn counts(scene: &Scene, photons: f64, noise: f64) -> u16 {
    let variance = scene.gain * scene.gain * photons + scene.read_noise * scene.read_noise;
    let value = scene.offset + scene.gain * photons + variance.sqrt() * noise;
    // The cast saturates at both ends, as a detector does.
    value.round() as u16
}

fn vignette(scene: &Scene) -> Vec<f32> {
    let (cy, cx) = ((scene.height as f64 - 1.0) / 2.0, (scene.width as f64 - 1.0) / 2.0);
    let corner = (cy * cy + cx * cx).max(1.0);
    (0..scene.height * scene.width)
        .map(|i| {
            let (dy, dx) = ((i / scene.width) as f64 - cy, (i % scene.width) as f64 - cx);
            (1.0 - scene.vignetting * (dy * dy + dx * dx) / corner) as f32
        })
        .collect()
}
