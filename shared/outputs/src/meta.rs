//! What the outputs say about a run beyond its numbers.

/// Facts about a recording and its run that every output repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct RunMeta {
    /// Name of the recording, as its owner knows it.
    pub name: String,
    /// Frames of one plane per second, Hz, positive.
    pub frame_rate_hz: f64,
    /// Whether the frame rate was assumed because the recording states none.
    pub frame_rate_assumed: bool,
    /// Decay time of the indicator, s.
    pub tau_s: f64,
    /// Edge of a pixel, µm, where the recording states it.
    pub pixel_size_um: Option<f64>,
    /// Version of dropscope.
    pub version: String,
}
