//! The segment program: what runs on the instance, and the stages that a laptop runs the same way.
//!
//! [`segment_planes`] and [`write_results`] turn an open recording into a run's files; [`handle`] does that for one
//! attempt of a job, between the claim of the attempt and the commit that names it.

#[cfg(feature = "instance")]
pub mod instance;
mod log;
mod plane;
mod provenance;
mod report;
mod session;
mod stages;
mod worker;

pub use log::RunLog;
pub use plane::PlaneSource;
pub use provenance::{Machine, Provenance, Times, hash_input};
pub use report::Told;
pub use stages::{Found, RunProgress, StageError, Work, segment_planes, write_results};
pub use worker::{Assignment, Deps, Ending, WorkerError, handle};

/// Version of the program, as results name it.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
