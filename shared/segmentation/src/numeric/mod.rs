//! Small numeric helpers with a fixed order of operations.

mod components;
mod filter;
mod image;
mod linear;
mod order;

pub(crate) use components::{component, fill_holes};
pub(crate) use filter::{box_mean, gaussian_kernel, running_extreme, smooth_line, smooth_part, smooth_plane};
pub(crate) use image::Plane;
pub(crate) use linear::{Lower, Symmetric};
pub(crate) use order::{correlation, mean, median, median_and_spread, quantile};
