//! Registration, ROI detection, traces, deconvolution and clustering: pure numerics on ndarray.
//!
//! [`segment`] takes the frames of one plane and settings and returns a [`Segmentation`]; [`cluster`] takes those of all
//! planes of a recording and returns their [`Clustering`]. [`segment_kept`] is told where its state may be kept while it runs, so
//! that another machine can go on with it.

mod checkpoint;
mod classification;
mod clustering;
mod deconvolution;
mod detection;
mod error;
mod extraction;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod measures;
mod movie;
mod numeric;
mod params;
mod pipeline;
mod quality;
mod registration;
mod result;
mod source;
mod steps;

pub use checkpoint::{Checkpoints, Forgetful, Point, Saved, Told, Unusable, keep_finished};
pub use clustering::cluster;
pub use deconvolution::deconvolve;
pub use error::SegmentError;
pub use params::{ClusterBy, Clusters, ParamError, Params};
pub use pipeline::{readings, segment, segment_kept, segment_shown};
pub use quality::{Note, Quality};
pub use result::{Blocks, Clustering, Member, Registration, Roi, Segmentation, SegmentedRecording, Silhouette};
pub use source::{FrameSource, Progress, Silent, SourceError, Stage, Viewer};
