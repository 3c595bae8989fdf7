//! What can go wrong between frames and files.

use dropscope_recording::RecordingError;

/// Why a survey or one of its files could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// A frame could not be read: the recording's own fault, unless it is [`RecordingError::Io`].
    #[error("the recording could not be read")]
    Recording(#[from] RecordingError),
    /// Whoever asked for it wanted no more of it.
    #[error("the look through the recording was stopped")]
    Stopped,
    /// A picture could not be made.
    #[error(transparent)]
    Picture(#[from] dropscope_picture::PictureError),
    /// An animation could not be encoded.
    #[error("the animation could not be encoded")]
    Gif(#[from] gif::EncodingError),
    /// The summary has no JSON form.
    #[error("the summary could not be written")]
    Json(#[from] serde_json::Error),
}
