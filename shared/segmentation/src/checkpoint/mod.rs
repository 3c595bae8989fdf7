//! State kept while a segmentation runs, so that another machine goes on where this one was stopped.
//!
//! A record is what one stage has found: offsets, masks, traces, a few images; never frames. It goes out in pieces of some
//! megabytes ([`piece`]), floats to the bit. What is read back is used when it is whole and belongs to the very same work;
//! everything else is told and computed again.

mod finished;
mod piece;
mod reader;
mod trail;
mod writer;

use crate::Stage;
pub use finished::keep_finished;
pub(crate) use finished::{FINISHED, read_finished};
pub(crate) use reader::Reader;
pub(crate) use trail::Trail;
pub(crate) use writer::Writer;

/// Bytes of a piece, about, unless the keeper says otherwise: what is held of a record while it is written or read.
const PIECE: usize = 16 << 20;

/// A place where state is kept while a segmentation runs.
pub trait Checkpoints: Send {
    /// A digest of all that the result depends on beside frames' shape and settings: program, recording, plane, channel. Asked for
    /// when a checkpoint is written or was found.
    fn belongs_to(&self) -> [u8; 32];
    /// Whether now is the time to keep what is known; asked after every few frames and after every stage.
    fn due(&mut self, point: Point) -> bool;
    /// The bytes kept under `name`, if there are any.
    fn load(&mut self, name: &str) -> Option<Vec<u8>>;
    /// Keeps `bytes` under `name`, in the place of what is there: all of them or none.
    fn save(&mut self, name: &str, bytes: Vec<u8>) -> Saved;
    /// Hears what became of checkpoints that were there.
    fn tell(&mut self, told: Told);
    /// Bytes of a piece, about.
    fn piece(&self) -> usize {
        PIECE
    }
}

/// Where a segmentation stands when it asks whether a checkpoint is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Inside a stage, after some frames.
    Within,
    /// Between two stages.
    Between,
}

/// What became of bytes that were to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// They are kept.
    Kept,
    /// They are not; the segmentation goes on all the same, and asks again later.
    NotNow,
    /// The segmentation is no longer wanted, and ends as if it had been cancelled.
    Stop,
}

/// What became of a checkpoint that was there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// `done` of `total` frames of `stage` need not be looked at again; of a finished plane the stage is the last.
    Resumed {
        /// Name of its record, of the last where there are several.
        name: String,
        /// Which stage.
        stage: Stage,
        /// Frames that are done.
        done: usize,
        /// Frames in all.
        total: usize,
        /// Readings of frames that this spares, all stages before it included.
        spared: usize,
    },
    /// It is not used: what it holds is computed again.
    Ignored {
        /// Its name.
        name: String,
        /// Why.
        why: Unusable,
    },
}

/// Why a checkpoint is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Not one that this program reads.
    #[error("it is no checkpoint of this format")]
    Format,
    /// Of another recording, other settings or another program.
    #[error("it belongs to other work")]
    Foreign,
    /// Bytes are missing, too many, or not those that were written.
    #[error("it is damaged")]
    Damaged,
    /// It says what cannot be.
    #[error("it makes no sense")]
    Nonsense,
}

/// Keeps nothing: what runs where nobody would go on is started afresh.
pub struct Forgetful;
impl Checkpoints for Forgetful {
    fn belongs_to(&self) -> [u8; 32] {
        [0; 32]
    }
    fn due(&mut self, _: Point) -> bool {
        false
    }
    fn load(&mut self, _: &str) -> Option<Vec<u8>> {
        None
    }
    fn save(&mut self, _: &str, _: Vec<u8>) -> Saved {
        Saved::NotNow
    }
    fn tell(&mut self, _: Told) {}
}
