//! What can go wrong, sorted by what the caller may do about it.

use crate::{ParamError, SourceError};

/// Why a recording was not segmented.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// A setting is out of range: the caller corrects it.
    #[error("the settings are not usable")]
    Params(#[from] ParamError),
    /// The recording is too short to tell activity from a picture.
    #[error("the recording has `{frames}` frames, at least `{needed}` are needed")]
    TooFewFrames {
        /// Frames in the recording.
        frames: usize,
        /// The fewest that can be segmented.
        needed: usize,
    },
    /// A frame without pixels.
    #[error("the frames are `{height}` by `{width}` pixels")]
    EmptyFrame {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
    },
    /// A frame could not be read: the source knows why.
    #[error("the recording cannot be read")]
    Source(#[from] SourceError),
    /// The worker threads could not be started.
    #[error("`{threads}` worker threads cannot be started")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system said.
        #[source]
        source: rayon::ThreadPoolBuildError,
    },
    /// k-means found no centres: a mistake of the program, not of the recording.
    #[error("the cells cannot be clustered")]
    Clusters(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Whoever is shown the registered movie could not take it, and knows why.
    #[error("the registered movie cannot be handed on")]
    Shown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The caller asked to stop.
    #[error("the segmentation was stopped")]
    Cancelled,
}
