//! Where frames come from, and where progress goes.

/// Frames of one plane and channel, readable in any order and more than once.
///
/// Implementations hold a few frames at most: memory must not grow with the length of the recording.
pub trait FrameSource: Send {
    /// Number of frames.
    fn frames(&self) -> usize;
    /// Height and width of every frame, in pixels.
    fn shape(&self) -> (usize, usize);
    /// Reads frame `index` into `out` (row-major, height × width). Integers up to 16 bit arrive exactly.
    ///
    /// # Errors
    /// When the frame cannot be read or decoded.
    fn read(&mut self, index: usize, out: &mut [f32]) -> Result<(), SourceError>;
    /// Reads the frames `indices` into `out`, one after the other; a source that can reads several at a time.
    ///
    /// # Errors
    /// As for [`FrameSource::read`]; of several the first frame's.
    fn read_all(&mut self, indices: &[usize], out: &mut [f32]) -> Result<(), SourceError> {
        let (height, width) = self.shape();
        let frames = out.chunks_exact_mut((height * width).max(1));
        indices.iter().zip(frames).try_for_each(|(index, frame)| self.read(*index, frame))
    }
}

/// A frame that could not be read: what the source said, kept whole.
#[derive(Debug, thiserror::Error)]
#[error("frame `{index}` cannot be read")]
pub struct SourceError {
    /// Which frame.
    pub index: usize,
    /// The cause.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// Who is shown the registered movie of a plane.
pub trait Viewer: Send {
    /// The frames from `first` on, one after the other, row-major: every part where it belongs, all of one brightness, as all
    /// measures see them. Calls come in the order of time.
    ///
    /// # Errors
    /// When they cannot be taken; the segmentation ends then.
    fn frames(&mut self, first: usize, frames: &[f32]) -> Result<(), Box<dyn std::error::Error + Send + Sync>>;
}

/// A stage of the segmentation, as shown to a person who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Choosing and refining the reference image.
    Reference,
    /// Moving every frame onto the reference.
    Registration,
    /// Finding ROIs.
    Detection,
    /// Traces and neuropil.
    Extraction,
    /// Spikes from traces.
    Deconvolution,
    /// Which ROIs are cells.
    Classification,
    /// k-means of the ROI covariance.
    Clustering,
}

/// Told how far a stage is; called often, from one thread at a time.
pub trait Progress: Sync {
    /// `done` of `total` units of `stage` are finished.
    fn step(&self, stage: Stage, done: usize, total: usize);
    /// True when the work should stop at the next chance (the caller was told to).
    fn cancelled(&self) -> bool {
        false
    }
}

/// Progress nobody looks at.
pub struct Silent;
impl Progress for Silent {
    fn step(&self, _: Stage, _: usize, _: usize) {}
}
