//! The registered movie, for who asks for it: a stack for Fiji, and raw beside registered as an animation.
//!
//! It is made plane by plane while the planes are segmented, in a file of this machine; memory holds a few frames, and small
//! images of the moments that the animation shows.

use crate::plane::PlaneSource;
use dropscope_outputs::{Contents, OutputError, Stack, StackShape};
use dropscope_pipeline::Plan;
use dropscope_projection::{About, Pairs, ProjectionError};
use dropscope_recording::{Info, Recording, SampleType};
use dropscope_segmentation::{FrameSource, SourceError, Viewer};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

const STACK: &str = "registered.tif";
const ANIMATION: &str = "registered.gif";
/// Moments of the animation.
const MOMENTS: usize = 48;
/// Frames in a row that each is the mean of: enough to see through noise, too few to hide motion.
const FRAMES: usize = 4;
const KINDS: [&str; 2] = ["raw", "registered"];
const RAW: usize = 0;
const REGISTERED: usize = 1;

/// A movie that was not made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MovieError {
    /// The scratch folder is full or not writable.
    #[error("the registered movie cannot be written")]
    Disk(#[from] io::Error),
    /// A frame cannot be read once more.
    #[error("the recording cannot be read for the registered movie")]
    Source(#[from] SourceError),
    /// The animation cannot be made: a mistake of the program.
    #[error("`{ANIMATION}` cannot be made")]
    Animation(#[from] ProjectionError),
}

/// The movie of all planes in the making.
pub(crate) struct Making<'a> {
    folder: &'a Path,
    recording: &'a Recording,
    plan: &'a Plan,
    stack: Stack<File>,
    pairs: Pairs,
    /// First frame of each moment, and how many frames it has.
    moments: (Vec<usize>, usize),
}

impl<'a> Making<'a> {
    /// Begins in `folder`, which is made where it is not there.
    pub(crate) fn begin(folder: &'a Path, recording: &'a Recording, plan: &'a Plan) -> Result<Self, MovieError> {
        std::fs::create_dir_all(folder)?;
        let info = recording.info();
        let stack = Stack::begin(File::create(folder.join(STACK))?, shape(info, plan))?;
        let count = MOMENTS.min(info.frames);
        let starts = (0..count).map(|m| m * info.frames / count).collect();
        let moments = (starts, FRAMES.min(info.frames / count.max(1)).max(1));
        Ok(Self { folder, recording, plan, stack, pairs: Pairs::new(info.planes, info.height, info.width), moments })
    }

    /// Who is shown the frames of a plane.
    pub(crate) fn of_plane(&mut self, plane: usize) -> OfPlane<'_, 'a> {
        let pixels = self.recording.info().height * self.recording.info().width;
        OfPlane { making: self, plane, mean: vec![0.0; pixels] }
    }

    /// Makes the animation, when all planes were shown.
    pub(crate) fn finish(mut self) -> Result<(), MovieError> {
        let info = self.recording.info();
        (0..info.planes).try_for_each(|plane| self.add_raw(plane))?;
        let rate = &self.plan.frame_rate_hz;
        let about = About { name: String::new(), frame_rate_hz: rate.value, frame_rate_assumed: rate.assumed() };
        let seconds: Vec<f64> = self.moments.0.iter().map(|&start| start as f64 / rate.value).collect();
        let gif = self.pairs.gif(KINDS, &seconds, info.pixel_size_um, &about)?;
        std::fs::write(self.folder.join(ANIMATION), gif)?;
        self.stack.finish()?;
        Ok(())
    }

    /// The moments as they were recorded.
    fn add_raw(&mut self, plane: usize) -> Result<(), MovieError> {
        let (starts, frames) = &self.moments;
        let mut source = PlaneSource::new(self.recording, plane, 0);
        let (height, width) = source.shape();
        let mut held = vec![0.0; frames * height * width];
        for start in starts {
            source.read_all(&(*start..start + frames).collect::<Vec<_>>(), &mut held)?;
            let mut mean = vec![0.0; height * width];
            held.chunks_exact((height * width).max(1)).for_each(|frame| add(frame, *frames, &mut mean));
            self.pairs.push(plane, RAW, mean);
        }
        Ok(())
    }
}

/// Adds a frame to the mean of so many.
fn add(frame: &[f32], frames: usize, mean: &mut [f32]) {
    mean.iter_mut().zip(frame).for_each(|(m, v)| *m += v / frames as f32);
}

fn shape(info: &Info, plan: &Plan) -> StackShape {
    StackShape {
        frames: info.frames,
        planes: info.planes,
        height: info.height,
        width: info.width,
        float: !matches!(info.dtype, SampleType::U8 | SampleType::U16),
        frame_rate_hz: plan.frame_rate_hz.value,
        pixel_size_um: info.pixel_size_um,
    }
}

/// The movie of one plane in the making.
pub(crate) struct OfPlane<'b, 'a> {
    making: &'b mut Making<'a>,
    plane: usize,
    /// Of the moment that is shown now.
    mean: Vec<f32>,
}

impl Viewer for OfPlane<'_, '_> {
    fn frames(&mut self, first: usize, frames: &[f32]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        self.making.stack.put(self.plane, first, frames).map_err(MovieError::Disk)?;
        for (i, frame) in frames.chunks_exact(self.mean.len().max(1)).enumerate() {
            self.see(first + i, frame);
        }
        Ok(())
    }
}

impl OfPlane<'_, '_> {
    /// Adds a frame to the moment that it belongs to, if it does.
    fn see(&mut self, t: usize, frame: &[f32]) {
        let (starts, frames) = &self.making.moments;
        let Some(start) = starts.partition_point(|start| *start <= t).checked_sub(1).map(|m| starts[m]) else { return };
        if t >= start + frames {
            return;
        }
        add(frame, *frames, &mut self.mean);
        if t + 1 == start + frames {
            let pixels = self.mean.len();
            let mean = std::mem::replace(&mut self.mean, vec![0.0; pixels]);
            self.making.pairs.push(self.plane, REGISTERED, mean);
        }
    }
}

/// Hands what lies in `folder` to `sink`.
pub(crate) fn hand_over<E: From<OutputError>>(
    folder: &Path,
    sink: &mut impl FnMut(&str, Contents<'_>) -> Result<(), E>,
) -> Result<(), E> {
    for name in [STACK, ANIMATION] {
        let path = folder.join(name);
        let copy = |out: &mut dyn Write| io::copy(&mut File::open(&path)?, out).map(|_| ());
        sink(name, Contents::Pieces(&copy))?;
    }
    Ok(())
}
