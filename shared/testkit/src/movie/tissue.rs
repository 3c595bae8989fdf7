//! The light that leaves the tissue, on a canvas larger than the frame by the motion.

use rand::Rng;

use super::{
    cells::Shape,
    random::{Stream, normal, stream},
    scene::Scene,
};

/// Independent clouds of out-of-focus light.
const CLOUDS: usize = 6;
/// Time constant of their fluctuation, s.
const CLOUD_TAU_S: f64 = 1.5;
/// Relative depth of the static texture: fibres and vessels that registration can hold on to.
const TEXTURE: f64 = 0.18;

/// Photons per frame of everything that glows, in tissue coordinates.
pub(super) struct Tissue {
    pub(super) margin: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    rest: Vec<f32>,
    clouds: Vec<Vec<f32>>,
    cloud_levels: Vec<Vec<f32>>,
    footprints: Vec<Footprint>,
    responses: Vec<Vec<f32>>,
}

/// Canvas positions of a cell and the photons of each at ΔF/F = 1.
struct Footprint(Vec<(usize, f32)>);

impl Tissue {
    pub(super) fn new(scene: &Scene, shapes: &[Shape], responses: Vec<Vec<f32>>) -> Self {
        let margin = scene.motion_px.ceil() as usize + 2;
        let (height, width) = (scene.height + 2 * margin, scene.width + 2 * margin);
        let mut tissue = Self {
            margin,
            height,
            width,
            rest: texture(scene, height, width),
            clouds: clouds(scene, height, width),
            cloud_levels: cloud_levels(scene),
            footprints: Vec::new(),
            responses,
        };
        for shape in shapes {
            let footprint = tissue.footprint(scene, shape);
            for &(at, photons) in &footprint.0 {
                tissue.rest[at] += photons;
            }
            tissue.footprints.push(footprint);
        }
        tissue
    }

    fn footprint(&self, scene: &Scene, shape: &Shape) -> Footprint {
        let m = self.margin as f64;
        let rows = around(shape.y + m, shape.reach(), self.height);
        let columns = || around(shape.x + m, shape.reach(), self.width);
        let peak = scene.cell_photons * shape.brightness;
        let at = |r: usize, c: usize| {
            let profile = shape.profile(r as f64 - m, c as f64 - m, scene.expression);
            (r * self.width + c, (peak * profile) as f32)
        };
        Footprint(rows.flat_map(|r| columns().map(move |c| (r, c))).map(|(r, c)| at(r, c)).collect())
    }

    /// Fills `canvas` with the photons of frame `t`.
    pub(super) fn light(&self, t: usize, canvas: &mut Vec<f32>) {
        canvas.clear();
        canvas.extend_from_slice(&self.rest);
        for (cloud, levels) in self.clouds.iter().zip(&self.cloud_levels) {
            let level = levels[t];
            for (pixel, &c) in canvas.iter_mut().zip(cloud) {
                *pixel += level * c;
            }
        }
        for (footprint, response) in self.footprints.iter().zip(&self.responses) {
            for &(at, photons) in &footprint.0 {
                canvas[at] += response[t] * photons;
            }
        }
    }
}

fn around(centre: f64, reach: f64, length: usize) -> std::ops::Range<usize> {
    let from = (centre - reach).floor().max(0.0) as usize;
    let to = (centre + reach).ceil().max(0.0) as usize + 1;
    from.min(length)..to.min(length)
}

/// Resting background: even light, made uneven by noise smoothed over a few pixels.
fn texture(scene: &Scene, height: usize, width: usize) -> Vec<f32> {
    let mut rng = stream(scene.seed, Stream::Texture, 0);
    let mut field: Vec<f64> = (0..height * width).map(|_| normal(&mut rng)).collect();
    for _ in 0..3 {
        field = smoothed(&field, height, width);
    }
    let power = field.iter().map(|v| v * v).sum::<f64>() / field.len() as f64;
    let scale = TEXTURE / power.sqrt();
    let light = |v: f64| scene.neuropil_photons * (1.0 + v * scale).max(0.1);
    field.into_iter().map(|v| light(v) as f32).collect()
}

/// Mean of the 5 × 5 neighbourhood, around the edges as on a torus.
fn smoothed(field: &[f64], height: usize, width: usize) -> Vec<f64> {
    let near = |i: usize, d: usize, n: usize| (i + n * 2 + d - 2) % n;
    let mut rows = vec![0.0; field.len()];
    for (i, out) in rows.iter_mut().enumerate() {
        let (y, x) = (i / width, i % width);
        *out = (0..5).map(|d| field[y * width + near(x, d, width)]).sum();
    }
    let mut both = vec![0.0; field.len()];
    for (i, out) in both.iter_mut().enumerate() {
        let (y, x) = (i / width, i % width);
        *out = (0..5).map(|d| rows[near(y, d, height) * width + x]).sum();
    }
    both
}

/// Where each cloud is: a wide Gaussian somewhere in view, photons at level 1.
fn clouds(scene: &Scene, height: usize, width: usize) -> Vec<Vec<f32>> {
    let mut rng = stream(scene.seed, Stream::Neuropil, 0);
    let extent = height.min(width) as f64;
    (0..CLOUDS)
        .map(|_| {
            let (cy, cx) = (rng.gen_range(0.0..1.0) * height as f64, rng.gen_range(0.0..1.0) * width as f64);
            let sigma = extent * rng.gen_range(0.2..0.45);
            let mut field = Vec::with_capacity(height * width);
            for y in 0..height {
                for x in 0..width {
                    let d2 = (y as f64 - cy) * (y as f64 - cy) + (x as f64 - cx) * (x as f64 - cx);
                    field.push((scene.neuropil_photons * libm::exp(-0.5 * d2 / (sigma * sigma))) as f32);
                }
            }
            field
        })
        .collect()
}

/// How bright each cloud is: white noise through two leaky integrators, so that it is smooth.
fn cloud_levels(scene: &Scene) -> Vec<Vec<f32>> {
    let keep = libm::exp(-1.0 / (CLOUD_TAU_S * scene.frame_rate_hz));
    (0..CLOUDS)
        .map(|cloud| {
            let mut rng = stream(scene.seed, Stream::Neuropil, 1 + cloud as u64);
            let (mut first, mut second) = (0.0, 0.0);
            let raw: Vec<f64> = (0..scene.frames)
                .map(|_| {
                    first = keep * first + normal(&mut rng);
                    second = keep * second + first;
                    second
                })
                .collect();
            let power = raw.iter().map(|v| v * v).sum::<f64>() / raw.len() as f64;
            let scale = scene.neuropil_fluctuation / power.sqrt().max(f64::MIN_POSITIVE);
            raw.into_iter().map(|v| (v * scale) as f32).collect()
        })
        .collect()
}
