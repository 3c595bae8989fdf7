//! What can go wrong between frames and files.

use dropscope_recording::RecordingError;

/// Why a survey or one of its files could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// A frame could not be read: the recording's own fault, unless it is [`RecordingError::Io`].
    #[error("the recording could not be read")]
    Recording(#[from] RecordingError),
    /// A picture could not be encoded.
    #[error("the picture could not be encoded")]
    Png(#[from] png::EncodingError),
    /// An animation could not be encoded.
    #[error("the animation could not be encoded")]
    Gif(#[from] gif::EncodingError),
    /// A plot could not be rasterised.
    #[error("the plot could not be rasterised")]
    Svg(#[from] resvg::usvg::Error),
    /// The summary has no JSON form.
    #[error("the summary could not be written")]
    Json(#[from] serde_json::Error),
    /// The picture has a size no image of its kind can have.
    #[error("a picture cannot be `{width}` × `{height}` pixels")]
    PictureSize {
        /// Width, pixels.
        width: usize,
        /// Height, pixels.
        height: usize,
    },
}
