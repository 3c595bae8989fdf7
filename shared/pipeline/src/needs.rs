//! What a recording needs of a machine, from its shape alone.

use dropscope_recording::Info;
use serde::{Deserialize, Serialize};

/// What one run needs, on the generous side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Needs {
    /// Cores that are put to use.
    pub cores: u32,
    /// Memory, MiB.
    pub memory_mib: u64,
    /// Scratch disk for the results until they are uploaded, GiB.
    pub scratch_gib: u64,
    /// Time on such a machine, hours.
    pub hours: f64,
}

const MIB: u64 = 1024 * 1024;
/// The program, its libraries and the binned movie of detection.
const BASE_MEMORY: u64 = 700 * MIB;
/// Frames that are in flight at once, each with its transforms.
const FRAMES_IN_FLIGHT: u64 = 300;
const BYTES_PER_PIXEL_IN_FLIGHT: u64 = 12;
/// Bytes that a frame of an ROI takes until the tables are written, and ROIs that a plane may well have.
const TRACE_BYTES: u64 = 40;
const ROIS_PER_PLANE: u64 = 500;
/// Pixels per second on two cores that every machine on offer reaches, with a margin of several times.
const PIXELS_PER_SECOND: f64 = 2.0e6;

impl Needs {
    /// Estimates from frames, shape, planes and length.
    pub fn of(info: &Info) -> Self {
        let frame = (info.height as u64).saturating_mul(info.width as u64);
        let plane = frame.saturating_mul(info.frames as u64);
        let all = plane as f64 * info.planes.max(1) as f64;
        let in_flight = frame.saturating_mul(FRAMES_IN_FLIGHT * BYTES_PER_PIXEL_IN_FLIGHT);
        let traces = (info.frames as u64).saturating_mul(info.planes.max(1) as u64).saturating_mul(TRACE_BYTES * ROIS_PER_PLANE);
        Self {
            cores: 2,
            memory_mib: BASE_MEMORY.saturating_add(in_flight).saturating_add(traces).div_ceil(MIB),
            scratch_gib: traces.div_ceil(1024 * MIB) + 1,
            hours: (100.0 * (0.1 + all / PIXELS_PER_SECOND / 3600.0)).ceil() / 100.0,
        }
    }

    /// What the registered movie takes beside that, where the plan asks for it: its frames on the disk twice, since they
    /// are made in one place and are results in another.
    #[must_use]
    pub fn with_movie_of(mut self, info: &Info) -> Self {
        let all = [info.height, info.width, info.frames, info.planes.max(1)]
            .iter()
            .fold(1_u64, |n, side| n.saturating_mul(*side as u64));
        // Four bytes a sample at most.
        self.scratch_gib = self.scratch_gib.saturating_add(all.saturating_mul(2 * 4).div_ceil(1024 * MIB));
        self
    }

    /// How long an instance may live for this run, seconds: its own estimate twice, at least a quarter of an hour.
    pub fn lifetime_seconds(&self) -> u64 {
        (self.hours * 7200.0).clamp(900.0, 30.0 * 86_400.0) as u64
    }
}
