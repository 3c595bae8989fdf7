//! The segment program: what runs on the instance, and the stages that a laptop runs the same way.
//!
//! [`segment_planes`] and [`write_results`] turn an open recording into a run's files; [`handle`] does that for one
//! attempt of a job, between the claim of the attempt and the commit that names it.

mod checkpoint;
#[cfg(feature = "instance")]
pub mod instance;
mod log;
mod movie;
mod notice;
mod own;
mod plane;
mod planes;
mod provenance;
mod report;
mod session;
mod shelf;
mod stages;
mod worker;

pub use checkpoint::Keeping;
pub use log::RunLog;
pub use notice::Notice;
pub use plane::PlaneSource;
pub use provenance::{Machine, Provenance, Resumed, Times, hash_input};
pub use report::Told;
pub use stages::{Found, RunProgress, StageError, Work, segment_planes, segment_planes_kept, write_results};
pub use worker::{Assignment, Deps, Ending, WorkerError, handle};

/// Version of the program, as results name it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
