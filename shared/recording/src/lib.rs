//! Bytes of a microscope recording to checked frames.
//!
//! [`open`] reads the headers of a TIFF stack (a local file, or ranged reads of an object), checks every number in
//! them before it sizes anything, and returns a [`Recording`], or a [`RecordingError`] that says in a biologist's
//! words what is wrong and what to do. Frames are then read one at a time, so memory follows the size of one frame,
//! never the length of the recording. Samples keep their type: uint16 stays uint16.
//!
//! Read: classic TIFF and BigTIFF (TIFF 6.0, Adobe 1992; BigTIFF, libtiff.gitlab.io/libtiff/specification/bigtiff.html),
//! both byte orders; unsigned samples of 2 to 32 and 64 bits, signed ones of 8, 16, 32 and 64, floats of 16, 32 and 64;
//! several gray samples per pixel, each a channel; indices into look-up tables that only colour what is shown; strips and
//! tiles; uncompressed, PackBits, LZW, Deflate and ZSTD with predictors; ImageJ stacks, also those of more than 4 GB with
//! one directory.
//!
//! ```no_run
//! use dropscope_recording::{Limits, Overrides, open};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = std::fs::File::open("session.tif")?;
//! let recording = open(Box::new(file), &Limits::default(), &Overrides::default())?;
//! let info = recording.info().clone();
//! let mut samples = vec![0.0; info.height * info.width];
//! for frame in recording.frames(0, 0) {
//!     frame?.write_f32(&mut samples);
//! }
//! # Ok(())
//! # }
//! ```

mod axes;
mod bytes;
mod decode;
mod error;
#[cfg(fuzzing)]
pub mod fuzzing;
mod ifd;
mod index;
mod info;
mod limits;
mod magic;
mod metadata;
mod names;
mod page;
mod part;
mod pixels;
mod recording;
mod set;
mod stride;
mod survey;
mod walk;

pub use bytes::ReadAt;
pub use error::RecordingError;
pub use info::{Info, SampleType, Source};
pub use limits::{Limits, Overrides};
pub use metadata::prairie::{Prairie, PrairiePage};
pub use pixels::{Frame, FrameBuffer, Pixels};
pub use recording::{Frames, Recording, open, open_set};
pub use set::Members;
