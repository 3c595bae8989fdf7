//! Registration, ROI detection, traces, deconvolution and clustering: pure numerics on ndarray.
//!
//! One entry, [`segment`], takes frames and settings and returns a [`Segmentation`].

mod classification;
mod clustering;
mod deconvolution;
mod detection;
mod error;
mod extraction;
mod measures;
mod movie;
mod numeric;
mod params;
mod pipeline;
mod quality;
mod registration;
mod result;
mod source;

pub use deconvolution::deconvolve;
pub use error::SegmentError;
pub use params::{ParamError, Params};
pub use pipeline::segment;
pub use quality::{Note, Quality};
pub use result::{Blocks, Clustering, Registration, Roi, Segmentation};
pub use source::{FrameSource, Progress, Silent, SourceError, Stage};
