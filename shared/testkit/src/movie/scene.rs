//! What to plant, and what was planted.

use serde::{Deserialize, Serialize};

use super::{Movie, activity, cells, motion};

/// Where in a cell the indicator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// In the cytosol: a ring around a darker nucleus.
    Cytosolic,
    /// In the nucleus, as with H2B-GCaMP: a filled blob.
    Nuclear,
}

/// A recording to make. The default is the demo: 60 s of zebrafish-like cells, 66 MB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// Seed of every random choice.
    pub seed: u64,
    /// Rows of a frame, pixels.
    pub height: usize,
    /// Columns of a frame, pixels.
    pub width: usize,
    /// Number of frames, at least 1.
    pub frames: usize,
    /// Cells to plant.
    pub cells: usize,
    /// Groups of cells that burst together, at least 1.
    pub groups: usize,
    /// Frames per second, Hz.
    pub frame_rate_hz: f64,
    /// Decay time of the indicator, s.
    pub tau_s: f64,
    /// Rise time of the indicator, s.
    pub rise_s: f64,
    /// Mean radius of a cell, pixels; single cells differ by up to 15 %.
    pub radius_px: f64,
    /// Edge of a pixel, µm.
    pub pixel_size_um: f64,
    /// Where the indicator is.
    pub expression: Expression,
    /// Bursts of each group per second, Hz.
    pub burst_rate_hz: f64,
    /// Lone spikes of each cell per second, Hz.
    pub lone_spike_rate_hz: f64,
    /// ΔF/F at the peak of one spike.
    pub spike_dff: f64,
    /// Farthest the tissue strays along either axis, pixels; 0 holds it still.
    pub motion_px: f64,
    /// Photons per frame in a resting pixel of an average cell.
    pub cell_photons: f64,
    /// Photons per frame of the resting background.
    pub neuropil_photons: f64,
    /// Standard deviation of the background's slow fluctuation, fraction of its rest.
    pub neuropil_fluctuation: f64,
    /// Loss of brightness in the corners, 0 to 1.
    pub vignetting: f64,
    /// Brightness lost to bleaching by the end, 0 to 1.
    pub bleaching: f64,
    /// Counts per photon.
    pub gain: f64,
    /// Counts in the dark.
    pub offset: f64,
    /// Standard deviation of the read noise, counts.
    pub read_noise: f64,
}

impl Default for Scene {
    fn default() -> Self {
        Self {
            seed: 1,
            height: 192,
            width: 192,
            frames: 900,
            cells: 60,
            groups: 4,
            frame_rate_hz: 15.0,
            tau_s: 1.0,
            rise_s: 0.1,
            radius_px: 5.0,
            pixel_size_um: 0.8,
            expression: Expression::Cytosolic,
            burst_rate_hz: 0.12,
            lone_spike_rate_hz: 0.06,
            spike_dff: 0.25,
            motion_px: 4.0,
            cell_photons: 40.0,
            neuropil_photons: 25.0,
            neuropil_fluctuation: 0.06,
            vignetting: 0.35,
            bleaching: 0.08,
            gain: 12.0,
            offset: 200.0,
            read_noise: 15.0,
        }
    }
}

/// Why a scene cannot be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SceneError {
    /// A setting has no meaning.
    #[error("`{name}` is `{value}`, which is not {range}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// What was given.
        value: f64,
        /// What is allowed.
        range: &'static str,
    },
    /// The frame has no room for so many cells of that size.
    #[error("only `{placed}` of `{wanted}` cells fit: ask for fewer or smaller ones")]
    TooCrowded {
        /// Cells that found a place.
        placed: usize,
        /// Cells asked for.
        wanted: usize,
    },
}

/// A cell and its whole story.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlantedCell {
    /// Row of the centre, pixels, in tissue coordinates.
    pub y: f64,
    /// Column of the centre, pixels, in tissue coordinates.
    pub x: f64,
    /// Mean radius, pixels.
    pub radius: f64,
    /// Row of each pixel, in tissue coordinates.
    pub ypix: Vec<u32>,
    /// Column of each pixel, in tissue coordinates.
    pub xpix: Vec<u32>,
    /// Group it bursts with, 0 to groups − 1.
    pub group: usize,
    /// Times of its spikes, s, ascending.
    pub spikes: Vec<f64>,
}

/// Everything planted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    /// The cells.
    pub cells: Vec<PlantedCell>,
    /// Motion (y, x) of each frame, pixels: `tissue(y, x)` is seen at `frame(y + dy, x + dx)`,
    /// the sign of suite2p's `yoff` and `xoff`.
    pub shifts: Vec<(f32, f32)>,
}

impl Scene {
    /// Plants the scene.
    ///
    /// # Errors
    /// [`SceneError`] for a setting outside its range, or more cells than fit.
    pub fn generate(&self) -> Result<Movie, SceneError> {
        self.check()?;
        let shapes = cells::place(self)?;
        let spikes = activity::spikes(self);
        let planted = shapes
            .iter()
            .zip(spikes)
            .enumerate()
            .map(|(i, (shape, spikes))| {
                let (ypix, xpix) = shape.pixels(self.height, self.width);
                PlantedCell { y: shape.y, x: shape.x, radius: shape.radius, ypix, xpix, group: i % self.groups, spikes }
            })
            .collect();
        let truth = Truth { cells: planted, shifts: motion::shifts(self) };
        Ok(Movie::new(self.clone(), truth, &shapes))
    }

    /// Seconds from the first frame to the end of the last.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
        self.frames as f64 / self.frame_rate_hz
    }

    fn check(&self) -> Result<(), SceneError> {
        const ABOVE: &str = "above 0";
        const PART: &str = "0 to 1";
        for (name, value, range) in [
            ("height", self.height as f64, ABOVE),
            ("width", self.width as f64, ABOVE),
            ("frames", self.frames as f64, ABOVE),
            ("groups", self.groups as f64, ABOVE),
            ("frame_rate_hz", self.frame_rate_hz, ABOVE),
            ("tau_s", self.tau_s, ABOVE),
            ("rise_s", self.rise_s, ABOVE),
            ("radius_px", self.radius_px, ABOVE),
            ("pixel_size_um", self.pixel_size_um, ABOVE),
            ("gain", self.gain, ABOVE),
            ("vignetting", self.vignetting, PART),
            ("bleaching", self.bleaching, PART),
            ("motion_px", self.motion_px, "0 to 64"),
            ("burst_rate_hz", self.burst_rate_hz, "0 to 100"),
            ("lone_spike_rate_hz", self.lone_spike_rate_hz, "0 to 100"),
        ] {
            let fits = match range {
                ABOVE => value > 0.0,
                PART => (0.0..=1.0).contains(&value),
                "0 to 64" => (0.0..=64.0).contains(&value),
                _ => (0.0..=100.0).contains(&value),
            };
            if !fits || !value.is_finite() {
                return Err(SceneError::Setting { name, value, range });
            }
        }
        Ok(())
    }
}
