//! A calcium-imaging recording that never was, with everything known about it.
//!
//! A [`Scene`] says what to plant; [`Scene::generate`] plants it; the [`Movie`] renders any frame
//! on demand, so that length never costs memory. Same scene, same bytes.
//!
//! Physics, in the order of light: cells (a soft-edged soma, darker or brighter in its nucleus)
//! follow spikes through a double-exponential indicator; smooth out-of-focus neuropil adds its own
//! slow fluctuation; the tissue moves; the objective vignettes; dye bleaches; photons arrive with
//! shot noise, and the detector adds offset, gain and read noise.

mod activity;
mod cells;
mod motion;
mod random;
mod render;
mod scene;
pub mod score;
mod tissue;
mod write;

pub use render::Movie;
pub use scene::{Expression, PlantedCell, Scene, SceneError, Truth};
pub use write::WriteError;
